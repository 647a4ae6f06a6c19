// SHA-256 (FIPS 180-4 §6.2).

import { SHA_SCHEDULE } from './memory'
import { K, SHA512_INITIAL } from './sha-constants'

// Both standards take the first bits of the same roots of primes, 64 in SHA-512 and 32 here: four words at `table`, of
// which each is the upper half of a word of SHA-512.
// @ts-ignore: decorator
@inline
function upperHalves(table: usize): v128 {
  return i32x4.shuffle(v128.load(table), v128.load(table, 16), 1, 3, 5, 7)
}

/** FIPS 180-4 §5.3.3: writes the initial hash value. */
export function sha256Initial(state: usize): void {
  v128.store(state, upperHalves(SHA512_INITIAL))
  v128.store(state, upperHalves(SHA512_INITIAL + 32), 16)
}

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
    v128.store(SHA_SCHEDULE, i32x4.add(w0, upperHalves(K)))
    v128.store(SHA_SCHEDULE, i32x4.add(w1, upperHalves(K + 32)), 16)
    v128.store(SHA_SCHEDULE, i32x4.add(w2, upperHalves(K + 64)), 32)
    v128.store(SHA_SCHEDULE, i32x4.add(w3, upperHalves(K + 96)), 48)
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
        v128.store(SHA_SCHEDULE + i, i32x4.add(next0, upperHalves(K + 128 + (i << 1))), 64)
        v128.store(SHA_SCHEDULE + i, i32x4.add(next1, upperHalves(K + 160 + (i << 1))), 80)
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
