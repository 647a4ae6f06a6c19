// SHA-256 (FIPS 180-4 §6.2).

import { SHA_SCHEDULE } from './memory'

// FIPS 180-4 §4.2.2.
// prettier-ignore
const K: usize = memory.data<u32>([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
])

// FIPS 180-4 §5.3.3.
// prettier-ignore
export const SHA256_INITIAL: usize = memory.data<u32>([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
])

// FIPS 180-4 §6.2.2 step 1: W0 … W63, four words at a time. Only the last two of four words depend on the first
// two, through sigma1, so each step runs sigma1 twice on half the lanes.
function expandSchedule(block: usize): void {
  for (let i: usize = 0; i < 64; i += 16) {
    const words = v128.load(block + i)
    const swapped = i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
    v128.store(SHA_SCHEDULE + i, swapped)
  }
  const zero = i64x2.splat(0)
  let w0 = v128.load(SHA_SCHEDULE)
  let w1 = v128.load(SHA_SCHEDULE, 16)
  let w2 = v128.load(SHA_SCHEDULE, 32)
  let w3 = v128.load(SHA_SCHEDULE, 48)
  for (let i: usize = 64; i < 256; i += 16) {
    const t15 = i8x16.shuffle(w0, w1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
    const t7 = i8x16.shuffle(w2, w3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
    const partial = i32x4.add(i32x4.add(w0, t7), sigma0(t15))
    const firstTwo = i32x4.add(partial, sigma1(i8x16.shuffle(w3, zero, 8, 9, 10, 11, 12, 13, 14, 15, 16, 16, 16, 16, 16, 16, 16, 16)))
    const lastTwo = sigma1(i8x16.shuffle(zero, firstTwo, 0, 0, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23))
    w0 = w1
    w1 = w2
    w2 = w3
    w3 = i32x4.add(firstTwo, lastTwo)
    v128.store(SHA_SCHEDULE + i, w3)
  }
}

// @ts-ignore: decorator
@inline
function sigma0(x: v128): v128 {
  return v128.xor(
    v128.xor(rotateRight(x, 7), rotateRight(x, 18)),
    i32x4.shr_u(x, 3),
  )
}

// @ts-ignore: decorator
@inline
function sigma1(x: v128): v128 {
  return v128.xor(
    v128.xor(rotateRight(x, 17), rotateRight(x, 19)),
    i32x4.shr_u(x, 10),
  )
}

// @ts-ignore: decorator
@inline
function rotateRight(x: v128, bits: i32): v128 {
  return v128.or(i32x4.shr_u(x, bits), i32x4.shl(x, 32 - bits))
}

/** FIPS 180-4 §6.2.2: hashes `blocks` × 64 bytes at `data` into the eight words at `state`. */
export function sha256Blocks(state: usize, data: usize, blocks: u32): void {
  let h0 = load<u32>(state)
  let h1 = load<u32>(state, 4)
  let h2 = load<u32>(state, 8)
  let h3 = load<u32>(state, 12)
  let h4 = load<u32>(state, 16)
  let h5 = load<u32>(state, 20)
  let h6 = load<u32>(state, 24)
  let h7 = load<u32>(state, 28)
  for (; blocks > 0; blocks--) {
    expandSchedule(data)
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    let f = h5
    let g = h6
    let h = h7
    for (let i: usize = 0; i < 256; i += 4) {
      const t1 =
        h +
        (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) +
        ((e & f) ^ (~e & g)) +
        load<u32>(K + i) +
        load<u32>(SHA_SCHEDULE + i)
      const t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
      h = g
      g = f
      f = e
      e = d + t1
      d = c
      c = b
      b = a
      a = t1 + t2
    }
    h0 += a
    h1 += b
    h2 += c
    h3 += d
    h4 += e
    h5 += f
    h6 += g
    h7 += h
    data += 64
  }
  store<u32>(state, h0)
  store<u32>(state, h1, 4)
  store<u32>(state, h2, 8)
  store<u32>(state, h3, 12)
  store<u32>(state, h4, 16)
  store<u32>(state, h5, 20)
  store<u32>(state, h6, 24)
  store<u32>(state, h7, 28)
}
