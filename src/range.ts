import { readingManager } from './detached.ts'
import { isFinalFrame } from '../bindings/frames.ts'
import { withSymbolDispose } from '../bindings/gcm.ts'
import { decryptionCall, decryptionOf, type DecryptionCall, type DecryptOptions } from './decryption.ts'
import type { DecryptResult } from './decrypt.ts'
import { DisposedError, FormatError, LimitError, UnsupportedError } from './errors.ts'
import { coveringFrames, frameLayout, frameOffset, frameRun, type FrameLayout, type FrameRun } from './frame-layout.ts'
import type { Keyring, MaterialsManager } from './materials.ts'
import { describeHeader, readHeader, type DecodedHeader, type MessageHeader } from './message-header.ts'
import { MessageReader } from './message-reader.ts'
import { assertMaxFrameLength, assertOptions, assertSignal, assertSignedStreams } from './options.ts'
import { findSignedLayout } from './signed-layout.ts'
import { CheckedSource, type RandomAccessSource } from './source.ts'

export { blobSource, fileHandleSource, type BlobLike, type FileHandleLike, type RandomAccessSource } from './source.ts'
export { httpSource, type HttpFetch, type HttpResponse, type HttpSourceOptions } from './http-source.ts'

const DEFAULT_MAX_FRAME_LENGTH = 2 ** 24

/** Bytes that are asked for first: more than most headers have, and a small message whole. */
const HEAD_BYTES = 4096

/** Bytes of frames that are read and opened at a time, if one frame does not have more. */
const WINDOW_BYTES = 2 ** 22

export interface OpenOptions extends DecryptOptions {
  /** Refuses messages with longer frames, before any keyring is asked: a frame is read whole. Default 16 MiB. */
  readonly maxFrameLength?: number | undefined
  /**
   * `'allow'` also opens messages of signed suites. **Their signature is not verified**: it covers the whole message. What
   * is read is then as authentic as that of an unsigned suite. Default `'refuse'`.
   */
  readonly signedStreams?: 'allow' | 'refuse' | undefined
}

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
}

/** A message whose header is authenticated, and of which ranges can be read. */
export interface OpenedMessage {
  readonly header: MessageHeader
  /**
   * Bytes of the plaintext, by the length of the source. Authentic once a range was read that needed the final frame:
   * see {@link OpenedMessage.read}.
   */
  readonly size: number
  /**
   * Decrypts the plaintext from `start` to `end`, exclusive, of which only the frames that hold them are read. Any number
   * of reads may be under way at once.
   *
   * Each byte is authentic for its place. How long the plaintext is only the final frame tells: it is read and verified
   * as well when the range reaches the end, when `end` is left out or `start` is negative, and before a range is
   * refused for being outside.
   *
   * @param start default 0; below 0 it counts from the end, as in `slice` and in the suffix ranges of HTTP: -500 are the
   *   last 500 bytes, or all when there are fewer
   * @param end default the end of the plaintext
   * @throws RangeError when `end` is before `start`, or one of them beyond the end; TypeError for what is no number
   * @throws AuthenticationError or FormatError when a frame is not the one that was sealed there
   * @throws SourceError when the source answers something else than it was asked; what the source itself throws
   * @throws DisposedError after `dispose`, also for reads that were under way; `signal.reason` once `signal` is aborted
   */
  read(start?: number, end?: number, options?: ReadOptions): Promise<Uint8Array<ArrayBuffer>>
  /** Wipes the message key. Also `[Symbol.dispose]`, where the engine knows it. */
  dispose(): void
}

/**
 * Opens a message for reading ranges of its plaintext: its header is read and authenticated, its key unwrapped, once for
 * any number of ranges. Of the AWS Encryption SDKs none reads ranges; the message needs nothing that they do not write.
 *
 * @param keyring a keyring or a materials manager
 * @param source the whole message, anywhere; its bytes must not change while it is read
 * @throws as `decrypt`; and UnsupportedError for a non-framed message, and for a signed one unless `signedStreams` allows it
 * @throws LimitError for frames longer than `maxFrameLength`, and for a source of more than 2^50 bytes
 * @throws SourceError when the source answers something else than it was asked; what the source itself throws
 */
export function openMessage(
  keyring: Keyring | MaterialsManager,
  source: RandomAccessSource | Uint8Array,
  options: OpenOptions = {},
): Promise<OpenedMessage> {
  return open(keyring, source, options, Infinity)
}

/**
 * Decrypts one range of a message: {@link openMessage} and one read.
 *
 * @param start as in {@link OpenedMessage.read}, also for `end`; undefined stands for the end
 * @throws as {@link openMessage} and {@link OpenedMessage.read}
 */
