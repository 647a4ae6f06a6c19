import type { EncryptionContext } from '../../src/index.ts'

// Inputs and outputs of the actions: the shapes of the AWS KMS API, with bytes as Uint8Array and times as Date.

export interface Tag {
  readonly TagKey: string
  readonly TagValue: string
}

export interface KeyMetadata {
  readonly AWSAccountId: string
  readonly Arn: string
  readonly CreationDate: Date
  readonly CurrentKeyMaterialId: string
  readonly CustomerMasterKeySpec: string
  readonly Description: string
  readonly Enabled: boolean
  readonly EncryptionAlgorithms: readonly string[]
  readonly KeyId: string
  readonly KeyManager: 'CUSTOMER'
  readonly KeySpec: string
  readonly KeyState: string
  readonly KeyUsage: string
  readonly MultiRegion: boolean
  readonly Origin: string
}

export interface CreateKeyInput {
  readonly Description?: string | undefined
  readonly KeySpec?: string | undefined
  readonly CustomerMasterKeySpec?: string | undefined
  readonly KeyUsage?: string | undefined
  readonly Origin?: string | undefined
  readonly MultiRegion?: boolean | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly Policy?: string | undefined
  readonly BypassPolicyLockoutSafetyCheck?: boolean | undefined
  readonly CustomKeyStoreId?: string | undefined
  readonly XksKeyId?: string | undefined
}

export interface KeyMetadataOutput {
  readonly KeyMetadata: KeyMetadata
}

export interface DescribeKeyInput {
  readonly KeyId: string
  readonly GrantTokens?: readonly string[] | undefined
}

export interface PageInput {
  /** 1–1000 (ListAliases: 1–100); default 100 (ListAliases: 50). */
  readonly Limit?: number | undefined
  /** `NextMarker` of the page before. */
  readonly Marker?: string | undefined
}

interface PageOutput {
  readonly Truncated: boolean
  /** Only when `Truncated`. */
  readonly NextMarker?: string
}

export interface ListKeysOutput extends PageOutput {
  readonly Keys: readonly { readonly KeyId: string; readonly KeyArn: string }[]
}

export interface CreateAliasInput {
  /** `alias/` and 1–250 characters of `a-zA-Z0-9:/_-`. */
  readonly AliasName: string
  /** Key id or key ARN. */
  readonly TargetKeyId: string
}

export interface ListAliasesInput extends PageInput {
  readonly KeyId?: string | undefined
}

export interface AliasListEntry {
  readonly AliasName: string
  readonly AliasArn: string
  readonly TargetKeyId: string
  readonly CreationDate: Date
  readonly LastUpdatedDate: Date
}

export interface ListAliasesOutput extends PageOutput {
  readonly Aliases: readonly AliasListEntry[]
}

/** What the cryptographic actions share. */
export interface CryptographicInput {
  readonly EncryptionContext?: EncryptionContext | undefined
  /** There are no grants yet: any token is refused. */
  readonly GrantTokens?: readonly string[] | undefined
  /** Checks everything, has no effect, and ends in DryRunOperationException. */
  readonly DryRun?: boolean | undefined
}

export interface EncryptInput extends CryptographicInput {
  readonly KeyId: string
  /** 1–4096 bytes. */
  readonly Plaintext: Uint8Array
  readonly EncryptionAlgorithm?: string | undefined
}

export interface EncryptOutput {
  readonly CiphertextBlob: Uint8Array<ArrayBuffer>
  /** ARN. */
  readonly KeyId: string
  readonly EncryptionAlgorithm: string
}

export interface DecryptInput extends CryptographicInput {
  /** 1–6144 bytes. */
  readonly CiphertextBlob?: Uint8Array | undefined
  readonly KeyId?: string | undefined
  readonly EncryptionAlgorithm?: string | undefined
  readonly Recipient?: object | undefined
  readonly DryRunModifiers?: readonly string[] | undefined
}

export interface DecryptOutput {
  readonly Plaintext: Uint8Array<ArrayBuffer>
  /** ARN. */
  readonly KeyId: string
  readonly KeyMaterialId: string
  readonly EncryptionAlgorithm: string
}

export interface GenerateDataKeyInput extends CryptographicInput {
  readonly KeyId: string
  /** `AES_128` or `AES_256`; or else NumberOfBytes. */
  readonly KeySpec?: string | undefined
  /** 1–1024. */
  readonly NumberOfBytes?: number | undefined
  readonly Recipient?: object | undefined
}

export interface GenerateDataKeyWithoutPlaintextOutput {
  readonly CiphertextBlob: Uint8Array<ArrayBuffer>
  /** ARN. */
  readonly KeyId: string
  readonly KeyMaterialId: string
}

export interface GenerateDataKeyOutput extends GenerateDataKeyWithoutPlaintextOutput {
  readonly Plaintext: Uint8Array<ArrayBuffer>
}

/** Input and output of each action, by its name in the AWS KMS API. */
export interface ActionTypes {
  readonly CreateAlias: { readonly input: CreateAliasInput; readonly output: undefined }
  readonly CreateKey: { readonly input: CreateKeyInput; readonly output: KeyMetadataOutput }
  readonly Decrypt: { readonly input: DecryptInput; readonly output: DecryptOutput }
  readonly DescribeKey: { readonly input: DescribeKeyInput; readonly output: KeyMetadataOutput }
  readonly Encrypt: { readonly input: EncryptInput; readonly output: EncryptOutput }
  readonly GenerateDataKey: { readonly input: GenerateDataKeyInput; readonly output: GenerateDataKeyOutput }
  readonly GenerateDataKeyWithoutPlaintext: {
    readonly input: GenerateDataKeyInput
    readonly output: GenerateDataKeyWithoutPlaintextOutput
  }
  readonly ListAliases: { readonly input: ListAliasesInput; readonly output: ListAliasesOutput }
  readonly ListKeys: { readonly input: PageInput; readonly output: ListKeysOutput }
}

/** Names of the actions. */
export type ActionName = keyof ActionTypes
export type ActionInput<Name extends ActionName> = ActionTypes[Name]['input']
export type ActionOutput<Name extends ActionName> = ActionTypes[Name]['output']
