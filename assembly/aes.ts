// AES (FIPS 197): key schedule and single blocks, as CTR's bit-sliced core needs them for set-up and as
// key wrapping needs them. Constant time: the S-box is read whole, row by row, and the entry is chosen by a
// register permute; no address depends on data. The bulk cipher is in ctr.ts.

import { ROUND_KEYS } from './memory'

// FIPS 197 figure 7.
// prettier-ignore
const S_BOX: usize = memory.data<u8>([
  0x63, 0x7c, 0x77, 0x7b, 0xf2, 0x6b, 0x6f, 0xc5, 0x30, 0x01, 0x67, 0x2b, 0xfe, 0xd7, 0xab, 0x76,
  0xca, 0x82, 0xc9, 0x7d, 0xfa, 0x59, 0x47, 0xf0, 0xad, 0xd4, 0xa2, 0xaf, 0x9c, 0xa4, 0x72, 0xc0,
  0xb7, 0xfd, 0x93, 0x26, 0x36, 0x3f, 0xf7, 0xcc, 0x34, 0xa5, 0xe5, 0xf1, 0x71, 0xd8, 0x31, 0x15,
  0x04, 0xc7, 0x23, 0xc3, 0x18, 0x96, 0x05, 0x9a, 0x07, 0x12, 0x80, 0xe2, 0xeb, 0x27, 0xb2, 0x75,
  0x09, 0x83, 0x2c, 0x1a, 0x1b, 0x6e, 0x5a, 0xa0, 0x52, 0x3b, 0xd6, 0xb3, 0x29, 0xe3, 0x2f, 0x84,
  0x53, 0xd1, 0x00, 0xed, 0x20, 0xfc, 0xb1, 0x5b, 0x6a, 0xcb, 0xbe, 0x39, 0x4a, 0x4c, 0x58, 0xcf,
  0xd0, 0xef, 0xaa, 0xfb, 0x43, 0x4d, 0x33, 0x85, 0x45, 0xf9, 0x02, 0x7f, 0x50, 0x3c, 0x9f, 0xa8,
  0x51, 0xa3, 0x40, 0x8f, 0x92, 0x9d, 0x38, 0xf5, 0xbc, 0xb6, 0xda, 0x21, 0x10, 0xff, 0xf3, 0xd2,
  0xcd, 0x0c, 0x13, 0xec, 0x5f, 0x97, 0x44, 0x17, 0xc4, 0xa7, 0x7e, 0x3d, 0x64, 0x5d, 0x19, 0x73,
  0x60, 0x81, 0x4f, 0xdc, 0x22, 0x2a, 0x90, 0x88, 0x46, 0xee, 0xb8, 0x14, 0xde, 0x5e, 0x0b, 0xdb,
  0xe0, 0x32, 0x3a, 0x0a, 0x49, 0x06, 0x24, 0x5c, 0xc2, 0xd3, 0xac, 0x62, 0x91, 0x95, 0xe4, 0x79,
  0xe7, 0xc8, 0x37, 0x6d, 0x8d, 0xd5, 0x4e, 0xa9, 0x6c, 0x56, 0xf4, 0xea, 0x65, 0x7a, 0xae, 0x08,
  0xba, 0x78, 0x25, 0x2e, 0x1c, 0xa6, 0xb4, 0xc6, 0xe8, 0xdd, 0x74, 0x1f, 0x4b, 0xbd, 0x8b, 0x8a,
  0x70, 0x3e, 0xb5, 0x66, 0x48, 0x03, 0xf6, 0x0e, 0x61, 0x35, 0x57, 0xb9, 0x86, 0xc1, 0x1d, 0x9e,
  0xe1, 0xf8, 0x98, 0x11, 0x69, 0xd9, 0x8e, 0x94, 0x9b, 0x1e, 0x87, 0xe9, 0xce, 0x55, 0x28, 0xdf,
  0x8c, 0xa1, 0x89, 0x0d, 0xbf, 0xe6, 0x42, 0x68, 0x41, 0x99, 0x2d, 0x0f, 0xb0, 0x54, 0xbb, 0x16,
])
// FIPS 197 figure 14, made when it is first needed.
const INVERSE_S_BOX: usize = memory.data(256, 16)

function buildInverse(): void {
  for (let i: usize = 0; i < 256; i++) store<u8>(INVERSE_S_BOX + load<u8>(S_BOX + i), <u8>i)
}

/** Nr of FIPS 197 §5 for a key of 16, 24 or 32 bytes. */
export function roundsFor(keyBytes: u32): u32 {
  return (keyBytes >> 2) + 6
}

