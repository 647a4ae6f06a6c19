import { aesGcm, aesKw, aesKwp, hkdf, hmac, sha256, sha384, sha512, type HashName, type KeyWrap } from 'waxseal/core'
import { fromHex, toHex } from './bytes.ts'
import { equal, isFresh, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import type { Case } from './runtime.ts'

export interface GcmCase {
  readonly source: string
  readonly key: string
  readonly iv: string
  readonly aad: string
  /** null: authentication fails */
  readonly plaintext: string | null
  readonly ciphertext: string
  readonly tag: string
}

export interface HashCase {
  readonly source: string
  readonly hash: HashName
  readonly message: string
  readonly repeat: number
  readonly digest: string
}

export interface HmacCase {
  readonly source: string
  readonly hash: HashName
  readonly key: string
  readonly message: string
  /** perhaps truncated */
  readonly mac: string
}

export interface HkdfCase {
  readonly source: string
  readonly hash: HashName
  readonly ikm: string
  readonly salt: string
  readonly info: string
  readonly length: number
  /** null: refused for its length */
  readonly okm: string | null
}

export interface WrapCase {
  readonly source: string
  readonly key: string
  /** null: unwrapping fails */
  readonly plaintext: string | null
  readonly ciphertext: string
}

/** Published vectors of the core, a list for each algorithm; all bytes in hexadecimal. */
export interface CoreVectors {
  readonly gcm: readonly GcmCase[]
  readonly sha2: readonly HashCase[]
  readonly hmac: readonly HmacCase[]
  readonly hkdf: readonly HkdfCase[]
  readonly kw: readonly WrapCase[]
  readonly kwp: readonly WrapCase[]
}

const DIGESTS: Readonly<Record<HashName, (data: Uint8Array) => Uint8Array>> = { sha256, sha384, sha512 }
const IV_DIGITS = 24

/** Bytes of a result that must be its own, in hexadecimal. */
function freshHex(bytes: Uint8Array): string {
  isFresh(bytes, 'the result')
  return toHex(bytes)
}

function checkGcm({ key, iv, aad, plaintext, ciphertext, tag }: GcmCase): void {
  const cipher = aesGcm(fromHex(key))
  const open = (): Uint8Array => cipher.decrypt(fromHex(iv), fromHex(ciphertext + tag), fromHex(aad))
  if (iv.length !== IV_DIGITS) {
    throws(open, EXPECTED.range, 'decrypt')
    throws(() => cipher.encrypt(fromHex(iv), fromHex(plaintext ?? ''), fromHex(aad)), EXPECTED.range, 'encrypt')
  } else if (plaintext === null) {
    throws(open, EXPECTED.authentication, 'decrypt')
  } else {
    equal(freshHex(open()), plaintext, 'the plaintext')
    equal(freshHex(cipher.encrypt(fromHex(iv), fromHex(plaintext), fromHex(aad))), ciphertext + tag, 'the ciphertext')
  }
  cipher.dispose()
}

function checkHash({ hash, message, repeat, digest }: HashCase): void {
  equal(freshHex(DIGESTS[hash](fromHex(message.repeat(repeat)))), digest, 'the digest')
}

function checkHmac({ hash, key, message, mac }: HmacCase): void {
  equal(freshHex(hmac(hash, fromHex(key), fromHex(message))).slice(0, mac.length), mac, 'the MAC')
}

function checkHkdf({ hash, ikm, salt, info, length, okm }: HkdfCase): void {
  const derive = (): Uint8Array => hkdf(hash, fromHex(ikm), { salt: fromHex(salt), info: fromHex(info), length })
  if (okm === null) throws(derive, EXPECTED.range, 'hkdf')
  else equal(freshHex(derive()), okm, 'the key')
}

function checkWrap(keyWrap: (key: Uint8Array) => KeyWrap, { key, plaintext, ciphertext }: WrapCase): void {
  const wrapping = keyWrap(fromHex(key))
  if (plaintext === null) {
    throws(() => wrapping.unwrap(fromHex(ciphertext)), EXPECTED.authentication, 'unwrap')
    return
  }
  equal(freshHex(wrapping.wrap(fromHex(plaintext))), ciphertext, 'the wrapped key')
  equal(freshHex(wrapping.unwrap(fromHex(ciphertext))), plaintext, 'the key')
}

function casesOf<T extends { readonly source: string }>(
  algorithm: string,
  list: readonly T[],
  check: (vector: T) => void,
): readonly Case[] {
  return list.map((vector) => ({
    name: `${algorithm}, ${vector.source}`,
    run: () => {
      check(vector)
    },
  }))
}

/** The core against published vectors. */
export function coreVectorCases(vectors: CoreVectors): readonly Case[] {
  return [
    ...casesOf('AES-GCM', vectors.gcm, checkGcm),
    ...casesOf('SHA-2', vectors.sha2, checkHash),
    ...casesOf('HMAC', vectors.hmac, checkHmac),
    ...casesOf('HKDF', vectors.hkdf, checkHkdf),
    ...casesOf('AES-KW', vectors.kw, (vector) => checkWrap(aesKw, vector)),
    ...casesOf('AES-KWP', vectors.kwp, (vector) => checkWrap(aesKwp, vector)),
  ]
}
