import type { KeyObject, SignKeyObjectInput } from 'node:crypto'
import {
  constants,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPair,
  getCurves,
  privateEncrypt,
  publicDecrypt,
  sign as signMessage,
  verify as verifyMessage,
} from 'node:crypto'
import { promisify } from 'node:util'
import { readPrivateKey, readPublicKey, type EncodedKey } from './key-encoding.ts'
import type { KeyPairs, KeyPairSpec, SignedMessage } from './key-pairs.ts'
import { SCHEMES, type Scheme } from './key-schemes.ts'
import { digestInfo, pssEncode, pssVerify } from './rsa-encoding.ts'

const CURVES = {
  ECC_NIST_P256: 'P-256',
  ECC_NIST_P384: 'P-384',
  ECC_NIST_P521: 'P-521',
  ECC_SECG_P256K1: 'secp256k1',
} as const

/** The names that OpenSSL has for them. */
const CURVE_NAMES = {
  ECC_NIST_P256: 'prime256v1',
  ECC_NIST_P384: 'secp384r1',
  ECC_NIST_P521: 'secp521r1',
  ECC_SECG_P256K1: 'secp256k1',
} as const

/** First byte of a point (SEC 1 §2.3.3). */
const UNCOMPRESSED = 4

/** The runtime's asymmetric keys; what node:crypto lacks is loaded when it is needed. */
export const keyPairs: KeyPairs = {
  generate: async (spec) => (await operations(spec === 'ECC_SECG_P256K1')).generate(spec),
  publicKeyOf: async (spec, encoded) => (await operations(spec === 'ECC_SECG_P256K1')).publicKeyOf(spec, encoded),
  sign: async (encoded, message) => (await operations(isSecp256k1(readPrivateKey, encoded))).sign(encoded, message),
  verify: async (encoded, message, signature) =>
    (await operations(isSecp256k1(readPublicKey, encoded))).verify(encoded, message, signature),
  agree: (encoded, peerEncoded) => native.agree(encoded, peerEncoded),
  mac: async (hash, key, message) => fresh(createHmac(hash, key).update(message).digest()),
}

type Operations = Omit<KeyPairs, 'mac'>

/** The node:crypto of Bun has not the curve secp256k1: there it is done as where there is no node:crypto. */
async function operations(isOnSecp256k1: boolean): Promise<Operations> {
  if (!isOnSecp256k1 || getCurves().includes('secp256k1')) return native
  return (await import('./key-operations.web.ts')).keyOperations
}

function isSecp256k1(read: (encoded: Uint8Array) => EncodedKey, encoded: Uint8Array): boolean {
  try {
    return read(encoded).kind === 'secp256k1'
  } catch {
    return false // the operation says what is wrong with it
  }
}

const native: Operations = {
  async generate(spec) {
    const { publicKey, privateKey } = await generateEncoded(spec)
    return { publicKey: fresh(publicKey), privateKey: fresh(privateKey) }
  },

  async publicKeyOf(spec, encoded) {
    try {
      // Encodings that other runtimes would not read are none here.
      readPrivateKey(encoded)
      const key = createPrivateKey({ key: view(encoded), format: 'der', type: 'pkcs8' })
      if (!isOfSpec(key, spec)) return undefined
      const publicKey = fresh(createPublicKey(key).export({ format: 'der', type: 'spki' }))
      return key.asymmetricKeyType !== 'ec' || readPublicKey(publicKey).key[0] === UNCOMPRESSED ? publicKey : undefined
    } catch {
      return undefined // not readable, or no secret of the curve
    }
  },

  async sign(encoded, message) {
    const key = readKey(() => createPrivateKey({ key: view(encoded), format: 'der', type: 'pkcs8' }))
    const [scheme, hash] = SCHEMES[message.algorithm]
    if (!message.isDigest && scheme !== 'ed25519ph') {
      const algorithm = scheme === 'ed25519' ? null : hash
      return fresh(await promisify(signMessage)(algorithm, message.bytes, options(scheme, key)))
    }
    switch (scheme) {
      case 'pkcs1': {
        const padded = { key, padding: constants.RSA_PKCS1_PADDING }
        return fresh(privateEncrypt(padded, digestInfo(hash, message.bytes)))
      }
      case 'pss': {
        const encodedMessage = pssEncode(hash, message.bytes, modulusBits(key) - 1)
        return fresh(privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, encodedMessage))
      }
      default: {
        const { signDigest } = await import('./curves.noble.ts')
        return signDigest(curveOf(key), secretOf(key), message.bytes)
      }
    }
  },

  async verify(encoded, message, signature) {
    const key = readKey(() => createPublicKey({ key: view(encoded), format: 'der', type: 'spki' }))
    const [scheme] = SCHEMES[message.algorithm]
    const isByCurve = message.isDigest ? scheme !== 'pkcs1' && scheme !== 'pss' : scheme === 'ed25519ph'
    // Loaded before anything is judged: code that could not be loaded says nothing of a signature.
    const curves = isByCurve ? await import('./curves.noble.ts') : undefined
    try {
      if (curves) return curves.verifyDigest(curveOf(key), pointOf(key), message.bytes, signature)
      return await verifyWith(key, message, signature)
    } catch {
      return false // not in the form of a signature
    }
  },

  async agree(encoded, peerEncoded) {
    const privateKey = readKey(() => createPrivateKey({ key: view(encoded), format: 'der', type: 'pkcs8' }))
    try {
      const publicKey = createPublicKey({ key: view(peerEncoded), format: 'der', type: 'spki' })
      if (publicKey.asymmetricKeyType !== 'ec' || curveOf(publicKey) !== curveOf(privateKey)) return undefined
      return fresh(diffieHellman({ privateKey, publicKey }))
    } catch {
      return undefined // no key, or no point of the curve
    }
  },
}

