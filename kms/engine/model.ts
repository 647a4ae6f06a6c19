/**
 * The input shapes of the actions, with the constraints of the public service model of AWS KMS (API version
 * 2014-11-01) and, for ML-KEM, which that lacks, the documentation of the JavaScript SDK. Data only: `validate.ts` interprets it.
 */
export type Shape =
  | {
      readonly type: 'string'
      readonly min?: number
      readonly max?: number
      readonly pattern?: string
      readonly members?: readonly string[]
      /** Never in a message or a log. */
      readonly isSecret?: boolean
    }
  | { readonly type: 'blob'; readonly min?: number; readonly max?: number; readonly isSecret?: boolean }
  | { readonly type: 'integer'; readonly min?: number; readonly max?: number }
  | { readonly type: 'boolean' }
  | { readonly type: 'timestamp' }
  | { readonly type: 'list'; readonly of: ShapeName; readonly min?: number; readonly max?: number }
  | { readonly type: 'map' }
  | {
      readonly type: 'structure'
      readonly required: readonly string[]
      readonly fields: Readonly<Record<string, ShapeName>>
    }

// prettier-ignore
export type ShapeName =
  | 'KeyIdType'
  | 'CancelKeyDeletionRequest'
  | 'CustomKeyStoreIdType'
  | 'ConnectCustomKeyStoreRequest'
  | 'AliasNameType'
  | 'CreateAliasRequest'
  | 'CustomKeyStoreNameType'
  | 'CloudHsmClusterIdType'
  | 'TrustAnchorCertificateType'
  | 'KeyStorePasswordType'
  | 'CustomKeyStoreType'
  | 'XksProxyUriEndpointType'
  | 'XksProxyUriPathType'
  | 'XksProxyVpcEndpointServiceNameType'
  | 'AccountIdType'
  | 'XksProxyAuthenticationAccessKeyIdType'
  | 'XksProxyAuthenticationRawSecretAccessKeyType'
  | 'XksProxyAuthenticationCredentialType'
  | 'XksProxyConnectivityType'
  | 'CreateCustomKeyStoreRequest'
  | 'PrincipalIdType'
  | 'GrantOperation'
  | 'GrantOperationList'
  | 'EncryptionContextKey'
  | 'EncryptionContextValue'
  | 'EncryptionContextType'
  | 'GrantConstraints'
  | 'GrantTokenType'
  | 'GrantTokenList'
  | 'GrantNameType'
  | 'NullableBooleanType'
  | 'CreateGrantRequest'
  | 'PolicyType'
  | 'DescriptionType'
  | 'KeyUsageType'
  | 'CustomerMasterKeySpec'
  | 'KeySpec'
  | 'OriginType'
  | 'BooleanType'
  | 'TagKeyType'
  | 'TagValueType'
  | 'Tag'
  | 'TagList'
  | 'XksKeyIdType'
  | 'CreateKeyRequest'
  | 'CiphertextType'
  | 'EncryptionAlgorithmSpec'
  | 'KeyEncryptionMechanism'
  | 'AttestationDocumentType'
  | 'RecipientInfo'
  | 'DryRunModifierType'
  | 'DryRunModifierList'
  | 'DecryptRequest'
  | 'DeleteAliasRequest'
  | 'DeleteCustomKeyStoreRequest'
  | 'BackingKeyIdType'
  | 'DeleteImportedKeyMaterialRequest'
  | 'KeyAgreementAlgorithmSpec'
  | 'PublicKeyType'
  | 'DeriveSharedSecretRequest'
  | 'EncapsulationAlgorithmSpec'
  | 'EncapsulateRequest'
  | 'DecapsulateRequest'
  | 'LimitType'
  | 'MarkerType'
  | 'DescribeCustomKeyStoresRequest'
  | 'DescribeKeyRequest'
  | 'DisableKeyRequest'
  | 'DisableKeyRotationRequest'
  | 'DisconnectCustomKeyStoreRequest'
  | 'EnableKeyRequest'
  | 'RotationPeriodInDaysType'
  | 'EnableKeyRotationRequest'
  | 'PlaintextType'
  | 'EncryptRequest'
  | 'NumberOfBytesType'
  | 'DataKeySpec'
  | 'GenerateDataKeyRequest'
  | 'DataKeyPairSpec'
  | 'GenerateDataKeyPairRequest'
  | 'GenerateDataKeyPairWithoutPlaintextRequest'
  | 'GenerateDataKeyWithoutPlaintextRequest'
  | 'MacAlgorithmSpec'
  | 'GenerateMacRequest'
  | 'GenerateRandomRequest'
  | 'GetKeyLastUsageRequest'
  | 'PolicyNameType'
  | 'GetKeyPolicyRequest'
  | 'GetKeyRotationStatusRequest'
  | 'AlgorithmSpec'
  | 'WrappingKeySpec'
  | 'GetParametersForImportRequest'
  | 'GetPublicKeyRequest'
  | 'DateType'
  | 'ExpirationModelType'
  | 'ImportType'
  | 'KeyMaterialDescriptionType'
  | 'ImportKeyMaterialRequest'
  | 'ListAliasesRequest'
  | 'GrantIdType'
  | 'ListGrantsRequest'
  | 'ListKeyPoliciesRequest'
  | 'IncludeKeyMaterial'
  | 'ListKeyRotationsRequest'
  | 'ListKeysRequest'
  | 'ListResourceTagsRequest'
  | 'ListRetirableGrantsRequest'
  | 'PutKeyPolicyRequest'
  | 'ReEncryptRequest'
  | 'RegionType'
  | 'ReplicateKeyRequest'
  | 'RetireGrantRequest'
  | 'RevokeGrantRequest'
  | 'RotateKeyOnDemandRequest'
  | 'PendingWindowInDaysType'
  | 'ScheduleKeyDeletionRequest'
  | 'MessageType'
  | 'SigningAlgorithmSpec'
  | 'SignRequest'
  | 'TagResourceRequest'
  | 'TagKeyList'
  | 'UntagResourceRequest'
  | 'UpdateAliasRequest'
  | 'UpdateCustomKeyStoreRequest'
  | 'UpdateKeyDescriptionRequest'
  | 'UpdatePrimaryRegionRequest'
  | 'VerifyRequest'
  | 'VerifyMacRequest'

