import { copyBytes } from './bytes.ts'
import { spkiModulusBits } from './der.ts'
import { uncompress } from './ec-point.ts'
import { UnsupportedError } from './errors.ts'
import { sha256, sha384, sha512 } from './hash.ts'
import {
  encodePrivateKey,
  encodePublicKey,
  readPrivateKey,
  readPublicKey,
  rsaIntegers,
  rsaPublicKeyOf,
  secretOf,
  signatureFromDer,
  signatureToDer,
  type EncodedKey,
  type SigningCurve,
} from './key-encoding.ts'
import { subtle } from './key-input.web.ts'
import type { KeyPair, KeyPairs, KeyPairSpec, SignedMessage } from './key-pairs.ts'
import { SCHEMES, type Scheme } from './key-schemes.ts'
import type { RsaPrivateIntegers, RsaPublicIntegers } from './rsa-digest.ts'
import type { RsaHash } from './rsa-encoding.ts'

// Asymmetric keys by WebCrypto (and secp256k1 on Bun), and by @noble/curves and big integers where a runtime's has not
// what is asked for. In a file of its own, which is loaded when the first key is used.

/** The curves of WebCrypto (some lack P-521), with the length of a coordinate. */
const NIST_BYTES = { 'P-256': 32, 'P-384': 48, 'P-521': 66 } as const
type NistCurve = keyof typeof NIST_BYTES

const CURVES: Readonly<Partial<Record<KeyPairSpec, SigningCurve>>> = {
  ECC_NIST_P256: 'P-256',
  ECC_NIST_P384: 'P-384',
  ECC_NIST_P521: 'P-521',
  ECC_SECG_P256K1: 'secp256k1',
  ECC_NIST_EDWARDS25519: 'Ed25519',
}

const DIGESTS = { sha256, sha384, sha512 }
const PUBLIC_EXPONENT = Uint8Array.of(1, 0, 1)

function hashName(hash: RsaHash): string {
  return `SHA-${hash.slice('sha'.length)}`
}

/** All of {@link KeyPairs} that takes more than a MAC. */
export const keyOperations: Omit<KeyPairs, 'mac'> = { generate, publicKeyOf, sign, verify, agree }

async function generate(spec: KeyPairSpec): Promise<KeyPair> {
  const curve = CURVES[spec]
  if (curve === undefined) {
    const modulusLength = Number(spec.slice('RSA_'.length))
    const algorithm = { name: 'RSA-PSS', modulusLength, publicExponent: PUBLIC_EXPONENT, hash: 'SHA-256' }
    return exported(await subtle().generateKey(algorithm, true, ['sign', 'verify']))
  }
  if (curve in NIST_BYTES) {
    const crypto = subtle()
    try {
      const algorithm = { name: 'ECDSA', namedCurve: curve }
      return await exported(await crypto.generateKey(algorithm, true, ['sign', 'verify']))
    } catch {
      // The runtime has not this curve.
    }
  }
  const { generateCurveKey } = await import('./curves.noble.ts')
  const { secret, point } = generateCurveKey(curve)
  try {
    return { publicKey: encodePublicKey(curve, point), privateKey: encodePrivateKey(curve, secret, point) }
  } finally {
    secret.fill(0)
  }
}

async function exported({ publicKey, privateKey }: CryptoKeyPair): Promise<KeyPair> {
  const crypto = subtle()
  return {
    publicKey: new Uint8Array(await crypto.exportKey('spki', publicKey)),
    privateKey: new Uint8Array(await crypto.exportKey('pkcs8', privateKey)),
  }
}

async function publicKeyOf(spec: KeyPairSpec, encoded: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const curve = CURVES[spec]
  const { pointOf } = await import('./curves.noble.ts')
  try {
    const key = readPrivateKey(encoded)
    if (key.kind !== (curve ?? 'RSA')) return undefined
    if (curve !== undefined) return encodePublicKey(curve, pointOf(curve, secretOf(key)))
    const publicKey = rsaPublicKeyOf(key)
    return spkiModulusBits(publicKey) === Number(spec.slice('RSA_'.length)) ? publicKey : undefined
  } catch {
    return undefined // not readable, or no secret of the curve
  }
}

