// The module's interface. Arguments stand in the arena from IO on, one behind the other unless a call says
// otherwise, and results come back in it. Callers check every length first: the module traps on nothing but its
// own faults. A call wipes what it left in scratch; the caller wipes the arena.
//
// Calls on a key take its slot and generation and answer STALE, having done nothing, if that key is gone.

import { equalBytes } from './constant-time'
import * as gcm from './gcm'
import { hkdfExpand, hkdfExtract } from './hkdf'
import { hmacBegin as beginHmac, hmacFinish, hmacKey } from './hmac'
import * as keyWrap from './key-wrap'
import {
  FRAME_AAD,
  FRAME_RESULT,
  HEADER_RESULT,
  HKDF_PRK,
  IO,
  IO_BYTES,
  OUT,
  SHA_STATE,
  SHA_STATE_BYTES,
  SLOT_COUNT,
  wipe,
  wipeGcm,
  wipeScratch,
} from './memory'
import * as frame from './message/frame'
import * as header from './message/header'
import { deriveEncryptionKey, deriveMessageKey } from './message/key'
import { suiteKeyBytes } from './message/suite'
import { unpadPkcs1 } from './pkcs1'
import { digestBytes, shaBegin as beginSha, shaFinish, shaUpdate as updateSha } from './sha2'
import { commitmentOf, findSlot, installKey, messageIdBytesOf, releaseSlot } from './slots'

export const ioAddress: u32 = <u32>IO
export const ioBytes: u32 = <u32>IO_BYTES
export const outAddress: u32 = <u32>OUT
export const frameResultAddress: u32 = <u32>FRAME_RESULT
export const headerResultAddress: u32 = <u32>HEADER_RESULT
export const slotCount: u32 = SLOT_COUNT

const NO: i32 = 0
const YES: i32 = 1
const STALE: i32 = -1

/** Offset of the additional data in a one-piece GCM call; the IV stands at 0. */
const AAD_OFFSET: u32 = 16

/** Wipes `length` bytes of the arena from `offset` on. */
export function wipeArena(offset: u32, length: u32): void {
  wipe(IO + offset, length)
}

// Keys.

/** Expands the AES key of 16, 24 or 32 bytes at IO into the slot; answers the new generation, never zero. */
export function setKey(slot: u32, keyBytes: u32): u32 {
  const generation = installKey(slot, IO, keyBytes)
  wipe(IO, keyBytes)
  wipeScratch()
  return generation
}

/** Wipes the slot if it still holds the key of this generation, and ends a message in progress. */
export function releaseKey(slot: u32, generation: u32): void {
  const address = findSlot(slot, generation)
  if (address != 0) releaseSlot(address)
  wipeGcm()
}

/** Derives the message key of suite `id` from the data key at IO and the message id at IO + 32. */
export function setMessageKey(slot: u32, id: u32): u32 {
  const generation = deriveMessageKey(slot, id, IO, IO + 32)
  wipe(IO, 32)
  wipeScratch()
  return generation
}

/**
 * Derives the encryption key of suite `id` from the data key at IO and the message id at IO + 32, and hands it out at
 * IO; answers its bytes. For the runtime's own AES, which cannot look into the module; no other message key leaves.
 */
export function exportMessageKey(id: u32): u32 {
  const keyBytes = suiteKeyBytes(id)
  memory.copy(IO, deriveEncryptionKey(id, IO, IO + 32), keyBytes)
  wipe(IO + keyBytes, 64 - keyBytes)
  wipeScratch()
  return keyBytes
}

/** Copies the commit key of a message key of version 2 to IO. */
export function readCommitment(slot: u32, generation: u32): i32 {
  const address = findSlot(slot, generation)
  if (address == 0 || messageIdBytesOf(address) != 32) return STALE
  memory.copy(IO, commitmentOf(address), 32)
  return YES
}

/** Compares the 32 bytes at IO with the commit key. */
export function matchesCommitment(slot: u32, generation: u32): i32 {
  const address = findSlot(slot, generation)
  if (address == 0 || messageIdBytesOf(address) != 32) return STALE
  return equalBytes(IO, commitmentOf(address), 32) ? YES : NO
}

// AES-GCM in one piece: IV at 0, additional data at 16, text behind it, tag behind the text.

/** Seals the text in place and writes the tag. */
export function gcmSeal(slot: u32, generation: u32, aadBytes: u32, textBytes: u32): i32 {
  const address = findSlot(slot, generation)
  if (address == 0) return STALE
  const aad = IO + AAD_OFFSET
  gcm.gcmSeal(address, IO, aad, aadBytes, aad + aadBytes, textBytes)
  wipeGcm()
  return YES
}

