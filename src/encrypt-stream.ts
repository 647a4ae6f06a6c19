import { framedBodyLength, REGULAR_OVERHEAD } from '../bindings/frames.ts'
import { encryptionManager, type EncryptionManager } from './encryption-materials.ts'
import { assertUnchanged, byteStream, type ByteWork, type Emit, type StreamFailure } from './byte-stream.ts'
import { loadDetachedKeys } from './detached.ts'
import {
  messageWriter,
  prepareEncryption,
  type DetachedEncryptOptions,
  type Encryption,
  type EncryptOptions,
} from './encryption.ts'
import { LimitError } from './errors.ts'
import type { Keyring, MaterialsManager } from './materials.ts'
import type { MessageWriter } from './message-writer.ts'
import { assertFrameCount, assertOptions, assertPlaintextLength, MAX_MESSAGE_BYTES } from './options.ts'
import { PendingBytes } from './pending-bytes.ts'
import { footerBound } from './signature.ts'

/** Plaintext that is sealed at once, if a frame is not longer. */
const PIECE_BYTES = 0x40000

interface StreamOptions {
  /**
   * The most bytes of plaintext that may come: more are a `LimitError`. Materials managers that count bytes, such as
   * caches, need it, and the engine is chosen by it. Default: not known.
   */
  readonly plaintextLength?: number | undefined
}

export interface EncryptStreamOptions extends EncryptOptions, StreamOptions {}

export interface DetachedEncryptStreamOptions extends DetachedEncryptOptions, StreamOptions {}

/** Plaintext in, a message out. */
export interface EncryptStream extends TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  /**
   * Answers the bytes of the message for so many bytes of plaintext: exact for unsigned suites, an upper bound for
   * signed ones, whose signature varies by some bytes. It asks the keyring, as the first chunk would; once for both.
   *
   * @throws RangeError for what is no length, or takes more than 2^32−1 frames
   * @throws what the keyring throws when it cannot wrap
   */
  size(plaintextLength: number): Promise<number>
}

/** Plaintext in, a message out, and beside it the record of its keys. */
export interface DetachedEncryptStream extends EncryptStream {
  /** The record, once the header is written; it rejects with what the stream fails with before; nobody has to listen. */
  readonly keys: Promise<Uint8Array<ArrayBuffer>>
}

/** With the keys of the message in a record beside it: see {@link encrypt}. */
export function encryptStream(
  source: Keyring | MaterialsManager,
  options: DetachedEncryptStreamOptions,
): DetachedEncryptStream
/**
 * Encrypts a stream to one message in the AWS Encryption SDK format, in memory that does not grow with it: about two
 * frames, and at least half a mebibyte. Chunks may have any lengths, and belong to the caller again when their write
 * settles. Nothing is drawn or asked of the keyring before the first chunk, or `size`.
 *
 * Once the stream fails, its `signal` is aborted, or either side is aborted or cancelled, nothing more comes out, both
 * sides reject with the reason, and what is secret in it is wiped. What came out until then is no message.
 *
 * Source: aws-encryption-sdk-specification, client-apis/streaming.md and client-apis/encrypt.md.
 *
 * @param source a keyring or a materials manager
 * @throws TypeError or RangeError for arguments that are none, and CommitmentPolicyError when the policy forbids the
 *   suite: at once. The stream fails with what {@link encrypt} rejects with, with TypeError for a chunk that is no
 *   `Uint8Array`, and with LimitError for more plaintext than `plaintextLength` or 2^32−1 frames
 */
export function encryptStream(source: Keyring | MaterialsManager, options?: EncryptStreamOptions): EncryptStream
export function encryptStream(
  source: Keyring | MaterialsManager,
  options: EncryptStreamOptions | DetachedEncryptStreamOptions = {},
): EncryptStream | DetachedEncryptStream {
  const manager = encryptionManager(source)
  assertOptions(options)
  const { plaintextLength, signal } = options
  if (plaintextLength !== undefined) assertPlaintextLength(plaintextLength)
  const encryption = prepareEncryption(manager, options, plaintextLength, false)
  const isDetached = options.detachedKeys === true
  const sealing = new Sealing(manager, encryption, isDetached)
  const { readable, writable } = byteStream(sealing, signal)
  return Object.freeze({ readable, writable, size: sealing.size, ...(isDetached && { keys: sealing.keys }) })
}

class Sealing implements ByteWork {
  readonly #manager: EncryptionManager
  readonly #encryption: Encryption
  readonly #isDetached: boolean
  readonly keys: Promise<Uint8Array<ArrayBuffer>>
  #resolveKeys!: (record: Uint8Array<ArrayBuffer>) => void
  #rejectKeys!: (reason: unknown) => void
  /** The frame that may be the last: at least a byte once there was one, at most a frame. */
  readonly #pending = new PendingBytes()
  #beginning: Promise<MessageWriter> | undefined
  #writer: MessageWriter | undefined
  #isHeaderOut = false
  #taken = 0
  #failure: StreamFailure | undefined

