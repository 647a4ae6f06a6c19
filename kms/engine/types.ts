import type * as asymmetric from './types/asymmetric.ts'
import type * as cryptography from './types/cryptography.ts'
import type * as grants from './types/grants.ts'
import type * as keyStores from './types/key-stores.ts'
import type * as imports from './types/import.ts'
import type * as keys from './types/keys.ts'

export type * from './types/asymmetric.ts'
export type * from './types/cryptography.ts'
export type * from './types/grants.ts'
export type * from './types/key-stores.ts'
export type * from './types/import.ts'
export type * from './types/keys.ts'

interface Types<Input, Output> {
  readonly input: Input
  readonly output: Output
}

/** An answer without members. */
export type EmptyOutput = Readonly<Record<string, never>>

/** Input and output of each action, by its name in the AWS KMS API. */
export interface ActionTypes {
  readonly CancelKeyDeletion: Types<keys.KeyIdInput, keys.KeyIdOutput>
  readonly ConnectCustomKeyStore: Types<keyStores.CustomKeyStoreIdInput, EmptyOutput>
  readonly CreateAlias: Types<keys.CreateAliasInput, undefined>
  readonly CreateCustomKeyStore: Types<keyStores.CreateCustomKeyStoreInput, keyStores.CreateCustomKeyStoreOutput>
  readonly CreateGrant: Types<grants.CreateGrantInput, grants.CreateGrantOutput>
  readonly CreateKey: Types<keys.CreateKeyInput, keys.KeyMetadataOutput>
  readonly Decapsulate: Types<asymmetric.DecapsulateInput, asymmetric.DecapsulateOutput>
  readonly Decrypt: Types<cryptography.DecryptInput, cryptography.DecryptOutput>
  readonly DeleteAlias: Types<keys.DeleteAliasInput, undefined>
  readonly DeleteCustomKeyStore: Types<keyStores.CustomKeyStoreIdInput, EmptyOutput>
  readonly DeleteImportedKeyMaterial: Types<
    imports.DeleteImportedKeyMaterialInput,
    imports.DeleteImportedKeyMaterialOutput
  >
  readonly DeriveSharedSecret: Types<asymmetric.DeriveSharedSecretInput, asymmetric.DeriveSharedSecretOutput>
  readonly DescribeCustomKeyStores: Types<
    keyStores.DescribeCustomKeyStoresInput,
    keyStores.DescribeCustomKeyStoresOutput
  >
  readonly DescribeKey: Types<keys.DescribeKeyInput, keys.KeyMetadataOutput>
  readonly DisableKey: Types<keys.KeyIdInput, undefined>
  readonly DisableKeyRotation: Types<keys.KeyIdInput, undefined>
  readonly DisconnectCustomKeyStore: Types<keyStores.CustomKeyStoreIdInput, EmptyOutput>
  readonly EnableKey: Types<keys.KeyIdInput, undefined>
  readonly EnableKeyRotation: Types<keys.EnableKeyRotationInput, undefined>
  readonly Encapsulate: Types<asymmetric.EncapsulateInput, asymmetric.EncapsulateOutput>
  readonly Encrypt: Types<cryptography.EncryptInput, cryptography.EncryptOutput>
  readonly GenerateDataKey: Types<cryptography.GenerateDataKeyInput, cryptography.GenerateDataKeyOutput>
  readonly GenerateDataKeyPair: Types<asymmetric.GenerateDataKeyPairInput, asymmetric.GenerateDataKeyPairOutput>
  readonly GenerateDataKeyPairWithoutPlaintext: Types<
    asymmetric.GenerateDataKeyPairInput,
    asymmetric.GenerateDataKeyPairWithoutPlaintextOutput
  >
  readonly GenerateDataKeyWithoutPlaintext: Types<
    cryptography.GenerateDataKeyInput,
    cryptography.GenerateDataKeyWithoutPlaintextOutput
  >
  readonly GenerateMac: Types<asymmetric.GenerateMacInput, asymmetric.GenerateMacOutput>
  readonly GenerateRandom: Types<cryptography.GenerateRandomInput, cryptography.GenerateRandomOutput>
  readonly GetKeyLastUsage: Types<keys.KeyIdInput, keys.GetKeyLastUsageOutput>
  readonly GetKeyPolicy: Types<grants.GetKeyPolicyInput, grants.GetKeyPolicyOutput>
  readonly GetKeyRotationStatus: Types<keys.KeyIdInput, keys.GetKeyRotationStatusOutput>
  readonly GetParametersForImport: Types<imports.GetParametersForImportInput, imports.GetParametersForImportOutput>
  readonly GetPublicKey: Types<keys.DescribeKeyInput, asymmetric.GetPublicKeyOutput>
  readonly ImportKeyMaterial: Types<imports.ImportKeyMaterialInput, imports.ImportKeyMaterialOutput>
  readonly ListAliases: Types<keys.ListAliasesInput, keys.ListAliasesOutput>
  readonly ListGrants: Types<grants.ListGrantsInput, grants.ListGrantsOutput>
  readonly ListKeyPolicies: Types<grants.ListKeyPoliciesInput, grants.ListKeyPoliciesOutput>
  readonly ListKeyRotations: Types<keys.ListKeyRotationsInput, keys.ListKeyRotationsOutput>
  readonly ListKeys: Types<keys.PageInput, keys.ListKeysOutput>
  readonly ListResourceTags: Types<keys.ListOfKeyInput, keys.ListResourceTagsOutput>
  readonly ListRetirableGrants: Types<grants.ListRetirableGrantsInput, grants.ListGrantsOutput>
  readonly PutKeyPolicy: Types<grants.PutKeyPolicyInput, undefined>
  readonly ReEncrypt: Types<cryptography.ReEncryptInput, cryptography.ReEncryptOutput>
  readonly ReplicateKey: Types<keys.ReplicateKeyInput, keys.ReplicateKeyOutput>
  readonly RetireGrant: Types<grants.RetireGrantInput, undefined>
  readonly RevokeGrant: Types<grants.RevokeGrantInput, undefined>
  readonly RotateKeyOnDemand: Types<keys.KeyIdInput, keys.KeyIdOutput>
  readonly ScheduleKeyDeletion: Types<keys.ScheduleKeyDeletionInput, keys.ScheduleKeyDeletionOutput>
  readonly Sign: Types<asymmetric.SignInput, asymmetric.SignOutput>
  readonly TagResource: Types<keys.TagResourceInput, undefined>
  readonly UntagResource: Types<keys.UntagResourceInput, undefined>
  readonly UpdateAlias: Types<keys.CreateAliasInput, undefined>
  readonly UpdateCustomKeyStore: Types<keyStores.UpdateCustomKeyStoreInput, EmptyOutput>
  readonly UpdateKeyDescription: Types<keys.UpdateKeyDescriptionInput, undefined>
  readonly UpdatePrimaryRegion: Types<keys.UpdatePrimaryRegionInput, undefined>
  readonly Verify: Types<asymmetric.VerifyInput, asymmetric.VerifyOutput>
  readonly VerifyMac: Types<asymmetric.VerifyMacInput, asymmetric.VerifyMacOutput>
}

/** Names of the actions. */
export type ActionName = keyof ActionTypes
export type ActionInput<Name extends ActionName> = ActionTypes[Name]['input']
export type ActionOutput<Name extends ActionName> = ActionTypes[Name]['output']
