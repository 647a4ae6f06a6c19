import { assertLength } from './bytes.ts'
import { core, takeBytes } from './instance.ts'

/**
 * RSAES-PKCS1-v1_5 unpadding (RFC 8017 §7.2.2) with implicit rejection: always answers a data key. It is the padded
 * one only if the padding was good and the length exact, and else HMAC-SHA-256(`rejectionKey`, `ciphertext`); only
 * the authentication of a message tells them apart.
 *
 * @param encodedMessage what RSA decryption without padding answered, as long as the modulus
 * @param dataKeyLength 1 to 32 bytes
 * @param rejectionKey 32 bytes that depend on the private key alone
 * @param ciphertext as long as the modulus
 * @throws RangeError for other lengths
 */
export function pkcs1Unpad(
  encodedMessage: Uint8Array,
  dataKeyLength: number,
  rejectionKey: Uint8Array,
  ciphertext: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const length = encodedMessage.length
  assertLength(rejectionKey, 'rejectionKey', 32)
  assertLength(ciphertext, 'ciphertext', length)
  if (!(dataKeyLength >= 1 && dataKeyLength <= 32) || length < dataKeyLength + 11 || length > 0x2000) {
    throw new RangeError('the encoded message does not suit the data key length')
  }
  const to = core()
  to.heap.set(encodedMessage, to.io)
  to.heap.set(rejectionKey, to.io + length)
  to.heap.set(ciphertext, to.io + length + 32)
  to.exports.unpadPkcs1Key(length, dataKeyLength)
  return takeBytes(to, 0, dataKeyLength)
}
