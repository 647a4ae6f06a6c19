import type { Engine } from '../bindings/host-message.ts'
import { assertMayDecrypt, commitmentPolicy, type CommitmentPolicy } from './commitment-policy.ts'
import {
  assertNoReservedKeys,
  contextPairs,
  mergeContexts,
  pairsBeside,
  pairsOf,
  snapshotContext,
  type EncryptionContext,
} from './context.ts'
import type { DecryptionManager } from './decryption-materials.ts'
import type { DecryptionRequest } from './materials.ts'
import type { DecodedHeader } from './message-header.ts'
import { authenticatesHeader, type ExpectedContext } from './message-reader.ts'
import {
  assertEncryptedDataKeyLimit,
  assertEngine,
  assertOptions,
  assertSignal,
  requiredContextKeys,
} from './options.ts'
import { assertPublicKeyMatchesSuite } from './signature.ts'

const DEFAULT_MAX_ENCRYPTED_DATA_KEYS = 64

export interface DecryptSyncOptions {
  /**
   * Pairs that the message must hold. Those named in `requiredEncryptionContextKeys` may be absent from the header:
   * they are authenticated with it.
   */
  readonly encryptionContext?: EncryptionContext | undefined
  /** Keys of the pairs that the message does not store. Each must be in `encryptionContext`. */
  readonly requiredEncryptionContextKeys?: readonly string[] | undefined
  /** Default `require-encrypt-require-decrypt`. */
  readonly commitmentPolicy?: CommitmentPolicy | undefined
  /** Refuses messages with more encrypted data keys, before any keyring is asked. Default 64. */
  readonly maxEncryptedDataKeys?: number | undefined
  /**
   * Which AES opens the frames: `wasm` is waxseal's core, `host` the runtime's own (`node:crypto` or WebCrypto), `auto`
   * the faster one for the lengths at hand. Default `auto`.
   */
  readonly engine?: Engine | undefined
}

export interface DecryptOptions extends DecryptSyncOptions {
  /**
   * The record of the message's keys, when it was written with `detachedKeys: true`: then `encrypt` or `rewrapKeys` has
   * answered it. Its keys are authenticated once the data key is known, and count for `maxEncryptedDataKeys`.
   */
  readonly detachedKeys?: Uint8Array | undefined
  readonly signal?: AbortSignal | undefined
}

/** A checked call, of which nothing is read yet: every way to read a message begins with one. */
export interface DecryptionCall {
  readonly policy: CommitmentPolicy
  /** As in {@link ExpectedContext}. */
  readonly pairs: EncryptionContext
  readonly requiredKeys: readonly string[]
  readonly maxEncryptedDataKeys: number
  readonly engine: Engine
  readonly isSynchronous: boolean
  readonly signal: AbortSignal | undefined
}

/** What a header asks of the materials, and they of it. It is not authenticated yet. */
export interface Decryption {
  readonly call: DecryptionCall
  readonly header: DecodedHeader
  readonly expected: ExpectedContext
  readonly request: DecryptionRequest
}

/** Takes a snapshot of the options. Throws TypeError or RangeError for options that are none. */
export function decryptionCall(
  manager: DecryptionManager,
  options: DecryptOptions,
  isSynchronous: boolean,
): DecryptionCall {
  assertOptions(options)
  const { maxEncryptedDataKeys = DEFAULT_MAX_ENCRYPTED_DATA_KEYS, engine = 'auto', signal } = options
  const policy = commitmentPolicy(options.commitmentPolicy)
  assertEncryptedDataKeyLimit(maxEncryptedDataKeys)
  assertEngine(engine, isSynchronous)
  assertSignal(signal)
  const pairs = snapshotContext(options.encryptionContext)
  const requiredKeys = requiredContextKeys(manager, options.requiredEncryptionContextKeys)
  assertContext(pairs, requiredKeys)
  return { policy, pairs, requiredKeys, maxEncryptedDataKeys, engine, isSynchronous, signal }
}

/**
 * Holds a header against the call, before any keyring is asked.
 *
 * @throws CommitmentPolicyError when the policy forbids its suite
 * @throws FormatError when its suite and context disagree on the signature
 */
export function decryptionOf(header: DecodedHeader, call: DecryptionCall): Decryption {
  const { policy, pairs, requiredKeys, signal } = call
  assertMayDecrypt(policy, header.suite)
  assertPublicKeyMatchesSuite(header.suite, header.context)
  const reproduced = pairsBeside(pairsOf(pairs, requiredKeys), Object.keys(header.context))
  const expected: ExpectedContext = { pairs, reproduced }
  const encryptionContext = mergeContexts(header.context, reproduced)
  contextPairs(encryptionContext)
  const request: DecryptionRequest = {
    suite: header.suite,
    encryptionContext,
    requiredEncryptionContextKeys: requiredKeys,
    // A list of its own: what a keyring does to it is not to show in the header that is answered.
    encryptedDataKeys: [...header.parsed.encryptedDataKeys],
    confirm: (dataKey) => authenticatesHeader(header, expected, dataKey),
    signal,
  }
  return { call, header, expected, request }
}

function assertContext(pairs: EncryptionContext, requiredKeys: readonly string[]): void {
  assertNoReservedKeys(requiredKeys)
  contextPairs(pairs)
  const missing = requiredKeys.find((key) => !Object.hasOwn(pairs, key))
  if (missing !== undefined) {
    throw new TypeError(`encryptionContext lacks ${JSON.stringify(missing)} of requiredEncryptionContextKeys`)
  }
}