// prettier-ignore
export const SHAPES: Readonly<Record<ShapeName, Shape>> = {
  KeyIdType: { type: 'string', min: 1, max: 2048 },
  CancelKeyDeletionRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType'} },
  CustomKeyStoreIdType: { type: 'string', min: 1, max: 64 },
  ConnectCustomKeyStoreRequest: { type: 'structure', required: ['CustomKeyStoreId'], fields: {CustomKeyStoreId: 'CustomKeyStoreIdType'} },
  AliasNameType: { type: 'string', min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' },
  CreateAliasRequest: { type: 'structure', required: ['AliasName', 'TargetKeyId'], fields: {AliasName: 'AliasNameType', TargetKeyId: 'KeyIdType'} },
  CustomKeyStoreNameType: { type: 'string', min: 1, max: 256 },
  CloudHsmClusterIdType: { type: 'string', min: 19, max: 24, pattern: 'cluster-[2-7a-zA-Z]{11,16}' },
  TrustAnchorCertificateType: { type: 'string', min: 1, max: 5000 },
  KeyStorePasswordType: { type: 'string', min: 7, max: 32, isSecret: true },
  CustomKeyStoreType: { type: 'string', members: ['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] },
  XksProxyUriEndpointType: { type: 'string', min: 10, max: 128, pattern: '^https://[a-zA-Z0-9.-]+$' },
  XksProxyUriPathType: { type: 'string', min: 10, max: 128, pattern: '^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$' },
  XksProxyVpcEndpointServiceNameType: { type: 'string', min: 20, max: 64, pattern: '^(com|eu)\\.amazonaws\\.vpce\\.([a-z]+-){2,3}\\d+\\.vpce-svc-[0-9a-z]+$' },
  AccountIdType: { type: 'string', min: 12, max: 12, pattern: '[0-9]{12}' },
  XksProxyAuthenticationAccessKeyIdType: { type: 'string', min: 20, max: 30, pattern: '^[A-Z2-7]+$', isSecret: true },
  XksProxyAuthenticationRawSecretAccessKeyType: { type: 'string', min: 43, max: 64, pattern: '^[a-zA-Z0-9\\/+=]+$', isSecret: true },
  XksProxyAuthenticationCredentialType: { type: 'structure', required: ['AccessKeyId', 'RawSecretAccessKey'], fields: {AccessKeyId: 'XksProxyAuthenticationAccessKeyIdType', RawSecretAccessKey: 'XksProxyAuthenticationRawSecretAccessKeyType'} },
  XksProxyConnectivityType: { type: 'string', members: ['PUBLIC_ENDPOINT', 'VPC_ENDPOINT_SERVICE'] },
  CreateCustomKeyStoreRequest: { type: 'structure', required: ['CustomKeyStoreName'], fields: {CustomKeyStoreName: 'CustomKeyStoreNameType', CloudHsmClusterId: 'CloudHsmClusterIdType', TrustAnchorCertificate: 'TrustAnchorCertificateType', KeyStorePassword: 'KeyStorePasswordType', CustomKeyStoreType: 'CustomKeyStoreType', XksProxyUriEndpoint: 'XksProxyUriEndpointType', XksProxyUriPath: 'XksProxyUriPathType', XksProxyVpcEndpointServiceName: 'XksProxyVpcEndpointServiceNameType', XksProxyVpcEndpointServiceOwner: 'AccountIdType', XksProxyAuthenticationCredential: 'XksProxyAuthenticationCredentialType', XksProxyConnectivity: 'XksProxyConnectivityType'} },
  PrincipalIdType: { type: 'string', min: 1, max: 256, pattern: '^[\\w+=,.@:/-]+$' },
  GrantOperation: { type: 'string', members: ['Decrypt', 'Encrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'ReEncryptFrom', 'ReEncryptTo', 'Sign', 'Verify', 'GetPublicKey', 'CreateGrant', 'RetireGrant', 'DescribeKey', 'GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext', 'GenerateMac', 'VerifyMac', 'DeriveSharedSecret', 'Encapsulate', 'Decapsulate'] },
  GrantOperationList: { type: 'list', of: 'GrantOperation' },
  EncryptionContextKey: { type: 'string' },
  EncryptionContextValue: { type: 'string' },
  EncryptionContextType: { type: 'map' },
  GrantConstraints: { type: 'structure', required: [], fields: {EncryptionContextSubset: 'EncryptionContextType', EncryptionContextEquals: 'EncryptionContextType'} },
  GrantTokenType: { type: 'string', min: 1, max: 8192 },
  GrantTokenList: { type: 'list', min: 0, max: 10, of: 'GrantTokenType' },
  GrantNameType: { type: 'string', min: 1, max: 256, pattern: '^[a-zA-Z0-9:/_-]+$' },
  NullableBooleanType: { type: 'boolean' },
  CreateGrantRequest: { type: 'structure', required: ['KeyId', 'GranteePrincipal', 'Operations'], fields: {KeyId: 'KeyIdType', GranteePrincipal: 'PrincipalIdType', RetiringPrincipal: 'PrincipalIdType', Operations: 'GrantOperationList', Constraints: 'GrantConstraints', GrantTokens: 'GrantTokenList', Name: 'GrantNameType', DryRun: 'NullableBooleanType'} },
  PolicyType: { type: 'string', min: 1, max: 131072, pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' },
  DescriptionType: { type: 'string', min: 0, max: 8192 },
  KeyUsageType: { type: 'string', members: ['SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT', 'ENCAPSULATE_DECAPSULATE'] },
  CustomerMasterKeySpec: { type: 'string', members: ['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'SYMMETRIC_DEFAULT', 'HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512', 'SM2'] },
  KeySpec: { type: 'string', members: ['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'SYMMETRIC_DEFAULT', 'HMAC_224', 'HMAC_256', 'HMAC_384', 'HMAC_512', 'SM2', 'ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87', 'ECC_NIST_EDWARDS25519', 'ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'] },
  OriginType: { type: 'string', members: ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'] },
  BooleanType: { type: 'boolean' },
  TagKeyType: { type: 'string', min: 1, max: 128 },
  TagValueType: { type: 'string', min: 0, max: 256 },
  Tag: { type: 'structure', required: ['TagKey', 'TagValue'], fields: {TagKey: 'TagKeyType', TagValue: 'TagValueType'} },
  TagList: { type: 'list', of: 'Tag' },
  XksKeyIdType: { type: 'string', min: 1, max: 128, pattern: '^[a-zA-Z0-9-_.]+$' },
  CreateKeyRequest: { type: 'structure', required: [], fields: {Policy: 'PolicyType', Description: 'DescriptionType', KeyUsage: 'KeyUsageType', CustomerMasterKeySpec: 'CustomerMasterKeySpec', KeySpec: 'KeySpec', Origin: 'OriginType', CustomKeyStoreId: 'CustomKeyStoreIdType', BypassPolicyLockoutSafetyCheck: 'BooleanType', Tags: 'TagList', MultiRegion: 'NullableBooleanType', XksKeyId: 'XksKeyIdType'} },
  CiphertextType: { type: 'blob', min: 1, max: 6144 },
  EncryptionAlgorithmSpec: { type: 'string', members: ['SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'SM2PKE'] },
  KeyEncryptionMechanism: { type: 'string', members: ['RSAES_OAEP_SHA_256'] },
  AttestationDocumentType: { type: 'blob', min: 1, max: 262144 },
  RecipientInfo: { type: 'structure', required: [], fields: {KeyEncryptionAlgorithm: 'KeyEncryptionMechanism', AttestationDocument: 'AttestationDocumentType'} },
  DryRunModifierType: { type: 'string', members: ['IGNORE_CIPHERTEXT'] },
  DryRunModifierList: { type: 'list', of: 'DryRunModifierType' },
  DecryptRequest: { type: 'structure', required: [], fields: {CiphertextBlob: 'CiphertextType', EncryptionContext: 'EncryptionContextType', GrantTokens: 'GrantTokenList', KeyId: 'KeyIdType', EncryptionAlgorithm: 'EncryptionAlgorithmSpec', Recipient: 'RecipientInfo', DryRun: 'NullableBooleanType', DryRunModifiers: 'DryRunModifierList'} },
  DeleteAliasRequest: { type: 'structure', required: ['AliasName'], fields: {AliasName: 'AliasNameType'} },
  DeleteCustomKeyStoreRequest: { type: 'structure', required: ['CustomKeyStoreId'], fields: {CustomKeyStoreId: 'CustomKeyStoreIdType'} },
  BackingKeyIdType: { type: 'string', min: 64, max: 64, pattern: '^[a-f0-9]+$' },
  DeleteImportedKeyMaterialRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', KeyMaterialId: 'BackingKeyIdType'} },
  KeyAgreementAlgorithmSpec: { type: 'string', members: ['ECDH'] },
  PublicKeyType: { type: 'blob', min: 1, max: 8192 },
  DeriveSharedSecretRequest: { type: 'structure', required: ['KeyId', 'KeyAgreementAlgorithm', 'PublicKey'], fields: {KeyId: 'KeyIdType', KeyAgreementAlgorithm: 'KeyAgreementAlgorithmSpec', PublicKey: 'PublicKeyType', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType', Recipient: 'RecipientInfo'} },
  EncapsulationAlgorithmSpec: { type: 'string', members: ['ML_KEM'] },
  EncapsulateRequest: { type: 'structure', required: ['KeyId', 'EncapsulationAlgorithm'], fields: {KeyId: 'KeyIdType', EncapsulationAlgorithm: 'EncapsulationAlgorithmSpec', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType'} },
  DecapsulateRequest: { type: 'structure', required: ['KeyId', 'SharedSecretCiphertextBlob', 'EncapsulationAlgorithm'], fields: {KeyId: 'KeyIdType', SharedSecretCiphertextBlob: 'CiphertextType', EncapsulationAlgorithm: 'EncapsulationAlgorithmSpec', GrantTokens: 'GrantTokenList', Recipient: 'RecipientInfo', DryRun: 'NullableBooleanType'} },
  LimitType: { type: 'integer', min: 1, max: 1000 },
  MarkerType: { type: 'string', min: 1, max: 1024, pattern: '[\\u0020-\\u00FF]*' },
  DescribeCustomKeyStoresRequest: { type: 'structure', required: [], fields: {CustomKeyStoreId: 'CustomKeyStoreIdType', CustomKeyStoreName: 'CustomKeyStoreNameType', Limit: 'LimitType', Marker: 'MarkerType'} },
  DescribeKeyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', GrantTokens: 'GrantTokenList'} },
  DisableKeyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType'} },
  DisableKeyRotationRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType'} },
  DisconnectCustomKeyStoreRequest: { type: 'structure', required: ['CustomKeyStoreId'], fields: {CustomKeyStoreId: 'CustomKeyStoreIdType'} },
  EnableKeyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType'} },
  RotationPeriodInDaysType: { type: 'integer', min: 90, max: 2560 },
  EnableKeyRotationRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', RotationPeriodInDays: 'RotationPeriodInDaysType'} },
  PlaintextType: { type: 'blob', min: 1, max: 4096, isSecret: true },
  EncryptRequest: { type: 'structure', required: ['KeyId', 'Plaintext'], fields: {KeyId: 'KeyIdType', Plaintext: 'PlaintextType', EncryptionContext: 'EncryptionContextType', GrantTokens: 'GrantTokenList', EncryptionAlgorithm: 'EncryptionAlgorithmSpec', DryRun: 'NullableBooleanType'} },
  NumberOfBytesType: { type: 'integer', min: 1, max: 1024 },
  DataKeySpec: { type: 'string', members: ['AES_256', 'AES_128'] },
  GenerateDataKeyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', EncryptionContext: 'EncryptionContextType', NumberOfBytes: 'NumberOfBytesType', KeySpec: 'DataKeySpec', GrantTokens: 'GrantTokenList', Recipient: 'RecipientInfo', DryRun: 'NullableBooleanType'} },
  DataKeyPairSpec: { type: 'string', members: ['RSA_2048', 'RSA_3072', 'RSA_4096', 'ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1', 'SM2', 'ECC_NIST_EDWARDS25519', 'ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'] },
  GenerateDataKeyPairRequest: { type: 'structure', required: ['KeyId', 'KeyPairSpec'], fields: {EncryptionContext: 'EncryptionContextType', KeyId: 'KeyIdType', KeyPairSpec: 'DataKeyPairSpec', GrantTokens: 'GrantTokenList', Recipient: 'RecipientInfo', DryRun: 'NullableBooleanType'} },
  GenerateDataKeyPairWithoutPlaintextRequest: { type: 'structure', required: ['KeyId', 'KeyPairSpec'], fields: {EncryptionContext: 'EncryptionContextType', KeyId: 'KeyIdType', KeyPairSpec: 'DataKeyPairSpec', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType'} },
  GenerateDataKeyWithoutPlaintextRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', EncryptionContext: 'EncryptionContextType', KeySpec: 'DataKeySpec', NumberOfBytes: 'NumberOfBytesType', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType'} },
  MacAlgorithmSpec: { type: 'string', members: ['HMAC_SHA_224', 'HMAC_SHA_256', 'HMAC_SHA_384', 'HMAC_SHA_512'] },
  GenerateMacRequest: { type: 'structure', required: ['Message', 'KeyId', 'MacAlgorithm'], fields: {Message: 'PlaintextType', KeyId: 'KeyIdType', MacAlgorithm: 'MacAlgorithmSpec', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType'} },
  GenerateRandomRequest: { type: 'structure', required: [], fields: {NumberOfBytes: 'NumberOfBytesType', CustomKeyStoreId: 'CustomKeyStoreIdType', Recipient: 'RecipientInfo'} },
  GetKeyLastUsageRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType'} },
  PolicyNameType: { type: 'string', min: 1, max: 128, pattern: '[\\w]+' },
  GetKeyPolicyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', PolicyName: 'PolicyNameType'} },
  GetKeyRotationStatusRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType'} },
  AlgorithmSpec: { type: 'string', members: ['RSAES_PKCS1_V1_5', 'RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_1', 'RSA_AES_KEY_WRAP_SHA_256', 'SM2PKE'] },
  WrappingKeySpec: { type: 'string', members: ['RSA_2048', 'RSA_3072', 'RSA_4096', 'SM2'] },
  GetParametersForImportRequest: { type: 'structure', required: ['KeyId', 'WrappingAlgorithm', 'WrappingKeySpec'], fields: {KeyId: 'KeyIdType', WrappingAlgorithm: 'AlgorithmSpec', WrappingKeySpec: 'WrappingKeySpec'} },
  GetPublicKeyRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', GrantTokens: 'GrantTokenList'} },
  DateType: { type: 'timestamp' },
  ExpirationModelType: { type: 'string', members: ['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE'] },
  ImportType: { type: 'string', members: ['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'] },
  KeyMaterialDescriptionType: { type: 'string', min: 0, max: 256, pattern: '^[a-zA-Z0-9:/_\\s.-]+$' },
  ImportKeyMaterialRequest: { type: 'structure', required: ['KeyId', 'ImportToken', 'EncryptedKeyMaterial'], fields: {KeyId: 'KeyIdType', ImportToken: 'CiphertextType', EncryptedKeyMaterial: 'CiphertextType', ValidTo: 'DateType', ExpirationModel: 'ExpirationModelType', ImportType: 'ImportType', KeyMaterialDescription: 'KeyMaterialDescriptionType', KeyMaterialId: 'BackingKeyIdType'} },
  ListAliasesRequest: { type: 'structure', required: [], fields: {KeyId: 'KeyIdType', Limit: 'LimitType', Marker: 'MarkerType'} },
  GrantIdType: { type: 'string', min: 1, max: 128 },
  ListGrantsRequest: { type: 'structure', required: ['KeyId'], fields: {Limit: 'LimitType', Marker: 'MarkerType', KeyId: 'KeyIdType', GrantId: 'GrantIdType', GranteePrincipal: 'PrincipalIdType'} },
  ListKeyPoliciesRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', Limit: 'LimitType', Marker: 'MarkerType'} },
  IncludeKeyMaterial: { type: 'string', members: ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'] },
  ListKeyRotationsRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', IncludeKeyMaterial: 'IncludeKeyMaterial', Limit: 'LimitType', Marker: 'MarkerType'} },
  ListKeysRequest: { type: 'structure', required: [], fields: {Limit: 'LimitType', Marker: 'MarkerType'} },
  ListResourceTagsRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', Limit: 'LimitType', Marker: 'MarkerType'} },
  ListRetirableGrantsRequest: { type: 'structure', required: ['RetiringPrincipal'], fields: {Limit: 'LimitType', Marker: 'MarkerType', RetiringPrincipal: 'PrincipalIdType'} },
  PutKeyPolicyRequest: { type: 'structure', required: ['KeyId', 'Policy'], fields: {KeyId: 'KeyIdType', PolicyName: 'PolicyNameType', Policy: 'PolicyType', BypassPolicyLockoutSafetyCheck: 'BooleanType'} },
  ReEncryptRequest: { type: 'structure', required: ['DestinationKeyId'], fields: {CiphertextBlob: 'CiphertextType', SourceEncryptionContext: 'EncryptionContextType', SourceKeyId: 'KeyIdType', DestinationKeyId: 'KeyIdType', DestinationEncryptionContext: 'EncryptionContextType', SourceEncryptionAlgorithm: 'EncryptionAlgorithmSpec', DestinationEncryptionAlgorithm: 'EncryptionAlgorithmSpec', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType', DryRunModifiers: 'DryRunModifierList'} },
  RegionType: { type: 'string', min: 1, max: 32, pattern: '^([a-z]+-){2,3}\\d+$' },
  ReplicateKeyRequest: { type: 'structure', required: ['KeyId', 'ReplicaRegion'], fields: {KeyId: 'KeyIdType', ReplicaRegion: 'RegionType', Policy: 'PolicyType', BypassPolicyLockoutSafetyCheck: 'BooleanType', Description: 'DescriptionType', Tags: 'TagList'} },
  RetireGrantRequest: { type: 'structure', required: [], fields: {GrantToken: 'GrantTokenType', KeyId: 'KeyIdType', GrantId: 'GrantIdType', DryRun: 'NullableBooleanType'} },
  RevokeGrantRequest: { type: 'structure', required: ['KeyId', 'GrantId'], fields: {KeyId: 'KeyIdType', GrantId: 'GrantIdType', DryRun: 'NullableBooleanType'} },
  RotateKeyOnDemandRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType'} },
  PendingWindowInDaysType: { type: 'integer', min: 1, max: 365 },
  ScheduleKeyDeletionRequest: { type: 'structure', required: ['KeyId'], fields: {KeyId: 'KeyIdType', PendingWindowInDays: 'PendingWindowInDaysType'} },
  MessageType: { type: 'string', members: ['RAW', 'DIGEST', 'EXTERNAL_MU'] },
  SigningAlgorithmSpec: { type: 'string', members: ['RSASSA_PSS_SHA_256', 'RSASSA_PSS_SHA_384', 'RSASSA_PSS_SHA_512', 'RSASSA_PKCS1_V1_5_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_384', 'RSASSA_PKCS1_V1_5_SHA_512', 'ECDSA_SHA_256', 'ECDSA_SHA_384', 'ECDSA_SHA_512', 'SM2DSA', 'ML_DSA_SHAKE_256', 'ED25519_SHA_512', 'ED25519_PH_SHA_512'] },
  SignRequest: { type: 'structure', required: ['KeyId', 'Message', 'SigningAlgorithm'], fields: {KeyId: 'KeyIdType', Message: 'PlaintextType', MessageType: 'MessageType', GrantTokens: 'GrantTokenList', SigningAlgorithm: 'SigningAlgorithmSpec', DryRun: 'NullableBooleanType'} },
  TagResourceRequest: { type: 'structure', required: ['KeyId', 'Tags'], fields: {KeyId: 'KeyIdType', Tags: 'TagList'} },
  TagKeyList: { type: 'list', of: 'TagKeyType' },
  UntagResourceRequest: { type: 'structure', required: ['KeyId', 'TagKeys'], fields: {KeyId: 'KeyIdType', TagKeys: 'TagKeyList'} },
  UpdateAliasRequest: { type: 'structure', required: ['AliasName', 'TargetKeyId'], fields: {AliasName: 'AliasNameType', TargetKeyId: 'KeyIdType'} },
  UpdateCustomKeyStoreRequest: { type: 'structure', required: ['CustomKeyStoreId'], fields: {CustomKeyStoreId: 'CustomKeyStoreIdType', NewCustomKeyStoreName: 'CustomKeyStoreNameType', KeyStorePassword: 'KeyStorePasswordType', CloudHsmClusterId: 'CloudHsmClusterIdType', XksProxyUriEndpoint: 'XksProxyUriEndpointType', XksProxyUriPath: 'XksProxyUriPathType', XksProxyVpcEndpointServiceName: 'XksProxyVpcEndpointServiceNameType', XksProxyVpcEndpointServiceOwner: 'AccountIdType', XksProxyAuthenticationCredential: 'XksProxyAuthenticationCredentialType', XksProxyConnectivity: 'XksProxyConnectivityType'} },
  UpdateKeyDescriptionRequest: { type: 'structure', required: ['KeyId', 'Description'], fields: {KeyId: 'KeyIdType', Description: 'DescriptionType'} },
  UpdatePrimaryRegionRequest: { type: 'structure', required: ['KeyId', 'PrimaryRegion'], fields: {KeyId: 'KeyIdType', PrimaryRegion: 'RegionType'} },
  VerifyRequest: { type: 'structure', required: ['KeyId', 'Message', 'Signature', 'SigningAlgorithm'], fields: {KeyId: 'KeyIdType', Message: 'PlaintextType', MessageType: 'MessageType', Signature: 'CiphertextType', SigningAlgorithm: 'SigningAlgorithmSpec', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType'} },
  VerifyMacRequest: { type: 'structure', required: ['Message', 'KeyId', 'MacAlgorithm', 'Mac'], fields: {Message: 'PlaintextType', KeyId: 'KeyIdType', MacAlgorithm: 'MacAlgorithmSpec', Mac: 'CiphertextType', GrantTokens: 'GrantTokenList', DryRun: 'NullableBooleanType'} },
}
