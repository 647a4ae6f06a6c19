// The body of a message: frames and the single block (data-format/message-body.md and message-body-aad.md of the AWS
// Encryption SDK specification). All integers are big-endian.
//
//   regular frame   sequence number 4 | IV 12 | ciphertext of the frame length | tag 16
//   final frame     ff ff ff ff | sequence number 4 | IV 12 | length 4 | ciphertext | tag 16

import { FRAME_AAD, FRAME_RESULT } from '../memory'
import { gcmOpen, gcmSeal, TAG_BYTES } from '../gcm'
import { messageIdBytesOf, messageIdOf } from '../slots'

/** Kinds of content. */
export const REGULAR_FRAME: u32 = 0
export const FINAL_FRAME: u32 = 1
export const SINGLE_BLOCK: u32 = 2

/** Status of a call. */
export const FRAMES_OK: i32 = 0
export const FRAMES_NOT_AUTHENTIC: i32 = 1
export const FRAMES_BAD_SEQUENCE: i32 = 2
export const FRAMES_BAD_LENGTH: i32 = 3

// FRAME_RESULT, in words of four bytes.
const READ: usize = FRAME_RESULT
const WRITTEN: usize = FRAME_RESULT + 4
const FRAMES: usize = FRAME_RESULT + 8
const IS_FINAL: usize = FRAME_RESULT + 12
/** Bytes before the next frame's ciphertext, and its length: zero where that is not known yet. */
const NEXT_HEAD: usize = FRAME_RESULT + 16
const NEXT_CONTENT: usize = FRAME_RESULT + 20

const REGULAR_HEAD: u32 = 16
const FINAL_HEAD: u32 = 24
const FINAL_MARKER: u32 = 0xffffffff

// "AWSKMSEncryptionClient Frame", "… Final Frame" and "… Single Block".
// prettier-ignore
const NAMES: usize = memory.data<u8>([
  0x41, 0x57, 0x53, 0x4b, 0x4d, 0x53, 0x45, 0x6e, 0x63, 0x72, 0x79, 0x70, 0x74, 0x69, 0x6f, 0x6e,
  0x43, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x20,
  0x46, 0x72, 0x61, 0x6d, 0x65,
  0x46, 0x69, 0x6e, 0x61, 0x6c, 0x20, 0x46, 0x72, 0x61, 0x6d, 0x65,
  0x53, 0x69, 0x6e, 0x67, 0x6c, 0x65, 0x20, 0x42, 0x6c, 0x6f, 0x63, 0x6b,
])
const PREFIX_BYTES: u32 = 23

/**
 * Writes the additional authenticated data of one content to FRAME_AAD: message id ‖ name ‖ sequence number 4 ‖
 * length 8. Answers its bytes.
 */
export function writeAad(slot: usize, kind: u32, sequenceNumber: u32, length: u64): u32 {
  let end = FRAME_AAD
  const idBytes = messageIdBytesOf(slot)
  memory.copy(end, messageIdOf(slot), idBytes)
  end += idBytes
  memory.copy(end, NAMES, PREFIX_BYTES)
  end += PREFIX_BYTES
  const name = NAMES + PREFIX_BYTES + (kind == REGULAR_FRAME ? 0 : kind == FINAL_FRAME ? 5 : 16)
  const nameBytes: u32 = kind == REGULAR_FRAME ? 5 : kind == FINAL_FRAME ? 11 : 12
  memory.copy(end, name, nameBytes)
  end += nameBytes
  store<u32>(end, bswap(sequenceNumber))
  store<u64>(end, bswap(length), 4)
  return <u32>(end + 12 - FRAME_AAD)
}

/**
 * Writes what stands before the ciphertext of a frame; answers its bytes. The IV is the sequence number in 96 bits,
 * as writers do: no two frames of a message share it.
 */
export function writeFrameHead(target: usize, kind: u32, sequenceNumber: u32, length: u32): u32 {
  let number = target
  if (kind == FINAL_FRAME) {
    store<u32>(target, FINAL_MARKER)
    number += 4
    store<u32>(target, bswap(length), 20)
  }
  store<u32>(number, bswap(sequenceNumber))
  store<u64>(number, 0, 4)
  store<u32>(number, bswap(sequenceNumber), 12)
  return kind == FINAL_FRAME ? FINAL_HEAD : REGULAR_HEAD
}

