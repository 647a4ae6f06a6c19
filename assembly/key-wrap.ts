// AES Key Wrap (RFC 3394, SP 800-38F §6.2) and Key Wrap with Padding (RFC 5649, SP 800-38F §6.3).

import { decryptBlock, encryptBlock, expandKey, roundsFor } from './aes'
import { maskIfZero } from './constant-time'

// RFC 3394 §2.2.3.1, in memory order.
const DEFAULT_IV: u64 = 0xa6a6a6a6a6a6a6a6
// RFC 5649 §3, the constant half of the alternative initial value, as it loads from memory.
const ALTERNATIVE_IV: u32 = 0xa65959a6

// RFC 3394 §2.2.1: W over `semiblocks` 64-bit values at `text`, A in front of them.
function wrapRounds(rounds: u32, text: usize, semiblocks: u32): void {
  let a = load<u64>(text)
  let t: u64 = 0
  for (let j = 0; j < 6; j++) {
    for (let i: u32 = 1; i <= semiblocks; i++) {
      const r = text + (i << 3)
      const b = encryptBlock(rounds, i64x2.replace_lane(i64x2.splat(a), 1, load<u64>(r)))
      t++
      a = i64x2.extract_lane(b, 0) ^ bswap(t)
      store<u64>(r, i64x2.extract_lane(b, 1))
    }
  }
  store<u64>(text, a)
}

// RFC 3394 §2.2.2.
function unwrapRounds(rounds: u32, text: usize, semiblocks: u32): void {
  let a = load<u64>(text)
  let t: u64 = 6 * <u64>semiblocks
  for (let j = 0; j < 6; j++) {
    for (let i: u32 = semiblocks; i >= 1; i--) {
      const r = text + (i << 3)
      const b = decryptBlock(rounds, i64x2.replace_lane(i64x2.splat(a ^ bswap(t)), 1, load<u64>(r)))
      t--
      a = i64x2.extract_lane(b, 0)
      store<u64>(r, i64x2.extract_lane(b, 1))
    }
  }
  store<u64>(text, a)
}

/** Wraps the `length` bytes (a multiple of 8, at least 16) at `text` + 8; the result begins at `text`. */
export function wrapKey(key: usize, keyBytes: u32, text: usize, length: u32): void {
  expandKey(key, keyBytes)
  store<u64>(text, DEFAULT_IV)
  wrapRounds(roundsFor(keyBytes), text, length >> 3)
}

/** Unwraps `length` bytes (a multiple of 8, at least 24) at `text`; the key data then begins at `text` + 8. */
export function unwrapKey(key: usize, keyBytes: u32, text: usize, length: u32): bool {
  expandKey(key, keyBytes)
  unwrapRounds(roundsFor(keyBytes), text, (length >> 3) - 1)
  return load<u64>(text) == DEFAULT_IV
}

/** Wraps the `length` ≥ 1 bytes at `text` + 8 with padding; answers the bytes of the result, which begins at `text`. */
export function wrapKeyPadded(key: usize, keyBytes: u32, text: usize, length: u32): u32 {
  const padded = (length + 7) & ~7
  memory.fill(text + 8 + length, 0, padded - length)
  store<u32>(text, ALTERNATIVE_IV)
  store<u32>(text, bswap(length), 4)
  expandKey(key, keyBytes)
  const rounds = roundsFor(keyBytes)
  // RFC 5649 §4.1: one semiblock is a single block of ECB.
  if (padded == 8) v128.store(text, encryptBlock(rounds, v128.load(text)))
  else wrapRounds(rounds, text, padded >> 3)
  return padded + 8
}

/**
 * Unwraps `length` bytes (a multiple of 8, at least 16) at `text`; answers the bytes of key data at `text` + 8, or
 * zero if the integrity check of RFC 5649 §3 fails. Which part of it failed does not show in time.
 */
export function unwrapKeyPadded(key: usize, keyBytes: u32, text: usize, length: u32): u32 {
  expandKey(key, keyBytes)
  const rounds = roundsFor(keyBytes)
  if (length == 16) v128.store(text, decryptBlock(rounds, v128.load(text)))
  else unwrapRounds(rounds, text, (length >> 3) - 1)
  const padded = length - 8
  const dataLength = bswap(load<u32>(text, 4))
  let bad = load<u32>(text) ^ ALTERNATIVE_IV
  // padded − 8 < dataLength ≤ padded, that is 0 ≤ padded − dataLength ≤ 7, and the pad is zeros.
  const padding = padded - dataLength
  bad |= padding & ~7
  // The pad is the low bytes of the last semiblock.
  const pad = bswap(load<u64>(text + padded)) & ((<u64>1 << ((padding & 7) << 3)) - 1)
  bad |= <u32>(pad | (pad >> 32))
  return dataLength & maskIfZero(bad)
}
