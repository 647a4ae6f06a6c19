import { readingManager } from './detached.ts'
import { bytesFrom } from '../bindings/bytes.ts'
import {
  FINAL_OVERHEAD,
  isFinalFrame,
  readSingleBlockHead,
  REGULAR_OVERHEAD,
  SINGLE_BLOCK_OVERHEAD,
} from '../bindings/frames.ts'
import type { OpenedFrames } from '../bindings/message.ts'
import type { DecryptionManager } from './decryption-materials.ts'
import { assertUnchanged, byteStream, type ByteWork, type Emit, type StreamFailure } from './byte-stream.ts'
import { decryptionCall, decryptionOf, type DecryptionCall, type DecryptOptions } from './decryption.ts'
import { DisposedError, FormatError, LimitError, UnsupportedError } from './errors.ts'
import type { Keyring, MaterialsManager } from './materials.ts'
import { describeHeader, readHeader, type DecodedHeader, type MessageHeader } from './message-header.ts'
import { MessageReader } from './message-reader.ts'
import { assertMaxFrameLength, assertSignedStreams, MAX_MESSAGE_BYTES } from './options.ts'
import { PendingBytes } from './pending-bytes.ts'
import { MAX_FOOTER_BYTES } from './signature.ts'

/** Bytes of the body that are opened at once, if a frame is not longer. */
const PIECE_BYTES = 0x40000

const DEFAULT_MAX_FRAME_LENGTH = 0x1000000

/** Enough to tell base64 from a message. */
const FIRST_BYTES = 2

const NOTHING: OpenedFrames = { read: 0, written: 0, frames: 0, isFinal: false, needed: 0 }

export interface DecryptStreamOptions extends DecryptOptions {
  /**
   * Refuses longer frames, which must be held in memory until their tag is verified; a non-framed body counts as one
   * frame. 1 to 2^50 bytes, default 16 MiB.
   */
  readonly maxFrameLength?: number | undefined
  /**
   * Signed messages are refused unless this is `allow`: their signature comes last, so that all but the final frame
   * leaves before it is verified, authenticated by the data key alone. Whoever allows it must undo what he did with
   * the plaintext if the stream fails.
   */
  readonly signedStreams?: 'allow' | 'refuse' | undefined
}

/** A message in, plaintext out. */
export interface DecryptStream extends TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  /**
   * The header, once it is authenticated: it may be awaited before any plaintext is read. It rejects with what the
   * stream fails with before; nobody has to listen.
   */
  readonly header: Promise<MessageHeader>
}

/**
 * Decrypts one message from a stream, in memory that does not grow with it: about two frames, and at least half a
 * mebibyte. Chunks may have any lengths, and belong to the caller again when their write settles.
 *
 * Nothing comes out before the header is authentic, and the plaintext of each frame after its tag was verified. Only
 * the end of the stream tells that the message is whole: a message that is cut off anywhere, or followed by anything,
 * fails the stream, and what came out until then must not be taken for all of it.
 *
 * Once the stream fails, its `signal` is aborted, or either side is aborted or cancelled, nothing more comes out, both
 * sides reject with the reason, and what is secret in it is wiped.
 *
 * Source: aws-encryption-sdk-specification, client-apis/streaming.md and client-apis/decrypt.md.
 *
 * @param source a keyring or a materials manager
 * @throws TypeError or RangeError for arguments that are none, at once. The stream fails with what {@link decrypt}
 *   rejects with, with TypeError for a chunk that is no `Uint8Array`, with LimitError for frames longer than
 *   `maxFrameLength`, and with UnsupportedError for a signed message without `signedStreams: 'allow'`; the latter two
 *   before any keyring is asked, but for a non-framed body that is too long
 */
export function decryptStream(source: Keyring | MaterialsManager, options: DecryptStreamOptions = {}): DecryptStream {
  const manager = readingManager(source, options)
  const call = decryptionCall(manager, options, false)
  const { maxFrameLength = DEFAULT_MAX_FRAME_LENGTH, signedStreams = 'refuse' } = options
  assertMaxFrameLength(maxFrameLength)
  assertSignedStreams(signedStreams)
  const opening = new Opening(manager, call, { maxFrameLength, isSignedAllowed: signedStreams === 'allow' })
  const { readable, writable } = byteStream(opening, call.signal)
  return Object.freeze({ readable, writable, header: opening.authenticHeader })
}

interface OpeningLimits {
  readonly maxFrameLength: number
  readonly isSignedAllowed: boolean
}