async function sign(encoded: Uint8Array, message: SignedMessage): Promise<Uint8Array<ArrayBuffer>> {
  const key = readPrivateKey(encoded)
  const [scheme, hash] = suited(key, message)
  if (!message.isDigest) {
    const made = await signMessage(key, encoded, scheme, message.bytes, hash)
    if (made !== undefined) return made
  }
  if (scheme === 'pss' || scheme === 'pkcs1') {
    const { signRsaDigest } = await import('./rsa-digest.ts')
    return signRsaDigest(scheme, hash, privateIntegers(key), digestOf(message, hash))
  }
  const { signDigest, signEd25519 } = await import('./curves.noble.ts')
  const secret = copyBytes(secretOf(key))
  if (scheme === 'ed25519') return signEd25519(secret, message.bytes)
  return signDigest(key.kind, secret, scheme === 'ecdsa' ? digestOf(message, hash) : message.bytes)
}

async function verify(encoded: Uint8Array, message: SignedMessage, signature: Uint8Array): Promise<boolean> {
  const key = readPublicKey(encoded)
  const [scheme, hash] = suited(key, message)
  // RFC 8017 §8.1.2 and §8.2.2, step 1: some runtimes take a signature without its leading zero bytes too.
  if (key.kind === 'RSA' && signature.length !== Math.ceil(spkiModulusBits(encoded) / 8)) return false
  if (!message.isDigest) {
    const parameters = { scheme, hash, bytes: message.bytes }
    const isGood = await orFalse(() => verifyMessage(key, encoded, parameters, signature))
    if (isGood !== undefined) return isGood
  }
  if (scheme === 'pss' || scheme === 'pkcs1') {
    const { verifyRsaDigest } = await import('./rsa-digest.ts')
    return orFalse(() => verifyRsaDigest(scheme, hash, publicIntegers(key), digestOf(message, hash), signature))
  }
  const { verifyDigest, verifyEd25519 } = await import('./curves.noble.ts')
  return orFalse(() => {
    if (scheme === 'ed25519') return verifyEd25519(key.key, message.bytes, signature)
    const digest = scheme === 'ecdsa' ? digestOf(message, hash) : message.bytes
    return verifyDigest(key.kind, key.key, digest, signature)
  })
}

/** Only the check itself: code that could not be loaded says nothing of a signature. */
async function orFalse<T>(check: () => T | Promise<T>): Promise<T | false> {
  try {
    return await check()
  } catch (error) {
    if (error instanceof UnsupportedError) throw error
    return false // not in the form of a signature
  }
}

async function agree(encoded: Uint8Array, peer: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const key = readPrivateKey(encoded)
  const { kind } = key
  const curve = nistCurve(kind)
  if (curve === undefined) throw new TypeError('not a key for key agreement')
  let publicKey: EncodedKey
  try {
    publicKey = readPublicKey(peer)
  } catch {
    return undefined
  }
  // A point that is not on the curve would give the private key away; not every runtime looks when it imports one.
  if (publicKey.kind !== curve || uncompress(curve, publicKey.key) === undefined) return undefined
  const algorithm = { name: 'ECDH', namedCurve: curve }
  const own = await importKey('pkcs8', encoded, algorithm, ['deriveBits'])
  const theirs = await importKey('spki', peer, algorithm, [])
  if (own && theirs) {
    return new Uint8Array(await subtle().deriveBits({ name: 'ECDH', public: theirs }, own, 8 * NIST_BYTES[curve]))
  }
  const { sharedSecret } = await import('./curves.noble.ts')
  return sharedSecret(curve, copyBytes(secretOf(key)), publicKey.key)
}

/** By WebCrypto; undefined where it lacks the algorithm. */
async function signMessage(
  { kind }: EncodedKey,
  encoded: Uint8Array,
  scheme: Scheme,
  bytes: Uint8Array,
  hash: RsaHash,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const algorithm = algorithmOf(kind, scheme, hash)
  const key = algorithm && (await importKey('pkcs8', encoded, algorithm, ['sign']))
  if (!key) return undefined
  const signature = new Uint8Array(await subtle().sign(parametersOf(scheme, hash), key, bytes as BufferSource))
  return scheme === 'ecdsa' ? signatureToDer(signature) : signature
}

