// AES-GCM (SP 800-38D §7) with 96-bit IVs and 128-bit tags, in one piece or in windows. One message is in progress
// at a time; its state stands in scratch until the tag is made or checked.

import { ctrKeyStream, ctrXor } from './ctr'
import { ghashFinish, ghashGroups, ghashPadded } from './ghash'
import { CTR_HEAD, GCM_STATE } from './memory'
import { planesOf, roundsOf, tablesOf, zeroHeadOf } from './slots'

/** Bytes of a tag. */
export const TAG_BYTES: u32 = 16

const SLOT: usize = GCM_STATE
const IS_VERIFIED: usize = GCM_STATE + 4
const IV: usize = GCM_STATE + 16
const GHASH: usize = GCM_STATE + 32
const AAD_LENGTH: usize = GCM_STATE + 48
const TEXT_LENGTH: usize = GCM_STATE + 56

/** Key stream of counter 1, E(J0), and of the counters 2 … 7, for the first bytes of the text. */
const HEAD_BYTES: u32 = 96
const HEAD: usize = CTR_HEAD + 32

/** Begins a message under the key in `slot` with the twelve bytes at `iv` (§7.1 step 2: J0 = IV ‖ 0^31 ‖ 1). */
export function gcmBegin(slot: usize, iv: usize): void {
  const nonce = i32x4.replace_lane(v128.load64_zero(iv), 2, load<u32>(iv, 8))
  store<u32>(SLOT, <u32>slot)
  store<u32>(IS_VERIFIED, 0)
  v128.store(IV, nonce)
  v128.store(GHASH, i64x2.splat(0))
  store<u64>(AAD_LENGTH, 0)
  store<u64>(TEXT_LENGTH, 0)
  const isZero = (load<u64>(iv) | load<u32>(iv, 8)) == 0
  if (isZero) memory.copy(CTR_HEAD, zeroHeadOf(slot), 128)
  else ctrKeyStream(planesOf(slot), roundsOf(slot), nonce, 0, CTR_HEAD)
}

/** Whether a message is in progress, and whether its tag has been found good. */
export function gcmIsOpen(): bool {
  return load<u32>(SLOT) != 0
}
export function gcmIsVerified(): bool {
  return load<u32>(IS_VERIFIED) != 0
}

/** Authenticates a window of additional data; every window but the last is a multiple of 64 bytes. */
export function gcmAad(data: usize, length: u32): void {
  const tables = tablesOf(load<u32>(SLOT))
  store<u64>(AAD_LENGTH, load<u64>(AAD_LENGTH) + length)
  v128.store(GHASH, ghashPadded(tables, v128.load(GHASH), data, length))
}

// GCTR (§6.5) from byte `offset` of the text on.
function gctr(offset: u64, data: usize, length: u32): void {
  if (offset < HEAD_BYTES) {
    const skip = <u32>offset
    const count = min(HEAD_BYTES - skip, length)
    xorBytes(data, HEAD + skip, count)
    offset += count
    data += count
    length -= count
  }
  if (length == 0) return
  const slot: usize = load<u32>(SLOT)
  ctrXor(planesOf(slot), roundsOf(slot), v128.load(IV), offset + 32, data, length)
}

function xorBytes(target: usize, source: usize, length: u32): void {
  let i: u32 = 0
  for (; i + 16 <= length; i += 16) {
    v128.store(target + i, v128.xor(v128.load(target + i), v128.load(source + i)))
  }
  for (; i < length; i++) store<u8>(target + i, load<u8>(target + i) ^ load<u8>(source + i))
}

/** Encrypts a window in place; every window but the last is a multiple of 128 bytes and goes through here. */
export function gcmEncrypt(data: usize, length: u32): void {
  gctr(load<u64>(TEXT_LENGTH), data, length)
  gcmAuthenticate(data, length)
}

/** Authenticates a window of ciphertext that is not the last. */
export function gcmAuthenticate(data: usize, length: u32): void {
  const tables = tablesOf(load<u32>(SLOT))
  store<u64>(TEXT_LENGTH, load<u64>(TEXT_LENGTH) + length)
  v128.store(GHASH, ghashGroups(tables, v128.load(GHASH), data, length >> 6))
}

// The tag, once the last `length` bytes of ciphertext at `data` are in (§7.1 steps 5 and 6).
function finish(data: usize, length: u32): v128 {
  const tables = tablesOf(load<u32>(SLOT))
  const textLength = load<u64>(TEXT_LENGTH) + length
  const s = ghashFinish(tables, v128.load(GHASH), data, length, load<u64>(AAD_LENGTH), textLength)
  return v128.xor(s, v128.load(CTR_HEAD, 16))
}

/** Encrypts the last window in place and answers the tag. */
export function gcmEncryptLast(data: usize, length: u32): v128 {
  gctr(load<u64>(TEXT_LENGTH), data, length)
  return finish(data, length)
}

/**
 * Authenticates the last window of ciphertext and compares the tag with the one at `tag` (§7.2 step 6), in constant
 * time. If they are equal the text may be decrypted, from its start.
 */
export function gcmVerify(data: usize, length: u32, tag: usize): bool {
  const isEqual = !v128.any_true(v128.xor(finish(data, length), v128.load(tag)))
  store<u32>(IS_VERIFIED, u32(isEqual))
  store<u64>(TEXT_LENGTH, 0)
  return isEqual
}

/** Decrypts a window in place after {@link gcmVerify}; every window but the last is a multiple of 128 bytes. */
export function gcmDecrypt(data: usize, length: u32): void {
  const offset = load<u64>(TEXT_LENGTH)
  store<u64>(TEXT_LENGTH, offset + length)
  gctr(offset, data, length)
}

/** Seals `length` bytes at `data` in place and writes the tag behind them. */
export function gcmSeal(slot: usize, iv: usize, aad: usize, aadLength: u32, data: usize, length: u32): void {
  gcmBegin(slot, iv)
  gcmAad(aad, aadLength)
  v128.store(data + length, gcmEncryptLast(data, length))
}

/** Opens `length` bytes at `data` in place if the tag behind them is theirs; otherwise changes nothing. */
export function gcmOpen(slot: usize, iv: usize, aad: usize, aadLength: u32, data: usize, length: u32): bool {
  gcmBegin(slot, iv)
  gcmAad(aad, aadLength)
  const isAuthentic = gcmVerify(data, length, data + length)
  if (isAuthentic) gcmDecrypt(data, length)
  return isAuthentic
}