class Opening implements ByteWork {
  /** Rejections reach the two sides of the stream as well: this promise need not be looked at. */
  readonly authenticHeader: Promise<MessageHeader>
  readonly #manager: DecryptionManager
  readonly #call: DecryptionCall
  readonly #limits: OpeningLimits
  /** The beginning of the header, of a frame, or of the footer. */
  readonly #pending = new PendingBytes()
  /** Bytes that must be there before a look at them is worth it: a lower bound of what stands there. */
  #needed = FIRST_BYTES
  #header: DecodedHeader | undefined
  #reader: MessageReader | undefined
  #taken = 0
  #isBodyOver = false
  /** Plaintext that waits for the signature. */
  #held: Uint8Array<ArrayBuffer> | undefined
  #isOver = false
  #resolveHeader!: (header: MessageHeader) => void
  #rejectHeader!: (reason: unknown) => void

  constructor(manager: DecryptionManager, call: DecryptionCall, limits: OpeningLimits) {
    this.#manager = manager
    this.#call = call
    this.#limits = limits
    this.authenticHeader = new Promise((resolve, reject) => {
      this.#resolveHeader = resolve
      this.#rejectHeader = reject
    })
    this.authenticHeader.catch(() => undefined)
  }

  async write(chunk: Uint8Array, emit: Emit): Promise<void> {
    const { length } = chunk
    this.#taken += length
    if (this.#taken > MAX_MESSAGE_BYTES) throw new LimitError('a message has at most 2^50 bytes')
    let at = this.#header === undefined ? this.#readHeader(chunk) : 0
    if (this.#header === undefined) return
    const reader = this.#reader ?? (await this.#authenticate(this.#header))
    while (at < length) {
      assertUnchanged(chunk, length)
      at += this.#isBodyOver
        ? this.#takeTail(reader, chunk.subarray(at))
        : await this.#openPart(reader, chunk, at, emit)
    }
  }

  /** Takes the bytes of the header from the chunk and answers their number. */
  #readHeader(chunk: Uint8Array): number {
    const { maxEncryptedDataKeys } = this.#call
    const pending = this.#pending
    if (pending.length === 0 && chunk.length >= this.#needed) {
      const header = readHeader(chunk, maxEncryptedDataKeys)
      if (!('needed' in header)) return this.#noteHeader(header)
      this.#needed = header.needed
    }
    for (let at = 0; ;) {
      at += this.#fill(chunk, at)
      if (pending.length < this.#needed) return at
      const header = readHeader(pending.bytes, maxEncryptedDataKeys)
      if (!('needed' in header)) {
        this.#noteHeader(header)
        return at
      }
      this.#needed = header.needed
    }
  }

  #noteHeader(header: DecodedHeader): number {
    this.#header = header
    this.#needed = 1
    this.#pending.clear()
    return header.parsed.byteLength
  }

  /** Copies from `at` on until what is pending is as long as needed; answers the bytes copied. */
  #fill(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + this.#needed - this.#pending.length)
    this.#pending.push(part)
    return part.length
  }

