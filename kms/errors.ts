import { WaxsealError } from '../bindings/errors.ts'

/** Names of the exceptions that the engine throws: those of AWS KMS, and of the protocol around it. */
export type KmsExceptionName =
  | 'AccessDeniedException'
  | 'AlreadyExistsException'
  | 'CloudHsmClusterInUseException'
  | 'CloudHsmClusterInvalidConfigurationException'
  | 'CloudHsmClusterNotActiveException'
  | 'CloudHsmClusterNotFoundException'
  | 'CloudHsmClusterNotRelatedException'
  | 'CustomKeyStoreHasCMKsException'
  | 'CustomKeyStoreInvalidStateException'
  | 'CustomKeyStoreNameInUseException'
  | 'CustomKeyStoreNotFoundException'
  | 'DeleteConflictException'
  | 'DependencyTimeoutException'
  | 'DisabledException'
  | 'DryRunOperationException'
  | 'EntityAlreadyExistsException'
  | 'ExpiredImportTokenException'
  | 'IncorrectKeyException'
  | 'IncorrectKeyMaterialException'
  | 'IncorrectTrustAnchorException'
  | 'InvalidAliasNameException'
  | 'InvalidArnException'
  | 'InvalidCiphertextException'
  | 'InvalidGrantIdException'
  | 'InvalidGrantTokenException'
  | 'InvalidImportTokenException'
  | 'InvalidKeyUsageException'
  | 'InvalidMarkerException'
  | 'KeyUnavailableException'
  | 'KMSInternalException'
  | 'KMSInvalidMacException'
  | 'KMSInvalidSignatureException'
  | 'KMSInvalidStateException'
  | 'KmsUnreachableException'
  | 'LimitExceededException'
  | 'MalformedPolicyDocumentException'
  | 'NoSuchEntityException'
  | 'NotAuthorizedException'
  | 'NotFoundException'
  | 'RootKeyException'
  | 'TagException'
  | 'UnknownOperationException'
  | 'UnsupportedOperationException'
  | 'ValidationException'
  | 'XksKeyAlreadyInUseException'
  | 'XksKeyInvalidConfigurationException'
  | 'XksKeyNotFoundException'
  | 'XksProxyIncorrectAuthenticationCredentialException'
  | 'XksProxyInvalidConfigurationException'
  | 'XksProxyInvalidResponseException'
  | 'XksProxyUriInUseException'
  | 'XksProxyUriUnreachableException'
  | 'XksProxyVpcEndpointServiceNotFoundException'

/**
 * A failure of the KMS. `name` is the exception's name in the AWS KMS API (and `RootKeyException` for a root key that
 * is missing or wrong, and `KmsUnreachableException` for a service that does not answer, which AWS has no names for); `code` is always `ERR_WAXSEAL_KMS`. Some exceptions have no
 * message, as on AWS.
 */
export class KmsError extends WaxsealError {
  constructor(name: KmsExceptionName, message = '', options?: ErrorOptions) {
    super('ERR_WAXSEAL_KMS', message, options)
    this.name = name
  }
}
