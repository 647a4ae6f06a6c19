import type { KeyIdInput, KeyIdOutput } from './keys.ts'

export interface GetParametersForImportInput extends KeyIdInput {
  /** `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`, `RSA_AES_KEY_WRAP_SHA_1` or `RSA_AES_KEY_WRAP_SHA_256`. */
  readonly WrappingAlgorithm: string
  /** `RSA_2048`, `RSA_3072` or `RSA_4096`. */
  readonly WrappingKeySpec: string
}

export interface GetParametersForImportOutput extends KeyIdOutput {
  readonly ImportToken: Uint8Array<ArrayBuffer>
  /** SubjectPublicKeyInfo, DER, of the key to wrap with. */
  readonly PublicKey: Uint8Array<ArrayBuffer>
  /** 24 hours later. */
  readonly ParametersValidTo: Date
}

export interface ImportKeyMaterialInput extends KeyIdInput {
  readonly ImportToken: Uint8Array
  /** Wrapped as was agreed on with the token. */
  readonly EncryptedKeyMaterial: Uint8Array
  /** At most 365 days ahead; needed unless the material does not expire. */
  readonly ValidTo?: Date | undefined
  /** `KEY_MATERIAL_EXPIRES` (default) or `KEY_MATERIAL_DOES_NOT_EXPIRE`. */
  readonly ExpirationModel?: string | undefined
  /** `NEW_KEY_MATERIAL` (default the first time) or `EXISTING_KEY_MATERIAL`; of symmetric encryption keys, as the next two. */
  readonly ImportType?: string | undefined
  readonly KeyMaterialDescription?: string | undefined
  /** 64 hexadecimal digits. */
  readonly KeyMaterialId?: string | undefined
}

export interface ImportKeyMaterialOutput extends KeyIdOutput {
  readonly KeyMaterialId: string
}

export interface DeleteImportedKeyMaterialInput extends KeyIdInput {
  /** Default: the current material. */
  readonly KeyMaterialId?: string | undefined
}

export interface DeleteImportedKeyMaterialOutput extends KeyIdOutput {
  /** Absent if the key has had no material. */
  readonly KeyMaterialId?: string
}
