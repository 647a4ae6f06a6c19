import type { CryptoKeyLike, KeyInput, KeyObjectLike } from './asymmetric.ts'
import { UnsupportedError } from './errors.ts'

/** What a caller's key must be, and what it is called in errors. */
export interface KeyDescription {
  readonly name: string
  readonly algorithm: 'RSA' | 'EC'
  readonly type: 'public' | 'private'
}

const FORMS = {
  public: { format: 'spki', label: 'PUBLIC KEY', name: 'SubjectPublicKeyInfo' },
  private: { format: 'pkcs8', label: 'PRIVATE KEY', name: 'PKCS #8' },
} as const

export function subtle(): SubtleCrypto {
  const crypto = globalThis.crypto as Partial<Crypto> | undefined
  if (crypto?.subtle !== undefined) return crypto.subtle
  throw new UnsupportedError('this page has no crypto.subtle: serve it over https, or from localhost')
}

/**
 * A private copy of the encoding of a caller's key, or the `CryptoKey` that he gave, whose algorithm is his caller's to
 * check. Throws TypeError when it is no key of this type.
 *
 * @param check throws when the encoding is not one of the algorithm: its TypeError is passed on
 */
export function readKey(
  input: KeyInput,
  description: KeyDescription,
  check: (encoded: Uint8Array) => unknown,
): Uint8Array<ArrayBuffer> | CryptoKey {
  if (typeof input === 'string') return checked(decodePem(input, description), description, check)
  if (input instanceof Uint8Array) return checked(new Uint8Array(input), description, check)
  if (isCryptoKey(input)) {
    if (input.type !== description.type) throw anotherKey(description)
    return input as CryptoKey
  }
  if (typeof (input as Partial<KeyObjectLike> | null)?.type === 'string' && 'export' in input) {
    return checked(readKeyObject(input, description), description, check)
  }
  throw new TypeError(`${description.name} must be a PEM string, DER bytes, a CryptoKey or a KeyObject`)
}

export function anotherKey({ name, algorithm, type }: KeyDescription): TypeError {
  return new TypeError(`${name} must be an ${algorithm} ${type} key`)
}

/** No cause: it could quote the key. */
export function unreadable({ name, type }: KeyDescription): TypeError {
  return new TypeError(`${name} is not a readable ${type} key: give ${FORMS[type].name}, as PEM or DER`)
}

function checked(
  encoded: Uint8Array<ArrayBuffer>,
  description: KeyDescription,
  check: (encoded: Uint8Array) => unknown,
): Uint8Array<ArrayBuffer> {
  try {
    check(encoded)
    return encoded
  } catch (error) {
    encoded.fill(0)
    throw error instanceof TypeError ? error : unreadable(description)
  }
}

/** Of the runtimes without native node:crypto Deno and Workers know its keys. */
function readKeyObject(key: KeyObjectLike, description: KeyDescription): Uint8Array<ArrayBuffer> {
  if (key.type !== description.type) throw anotherKey(description)
  const encoded = key.export({ format: 'der', type: FORMS[description.type].format })
  if (!(encoded instanceof Uint8Array)) throw unreadable(description)
  const copy = new Uint8Array(encoded)
  encoded.fill(0)
  return copy
}

/** The text between the lines of RFC 7468 §2; explanatory text may stand around them. */
function decodePem(text: string, description: KeyDescription): Uint8Array<ArrayBuffer> {
  const { name, type } = description
  const { label } = FORMS[type]
  // Not to be taken for the public key that can be derived from it: a secret where none belongs.
  if (type === 'public' && text.includes('PRIVATE KEY-----')) throw new TypeError(`${name} is a private key`)
  const begin = `-----BEGIN ${label}-----`
  const start = text.indexOf(begin)
  const end = text.indexOf(`-----END ${label}-----`, start)
  if (start < 0 || end < 0) throw unreadable(description)
  try {
    return Uint8Array.from(atob(text.slice(start + begin.length, end)), (character) => character.charCodeAt(0))
  } catch {
    throw unreadable(description)
  }
}

function isCryptoKey(input: CryptoKeyLike | KeyObjectLike): input is CryptoKeyLike {
  return (input as { readonly [Symbol.toStringTag]?: unknown } | null)?.[Symbol.toStringTag] === 'CryptoKey'
}
