import { existsSync, readFileSync } from 'node:fs'
import { expect } from 'vitest'
import type { HashName } from '../../bindings/core.ts'

/** The seed of every fast-check run in the core tests. */
export const SEED = 0x5ea1

export const HASH_BYTES: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 }
export const HASHES: readonly HashName[] = ['sha256', 'sha384', 'sha512']

/** A copy, so that no test hands a Buffer to the core unless it means to. */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(hex, 'hex'))
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}

/** Parses a file of test/vectors. */
export function readVectors(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))
}

/** Parses a file of the extra vectors beside the repository; undefined where they are not. */
export function readExtraVectors(name: string): unknown {
  const url = new URL(`../../../shared/vectors/${name}`, import.meta.url)
  return existsSync(url) ? JSON.parse(readFileSync(url, 'utf8')) : undefined
}

/** `length` bytes of xorshift32, the same for the same seed: quick enough for megabytes. */
export function patternBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(length / 4))
  let x = (seed * 0x9e3779b1 + 0x7f4a7c15) >>> 0 || 1
  for (let i = 0; i < words.length; i++) {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    words[i] = x
  }
  return new Uint8Array(words.buffer).slice(0, length)
}

/** Fails unless the bytes are equal; says where they differ rather than printing megabytes. */
export function expectSameBytes(actual: Uint8Array, expected: Uint8Array, what = 'bytes'): void {
  if (Buffer.compare(actual, expected) === 0) return
  const at = actual.findIndex((byte, i) => byte !== expected[i])
  const window = (bytes: Uint8Array): string => toHex(bytes.subarray(Math.max(0, at), Math.max(0, at) + 32))
  expect({ length: actual.length, at, bytes: window(actual) }, `${what} differ`).toEqual({
    length: expected.length,
    at,
    bytes: window(expected),
  })
}

/** A result must be a plain Uint8Array that owns its memory: neither a Buffer nor a view of WASM memory. */
export function expectFresh(bytes: Uint8Array): void {
  expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
  expect([bytes.byteOffset, bytes.buffer.byteLength]).toEqual([0, bytes.length])
}

/** `bytes` in the middle of a larger buffer whose other bytes are `fill`. */
export function withNeighbours(
  bytes: Uint8Array,
  fill = 0xee,
): { view: Uint8Array<ArrayBuffer>; neighboursIntact: () => boolean } {
  const margin = 37
  const all = new Uint8Array(bytes.length + 2 * margin).fill(fill)
  const view = all.subarray(margin, margin + bytes.length)
  view.set(bytes)
  const isFill = (byte: number): boolean => byte === fill
  return {
    view,
    neighboursIntact: () => all.subarray(0, margin).every(isFill) && all.subarray(margin + bytes.length).every(isFill),
  }
}

/** What `action` throws; fails when it returns. */
export function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return expect.fail('nothing was thrown')
}