/**
 * Seals `length` bytes at `source` as frames at `target`; answers the bytes written. Every frame is full, but the
 * final one when `isFinal`; empty plaintext makes one empty final frame.
 */
export function sealFrames(
  slot: usize,
  source: usize,
  length: u32,
  target: usize,
  frameLength: u32,
  sequenceNumber: u32,
  isFinal: bool,
): u32 {
  let out = target
  let more = length > 0 || isFinal
  while (more) {
    const isLast = isFinal && length <= frameLength
    const content = isLast ? length : frameLength
    const kind = isLast ? FINAL_FRAME : REGULAR_FRAME
    const head = writeFrameHead(out, kind, sequenceNumber, content)
    const text = out + head
    memory.copy(text, source, content)
    gcmSeal(slot, text - (isLast ? 16 : 12), FRAME_AAD, writeAad(slot, kind, sequenceNumber, content), text, content)
    out = text + content + TAG_BYTES
    source += content
    length -= content
    sequenceNumber++
    more = length > 0
  }
  return <u32>(out - target)
}

/**
 * Reads what stands before the ciphertext of the frame at `source`, of which `available` bytes are present, into
 * NEXT_HEAD, NEXT_CONTENT and IS_FINAL. NEXT_CONTENT is only known when NEXT_HEAD bytes are present.
 */
export function readFrameHead(source: usize, available: u32, frameLength: u32, sequenceNumber: u32): i32 {
  store<u32>(NEXT_CONTENT, 0)
  store<u32>(NEXT_HEAD, REGULAR_HEAD)
  if (available < 4) return FRAMES_OK
  const isFinal = load<u32>(source) == FINAL_MARKER
  store<u32>(IS_FINAL, u32(isFinal))
  const head = isFinal ? FINAL_HEAD : REGULAR_HEAD
  store<u32>(NEXT_HEAD, head)
  if (available < head) return FRAMES_OK
  if (bswap(load<u32>(source + (isFinal ? 4 : 0))) != sequenceNumber) return FRAMES_BAD_SEQUENCE
  const content = isFinal ? bswap(load<u32>(source, 20)) : frameLength
  if (content > frameLength) return FRAMES_BAD_LENGTH
  store<u32>(NEXT_CONTENT, content)
  return FRAMES_OK
}

/**
 * Opens the whole frames among the `available` bytes at `source`, from `sequenceNumber` on, and writes their
 * plaintext to `target`. Each frame is opened in place after its tag was found good; IVs are those of the frames.
 */
export function openFrames(
  slot: usize,
  source: usize,
  available: u32,
  target: usize,
  frameLength: u32,
  sequenceNumber: u32,
): i32 {
  let at = source
  const end = source + available
  let out = target
  let frames: u32 = 0
  let status = FRAMES_OK
  let isFinal: u32 = 0
  while (isFinal == 0) {
    const present = <u32>(end - at)
    status = readFrameHead(at, present, frameLength, sequenceNumber)
    const head = load<u32>(NEXT_HEAD)
    const content = load<u32>(NEXT_CONTENT)
    if (status != FRAMES_OK || present < head || <u64>present < <u64>head + content + TAG_BYTES) break
    isFinal = load<u32>(IS_FINAL)
    const text = at + head
    const aadLength = writeAad(slot, isFinal, sequenceNumber, content)
    if (!gcmOpen(slot, text - (isFinal ? 16 : 12), FRAME_AAD, aadLength, text, content)) {
      status = FRAMES_NOT_AUTHENTIC
      break
    }
    memory.copy(out, text, content)
    out += content
    at = text + content + TAG_BYTES
    sequenceNumber++
    frames++
  }
  store<u32>(READ, <u32>(at - source))
  store<u32>(WRITTEN, <u32>(out - target))
  store<u32>(FRAMES, frames)
  store<u32>(IS_FINAL, isFinal)
  return status
}
