// Every field is a message of its own. Its context says where it belongs, so that nobody between the two pages can put
// the e-mail address of one request where the telephone number of another should be.
import { decrypt, encrypt, rawRsaKeyring } from 'waxseal'

const NAME = { namespace: 'practice', name: 'inbox', padding: 'oaep-sha256' }

const contextOf = (id, field) => ({ form: 'appointment', request: id, field })

/** Encrypts each of `fields` to the inbox's public key (SubjectPublicKeyInfo, DER). */
export async function sealFields(publicKey, id, fields) {
  const keyring = rawRsaKeyring({ ...NAME, publicKey })
  const sealed = Object.entries(fields).map(async ([field, text]) => {
    const message = await encrypt(keyring, new TextEncoder().encode(text), { encryptionContext: contextOf(id, field) })
    return [field, toBase64(message)]
  })
  return Object.fromEntries(await Promise.all(sealed))
}

/** Decrypts each of `fields` with the inbox's private key (a `CryptoKey`). Throws when one of them was changed. */
export async function openFields(privateKey, id, fields) {
  const keyring = rawRsaKeyring({ ...NAME, privateKey })
  const opened = Object.entries(fields).map(async ([field, sealed]) => {
    const { plaintext } = await decrypt(keyring, fromBase64(sealed), { encryptionContext: contextOf(id, field) })
    return [field, new TextDecoder().decode(plaintext)]
  })
  return Object.fromEntries(await Promise.all(opened))
}

export function toBase64(bytes) {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