/** What node:crypto verifies itself: whole messages, and digests under RSA. */
async function verifyWith(key: KeyObject, message: SignedMessage, signature: Uint8Array): Promise<boolean> {
  const [scheme, hash] = SCHEMES[message.algorithm]
  const isRsa = scheme === 'pss' || scheme === 'pkcs1'
  // RFC 8017 §8.1.2 and §8.2.2, step 1: OpenSSL takes a signature without its leading zero bytes too.
  if (isRsa && signature.length !== Math.ceil(modulusBits(key) / 8)) return false
  if (!message.isDigest) {
    const algorithm = scheme === 'ed25519' ? null : hash
    return promisify(verifyMessage)(algorithm, message.bytes, options(scheme, key), signature)
  }
  if (scheme === 'pkcs1') {
    const opened = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature)
    return opened.equals(digestInfo(hash, message.bytes))
  }
  const opened = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature)
  return pssVerify(hash, message.bytes, opened, modulusBits(key) - 1)
}

type Generated = (error: Error | null, publicKey: Buffer, privateKey: Buffer) => void

const ENCODINGS = {
  publicKeyEncoding: { format: 'der', type: 'spki' },
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
} as const

function generateEncoded(spec: KeyPairSpec): Promise<{ publicKey: Buffer; privateKey: Buffer }> {
  return new Promise((resolve, reject) => {
    const done: Generated = (error, publicKey, privateKey) => {
      if (error) reject(error)
      else resolve({ publicKey, privateKey })
    }
    switch (spec) {
      case 'RSA_2048':
      case 'RSA_3072':
      case 'RSA_4096':
        generateKeyPair('rsa', { modulusLength: Number(spec.slice('RSA_'.length)), ...ENCODINGS }, done)
        return
      case 'ECC_NIST_EDWARDS25519':
        generateKeyPair('ed25519', ENCODINGS, done)
        return
      default:
        generateKeyPair('ec', { namedCurve: CURVES[spec], ...ENCODINGS }, done)
    }
  })
}

function isOfSpec(key: KeyObject, spec: KeyPairSpec): boolean {
  switch (spec) {
    case 'RSA_2048':
    case 'RSA_3072':
    case 'RSA_4096':
      return key.asymmetricKeyType === 'rsa' && modulusBits(key) === Number(spec.slice('RSA_'.length))
    case 'ECC_NIST_EDWARDS25519':
      return key.asymmetricKeyType === 'ed25519'
    default:
      return key.asymmetricKeyType === 'ec' && curveOf(key) === CURVE_NAMES[spec]
  }
}

function options(scheme: Scheme, key: KeyObject): SignKeyObjectInput {
  if (scheme !== 'pss') return { key, dsaEncoding: 'der' }
  return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
}

function readKey(read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch {
    // No cause: it could quote the key.
    throw new TypeError('not a readable key')
  }
}

function modulusBits(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}

/** The name of the curve, as node:crypto and JSON Web Keys have it. */
function curveOf(key: KeyObject): string {
  return key.asymmetricKeyType === 'ed25519' ? 'Ed25519' : (key.asymmetricKeyDetails?.namedCurve ?? '')
}

/** The secret scalar, or the seed of Ed25519, as the standards write it. */
function secretOf(key: KeyObject): Uint8Array {
  return Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url')
}

/** The uncompressed point (SEC 1 §2.3.3), or the 32 bytes of Ed25519. */
function pointOf(key: KeyObject): Uint8Array {
  const { x = '', y } = key.export({ format: 'jwk' })
  if (y === undefined) return Buffer.from(x, 'base64url')
  return Buffer.concat([Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Copies out of the Buffer, which may hold a secret, and wipes it. */
function fresh(buffer: Buffer): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(buffer)
  buffer.fill(0)
  return bytes
}
