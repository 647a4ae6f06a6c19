import { ecdsa as makeEcdsa, weierstrass, type ECDSA } from '@noble/curves/abstract/weierstrass.js'
import type {
  Ecdsa,
  EcdsaCurve,
  EcdsaSigner,
  EcdsaSigningKey,
  EcdsaVerificationKey,
  EcdsaVerifier,
} from './asymmetric.ts'
import { Digest, hmac, sha256, sha384 } from './hash.ts'

// WebCrypto signs whole messages only, knows no DER, and in WebKit no compressed points. This is in a file of its own,
// which is loaded when a message is signed.

/** Domain parameters of SP 800-186 §3.2.1.3 and §3.2.1.4. */
const CURVES = {
  'P-256': {
    hash: 'sha256',
    digest: sha256,
    blockBytes: 64,
    pointBytes: 33,
    p: 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff',
    n: 'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    b: '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
    x: '6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296',
    y: '4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5',
  },
  'P-384': {
    hash: 'sha384',
    digest: sha384,
    blockBytes: 128,
    pointBytes: 49,
    p: 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff',
    n: 'ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973',
    b: 'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
    x: 'aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7',
    y: '3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f',
  },
} as const

const made = new Map<EcdsaCurve, ECDSA>()

/** The curve, made at its first use: nothing is computed or drawn when this module is loaded. */
function curveOf(name: EcdsaCurve): ECDSA {
  const known = made.get(name)
  if (known !== undefined) return known
  const { hash, digest, blockBytes, p, n, b, x, y } = CURVES[name]
  const prime = BigInt(`0x${p}`)
  const point = weierstrass({
    p: prime,
    n: BigInt(`0x${n}`),
    h: 1n,
    a: prime - 3n,
    b: BigInt(`0x${b}`),
    Gx: BigInt(`0x${x}`),
    Gy: BigInt(`0x${y}`),
  })
  const outputLen = digest(new Uint8Array(0)).length
  const create = (): never => {
    throw new TypeError('messages are hashed before they are signed')
  }
  const description = { outputLen, blockLen: blockBytes, create, canXOF: false }
  const curve = makeEcdsa(
    point,
    Object.assign((data: Uint8Array) => digest(data), description),
    {
      hmac: (key: Uint8Array, message: Uint8Array) => hmac(hash, key, message),
      // FIPS 186-5 asks for no low s, and other writers do not make it.
      lowS: false,
    },
  )
  made.set(name, curve)
  return curve
}

/** ECDSA by @noble/curves over the core's digests. Big integers in JavaScript are not constant-time. */
export const ECDSA_BY_NOBLE: Ecdsa = { generateKey, importPublicKey }

function generateKey(name: EcdsaCurve): EcdsaSigningKey {
  const curve = curveOf(name)
  const { secretKey, publicKey } = curve.keygen()
  return {
    publicKey,
    createSigner: (): EcdsaSigner => {
      const digest = new Digest(CURVES[name].hash)
      return {
        update: (data) => {
          digest.update(data)
        },
        // RFC 6979 with extra entropy: neither a weak generator nor a fault alone repeats a nonce.
        sign: () =>
          new Uint8Array(curve.sign(digest.digest(), secretKey, { prehash: false, format: 'der', extraEntropy: true })),
      }
    },
  }
}

function importPublicKey(name: EcdsaCurve, point: Uint8Array): EcdsaVerificationKey | undefined {
  const curve = curveOf(name)
  const copy = new Uint8Array(point)
  if (copy.length !== CURVES[name].pointBytes || !curve.utils.isValidPublicKey(copy, true)) return undefined
  return {
    createVerifier: (): EcdsaVerifier => {
      const digest = new Digest(CURVES[name].hash)
      return {
        update: (data) => {
          digest.update(data)
        },
        verify: (signature) => verifies(curve, signature, digest.digest(), copy),
      }
    },
  }
}

function verifies(curve: ECDSA, signature: Uint8Array, digest: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    return curve.verify(signature, digest, publicKey, { prehash: false, format: 'der' })
  } catch {
    return false // the signature is not DER
  }
}
