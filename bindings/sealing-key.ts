import { bytesFrom } from './bytes.ts'
import { FINAL_FRAME, REGULAR_FRAME, writeFrameHead } from './frames.ts'
import { encryptWindows, IV_BYTES, TAG_BYTES } from './gcm.ts'
import type { CipherSuite } from './header.ts'
import type { Core } from './instance.ts'
import { CoreMessageKey, framesThatFit, type FramePosition, type MessageKey } from './message-key.ts'
import { assertFresh } from './slots.ts'

/** Where frames are to be written, and whether the last of them is the final frame. */
export interface SealingPosition extends FramePosition {
  readonly isFinal: boolean
}

/** A message key that writes. */
export interface SealingKey extends MessageKey {
  /** The commit key of committing suites, 32 bytes. */
  readonly commitment: Uint8Array | undefined
  /**
   * Answers the 16-byte tag over header body ‖ `requiredContext` with the zero IV. Only once: a second header under
   * one key and IV would give the authentication key away.
   *
   * @param iv another IV, random: for another header of a version 1 message, which stores it
   */
  sealHeader(headerBody: Uint8Array, requiredContext: Uint8Array, iv?: Uint8Array): Uint8Array<ArrayBuffer>
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

const COMMITMENT_BYTES = 32
const ZERO_IV = new Uint8Array(IV_BYTES)
const MAX_SEQUENCE_NUMBER = 0xffffffff

/**
 * Derives the key of a message, and its commitment, in the core (framework/transitive-requirements.md), to write the
 * message. The data key is copied, and the caller wipes its own; the message id must not change afterwards.
 *
 * @param dataKey `suite.keyBytes` bytes
 * @param messageId 16 bytes in version 1, 32 in version 2
 * @throws RangeError for other lengths
 */
export function sealingKey(suite: CipherSuite, dataKey: Uint8Array, messageId: Uint8Array): SealingKey {
  return new Sealing(suite, dataKey, messageId)
}

class Sealing extends CoreMessageKey implements SealingKey {
  #isHeaderSealed = false
  #nextSequenceNumber = 1

  get commitment(): Uint8Array | undefined {
    if (!this.suite.isCommitting) return undefined
    const from = this.key.acquire()
    assertFresh(from.exports.readCommitment(this.key.slot, this.key.generation))
    return from.heap.slice(from.io, from.io + COMMITMENT_BYTES)
  }

  sealHeader(headerBody: Uint8Array, requiredContext: Uint8Array, iv = ZERO_IV): Uint8Array<ArrayBuffer> {
    if (this.#isHeaderSealed) throw new RangeError('a message key seals one header only')
    if (iv !== ZERO_IV && this.suite.messageVersion !== 1) throw new RangeError('version 2 has no IV in its header')
    this.#isHeaderSealed = true
    const to = this.beginHeader(iv, headerBody, requiredContext)
    assertFresh(to.exports.gcmEncrypt(0, 1))
    return to.heap.slice(to.io, to.io + TAG_BYTES)
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
