import { rsaPublicKey } from '#asymmetric'
import type { RsaKeyInput, RsaPublicKey } from '../bindings/asymmetric.ts'
import { concatBytes, copyBytes } from '../bindings/bytes.ts'
import { sha384, timingSafeEqual } from '../bindings/hash.ts'
import {
  AuthenticationError,
  FormatError,
  unwrapFailure,
  UnsupportedError,
  type AlgorithmSuite,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
} from '../src/index.ts'
import { wrongDataKeyLength } from '../src/materials.ts'
import { isMultiRegionMatch, parseKeyArn } from './key-arn.ts'
import { readArn, reasonOf } from './provider-info.ts'
import type { KmsPairProvider, KmsRsaAlgorithm } from './provider.ts'

export type { KmsPairCall, KmsPairProvider, KmsRsaAlgorithm } from './provider.ts'

/** Options of {@link kmsRsaKeyring}. */
export interface KmsRsaKeyringOptions {
  /** ARN of an RSA key of the service whose usage is ENCRYPT_DECRYPT. */
  readonly keyId: string
  /** Padding: OAEP, with the same hash in MGF1. */
  readonly algorithm: KmsRsaAlgorithm
  /** Decrypts. It may be left out where messages are only written. */
  readonly provider?: Pick<KmsPairProvider, 'decryptRsa'> | undefined
  /**
   * The public key of `keyId`, which the service gives away: PEM, DER (SubjectPublicKeyInfo), a `CryptoKey` or a
   * `KeyObject`, of 2,048 bits or more. Encrypts. It may be left out where messages are only read.
   */
  readonly publicKey?: RsaKeyInput | undefined
  /** At most ten. */
  readonly grantTokens?: readonly string[] | undefined
}

/** Provider id, as the AWS Encryption SDKs write it. */
const PROVIDER_ID = 'aws-kms-rsa'
/** SHA-384 over the encryption context stands before the data key. */
const DIGEST_BYTES = 48

const HASHES = { RSAES_OAEP_SHA_1: 'sha1', RSAES_OAEP_SHA_256: 'sha256' } as const

interface RsaParts {
  readonly keyId: string
  readonly algorithm: KmsRsaAlgorithm
  readonly provider: Pick<KmsPairProvider, 'decryptRsa'> | undefined
  readonly publicKey: RsaPublicKey | undefined
  readonly grantTokens: readonly string[] | undefined
}

/**
 * Wraps data keys with the public key of an RSA key of a KMS, without a call; the KMS unwraps them. A digest of the
 * encryption context is wrapped with each data key and compared when it is unwrapped.
 *
 * Whoever has the public key can write a message: that is why the specification has no signature with it, which would
 * seem to say by whom. Suites with one are refused with UnsupportedError. Replicas of a multi-Region key stand for each other.
 * Source: aws-encryption-sdk-specification, framework/aws-kms/aws-kms-rsa-keyring.md; RFC 8017 §7.1.
 *
 * @throws TypeError when `keyId` is no key ARN, the algorithm or the public key is none, or there is neither provider
 *   nor public key
 * @throws RangeError for a public key below 2,048 bits
 */
export function kmsRsaKeyring(options: KmsRsaKeyringOptions): Keyring {
  const { keyId, algorithm, provider, publicKey, grantTokens } = options
  if (typeof keyId !== 'string' || !parseKeyArn(keyId)) throw new TypeError('keyId must be the ARN of a key')
  if (!Object.hasOwn(HASHES, algorithm)) {
    throw new TypeError(`algorithm must be one of ${Object.keys(HASHES).join(', ')}`)
  }
  if (provider === undefined && publicKey === undefined) throw new TypeError('give provider, publicKey or both')
  if (provider !== undefined && typeof (Object(provider) as Partial<KmsPairProvider>).decryptRsa !== 'function') {
    throw new TypeError('provider must have the method decryptRsa')
  }
  const parts: RsaParts = {
    keyId,
    algorithm,
    provider,
    publicKey: publicKey === undefined ? undefined : rsaPublicKey(publicKey),
    grantTokens: grantTokens && [...grantTokens],
  }
  return {
    wrap: (materials) => wrap(parts, materials),
    unwrap: (materials, encryptedDataKeys) => unwrap(parts, materials, encryptedDataKeys),
  }
}

async function wrap({ keyId, algorithm, publicKey }: RsaParts, materials: EncryptionMaterials): Promise<void> {
  if (publicKey === undefined) throw new UnsupportedError('this KMS RSA keyring has no publicKey to encrypt with')
  assertUnsigned(materials.suite)
  if (materials.dataKey === undefined) materials.setDataKey(materials.random(materials.suite.keyBytes))
  const plaintext = concatBytes(sha384(materials.serializedContext), materials.dataKey ?? new Uint8Array(0))
  try {
    const ciphertext = await publicKey.encrypt(HASHES[algorithm], plaintext)
    const providerInfo = new TextEncoder().encode(keyId)
    materials.addEncryptedDataKey({ providerId: PROVIDER_ID, providerInfo, ciphertext })
  } finally {
    plaintext.fill(0)
  }
}

/** "OnEncrypt MUST fail", as OnDecrypt must, if the algorithm suite has an asymmetric signature. */
function assertUnsigned({ name, signatureCurve }: AlgorithmSuite): void {
  if (signatureCurve === undefined) return
  throw new UnsupportedError(`a KMS RSA keyring works with algorithm suites without signature only, not with ${name}`)
}

async function unwrap(
  parts: RsaParts,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array | undefined> {
  const reasons: unknown[] = []
  for (const { providerId, providerInfo, ciphertext } of encryptedDataKeys) {
    if (providerId !== PROVIDER_ID) continue
    assertUnsigned(materials.suite)
    const arn = readArn(providerInfo)
    if (arn === undefined) reasons.push(new FormatError('an encrypted data key names no KMS key'))
    else if (isMultiRegionMatch(parts.keyId, arn)) {
      materials.signal?.throwIfAborted()
      try {
        return await decryptDataKey(parts, ciphertext, materials)
      } catch (error) {
        materials.signal?.throwIfAborted()
        reasons.push(reasonOf(error))
      }
    }
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure('KMS RSA keyring', reasons)
}

async function decryptDataKey(
  { keyId, algorithm, provider, grantTokens }: RsaParts,
  ciphertext: Uint8Array,
  { suite, serializedContext, signal }: DecryptionMaterials,
): Promise<Uint8Array> {
  if (provider === undefined) throw new UnsupportedError('this KMS RSA keyring has no provider to decrypt with')
  const answer = await provider.decryptRsa({ keyId, algorithm, ciphertext, grantTokens, signal })
  try {
    if (answer.keyId !== keyId) throw new FormatError(`the KMS answered with key ${answer.keyId} for ${keyId}`)
    const length = answer.plaintext.length - DIGEST_BYTES
    if (length !== suite.keyBytes) throw wrongDataKeyLength(suite, Math.max(length, 0))
    const isBound = timingSafeEqual(answer.plaintext.subarray(0, DIGEST_BYTES), sha384(serializedContext))
    if (!isBound) throw new AuthenticationError()
    return copyBytes(answer.plaintext.subarray(DIGEST_BYTES))
  } finally {
    answer.plaintext.fill(0)
  }
}
