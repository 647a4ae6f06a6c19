import type { KeyPairSpec } from '../../bindings/key-pairs.ts'
import type { PostQuantumSpec } from '../../bindings/post-quantum.noble.ts'

/** What a key can be: its spec, with the usages and algorithms that go with it (AWS KMS developer guide, "Key spec"). */
export interface KeySpecification {
  /** The first is the one that a key has whose usage is not given; the others must be asked for. */
  readonly usages: readonly KeyUsageName[]
  readonly encryption?: readonly string[]
  readonly signing?: readonly string[]
  readonly mac?: readonly string[]
  readonly agreement?: readonly string[]
  readonly encapsulation?: readonly string[]
  /** Length of new symmetric material. */
  readonly materialBytes?: number
  /** Least and most bytes of material that can be imported; absent if none can. */
  readonly importBytes?: readonly [least: number, most: number]
  /** Of keys that are pairs. */
  readonly pair?: PairSpec
}

export type PairSpec = KeyPairSpec | PostQuantumSpec
export type KeyUsageName =
  'ENCRYPT_DECRYPT' | 'SIGN_VERIFY' | 'GENERATE_VERIFY_MAC' | 'KEY_AGREEMENT' | 'ENCAPSULATE_DECAPSULATE'
export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL' | KeyStoreType
/** Types of custom key stores, and the origin of their keys. */
export type KeyStoreType = 'AWS_CLOUDHSM' | 'EXTERNAL_KEY_STORE'
export type KeySpecName = 'SYMMETRIC_DEFAULT' | PairSpec | 'HMAC_224' | 'HMAC_256' | 'HMAC_384' | 'HMAC_512'

/** The only algorithm of symmetric encryption keys. */
export const SYMMETRIC_DEFAULT = 'SYMMETRIC_DEFAULT'

/** The only algorithm of ML-DSA keys. */
export const ML_DSA = 'ML_DSA_SHAKE_256'

const OAEP = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']

const RSA_SIGNING = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
]

function rsa(pair: KeyPairSpec): KeySpecification {
  return { usages: ['ENCRYPT_DECRYPT', 'SIGN_VERIFY'], encryption: OAEP, signing: RSA_SIGNING, pair }
}

function ecc(pair: KeyPairSpec, signing: string): KeySpecification {
  return { usages: ['SIGN_VERIFY', 'KEY_AGREEMENT'], signing: [signing], agreement: ['ECDH'], pair }
}

/** ML-DSA (FIPS 204): the name speaks of the hash by which it makes the representative of a message. */
function mlDsa(pair: PostQuantumSpec): KeySpecification {
  return { usages: ['SIGN_VERIFY'], signing: [ML_DSA], pair }
}

function mlKem(pair: PostQuantumSpec): KeySpecification {
  return { usages: ['ENCAPSULATE_DECAPSULATE'], encapsulation: ['ML_KEM'], pair }
}

/** Imported material is as long as the hash at least, and as its block at most. */
function hmacKey(algorithm: string, materialBytes: number, blockBytes: number): KeySpecification {
  const importBytes = [materialBytes, blockBytes] as const
  return { usages: ['GENERATE_VERIFY_MAC'], mac: [algorithm], materialBytes, importBytes }
}

const SPECIFICATIONS: Readonly<Record<KeySpecName, KeySpecification>> = {
  SYMMETRIC_DEFAULT: {
    usages: ['ENCRYPT_DECRYPT'],
    encryption: [SYMMETRIC_DEFAULT],
    materialBytes: 32,
    importBytes: [32, 32],
  },
  RSA_2048: rsa('RSA_2048'),
  RSA_3072: rsa('RSA_3072'),
  RSA_4096: rsa('RSA_4096'),
  ECC_NIST_P256: ecc('ECC_NIST_P256', 'ECDSA_SHA_256'),
  ECC_NIST_P384: ecc('ECC_NIST_P384', 'ECDSA_SHA_384'),
  ECC_NIST_P521: ecc('ECC_NIST_P521', 'ECDSA_SHA_512'),
  ECC_SECG_P256K1: { usages: ['SIGN_VERIFY'], signing: ['ECDSA_SHA_256'], pair: 'ECC_SECG_P256K1' },
  ECC_NIST_EDWARDS25519: {
    usages: ['SIGN_VERIFY'],
    signing: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
    pair: 'ECC_NIST_EDWARDS25519',
  },
  HMAC_224: hmacKey('HMAC_SHA_224', 28, 64),
  HMAC_256: hmacKey('HMAC_SHA_256', 32, 64),
  HMAC_384: hmacKey('HMAC_SHA_384', 48, 128),
  HMAC_512: hmacKey('HMAC_SHA_512', 64, 128),
  ML_DSA_44: mlDsa('ML_DSA_44'),
  ML_DSA_65: mlDsa('ML_DSA_65'),
  ML_DSA_87: mlDsa('ML_DSA_87'),
  ML_KEM_512: mlKem('ML_KEM_512'),
  ML_KEM_768: mlKem('ML_KEM_768'),
  ML_KEM_1024: mlKem('ML_KEM_1024'),
}

/** The specification of a key spec; undefined for one that this KMS does not have. */
export function specification(keySpec: string): KeySpecification | undefined {
  return Object.hasOwn(SPECIFICATIONS, keySpec) ? SPECIFICATIONS[keySpec as KeySpecName] : undefined
}

/** Whether keys of this spec are for symmetric encryption, and so have versions of material and ciphertext blobs. */
export function isSymmetric(keySpec: string): boolean {
  return keySpec === SYMMETRIC_DEFAULT
}

/** Whether keys of this spec are pairs, whose material is a private key. */
export function isPair(keySpec: string): boolean {
  return specification(keySpec)?.pair !== undefined
}

/** The kind of key pair that private keys can be imported for; undefined if this is none. */
export function importedPair(keySpec: string): KeyPairSpec | undefined {
  const pair = specification(keySpec)?.pair
  return pair === undefined || isPostQuantum(pair) ? undefined : pair
}

/** Whether keys of this spec are of ML-DSA or ML-KEM. */
export function isPostQuantum(spec: PairSpec): spec is PostQuantumSpec {
  return spec.startsWith('ML_')
}
