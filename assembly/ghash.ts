// GHASH (SP 800-38D §6.4) by multiplication tables that stay in registers. For a power P of the hash subkey,
// table k of the 2 × 16 tables holds byte k of n·P for the sixteen nibbles n, so that one swizzle looks up byte k
// of the product for all sixteen nibbles of a block at once; no address depends on data. The sixteen partial
// products are shifted into place by Horner's rule over bytes and reduced once for four blocks.

import { GHASH_BASIS, GHASH_TAIL } from './memory'

/** Bytes of the tables of one power: 16 × (high nibbles, low nibbles) × 16. */
const POWER_BYTES: usize = 512
/** Behind the tables: whether those of H² … H⁴ are built, and H. */
const HAS_POWERS: usize = 4 * POWER_BYTES
const HASH_SUBKEY: usize = HAS_POWERS + 16
/** Bytes of the tables of H, H², H³ and H⁴, and what is behind them. */
export const GHASH_TABLE_BYTES: usize = HASH_SUBKEY + 16
/** From so many groups of four blocks on the powers are worth their building. */
const GROUPS_FOR_POWERS: u32 = 8

// Masks of the lanes 0 … 15 whose number has bit 0, 1, 2 or 3.
// @ts-ignore: decorator
@inline
function lanesWithBit(bit: u32): v128 {
  if (bit == 0) return i16x8.splat(<i16>0xff00)
  if (bit == 1) return i32x4.splat(0xffff0000)
  if (bit == 2) return i64x2.splat(0xffffffff00000000)
  return i64x2(0, -1)
}

// Byte `offset` of four basis elements, combined for the sixteen nibbles. A nibble's most significant bit is
// the lowest power of x (SP 800-38D §6.3).
// @ts-ignore: decorator
@inline
function nibbleTable(basis: usize): v128 {
  return v128.xor(
    v128.xor(
      v128.and(v128.load_splat<u8>(basis), lanesWithBit(3)),
      v128.and(v128.load_splat<u8>(basis, 16), lanesWithBit(2)),
    ),
    v128.xor(
      v128.and(v128.load_splat<u8>(basis, 32), lanesWithBit(1)),
      v128.and(v128.load_splat<u8>(basis, 48), lanesWithBit(0)),
    ),
  )
}

// Builds the tables of one power, whose sixteen bytes are at GHASH_BASIS.
function buildTables(tables: usize): void {
  let high = bswap(load<u64>(GHASH_BASIS))
  let low = bswap(load<u64>(GHASH_BASIS, 8))
  for (let i: usize = 16; i < 128; i += 16) {
    // Multiplication by x: a right shift, and R = 0xe1 ‖ 0^120 if a one fell out (SP 800-38D §6.3).
    const reduction = (0 - (low & 1)) & 0xe100000000000000
    low = (low >> 1) | (high << 63)
    high = (high >> 1) ^ reduction
    store<u64>(GHASH_BASIS + i, bswap(high))
    store<u64>(GHASH_BASIS + i, bswap(low), 8)
  }
  for (let k: usize = 0; k < 16; k++) {
    v128.store(tables + (k << 5), nibbleTable(GHASH_BASIS + k))
    v128.store(tables + (k << 5), nibbleTable(GHASH_BASIS + 64 + k), 16)
  }
}

// The bytes of one power's table that stand at `table` for the nibbles of a block.
// @ts-ignore: decorator
@inline
function lookUp(table: usize, high: v128, low: v128): v128 {
  return v128.xor(i8x16.swizzle(v128.load(table), high), i8x16.swizzle(v128.load(table, 16), low))
}

// Multiplication by x⁸ moves every byte up by one: into `high` out of `low`.
// @ts-ignore: decorator
@inline
function moveUp(low: v128, high: v128): v128 {
  return i8x16.shuffle(low, high, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30)
}

// x0·H⁴ ^ x1·H³ ^ x2·H² ^ x3·H, two powers at a time: the nibbles of four blocks would not stay in sixteen registers.
// The loops end at their bottom: out of one that may not run at all V8 moves nothing, and would compute the nibbles anew
// in every turn.
function multiplyGroup(tables: usize, x0: v128, x1: v128, x2: v128, x3: v128): v128 {
  const nibble = i8x16.splat(0x0f)
  const zero = i64x2.splat(0)
  const h3 = i8x16.shr_u(x3, 4)
  const l3 = v128.and(x3, nibble)
  const h2 = i8x16.shr_u(x2, 4)
  const l2 = v128.and(x2, nibble)
  let low = zero
  let high = zero
  let table = tables + 480
  do {
    high = moveUp(low, high)
    low = v128.xor(
      moveUp(zero, low),
      v128.xor(lookUp(table, h3, l3), lookUp(table + POWER_BYTES, h2, l2)),
    )
    table -= 32
  } while (table >= tables)

  const h1 = i8x16.shr_u(x1, 4)
  const l1 = v128.and(x1, nibble)
  const h0 = i8x16.shr_u(x0, 4)
  const l0 = v128.and(x0, nibble)
  let lowest = zero
  let highest = zero
  tables += 2 * POWER_BYTES
  table = tables + 480
  do {
    highest = moveUp(lowest, highest)
    lowest = v128.xor(
      moveUp(zero, lowest),
      v128.xor(lookUp(table, h1, l1), lookUp(table + POWER_BYTES, h0, l0)),
    )
    table -= 32
  } while (table >= tables)
  return reduce(v128.xor(low, lowest), v128.xor(high, highest))
}

