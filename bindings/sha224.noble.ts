import { hmac } from '@noble/hashes/hmac.js'
import { sha224 } from '@noble/hashes/sha2.js'

// In a file of its own, which is loaded for the one key spec that needs it: neither the core nor WebCrypto has SHA-224.

/** HMAC-SHA-224 (FIPS 198-1, FIPS 180-4 §6.3). */
export function hmacSha224(key: Uint8Array, message: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hmac(sha224, key, message))
}
