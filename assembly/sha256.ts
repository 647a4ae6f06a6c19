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

// FIPS 180-4 §6.2.2 step 1: Wt … Wt+3 from the sixteen words before them, four in each argument. Only the last two
// words depend on the first two, through sigma1, so it runs twice on half the lanes.
// @ts-ignore: decorator
@inline
function nextWords(w16: v128, w12: v128, w8: v128, w4: v128): v128 {
  const zero = i64x2.splat(0)
  const w15 = i32x4.shuffle(w16, w12, 1, 2, 3, 4)
  const w7 = i32x4.shuffle(w8, w4, 1, 2, 3, 4)
  const partial = i32x4.add(i32x4.add(w16, w7), sigma0(w15))
  const firstTwo = i32x4.add(partial, sigma1(i64x2.shuffle(w4, zero, 1, 2)))
  return i32x4.add(firstTwo, sigma1(i64x2.shuffle(zero, firstTwo, 0, 2)))
}

// Four words of the block, which are big-endian.
// @ts-ignore: decorator
@inline
function loadWords(block: usize): v128 {
  const words = v128.load(block)
  return i8x16.shuffle(words, words, 3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)
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

// FIPS 180-4 §4.1.2. Ch and Maj with an operation less than the standard's forms, which they equal.
// @ts-ignore: decorator
@inline
function choose(x: u32, y: u32, z: u32): u32 {
  return z ^ (x & (y ^ z))
}

// @ts-ignore: decorator
@inline
function majority(x: u32, y: u32, z: u32): u32 {
  return (x & y) | (z & (x | y))
}

// @ts-ignore: decorator
@inline
function bigSigma0(x: u32): u32 {
  return rotr(x, 2) ^ rotr(x, 13) ^ rotr(x, 22)
}

// @ts-ignore: decorator
@inline
function bigSigma1(x: u32): u32 {
  return rotr(x, 6) ^ rotr(x, 11) ^ rotr(x, 25)
}

// Kt + Wt, as SHA_SCHEDULE holds them, at byte `offset`.
// @ts-ignore: decorator
@inline
function scheduled(offset: usize): u32 {
  return load<u32>(SHA_SCHEDULE + offset)
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
    let w0 = loadWords(data)
    let w1 = loadWords(data + 16)
    let w2 = loadWords(data + 32)
    let w3 = loadWords(data + 48)
    v128.store(SHA_SCHEDULE, i32x4.add(w0, v128.load(K)))
    v128.store(SHA_SCHEDULE, i32x4.add(w1, v128.load(K, 16)), 16)
    v128.store(SHA_SCHEDULE, i32x4.add(w2, v128.load(K, 32)), 32)
    v128.store(SHA_SCHEDULE, i32x4.add(w3, v128.load(K, 48)), 48)
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    let f = h5
    let g = h6
    let h = h7
    for (let i: usize = 0; i < 256; i += 32) {
      if (i < 192) {
        // The next eight words, sixteen rounds ahead.
        const next0 = nextWords(w0, w1, w2, w3)
        const next1 = nextWords(w1, w2, w3, next0)
        v128.store(SHA_SCHEDULE + i, i32x4.add(next0, v128.load(K + i, 64)), 64)
        v128.store(SHA_SCHEDULE + i, i32x4.add(next1, v128.load(K + i, 80)), 80)
        w0 = w2
        w1 = w3
        w2 = next0
        w3 = next1
      }
      h += bigSigma1(e) + choose(e, f, g) + scheduled(i)
      d += h
      h += bigSigma0(a) + majority(a, b, c)
      g += bigSigma1(d) + choose(d, e, f) + scheduled(i + 4)
      c += g
      g += bigSigma0(h) + majority(h, a, b)
      f += bigSigma1(c) + choose(c, d, e) + scheduled(i + 8)
      b += f
      f += bigSigma0(g) + majority(g, h, a)
      e += bigSigma1(b) + choose(b, c, d) + scheduled(i + 12)
      a += e
      e += bigSigma0(f) + majority(f, g, h)
      d += bigSigma1(a) + choose(a, b, c) + scheduled(i + 16)
      h += d
      d += bigSigma0(e) + majority(e, f, g)
      c += bigSigma1(h) + choose(h, a, b) + scheduled(i + 20)
      g += c
      c += bigSigma0(d) + majority(d, e, f)
      b += bigSigma1(g) + choose(g, h, a) + scheduled(i + 24)
      f += b
      b += bigSigma0(c) + majority(c, d, e)
      a += bigSigma1(f) + choose(f, g, h) + scheduled(i + 28)
      e += a
      a += bigSigma0(b) + majority(b, c, d)
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