// x·P for the power P of one set of tables, as multiplyGroup does it for four.
function multiplyOne(tables: usize, x: v128): v128 {
  const h = i8x16.shr_u(x, 4)
  const l = v128.and(x, i8x16.splat(0x0f))
  const zero = i64x2.splat(0)
  let low = zero
  let high = zero
  let table = tables + 480
  do {
    high = moveUp(low, high)
    low = v128.xor(moveUp(zero, low), lookUp(table, h, l))
    table -= 32
  } while (table >= tables)
  return reduce(low, high)
}

// The 31 bytes of a product modulo x^128 + x⁷ + x² + x + 1. `high` has degree 119 at most, so one fold is enough.
// @ts-ignore: decorator
@inline
function reduce(low: v128, high: v128): v128 {
  const zero = i64x2.splat(0)
  const next = moveUp(zero, high)
  const within = v128.xor(i8x16.shr_u(high, 1), v128.xor(i8x16.shr_u(high, 2), i8x16.shr_u(high, 7)))
  const across = v128.xor(i8x16.shl(next, 7), v128.xor(i8x16.shl(next, 6), i8x16.shl(next, 1)))
  return v128.xor(v128.xor(low, high), v128.xor(within, across))
}

/** Builds the tables of H at `tables`; those of its powers follow when there is work for them. */
export function ghashInit(tables: usize, hashSubkey: v128): void {
  v128.store(tables + HASH_SUBKEY, hashSubkey)
  store<u32>(tables + HAS_POWERS, 0)
  v128.store(GHASH_BASIS, hashSubkey)
  buildTables(tables)
}

function buildPowers(tables: usize): void {
  let power = v128.load(tables + HASH_SUBKEY)
  for (let i: usize = 1; i < 4; i++) {
    power = multiplyOne(tables, power)
    v128.store(GHASH_BASIS, power)
    buildTables(tables + i * POWER_BYTES)
  }
  store<u32>(tables + HAS_POWERS, 1)
}

/** GHASH of `groups` × 64 bytes at `data`, continuing from `y`. May leave a secret in GHASH_BASIS. */
export function ghashGroups(tables: usize, y: v128, data: usize, groups: u32): v128 {
  if (load<u32>(tables + HAS_POWERS) == 0) {
    if (groups < GROUPS_FOR_POWERS) return ghashBlocks(tables, y, data, groups << 2)
    buildPowers(tables)
  }
  for (; groups > 0; groups--) {
    y = multiplyGroup(
      tables,
      v128.xor(y, v128.load(data)),
      v128.load(data, 16),
      v128.load(data, 32),
      v128.load(data, 48),
    )
    data += 64
  }
  return y
}

function ghashBlocks(tables: usize, y: v128, data: usize, blocks: u32): v128 {
  for (; blocks > 0; blocks--) {
    y = multiplyOne(tables, v128.xor(y, v128.load(data)))
    data += 16
  }
  return y
}

// GHASH of the `blocks` ≤ 8 blocks at the start of GHASH_TAIL, which is zero behind them. Zero blocks in
// front of the first block leave it unchanged, so they are moved to the end of a whole number of groups.
function ghashTail(tables: usize, y: v128, blocks: u32): v128 {
  if (load<u32>(tables + HAS_POWERS) == 0) return ghashBlocks(tables, y, GHASH_TAIL, blocks)
  const groups = (blocks + 3) >> 2
  const pad = ((groups << 2) - blocks) << 4
  memory.copy(GHASH_TAIL + pad, GHASH_TAIL, blocks << 4)
  memory.fill(GHASH_TAIL, 0, pad)
  v128.store(GHASH_TAIL + pad, v128.xor(v128.load(GHASH_TAIL + pad), y))
  return ghashGroups(tables, i64x2.splat(0), GHASH_TAIL, groups)
}

/** GHASH of `length` bytes at `data`, padded with zeros to whole blocks, continuing from `y`. */
export function ghashPadded(tables: usize, y: v128, data: usize, length: u32): v128 {
  y = ghashGroups(tables, y, data, length >> 6)
  const rest = length & 63
  if (rest == 0) return y
  memory.fill(GHASH_TAIL, 0, 64)
  memory.copy(GHASH_TAIL, data + (length & ~63), rest)
  return ghashTail(tables, y, (rest + 15) >> 4)
}

/** As {@link ghashPadded}, followed by the block of the two lengths in bits (SP 800-38D §7.1 step 5). */
export function ghashFinish(tables: usize, y: v128, data: usize, length: u32, aadBytes: u64, textBytes: u64): v128 {
  y = ghashGroups(tables, y, data, length >> 6)
  const rest = length & 63
  memory.fill(GHASH_TAIL, 0, 80)
  memory.copy(GHASH_TAIL, data + (length & ~63), rest)
  const blocks = (rest + 15) >> 4
  const lengths = GHASH_TAIL + (blocks << 4)
  store<u64>(lengths, bswap(aadBytes << 3))
  store<u64>(lengths, bswap(textBytes << 3), 8)
  return ghashTail(tables, y, blocks + 1)
}
