import type { SigningAlgorithm } from './key-pairs.ts'
import type { RsaHash } from './rsa-encoding.ts'

/** RSASSA-PSS and RSASSA-PKCS1-v1_5 (RFC 8017 §8), ECDSA (FIPS 186-5 §6), Ed25519 and Ed25519ph (RFC 8032 §5.1). */
export type Scheme = 'pss' | 'pkcs1' | 'ecdsa' | 'ed25519' | 'ed25519ph'

/** What each signing algorithm of the AWS KMS API is. */
export const SCHEMES: Readonly<Record<SigningAlgorithm, readonly [Scheme, RsaHash]>> = {
  RSASSA_PSS_SHA_256: ['pss', 'sha256'],
  RSASSA_PSS_SHA_384: ['pss', 'sha384'],
  RSASSA_PSS_SHA_512: ['pss', 'sha512'],
  RSASSA_PKCS1_V1_5_SHA_256: ['pkcs1', 'sha256'],
  RSASSA_PKCS1_V1_5_SHA_384: ['pkcs1', 'sha384'],
  RSASSA_PKCS1_V1_5_SHA_512: ['pkcs1', 'sha512'],
  ECDSA_SHA_256: ['ecdsa', 'sha256'],
  ECDSA_SHA_384: ['ecdsa', 'sha384'],
  ECDSA_SHA_512: ['ecdsa', 'sha512'],
  ED25519_SHA_512: ['ed25519', 'sha512'],
  ED25519_PH_SHA_512: ['ed25519ph', 'sha512'],
}