export async function decryptRange(
  keyring: Keyring | MaterialsManager,
  source: RandomAccessSource | Uint8Array,
  start: number,
  end?: number,
  options: OpenOptions = {},
): Promise<DecryptResult> {
  assertRange(start, end)
  assertOptions(options)
  const { signal } = options
  const message = await open(keyring, source, options, end === undefined || start < 0 ? Infinity : end - start)
  try {
    return { plaintext: await message.read(start, end, { signal }), header: message.header }
  } finally {
    message.dispose()
  }
}

/** @param wanted bytes of plaintext that will be read: the engine is chosen by it */
async function open(
  keyring: Keyring | MaterialsManager,
  source: RandomAccessSource | Uint8Array,
  options: OpenOptions,
  wanted: number,
): Promise<OpenedMessage> {
  const manager = readingManager(keyring, options)
  const call = decryptionCall(manager, options, false)
  const { maxFrameLength = DEFAULT_MAX_FRAME_LENGTH, signedStreams = 'refuse' } = options
  assertMaxFrameLength(maxFrameLength)
  assertSignedStreams(signedStreams)
  const bytes = new CheckedSource(source)
  const { signal } = call
  signal?.throwIfAborted()
  const { head, header } = await readHead(bytes, call)
  const decryption = decryptionOf(header, call)
  assertHasRanges(header, signedStreams)
  const layout = await layoutOf(header, head, signal)
  assertFrameFits(layout, maxFrameLength)
  signal?.throwIfAborted()
  const materials = await manager.decryptionMaterials(decryption.request)
  try {
    signal?.throwIfAborted()
    const { frameLength } = layout
    const length = Math.min(layout.plaintextLength, wanted + 2 * frameLength)
    const choice = { engine: call.engine, isSynchronous: false, frameLength, length }
    const reader = new MessageReader(header, decryption.expected, materials, choice)
    return withSymbolDispose(new RangeReader(header, layout, reader, head))
  } finally {
    materials.dispose()
  }
}

function assertHasRanges({ parsed, suite }: DecodedHeader, signedStreams: 'allow' | 'refuse'): void {
  if (parsed.contentType !== 'framed') throw new UnsupportedError('a non-framed message has no ranges: use decrypt')
  if (suite.signatureCurve === undefined || signedStreams === 'allow') return
  throw new UnsupportedError(
    `the signature of ${suite.name} covers the whole message and cannot be verified for a range: use decrypt, or pass ` +
      `signedStreams 'allow' if the range may do without`,
  )
}

function assertFrameFits({ frameLength, plaintextLength }: FrameLayout, maxFrameLength: number): void {
  const longest = Math.min(frameLength, plaintextLength)
  if (longest <= maxFrameLength) return
  throw new LimitError(`the message has frames of ${longest} bytes: raise maxFrameLength if it should be read`)
}

/** The source, and what was read of its beginning: that is not asked for again. */
class Head {
  readonly size: number
  readonly #source: CheckedSource
  #bytes = new Uint8Array(0)

  constructor(source: CheckedSource, size: number) {
    this.#source = source
    this.size = size
  }

  /** The beginning of the source, `length` bytes of it. */
  async extend(length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const known = this.#bytes
    const more = await this.#source.read(known.length, length - known.length, signal)
    this.#bytes = new Uint8Array(length)
    this.#bytes.set(known)
    this.#bytes.set(more, known.length)
    return this.#bytes
  }

  async read(start: number, end: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    if (end <= this.#bytes.length) return this.#bytes.subarray(start, end)
    return this.#source.read(start, end - start, signal)
  }
}

async function readHead(
  source: CheckedSource,
  { maxEncryptedDataKeys, signal }: DecryptionCall,
): Promise<{ readonly head: Head; readonly header: DecodedHeader }> {
  const head = new Head(source, await source.size(signal))
  let length = 0
  for (let wanted = HEAD_BYTES; ;) {
    if (length === head.size) throw new FormatError('the message ends inside its header')
    length = Math.min(wanted, head.size)
    const header = readHeader(await head.extend(length, signal), maxEncryptedDataKeys)
    if (!('needed' in header)) return { head, header }
    wanted = Math.max(header.needed, 2 * length)
  }
}

async function layoutOf(
  { parsed, suite }: DecodedHeader,
  head: Head,
  signal: AbortSignal | undefined,
): Promise<FrameLayout> {
  const { byteLength, frameLength } = parsed
  const bodyLength = head.size - byteLength
  const layout =
    suite.signatureCurve === undefined
      ? frameLayout(bodyLength, frameLength)
      : await findSignedLayout(bodyLength, frameLength, (start, end) =>
          head.read(byteLength + start, byteLength + end, signal),
        )
  if (layout === undefined)
    throw new FormatError('the message is cut off, or bytes follow it: no frames have its length')
  return layout
}

/** A range of the plaintext, and where it goes. */
interface Wanted {
  readonly from: number
  readonly to: number
  readonly output: Uint8Array
  readonly signal: AbortSignal | undefined
}

class RangeReader implements OpenedMessage {
  readonly header: MessageHeader
  readonly size: number
  readonly #bodyOffset: number
  readonly #layout: FrameLayout
  readonly #reader: MessageReader
  readonly #head: Head
  #isSizeAuthentic = false
  #isDisposed = false

