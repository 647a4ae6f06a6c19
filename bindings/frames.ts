import { AuthenticationError, FormatError } from './errors.ts'
import { IV_BYTES, TAG_BYTES } from './gcm.ts'
import type { Core } from './instance.ts'

/** Kinds of content, as assembly/message/frame.ts numbers them. */
export const REGULAR_FRAME = 0
export const FINAL_FRAME = 1
export const SINGLE_BLOCK = 2

/** Status of the core's frame calls. */
const NOT_AUTHENTIC = 1
const BAD_SEQUENCE = 2
/** u32 words at frameResultAddress. */
const NEXT_HEAD = 4
const NEXT_CONTENT = 5

/** Bytes of a frame beside its content, and before it. */
export const REGULAR_OVERHEAD: number = 4 + IV_BYTES + TAG_BYTES
export const FINAL_OVERHEAD: number = REGULAR_OVERHEAD + 8
const FINAL_HEAD = FINAL_OVERHEAD - TAG_BYTES
export const SINGLE_BLOCK_HEAD: number = IV_BYTES + 8
export const SINGLE_BLOCK_OVERHEAD: number = SINGLE_BLOCK_HEAD + TAG_BYTES

/** data-format/message-body.md: SP 800-38D's limit for one plaintext. */
const MAX_SINGLE_BLOCK_BYTES = 2 ** 36 - 32

/** Bytes of the body that `MessageCipher.sealFrames` writes for a whole plaintext. */
export function framedBodyLength(plaintextLength: number, frameLength: number): number {
  const frames = Math.max(1, Math.ceil(plaintextLength / frameLength))
  return plaintextLength + (frames - 1) * REGULAR_OVERHEAD + FINAL_OVERHEAD
}

/** Whether the frame at `at` is the final one, by its marker. */
export function isFinalFrame(body: Uint8Array, at: number): boolean {
  return ((body[at] ?? 0) & (body[at + 1] ?? 0) & (body[at + 2] ?? 0) & (body[at + 3] ?? 0)) === 0xff
}

/** What stands before the content of a frame. */
export interface FrameHead {
  readonly headBytes: number
  /** Zero while less than the head is there. */
  readonly contentBytes: number
  readonly isFinal: boolean
}

/**
 * Reads the head of the frame at the start of `body`.
 *
 * @throws FormatError if its sequence number is another one, or it is longer than the frame length
 */
export function readFrameHead(
  to: Core,
  { frameLength, sequenceNumber }: { readonly frameLength: number; readonly sequenceNumber: number },
  body: Uint8Array,
): FrameHead {
  const head = body.subarray(0, FINAL_HEAD)
  to.heap.set(head, to.io)
  assertFrames(to.exports.readFrameHead(head.length, frameLength, sequenceNumber), sequenceNumber)
  const headBytes = to.frameResult[NEXT_HEAD] ?? 0
  return { headBytes, contentBytes: to.frameResult[NEXT_CONTENT] ?? 0, isFinal: headBytes === FINAL_HEAD }
}

/** Writes the head of a frame to the start of `output` and answers its bytes. */
export function writeFrameHead(
  to: Core,
  kind: number,
  sequenceNumber: number,
  length: number,
  output: Uint8Array,
): number {
  const head = to.exports.writeFrameHead(kind, sequenceNumber, length)
  output.set(to.heap.subarray(to.io, to.io + head))
  return head
}

/**
 * Reads the length of the content of a single block; undefined while less than its head is there.
 *
 * @throws FormatError if it is longer than AES-GCM allows
 */
export function readSingleBlockHead(body: Uint8Array): number | undefined {
  if (body.length < SINGLE_BLOCK_HEAD) return undefined
  const view = new DataView(body.buffer, body.byteOffset, SINGLE_BLOCK_HEAD)
  const length = view.getUint32(IV_BYTES) * 2 ** 32 + view.getUint32(IV_BYTES + 4)
  if (length > MAX_SINGLE_BLOCK_BYTES) throw new FormatError('the body is longer than AES-GCM allows')
  return length
}

/** A lower bound of the bytes of the frame that the core's last call stopped before. */
export function neededOf(result: Uint32Array): number {
  return (result[NEXT_HEAD] ?? 0) + (result[NEXT_CONTENT] ?? 0) + TAG_BYTES
}

/** Throws what the status of a frame call stands for. */
export function assertFrames(status: number, sequenceNumber: number): void {
  if (status === 0) return
  if (status === NOT_AUTHENTIC) throw new AuthenticationError()
  throw new FormatError(
    status === BAD_SEQUENCE
      ? `the frame where number ${String(sequenceNumber)} is expected has another number`
      : `frame ${String(sequenceNumber)} is longer than the frame length`,
  )
}
