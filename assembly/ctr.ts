// AES-CTR, bit-sliced: eight counter blocks at once in eight registers, register b holding bit b of every byte.
// Lane i of a register is byte i of the AES state, its bit j belongs to block j. All rounds are logic and
// constant byte permutes, so nothing depends on key or data but values.

import { CTR_BATCH, ROUND_KEYS } from './memory'

/** One round key as eight bit planes. */
const PLANES_BYTES: usize = 128

// @ts-ignore: decorator
@inline
function plane(x: v128, bit: u8): v128 {
  const mask = i8x16.splat(<i8>(1 << bit))
  return i8x16.eq(v128.and(x, mask), mask)
}

/**
 * Spreads ROUND_KEYS into bit planes at `planes`: 0x00 or 0xff in each lane. The S-box circuit below leaves out
 * its final XOR with 0x63, which commutes with ShiftRows and MixColumns, so the planes of every round key but the
 * first carry it.
 */
export function sliceRoundKeys(planes: usize, rounds: u32): void {
  let constant = i64x2.splat(0)
  let target = planes
  for (let round: u32 = 0; round <= rounds; round++) {
    const key = v128.xor(v128.load(ROUND_KEYS + (round << 4)), constant)
    v128.store(target, plane(key, 0))
    v128.store(target, plane(key, 1), 16)
    v128.store(target, plane(key, 2), 32)
    v128.store(target, plane(key, 3), 48)
    v128.store(target, plane(key, 4), 64)
    v128.store(target, plane(key, 5), 80)
    v128.store(target, plane(key, 6), 96)
    v128.store(target, plane(key, 7), 112)
    target += PLANES_BYTES
    constant = i8x16.splat(0x63)
  }
}

// @ts-ignore: decorator
@inline
function shiftRows(x: v128): v128 {
  return i8x16.swizzle(x, i8x16(0, 5, 10, 15, 4, 9, 14, 3, 8, 13, 2, 7, 12, 1, 6, 11))
}

// ShiftRows, then each column rotated by one row: what MixColumns adds to its input.
// @ts-ignore: decorator
@inline
function shiftRowsRotated(x: v128): v128 {
  return i8x16.swizzle(x, i8x16(5, 10, 15, 0, 9, 14, 3, 4, 13, 2, 7, 8, 1, 6, 11, 12))
}

// @ts-ignore: decorator
@inline
function rotateTwoRows(x: v128): v128 {
  return i8x16.swizzle(x, i8x16(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13))
}

// Exchanges the bits of `high` under `mask` with those of `low` above it, `shift` bits further.
// @ts-ignore: decorator
@inline
function difference(low: v128, high: v128, mask: v128, shift: i32): v128 {
  return v128.and(v128.xor(i64x2.shr_u(low, shift), high), mask)
}

/**
 * XORs `batches` × 128 bytes at `data` with the key stream of the counters `counter`, `counter` + 1, …
 * `iv` holds the first twelve bytes of the counter block in its low lanes and zero in the others;
 * `counter` is a multiple of eight.
 *
 * S-box: Boyar and Peralta, "A depth-16 circuit for the AES S-box" (IACR ePrint 2011/332), in their names
 * (u0 is the most significant bit).
 */
