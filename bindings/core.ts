/**
 * The cryptographic core: AES-GCM, SHA-2, HMAC, HKDF and AES key wrap, synchronous, from one WebAssembly module that
 * is compiled at the first call. Every function checks its arguments before any work, takes and answers `Uint8Array`s,
 * and answers fresh memory.
 */
export { aesGcm, type AesGcm } from './gcm.ts'
export { hkdf, hmac, sha256, sha384, sha512, timingSafeEqual, type HashName, type HkdfOptions } from './hash.ts'
export { aesKw, aesKwp, type KeyWrap } from './key-wrap.ts'
export { AuthenticationError, DisposedError, WaxsealError, type WaxsealErrorCode } from './errors.ts'
