import { constants, createCipheriv, createPublicKey, publicEncrypt, randomBytes } from 'node:crypto'

// Wrapping of key material as a caller does it: by node:crypto.

/** RSAES-OAEP, its hash by the name of the algorithm. */
export function oaep(publicKey: Uint8Array, algorithm: string, data: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
  const oaepHash = algorithm.endsWith('_SHA_1') ? 'sha1' : 'sha256'
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, data)
}

/** AES key wrap with padding (RFC 5649) by OpenSSL. */
export function keyWrapPadded(aesKey: Uint8Array, data: Uint8Array): Buffer {
  const name = `id-aes${String(8 * aesKey.length)}-wrap-pad`
  const cipher = createCipheriv(name, aesKey, Buffer.from('a65959a6', 'hex'))
  return Buffer.concat([cipher.update(data), cipher.final()])
}

/** Wraps material in one of the ways of the API. */
export function wrap(publicKey: Uint8Array, algorithm: string, material: Uint8Array): Uint8Array {
  if (algorithm.startsWith('RSAES_OAEP')) return new Uint8Array(oaep(publicKey, algorithm, material))
  const aesKey = randomBytes(32)
  return new Uint8Array(Buffer.concat([oaep(publicKey, algorithm, aesKey), keyWrapPadded(aesKey, material)]))
}