export function ctrBatches(planes: usize, rounds: u32, iv: v128, counter: u32, data: usize, batches: u32): void {
  const lastKey = planes + rounds * <u32>PLANES_BYTES
  for (; batches > 0; batches--) {
    // The counter is big-endian in bytes 12 … 15. Its low three bits number the eight blocks.
    const block = i32x4.replace_lane(iv, 3, bswap(counter))
    let key = planes
    let p0 = v128.xor(v128.xor(plane(block, 0), i32x4(0, 0, 0, 0xaa000000)), v128.load(key, 0))
    let p1 = v128.xor(v128.xor(plane(block, 1), i32x4(0, 0, 0, 0xcc000000)), v128.load(key, 16))
    let p2 = v128.xor(v128.xor(plane(block, 2), i32x4(0, 0, 0, 0xf0000000)), v128.load(key, 32))
    let p3 = v128.xor(plane(block, 3), v128.load(key, 48))
    let p4 = v128.xor(plane(block, 4), v128.load(key, 64))
    let p5 = v128.xor(plane(block, 5), v128.load(key, 80))
    let p6 = v128.xor(plane(block, 6), v128.load(key, 96))
    let p7 = v128.xor(plane(block, 7), v128.load(key, 112))
    while (true) {
      key += PLANES_BYTES
      // Top linear transformation.
      const y14 = v128.xor(p4, p2)
      const y13 = v128.xor(p7, p1)
      const y9 = v128.xor(p7, p4)
      const y8 = v128.xor(p7, p2)
      const t0 = v128.xor(p6, p5)
      const y1 = v128.xor(t0, p0)
      const y4 = v128.xor(y1, p4)
      const y12 = v128.xor(y13, y14)
      const y2 = v128.xor(y1, p7)
      const y5 = v128.xor(y1, p1)
      const y3 = v128.xor(y5, y8)
      const t1 = v128.xor(p3, y12)
      const y15 = v128.xor(t1, p2)
      const y20 = v128.xor(t1, p6)
      const y6 = v128.xor(y15, p0)
      const y10 = v128.xor(y15, t0)
      const y11 = v128.xor(y20, y9)
      const y7 = v128.xor(p0, y11)
      const y17 = v128.xor(y10, y11)
      const y19 = v128.xor(y10, y8)
      const y16 = v128.xor(t0, y11)
      const y21 = v128.xor(y13, y16)
      const y18 = v128.xor(p7, y16)
      // Shared nonlinear section: inversion in GF(2^8).
      const t2 = v128.and(y12, y15)
      const t4 = v128.xor(v128.and(y3, y6), t2)
      const t6 = v128.xor(v128.and(y4, p0), t2)
      const t7 = v128.and(y13, y16)
      const t9 = v128.xor(v128.and(y5, y1), t7)
      const t11 = v128.xor(v128.and(y2, y7), t7)
      const t12 = v128.and(y9, y11)
      const t14 = v128.xor(v128.and(y14, y17), t12)
      const t16 = v128.xor(v128.and(y8, y10), t12)
      const t21 = v128.xor(v128.xor(t4, t14), y20)
      const t22 = v128.xor(v128.xor(t6, t16), y19)
      const t23 = v128.xor(v128.xor(t9, t14), y21)
      const t24 = v128.xor(v128.xor(t11, t16), y18)
      const t25 = v128.xor(t21, t22)
      const t26 = v128.and(t21, t23)
      const t27 = v128.xor(t24, t26)
      const t29 = v128.xor(v128.and(t25, t27), t22)
      const t30 = v128.xor(t23, t24)
      const t31 = v128.xor(t22, t26)
      const t33 = v128.xor(v128.and(t31, t30), t24)
      const t34 = v128.xor(t23, t33)
      const t35 = v128.xor(t27, t33)
      const t36 = v128.and(t24, t35)
      const t37 = v128.xor(t36, t34)
      const t38 = v128.xor(t27, t36)
      const t39 = v128.and(t29, t38)
      const t40 = v128.xor(t25, t39)
      const t41 = v128.xor(t40, t37)
      const t42 = v128.xor(t29, t33)
      const t43 = v128.xor(t29, t40)
      const t44 = v128.xor(t33, t37)
      const t45 = v128.xor(t42, t41)
      const z0 = v128.and(t44, y15)
      const z1 = v128.and(t37, y6)
      const z2 = v128.and(t33, p0)
      const z3 = v128.and(t43, y16)
      const z4 = v128.and(t40, y1)
      const z5 = v128.and(t29, y7)
      const z6 = v128.and(t42, y11)
      const z7 = v128.and(t45, y17)
      const z8 = v128.and(t41, y10)
      const z9 = v128.and(t44, y12)
      const z10 = v128.and(t37, y3)
      const z11 = v128.and(t33, y4)
      const z12 = v128.and(t43, y13)
      const z13 = v128.and(t40, y5)
      const z14 = v128.and(t29, y2)
      const z15 = v128.and(t42, y9)
      const z16 = v128.and(t45, y14)
      const z17 = v128.and(t41, y8)
      // Bottom linear transformation, without the complements (see sliceRoundKeys).
      const t46 = v128.xor(z15, z16)
      const t47 = v128.xor(z10, z11)
      const t48 = v128.xor(z5, z13)
      const t49 = v128.xor(z9, z10)
      const t50 = v128.xor(z2, z12)
      const t51 = v128.xor(z2, z5)
      const t52 = v128.xor(z7, z8)
      const t53 = v128.xor(z0, z3)
      const t54 = v128.xor(z6, z7)
      const t55 = v128.xor(z16, z17)
      const t56 = v128.xor(z12, t48)
      const t57 = v128.xor(t50, t53)
      const t58 = v128.xor(z4, t46)
      const t59 = v128.xor(z3, t54)
      const t60 = v128.xor(t46, t57)
      const t61 = v128.xor(z14, t57)
      const t62 = v128.xor(t52, t58)
      const t63 = v128.xor(t49, t58)
      const t64 = v128.xor(z4, t59)
      const t65 = v128.xor(t61, t62)
      const t66 = v128.xor(z1, t63)
      const t67 = v128.xor(t64, t65)
      const s3 = v128.xor(t53, t66)
      const b7 = v128.xor(t59, t63)
      const b6 = v128.xor(t64, s3)
      const b5 = v128.xor(t55, t67)
      const b4 = s3
      const b3 = v128.xor(t51, t66)
      const b2 = v128.xor(t47, t65)
      const b1 = v128.xor(t56, t62)
      const b0 = v128.xor(t48, t60)
      if (key == lastKey) {
        p0 = v128.xor(shiftRows(b0), v128.load(key, 0))
        p1 = v128.xor(shiftRows(b1), v128.load(key, 16))
        p2 = v128.xor(shiftRows(b2), v128.load(key, 32))
        p3 = v128.xor(shiftRows(b3), v128.load(key, 48))
        p4 = v128.xor(shiftRows(b4), v128.load(key, 64))
        p5 = v128.xor(shiftRows(b5), v128.load(key, 80))
        p6 = v128.xor(shiftRows(b6), v128.load(key, 96))
        p7 = v128.xor(shiftRows(b7), v128.load(key, 112))
        break
      }
      // MixColumns on s = ShiftRows(b): 2·(s ^ r) ^ r ^ rot2(s ^ r) with r = s rotated by one row.
      // Doubling moves plane b to b + 1; plane 7 returns to 0, 1, 3 and 4 (the polynomial 0x11b).
      const r7 = shiftRowsRotated(b7)
      const d7 = v128.xor(shiftRows(b7), r7)
      const r0 = shiftRowsRotated(b0)
      const d0 = v128.xor(shiftRows(b0), r0)
      p0 = v128.xor(v128.xor(d7, r0), v128.xor(rotateTwoRows(d0), v128.load(key, 0)))
      const r1 = shiftRowsRotated(b1)
      const d1 = v128.xor(shiftRows(b1), r1)
      p1 = v128.xor(v128.xor(v128.xor(d0, d7), r1), v128.xor(rotateTwoRows(d1), v128.load(key, 16)))
      const r2 = shiftRowsRotated(b2)
      const d2 = v128.xor(shiftRows(b2), r2)
      p2 = v128.xor(v128.xor(d1, r2), v128.xor(rotateTwoRows(d2), v128.load(key, 32)))
      const r3 = shiftRowsRotated(b3)
      const d3 = v128.xor(shiftRows(b3), r3)
      p3 = v128.xor(v128.xor(v128.xor(d2, d7), r3), v128.xor(rotateTwoRows(d3), v128.load(key, 48)))
      const r4 = shiftRowsRotated(b4)
      const d4 = v128.xor(shiftRows(b4), r4)
      p4 = v128.xor(v128.xor(v128.xor(d3, d7), r4), v128.xor(rotateTwoRows(d4), v128.load(key, 64)))
      const r5 = shiftRowsRotated(b5)
      const d5 = v128.xor(shiftRows(b5), r5)
      p5 = v128.xor(v128.xor(d4, r5), v128.xor(rotateTwoRows(d5), v128.load(key, 80)))
      const r6 = shiftRowsRotated(b6)
      const d6 = v128.xor(shiftRows(b6), r6)
      p6 = v128.xor(v128.xor(d5, r6), v128.xor(rotateTwoRows(d6), v128.load(key, 96)))
      p7 = v128.xor(v128.xor(d6, r7), v128.xor(rotateTwoRows(d7), v128.load(key, 112)))
    }
    // An 8 × 8 bit transposition in every lane turns planes into blocks.
    const m1 = i8x16.splat(0x55)
    let t = difference(p0, p1, m1, 1)
    p1 = v128.xor(p1, t)
    p0 = v128.xor(p0, i64x2.shl(t, 1))
    t = difference(p2, p3, m1, 1)
    p3 = v128.xor(p3, t)
    p2 = v128.xor(p2, i64x2.shl(t, 1))
    t = difference(p4, p5, m1, 1)
    p5 = v128.xor(p5, t)
    p4 = v128.xor(p4, i64x2.shl(t, 1))
    t = difference(p6, p7, m1, 1)
    p7 = v128.xor(p7, t)
    p6 = v128.xor(p6, i64x2.shl(t, 1))
    const m2 = i8x16.splat(0x33)
    t = difference(p0, p2, m2, 2)
    p2 = v128.xor(p2, t)
    p0 = v128.xor(p0, i64x2.shl(t, 2))
    t = difference(p1, p3, m2, 2)
    p3 = v128.xor(p3, t)
    p1 = v128.xor(p1, i64x2.shl(t, 2))
    t = difference(p4, p6, m2, 2)
    p6 = v128.xor(p6, t)
    p4 = v128.xor(p4, i64x2.shl(t, 2))
    t = difference(p5, p7, m2, 2)
    p7 = v128.xor(p7, t)
    p5 = v128.xor(p5, i64x2.shl(t, 2))
    const m4 = i8x16.splat(0x0f)
    t = difference(p0, p4, m4, 4)
    v128.store(data, v128.xor(v128.load(data, 64), v128.xor(p4, t)), 64)
    v128.store(data, v128.xor(v128.load(data, 0), v128.xor(p0, i64x2.shl(t, 4))), 0)
    t = difference(p1, p5, m4, 4)
    v128.store(data, v128.xor(v128.load(data, 80), v128.xor(p5, t)), 80)
    v128.store(data, v128.xor(v128.load(data, 16), v128.xor(p1, i64x2.shl(t, 4))), 16)
    t = difference(p2, p6, m4, 4)
    v128.store(data, v128.xor(v128.load(data, 96), v128.xor(p6, t)), 96)
    v128.store(data, v128.xor(v128.load(data, 32), v128.xor(p2, i64x2.shl(t, 4))), 32)
    t = difference(p3, p7, m4, 4)
    v128.store(data, v128.xor(v128.load(data, 112), v128.xor(p7, t)), 112)
    v128.store(data, v128.xor(v128.load(data, 48), v128.xor(p3, i64x2.shl(t, 4))), 48)
    data += 128
    counter += 8
  }
}

/** The key stream of one batch alone, at `target`. */
export function ctrKeyStream(planes: usize, rounds: u32, iv: v128, counter: u32, target: usize): void {
  memory.fill(target, 0, 128)
  ctrBatches(planes, rounds, iv, counter, target, 1)
}

/**
 * XORs `length` bytes at `data` with the key stream from byte `offset` of the stream of counter 0, whatever
 * their alignment to batches. Leaves key stream in CTR_BATCH: the caller wipes scratch.
 */
export function ctrXor(planes: usize, rounds: u32, iv: v128, offset: u64, data: usize, length: u32): void {
  while (length > 0) {
    const skip = <u32>(offset & 127)
    const counter = <u32>(offset >> 4) & ~7
    let count: u32
    if (skip == 0 && length >= 128) {
      count = length & ~127
      ctrBatches(planes, rounds, iv, counter, data, length >> 7)
    } else {
      count = min(128 - skip, length)
      memory.copy(CTR_BATCH + skip, data, count)
      ctrBatches(planes, rounds, iv, counter, CTR_BATCH, 1)
      memory.copy(data, CTR_BATCH + skip, count)
    }
    offset += count
    data += count
    length -= count
  }
}
