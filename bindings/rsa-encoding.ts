import { sha256, sha384, sha512, timingSafeEqual } from './hash.ts'

// RSA signatures of a digest that somebody else made: runtimes sign whole messages only, so the encodings are made here
// and given to the runtime's RSA.

export type RsaHash = 'sha256' | 'sha384' | 'sha512'

const HASHES = { sha256, sha384, sha512 }

/** DigestInfo up to the digest (RFC 8017 §9.2, note 1). */
const DIGEST_INFO: Readonly<Record<RsaHash, readonly number[]>> = {
  sha256: [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0, 0x04, 0x20,
  ],
  sha384: [
    0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0, 0x04, 0x30,
  ],
  sha512: [
    0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0, 0x04, 0x40,
  ],
}

/** The DER encoding T of EMSA-PKCS1-v1_5 (RFC 8017 §9.2, step 2). */
export function digestInfo(hash: RsaHash, digest: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([...DIGEST_INFO[hash], ...digest])
}

/** EMSA-PSS-ENCODE (RFC 8017 §9.1.1) with a random salt as long as the hash. */
export function pssEncode(hash: RsaHash, digest: Uint8Array, emBits: number): Uint8Array<ArrayBuffer> {
  const salt = globalThis.crypto.getRandomValues(new Uint8Array(digest.length))
  const emBytes = Math.ceil(emBits / 8)
  const h = pssHash(hash, digest, salt)
  const db = new Uint8Array(emBytes - h.length - 1)
  db[db.length - salt.length - 1] = 0x01
  db.set(salt, db.length - salt.length)
  const mask = mgf1(hash, h, db.length)
  const encoded = Uint8Array.from([...db.map((byte, index) => byte ^ (mask[index] ?? 0)), ...h, 0xbc])
  encoded[0] = (encoded[0] ?? 0) & (0xff >> (8 * emBytes - emBits))
  return encoded
}

/** EMSA-PSS-VERIFY (RFC 8017 §9.1.2) with a salt as long as the hash. */
export function pssVerify(hash: RsaHash, digest: Uint8Array, encoded: Uint8Array, emBits: number): boolean {
  const emBytes = Math.ceil(emBits / 8)
  const em = encoded.subarray(encoded.length - emBytes)
  const dbBytes = emBytes - digest.length - 1
  const unused = 0xff & ~(0xff >> (8 * emBytes - emBits))
  // Steps 4 and 6; a representative may have a leading zero byte that the encoded message has not.
  if (em.length !== emBytes || em.at(-1) !== 0xbc || ((em[0] ?? 0) & unused) !== 0) return false
  if (encoded.subarray(0, encoded.length - emBytes).some((byte) => byte !== 0)) return false
  const h = em.subarray(dbBytes, -1)
  const mask = mgf1(hash, h, dbBytes)
  const db = em.subarray(0, dbBytes).map((byte, index) => byte ^ (mask[index] ?? 0))
  db[0] = (db[0] ?? 0) & ~unused
  const zeros = dbBytes - digest.length - 1
  if (db.subarray(0, zeros).some((byte) => byte !== 0) || db[zeros] !== 0x01) return false
  return timingSafeEqual(h, pssHash(hash, digest, db.subarray(zeros + 1)))
}

/** Hash of M′: eight zero bytes, the digest and the salt. */
function pssHash(hash: RsaHash, digest: Uint8Array, salt: Uint8Array): Uint8Array {
  return HASHES[hash](Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, ...digest, ...salt]))
}

/** RFC 8017 §B.2.1. */
function mgf1(hash: RsaHash, seed: Uint8Array, length: number): Uint8Array {
  const mask: number[] = []
  for (let counter = 0; mask.length < length; counter++) {
    mask.push(...HASHES[hash](Uint8Array.from([...seed, 0, 0, 0, counter])))
  }
  return Uint8Array.from(mask.slice(0, length))
}
