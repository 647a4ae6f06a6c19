import { assertLength, bytesFrom, concatBytes } from './bytes.ts'
import { AuthenticationError } from './errors.ts'
import {
  assertFrames,
  FINAL_FRAME,
  FINAL_OVERHEAD,
  neededOf,
  readFrameHead,
  readSingleBlockHead,
  REGULAR_FRAME,
  REGULAR_OVERHEAD,
  SINGLE_BLOCK,
  SINGLE_BLOCK_HEAD,
  writeFrameHead,
} from './frames.ts'
import { decryptWindows, encryptWindows, feedAad, IV_BYTES, TAG_BYTES } from './gcm.ts'
import type { CipherSuite, ParsedHeader } from './header.ts'
import { core, takeBytes, type Core } from './instance.ts'
import { assertFresh, KeyHandle } from './slots.ts'

export { framedBodyLength } from './frames.ts'
export {
  parseContext,
  parseHeader,
  serializeContext,
  serializeHeader,
  type CipherSuite,
  type ContextPair,
  type EncryptedDataKey,
  type HeaderFields,
  type ParsedHeader,
} from './header.ts'

/** Where frames stand in the body of a message. */
export interface FramePosition {
  /** Bytes of plaintext in a regular frame, 1 to 2^32 − 1. */
  readonly frameLength: number
  /** Sequence number of the first frame, from 1. */
  readonly sequenceNumber: number
}

/** Where frames are to be written, and whether the last of them is the final frame. */
export interface SealingPosition extends FramePosition {
  readonly isFinal: boolean
}

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

/** The key of one message, in the core. */
export interface MessageKey {
  readonly messageId: Uint8Array
  readonly isDisposed: boolean
  /** Answers the encryption key, which the caller wipes: for the runtime's AES alone, which cannot look into the core. */
  exportKey(): Uint8Array<ArrayBuffer>
  /** Wipes the key; harmless when repeated. */
  dispose(): void
}

/** A message key that writes. */
export interface SealingKey extends MessageKey {
  /** The commit key of committing suites, 32 bytes. */
  readonly commitment: Uint8Array | undefined
  /**
   * Answers the 16-byte tag over header body ‖ `requiredContext` with the zero IV. Only once: a second header under
   * one key and IV would give the authentication key away.
   */
  sealHeader(headerBody: Uint8Array, requiredContext: Uint8Array): Uint8Array<ArrayBuffer>
  /**
   * Writes `plaintext` as frames to `output`, which must have the room, and answers the bytes written. All frames are
   * full but, when `isFinal`, the last; empty plaintext is one empty final frame. A sequence number is used once.
   *
   * @throws RangeError if plaintext that is not final is no multiple of the frame length, if a sequence number was
   *   used before, or passes 2^32 − 1
   */
  sealFrames(position: SealingPosition, plaintext: Uint8Array, output: Uint8Array): number
  /**
   * Answers the number of frames that this much plaintext takes, whose sequence numbers count as used from here on:
   * no IV, and so no sequence number, twice under one key. Errors as {@link SealingKey.sealFrames}.
   */
  claimFrames(position: SealingPosition, plaintextLength: number): number
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
const DATA_KEY_ROOM = 32
const ZERO_IV = new Uint8Array(IV_BYTES)

const MAX_SEQUENCE_NUMBER = 0xffffffff

/**
 * Derives the key of a message, and its commitment, in the core (framework/transitive-requirements.md), to write the
 * message. Both inputs are copied; the caller wipes its own data key.
 *
 * @param dataKey `suite.keyBytes` bytes
 * @param messageId 16 bytes in version 1, 32 in version 2
 * @throws RangeError for other lengths
 */
export function sealingKey(suite: CipherSuite, dataKey: Uint8Array, messageId: Uint8Array): SealingKey {
  return new Sealing(suite, dataKey, messageId)
}

/** As {@link sealingKey}, to read the message. */
export function openingKey(suite: CipherSuite, dataKey: Uint8Array, messageId: Uint8Array): OpeningKey {
  return new Opening(suite, dataKey, messageId)
}

class CoreMessageKey implements MessageKey {
  readonly messageId: Uint8Array
  protected readonly suite: CipherSuite
  protected readonly key: KeyHandle
  readonly #dataKey: Uint8Array

