export { kmsKeyring, type DiscoveryFilter, type KmsKeyringOptions } from './kms-keyring.ts'
export type { KmsCall, KmsEncryptionContext, KmsProvider } from './provider.ts'
