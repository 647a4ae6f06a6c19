import { assertBytes } from './bytes.ts'
import { core, takeBytes, type Core } from './instance.ts'

/** The hashes of the core (FIPS 180-4). */
export type HashName = 'sha256' | 'sha384' | 'sha512'

const HASHES: Readonly<Record<HashName, { readonly number: number; readonly digestBytes: number }>> = {
  sha256: { number: 0, digestBytes: 32 },
  sha384: { number: 1, digestBytes: 48 },
  sha512: { number: 2, digestBytes: 64 },
}

/** Bytes of a window of data: a multiple of the longest block. */
const WINDOW_BYTES = 0x10000
/** Bytes that the longest digest takes. */
const MAX_BLOCK_BYTES = 128

const NOTHING = new Uint8Array(0)

function lookUp(hash: HashName): { readonly number: number; readonly digestBytes: number } {
  if (!Object.hasOwn(HASHES, hash)) throw new TypeError("hash must be 'sha256', 'sha384' or 'sha512'")
  return HASHES[hash]
}

/** Feeds all but the last window, and leaves that one in the arena: its bytes are answered. */
function feed(to: Core, hash: number, data: Uint8Array): number {
  let at = 0
  for (; data.length - at > WINDOW_BYTES; at += WINDOW_BYTES) {
    to.heap.set(data.subarray(at, at + WINDOW_BYTES), to.io)
    to.exports.shaUpdate(hash, WINDOW_BYTES)
  }
  const rest = data.subarray(at)
  to.heap.set(rest, to.io)
  return rest.length
}

function digest(name: HashName, data: Uint8Array): Uint8Array<ArrayBuffer> {
  assertBytes(data, 'data')
  const { number, digestBytes } = HASHES[name]
  const to = core()
  to.exports.shaBegin(number)
  const rest = feed(to, number, data)
  to.exports.shaEnd(number, rest)
  return takeDigest(to, digestBytes, data)
}

/** Takes a digest and wipes what the data left in the arena. */
function takeDigest(to: Core, digestBytes: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return to.heap.slice(to.io, to.io + digestBytes)
  } finally {
    to.exports.wipeArena(0, Math.max(digestBytes, Math.min(data.length, WINDOW_BYTES)))
  }
}

/** Bytes that the core's `shaSuspend` hands out. */
const STATE_BYTES = 72

/** A digest of data that comes in parts, which must be no secret: the state rests outside of the core between them. */
export class Digest {
  readonly #hash: number
  readonly #digestBytes: number
  readonly #state = new Uint8Array(STATE_BYTES)
  /** The bytes at the end that are no whole block. */
  readonly #rest = new Uint8Array(MAX_BLOCK_BYTES)
  #restBytes = 0

  constructor(name: HashName) {
    const { number, digestBytes } = lookUp(name)
    this.#hash = number
    this.#digestBytes = digestBytes
    const to = core()
    to.exports.shaBegin(number)
    this.#suspend(to)
  }

