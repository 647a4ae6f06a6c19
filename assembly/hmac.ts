// HMAC (RFC 2104, FIPS 198-1). The chaining values after the inner and outer key blocks are kept, so that one key
// serves many messages with two compressions less each, as HKDF needs.

import { HMAC_BLOCK, HMAC_STATES, SHA_COUNT, SHA_STATE } from './memory'
import { blockBytes, digestBytes, Hash, shaBegin, shaFinish, shaUpdate } from './sha2'

// A chaining value; memory.copy is a call out of the module in most engines.
// @ts-ignore: decorator
@inline
function copyState(target: usize, source: usize): void {
  for (let i: usize = 0; i < 64; i += 16) v128.store(target + i, v128.load(source + i))
}

function absorbKeyBlock(hash: Hash, pad: u8, state: usize): void {
  const block = blockBytes(hash)
  for (let i: u32 = 0; i < block; i += 16) {
    v128.store(HMAC_BLOCK + i, v128.xor(v128.load(HMAC_BLOCK + i), i8x16.splat(<i8>pad)))
  }
  shaBegin(hash)
  shaUpdate(hash, HMAC_BLOCK, block)
  copyState(state, SHA_STATE)
}

/** Sets the key: `length` bytes at `key`, hashed first if longer than a block (RFC 2104 §2). */
export function hmacKey(hash: Hash, key: usize, length: u32): void {
  memory.fill(HMAC_BLOCK, 0, 128)
  if (length > blockBytes(hash)) {
    shaBegin(hash)
    shaFinish(hash, key, length, HMAC_BLOCK)
  } else {
    memory.copy(HMAC_BLOCK, key, length)
  }
  absorbKeyBlock(hash, 0x36, HMAC_STATES)
  absorbKeyBlock(hash, 0x36 ^ 0x5c, HMAC_STATES + 64)
}

// @ts-ignore: decorator
@inline
function resume(hash: Hash, state: usize): void {
  copyState(SHA_STATE, state)
  store<u64>(SHA_COUNT, blockBytes(hash))
}

/** Begins a message under the key that is set; go on with shaUpdate. */
export function hmacBegin(hash: Hash): void {
  resume(hash, HMAC_STATES)
}

/** Hashes the last `length` bytes at `data` and writes the MAC to `mac`. */
export function hmacFinish(hash: Hash, data: usize, length: u32, mac: usize): void {
  shaFinish(hash, data, length, HMAC_BLOCK)
  resume(hash, HMAC_STATES + 64)
  shaFinish(hash, HMAC_BLOCK, digestBytes(hash), mac)
}