  constructor(header: DecodedHeader, layout: FrameLayout, reader: MessageReader, head: Head) {
    this.header = describeHeader(header)
    this.size = layout.plaintextLength
    this.#bodyOffset = header.parsed.byteLength
    this.#layout = layout
    this.#reader = reader
    this.#head = head
  }

  async read(start = 0, end?: number, { signal }: ReadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
    assertRange(start, end)
    assertSignal(signal)
    this.#assertGoesOn(signal)
    const from = start < 0 ? Math.max(this.size + start, 0) : start
    const to = end ?? this.size
    const isInside = from <= to && to <= this.size
    const needsSize = start < 0 || end === undefined || !isInside
    // What is short and reaches the end meets the final frame anyway; all else waits before memory is taken for it.
    const meetsFinalFrame = isInside && to === this.size && to - from <= WINDOW_BYTES
    if (needsSize && !meetsFinalFrame) await this.#authenticateSize(signal)
    if (!isInside) throw new RangeError(`the plaintext has ${this.size} bytes: no range from ${start} to ${to}`)
    const output = new Uint8Array(to - from)
    if (from === to && to < this.size) return output
    const [first, last] = coveringFrames(this.#layout, from, to)
    let isComplete = false
    try {
      await this.#openFrames(first, last, { from, to, output, signal })
      isComplete = true
      return output
    } finally {
      if (!isComplete) output.fill(0)
    }
  }

  /** The final frame is authenticated with its place and length, which nothing but the plaintext's size decides. */
  async #authenticateSize(signal: AbortSignal | undefined): Promise<void> {
    const { regularFrames } = this.#layout
    const nothing = { from: 0, to: 0, output: new Uint8Array(0), signal }
    if (!this.#isSizeAuthentic) await this.#openFrames(regularFrames, regularFrames, nothing)
  }

  /** Reads and opens the frames, both included, by the window, and copies what is wanted of them. */
  async #openFrames(first: number, last: number, { from, to, output, signal }: Wanted): Promise<void> {
    const perWindow = Math.max(1, Math.floor(WINDOW_BYTES / this.#layout.frameLength))
    for (let frame = first; frame <= last; frame += perWindow) {
      const run = frameRun(this.#layout, frame, Math.min(perWindow, last + 1 - frame))
      const sealed = await this.#head.read(this.#bodyOffset + run.bodyStart, this.#bodyOffset + run.bodyEnd, signal)
      const { textStart, textEnd } = run
      const isWanted = textStart >= from && textEnd <= to
      const text = isWanted ? output.subarray(textStart - from, textEnd - from) : new Uint8Array(textEnd - textStart)
      try {
        this.#assertGoesOn(signal)
        await this.#openRun(run, sealed, text)
        this.#assertGoesOn(signal)
        const start = Math.max(from, textStart)
        const end = Math.min(to, textEnd)
        if (!isWanted && start < end) output.set(text.subarray(start - textStart, end - textStart), start - from)
      } finally {
        if (!isWanted) text.fill(0)
      }
    }
  }

  async #openRun(run: FrameRun, sealed: Uint8Array, text: Uint8Array): Promise<void> {
    const finalFrame = frameOffset(this.#layout, this.#layout.regularFrames) - run.bodyStart
    // Else a regular frame might stand there, whose text has more bytes than there is room for.
    if (run.isFinal && !isFinalFrame(sealed, finalFrame)) throw misplaced()
    const { read, frames, isFinal } = await this.#reader.openAt(run.first + 1, sealed, text)
    if (read !== sealed.length || frames !== run.count || isFinal !== run.isFinal) throw misplaced()
    if (isFinal) this.#isSizeAuthentic = true
  }

  #assertGoesOn(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (this.#isDisposed) throw new DisposedError('the opened message')
  }

  dispose(): void {
    this.#isDisposed = true
    this.#reader.dispose()
  }
}

function misplaced(): FormatError {
  return new FormatError('the frames of the message do not stand where its length says')
}

/** What is wrong whatever the message. */
function assertRange(start: unknown, end: unknown): void {
  for (const place of end === undefined ? [start] : [start, end]) {
    if (typeof place !== 'number') throw new TypeError('start and end of a range must be numbers')
    if (!Number.isSafeInteger(place)) throw new RangeError('start and end of a range must be whole numbers')
  }
  const [from, to] = [start, end] as [number, number | undefined]
  if (to !== undefined && (to < 0 || to < from)) throw new RangeError('end must not be negative, nor before start')
}
