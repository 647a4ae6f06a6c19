import { assertBytes } from '../bindings/bytes.ts'
import { concatBytes, copyBytes } from './bytes.ts'
import { mergeContexts, pairsBeside, pairsOf, PUBLIC_KEY_CONTEXT_KEY } from './context.ts'
import type { CommitmentPolicy } from './commitment-policy.ts'
import { decryptStream, type DecryptStream, type DecryptStreamOptions } from './decrypt-stream.ts'
import { decrypt } from './decrypt.ts'
import { decryptionCall, decryptionOf, type DecryptionCall, type DecryptOptions } from './decryption.ts'
import { readingManager } from './detached.ts'
import type { DecryptionManager } from './decryption-materials.ts'
import { encryptionManager } from './encryption-materials.ts'
import { encryptStream } from './encrypt-stream.ts'
import { encrypt } from './encrypt.ts'
import type { EncryptOptions } from './encryption.ts'
import { FormatError, UnsupportedError } from './errors.ts'
import type { Keyring, MaterialsManager } from './materials.ts'
import { readHeader, readWholeHeader, type DecodedHeader, type MessageHeader } from './message-header.ts'
import { assertFrameLength, assertMaxFrameLength, assertSignedStreams } from './options.ts'
import { PendingBytes } from './pending-bytes.ts'
import { assertWraps, rewrapHeader } from './rewrap-keys.ts'
import { algorithmSuite, type AlgorithmSuite, type AlgorithmSuiteId, type AlgorithmSuiteName } from './suites.ts'

export { detachedKeys, type DetachedKeysOptions } from './detached-keys.ts'
export { rewrapKeys, type RewrapKeysOptions } from './rewrap-keys.ts'

interface WritingOptions {
  /**
   * True: only the header is written again, the body stays as it is and **is not verified**; `to` must be a keyring. Messages
   * of version 2 and signed ones are refused then. False: the message is verified and encrypted again. Default: only the
   * header where that can be and no `algorithmSuite` or `frameLength` is asked for, else all of it.
   */
  readonly headerOnly?: boolean | undefined
  /** The suite of a message that is encrypted again. Default: the one it has, if the policy lets that be written. */
  readonly algorithmSuite?: AlgorithmSuiteId | AlgorithmSuiteName | undefined
  /** The frame length of a message that is encrypted again. Default: the one it has. */
  readonly frameLength?: number | undefined
}

/** How the message is read, and how it is written. `maxEncryptedDataKeys` holds for both. */
export interface RewrapOptions extends DecryptOptions, WritingOptions {}

export interface RewrapStreamOptions extends DecryptStreamOptions, WritingOptions {}

/**
 * Answers a message under other keys, with the same plaintext and encryption context.
 *
 * A message of version 2, or a signed one, is verified and encrypted again, with a fresh data key and message id: its header
 * is bound to one key and a constant IV, and a second header under these would give the authentication key away. A message of
 * version 1 without signature gets a new header in front of the same body and data key, unless `headerOnly` is false.
 *
 * **A new header revokes nobody** who could unwrap the old one, or keeps it: the data key is the same. Encrypted again, the
 * new message is out of reach for the old keys; copies of the old one are not.
 *
 * @param from a keyring or a materials manager that reads the message
 * @param to one that writes it; for a new header a keyring
 * @param message the whole message; not to be changed before the promise settles
 * @returns the whole new message
 * @throws as `decrypt` and `encrypt`; UnsupportedError when `headerOnly` is true and the message cannot have another header
 */
export async function rewrap(
  from: Keyring | MaterialsManager,
  to: Keyring | MaterialsManager,
  message: Uint8Array,
  options: RewrapOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  assertBytes(message, 'message')
  const { manager, call, plan, detachedKeys } = prepare(from, to, options)
  const header = readWholeHeader(message, call.maxEncryptedDataKeys)
  if (isHeaderOnly(header, plan, to)) {
    const written = await rewrapHeader(manager, to, header, call)
    return concatBytes(written, message.subarray(header.parsed.byteLength))
  }
  const opened = await decrypt(from, message, { ...readingOptions(call), detachedKeys })
  try {
    return await encrypt(to, opened.plaintext, writingOptions(opened.header, call, plan))
  } finally {
    opened.plaintext.fill(0)
  }
}

