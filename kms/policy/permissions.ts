import type { Glob } from './glob.ts'
import { Meter } from './meter.ts'

/** Permissions of AWS KMS. Each is the name of an action, but for re-encryption and what KMS does by itself. */
const PERMISSIONS: readonly string[] = `
  CancelKeyDeletion ConnectCustomKeyStore CreateAlias CreateCustomKeyStore CreateGrant CreateKey Decapsulate Decrypt
  DeleteAlias DeleteCustomKeyStore DeleteImportedKeyMaterial DeriveSharedSecret DescribeCustomKeyStores DescribeKey
  DisableKey DisableKeyRotation DisconnectCustomKeyStore EnableKey EnableKeyRotation Encapsulate Encrypt
  GenerateDataKey GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext GenerateDataKeyWithoutPlaintext GenerateMac
  GenerateRandom GetKeyLastUsage GetKeyPolicy GetKeyRotationStatus GetParametersForImport GetPublicKey
  ImportKeyMaterial ListAliases ListGrants ListKeyPolicies ListKeyRotations ListKeys ListResourceTags
  ListRetirableGrants PutKeyPolicy ReEncryptFrom ReEncryptTo ReplicateKey RetireGrant RevokeGrant RotateKeyOnDemand
  ScheduleKeyDeletion Sign SynchronizeMultiRegionKey TagResource UntagResource UpdateAlias UpdateCustomKeyStore
  UpdateKeyDescription UpdatePrimaryRegion Verify VerifyMac`
  .trim()
  .split(/\s+/)
  .map((name) => `kms:${name}`)

/** Names of all permissions, `kms:Decrypt`. */
export function kmsPermissions(): readonly string[] {
  return PERMISSIONS
}

/** Whether a pattern of lower-case names stands for a permission at all. */
export function namesPermission(pattern: Glob): boolean {
  const meter = new Meter()
  return PERMISSIONS.some((name) => pattern.matches(name.toLowerCase(), meter))
}
