// The header body of a message (data-format/message-header.md of the AWS Encryption SDK specification), read by a
// scanner that takes the header in windows of any size and writes by fields. All integers are big-endian.
//
//   version 1   01 | 80 | suite 2 | message id 16 | AAD | keys | content type 1 | 00000000 | 0c | frame length 4
//   version 2   02 | suite 2 | message id 32 | AAD | keys | content type 1 | frame length 4 | commitment 32
//   AAD         bytes 2 [ count 2 | count × (length 2, key, length 2, value) ]
//   keys        count 2 | count × (length 2, provider id, length 2, provider info, length 2, ciphertext)
//
// Behind it stands the authentication: in version 1 an IV of 12 bytes and a tag, in version 2 the tag alone.

import { HEADER_CURSOR, HEADER_RESULT, IO, OUT } from '../memory'
import { TAG_BYTES } from '../gcm'
import { messageIdBytes } from './key'
import { suiteVersion } from './suite'

/** Answers of the scanner. */
export const HEADER_DONE: i32 = 0
export const HEADER_NEEDS_MORE: i32 = 1
export const HEADER_BAD_VERSION: i32 = 2
export const HEADER_BAD_TYPE: i32 = 3
export const HEADER_BAD_SUITE: i32 = 4
export const HEADER_BAD_CONTEXT: i32 = 5
export const HEADER_NO_KEYS: i32 = 6
export const HEADER_TOO_MANY_KEYS: i32 = 7
export const HEADER_BAD_CONTENT_TYPE: i32 = 8
export const HEADER_BAD_RESERVED: i32 = 9
export const HEADER_BAD_IV_LENGTH: i32 = 10
export const HEADER_BAD_FRAME_LENGTH: i32 = 11

// HEADER_RESULT: f64 words, since a header may be longer than 2^32 bytes.
/** Bytes scanned; the next window begins there. */
const POSITION: usize = HEADER_RESULT
/** Bytes that the next window must hold at least. */
const NEEDED: usize = HEADER_RESULT + 8
const VERSION: usize = HEADER_RESULT + 16
const SUITE: usize = HEADER_RESULT + 24
/** Offset and bytes of the encryption context's count and entries. */
const CONTEXT_OFFSET: usize = HEADER_RESULT + 32
const CONTEXT_BYTES: usize = HEADER_RESULT + 40
/** Offset of the first encrypted data key, and their count. */
const KEYS_OFFSET: usize = HEADER_RESULT + 48
const KEYS: usize = HEADER_RESULT + 56
const CONTENT_TYPE: usize = HEADER_RESULT + 64
const FRAME_LENGTH: usize = HEADER_RESULT + 72
/** Bytes of the header body. */
const BODY_BYTES: usize = HEADER_RESULT + 80
const PHASE: usize = HEADER_RESULT + 88
const MAX_KEYS: usize = HEADER_RESULT + 96
const FIELDS_LEFT: usize = HEADER_RESULT + 104
/** Bytes to pass over after the field that was read. */
const SKIP: usize = HEADER_RESULT + 108

const PHASE_START: u32 = 0
const PHASE_CONTEXT: u32 = 1
const PHASE_KEY_COUNT: u32 = 2
const PHASE_KEYS: u32 = 3
const PHASE_END: u32 = 4

const CONTENT_NON_FRAMED: u32 = 1
const CONTENT_FRAMED: u32 = 2
const COMMITMENT_BYTES: u32 = 32
const IV_BYTES: u32 = 12

// @ts-ignore: decorator
@inline
function loadU16(address: usize): u32 {
  return bswap(load<u16>(address))
}

/** Begins a scan that refuses more than `maxKeys` encrypted data keys. */
export function scanBegin(maxKeys: u32): void {
  memory.fill(HEADER_RESULT, 0, SKIP + 4 - HEADER_RESULT)
  store<u32>(MAX_KEYS, maxKeys)
}

/**
 * Scans the window of `available` bytes at `window`, which begins at POSITION. Answers HEADER_NEEDS_MORE when the
 * window does not hold the NEEDED bytes at the new POSITION, which may lie beyond it: contents of keys are skipped.
 */
export function scanWindow(window: usize, available: u32): i32 {
  const start = load<f64>(POSITION)
  let at: u32 = 0
  let status = HEADER_NEEDS_MORE
  while (status == HEADER_NEEDS_MORE) {
    const needed = bytesNeeded(window + at, at < available)
    if (at > available || available - at < needed) {
      store<f64>(NEEDED, <f64>needed)
      break
    }
    status = scanField(window + at, start + <f64>at)
    if (status == HEADER_NEEDS_MORE) at += needed + load<u32>(SKIP)
  }
  store<f64>(POSITION, start + <f64>at)
  return status
}

// Bytes that the next field takes to be read. `isPresent` says whether its first byte may be looked at.
function bytesNeeded(field: usize, isPresent: bool): u32 {
  switch (load<u32>(PHASE)) {
    case PHASE_START:
      // An unknown version is refused on its first byte.
      return !isPresent ? 1 : load<u8>(field) == 1 ? 22 : load<u8>(field) == 2 ? 37 : 1
    case PHASE_CONTEXT:
      return <u32>load<f64>(CONTEXT_BYTES)
    case PHASE_END:
      return load<f64>(VERSION) == 1 ? 10 + IV_BYTES + TAG_BYTES : 5 + COMMITMENT_BYTES + TAG_BYTES
    default:
      return 2
  }
}

