import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js'
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { concatBytes } from './bytes.ts'
import { BIT_STRING, DerReader, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE } from './der.ts'
import type { KeyPair } from './key-pairs.ts'

// ML-DSA (FIPS 204) and ML-KEM (FIPS 203), which no runtime that waxseal supports has everywhere. In a file of its own,
// which is loaded when it is needed. Private keys are kept as their seeds.

type MlDsaSpec = 'ML_DSA_44' | 'ML_DSA_65' | 'ML_DSA_87'
type MlKemSpec = 'ML_KEM_512' | 'ML_KEM_768' | 'ML_KEM_1024'
export type PostQuantumSpec = MlDsaSpec | MlKemSpec

const SIGNATURES: Readonly<Record<MlDsaSpec, typeof ml_dsa44>> = {
  ML_DSA_44: ml_dsa44,
  ML_DSA_65: ml_dsa65,
  ML_DSA_87: ml_dsa87,
}
const ENCAPSULATIONS: Readonly<Record<MlKemSpec, typeof ml_kem512>> = {
  ML_KEM_512: ml_kem512,
  ML_KEM_768: ml_kem768,
  ML_KEM_1024: ml_kem1024,
}

/** The last two arcs below nistAlgorithms, 2.16.840.1.101.3.4 (RFC 9881 §2, RFC 9935 §3). */
const ARCS: Readonly<Record<PostQuantumSpec, readonly [number, number]>> = {
  ML_DSA_44: [3, 17],
  ML_DSA_65: [3, 18],
  ML_DSA_87: [3, 19],
  ML_KEM_512: [4, 1],
  ML_KEM_768: [4, 2],
  ML_KEM_1024: [4, 3],
}
const NIST_ALGORITHMS = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04]

/** `seed [0] IMPLICIT OCTET STRING` of the private key's CHOICE (RFC 9881 §6, RFC 9935 §6). */
const SEED = 0x80

/** A secret and what carries it to the owner of the private key. */
export interface Encapsulated {
  readonly ciphertext: Uint8Array<ArrayBuffer>
  /** 32 bytes; the caller wipes it. */
  readonly sharedSecret: Uint8Array<ArrayBuffer>
}

/** A new key pair: SubjectPublicKeyInfo, and PKCS #8 with the seed in it. The caller wipes the private key. */
export function generatePostQuantum(spec: PostQuantumSpec): KeyPair {
  const algorithm = isMlDsa(spec) ? SIGNATURES[spec] : ENCAPSULATIONS[spec]
  const seed = globalThis.crypto.getRandomValues(new Uint8Array(algorithm.lengths.seed ?? 0))
  const { publicKey, secretKey } = algorithm.keygen(seed)
  secretKey.fill(0)
  const choice = element(SEED, seed)
  const key = element(OCTET_STRING, choice)
  const privateKey = element(SEQUENCE, Uint8Array.of(INTEGER, 1, 0), algorithmIdentifier(spec), key)
  for (const part of [seed, choice, key]) part.fill(0)
  return {
    publicKey: element(SEQUENCE, algorithmIdentifier(spec), element(BIT_STRING, Uint8Array.of(0), publicKey)),
    privateKey,
  }
}

/**
 * Signs a message with an empty context (FIPS 204 §5.2, hedged), or, with `isMu`, the 64-byte representative of one
 * (algorithm 7, line 6).
 *
 * @throws TypeError if the key is none of ML-DSA
 */
export function signMlDsa(privateKey: Uint8Array, message: Uint8Array, isMu: boolean): Uint8Array<ArrayBuffer> {
  return withSecretKey(privateKey, isMlDsa, SIGNATURES, (algorithm, secretKey) => {
    const { internal } = algorithm
    const signature = isMu
      ? internal.sign(message, secretKey, { externalMu: true })
      : algorithm.sign(message, secretKey)
    return new Uint8Array(signature)
  })
}

/** False for whatever is not a signature of this message under this key. Throws TypeError if the key is none of ML-DSA. */
export function verifyMlDsa(publicKey: Uint8Array, message: Uint8Array, isMu: boolean, signature: Uint8Array): boolean {
  const { spec, key } = readPublicKey(publicKey)
  if (!isMlDsa(spec)) throw new TypeError('not a readable key')
  const algorithm = SIGNATURES[spec]
  if (signature.length !== algorithm.lengths.signature) return false
  if (isMu) return algorithm.internal.verify(signature, message, key, { externalMu: true })
  return algorithm.verify(signature, message, key)
}