// swizzle() answers zero for an index above 15. Of the sixteen indices x ^ (row << 4) exactly the one whose row
// is the high nibble of x is below 16, so OR-ing over all rows picks table[x].
function substitute(table: usize, x: v128): v128 {
  let result = i64x2.splat(0)
  let row = i64x2.splat(0)
  for (let offset: usize = 0; offset < 256; offset += 16) {
    result = v128.or(result, i8x16.swizzle(v128.load(table + offset), v128.xor(x, row)))
    row = i8x16.add(row, i8x16.splat(0x10))
  }
  return result
}

function subWord(word: u32): u32 {
  return <u32>i32x4.extract_lane(substitute(S_BOX, i32x4.splat(word)), 0)
}

/**
 * FIPS 197 §5.2: expands the key at `key` into ROUND_KEYS. Words are kept in memory order, so RotWord is a
 * rotation by 8 bits to the right and Rcon stands in the low byte.
 */
export function expandKey(key: usize, keyBytes: u32): void {
  memory.copy(ROUND_KEYS, key, keyBytes)
  const end = (roundsFor(keyBytes) + 1) << 4
  let rcon: u32 = 1
  let position: u32 = 0
  let word = load<u32>(ROUND_KEYS + keyBytes - 4)
  for (let i: u32 = keyBytes; i < end; i += 4) {
    if (position == 0) {
      word = subWord(rotr(word, 8)) ^ rcon
      rcon = (rcon << 1) ^ (0x11b & (0 - (rcon >> 7)))
    } else if (keyBytes == 32 && position == 16) {
      word = subWord(word)
    }
    word ^= load<u32>(ROUND_KEYS + i - keyBytes)
    store<u32>(ROUND_KEYS + i, word)
    position += 4
    if (position == keyBytes) position = 0
  }
}

// xtime of FIPS 197 §4.2.1 on sixteen bytes at once.
// @ts-ignore: decorator
@inline
function xtime(x: v128): v128 {
  return v128.xor(i8x16.add(x, x), v128.and(i8x16.shr_s(x, 7), i8x16.splat(0x1b)))
}

// FIPS 197 §5.1.3 as 2·(a ^ rot1(a)) ^ rot1(a) ^ rot2(a ^ rot1(a)).
// @ts-ignore: decorator
@inline
function mixColumns(x: v128): v128 {
  const rotated = i8x16.shuffle(x, x, 1, 2, 3, 0, 5, 6, 7, 4, 9, 10, 11, 8, 13, 14, 15, 12)
  const sum = v128.xor(x, rotated)
  const half = i8x16.shuffle(sum, sum, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
  return v128.xor(xtime(sum), v128.xor(rotated, half))
}

// @ts-ignore: decorator
@inline
function shiftRows(x: v128): v128 {
  return i8x16.shuffle(x, x, 0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11)
}

// @ts-ignore: decorator
@inline
function inverseShiftRows(x: v128): v128 {
  return i8x16.shuffle(x, x, 0, 13, 10, 7, 4, 1, 14, 11, 8, 5, 2, 15, 12, 9, 6, 3)
}

/** FIPS 197 §5.1, Cipher, under ROUND_KEYS. */
export function encryptBlock(rounds: u32, block: v128): v128 {
  let state = v128.xor(block, v128.load(ROUND_KEYS))
  let key: usize = ROUND_KEYS + 16
  for (let round: u32 = 1; round < rounds; round++) {
    state = v128.xor(mixColumns(shiftRows(substitute(S_BOX, state))), v128.load(key))
    key += 16
  }
  return v128.xor(shiftRows(substitute(S_BOX, state)), v128.load(key))
}

/** FIPS 197 §5.3, InvCipher. InvMixColumns is MixColumns after a ^ 4·(a ^ rot2(a)). */
export function decryptBlock(rounds: u32, block: v128): v128 {
  // The inverse of 0x63 is 0 and that of every other byte is not: a table that was made holds a nonzero byte at 0.
  if (load<u8>(INVERSE_S_BOX) == 0) buildInverse()
  let key: usize = ROUND_KEYS + (rounds << 4)
  let state = v128.xor(block, v128.load(key))
  for (let round: u32 = 1; round < rounds; round++) {
    key -= 16
    state = v128.xor(substitute(INVERSE_S_BOX, inverseShiftRows(state)), v128.load(key))
    const opposite = i8x16.shuffle(state, state, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13)
    state = mixColumns(v128.xor(state, xtime(xtime(v128.xor(state, opposite)))))
  }
  return v128.xor(substitute(INVERSE_S_BOX, inverseShiftRows(state)), v128.load(ROUND_KEYS))
}