async function verifyMessage(
  { kind }: EncodedKey,
  encoded: Uint8Array,
  message: { readonly scheme: Scheme; readonly hash: RsaHash; readonly bytes: Uint8Array },
  signature: Uint8Array,
): Promise<boolean | undefined> {
  const { scheme, hash, bytes } = message
  const algorithm = algorithmOf(kind, scheme, hash)
  const key = algorithm && (await importKey('spki', encoded, algorithm, ['verify']))
  if (!key) return undefined
  const curve = nistCurve(kind)
  const given = curve === undefined ? signature : signatureFromDer(signature, NIST_BYTES[curve])
  if (given === undefined) return false
  return subtle().verify(parametersOf(scheme, hash), key, given as BufferSource, bytes as BufferSource)
}

type ImportAlgorithm = Algorithm & Partial<EcKeyImportParams & { hash: string }>

/** What WebCrypto calls it; undefined for what it has nowhere. */
function algorithmOf(kind: string, scheme: Scheme, hash: RsaHash): ImportAlgorithm | undefined {
  switch (scheme) {
    case 'pss':
      return { name: 'RSA-PSS', hash: hashName(hash) }
    case 'pkcs1':
      return { name: 'RSASSA-PKCS1-v1_5', hash: hashName(hash) }
    case 'ecdsa':
      return kind in NIST_BYTES ? { name: 'ECDSA', namedCurve: kind } : undefined
    case 'ed25519':
      return { name: 'Ed25519' }
    case 'ed25519ph':
      return undefined
  }
}

function parametersOf(scheme: Scheme, hash: RsaHash): Algorithm & Partial<EcdsaParams & RsaPssParams> {
  const names = { pss: 'RSA-PSS', pkcs1: 'RSASSA-PKCS1-v1_5', ecdsa: 'ECDSA', ed25519: 'Ed25519', ed25519ph: '' }
  return { name: names[scheme], hash: hashName(hash), saltLength: Number(hash.slice('sha'.length)) / 8 }
}

/** Undefined when the runtime does not take it: it lacks the algorithm, or the key is none, as the fallback will say. */
async function importKey(
  format: 'spki' | 'pkcs8',
  encoded: Uint8Array,
  algorithm: ImportAlgorithm,
  usages: readonly KeyUsage[],
): Promise<CryptoKey | undefined> {
  const crypto = subtle()
  try {
    return await crypto.importKey(format, encoded as BufferSource, algorithm, false, [...usages])
  } catch {
    return undefined
  }
}

const KINDS: Readonly<Record<Scheme, readonly string[]>> = {
  pss: ['RSA'],
  pkcs1: ['RSA'],
  ecdsa: ['P-256', 'P-384', 'P-521', 'secp256k1'],
  ed25519: ['Ed25519'],
  ed25519ph: ['Ed25519'],
}

/** The scheme of an algorithm. @throws TypeError for a key of another kind */
function suited({ kind }: EncodedKey, { algorithm }: SignedMessage): readonly [Scheme, RsaHash] {
  const [scheme, hash] = SCHEMES[algorithm]
  if (!KINDS[scheme].includes(kind)) throw new TypeError(`not a key for ${algorithm}`)
  return [scheme, hash]
}

function nistCurve(kind: string): NistCurve | undefined {
  return kind in NIST_BYTES ? (kind as NistCurve) : undefined
}

function digestOf({ bytes, isDigest }: SignedMessage, hash: RsaHash): Uint8Array {
  return isDigest ? bytes : DIGESTS[hash](bytes)
}

function publicIntegers(key: EncodedKey): RsaPublicIntegers {
  const [n, e] = rsaIntegers(key)
  if (n === undefined || e === undefined) throw new TypeError('not a readable key')
  return { n, e }
}

function privateIntegers(key: EncodedKey): RsaPrivateIntegers {
  const [, n, e, , p, q, dP, dQ, qInv] = rsaIntegers(key)
  const integers = { n, e, p, q, dP, dQ, qInv }
  if (Object.values(integers).includes(undefined)) throw new TypeError('not a readable key')
  return integers as RsaPrivateIntegers
}