/** Opens the text in place; NO if the tag is not its tag, and then nothing was decrypted. */
export function gcmOpen(slot: u32, generation: u32, aadBytes: u32, textBytes: u32): i32 {
  const address = findSlot(slot, generation)
  if (address == 0) return STALE
  const aad = IO + AAD_OFFSET
  const isAuthentic = gcm.gcmOpen(address, IO, aad, aadBytes, aad + aadBytes, textBytes)
  wipeGcm()
  return isAuthentic ? YES : NO
}

// AES-GCM in windows, each at IO: begin, additional data, then text. Windows before the last of their kind are a
// multiple of 128 bytes.

/** Begins a message with the IV at IO. */
export function gcmBegin(slot: u32, generation: u32): i32 {
  const address = findSlot(slot, generation)
  if (address == 0) return STALE
  gcm.gcmBegin(address, IO)
  return YES
}

/**
 * Begins a frame or single block, as message/frame.ts numbers their kinds, with the IV at IO and the additional data
 * of that content.
 */
export function gcmBeginFrame(
  slot: u32,
  generation: u32,
  kind: u32,
  sequenceNumber: u32,
  lengthHigh: u32,
  lengthLow: u32,
): i32 {
  const address = findSlot(slot, generation)
  if (address == 0) return STALE
  gcm.gcmBegin(address, IO)
  const length = (<u64>lengthHigh << 32) | lengthLow
  gcm.gcmAad(FRAME_AAD, frame.writeAad(address, kind, sequenceNumber, length))
  return YES
}

/** Authenticates additional data. */
export function gcmAad(length: u32): i32 {
  if (!gcm.gcmIsOpen()) return STALE
  gcm.gcmAad(IO, length)
  return YES
}

/** Encrypts a window in place; the last one leaves the tag behind it and ends the message. */
export function gcmEncrypt(length: u32, isLast: bool): i32 {
  if (!gcm.gcmIsOpen()) return STALE
  if (isLast) {
    v128.store(IO + length, gcm.gcmEncryptLast(IO, length))
    wipeGcm()
  } else {
    gcm.gcmEncrypt(IO, length)
  }
  return YES
}

/** Authenticates a window of ciphertext; behind the last one stands the tag, and NO ends the message. */
export function gcmAuthenticate(length: u32, isLast: bool): i32 {
  if (!gcm.gcmIsOpen()) return STALE
  if (!isLast) {
    gcm.gcmAuthenticate(IO, length)
    return YES
  }
  const isAuthentic = gcm.gcmVerify(IO, length, IO + length)
  if (!isAuthentic) wipeGcm()
  return isAuthentic ? YES : NO
}

/** Decrypts a window in place, once all ciphertext has been authenticated; the last one ends the message. */
export function gcmDecrypt(length: u32, isLast: bool): i32 {
  if (!gcm.gcmIsOpen() || !gcm.gcmIsVerified()) return STALE
  gcm.gcmDecrypt(IO, length)
  if (isLast) wipeGcm()
  return YES
}

// Frames, as message/frame.ts answers them in the words at frameResultAddress.

/** Seals `length` bytes at IO as frames at OUT; answers the bytes written, or STALE. */
export function sealFrames(
  slot: u32,
  generation: u32,
  length: u32,
  frameLength: u32,
  sequenceNumber: u32,
  isFinal: bool,
): i32 {
  const address = findSlot(slot, generation)
  if (address == 0) return STALE
  const written = frame.sealFrames(address, IO, length, OUT, frameLength, sequenceNumber, isFinal)
  wipe(IO, length)
  wipeGcm()
  return written
}

/** Opens the whole frames among `length` bytes at IO to OUT; answers a status of message/frame.ts, or STALE. */
export function openFrames(slot: u32, generation: u32, length: u32, frameLength: u32, sequenceNumber: u32): i32 {
  const address = findSlot(slot, generation)
  if (address == 0) return STALE
  const status = frame.openFrames(address, IO, length, OUT, frameLength, sequenceNumber)
  wipe(IO, length)
  wipeGcm()
  return status
}

/** Reads the head of the frame of which `length` bytes stand at IO; answers a status of message/frame.ts. */
export function readFrameHead(length: u32, frameLength: u32, sequenceNumber: u32): i32 {
  return frame.readFrameHead(IO, length, frameLength, sequenceNumber)
}

