import { timingSafeEqual } from './hash.ts'
import { toInteger, toOctets } from './key-encoding.ts'
import { digestInfo, pssEncode, pssVerify, type RsaHash } from './rsa-encoding.ts'

// RSA signatures of a digest where the runtime signs whole messages only, which is so in WebCrypto: the encodings and
// the arithmetic are done here, in big integers. Those are not constant-time; base and exponents are blinded, so that
// what takes time is unrelated to key and message. In a file of its own, loaded when it is needed.

/** RSAPublicKey (RFC 8017 appendix A.1.1). */
export interface RsaPublicIntegers {
  readonly n: bigint
  readonly e: bigint
}

/** RSAPrivateKey (RFC 8017 appendix A.1.2), but for d. */
export interface RsaPrivateIntegers extends RsaPublicIntegers {
  readonly p: bigint
  readonly q: bigint
  readonly dP: bigint
  readonly dQ: bigint
  readonly qInv: bigint
}

/** Random bytes of the factor by which p − 1, or q − 1, is added to an exponent. */
const BLINDING_BYTES = 16
/** Bits of an exponent that are worked on at once. */
const WINDOW_BITS = 4n

export type RsaScheme = 'pss' | 'pkcs1'

/** RSASSA-PSS-SIGN or RSASSA-PKCS1-V1_5-SIGN (RFC 8017 §8.1.1, §8.2.1) from the digest on. */
export function signRsaDigest(
  scheme: RsaScheme,
  hash: RsaHash,
  key: RsaPrivateIntegers,
  digest: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const length = octetsOf(key.n)
  const encoded = scheme === 'pss' ? pssEncode(hash, digest, bitsOf(key.n) - 1) : pkcs1Encode(hash, digest, length)
  return toOctets(privateOperation(key, toInteger(encoded)), length)
}

/** RSASSA-PSS-VERIFY or RSASSA-PKCS1-V1_5-VERIFY (RFC 8017 §8.1.2, §8.2.2) from the digest on. */
export function verifyRsaDigest(
  scheme: RsaScheme,
  hash: RsaHash,
  { n, e }: RsaPublicIntegers,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const length = octetsOf(n)
  const value = toInteger(signature)
  // RSAVP1 (§5.2.2): a representative out of range is none.
  if (signature.length !== length || value >= n) return false
  const opened = toOctets(power(value, e, n), length)
  if (scheme === 'pss') return pssVerify(hash, digest, opened, bitsOf(n) - 1)
  return timingSafeEqual(opened, pkcs1Encode(hash, digest, length))
}

/** EMSA-PKCS1-v1_5 (RFC 8017 §9.2). */
function pkcs1Encode(hash: RsaHash, digest: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const info = digestInfo(hash, digest)
  const encoded = new Uint8Array(length).fill(0xff)
  encoded.set([0x00, 0x01])
  encoded.set(info, length - info.length)
  encoded[length - info.length - 1] = 0x00
  return encoded
}

/**
 * RSASP1 by the Chinese remainder theorem (RFC 8017 §5.2.1, 2.b), blinded. What a fault spoilt is not handed out: it
 * would give the primes away.
 */
function privateOperation({ n, e, p, q, dP, dQ, qInv }: RsaPrivateIntegers, message: bigint): bigint {
  const blind = randomBelow(n)
  const blinded = (message * power(blind, e, n)) % n
  const first = power(blinded % p, dP + randomInteger(BLINDING_BYTES) * (p - 1n), p)
  const second = power(blinded % q, dQ + randomInteger(BLINDING_BYTES) * (q - 1n), q)
  const h = ((((first - second) % p) + p) * qInv) % p
  const signature = ((second + q * h) * inverse(blind, n)) % n
  if (power(signature, e, n) !== message) throw new TypeError('not a readable key')
  return signature
}

/** Fixed windows from the top: what is done depends on the length of the exponent alone. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  const powers = [1n]
  while (powers.length < 1 << Number(WINDOW_BITS)) powers.push((powers[powers.length - 1]! * base) % modulus)
  const digits = exponent.toString(1 << Number(WINDOW_BITS))
  let result = 1n
  for (const digit of digits) {
    for (let i = 0n; i < WINDOW_BITS; i++) result = (result * result) % modulus
    result = (result * powers[parseInt(digit, 16)]!) % modulus
  }
  return result
}

/** Euclid's extended algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b] = [value, modulus]
  let [x, y] = [1n, 0n]
  while (b !== 0n) {
    const quotient = a / b
    ;[a, b] = [b, a - quotient * b]
    ;[x, y] = [y, x - quotient * y]
  }
  return ((x % modulus) + modulus) % modulus
}

/** From 1 up to the modulus, and evenly but for a part in 2^128. */
function randomBelow(modulus: bigint): bigint {
  return (randomInteger(octetsOf(modulus) + BLINDING_BYTES) % (modulus - 1n)) + 1n
}

function randomInteger(length: number): bigint {
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(length))
  const value = toInteger(bytes)
  bytes.fill(0)
  return value
}

function bitsOf(modulus: bigint): number {
  return modulus.toString(2).length
}

function octetsOf(modulus: bigint): number {
  return Math.ceil(bitsOf(modulus) / 8)
}
