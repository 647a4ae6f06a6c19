// SHA-512 (FIPS 180-4 §6.4), and with another initial value SHA-384 (§6.5).

import { K } from './sha-constants'
import { SHA_SCHEDULE } from './memory'

// FIPS 180-4 §6.4.2 step 1: Wt and Wt+1 from the pairs (Wt-16, Wt-15), (Wt-14, Wt-13), (Wt-8, Wt-7), (Wt-6, Wt-5) and
// (Wt-2, Wt-1).
// @ts-ignore: decorator
@inline
function nextWords(w16: v128, w14: v128, w8: v128, w6: v128, w2: v128): v128 {
  const w15 = i64x2.shuffle(w16, w14, 1, 2)
  const w7 = i64x2.shuffle(w8, w6, 1, 2)
  const sigma0 = v128.xor(v128.xor(rotateRight(w15, 1), rotateRight(w15, 8)), i64x2.shr_u(w15, 7))
  const sigma1 = v128.xor(v128.xor(rotateRight(w2, 19), rotateRight(w2, 61)), i64x2.shr_u(w2, 6))
  return i64x2.add(i64x2.add(w16, sigma0), i64x2.add(w7, sigma1))
}

// Two words of the block, which are big-endian.
// @ts-ignore: decorator
@inline
function loadWords(block: usize): v128 {
  const words = v128.load(block)
  return i8x16.shuffle(words, words, 7, 6, 5, 4, 3, 2, 1, 0, 15, 14, 13, 12, 11, 10, 9, 8)
}

// @ts-ignore: decorator
@inline
function rotateRight(x: v128, bits: i32): v128 {
  return v128.or(i64x2.shr_u(x, bits), i64x2.shl(x, 64 - bits))
}

// FIPS 180-4 §4.1.3. Ch and Maj with an operation less than the standard's forms, which they equal.
// @ts-ignore: decorator
@inline
function choose(x: u64, y: u64, z: u64): u64 {
  return z ^ (x & (y ^ z))
}

// @ts-ignore: decorator
@inline
function majority(x: u64, y: u64, z: u64): u64 {
  return (x & y) | (z & (x | y))
}

// @ts-ignore: decorator
@inline
function bigSigma0(x: u64): u64 {
  return rotr(x, 28) ^ rotr(x, 34) ^ rotr(x, 39)
}

// @ts-ignore: decorator
@inline
function bigSigma1(x: u64): u64 {
  return rotr(x, 14) ^ rotr(x, 18) ^ rotr(x, 41)
}

// Kt + Wt, as SHA_SCHEDULE holds them, at byte `offset`.
// @ts-ignore: decorator
@inline
function scheduled(offset: usize): u64 {
  return load<u64>(SHA_SCHEDULE + offset)
}

/** FIPS 180-4 §6.4.2: hashes `blocks` × 128 bytes at `data` into the eight words at `state`. */
export function sha512Blocks(state: usize, data: usize, blocks: u32): void {
  let h0 = load<u64>(state)
  let h1 = load<u64>(state, 8)
  let h2 = load<u64>(state, 16)
  let h3 = load<u64>(state, 24)
  let h4 = load<u64>(state, 32)
  let h5 = load<u64>(state, 40)
  let h6 = load<u64>(state, 48)
  let h7 = load<u64>(state, 56)
  for (; blocks > 0; blocks--) {
    let w0 = loadWords(data)
    let w1 = loadWords(data + 16)
    let w2 = loadWords(data + 32)
    let w3 = loadWords(data + 48)
    let w4 = loadWords(data + 64)
    let w5 = loadWords(data + 80)
    let w6 = loadWords(data + 96)
    let w7 = loadWords(data + 112)
    v128.store(SHA_SCHEDULE, i64x2.add(w0, v128.load(K)))
    v128.store(SHA_SCHEDULE, i64x2.add(w1, v128.load(K, 16)), 16)
    v128.store(SHA_SCHEDULE, i64x2.add(w2, v128.load(K, 32)), 32)
    v128.store(SHA_SCHEDULE, i64x2.add(w3, v128.load(K, 48)), 48)
    v128.store(SHA_SCHEDULE, i64x2.add(w4, v128.load(K, 64)), 64)
    v128.store(SHA_SCHEDULE, i64x2.add(w5, v128.load(K, 80)), 80)
    v128.store(SHA_SCHEDULE, i64x2.add(w6, v128.load(K, 96)), 96)
    v128.store(SHA_SCHEDULE, i64x2.add(w7, v128.load(K, 112)), 112)
    let a = h0
    let b = h1
    let c = h2
    let d = h3
    let e = h4
    let f = h5
    let g = h6
    let h = h7
    for (let i: usize = 0; i < 640; i += 64) {
      if (i < 512) {
        // The next eight words, sixteen rounds ahead.
        const next0 = nextWords(w0, w1, w4, w5, w7)
        const next1 = nextWords(w1, w2, w5, w6, next0)
        const next2 = nextWords(w2, w3, w6, w7, next1)
        const next3 = nextWords(w3, w4, w7, next0, next2)
        v128.store(SHA_SCHEDULE + i, i64x2.add(next0, v128.load(K + i, 128)), 128)
        v128.store(SHA_SCHEDULE + i, i64x2.add(next1, v128.load(K + i, 144)), 144)
        v128.store(SHA_SCHEDULE + i, i64x2.add(next2, v128.load(K + i, 160)), 160)
        v128.store(SHA_SCHEDULE + i, i64x2.add(next3, v128.load(K + i, 176)), 176)
        w0 = w4
        w1 = w5
        w2 = w6
        w3 = w7
        w4 = next0
        w5 = next1
        w6 = next2
        w7 = next3
      }
      h += bigSigma1(e) + choose(e, f, g) + scheduled(i)
      d += h
      h += bigSigma0(a) + majority(a, b, c)
      g += bigSigma1(d) + choose(d, e, f) + scheduled(i + 8)
      c += g
      g += bigSigma0(h) + majority(h, a, b)
      f += bigSigma1(c) + choose(c, d, e) + scheduled(i + 16)
      b += f
      f += bigSigma0(g) + majority(g, h, a)
      e += bigSigma1(b) + choose(b, c, d) + scheduled(i + 24)
      a += e
      e += bigSigma0(f) + majority(f, g, h)
      d += bigSigma1(a) + choose(a, b, c) + scheduled(i + 32)
      h += d
      d += bigSigma0(e) + majority(e, f, g)
      c += bigSigma1(h) + choose(h, a, b) + scheduled(i + 40)
      g += c
      c += bigSigma0(d) + majority(d, e, f)
      b += bigSigma1(g) + choose(g, h, a) + scheduled(i + 48)
      f += b
      b += bigSigma0(c) + majority(c, d, e)
      a += bigSigma1(f) + choose(f, g, h) + scheduled(i + 56)
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
    data += 128
  }
  store<u64>(state, h0)
  store<u64>(state, h1, 8)
  store<u64>(state, h2, 16)
  store<u64>(state, h3, 24)
  store<u64>(state, h4, 32)
  store<u64>(state, h5, 40)
  store<u64>(state, h6, 48)
  store<u64>(state, h7, 56)
}
