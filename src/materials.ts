import type { EcdsaSigningKey, EcdsaVerificationKey } from '../bindings/asymmetric.ts'
import type { MaybePromise } from '../bindings/maybe-promise.ts'
import type { EncryptedDataKey } from '../bindings/message.ts'
import type { EncryptionContext } from './context.ts'
import { FormatError, KeyUnavailableError } from './errors.ts'
import type { AlgorithmSuite } from './suites.ts'

export type { EncryptedDataKey } from '../bindings/message.ts'

/**
 * Wraps and unwraps data keys; every way to hold a wrapping key is one.
 *
 * Both methods may answer at once where there is nothing to wait for, and throw then instead of rejecting. The
 * synchronous pair is optional: `encryptSync` and `decryptSync` need it and throw `UnsupportedError` without it.
 */
export interface Keyring {
  /**
   * Adds this keyring's encrypted data keys to `materials` (`addEncryptedDataKey`). When `materials.dataKey` is
   * undefined it makes the data key first (`setDataKey`), from `materials.random` or from its key service.
   * Rejects when it cannot wrap; the message is then not written.
   */
  wrap(materials: EncryptionMaterials): MaybePromise<void>
  /**
   * Answers the data key, fresh bytes that the caller wipes; undefined when none of `encryptedDataKeys` is this
   * keyring's. One that is its own but does not open is recorded and the next one tried; when none opened it throws
   * (see `unwrapFailure`). It throws at once only when `materials.signal` is aborted.
   */
  unwrap(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): MaybePromise<Uint8Array | undefined>
  wrapSync?(materials: EncryptionMaterials): void
  unwrapSync?(materials: DecryptionMaterials, encryptedDataKeys: readonly EncryptedDataKey[]): Uint8Array | undefined
}

/** What one message is sealed with. Keyrings fill it in; it is wiped by `dispose`. */
export interface EncryptionMaterials {
  readonly suite: AlgorithmSuite
  /** Every pair that is authenticated, those that stay out of the header included. Frozen, null prototype. */
  readonly encryptionContext: EncryptionContext
  /** The context as wrapping keys bind it: count ‖ entries, sorted by UTF-8 bytes; empty when there is no pair. */
  readonly serializedContext: Uint8Array
  /** The data key (`suite.keyBytes` long) once there is one: not to be kept or changed. */
  readonly dataKey: Uint8Array | undefined
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  /** The key that signs the message; present exactly when the suite signs. */
  readonly signingKey: EcdsaSigningKey | undefined
  readonly signal: AbortSignal | undefined
  /**
   * Takes the bytes over: they are wiped with the materials. Throws when there is a key already, its length is wrong, or
   * it is all zeros, which is what is left of one that was handed out before.
   */
  setDataKey(dataKey: Uint8Array): void
  /** Adds a key to the message. Its arrays are not copied: they must not change afterwards. */
  addEncryptedDataKey(encryptedDataKey: EncryptedDataKey): void
  /** Random bytes of this message: one draw from the system serves its data key, message id and wrapping IVs. */
  random(length: number): Uint8Array<ArrayBuffer>
  /** The message is through with the materials; the last user's call wipes the data key. */
  dispose(): void
}

/** What one message is opened with. */
export interface DecryptionMaterials {
  readonly suite: AlgorithmSuite
  /** The pairs of the header and the reproduced ones. Not authenticated yet. Frozen, null prototype. */
  readonly encryptionContext: EncryptionContext
  /** As in {@link EncryptionMaterials}: sorted again, whatever the order in the header. */
  readonly serializedContext: Uint8Array
  readonly dataKey: Uint8Array | undefined
  /** The key that the signature is checked with; present exactly when the suite signs. */
  readonly verificationKey: EcdsaVerificationKey | undefined
  readonly signal: AbortSignal | undefined
  /** Takes the bytes over: they are wiped with the materials. */
  setDataKey(dataKey: Uint8Array): void
  /**
   * Answers whether `candidate` is the key of this message: its commitment and header tag verify. For keyrings whose
   * unwrapping cannot tell (PKCS #1 v1.5): they go on to the next encrypted data key when it is false.
   */
  confirm(candidate: Uint8Array): boolean
  dispose(): void
}

