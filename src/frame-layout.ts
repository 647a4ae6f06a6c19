import { FINAL_OVERHEAD, REGULAR_OVERHEAD } from '../bindings/frames.ts'

const MAX_FRAMES = 0xffffffff

/** Where the frames of a body stand (data-format/message-body.md). It is arithmetic: nothing in it is authenticated. */
export interface FrameLayout {
  /** Plaintext bytes of a regular frame. */
  readonly frameLength: number
  /** The frames before the final one. */
  readonly regularFrames: number
  /** Plaintext bytes of the final frame, 0 to `frameLength`. */
  readonly finalLength: number
  /** Plaintext bytes of the message. */
  readonly plaintextLength: number
}

/**
 * Finds the frames of a body by its length. There is one answer at most, whether a plaintext of whole frames ends in a
 * full final frame or in an empty one: the remainder of the length tells how long the final frame is.
 *
 * @param bodyLength bytes from the first frame to the end of the final one
 * @returns undefined when no body of such frames has this length
 */
export function frameLayout(bodyLength: number, frameLength: number): FrameLayout | undefined {
  const rest = bodyLength - FINAL_OVERHEAD
  const regularFrames = Math.floor(rest / (frameLength + REGULAR_OVERHEAD))
  const finalLength = rest - regularFrames * (frameLength + REGULAR_OVERHEAD)
  if (rest < 0 || finalLength > frameLength || regularFrames >= MAX_FRAMES) return undefined
  return { frameLength, regularFrames, finalLength, plaintextLength: regularFrames * frameLength + finalLength }
}

/** Bytes of the body before the frame with this index, counted from 0. */
export function frameOffset({ frameLength }: FrameLayout, frame: number): number {
  return frame * (frameLength + REGULAR_OVERHEAD)
}

/** Consecutive frames: what of the body they take and what of the plaintext they hold, ends exclusive. */
export interface FrameRun {
  readonly first: number
  readonly count: number
  /** The final frame is the last of them. */
  readonly isFinal: boolean
  readonly bodyStart: number
  readonly bodyEnd: number
  readonly textStart: number
  readonly textEnd: number
}

/** The frames from `first` on, `count` of them or up to the final one. */
export function frameRun(layout: FrameLayout, first: number, count: number): FrameRun {
  const { frameLength, regularFrames, finalLength, plaintextLength } = layout
  const end = first + count
  const isFinal = end > regularFrames
  return {
    first,
    count: isFinal ? regularFrames + 1 - first : count,
    isFinal,
    bodyStart: frameOffset(layout, first),
    bodyEnd: isFinal ? frameOffset(layout, regularFrames) + FINAL_OVERHEAD + finalLength : frameOffset(layout, end),
    textStart: first * frameLength,
    textEnd: isFinal ? plaintextLength : end * frameLength,
  }
}

/** The frames of a range of the plaintext: indices of the first and of the last one. Both ends of it are inside. */
export function coveringFrames(
  layout: FrameLayout,
  start: number,
  end: number,
): readonly [first: number, last: number] {
  const { frameLength, regularFrames, plaintextLength } = layout
  const first = Math.min(Math.floor(start / frameLength), regularFrames)
  // What reaches the end of the plaintext ends in the final frame, though that may be empty.
  const last = end === plaintextLength ? regularFrames : Math.ceil(end / frameLength) - 1
  return [first, last]
}
