/**
 * The input shapes of the actions, with the constraints of the public service model of AWS KMS (API version
 * 2014-11-01). Data only: `validate.ts` interprets it.
 */
export type Shape =
  | {
      readonly type: 'string'
      readonly min?: number
      readonly max?: number
      readonly pattern?: string
      readonly members?: readonly string[]
    }
  | { readonly type: 'blob'; readonly min?: number; readonly max?: number }
  | { readonly type: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'list'; readonly of: ShapeName; readonly min?: number; readonly max?: number }
  | { readonly type: 'map' }
  | {
      readonly type: 'structure'
      readonly required: readonly string[]
      readonly fields: Readonly<Record<string, ShapeName>>
    }

// prettier-ignore
export type ShapeName =
  | 'PolicyType'
  | 'DescriptionType'
  | 'KeyUsageType'
  | 'CustomerMasterKeySpec'
  | 'KeySpec'
  | 'OriginType'
  | 'CustomKeyStoreIdType'
  | 'BooleanType'
  | 'TagKeyType'
  | 'TagValueType'
  | 'Tag'
  | 'TagList'
  | 'NullableBooleanType'
  | 'XksKeyIdType'
  | 'CreateKeyRequest'
  | 'KeyIdType'
  | 'GrantTokenType'
  | 'GrantTokenList'
  | 'DescribeKeyRequest'
  | 'LimitType'
  | 'MarkerType'
  | 'ListKeysRequest'
  | 'AliasNameType'
  | 'CreateAliasRequest'
  | 'ListAliasesRequest'
  | 'PlaintextType'
  | 'EncryptionContextKey'
  | 'EncryptionContextValue'
  | 'EncryptionContextType'
  | 'EncryptionAlgorithmSpec'
  | 'EncryptRequest'
  | 'CiphertextType'
  | 'KeyEncryptionMechanism'
  | 'AttestationDocumentType'
  | 'RecipientInfo'
  | 'DryRunModifierType'
  | 'DryRunModifierList'
  | 'DecryptRequest'
  | 'NumberOfBytesType'
  | 'DataKeySpec'
  | 'GenerateDataKeyRequest'
  | 'GenerateDataKeyWithoutPlaintextRequest'

// prettier-ignore
export const SHAPES: Readonly<Record<ShapeName, Shape>> = {
  PolicyType: { type: 'string', min: 1, max: 131072, pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' },
  DescriptionType: { type: 'string', min: 0, max: 8192 },
  KeyUsageType: { type: 'string', members: ['SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'] },
  CustomerMasterKeySpec: { type: 'string', members: ['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'SYMMETRIC_DEFAULT', 'HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512', 'SM2'] },
  KeySpec: { type: 'string', members: ['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'SYMMETRIC_DEFAULT', 'HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512', 'SM2', 'ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87', 'ECC_NIST_EDWARDS25519'] },
  OriginType: { type: 'string', members: ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] },
  CustomKeyStoreIdType: { type: 'string', min: 1, max: 64 },
  BooleanType: { type: 'boolean' },
  TagKeyType: { type: 'string', min: 1, max: 128 },
  TagValueType: { type: 'string', min: 0, max: 256 },
  Tag: { type: 'structure', required: ['TagKey', 'TagValue'], fields: {TagKey: 'TagKeyType', TagValue: 'TagValueType'} },
  TagList: { type: 'list', of: 'Tag' },
  NullableBooleanType: { type: 'boolean' },
  XksKeyIdType: { type: 'string', min: 1, max: 128, pattern: '^[a-zA-Z0-9-_.]+$' },
  CreateKeyRequest: { type: 'structure', required: [], fields: {Policy: 'PolicyType', Description: 'DescriptionType', KeyUsage: 'KeyUsageType', CustomerMasterKeySpec: 'CustomerMasterKeySpec', KeySpec: 'KeySpec', Origin: 'OriginType', CustomKeyStoreId: 'CustomKeyStoreIdType', BypassPolicyLockoutSafetyCheck: 'BooleanType', Tags: 'TagList', MultiRegion: 'NullableBooleanType', XksKeyId: 'XksKeyIdType'} },
  KeyIdType: { type: 'string', min: 1, max: 2048 },
  GrantTokenType: { type: 'string', min: 1, max: 8192 },
  GrantTokenList: { type: 'list', min: 0, max: 10, of: 'GrantTokenType' },
  DescribeKeyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', GrantTokens: 'GrantTokenList'} },
  LimitType: { type: 'integer', min: 1, max: 1000 },
  MarkerType: { type: 'string', min: 1, max: 1024, pattern: '[\\u0020-\\u00FF]*' },
  ListKeysRequest: { type: 'structure', required: [], fields: {Limit: 'LimitType', Marker: 'MarkerType'} },
  AliasNameType: { type: 'string', min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' },
  CreateAliasRequest: { type: 'structure', required: ['AliasName', 'TargetKeyId'], fields: {AliasName: 'AliasNameType', TargetKeyId: 'KeyIdType'} },
  ListAliasesRequest: { type: 'structure', required: [], fields: {KeyId: 'KeyIdType', Limit: 'LimitType', Marker: 'MarkerType'} },
  PlaintextType: { type: 'blob', min: 1, max: 4096 },
  EncryptionContextKey: { type: 'string' },
  EncryptionContextValue: { type: 'string' },
  EncryptionContextType: { type: 'map' },
  EncryptionAlgorithmSpec: { type: 'string', members: ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'] },
  EncryptRequest: { type: 'structure', required: ['KeyId', 'Plaintext'], fields: {KeyId: 'KeyIdType', Plaintext: 'PlaintextType', EncryptionContext: 'EncryptionContextType', GrantTokens: 'GrantTokenList', EncryptionAlgorithm: 'EncryptionAlgorithmSpec', DryRun: 'NullableBooleanType'} },
  CiphertextType: { type: 'blob', min: 1, max: 6144 },
  KeyEncryptionMechanism: { type: 'string', members: ['RSAES_OAEP_SHA_256'] },
  AttestationDocumentType: { type: 'blob', min: 1, max: 262144 },
  RecipientInfo: { type: 'structure', required: [], fields: {KeyEncryptionAlgorithm: 'KeyEncryptionMechanism', AttestationDocument: 'AttestationDocumentType'} },
  DryRunModifierType: { type: 'string', members: ['IGNORE_CIPHERTEXT'] },
  DryRunModifierList: { type: 'list', of: 'DryRunModifierType' },
  DecryptRequest: { type: 'structure', required: [], fields: {CiphertextBlob: 'CiphertextType', EncryptionContext: 'EncryptionContextType', GrantTokens: 'GrantTokenList', KeyId: 'KeyIdType', EncryptionAlgorithm: 'EncryptionAlgorithmSpec', Recipient: 'RecipientInfo', DryRun: 'NullableBooleanType', DryRunModifiers: 'DryRunModifierList'} },
  NumberOfBytesType: { type: 'integer', min: 1, max: 1024 },
  DataKeySpec: { type: 'string', members: ['AES_256', 'AES_128'] },
  GenerateDataKeyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', EncryptionContext: 'EncryptionContextType', NumberOfBytes: 'NumberOfBytesType', KeySpec: 'DataKeySpec', GrantTokens: 'GrantTokenList', Recipient: 'RecipientInfo', DryRun: 'NullableBooleanType'} },
  GenerateDataKeyWithoutPlaintextRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', EncryptionContext: 'EncryptionContextType', KeySpec: 'DataKeySpec', NumberOfBytes: 'NumberOfBytesType', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType'} },
}