/**
 * {@link rewrap} for a stream, in memory that does not grow with it. A message that is encrypted again comes out frame by
 * frame, as it is verified; only the end of the stream tells that all of it was.
 *
 * @throws TypeError or RangeError for arguments that are none, at once; the stream fails with the rest
 */
export function rewrapStream(
  from: Keyring | MaterialsManager,
  to: Keyring | MaterialsManager,
  options: RewrapStreamOptions = {},
): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  const prepared = prepare(from, to, options)
  if (options.maxFrameLength !== undefined) assertMaxFrameLength(options.maxFrameLength)
  if (options.signedStreams !== undefined) assertSignedStreams(options.signedStreams)
  const open = (): DecryptStream => decryptStream(from, { ...options, ...readingOptions(prepared.call) })
  const input = stage()
  const output = stage()
  const { signal } = prepared.call
  const fail = (reason: unknown): void => {
    input.error(reason)
    output.error(reason)
  }
  const abort = (): void => {
    fail(signal?.reason)
  }
  signal?.addEventListener('abort', abort)
  if (signal?.aborted === true) abort()
  void pump({ ...prepared, to, open }, input.readable, output.writable)
    .catch(fail)
    .finally(() => signal?.removeEventListener('abort', abort))
  return Object.freeze({ readable: output.readable, writable: input.writable })
}

type Bytes = Uint8Array<ArrayBuffer>

interface Rewrapping extends Prepared {
  readonly to: Keyring | MaterialsManager
  /** Begins to decrypt. */
  readonly open: () => DecryptStream
}

async function pump(
  { manager, call, plan, to, open }: Rewrapping,
  input: ReadableStream<Bytes>,
  output: WritableStream<Bytes>,
): Promise<void> {
  const { header, rest } = await splitHeader(input, call)
  if (isHeaderOnly(header, plan, to)) {
    const writer = output.getWriter()
    await writer.write(await rewrapHeader(manager, to, header, call))
    writer.releaseLock()
    await withoutFirst(rest, header.parsed.byteLength).pipeTo(output)
    return
  }
  const opening = open()
  const plaintext = rest.pipeThrough(opening)
  const sealing = encryptStream(to, writingOptions(await opening.header, call, plan))
  await plaintext.pipeThrough(sealing).pipeTo(output)
}

/** Passes copies on: a chunk belongs to the caller again when its write settles. Both sides can be made to fail. */
function stage(): TransformStream<Uint8Array, Bytes> & { error(reason: unknown): void } {
  let error!: (reason: unknown) => void
  const { readable, writable } = new TransformStream<Uint8Array, Bytes>({
    start(controller) {
      error = (reason) => {
        controller.error(reason)
      }
    },
    transform(chunk, controller) {
      assertBytes(chunk, 'a chunk')
      controller.enqueue(new Uint8Array(chunk))
    },
  })
  return { readable, writable, error }
}

interface Prepared {
  readonly manager: DecryptionManager
  readonly call: DecryptionCall
  readonly plan: WritingOptions
  readonly detachedKeys: Uint8Array | undefined
}

function prepare(
  from: Keyring | MaterialsManager,
  to: Keyring | MaterialsManager,
  options: RewrapOptions | RewrapStreamOptions,
): Prepared {
  const manager = readingManager(from, options)
  encryptionManager(to)
  const call = decryptionCall(manager, options, false)
  const { headerOnly, algorithmSuite: suite, frameLength } = options
  if (headerOnly !== undefined && typeof headerOnly !== 'boolean')
    throw new TypeError('headerOnly must be true or false')
  if (suite !== undefined) algorithmSuite(suite)
  if (frameLength !== undefined) assertFrameLength(frameLength)
  if (headerOnly === true) assertWraps(to as Keyring)
  const { detachedKeys } = options
  const plan = { headerOnly, algorithmSuite: suite, frameLength }
  return { manager, call, plan, detachedKeys: detachedKeys && copyBytes(detachedKeys) }
}