  constructor(manager: EncryptionManager, encryption: Encryption, isDetached: boolean) {
    this.#manager = manager
    this.#encryption = encryption
    this.#isDetached = isDetached
    this.keys = new Promise((resolve, reject) => {
      this.#resolveKeys = resolve
      this.#rejectKeys = reject
    })
    this.keys.catch(() => undefined)
  }

  readonly size = async (plaintextLength: number): Promise<number> => {
    const { frameLength, request } = this.#encryption
    assertPlaintextLength(plaintextLength)
    assertFrameCount(plaintextLength, frameLength)
    const { headerLength } = await this.#begin()
    return headerLength + framedBodyLength(plaintextLength, frameLength) + footerBound(request.suite)
  }

  #begin(): Promise<MessageWriter> {
    return (this.#beginning ??= this.#makeWriter())
  }

  async #makeWriter(): Promise<MessageWriter> {
    const { request, random } = this.#encryption
    try {
      this.#assertGood()
      const detached = this.#isDetached ? await loadDetachedKeys(request.suite) : undefined
      const materials = await this.#manager.encryptionMaterials(request)
      try {
        this.#assertGood()
        const detachment = detached?.detach(this.#encryption, materials)
        const shown = detachment?.materials ?? materials
        const writer = messageWriter(this.#encryption, shown, request.plaintextLength ?? Infinity)
        this.#writer = writer
        if (detachment !== undefined) this.#resolveKeys(detachment.record(writer.bytes))
        return writer
      } finally {
        materials.dispose()
      }
    } finally {
      random.wipe()
    }
  }

  #assertGood(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  async write(chunk: Uint8Array, emit: Emit): Promise<void> {
    const { length } = chunk
    this.#count(length)
    const writer = await this.#start(emit)
    let at = 0
    while (this.#pending.length + length - at > this.#encryption.frameLength) {
      assertUnchanged(chunk, length)
      at += await this.#sealFrames(writer, chunk, at, emit)
    }
    assertUnchanged(chunk, length)
    this.#pending.push(chunk.subarray(at, length))
  }

  #count(length: number): void {
    this.#taken += length
    const limit = this.#encryption.request.plaintextLength ?? MAX_MESSAGE_BYTES
    if (this.#taken > limit) throw new LimitError(`the plaintext is longer than ${String(limit)} bytes`)
  }

  /** The writer, whose header is out. */
  async #start(emit: Emit): Promise<MessageWriter> {
    const writer = this.#writer ?? (await this.#begin())
    if (this.#isHeaderOut) return writer
    this.#isHeaderOut = true
    await emit(writer.bytes)
    return writer
  }

  /**
   * Seals the pending frame, filled up, and whole frames behind it, but not the last byte: it may belong to the final
   * frame. Answers the bytes of the chunk that were used.
   */
  async #sealFrames(writer: MessageWriter, chunk: Uint8Array, from: number, emit: Emit): Promise<number> {
    const { frameLength } = this.#encryption
    const pending = this.#pending
    const isPending = pending.length > 0
    const filling = isPending ? frameLength - pending.length : 0
    const start = from + filling
    const atOnce = Math.max(Math.floor(PIECE_BYTES / frameLength), 1)
    const frames = Math.min(Math.floor((chunk.length - start - 1) / frameLength), atOnce)
    const end = start + frames * frameLength
    const sealed = new Uint8Array((frames + (isPending ? 1 : 0)) * (frameLength + REGULAR_OVERHEAD))
    let written = 0
    if (isPending) {
      pending.push(chunk.subarray(from, start))
      written = await writer.seal(pending.bytes, sealed, false)
      pending.clear()
    }
    if (frames > 0) {
      const rest = isPending ? sealed.subarray(written) : sealed
      written += await writer.seal(chunk.subarray(start, end), rest, false)
    }
    if (written !== sealed.length) throw new TypeError('a chunk was changed while it was sealed')
    await emit(sealed)
    return end - from
  }

  async close(emit: Emit): Promise<void> {
    const writer = await this.#start(emit)
    const { frameLength } = this.#encryption
    const sealed = new Uint8Array(framedBodyLength(this.#pending.length, frameLength))
    await writer.seal(this.#pending.bytes, sealed, true)
    await emit(sealed)
    const footer = writer.footer()
    if (footer.length > 0) await emit(footer)
  }

  end(failure: StreamFailure | undefined): void {
    this.#failure = failure
    this.#writer?.dispose()
    this.#pending.wipe()
    this.#encryption.random.wipe()
    if (failure !== undefined) this.#rejectKeys(failure.reason)
  }
}