/** ML-KEM.Encaps (FIPS 203 §7.2). Throws TypeError if the key is none of ML-KEM. */
export function encapsulate(publicKey: Uint8Array): Encapsulated {
  const { spec, key } = readPublicKey(publicKey)
  if (isMlDsa(spec)) throw new TypeError('not a readable key')
  const { cipherText, sharedSecret } = ENCAPSULATIONS[spec].encapsulate(key)
  return { ciphertext: new Uint8Array(cipherText), sharedSecret: moved(sharedSecret) }
}

/**
 * ML-KEM.Decaps (FIPS 203 §7.3): 32 bytes, which are not the sender's if the ciphertext is of another key; undefined if
 * it is not as long as this key's. Throws TypeError if the key is none of ML-KEM.
 */
export function decapsulate(privateKey: Uint8Array, ciphertext: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  return withSecretKey(privateKey, isMlKem, ENCAPSULATIONS, (algorithm, secretKey) => {
    if (ciphertext.length !== algorithm.lengths.cipherText) return undefined
    return moved(algorithm.decapsulate(ciphertext, secretKey))
  })
}

/** A copy of a secret, which is wiped where it was. */
function moved(secret: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(secret)
  secret.fill(0)
  return copy
}

function isMlDsa(spec: PostQuantumSpec): spec is MlDsaSpec {
  return Object.hasOwn(SIGNATURES, spec)
}

function isMlKem(spec: PostQuantumSpec): spec is MlKemSpec {
  return Object.hasOwn(ENCAPSULATIONS, spec)
}

interface Keygen {
  keygen(seed: Uint8Array): { readonly secretKey: Uint8Array }
}

/** Expands the seed of a private key for `work`, and wipes what it became. */
function withSecretKey<Spec extends PostQuantumSpec, Algorithm extends Keygen, T>(
  privateKey: Uint8Array,
  isSpec: (spec: PostQuantumSpec) => spec is Spec,
  algorithms: Readonly<Record<Spec, Algorithm>>,
  work: (algorithm: Algorithm, secretKey: Uint8Array) => T,
): T {
  const { spec, key: seed } = readPrivateKey(privateKey)
  if (!isSpec(spec)) throw new TypeError('not a readable key')
  const algorithm = algorithms[spec]
  const { secretKey } = algorithm.keygen(seed)
  try {
    return work(algorithm, secretKey)
  } finally {
    secretKey.fill(0)
  }
}

interface EncodedKey {
  readonly spec: PostQuantumSpec
  readonly key: Uint8Array
}

function readPublicKey(spki: Uint8Array): EncodedKey {
  return readable(() => {
    const info = only(spki)
    const spec = specOf(info.read(SEQUENCE))
    const key = info.read(BIT_STRING)
    info.end()
    // The first byte counts unused bits: none.
    if (key[0] !== 0) throw new RangeError('not whole bytes')
    return { spec, key: key.subarray(1) }
  })
}

function readPrivateKey(pkcs8: Uint8Array): EncodedKey {
  return readable(() => {
    const info = only(pkcs8)
    info.read(INTEGER)
    const spec = specOf(info.read(SEQUENCE))
    const key = new DerReader(info.read(OCTET_STRING))
    return { spec, key: key.read(SEED) }
  })
}

function only(bytes: Uint8Array): DerReader {
  const outer = new DerReader(bytes)
  const info = new DerReader(outer.read(SEQUENCE))
  outer.end()
  return info
}

function specOf(identifier: Uint8Array): PostQuantumSpec {
  const reader = new DerReader(identifier)
  const oid = reader.read(OBJECT_IDENTIFIER).join()
  reader.end()
  const found = Object.entries(ARCS).find(([, arcs]) => [...NIST_ALGORITHMS, ...arcs].join() === oid)
  if (!found) throw new RangeError('another algorithm')
  return found[0] as PostQuantumSpec
}

function readable<T>(read: () => T): T {
  try {
    return read()
  } catch {
    // No cause: it could quote the key.
    throw new TypeError('not a readable key')
  }
}

function algorithmIdentifier(spec: PostQuantumSpec): Uint8Array {
  return element(SEQUENCE, element(OBJECT_IDENTIFIER, Uint8Array.of(...NIST_ALGORITHMS, ...ARCS[spec])))
}

/** Tag, length in its shortest form, and content. */
function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const long = length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff]
  return concatBytes(Uint8Array.of(tag, ...(length < 0x80 ? [length] : long)), ...parts)
}
