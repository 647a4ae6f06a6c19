import { createHmac, createSecretKey, hkdfSync } from 'node:crypto'
import { createHMAC, createSHA256, createSHA512 } from 'hash-wasm'
import { hkdf, hmac } from 'waxseal/core'
import { bytes, sizeName } from './data.mjs'

const SIZES = [64, 1024, 65_536]
const HASHES = [
  { name: 'sha256', subtle: 'SHA-256', create: createSHA256, keyBytes: 32 },
  { name: 'sha512', subtle: 'SHA-512', create: createSHA512, keyBytes: 64 },
]

/** HMAC under one key, and HKDF-SHA512 as message keys are derived: 32 bytes in, 32 out. */
export async function macGroups() {
  const hmacs = await Promise.all(HASHES.flatMap((hash) => SIZES.map((size) => hmacGroup(hash, size))))
  return [...hmacs, await hkdfGroup()]
}

async function hmacGroup({ name, subtle, create, keyBytes }, size) {
  const key = bytes(keyBytes)
  const data = bytes(size)
  const keyObject = createSecretKey(key)
  const algorithm = { name: 'HMAC', hash: subtle }
  const cryptoKey = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
  const hasher = await createHMAC(create(), key)
  const cases = [
    { name: 'waxseal/core', run: () => hmac(name, key, data) },
    { name: 'node:crypto', run: () => createHmac(name, keyObject).update(data).digest() },
    { name: 'WebCrypto', run: () => crypto.subtle.sign('HMAC', cryptoKey, data) },
    { name: 'hash-wasm', run: () => hasher.init().update(data).digest('binary') },
  ]
  return { name: `HMAC-${name.toUpperCase()}, ${sizeName(size)}`, cases }
}

async function hkdfGroup() {
  const [ikm, salt, info] = [bytes(32), bytes(32), bytes(11)]
  const keyObject = createSecretKey(ikm)
  const cryptoKey = await crypto.subtle.importKey('raw', ikm, 'HKDF', false, ['deriveBits'])
  const algorithm = { name: 'HKDF', hash: 'SHA-512', salt, info }
  const cases = [
    { name: 'waxseal/core', run: () => hkdf('sha512', ikm, { salt, info, length: 32 }) },
    { name: 'node:crypto', run: () => hkdfSync('sha512', keyObject, salt, info, 32) },
    { name: 'WebCrypto', run: () => crypto.subtle.deriveBits(algorithm, cryptoKey, 256) },
  ]
  return { name: 'HKDF-SHA512, 32 B', cases }
}