/** What a message asks of a materials manager before it is written. */
export interface EncryptionRequest {
  readonly suite: AlgorithmSuite
  readonly encryptionContext: EncryptionContext
  /**
   * Keys of pairs of `encryptionContext` that the message will not store. A manager answers materials whose context
   * holds them with the values asked for.
   */
  readonly requiredEncryptionContextKeys: readonly string[]
  /** Bytes of the plaintext, or a bound of them for a stream that has one; undefined when not known. */
  readonly plaintextLength: number | undefined
  /** The message's randomness, see {@link EncryptionMaterials.random}. */
  readonly random: (length: number) => Uint8Array<ArrayBuffer>
  readonly signal: AbortSignal | undefined
}

/** What a message asks of a materials manager before it is opened. */
export interface DecryptionRequest {
  readonly suite: AlgorithmSuite
  /** The pairs of the header and the reproduced ones. Not authenticated yet. */
  readonly encryptionContext: EncryptionContext
  /** Keys whose pairs the caller gave, whether or not the message stores them. */
  readonly requiredEncryptionContextKeys: readonly string[]
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  /** Derives the message key of `dataKey` and checks commitment and header tag. */
  readonly confirm: (dataKey: Uint8Array) => boolean
  readonly signal: AbortSignal | undefined
}

/**
 * Gets materials for messages: from a keyring each time (`defaultMaterials`), from a cache (`cachingMaterials`), or as
 * you like. One of your own answers what another manager answers to its request, or to a changed one, or makes
 * materials with `createEncryptionMaterials` and `createDecryptionMaterials`. `encrypt` and `decrypt` dispose of
 * materials once for each answer. They refuse materials of another suite than was asked for, and on encryption
 * materials that lack a required pair.
 *
 * The synchronous pair is optional: `encryptSync` and `decryptSync` need it and throw `UnsupportedError` without it.
 *
 * A manager that hands out one data key twice must not do so for suites with `kdf: 'identity'`: their message key
 * is the data key, and two headers would be authenticated under one key and IV.
 *
 * Source: aws-encryption-sdk-specification, framework/cmm-interface.md.
 */
export interface MaterialsManager {
  /**
   * Keys that `encrypt` and `decrypt` treat as if they stood in their own `requiredEncryptionContextKeys`. A manager
   * around another one passes that one's keys on.
   */
  readonly requiredEncryptionContextKeys?: readonly string[] | undefined
  encryptionMaterials(request: EncryptionRequest): MaybePromise<EncryptionMaterials>
  decryptionMaterials(request: DecryptionRequest): MaybePromise<DecryptionMaterials>
  encryptionMaterialsSync?(request: EncryptionRequest): EncryptionMaterials
  decryptionMaterialsSync?(request: DecryptionRequest): DecryptionMaterials
}

/**
 * The error that a keyring throws when encrypted data keys are its own and none of them opened.
 *
 * @param keyring the keyring's name for people, for example `raw AES keyring app/k1`
 * @param reasons why each failed, in the order of the message
 */
export function unwrapFailure(keyring: string, reasons: readonly unknown[]): KeyUnavailableError {
  const count = reasons.length === 1 ? 'its encrypted data key' : `its ${String(reasons.length)} encrypted data keys`
  return new KeyUnavailableError(`${keyring}: ${count} did not open`, reasons)
}

/**
 * The reason that a keyring records for an encrypted data key whose plaintext has the wrong length for the suite.
 */
export function wrongDataKeyLength(suite: AlgorithmSuite, length: number): FormatError {
  return new FormatError(`the data key has ${String(length)} bytes, ${suite.name} needs ${String(suite.keyBytes)}`)
}
