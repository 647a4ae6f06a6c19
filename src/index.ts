export { encrypt, encryptSync } from './encrypt.ts'
export type { DetachedMessage } from './encrypt.ts'
export type { DetachedEncryptOptions, EncryptOptions, EncryptSyncOptions } from './encryption.ts'
export { decrypt, decryptSync } from './decrypt.ts'
export type { DecryptResult } from './decrypt.ts'
export type { DecryptOptions, DecryptSyncOptions } from './decryption.ts'
export { encryptStream } from './encrypt-stream.ts'
export type {
  DetachedEncryptStream,
  DetachedEncryptStreamOptions,
  EncryptStream,
  EncryptStreamOptions,
} from './encrypt-stream.ts'
export { decryptStream } from './decrypt-stream.ts'
export type { DecryptStream, DecryptStreamOptions } from './decrypt-stream.ts'
export { inspect } from './inspect.ts'
export type { Engine } from '../bindings/host-message.ts'
export type { MessageHeader } from './message-header.ts'
export type { EncryptionContext } from './context.ts'
export { algorithmSuite, algorithmSuites } from './suites.ts'
export type { AlgorithmSuite, AlgorithmSuiteId, AlgorithmSuiteName } from './suites.ts'
export type { CommitmentPolicy } from './commitment-policy.ts'

export { rawAesKeyring } from './keyrings/raw-aes.ts'
export type { RawAesKeyring, RawAesKeyringOptions } from './keyrings/raw-aes.ts'
export { rawRsaKeyring } from './keyrings/raw-rsa.ts'
export type { RawRsaKeyringOptions, RsaKeyInput, RsaPadding } from './keyrings/raw-rsa.ts'
export { multiKeyring } from './keyrings/multi.ts'
export type { MultiKeyringOptions } from './keyrings/multi.ts'

export { cachingMaterials } from './caching-materials.ts'
export type { CachingMaterials, CachingMaterialsOptions } from './caching-materials.ts'
export { materialsCache } from './materials-cache.ts'
export type { MaterialsCache, MaterialsCacheOptions } from './materials-cache.ts'
export { createDecryptionMaterials } from './decryption-materials.ts'
export { defaultMaterials } from './default-materials.ts'
export { createEncryptionMaterials } from './encryption-materials.ts'
export { requiredContextMaterials } from './required-context-materials.ts'
export type { RequiredContextMaterialsOptions } from './required-context-materials.ts'
export type { EcdsaSigner, EcdsaSigningKey, EcdsaVerificationKey, EcdsaVerifier } from '../bindings/asymmetric.ts'
export { unwrapFailure } from './materials.ts'
export type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptedDataKey,
  EncryptionMaterials,
  EncryptionRequest,
  Keyring,
  MaterialsManager,
} from './materials.ts'

export {
  AuthenticationError,
  CommitmentPolicyError,
  DisposedError,
  EncryptionContextError,
  FormatError,
  KeyUnavailableError,
  LimitError,
  SourceError,
  UnsupportedError,
  WaxsealError,
} from './errors.ts'
export type { WaxsealErrorCode } from './errors.ts'