  #suspend(to: Core): void {
    to.exports.shaSuspend()
    this.#state.set(to.heap.subarray(to.io, to.io + STATE_BYTES))
  }

  #resume(): Core {
    const to = core()
    to.heap.set(this.#state, to.io)
    to.exports.shaResume()
    return to
  }

  update(data: Uint8Array): void {
    const missing = MAX_BLOCK_BYTES - this.#restBytes
    if (data.length < missing) {
      this.#rest.set(data, this.#restBytes)
      this.#restBytes += data.length
      return
    }
    const to = this.#resume()
    let at = 0
    if (this.#restBytes > 0) {
      this.#rest.set(data.subarray(0, missing), this.#restBytes)
      to.heap.set(this.#rest, to.io)
      to.exports.shaUpdate(this.#hash, MAX_BLOCK_BYTES)
      at = missing
    }
    while (data.length - at >= MAX_BLOCK_BYTES) {
      const length = Math.min(WINDOW_BYTES, data.length - at - ((data.length - at) % MAX_BLOCK_BYTES))
      to.heap.set(data.subarray(at, at + length), to.io)
      to.exports.shaUpdate(this.#hash, length)
      at += length
    }
    this.#rest.set(data.subarray(at))
    this.#restBytes = data.length - at
    this.#suspend(to)
  }

  /** Answers the digest; the object is spent. */
  digest(): Uint8Array<ArrayBuffer> {
    const to = this.#resume()
    to.heap.set(this.#rest.subarray(0, this.#restBytes), to.io)
    to.exports.shaEnd(this.#hash, this.#restBytes)
    return takeBytes(to, 0, this.#digestBytes)
  }
}

/** SHA-256 (FIPS 180-4 §6.2) of `data`, of any length: 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return digest('sha256', data)
}

/** SHA-384 (FIPS 180-4 §6.5) of `data`, of any length: 48 bytes. */
export function sha384(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return digest('sha384', data)
}

/** SHA-512 (FIPS 180-4 §6.4) of `data`, of any length: 64 bytes. */
export function sha512(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return digest('sha512', data)
}

/**
 * HMAC (RFC 2104) of `data` under `key`, both of any length.
 *
 * @returns 32, 48 or 64 bytes, as the hash has
 * @throws TypeError for an unknown hash or what is no `Uint8Array`
 */
export function hmac(hash: HashName, key: Uint8Array, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const { number, digestBytes } = lookUp(hash)
  assertBytes(key, 'key')
  assertBytes(data, 'data')
  // A key longer than a block is hashed first (RFC 2104 §2); here already if it is longer than a window.
  const shortKey = key.length > WINDOW_BYTES ? digest(hash, key) : key
  const to = core()
  to.heap.set(shortKey, to.io)
  to.exports.hmacBegin(number, shortKey.length)
  if (shortKey !== key) shortKey.fill(0)
  const rest = feed(to, number, data)
  to.exports.hmacEnd(number, rest)
  return takeDigest(to, digestBytes, data)
}

/** Options of {@link hkdf}. */
export interface HkdfOptions {
  /** Any length; absent or empty means zeros (RFC 5869 §2.2). */
  readonly salt?: Uint8Array
  /** Any length; binds the output to its use. */
  readonly info?: Uint8Array
  /** Bytes of output, 1 to 255 times the digest. */
  readonly length: number
}

/**
 * HKDF (RFC 5869), extract and expand, of the input keying material `ikm`, of any length.
 *
 * @throws RangeError if `length` is no integer from 1 to 255 digests; TypeError as {@link hmac}
 */
export function hkdf(hash: HashName, ikm: Uint8Array, options: HkdfOptions): Uint8Array<ArrayBuffer> {
  const { number, digestBytes } = lookUp(hash)
  const { salt = NOTHING, info = NOTHING, length } = options
  assertBytes(ikm, 'ikm')
  assertBytes(salt, 'salt')
  assertBytes(info, 'info')
  if (!Number.isInteger(length) || length < 1 || length > 255 * digestBytes) {
    throw new RangeError(`length must be 1 to ${String(255 * digestBytes)} bytes`)
  }
  const to = core()
  const half = to.out - to.io
  if (salt.length + ikm.length > half || 64 + info.length + MAX_BLOCK_BYTES > half) {
    return hkdfByParts(hash, ikm, salt, info, length)
  }
  to.heap.set(salt, to.io)
  to.heap.set(ikm, to.io + salt.length)
  to.heap.set(info, to.out + 64)
  to.exports.hkdf(number, salt.length, ikm.length, info.length, length)
  return takeBytes(to, 0, length)
}

/** HKDF over {@link hmac}, for inputs longer than the arena. */
function hkdfByParts(
  hash: HashName,
  ikm: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array<ArrayBuffer> {
  const prk = hmac(hash, salt, ikm)
  const okm = new Uint8Array(length)
  const block = new Uint8Array(prk.length + info.length + 1)
  block.set(info, prk.length)
  for (let at = 0, counter = 1; at < length; at += prk.length, counter++) {
    block[block.length - 1] = counter
    // T(1) has no T(0) in front of it (RFC 5869 §2.3).
    const t = hmac(hash, prk, counter === 1 ? block.subarray(prk.length) : block)
    okm.set(t.subarray(0, length - at), at)
    block.set(t)
    t.fill(0)
  }
  prk.fill(0)
  block.fill(0)
  return okm
}

/** Whether two values are equal, in time that depends on their lengths only. Different lengths are not equal. */
export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean {
  assertBytes(a, 'a')
  assertBytes(b, 'b')
  if (a.length !== b.length) return false
  const to = core()
  let isEqual = true
  for (let at = 0; at < a.length; at += WINDOW_BYTES) {
    const window = a.subarray(at, at + WINDOW_BYTES)
    to.heap.set(window, to.io)
    to.heap.set(b.subarray(at, at + WINDOW_BYTES), to.io + window.length)
    const same = Boolean(to.exports.equal(window.length))
    isEqual = isEqual && same
    to.exports.wipeArena(0, 2 * window.length)
  }
  return isEqual
}
