import type { EncryptionContext } from '../../../src/index.ts'

/** What the cryptographic actions share. */
export interface CryptographicInput {
  readonly EncryptionContext?: EncryptionContext | undefined
  /** At most ten. */
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
  /** Of symmetric keys. */
  readonly KeyMaterialId?: string
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
  /** Of keys that are in no custom key store. */
  readonly KeyMaterialId?: string
}

export interface GenerateDataKeyOutput extends GenerateDataKeyWithoutPlaintextOutput {
  readonly Plaintext: Uint8Array<ArrayBuffer>
}

export interface ReEncryptInput {
  /** 1–6144 bytes. */
  readonly CiphertextBlob?: Uint8Array | undefined
  readonly SourceEncryptionContext?: EncryptionContext | undefined
  readonly SourceKeyId?: string | undefined
  readonly DestinationKeyId: string
  readonly DestinationEncryptionContext?: EncryptionContext | undefined
  readonly SourceEncryptionAlgorithm?: string | undefined
  readonly DestinationEncryptionAlgorithm?: string | undefined
  readonly GrantTokens?: readonly string[] | undefined
  readonly DryRun?: boolean | undefined
  readonly DryRunModifiers?: readonly string[] | undefined
}

export interface ReEncryptOutput {
  readonly CiphertextBlob: Uint8Array<ArrayBuffer>
  /** ARN. */
  readonly SourceKeyId: string
  /** ARN of the destination. */
  readonly KeyId: string
  readonly SourceEncryptionAlgorithm: string
  readonly DestinationEncryptionAlgorithm: string
  /** Of symmetric keys. */
  readonly SourceKeyMaterialId?: string
  readonly DestinationKeyMaterialId?: string
}

export interface GenerateRandomInput {
  /** 1–1024. */
  readonly NumberOfBytes?: number | undefined
  readonly CustomKeyStoreId?: string | undefined
  readonly Recipient?: object | undefined
}

export interface GenerateRandomOutput {
  readonly Plaintext: Uint8Array<ArrayBuffer>
}
