// The Secure Hash Algorithms of FIPS 180-4 behind one number each, as streams of whole blocks and a rest.

import { sha256Blocks, sha256Initial } from './sha256'
import { ensureConstants, SHA384_INITIAL, SHA512_INITIAL } from './sha-constants'
import { sha512Blocks } from './sha512'
import { SHA_COUNT, SHA_STATE, SHA_TAIL } from './memory'

/** A hash: 0 = SHA-256, 1 = SHA-384, 2 = SHA-512. */
export type Hash = u32
export const SHA256: Hash = 0
export const SHA384: Hash = 1
export const SHA512: Hash = 2

/** Bytes of a block. */
export function blockBytes(hash: Hash): u32 {
  return hash == SHA256 ? 64 : 128
}

/** Bytes of a digest. */
export function digestBytes(hash: Hash): u32 {
  return 32 + (hash << 4)
}

/** Begins a message (FIPS 180-4 §5.3). */
export function shaBegin(hash: Hash): void {
  ensureConstants()
  store<u64>(SHA_COUNT, 0)
  if (hash == SHA256) sha256Initial(SHA_STATE)
  else memory.copy(SHA_STATE, hash == SHA384 ? SHA384_INITIAL : SHA512_INITIAL, 64)
}

function compress(hash: Hash, data: usize, blocks: u32): void {
  if (blocks == 0) return
  if (hash == SHA256) sha256Blocks(SHA_STATE, data, blocks)
  else sha512Blocks(SHA_STATE, data, blocks)
}

/** Hashes `length` bytes at `data`, a multiple of the block. */
export function shaUpdate(hash: Hash, data: usize, length: u32): void {
  store<u64>(SHA_COUNT, load<u64>(SHA_COUNT) + length)
  compress(hash, data, length / blockBytes(hash))
}

/** Hashes the last `length` bytes at `data`, pads (FIPS 180-4 §5.1), and writes the digest to `digest`. */
export function shaFinish(hash: Hash, data: usize, length: u32, digest: usize): void {
  const block = blockBytes(hash)
  const whole = length & ~(block - 1)
  const rest = length - whole
  shaUpdate(hash, data, whole)
  const bits = (load<u64>(SHA_COUNT) + rest) << 3
  // 0x80, zeros, and the length in an eighth of a block.
  const padded = rest + 1 + (block >> 3) > block ? block << 1 : block
  for (let i: u32 = 0; i < padded; i += 16) v128.store(SHA_TAIL + i, i64x2.splat(0))
  memory.copy(SHA_TAIL, data + whole, rest)
  store<u8>(SHA_TAIL + rest, 0x80)
  store<u64>(SHA_TAIL + padded - 8, bswap(bits))
  compress(hash, SHA_TAIL, padded / block)
  const bytes = digestBytes(hash)
  if (hash == SHA256) {
    for (let i: u32 = 0; i < bytes; i += 4) store<u32>(digest + i, bswap(load<u32>(SHA_STATE + i)))
  } else {
    for (let i: u32 = 0; i < bytes; i += 8) store<u64>(digest + i, bswap(load<u64>(SHA_STATE + i)))
  }
}