  constructor(suite: CipherSuite, dataKey: Uint8Array, messageId: Uint8Array) {
    if (dataKey.length !== suite.keyBytes || messageId.length !== suite.messageVersion * 16) {
      throw new RangeError('the data key or the message id has the wrong length for the suite')
    }
    const ownKey = new Uint8Array(dataKey)
    const ownId = new Uint8Array(messageId)
    this.suite = suite
    this.#dataKey = ownKey
    this.messageId = ownId
    this.key = new KeyHandle('the message key', [ownKey], (into, slot) => {
      into.heap.set(ownKey, into.io)
      into.heap.set(ownId, into.io + DATA_KEY_ROOM)
      return into.exports.setMessageKey(slot, suite.id)
    })
  }

  exportKey(): Uint8Array<ArrayBuffer> {
    const from = this.key.acquire()
    from.heap.set(this.#dataKey, from.io)
    from.heap.set(this.messageId, from.io + DATA_KEY_ROOM)
    return takeBytes(from, 0, from.exports.exportMessageKey(this.suite.id))
  }

  protected beginHeader(iv: Uint8Array, headerBody: Uint8Array, requiredContext: Uint8Array): Core {
    const to = this.key.acquire()
    to.heap.set(iv, to.io)
    assertFresh(to.exports.gcmBegin(this.key.slot, this.key.generation))
    // One additional data: windows before the last must be whole, so the two parts are joined first.
    feedAad(to, requiredContext.length === 0 ? headerBody : concatBytes(headerBody, requiredContext))
    return to
  }

  protected beginContent(to: Core, kind: number, from: Uint8Array, sequenceNumber: number, length: number): void {
    const { slot, generation } = this.key
    to.heap.set(from.subarray(0, IV_BYTES), to.io)
    const high = Math.floor(length / 2 ** 32)
    assertFresh(to.exports.gcmBeginFrame(slot, generation, kind, sequenceNumber, high, length >>> 0))
  }

  get isDisposed(): boolean {
    return this.key.isDisposed
  }

  dispose(): void {
    this.key.dispose()
  }
}

class Sealing extends CoreMessageKey implements SealingKey {
  #isHeaderSealed = false
  #nextSequenceNumber = 1

  get commitment(): Uint8Array | undefined {
    if (!this.suite.isCommitting) return undefined
    const from = this.key.acquire()
    assertFresh(from.exports.readCommitment(this.key.slot, this.key.generation))
    return takeBytes(from, 0, 32)
  }

  sealHeader(headerBody: Uint8Array, requiredContext: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#isHeaderSealed) throw new RangeError('a message key seals one header only')
    this.#isHeaderSealed = true
    const to = this.beginHeader(ZERO_IV, headerBody, requiredContext)
    assertFresh(to.exports.gcmEncrypt(0, 1))
    return takeBytes(to, 0, TAG_BYTES)
  }

  sealFrames(position: SealingPosition, plaintext: Uint8Array, output: Uint8Array): number {
    const frames = this.claimFrames(position, plaintext.length)
    const { frameLength, isFinal } = position
    const to = this.key.acquire()
    const batch = framesThatFit(to, frameLength)
    let { sequenceNumber } = position
    let at = 0
    let written = 0
    for (let left = frames; left > 0;) {
      const count = Math.min(left, Math.max(batch, 1))
      const isLast = isFinal && count === left
      const isWhole = at === 0 && count === left
      const text = isWhole ? plaintext : plaintext.subarray(at, at + count * frameLength)
      const target = bytesFrom(output, written)
      written +=
        batch === 0
          ? this.#sealLargeFrame(to, { frameLength, sequenceNumber, isFinal: isLast }, text, target)
          : this.#sealBatch(to, { frameLength, sequenceNumber, isFinal: isLast }, text, target)
      at += text.length
      sequenceNumber += count
      left -= count
    }
    return written
  }

