import { assertLength, bytesFrom } from './bytes.ts'
import { AuthenticationError } from './errors.ts'
import {
  assertFrames,
  FINAL_FRAME,
  neededOf,
  readFrameHead,
  readSingleBlockHead,
  REGULAR_FRAME,
  SINGLE_BLOCK,
  SINGLE_BLOCK_HEAD,
} from './frames.ts'
import { decryptWindows, TAG_BYTES } from './gcm.ts'
import type { CipherSuite, ParsedHeader } from './header.ts'
import type { Core } from './instance.ts'
import { CoreMessageKey, framesThatFit, type FramePosition, type MessageKey } from './message-key.ts'
import { assertFresh } from './slots.ts'

/** What was opened of a body. */
export interface OpenedFrames {
  /** Bytes of the body that were used, and of plaintext that were written. */
  readonly read: number
  readonly written: number
  readonly frames: number
  /** Whether the last of them was the final frame. */
  readonly isFinal: boolean
  /** The next frame is not whole: it has at least this many bytes. Zero after the final frame. */
  readonly needed: number
}

/** What was opened of a non-framed body: all of it or nothing. */
export interface OpenedSingleBlock {
  readonly read: number
  readonly written: number
  /** As in {@link OpenedFrames}. */
  readonly needed: number
}

/** A message key that reads. */
export interface OpeningKey extends MessageKey {
  /** Whether `stored` is the commitment, in constant time. */
  verifyCommitment(stored: Uint8Array): boolean
  /** Whether the tag of the header is good. */
  verifyHeader(header: ParsedHeader, requiredContext: Uint8Array): boolean
  /**
   * Opens the whole frames at the start of `body` and writes their plaintext to `output`, for which `body.length` is
   * always room. Plaintext of a frame is written after its tag was verified.
   *
   * @throws AuthenticationError; FormatError if a sequence number or length is wrong
   */
  openFrames(position: FramePosition, body: Uint8Array, output: Uint8Array): OpenedFrames
  /** Opens a non-framed body. Nothing is read until all of it is there. Errors as {@link OpeningKey.openFrames}. */
  openSingleBlock(body: Uint8Array, output: Uint8Array): OpenedSingleBlock
}

/** u32 words at frameResultAddress. */
const READ = 0
const WRITTEN = 1
const FRAMES = 2
const IS_FINAL = 3

/** As `sealingKey`, to read the message. */
export function openingKey(suite: CipherSuite, dataKey: Uint8Array, messageId: Uint8Array): OpeningKey {
  return new Opening(suite, dataKey, messageId)
}

class Opening extends CoreMessageKey implements OpeningKey {
  verifyCommitment(stored: Uint8Array): boolean {
    assertLength(stored, 'commitment', 32)
    if (!this.suite.isCommitting) return false
    const to = this.key.acquire()
    to.heap.set(stored, to.io)
    const status = to.exports.matchesCommitment(this.key.slot, this.key.generation)
    assertFresh(status)
    return status === 1
  }

  verifyHeader(header: ParsedHeader, requiredContext: Uint8Array): boolean {
    const to = this.beginHeader(header.iv, header.body, requiredContext)
    to.heap.set(header.tag, to.io)
    const status = to.exports.gcmAuthenticate(0, 1)
    assertFresh(status)
    if (status === 1) assertFresh(to.exports.gcmDecrypt(0, 1))
    return status === 1
  }

  openFrames(position: FramePosition, body: Uint8Array, output: Uint8Array): OpenedFrames {
    const to = this.key.acquire()
    const { frameLength } = position
    const isBatched = framesThatFit(to, frameLength) > 0
    let read = 0
    let written = 0
    let frames = 0
    for (;;) {
      const next = { frameLength, sequenceNumber: position.sequenceNumber + frames }
      const rest = bytesFrom(body, read)
      const target = bytesFrom(output, written)
      const opened = isBatched ? this.#openBatch(to, next, rest, target) : this.#openLargeFrame(to, next, rest, target)
      read += opened.read
      written += opened.written
      frames += opened.frames
      const { isFinal, needed } = opened
      if (isFinal || opened.frames === 0) return { read, written, frames, isFinal, needed }
    }
  }

  #openBatch(to: Core, position: FramePosition, body: Uint8Array, output: Uint8Array): OpenedFrames {
    const { slot, generation } = this.key
    const { frameLength, sequenceNumber } = position
    const half = to.out - to.io
    const window = body.length <= half ? body : body.subarray(0, half)
    to.heap.set(window, to.io)
    const status = to.exports.openFrames(slot, generation, window.length, frameLength, sequenceNumber)
    assertFresh(status)
    const result = to.frameResult
    try {
      assertFrames(status, sequenceNumber + (result[FRAMES] ?? 0))
      output.set(to.heap.subarray(to.out, to.out + (result[WRITTEN] ?? 0)))
    } finally {
      to.exports.wipeArena(to.out - to.io, result[WRITTEN] ?? 0)
    }
    return {
      read: result[READ] ?? 0,
      written: result[WRITTEN] ?? 0,
      frames: result[FRAMES] ?? 0,
      isFinal: result[IS_FINAL] === 1,
      needed: result[IS_FINAL] === 1 ? 0 : neededOf(result),
    }
  }

  /** Opens one frame that does not fit the arena. */
  #openLargeFrame(to: Core, position: FramePosition, body: Uint8Array, output: Uint8Array): OpenedFrames {
    const { headBytes, contentBytes, isFinal } = readFrameHead(to, position, body)
    const end = headBytes + contentBytes + TAG_BYTES
    if (body.length < end) return { read: 0, written: 0, frames: 0, isFinal: false, needed: end }
    const kind = isFinal ? FINAL_FRAME : REGULAR_FRAME
    this.beginContent(to, kind, body.subarray(isFinal ? 8 : 4), position.sequenceNumber, contentBytes)
    if (!decryptWindows(to, body.subarray(headBytes, end), output)) throw new AuthenticationError()
    return { read: end, written: contentBytes, frames: 1, isFinal, needed: 0 }
  }

  openSingleBlock(body: Uint8Array, output: Uint8Array): OpenedSingleBlock {
    const length = readSingleBlockHead(body)
    const end = SINGLE_BLOCK_HEAD + (length ?? 0) + TAG_BYTES
    if (length === undefined || body.length < end) return { read: 0, written: 0, needed: end }
    const to = this.key.acquire()
    this.beginContent(to, SINGLE_BLOCK, body, 1, length)
    if (!decryptWindows(to, body.subarray(SINGLE_BLOCK_HEAD, end), output)) throw new AuthenticationError()
    return { read: end, written: length, needed: 0 }
  }
}