// Reads one field that is present, and sets SKIP.
function scanField(field: usize, offset: f64): i32 {
  store<u32>(SKIP, 0)
  switch (load<u32>(PHASE)) {
    case PHASE_START:
      return scanStart(field, offset)
    case PHASE_CONTEXT: {
      store<u32>(PHASE, PHASE_KEY_COUNT)
      return isContext(field, <u32>load<f64>(CONTEXT_BYTES)) ? HEADER_NEEDS_MORE : HEADER_BAD_CONTEXT
    }
    case PHASE_KEY_COUNT: {
      const keys = loadU16(field)
      if (keys == 0) return HEADER_NO_KEYS
      if (keys > load<u32>(MAX_KEYS)) return HEADER_TOO_MANY_KEYS
      store<f64>(KEYS, <f64>keys)
      store<f64>(KEYS_OFFSET, offset + 2)
      store<u32>(FIELDS_LEFT, keys * 3)
      store<u32>(PHASE, PHASE_KEYS)
      return HEADER_NEEDS_MORE
    }
    case PHASE_KEYS: {
      const left = load<u32>(FIELDS_LEFT) - 1
      store<u32>(FIELDS_LEFT, left)
      store<u32>(SKIP, loadU16(field))
      if (left == 0) store<u32>(PHASE, PHASE_END)
      return HEADER_NEEDS_MORE
    }
    default:
      return scanEnd(field, offset)
  }
}

function scanStart(field: usize, offset: f64): i32 {
  const version = load<u8>(field)
  if (version != 1 && version != 2) return HEADER_BAD_VERSION
  if (version == 1 && load<u8>(field, 1) != 0x80) return HEADER_BAD_TYPE
  const suite = loadU16(field + (version == 1 ? 2 : 1))
  if (suiteVersion(suite) != version) return HEADER_BAD_SUITE
  const start: u32 = version == 1 ? 22 : 37
  const contextBytes = loadU16(field + start - 2)
  store<f64>(VERSION, version)
  store<f64>(SUITE, <f64>suite)
  store<f64>(CONTEXT_OFFSET, offset + <f64>start)
  store<f64>(CONTEXT_BYTES, <f64>contextBytes)
  store<u32>(PHASE, contextBytes == 0 ? PHASE_KEY_COUNT : PHASE_CONTEXT)
  return HEADER_NEEDS_MORE
}

// Whether `length` > 0 bytes are a count of at least one and exactly as many entries.
function isContext(data: usize, length: u32): bool {
  if (length < 2) return false
  let fields = loadU16(data) * 2
  if (fields == 0) return false
  let at: u32 = 2
  for (; fields > 0; fields--) {
    if (length - at < 2) return false
    const bytes = loadU16(data + at)
    at += 2
    if (length - at < bytes) return false
    at += bytes
  }
  return at == length
}

function scanEnd(field: usize, offset: f64): i32 {
  const version = load<f64>(VERSION)
  const contentType = <u32>load<u8>(field)
  if (contentType != CONTENT_FRAMED && contentType != CONTENT_NON_FRAMED) return HEADER_BAD_CONTENT_TYPE
  let lengthAt = field + 1
  if (version == 1) {
    if (load<u32>(field, 1) != 0) return HEADER_BAD_RESERVED
    if (load<u8>(field, 5) != IV_BYTES) return HEADER_BAD_IV_LENGTH
    lengthAt += 5
  }
  const frameLength = bswap(load<u32>(lengthAt))
  if ((frameLength == 0) != (contentType == CONTENT_NON_FRAMED)) return HEADER_BAD_FRAME_LENGTH
  store<f64>(CONTENT_TYPE, <f64>contentType)
  store<f64>(FRAME_LENGTH, <f64>frameLength)
  store<f64>(BODY_BYTES, offset + <f64>(lengthAt + 4 - field) + (version == 1 ? 0 : <f64>COMMITMENT_BYTES))
  return HEADER_DONE
}

// The writer puts bytes to OUT; the caller takes them and calls writerTake before the next would not fit.

function put(source: usize, length: u32): void {
  const cursor = load<u32>(HEADER_CURSOR)
  memory.copy(OUT + cursor, source, length)
  store<u32>(HEADER_CURSOR, cursor + length)
}

function put8(value: u32): void {
  const cursor = load<u32>(HEADER_CURSOR)
  store<u8>(OUT + cursor, value)
  store<u32>(HEADER_CURSOR, cursor + 1)
}

/** Puts a count or a length. */
export function put16(value: u32): void {
  const cursor = load<u32>(HEADER_CURSOR)
  store<u16>(OUT + cursor, bswap(<u16>value))
  store<u32>(HEADER_CURSOR, cursor + 2)
}

function put32(value: u32): void {
  put16(value >> 16)
  put16(value & 0xffff)
}

/** Bytes put since the last take; the next are put to the start of OUT. */
export function writerTake(): u32 {
  const cursor = load<u32>(HEADER_CURSOR)
  store<u32>(HEADER_CURSOR, 0)
  return cursor
}

/** Begins a header of suite `id`; the message id is at IO. */
export function putStart(id: u32): void {
  const version = suiteVersion(id)
  store<u32>(HEADER_CURSOR, 0)
  put8(version)
  if (version == 1) put8(0x80)
  put16(id)
  put(IO, messageIdBytes(version))
}

/** Puts a field of `length` bytes, which are at IO, with its length in front. */
export function putField(length: u32): void {
  put16(length)
  put(IO, length)
}

/** Ends the header; for version 2 the commitment is at IO. */
export function putEnd(id: u32, frameLength: u32): void {
  const version = suiteVersion(id)
  put8(frameLength == 0 ? CONTENT_NON_FRAMED : CONTENT_FRAMED)
  if (version == 1) {
    put32(0)
    put8(IV_BYTES)
  }
  put32(frameLength)
  if (version == 2) put(IO, COMMITMENT_BYTES)
}
