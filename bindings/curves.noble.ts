import { ed25519, ed25519ph } from '@noble/curves/ed25519.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'

// What neither node:crypto nor WebCrypto offers: signatures over a digest that somebody else made, and where there is
// no node:crypto also secp256k1 and what else a runtime lacks. In a file of its own, which is loaded when it is needed.

const ECDSA = {
  'P-256': p256,
  prime256v1: p256,
  'P-384': p384,
  secp384r1: p384,
  'P-521': p521,
  secp521r1: p521,
  secp256k1,
}

/** As it stands: no hashing, DER, and either of the two values of s, as others make and take them. */
const OPTIONS = { prehash: false, format: 'der', lowS: false } as const

function ecdsaOf(curve: string): typeof p256 {
  const found = Object.hasOwn(ECDSA, curve) ? ECDSA[curve as keyof typeof ECDSA] : undefined
  if (!found) throw new TypeError('not a curve for signatures')
  return found
}

/** ECDSA (FIPS 186-5 §6.4) over a digest, or Ed25519ph (RFC 8032 §5.1) with the digest as its message. Wipes `secret`. */
export function signDigest(curve: string, secret: Uint8Array, digest: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(
      curve === 'Ed25519' ? ed25519ph.sign(digest, secret) : ecdsaOf(curve).sign(digest, secret, OPTIONS),
    )
  } finally {
    secret.fill(0)
  }
}

export function verifyDigest(curve: string, point: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  if (curve === 'Ed25519') return ed25519ph.verify(signature, digest, point)
  return ecdsaOf(curve).verify(signature, digest, point, OPTIONS)
}

/** The uncompressed point of a secret scalar, or the 32 bytes of a seed of Ed25519. Throws for what is none. */
export function pointOf(curve: string, secret: Uint8Array): Uint8Array {
  return curve === 'Ed25519' ? ed25519.getPublicKey(secret) : ecdsaOf(curve).getPublicKey(secret, false)
}

/** A new secret scalar, or seed, with its uncompressed point, or the 32 bytes of Ed25519. The caller wipes `secret`. */
export function generateCurveKey(curve: string): { readonly secret: Uint8Array; readonly point: Uint8Array } {
  if (curve === 'Ed25519') {
    const { secretKey, publicKey } = ed25519.keygen()
    return { secret: secretKey, point: publicKey }
  }
  const secret = ecdsaOf(curve).utils.randomSecretKey()
  return { secret, point: ecdsaOf(curve).getPublicKey(secret, false) }
}

/** Ed25519 (RFC 8032 §5.1.6). Wipes `seed`. */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(ed25519.sign(message, seed))
  } finally {
    seed.fill(0)
  }
}

/** RFC 8032 §5.1.7, without the cofactor and with canonical points alone, as node:crypto has it. */
export function verifyEd25519(point: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return ed25519.verify(signature, message, point, { zip215: false })
}

/** The x coordinate of the shared point (SP 800-56A §5.7.1.2). Wipes `secret`. @throws for what is no point of the curve */
export function sharedSecret(curve: string, secret: Uint8Array, point: Uint8Array): Uint8Array<ArrayBuffer> {
  try {
    const shared = ecdsaOf(curve).getSharedSecret(secret, point, true)
    const x = shared.slice(1)
    shared.fill(0)
    return new Uint8Array(x)
  } finally {
    secret.fill(0)
  }
}
