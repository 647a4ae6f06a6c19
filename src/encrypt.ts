import { assertBytes } from '../bindings/bytes.ts'
import { assertMayEncrypt, commitmentPolicy, defaultSuite, type CommitmentPolicy } from './commitment-policy.ts'
import { assertNoReservedKeys, contextPairs, snapshotContext, snapshotKeys, type EncryptionContext } from './context.ts'
import { LimitError, UnsupportedError } from './errors.ts'
import type { EncryptionMaterials, EncryptionRequest, Keyring, MaterialsManager } from './materials.ts'
import { MessageWriter } from './message-writer.ts'
import {
  assertEncryptedDataKeyLimit,
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
 * @throws what the keyring throws when it cannot wrap; `signal.reason` once `signal` is aborted
 */
export async function encrypt(
  source: Keyring | MaterialsManager,
  plaintext: Uint8Array,
  options: EncryptOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const manager = materialsManager(source)
  const encryption = prepare(plaintext, options)
  const { request, random } = encryption
  request.signal?.throwIfAborted()
  try {
    const materials = await manager.encryptionMaterials(request)
    try {
      request.signal?.throwIfAborted()
      return write(encryption, materials, plaintext)
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
  const encryption = prepare(plaintext, options)
  const { request, random } = encryption
  try {
    const materials = manager.encryptionMaterialsSync(request)
    try {
      return write(encryption, materials, plaintext)
    } finally {
      materials.dispose()
    }
  } finally {
    random.wipe()
  }
}

function prepare(plaintext: Uint8Array, options: EncryptOptions): Encryption {
  assertBytes(plaintext, 'plaintext')
  assertOptions(options)
  const { frameLength = DEFAULT_FRAME_LENGTH, maxEncryptedDataKeys = 0xffff, signal } = options
  const { algorithmSuite: asked } = options
  const policy = commitmentPolicy(options.commitmentPolicy)
  const suite = asked === undefined ? defaultSuite(policy) : algorithmSuite(asked)
  assertFrameLength(frameLength)
  assertFrameCount(plaintext.length, frameLength)
  assertEncryptedDataKeyLimit(maxEncryptedDataKeys)
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

function write(encryption: Encryption, materials: EncryptionMaterials, plaintext: Uint8Array): Uint8Array<ArrayBuffer> {
  const { random, frameLength, requiredKeys } = encryption
  assertMaterials(encryption, materials)
  assertBytes(plaintext, 'plaintext')
  const messageId = random.take(MESSAGE_ID_BYTES[materials.suite.messageVersion])
  const plaintextLength = plaintext.length
  const writer = new MessageWriter({ materials, messageId, frameLength, requiredKeys, plaintextLength })
  try {
    const message = writer.bytes
    writer.seal(plaintext, message.subarray(writer.headerLength), true)
    return materials.signingKey === undefined ? message : withFooter(message, writer.footer())
  } finally {
    writer.dispose()
  }
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