/** Whether the message gets a new header and keeps its body. */
function isHeaderOnly(
  { suite }: DecodedHeader,
  { headerOnly, algorithmSuite: asked, frameLength }: WritingOptions,
  to: Keyring | MaterialsManager,
): to is Keyring {
  const isPossible = suite.messageVersion === 1 && suite.signatureCurve === undefined
  if (headerOnly === true && !isPossible) {
    throw new UnsupportedError(
      `${suite.name} binds a message to its header: leave headerOnly out to encrypt it again, or write it with detachedKeys`,
    )
  }
  return headerOnly ?? (isPossible && asked === undefined && frameLength === undefined && 'wrap' in to)
}

/** The checked options, of which copies were made, once more as options. */
function readingOptions({
  pairs,
  requiredKeys,
  policy,
  maxEncryptedDataKeys,
  engine,
  signal,
}: DecryptionCall): DecryptOptions {
  return {
    encryptionContext: pairs,
    requiredEncryptionContextKeys: requiredKeys,
    commitmentPolicy: policy,
    maxEncryptedDataKeys,
    engine,
    signal,
  }
}

/** The encryption context is carried over, what the header does not store included; so are suite and frame length. */
function writingOptions(
  { algorithmSuite: suite, encryptionContext: stored, frameLength }: MessageHeader,
  { pairs, requiredKeys, policy, maxEncryptedDataKeys, engine, signal }: DecryptionCall,
  plan: WritingOptions,
): EncryptOptions {
  const hidden = pairsBeside(pairsOf(pairs, requiredKeys), Object.keys(stored))
  return {
    encryptionContext: mergeContexts(pairsBeside(stored, [PUBLIC_KEY_CONTEXT_KEY]), hidden),
    requiredEncryptionContextKeys: Object.keys(hidden),
    algorithmSuite: plan.algorithmSuite ?? suiteToWrite(suite, policy),
    commitmentPolicy: policy,
    frameLength: plan.frameLength ?? (frameLength === 0 ? undefined : frameLength),
    maxEncryptedDataKeys,
    engine,
    signal,
  }
}

/** The suite that the message has, or the nearest that the policy lets be written: signed if it was. */
function suiteToWrite(
  { id, isCommitting, signatureCurve }: AlgorithmSuite,
  policy: CommitmentPolicy,
): AlgorithmSuiteId {
  const mustCommit = policy !== 'forbid-encrypt-allow-decrypt'
  if (isCommitting === mustCommit) return id
  if (signatureCurve === undefined) return mustCommit ? 0x0478 : 0x0178
  return mustCommit ? 0x0578 : 0x0378
}

/** Reads a header from the start of a stream; `rest` is the stream from its start on again. */
async function splitHeader(
  stream: ReadableStream<Bytes>,
  call: DecryptionCall,
): Promise<{ readonly header: DecodedHeader; readonly rest: ReadableStream<Bytes> }> {
  const reader = stream.getReader()
  const head = new PendingBytes()
  for (let needed = 1; ;) {
    const { done, value } = await reader.read()
    if (done) throw new FormatError('the message ends inside its header')
    head.push(value)
    if (head.length < needed) continue
    const header = readHeader(head.bytes, call.maxEncryptedDataKeys)
    if (!('needed' in header)) {
      decryptionOf(header, call)
      return { header, rest: continued(copyBytes(head.bytes), reader) }
    }
    needed = header.needed
  }
}

function continued(head: Bytes, reader: ReadableStreamDefaultReader<Bytes>): ReadableStream<Bytes> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(head)
    },
    async pull(controller) {
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
}

function withoutFirst(stream: ReadableStream<Bytes>, length: number): ReadableStream<Bytes> {
  let left = length
  return stream.pipeThrough(
    new TransformStream<Bytes, Bytes>({
      transform(chunk, controller) {
        const skipped = Math.min(left, chunk.length)
        left -= skipped
        if (skipped < chunk.length) controller.enqueue(skipped === 0 ? chunk : chunk.slice(skipped))
      },
    }),
  )
}