  claimFrames(position: SealingPosition, plaintextLength: number): number {
    const { frameLength, sequenceNumber: first, isFinal } = position
    const frames = Math.max(isFinal ? 1 : 0, Math.ceil(plaintextLength / frameLength))
    if (first < this.#nextSequenceNumber) throw new RangeError(`sequence number ${String(first)} was used before`)
    if (first + frames - 1 > MAX_SEQUENCE_NUMBER) {
      throw new RangeError('a message holds at most 2^32 − 1 frames: raise frameLength')
    }
    this.#nextSequenceNumber = first + frames
    if (!isFinal && plaintextLength % frameLength !== 0) {
      throw new RangeError('plaintext that is not final must fill its frames')
    }
    return frames
  }

  #sealBatch(to: Core, position: SealingPosition, plaintext: Uint8Array, output: Uint8Array): number {
    to.heap.set(plaintext, to.io)
    const { slot, generation } = this.key
    const { frameLength, sequenceNumber, isFinal } = position
    const written = to.exports.sealFrames(
      slot,
      generation,
      plaintext.length,
      frameLength,
      sequenceNumber,
      isFinal ? 1 : 0,
    )
    assertFresh(written)
    output.set(to.heap.subarray(to.out, to.out + written))
    return written
  }

  #sealLargeFrame(to: Core, position: SealingPosition, plaintext: Uint8Array, output: Uint8Array): number {
    const { sequenceNumber, isFinal } = position
    const kind = isFinal ? FINAL_FRAME : REGULAR_FRAME
    const head = writeFrameHead(to, kind, sequenceNumber, plaintext.length, output)
    this.beginContent(to, kind, output.subarray(isFinal ? 8 : 4), sequenceNumber, plaintext.length)
    encryptWindows(to, plaintext, output.subarray(head))
    return head + plaintext.length + TAG_BYTES
  }
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

/** How many frames of this length fit the arena at once, as input and as output; zero for large frames. */
function framesThatFit(to: Core, frameLength: number): number {
  const half = to.out - to.io
  return Math.max(0, Math.floor((half - FINAL_OVERHEAD) / (frameLength + REGULAR_OVERHEAD)))
}

/**
 * RSAES-PKCS1-v1_5 unpadding (RFC 8017 §7.2.2) with implicit rejection: always answers a data key. It is the padded
 * one only if the padding was good and the length exact, and else HMAC-SHA-256(`rejectionKey`, `ciphertext`); only
 * the authentication of a message tells them apart.
 *
 * @param encodedMessage what RSA decryption without padding answered, as long as the modulus
 * @param dataKeyLength 1 to 32 bytes
 * @param rejectionKey 32 bytes that depend on the private key alone
 * @param ciphertext as long as the modulus
 * @throws RangeError for other lengths
 */
export function pkcs1Unpad(
  encodedMessage: Uint8Array,
  dataKeyLength: number,
  rejectionKey: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const length = encodedMessage.length
  assertLength(rejectionKey, 'rejectionKey', 32)
  assertLength(ciphertext, 'ciphertext', length)
  if (!(dataKeyLength >= 1 && dataKeyLength <= 32) || length < dataKeyLength + 11 || length > 0x2000) {
    throw new RangeError('the encoded message does not suit the data key length')
  }
  const to = core()
  to.heap.set(encodedMessage, to.io)
  to.heap.set(rejectionKey, to.io + length)
  to.heap.set(ciphertext, to.io + length + 32)
  to.exports.unpadPkcs1Key(length, dataKeyLength)
  return takeBytes(to, 0, dataKeyLength)
}
