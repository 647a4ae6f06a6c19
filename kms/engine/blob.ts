import { concatBytes } from '../../bindings/bytes.ts'
import { aesGcm, hkdf, timingSafeEqual } from '../../bindings/core.ts'
import { AuthenticationError } from '../../bindings/errors.ts'
import { KmsError } from '../errors.ts'
import { isKeyId } from './arn.ts'
import { fromHex, toHex } from './bytes.ts'

// Ciphertext of a symmetric key:
//
//   01 | length 1, key id | material id 32 | salt 32 | commitment 32 | ciphertext | tag 16
//
// Encryption key ‖ commitment = HKDF-SHA-512(material, salt, "waxseal-kms-blob-v1" ‖ key id ‖ material id, 64). Each
// blob has a key of its own, so the IV is zero. The additional data is everything before the ciphertext, then the
// serialised encryption context; no region, so that a key reads its ciphertext wherever it is.

const VERSION = 1
const FIELD_BYTES = 32
const TAG_BYTES = 16
const ZERO_IV = new Uint8Array(12)
const LABEL = new TextEncoder().encode('waxseal-kms-blob-v1')

/** Which material a blob is under. */
export interface BlobKeyName {
  readonly keyId: string
  /** 64 hexadecimal digits. */
  readonly materialId: string
}

/** A blob taken apart; nothing in it is authenticated. */
export interface ParsedBlob extends BlobKeyName {
  readonly salt: Uint8Array
  readonly commitment: Uint8Array
  readonly prefix: Uint8Array
  readonly sealed: Uint8Array
}

/** Encrypts `plaintext` under `material`, 32 bytes each; `context` is serialised, `salt` fresh. */
export function sealBlob(
  name: BlobKeyName,
  material: Uint8Array,
  salt: Uint8Array,
  plaintext: Uint8Array,
  context: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const keyId = new TextEncoder().encode(name.keyId)
  const keys = deriveKeys(name, material, salt)
  try {
    const commitment = keys.subarray(FIELD_BYTES)
    const prefix = concatBytes(Uint8Array.of(VERSION, keyId.length), keyId, fromHex(name.materialId), salt, commitment)
    const sealed = withKey(keys, (cipher) => cipher.encrypt(ZERO_IV, plaintext, concatBytes(prefix, context)))
    return concatBytes(prefix, sealed)
  } finally {
    keys.fill(0)
  }
}

/** @throws KmsError `InvalidCiphertextException` if the bytes are no blob */
export function parseBlob(blob: Uint8Array): ParsedBlob {
  const keyIdBytes = blob[1] ?? 0
  const headBytes = 2 + keyIdBytes + 3 * FIELD_BYTES
  if (blob[0] !== VERSION || blob.length < headBytes + TAG_BYTES) throw new KmsError('InvalidCiphertextException')
  const field = (index: number): Uint8Array => {
    const start = 2 + keyIdBytes + index * FIELD_BYTES
    return blob.subarray(start, start + FIELD_BYTES)
  }
  const keyId = String.fromCharCode(...blob.subarray(2, 2 + keyIdBytes))
  if (!isKeyId(keyId)) throw new KmsError('InvalidCiphertextException')
  return {
    keyId,
    materialId: toHex(field(0)),
    salt: field(1),
    commitment: field(2),
    prefix: blob.subarray(0, headBytes),
    sealed: blob.subarray(headBytes),
  }
}

/**
 * Decrypts a blob under its material; the commitment is compared before anything is decrypted.
 *
 * @throws KmsError `InvalidCiphertextException`, without a message, if blob or context differ in any way
 */
export function openBlob(blob: ParsedBlob, material: Uint8Array, context: Uint8Array): Uint8Array<ArrayBuffer> {
  const keys = deriveKeys(blob, material, blob.salt)
  try {
    if (!timingSafeEqual(keys.subarray(FIELD_BYTES), blob.commitment)) throw new AuthenticationError()
    return withKey(keys, (cipher) => cipher.decrypt(ZERO_IV, blob.sealed, concatBytes(blob.prefix, context)))
  } catch (error) {
    if (error instanceof AuthenticationError) throw new KmsError('InvalidCiphertextException')
    throw error
  } finally {
    keys.fill(0)
  }
}

function deriveKeys({ keyId, materialId }: BlobKeyName, material: Uint8Array, salt: Uint8Array): Uint8Array {
  const info = concatBytes(LABEL, new TextEncoder().encode(keyId), fromHex(materialId))
  return hkdf('sha512', material, { salt, info, length: 2 * FIELD_BYTES })
}

function withKey<T>(keys: Uint8Array, work: (cipher: ReturnType<typeof aesGcm>) => T): T {
  const cipher = aesGcm(keys.subarray(0, FIELD_BYTES))
  try {
    return work(cipher)
  } finally {
    cipher.dispose()
  }
}
