// RSAES-PKCS1-v1_5 unpadding (RFC 8017 §7.2.2 step 3) with implicit rejection: a bad padding yields a pseudo-random
// data key that depends on the private key and the ciphertext only, so that nobody learns from the outcome whether
// the padding was good.

import { maskIfZero } from './constant-time'
import { hmacBegin, hmacFinish, hmacKey } from './hmac'
import { DERIVED_KEY } from './memory'
import { SHA256 } from './sha2'

/**
 * Replaces the `length` ≤ 32 bytes at the end of the `encodedBytes` long message at `encoded` by themselves or by
 * HMAC-SHA-256(`rejectionKey` 32, `ciphertext`), and answers their address. Good is: 00 02, at least eight nonzero
 * bytes, 00, and then exactly `length` bytes.
 */
export function unpadPkcs1(
  encoded: usize,
  encodedBytes: u32,
  length: u32,
  rejectionKey: usize,
  ciphertext: usize,
): usize {
  hmacKey(SHA256, rejectionKey, 32)
  hmacBegin(SHA256)
  hmacFinish(SHA256, ciphertext, encodedBytes, DERIVED_KEY)
  const separator = encodedBytes - length - 1
  let bad = <u32>load<u8>(encoded) | (<u32>load<u8>(encoded, 1) ^ 2) | <u32>load<u8>(encoded + separator)
  for (let i: u32 = 2; i < separator; i++) bad |= maskIfZero(load<u8>(encoded + i))
  const good = <u8>maskIfZero(bad)
  const message = encoded + separator + 1
  for (let i: u32 = 0; i < length; i++) {
    const rejected = load<u8>(DERIVED_KEY + i)
    store<u8>(message + i, rejected ^ (good & (rejected ^ load<u8>(message + i))))
  }
  return message
}
