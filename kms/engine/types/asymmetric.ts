import type { CryptographicInput, GenerateDataKeyWithoutPlaintextOutput } from './cryptography.ts'

interface KeyUse {
  readonly KeyId: string
  readonly GrantTokens?: readonly string[] | undefined
  readonly DryRun?: boolean | undefined
}

export interface SignInput extends KeyUse {
  /** 1–4096 bytes; for `DIGEST`, exactly as many as the algorithm's hash has. */
  readonly Message: Uint8Array
  /** `RAW` (default), `DIGEST`, or `EXTERNAL_MU` for ML-DSA. */
  readonly MessageType?: string | undefined
  readonly SigningAlgorithm: string
}

export interface SignOutput {
  /** ARN. */
  readonly KeyId: string
  readonly Signature: Uint8Array<ArrayBuffer>
  readonly SigningAlgorithm: string
}

export interface VerifyInput extends SignInput {
  readonly Signature: Uint8Array
}

export interface VerifyOutput {
  /** ARN. */
  readonly KeyId: string
  readonly SignatureValid: true
  readonly SigningAlgorithm: string
}

export interface GenerateMacInput extends KeyUse {
  /** 1–4096 bytes. */
  readonly Message: Uint8Array
  readonly MacAlgorithm: string
}

export interface GenerateMacOutput {
  /** ARN. */
  readonly KeyId: string
  readonly Mac: Uint8Array<ArrayBuffer>
  readonly MacAlgorithm: string
}

export interface VerifyMacInput extends GenerateMacInput {
  readonly Mac: Uint8Array
}

export interface VerifyMacOutput {
  /** ARN. */
  readonly KeyId: string
  readonly MacValid: true
  readonly MacAlgorithm: string
}

export interface GetPublicKeyOutput {
  /** ARN. */
  readonly KeyId: string
  /** SubjectPublicKeyInfo, DER. */
  readonly PublicKey: Uint8Array<ArrayBuffer>
  readonly CustomerMasterKeySpec: string
  readonly KeySpec: string
  readonly KeyUsage: string
  /** The algorithms of the key's usage; the other lists are absent. */
  readonly EncryptionAlgorithms?: readonly string[]
  readonly SigningAlgorithms?: readonly string[]
  readonly KeyAgreementAlgorithms?: readonly string[]
  readonly EncapsulationAlgorithms?: readonly string[]
}

export interface DeriveSharedSecretInput extends KeyUse {
  /** `ECDH`. */
  readonly KeyAgreementAlgorithm: string
  /** SubjectPublicKeyInfo, DER, of a key on the same curve. */
  readonly PublicKey: Uint8Array
  readonly Recipient?: object | undefined
}

export interface DeriveSharedSecretOutput {
  /** ARN. */
  readonly KeyId: string
  /** The x coordinate: 32, 48 or 66 bytes. */
  readonly SharedSecret: Uint8Array<ArrayBuffer>
  readonly KeyAgreementAlgorithm: string
  readonly KeyOrigin: string
}

export interface EncapsulateInput extends KeyUse {
  /** `ML_KEM`. */
  readonly EncapsulationAlgorithm: string
}

export interface EncapsulateOutput {
  /** ARN. */
  readonly KeyId: string
  /** 32 bytes. */
  readonly SharedSecret: Uint8Array<ArrayBuffer>
  /** 768, 1088 or 1568 bytes. */
  readonly SharedSecretCiphertextBlob: Uint8Array<ArrayBuffer>
  readonly EncapsulationAlgorithm: string
}

export interface DecapsulateInput extends KeyUse {
  /** `ML_KEM`. */
  readonly EncapsulationAlgorithm: string
  readonly SharedSecretCiphertextBlob: Uint8Array
  readonly Recipient?: object | undefined
}

export interface DecapsulateOutput {
  /** ARN. */
  readonly KeyId: string
  /** 32 bytes. */
  readonly SharedSecret: Uint8Array<ArrayBuffer>
  readonly EncapsulationAlgorithm: string
}

export interface GenerateDataKeyPairInput extends CryptographicInput {
  readonly KeyId: string
  readonly KeyPairSpec: string
  readonly Recipient?: object | undefined
}

export interface GenerateDataKeyPairWithoutPlaintextOutput extends Pick<
  GenerateDataKeyWithoutPlaintextOutput,
  'KeyId' | 'KeyMaterialId'
> {
  readonly PrivateKeyCiphertextBlob: Uint8Array<ArrayBuffer>
  /** SubjectPublicKeyInfo, DER. */
  readonly PublicKey: Uint8Array<ArrayBuffer>
  readonly KeyPairSpec: string
}

export interface GenerateDataKeyPairOutput extends GenerateDataKeyPairWithoutPlaintextOutput {
  /** PKCS #8, DER. */
  readonly PrivateKeyPlaintext: Uint8Array<ArrayBuffer>
}