/** Writes the head of a frame to IO; answers its bytes. */
export function writeFrameHead(kind: u32, sequenceNumber: u32, length: u32): u32 {
  return frame.writeFrameHead(IO, kind, sequenceNumber, length)
}

// Headers, as message/header.ts answers them in the words at headerResultAddress. The writer's bytes are at OUT.

export { putEnd, put16 as putCount, putField, putStart, scanBegin, writerTake } from './message/header'

/** Scans the next `length` bytes of a header, which stand at IO. */
export function scanHeader(length: u32): i32 {
  return header.scanWindow(IO, length)
}

// Hashes, numbered as in sha2.ts; windows at IO before the last are a multiple of 128 bytes.

export function shaBegin(hash: u32): void {
  beginSha(hash)
}

/** Sets the HMAC key of `keyBytes` bytes at IO and begins a message. */
export function hmacBegin(hash: u32, keyBytes: u32): void {
  hmacKey(hash, IO, keyBytes)
  wipe(IO, keyBytes)
  beginHmac(hash)
}

export function shaUpdate(hash: u32, length: u32): void {
  updateSha(hash, IO, length)
}

/**
 * Takes the state of the hash in progress out to IO, so that other calls may come between its windows. Its state tells
 * of the data: for data that is no secret.
 */
export function shaSuspend(): void {
  memory.copy(IO, SHA_STATE, SHA_STATE_BYTES)
  wipeScratch()
}

/** Goes on with the hash whose state stands at IO. */
export function shaResume(): void {
  memory.copy(SHA_STATE, IO, SHA_STATE_BYTES)
}

/** Hashes the last window; the digest replaces what stands at IO. */
export function shaEnd(hash: u32, length: u32): void {
  shaFinish(hash, IO, length, IO)
  wipeScratch()
}

/** As {@link shaEnd}, for HMAC. */
export function hmacEnd(hash: u32, length: u32): void {
  hmacFinish(hash, IO, length, IO)
  wipeScratch()
}

/**
 * HKDF of salt ‖ input keying material at IO and info at OUT + 64: `length` bytes to IO. The arena from OUT on is work
 * space.
 */
export function hkdf(hash: u32, saltBytes: u32, ikmBytes: u32, infoBytes: u32, length: u32): void {
  hkdfExtract(hash, IO, saltBytes, IO + saltBytes, ikmBytes)
  wipe(IO, saltBytes + ikmBytes)
  hmacKey(hash, HKDF_PRK, digestBytes(hash))
  hkdfExpand(hash, OUT, infoBytes, IO, length)
  wipe(OUT, 64 + infoBytes + 1)
  wipeScratch()
}

/** Compares the two values of `length` bytes at IO. */
export function equal(length: u32): bool {
  return equalBytes(IO, IO + length, length)
}

// Key wrap: the wrapping key at IO, what is to be wrapped at IO + 40, what is wrapped at IO + 32. The result stands at
// IO + 32 after wrapping and at IO + 40 after unwrapping.

export function wrapKey(keyBytes: u32, length: u32): void {
  keyWrap.wrapKey(IO, keyBytes, IO + 32, length)
  wipe(IO, 32)
  wipeScratch()
}

export function unwrapKey(keyBytes: u32, length: u32): bool {
  const isGood = keyWrap.unwrapKey(IO, keyBytes, IO + 32, length)
  wipe(IO, 32)
  wipeScratch()
  return isGood
}

/** Answers the bytes of the result. */
export function wrapKeyPadded(keyBytes: u32, length: u32): u32 {
  const bytes = keyWrap.wrapKeyPadded(IO, keyBytes, IO + 32, length)
  wipe(IO, 32)
  wipeScratch()
  return bytes
}

/** Answers the bytes of the result, zero if it is not authentic. */
export function unwrapKeyPadded(keyBytes: u32, length: u32): u32 {
  const bytes = keyWrap.unwrapKeyPadded(IO, keyBytes, IO + 32, length)
  wipe(IO, 32)
  wipeScratch()
  return bytes
}

/**
 * PKCS #1 v1.5 unpadding with implicit rejection of the `encodedBytes` long message at IO, behind which stand the
 * rejection key of 32 bytes and the ciphertext: `length` ≤ 32 bytes of data key to IO.
 */
export function unpadPkcs1Key(encodedBytes: u32, length: u32): void {
  const rejectionKey = IO + encodedBytes
  const dataKey = unpadPkcs1(IO, encodedBytes, length, rejectionKey, rejectionKey + 32)
  memory.copy(IO, dataKey, length)
  wipe(IO + length, encodedBytes + 32 - length)
  wipeScratch()
}
