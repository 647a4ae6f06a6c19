import type { KeyObject } from 'node:crypto'
import {
  constants,
  createHash,
  createPublicKey,
  createSign,
  createVerify,
  generateKeyPairSync,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto'
import type {
  Ecdsa,
  EcdsaCurve,
  EcdsaSigner,
  EcdsaSigningKey,
  EcdsaVerificationKey,
  EcdsaVerifier,
  MaybePromise,
  OaepHash,
  RsaAbilities,
  RsaEncryptionScheme,
  RsaKeyInput,
  RsaPrivateKey,
  RsaPublicKey,
} from './asymmetric.ts'
import { readKey } from './key-input.node.ts'

export { ecdhAbilities, ecdhPrivateKey, ecdhPublicKey, generateEcdhKey } from './ecdh.node.ts'

/** SubjectPublicKeyInfo (RFC 5480 §2) up to the point, for a compressed point of the curve. */
const CURVES = {
  'P-256': {
    hash: 'sha256',
    pointBytes: 33,
    spkiPrefix: '3039301306072a8648ce3d020106082a8648ce3d030107032200',
  },
  'P-384': {
    hash: 'sha384',
    pointBytes: 49,
    spkiPrefix: '3046301006072a8648ce3d020106052b81040022033200',
  },
} as const

const MIN_RSA_BITS = 2048

/** The runtime's ECDSA: here at once on Node. */
export function ecdsa(): MaybePromise<Ecdsa> {
  return ECDSA
}

const ECDSA: Ecdsa = { generateKey: generateEcdsaKey, importPublicKey: importEcdsaPublicKey }

function generateEcdsaKey(curve: EcdsaCurve): EcdsaSigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
  return {
    // Not as JWK: on Node 20 that can deadlock with the garbage collection of the key's generator (tried).
    publicKey: compressPoint(publicKey.export({ format: 'der', type: 'spki' }), CURVES[curve].pointBytes - 1),
    createSigner: (): EcdsaSigner => {
      const sign = createSign(CURVES[curve].hash)
      return {
        update: (data) => void sign.update(data),
        sign: () => new Uint8Array(sign.sign(privateKey)),
      }
    },
  }
}

/** SEC 1 §2.3.3: 02 or 03 by the parity of y, then x; the encoding ends in x ‖ y (RFC 5480 §2.2). */
function compressPoint(spki: Uint8Array, fieldBytes: number): Uint8Array<ArrayBuffer> {
  const isOdd = ((spki[spki.length - 1] ?? 0) & 1) === 1
  const x = spki.subarray(spki.length - 2 * fieldBytes, spki.length - fieldBytes)
  return new Uint8Array([isOdd ? 0x03 : 0x02, ...x])
}

function importEcdsaPublicKey(curve: EcdsaCurve, point: Uint8Array): EcdsaVerificationKey | undefined {
  const { hash, pointBytes, spkiPrefix } = CURVES[curve]
  if (point.length !== pointBytes || (point[0] !== 0x02 && point[0] !== 0x03)) return undefined
  const key = publicKeyOrUndefined(Buffer.concat([Buffer.from(spkiPrefix, 'hex'), point]))
  if (key === undefined) return undefined
  return {
    createVerifier: (): EcdsaVerifier => {
      const verify = createVerify(hash)
      return {
        update: (data) => void verify.update(data),
        verify: (signature) => verifies(() => verify.verify(key, signature)),
      }
    },
  }
}

function publicKeyOrUndefined(spki: Buffer): KeyObject | undefined {
  try {
    return createPublicKey({ key: spki, format: 'der', type: 'spki' })
  } catch {
    return undefined // x is not the coordinate of a point
  }
}

function verifies(check: () => boolean): boolean {
  try {
    return check()
  } catch {
    return false // the signature is not DER
  }
}

export const rsaAbilities: RsaAbilities = { isSynchronous: true, hasPkcs1: true, mayDropZeros: false }

/** Reads an RSA public key. Throws TypeError when it is none, RangeError below 2,048 bits. */
export function rsaPublicKey(input: RsaKeyInput): RsaPublicKey {
  const key = readRsaKey(input, 'public')
  return {
    modulusBits: modulusBits(key),
    encrypt: (scheme, data) => toFreshBytes(publicEncrypt({ key, ...paddingOf(scheme) }, data)),
  }
}

/** Reads an RSA private key. Throws TypeError when it is none, RangeError below 2,048 bits. */
export function rsaPrivateKey(input: RsaKeyInput): RsaPrivateKey {
  const key = readRsaKey(input, 'private')
  const encoded = key.export({ format: 'der', type: 'pkcs8' })
  const rejectionKey = new Uint8Array(createHash('sha256').update(encoded).digest())
  encoded.fill(0)
  return {
    modulusBits: modulusBits(key),
    rejectionKey,
    decryptOaep: (hash, ciphertext) => decryptOrUndefined({ key, ...paddingOf(hash) }, ciphertext),
    decryptRaw: (ciphertext) => decryptOrUndefined({ key, padding: constants.RSA_NO_PADDING }, ciphertext),
  }
}

function paddingOf(scheme: RsaEncryptionScheme): { padding: number; oaepHash?: OaepHash } {
  if (scheme === 'pkcs1') return { padding: constants.RSA_PKCS1_PADDING }
  return { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: scheme }
}

function decryptOrUndefined(
  key: Parameters<typeof privateDecrypt>[0],
  ciphertext: Uint8Array,
): Uint8Array<ArrayBuffer> | undefined {
  try {
    return toFreshBytes(privateDecrypt(key, ciphertext))
  } catch {
    return undefined
  }
}

/** Copies out of the Buffer, which holds a secret on decryption, and wipes it. */
function toFreshBytes(buffer: Buffer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(buffer)
  buffer.fill(0)
  return bytes
}

function readRsaKey(input: RsaKeyInput, type: 'public' | 'private'): KeyObject {
  const key = readKey(input, { name: `${type}Key`, algorithm: 'RSA', type })
  if (modulusBits(key) < MIN_RSA_BITS) throw new RangeError(`${type}Key must have at least ${MIN_RSA_BITS} bits`)
  return key
}

function modulusBits(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}
