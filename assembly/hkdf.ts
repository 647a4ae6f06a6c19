// HKDF (RFC 5869).

import { HKDF_PRK } from './memory'
import { digestBytes, Hash } from './sha2'
import { hmacBegin, hmacFinish, hmacKey } from './hmac'

/** RFC 5869 §2.2: PRK = HMAC(salt, IKM) into HKDF_PRK. An empty salt is a key of zeros, as HMAC pads it. */
export function hkdfExtract(hash: Hash, salt: usize, saltBytes: u32, ikm: usize, ikmBytes: u32): void {
  hmacKey(hash, salt, saltBytes)
  hmacBegin(hash)
  hmacFinish(hash, ikm, ikmBytes, HKDF_PRK)
}

/**
 * RFC 5869 §2.3: `length` bytes of output to `okm`, from the key that hmacKey has set (PRK). `work` is room for
 * T(i) ‖ info ‖ i, of which the info already stands in its place: 64 bytes from the start.
 */
export function hkdfExpand(hash: Hash, work: usize, infoBytes: u32, okm: usize, length: u32): void {
  const digest = digestBytes(hash)
  const info = work + 64
  let previous: u32 = 0
  for (let i: u8 = 1; length > 0; i++) {
    store<u8>(info + infoBytes, i)
    const block = info - previous
    hmacBegin(hash)
    hmacFinish(hash, block, previous + infoBytes + 1, info - digest)
    const count = min(digest, length)
    memory.copy(okm, info - digest, count)
    okm += count
    length -= count
    previous = digest
  }
}
