import { FINAL_OVERHEAD } from '../bindings/frames.ts'
import { frameLayout, frameOffset, type FrameLayout } from './frame-layout.ts'

/** ECDSA signatures in DER: two integers of one byte each at least, of 49 bytes each at most (P-384). */
const MIN_SIGNATURE_BYTES = 8
const MAX_SIGNATURE_BYTES = 104
const LENGTH_BYTES = 2

const FINAL_HEAD_BYTES = FINAL_OVERHEAD - 16

/**
 * Finds the frames of a signed message, whose footer tells its length at its start alone: each length that a signature
 * may have is tried, and is the right one when it stands before the signature and leaves frames of which the last begins
 * as the final one must. As in {@link frameLayout} nothing in the result is authenticated.
 *
 * @param length bytes of body and footer
 * @param read answers bytes of them
 */
export async function findSignedLayout(
  length: number,
  frameLength: number,
  read: (start: number, end: number) => Promise<Uint8Array>,
): Promise<FrameLayout | undefined> {
  const tailLength = Math.min(length, LENGTH_BYTES + MAX_SIGNATURE_BYTES)
  if (tailLength < LENGTH_BYTES + MIN_SIGNATURE_BYTES) return undefined
  const tail = await read(length - tailLength, length)
  for (let signature = MIN_SIGNATURE_BYTES; signature <= tailLength - LENGTH_BYTES; signature++) {
    const at = tailLength - LENGTH_BYTES - signature
    if (tail[at] !== 0 || tail[at + 1] !== signature) continue
    const layout = frameLayout(length - LENGTH_BYTES - signature, frameLength)
    if (layout === undefined) continue
    const finalFrame = frameOffset(layout, layout.regularFrames)
    const head = await read(finalFrame, finalFrame + FINAL_HEAD_BYTES)
    if (beginsFinalFrame(head, layout)) return layout
  }
  return undefined
}

/** Marker, sequence number and length of a final frame (data-format/message-body.md). */
function beginsFinalFrame(head: Uint8Array, { regularFrames, finalLength }: FrameLayout): boolean {
  const view = new DataView(head.buffer, head.byteOffset, head.length)
  return (
    view.getUint32(0) === 0xffffffff &&
    view.getUint32(4) === regularFrames + 1 &&
    view.getUint32(FINAL_HEAD_BYTES - 4) === finalLength
  )
}
