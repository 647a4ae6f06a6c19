import type { Engine } from '../bindings/host-message.ts'
import { assertMayEncrypt, commitmentPolicy, defaultSuite, type CommitmentPolicy } from './commitment-policy.ts'
import { assertWritable, snapshotContext, type EncryptionContext } from './context.ts'
import { LimitError } from './errors.ts'
import type { EncryptionManager } from './encryption-materials.ts'
import type { EncryptionMaterials, EncryptionRequest } from './materials.ts'
import { MessageWriter } from './message-writer.ts'
import {
  assertEncryptedDataKeyLimit,
  assertEngine,
  assertFrameCount,
  assertFrameLength,
  assertOptions,
  assertSignal,
  requiredContextKeys,
} from './options.ts'
import { MessageRandom } from './random.ts'
import { algorithmSuite, type AlgorithmSuite, type AlgorithmSuiteId, type AlgorithmSuiteName } from './suites.ts'

const DEFAULT_FRAME_LENGTH = 4096

const MESSAGE_ID_BYTES = { 1: 16, 2: 32 } as const

export interface EncryptSyncOptions {
  /** Pairs that are authenticated with the message and readable in it; keys must not begin with `aws-crypto-`. */
  readonly encryptionContext?: EncryptionContext | undefined
  /** Keys of pairs that are authenticated and stay out of the message: `decrypt` must be given them again. */
  readonly requiredEncryptionContextKeys?: readonly string[] | undefined
  /** Suite id or name. Default `AES-256-GCM-HKDF-SHA512-COMMIT-KEY` (0x0478): not signed. */
  readonly algorithmSuite?: AlgorithmSuiteId | AlgorithmSuiteName | undefined
  /** Default `require-encrypt-require-decrypt`. */
  readonly commitmentPolicy?: CommitmentPolicy | undefined
  /** Plaintext bytes of each frame, 1 to 2^32−1. Default 4096. */
  readonly frameLength?: number | undefined
  /** Refuses to write a message with more encrypted data keys. Default: no limit but the format's, 65,535. */
  readonly maxEncryptedDataKeys?: number | undefined
  /**
   * Which AES seals the frames: `wasm` is waxseal's core, `host` the runtime's own (`node:crypto` or WebCrypto), `auto`
   * the faster one for the lengths at hand. The message is the same. Default `auto`.
   */
  readonly engine?: Engine | undefined
}

export interface EncryptOptions extends EncryptSyncOptions {
  /** See {@link DetachedEncryptOptions}. */
  readonly detachedKeys?: undefined
  readonly signal?: AbortSignal | undefined
}

export interface DetachedEncryptOptions extends EncryptSyncOptions {
  /** The encrypted data keys go to a record beside the message, where they can be replaced. */
  readonly detachedKeys: true
  readonly signal?: AbortSignal | undefined
}

/** A checked call: what will be written, nothing done yet. */
export interface Encryption {
  readonly request: EncryptionRequest
  readonly random: MessageRandom
  readonly policy: CommitmentPolicy
  readonly requiredKeys: readonly string[]
  readonly frameLength: number
  readonly maxEncryptedDataKeys: number
  readonly engine: Engine
  readonly isSynchronous: boolean
}

/** Checks the options of a call. Of a plaintext whose length is not known a bound may be, or nothing. */
export function prepareEncryption(
  manager: EncryptionManager,
  options: EncryptOptions | DetachedEncryptOptions,
  plaintextLength: number | undefined,
  isSynchronous: boolean,
): Encryption {
  assertOptions(options)
  if (options.detachedKeys !== undefined && typeof options.detachedKeys !== 'boolean')
    throw new TypeError('detachedKeys must be true or false')
  const { frameLength = DEFAULT_FRAME_LENGTH, maxEncryptedDataKeys = 0xffff, signal } = options
  const { algorithmSuite: asked, engine = 'auto' } = options
  const policy = commitmentPolicy(options.commitmentPolicy)
  const suite = asked === undefined ? defaultSuite(policy) : algorithmSuite(asked)
  assertFrameLength(frameLength)
  assertFrameCount(plaintextLength ?? 0, frameLength)
  assertEncryptedDataKeyLimit(maxEncryptedDataKeys)
  assertEngine(engine, isSynchronous)
  assertSignal(signal)
  const encryptionContext = snapshotContext(options.encryptionContext)
  const requiredKeys = requiredContextKeys(manager, options.requiredEncryptionContextKeys)
  assertWritable(encryptionContext)
  if (requiredKeys.length > 0) assertPresent(encryptionContext, requiredKeys)
  assertMayEncrypt(policy, suite)
  const random = new MessageRandom()
  return {
    request: {
      suite,
      encryptionContext,
      requiredEncryptionContextKeys: requiredKeys,
      plaintextLength,
      random: random.take,
      signal,
    },
    random,
    policy,
    requiredKeys,
    frameLength,
    maxEncryptedDataKeys,
    engine,
    isSynchronous,
  }
}

function assertPresent(context: EncryptionContext, requiredKeys: readonly string[]): void {
  const missing = requiredKeys.find((key) => !Object.hasOwn(context, key))
  if (missing !== undefined) {
    throw new TypeError(`encryptionContext lacks ${JSON.stringify(missing)} of requiredEncryptionContextKeys`)
  }
}

/**
 * The writer of the message that was prepared, under these materials.
 *
 * @param length bytes of plaintext by which the engine is chosen, Infinity when not known
 * @param room bytes of plaintext for whose frames the writer's array has room behind the header
 */
export function messageWriter(
  encryption: Encryption,
  materials: EncryptionMaterials,
  length: number,
  room?: number,
): MessageWriter {
  const { random, frameLength, requiredKeys, engine, isSynchronous } = encryption
  assertMaterials(encryption, materials)
  const messageId = random.take(MESSAGE_ID_BYTES[materials.suite.messageVersion])
  const choice = { engine, isSynchronous, frameLength, length }
  return new MessageWriter({ materials, messageId, choice, requiredKeys, plaintextLength: room })
}

/** Managers may be anybody's: what they answer is held against what was asked. */
export function assertMaterials(
  { request, policy, requiredKeys, maxEncryptedDataKeys }: Encryption,
  { suite, encryptionContext, encryptedDataKeys, signingKey }: EncryptionMaterials,
): void {
  const { suite: asked }: { suite: AlgorithmSuite } = request
  assertMayEncrypt(policy, suite)
  if (suite.id !== asked.id || (signingKey === undefined) !== (suite.signatureCurve === undefined)) {
    throw new TypeError(`the materials are not for ${asked.name}`)
  }
  if (requiredKeys.some((key) => encryptionContext[key] !== request.encryptionContext[key])) {
    throw new TypeError('the materials changed a required pair of the encryption context')
  }
  if (encryptedDataKeys.length > maxEncryptedDataKeys) {
    throw new LimitError(
      `the message would have ${String(encryptedDataKeys.length)} encrypted data keys: raise maxEncryptedDataKeys`,
    )
  }
}
