// SHA-512 (FIPS 180-4 §6.4), and with another initial value SHA-384 (§6.5).

import { SHA_SCHEDULE } from './memory'

// FIPS 180-4 §4.2.3. The upper halves of the first 64 words are the constants of SHA-256 (§4.2.2).
// prettier-ignore
export const K: usize = memory.data<u64>([
  0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
  0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
  0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
  0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
  0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
  0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
  0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
  0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
  0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
  0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
  0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
  0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
  0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
  0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
  0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
  0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
  0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
  0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
  0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
  0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
])

// FIPS 180-4 §5.3.4.
// prettier-ignore
export const SHA384_INITIAL: usize = memory.data<u64>([
  0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17, 0x152fecd8f70e5939,
  0x67332667ffc00b31, 0x8eb44a8768581511, 0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
])

// FIPS 180-4 §5.3.5. The upper halves are the initial value of SHA-256 (§5.3.3).
// prettier-ignore
export const SHA512_INITIAL: usize = memory.data<u64>([
  0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
  0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
])

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
