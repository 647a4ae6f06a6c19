// Inputs and outputs of the actions: the shapes of the AWS KMS API, with bytes as Uint8Array and times as Date.

export interface Tag {
  readonly TagKey: string
  readonly TagValue: string
}

export interface KeyMetadata {
  readonly AWSAccountId: string
  readonly Arn: string
  /** Of a key in a hardware security module. */
  readonly CloudHsmClusterId?: string
  readonly CreationDate: Date
  /** Of symmetric encryption keys, once they have material. */
  readonly CurrentKeyMaterialId?: string
  /** Of a key in a custom key store. */
  readonly CustomKeyStoreId?: string
  readonly CustomerMasterKeySpec: string
  /** While the key is pending deletion, unless it waits for its replicas. */
  readonly DeletionDate?: Date
  readonly Description: string
  readonly Enabled: boolean
  /** The algorithms of the key's usage; the other lists are absent. */
  readonly EncryptionAlgorithms?: readonly string[]
  readonly SigningAlgorithms?: readonly string[]
  readonly MacAlgorithms?: readonly string[]
  readonly KeyAgreementAlgorithms?: readonly string[]
  readonly EncapsulationAlgorithms?: readonly string[]
  /** Of keys with imported material that is all there; the date is that of the first that expires. */
  readonly ExpirationModel?: string
  readonly ValidTo?: Date
  readonly KeyId: string
  readonly KeyManager: 'CUSTOMER'
  readonly KeySpec: string
  readonly KeyState: string
  readonly KeyUsage: string
  readonly MultiRegion: boolean
  /** Of multi-Region keys. */
  readonly MultiRegionConfiguration?: MultiRegionConfiguration
  readonly Origin: string
  /** Of a primary key that waits for its replicas to end: the days that begin then. */
  readonly PendingDeletionWindowInDays?: number | undefined
  /** Of a key in an external key store. */
  readonly XksKeyConfiguration?: { readonly Id: string }
}

export interface MultiRegionConfiguration {
  readonly MultiRegionKeyType: 'PRIMARY' | 'REPLICA'
  readonly PrimaryKey: MultiRegionKey
  /** All of them, the key itself included if it is a replica. */
  readonly ReplicaKeys: readonly MultiRegionKey[]
}

export interface MultiRegionKey {
  readonly Arn: string
  readonly Region: string
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

export interface PageOutput {
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

export interface KeyIdInput {
  /** Key id or key ARN. */
  readonly KeyId: string
}

export interface KeyIdOutput {
  /** ARN. */
  readonly KeyId: string
}

export interface UpdateKeyDescriptionInput extends KeyIdInput {
  /** At most 8192 characters. */
  readonly Description: string
}

export interface TagResourceInput extends KeyIdInput {
  readonly Tags: readonly Tag[]
}

export interface UntagResourceInput extends KeyIdInput {
  readonly TagKeys: readonly string[]
}

export interface ListOfKeyInput extends KeyIdInput, PageInput {}

export interface ListResourceTagsOutput extends PageOutput {
  readonly Tags: readonly Tag[]
}

export interface DeleteAliasInput {
  readonly AliasName: string
}

export interface ScheduleKeyDeletionInput extends KeyIdInput {
  /** 7–30, default 30. */
  readonly PendingWindowInDays?: number | undefined
}

export interface ScheduleKeyDeletionOutput extends KeyIdOutput {
  /** Absent for a primary key with replicas. */
  readonly DeletionDate?: Date
  readonly KeyState: string
  readonly PendingWindowInDays: number
}

export interface EnableKeyRotationInput extends KeyIdInput {
  /** 90–2560, default 365. */
  readonly RotationPeriodInDays?: number | undefined
}

export interface GetKeyRotationStatusOutput extends KeyIdOutput {
  readonly KeyRotationEnabled: boolean
  /** Only when rotation is enabled, as the date. */
  readonly RotationPeriodInDays?: number
  readonly NextRotationDate?: Date
}

export interface ListKeyRotationsInput extends ListOfKeyInput {
  /** `ALL_KEY_MATERIAL` or `ROTATIONS_ONLY` (default). */
  readonly IncludeKeyMaterial?: string | undefined
}

export interface RotationsListEntry {
  /** Key id. */
  readonly KeyId: string
  readonly KeyMaterialId: string
  readonly KeyMaterialState: string
  /** Of imported material, as the next three. */
  readonly ImportState?: string
  readonly KeyMaterialDescription?: string
  readonly ExpirationModel?: string
  readonly ValidTo?: Date
  /** Absent for the first material. */
  readonly RotationDate?: Date
  readonly RotationType?: string
}

export interface ListKeyRotationsOutput extends PageOutput {
  readonly Rotations: readonly RotationsListEntry[]
}

export interface GetKeyLastUsageOutput extends KeyIdOutput {
  /** Absent if there was no use since `TrackingStartDate`. */
  readonly KeyLastUsage?: {
    readonly Operation: string
    readonly Timestamp: Date
    readonly CloudTrailEventId: string
    readonly KmsRequestId: string
  }
  readonly TrackingStartDate: Date
  readonly KeyCreationDate: Date
}

export interface ReplicateKeyInput extends KeyIdInput {
  /** Another Region that is served. */
  readonly ReplicaRegion: string
  readonly Description?: string | undefined
  readonly Tags?: readonly Tag[] | undefined
  readonly Policy?: string | undefined
  readonly BypassPolicyLockoutSafetyCheck?: boolean | undefined
}

export interface ReplicateKeyOutput {
  readonly ReplicaKeyMetadata: KeyMetadata
  readonly ReplicaPolicy: string
  readonly ReplicaTags: readonly Tag[]
}

export interface UpdatePrimaryRegionInput extends KeyIdInput {
  /** A Region with a replica. */
  readonly PrimaryRegion: string
}
