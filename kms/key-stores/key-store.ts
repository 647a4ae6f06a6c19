import { WaxsealError } from '../../bindings/errors.ts'

/** A ciphertext of AES-256-GCM in its parts. */
export interface StoreCiphertext {
  /** As long as the plaintext. */
  readonly ciphertext: Uint8Array
  /** 12 or 16 bytes. */
  readonly iv: Uint8Array
  /** 16 bytes. */
  readonly tag: Uint8Array
  /** At most 20 bytes that the store wants to see again. */
  readonly metadata: Uint8Array
}

/** On whose behalf a store is asked; it may log that, or decide by it. */
export interface StoreRequest {
  /** Name of the KMS action. */
  readonly operation: string
  /** Id of the call, as the audit record has it. */
  readonly requestId: string
  readonly principalArn: string
  /** Of the KMS key, once there is one. */
  readonly keyArn?: string | undefined
}

/**
 * Where 256-bit AES keys are that never leave. Every method does I/O, never inside a transaction of the database, and
 * throws {@link KeyStoreError} for whatever goes wrong outside.
 */
export interface KeyStore {
  /** Tests that the store answers, and accepts its secret. */
  check(request: StoreRequest): Promise<void>
  /** Sees to it that there is a key of this id that can encrypt and decrypt. */
  addKey(id: string, request: StoreRequest): Promise<void>
  /**
   * Encrypts by AES-256-GCM under an IV that the store makes. `plaintext` stays the caller's, and `aad` is authenticated
   * with it.
   */
  encrypt(id: string, plaintext: Uint8Array, aad: Uint8Array, request: StoreRequest): Promise<StoreCiphertext>
  /**
   * Decrypts what {@link KeyStore.encrypt} answered, once its tag is verified. The caller wipes the plaintext.
   *
   * @throws KeyStoreError `invalidCiphertext` if key, parts or `aad` are not those of the encryption
   */
  decrypt(id: string, sealed: StoreCiphertext, aad: Uint8Array, request: StoreRequest): Promise<Uint8Array<ArrayBuffer>>
}

/** A store that makes its keys, and random bytes, itself. */
export interface HsmKeyStore extends KeyStore {
  /** So many bytes of the store's random generator, at least one. The caller wipes them if they are secret. */
  random(length: number): Promise<Uint8Array<ArrayBuffer>>
}

/** A hardware security module that an administrator has set up for the KMS; its stores are of type AWS_CLOUDHSM. */
export interface HsmCluster {
  /** The certificate (PEM) that CreateCustomKeyStore has to name, but for space around it; without one, any will do. */
  readonly trustAnchor?: string | undefined
  /** Tests that the module is there and can do what it must. */
  probe(): Promise<void>
  /** The keys behind a PIN, which must stay as it is while they are worked with. */
  keyStore(pin: Uint8Array): HsmKeyStore
  /** Destroys a key that the KMS had made, if this process has access to the module just now. */
  removeKey(id: string): Promise<void>
  /** Gives up access; it is taken again when it is needed. */
  disconnect(): Promise<void>
}

/** What can go wrong outside. */
export type StoreFault =
  | 'accessDenied'
  | 'authenticationFailed'
  | 'dependencyTimeout'
  | 'internal'
  | 'invalidCiphertext'
  | 'invalidResponse'
  | 'keyDisabled'
  | 'keyNotFound'
  | 'keyUsage'
  | 'throttled'
  | 'timeout'
  | 'tls'
  | 'unreachable'
  | 'unsupported'
  | 'uriPath'
  | 'hsmAbsent'
  | 'hsmFailed'
  | 'hsmKeyNotFound'
  | 'hsmLockedOut'
  | 'hsmNoUser'
  | 'hsmUnsuitable'
  | 'hsmWrongPin'

/** A key store failed, and how. Nothing that the store itself said goes to a caller of the KMS. */
export class KeyStoreError extends WaxsealError {
  readonly fault: StoreFault

  constructor(fault: StoreFault, options?: ErrorOptions) {
    super('ERR_WAXSEAL_KMS', `the key store failed: ${fault}`, options)
    this.name = 'KeyStoreError'
    this.fault = fault
  }
}
