import { KmsError, type KmsExceptionName } from '../errors.ts'
import { KeyStoreError, type StoreFault } from '../key-stores/key-store.ts'
import type { KeyStoreType } from './key-spec.ts'

/** What a fault of a key store is to a caller ("Error codes" of the proxy API; exceptions of CreateCustomKeyStore). */
interface Meaning {
  readonly text: string
  /** Of CreateCustomKeyStore and UpdateCustomKeyStore. */
  readonly onStore: KmsExceptionName
  /** Of CreateKey. */
  readonly onKey: KmsExceptionName
  /** Of what encrypts and decrypts. */
  readonly onUse: KmsExceptionName
  /** ConnectionErrorCode of a connection that fails for it. */
  readonly code: string
}

const INVALID_STATE = 'KMSInvalidStateException'
const STORE_STATE = 'CustomKeyStoreInvalidStateException'

function proxy(text: string, onStore: KmsExceptionName, code: string, onKey: KmsExceptionName = STORE_STATE): Meaning {
  return { text, onStore, onKey, onUse: INVALID_STATE, code }
}

function hsm(text: string, code: string, onStore: KmsExceptionName, other: Partial<Meaning> = {}): Meaning {
  return { text, onStore, onKey: STORE_STATE, onUse: INVALID_STATE, code, ...other }
}

const RESPONSE = 'XksProxyInvalidResponseException'
const CONFIGURATION = 'XksProxyInvalidConfigurationException'
const UNREACHABLE = 'XksProxyUriUnreachableException'
const KEY_CONFIGURATION = 'XksKeyInvalidConfigurationException'
const HSM_CONFIGURATION = 'CloudHsmClusterInvalidConfigurationException'

const MEANINGS: Readonly<Record<StoreFault, Meaning>> = {
  accessDenied: proxy(
    'The external key store proxy does not allow this operation to this principal on this key.',
    CONFIGURATION,
    'XKS_PROXY_ACCESS_DENIED',
    INVALID_STATE,
  ),
  authenticationFailed: proxy(
    'The external key store proxy does not accept the authentication credential of this custom key store.',
    'XksProxyIncorrectAuthenticationCredentialException',
    'XKS_PROXY_ACCESS_DENIED',
  ),
  dependencyTimeout: proxy(
    'The external key manager did not answer its proxy in time. Try again.',
    UNREACHABLE,
    'XKS_PROXY_TIMED_OUT',
  ),
  internal: proxy(
    'The external key store proxy cannot work with its external key manager.',
    RESPONSE,
    'XKS_PROXY_INVALID_RESPONSE',
  ),
  invalidCiphertext: proxy(
    'The custom key store finds that ciphertext or encryption context are not what was encrypted.',
    RESPONSE,
    'XKS_PROXY_INVALID_RESPONSE',
  ),
  invalidResponse: proxy(
    'The external key store proxy gave an answer that is not one of its API.',
    RESPONSE,
    'XKS_PROXY_INVALID_RESPONSE',
  ),
  keyDisabled: proxy(
    'The external key of this KMS key is disabled in its external key manager.',
    CONFIGURATION,
    'XKS_PROXY_INVALID_CONFIGURATION',
    KEY_CONFIGURATION,
  ),
  keyNotFound: proxy(
    'The external key of this KMS key is not in its external key manager.',
    CONFIGURATION,
    'XKS_PROXY_INVALID_CONFIGURATION',
    'XksKeyNotFoundException',
  ),
  keyUsage: proxy(
    'The external key is not a 256-bit AES key that encrypts and decrypts.',
    CONFIGURATION,
    'XKS_PROXY_INVALID_CONFIGURATION',
    KEY_CONFIGURATION,
  ),
  throttled: proxy(
    'The external key store proxy is asked too often. Ask less often.',
    UNREACHABLE,
    'XKS_PROXY_NOT_REACHABLE',
  ),
  timeout: proxy('The external key store proxy did not answer in time. Try again.', UNREACHABLE, 'XKS_PROXY_TIMED_OUT'),
  tls: proxy(
    'There is no TLS connection to the external key store proxy: see to its certificate.',
    UNREACHABLE,
    'XKS_PROXY_INVALID_TLS_CONFIGURATION',
  ),
  unreachable: proxy(
    'The external key store proxy cannot be reached at its endpoint.',
    UNREACHABLE,
    'XKS_PROXY_NOT_REACHABLE',
  ),
  unsupported: proxy(
    'The external key store proxy does not support this operation.',
    RESPONSE,
    'XKS_PROXY_INVALID_RESPONSE',
  ),
  uriPath: proxy(
    'The external key store proxy has nothing at the URI path of this custom key store.',
    CONFIGURATION,
    'XKS_PROXY_INVALID_CONFIGURATION',
  ),
  hsmAbsent: hsm(
    'The hardware security module is not there.',
    'CLUSTER_NOT_FOUND',
    'CloudHsmClusterNotActiveException',
  ),
  hsmFailed: hsm('The hardware security module failed.', 'NETWORK_ERRORS', HSM_CONFIGURATION, {
    onUse: 'KeyUnavailableException',
  }),
  hsmKeyNotFound: hsm('The key is not in its hardware security module.', 'INTERNAL_ERROR', HSM_CONFIGURATION),
  hsmLockedOut: hsm('The PIN of the hardware security module is locked.', 'USER_LOCKED_OUT', HSM_CONFIGURATION),
  hsmNoUser: hsm('The hardware security module has no user PIN.', 'USER_NOT_FOUND', HSM_CONFIGURATION),
  hsmUnsuitable: hsm(
    'The hardware security module cannot be used: its library does not load, or it has no AES-GCM.',
    'INTERNAL_ERROR',
    HSM_CONFIGURATION,
    { onKey: HSM_CONFIGURATION },
  ),
  hsmWrongPin: hsm('The hardware security module does not accept the PIN.', 'INVALID_CREDENTIALS', HSM_CONFIGURATION),
}

/** Where a fault was met. */
export type FaultPlace = 'onStore' | 'onKey' | 'onUse'

/** What a caller hears of it; what is none of a key store's errors stays as it is. */
export function faultError(error: unknown, place: FaultPlace, type: KeyStoreType): unknown {
  if (!(error instanceof KeyStoreError)) return error
  const { fault } = error
  if (type === 'AWS_CLOUDHSM' && fault === 'invalidCiphertext') return new KmsError('InvalidCiphertextException')
  const { text, [place]: name } = MEANINGS[fault]
  return new KmsError(name, text, { cause: error })
}

/** The ConnectionErrorCode of a fault. */
export function connectionErrorCode({ fault }: KeyStoreError): string {
  return MEANINGS[fault].code
}
