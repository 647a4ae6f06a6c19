import type { KeyObject } from 'node:crypto'
import { createPrivateKey, createPublicKey, KeyObject as KeyObjectClass } from 'node:crypto'
import type { CryptoKeyLike, KeyInput, KeyObjectLike } from './asymmetric.ts'

/** What a caller's key must be, and what it is called in errors. */
export interface KeyDescription {
  readonly name: string
  readonly algorithm: 'RSA' | 'EC'
  readonly type: 'public' | 'private'
}

/** Reads a caller's key. Throws TypeError when it is not as described. */
export function readKey(input: KeyInput, description: KeyDescription): KeyObject {
  const key = toKeyObject(input, description)
  if (key.type !== description.type || key.asymmetricKeyType !== description.algorithm.toLowerCase()) {
    throw anotherKey(description)
  }
  return key
}

function anotherKey({ name, algorithm, type }: KeyDescription): TypeError {
  return new TypeError(`${name} must be an ${algorithm} ${type} key`)
}

function toKeyObject(input: KeyInput, description: KeyDescription): KeyObject {
  if (typeof input === 'string' || input instanceof Uint8Array) return parseKey(input, description)
  if (input instanceof KeyObjectClass) return ownCopy(input, description)
  if (isCryptoKey(input)) {
    return ownCopy(KeyObjectClass.from(input as Parameters<typeof KeyObjectClass.from>[0]), description)
  }
  throw new TypeError(`${description.name} must be a PEM string, DER bytes, a CryptoKey or a KeyObject`)
}

/** A key just generated shares a lock with its generator, whose garbage collection can deadlock on Node 20. */
function ownCopy(key: KeyObject, description: KeyDescription): KeyObject {
  if (key.type !== description.type) throw anotherKey(description)
  const encoded = key.export({ format: 'der', type: key.type === 'public' ? 'spki' : 'pkcs8' }) as Buffer
  try {
    return parseKey(encoded, description)
  } finally {
    encoded.fill(0)
  }
}

function parseKey(input: string | Uint8Array, { name, type }: KeyDescription): KeyObject {
  // createPublicKey would take a private key and derive the public one: a secret where none belongs.
  if (type === 'public' && typeof input === 'string' && input.includes('PRIVATE KEY-----')) {
    throw new TypeError(`${name} is a private key`)
  }
  const key = typeof input === 'string' ? input : Buffer.from(input.buffer, input.byteOffset, input.byteLength)
  const format = typeof input === 'string' ? 'pem' : 'der'
  try {
    return type === 'public'
      ? createPublicKey({ key, format, type: 'spki' })
      : createPrivateKey({ key, format, type: 'pkcs8' })
  } catch {
    // No cause: it could quote the key.
    const form = type === 'public' ? 'SubjectPublicKeyInfo' : 'PKCS #8'
    throw new TypeError(`${name} is not a readable ${type} key: give ${form}, as PEM or DER`)
  }
}

function isCryptoKey(input: CryptoKeyLike | KeyObjectLike): boolean {
  return (input as { readonly [Symbol.toStringTag]?: unknown } | null | undefined)?.[Symbol.toStringTag] === 'CryptoKey'
}
