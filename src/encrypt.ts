import { assertBytes } from '../bindings/bytes.ts'
import type { Engine } from '../bindings/host-message.ts'
import { endWith, now, whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { assertMayEncrypt, commitmentPolicy, defaultSuite, type CommitmentPolicy } from './commitment-policy.ts'
import { assertNoReservedKeys, contextPairs, snapshotContext, snapshotKeys, type EncryptionContext } from './context.ts'
import { LimitError, UnsupportedError } from './errors.ts'
import type { EncryptionMaterials, EncryptionRequest, Keyring, MaterialsManager } from './materials.ts'
import { MessageWriter } from './message-writer.ts'
import {
  assertEncryptedDataKeyLimit,
  assertEngine,
  assertFrameCount,
  assertFrameLength,
  assertOptions,
  assertSignal,
  materialsManager,
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
  readonly signal?: AbortSignal | undefined
}

/** A checked call: what will be written, nothing done yet. */
interface Encryption {
  readonly request: EncryptionRequest
  readonly random: MessageRandom
  readonly policy: CommitmentPolicy
  readonly requiredKeys: readonly string[]
  readonly frameLength: number
  readonly maxEncryptedDataKeys: number
  readonly engine: Engine
  readonly isSynchronous: boolean
}

/**
 * Encrypts bytes to a message in the AWS Encryption SDK format.
 *
 * The default suite authenticates with the data key alone: whoever can decrypt a message can also forge one. Ask for
 * a signed suite (0x0578) where readers must not be able to write; it costs about two milliseconds a message.
 *
 * @param source a keyring or a materials manager
 * @param plaintext any number of bytes; not to be changed before the promise settles
 * @returns the whole message
 * @throws TypeError or RangeError for arguments that are none, before any work
 * @throws CommitmentPolicyError when the policy forbids the suite
 * @throws LimitError when there are more encrypted data keys than `maxEncryptedDataKeys`
 * @throws UnsupportedError when `engine` is `host` and this runtime's AES is not there, or not for such keys or frames
 * @throws what the keyring throws when it cannot wrap; `signal.reason` once `signal` is aborted
 */
export async function encrypt(
  source: Keyring | MaterialsManager,
  plaintext: Uint8Array,
  options: EncryptOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const manager = materialsManager(source)
  const encryption = prepare(plaintext, options, false)
  const { request, random } = encryption
  request.signal?.throwIfAborted()
  try {
    const materials = await manager.encryptionMaterials(request)
    try {
      request.signal?.throwIfAborted()
      const message = write(encryption, materials, plaintext)
      return message instanceof Promise ? await message : message
    } finally {
      materials.dispose()
    }
  } finally {
    random.wipe()
  }
}

/**
 * {@link encrypt} without waiting, for keyrings that need no I/O.
 *
 * @throws UnsupportedError when the keyring or manager works asynchronously only, before any work
 */
export function encryptSync(
  source: Keyring | MaterialsManager,
  plaintext: Uint8Array,
  options: EncryptSyncOptions = {},
): Uint8Array<ArrayBuffer> {
  const manager = materialsManager(source)
  if (manager.encryptionMaterialsSync === undefined) {
    throw new UnsupportedError('encryptSync needs a keyring that works without waiting, this one does not: use encrypt')
  }
  const encryption = prepare(plaintext, options, true)
  const { request, random } = encryption
  try {
    const materials = manager.encryptionMaterialsSync(request)
    try {
      return now(write(encryption, materials, plaintext))
    } finally {
      materials.dispose()
    }
  } finally {
    random.wipe()
  }
}

function prepare(plaintext: Uint8Array, options: EncryptOptions, isSynchronous: boolean): Encryption {
  assertBytes(plaintext, 'plaintext')
  assertOptions(options)
  const { frameLength = DEFAULT_FRAME_LENGTH, maxEncryptedDataKeys = 0xffff, signal } = options
  const { algorithmSuite: asked, engine = 'auto' } = options
  const policy = commitmentPolicy(options.commitmentPolicy)
  const suite = asked === undefined ? defaultSuite(policy) : algorithmSuite(asked)
  assertFrameLength(frameLength)
  assertFrameCount(plaintext.length, frameLength)
  assertEncryptedDataKeyLimit(maxEncryptedDataKeys)
  assertEngine(engine, isSynchronous)
  assertSignal(signal)
  const encryptionContext = snapshotContext(options.encryptionContext)
  const requiredKeys = snapshotKeys(options.requiredEncryptionContextKeys, 'requiredEncryptionContextKeys')
  assertContext(encryptionContext, requiredKeys)
  assertMayEncrypt(policy, suite)
  const random = new MessageRandom()
  return {
    request: { suite, encryptionContext, plaintextLength: plaintext.length, random: random.take, signal },
    random,
    policy,
    requiredKeys,
    frameLength,
    maxEncryptedDataKeys,
    engine,
    isSynchronous,
  }
}

function assertContext(context: EncryptionContext, requiredKeys: readonly string[]): void {
  assertNoReservedKeys(Object.keys(context))
  contextPairs(context)
  const missing = requiredKeys.find((key) => !Object.hasOwn(context, key))
  if (missing !== undefined) {
    throw new TypeError(`encryptionContext lacks ${JSON.stringify(missing)} of requiredEncryptionContextKeys`)
  }
}

function write(
  encryption: Encryption,
  materials: EncryptionMaterials,
  plaintext: Uint8Array,
): MaybePromise<Uint8Array<ArrayBuffer>> {
  const { random, frameLength, requiredKeys, engine, isSynchronous } = encryption
  assertMaterials(encryption, materials)
  assertBytes(plaintext, 'plaintext')
  const messageId = random.take(MESSAGE_ID_BYTES[materials.suite.messageVersion])
  const plaintextLength = plaintext.length
  const choice = { engine, isSynchronous, frameLength, length: plaintextLength }
  const writer = new MessageWriter({ materials, messageId, choice, requiredKeys, plaintextLength })
  return endWith(
    () =>
      whenHere(writer.seal(plaintext, writer.bytes.subarray(writer.headerLength), true), () =>
        materials.signingKey === undefined ? writer.bytes : withFooter(writer.bytes, writer.footer()),
      ),
    () => {
      writer.dispose()
    },
  )
}

function withFooter(message: Uint8Array, footer: Uint8Array): Uint8Array<ArrayBuffer> {
  const signed = new Uint8Array(message.length + footer.length)
  signed.set(message)
  signed.set(footer, message.length)
  return signed
}

/** Managers may be anybody's: what they answer is held against what was asked. */
function assertMaterials(
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