  async #authenticate(header: DecodedHeader): Promise<MessageReader> {
    const { parsed, suite } = header
    const { maxFrameLength, isSignedAllowed } = this.#limits
    const { expected, request } = decryptionOf(header, this.#call)
    if (suite.signatureCurve !== undefined && !isSignedAllowed) {
      throw new UnsupportedError(
        'the message is signed, and its plaintext would leave before the signature is verified: ' +
          "pass signedStreams: 'allow' if you can undo what is done with it, or use decrypt",
      )
    }
    this.#assertFrameLength(parsed.frameLength)
    const materials = await this.#manager.decryptionMaterials(request)
    try {
      if (this.#isOver) throw new DisposedError('the stream')
      const { engine, isSynchronous } = this.#call
      const length = parsed.frameLength === 0 ? maxFrameLength : Infinity
      const choice = { engine, isSynchronous, frameLength: parsed.frameLength, length }
      const reader = new MessageReader(header, expected, materials, choice)
      // Whoever sees the header may end the stream before this call goes on: what is to be wiped must be known by then.
      this.#reader = reader
      this.#resolveHeader(describeHeader(header))
      return reader
    } finally {
      materials.dispose()
    }
  }

  #assertFrameLength(length: number): void {
    if (length <= this.#limits.maxFrameLength) return
    throw new LimitError(`a frame has ${String(length)} bytes: raise maxFrameLength to hold so many in memory`)
  }

  /** Opens the frame that is pending, if this chunk completes it, and those behind it. Answers the bytes used. */
  async #openPart(reader: MessageReader, chunk: Uint8Array, from: number, emit: Emit): Promise<number> {
    const pending = this.#pending
    let at = from
    if (pending.length > 0) {
      at += this.#fill(chunk, at)
      if (pending.length < this.#needed) return at - from
    }
    const piece = chunk.subarray(at, at + Math.max(PIECE_BYTES, this.#frameLength + FINAL_OVERHEAD, this.#needed))
    const output = new Uint8Array(
      plaintextRoom(pending.bytes, this.#frameLength) + plaintextRoom(piece, this.#frameLength),
    )
    try {
      const first = pending.length > 0 ? await this.#open(reader, pending.bytes, output) : NOTHING
      if (pending.length > 0 && first.read === 0) return at - from
      pending.clear()
      const isNext = !first.isFinal && piece.length >= this.#needed
      const second = isNext ? await this.#open(reader, piece, bytesFrom(output, first.written)) : NOTHING
      at += second.read
      if (!this.#isBodyOver && chunk.length - at < this.#needed) {
        pending.push(chunk.subarray(at))
        at = chunk.length
      }
      await this.#release(output, first.written + second.written, first.frames + second.frames, emit)
    } catch (error) {
      output.fill(0)
      throw error
    }
    return at - from
  }

  async #open(reader: MessageReader, bytes: Uint8Array, output: Uint8Array): Promise<OpenedFrames> {
    if (this.#frameLength === 0) this.#assertFrameLength(readSingleBlockHead(bytes) ?? 0)
    const opened = await reader.open(bytes, output)
    if (this.#isOver) throw new DisposedError('the stream')
    this.#needed = opened.needed
    this.#isBodyOver = opened.isFinal
    return opened
  }

  /** Lets plaintext go whose tags are verified; the final frame of a signed message waits for the signature. */
  async #release(output: Uint8Array<ArrayBuffer>, written: number, frames: number, emit: Emit): Promise<void> {
    const isHeld = this.#isBodyOver && this.#isSigned
    const free = isHeld ? (frames - 1) * this.#frameLength : written
    if (isHeld) this.#held = output.slice(free, written)
    // Memory of its own: a view would show what is held, or go on into room that was not needed.
    const bytes = free === output.length ? output : output.slice(0, free)
    if (bytes !== output) output.fill(0)
    if (free > 0) await give(bytes, emit)
  }

  /** What follows the final frame: the beginning of the footer, or nothing. */
  #takeTail(reader: MessageReader, rest: Uint8Array): number {
    if (!this.#isSigned) reader.verifyFooter(rest)
    this.#pending.push(rest.subarray(0, MAX_FOOTER_BYTES + 1 - this.#pending.length))
    if (this.#pending.length > MAX_FOOTER_BYTES) throw new FormatError('bytes follow the end of the message')
    return rest.length
  }

  async close(emit: Emit): Promise<void> {
    if (this.#reader === undefined) throw new FormatError('the message ends inside its header')
    if (!this.#isBodyOver) throw new FormatError('the message ends inside its body')
    this.#reader.verifyFooter(this.#pending.bytes)
    const held = this.#held
    this.#held = undefined
    if (held !== undefined && held.length > 0) await give(held, emit)
  }

  end(failure: StreamFailure | undefined): void {
    this.#isOver = true
    this.#reader?.dispose()
    this.#pending.wipe()
    this.#held?.fill(0)
    if (failure !== undefined) this.#rejectHeader(failure.reason)
  }

  get #frameLength(): number {
    return this.#header?.parsed.frameLength ?? 0
  }

  get #isSigned(): boolean {
    return this.#header?.suite.signatureCurve !== undefined
  }
}

async function give(plaintext: Uint8Array<ArrayBuffer>, emit: Emit): Promise<void> {
  try {
    await emit(plaintext)
  } catch (error) {
    plaintext.fill(0)
    throw error
  }
}

/** Room for the plaintext of all that is whole at the start of `body`: exact unless the final frame is in it. */
function plaintextRoom(body: Uint8Array, frameLength: number): number {
  if (frameLength === 0) return Math.max(body.length - SINGLE_BLOCK_OVERHEAD, 0)
  const frames = Math.floor(body.length / (frameLength + REGULAR_OVERHEAD))
  const end = frames * (frameLength + REGULAR_OVERHEAD)
  const rest = isFinalFrame(body, end) ? Math.max(body.length - end - FINAL_OVERHEAD, 0) : 0
  return frames * frameLength + rest
}
