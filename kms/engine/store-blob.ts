import { concatBytes } from '../../bindings/bytes.ts'
import { sha256 } from '../../bindings/core.ts'
import { KmsError } from '../errors.ts'
import type { StoreCiphertext } from '../key-stores/key-store.ts'
import { isKeyId } from './arn.ts'
import { parseBlob } from './blob.ts'

// Ciphertext of a key in a custom key store:
//
//   02 | length 1, key id | length 1, IV | length 1, metadata | tag 16 | ciphertext
//
// The additional data is the version and the key id, each as here, then SHA-256 of the serialised encryption context: the
// store learns nothing of the context, and what it must take has one length. What is encrypted is the plaintext itself
// in a hardware security module; for an external key, a blob of the engine (version 1), so that neither side can read
// the plaintext without the other.

const VERSION = 2
const TAG_BYTES = 16
const IV_BYTES: readonly number[] = [12, 16]
const MAX_METADATA_BYTES = 20

/** A blob taken apart; nothing in it is authenticated. */
export interface ParsedStoreBlob extends StoreCiphertext {
  readonly keyId: string
}

export function storeBlob(keyId: string, { ciphertext, iv, tag, metadata }: StoreCiphertext): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(keyId)
  return concatBytes(
    Uint8Array.of(VERSION, name.length),
    name,
    Uint8Array.of(iv.length),
    iv,
    Uint8Array.of(metadata.length),
    metadata,
    tag,
    ciphertext,
  )
}

/** What is authenticated beside the ciphertext; `context` is serialised. */
export function storeBlobAad(keyId: string, context: Uint8Array): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(keyId)
  return concatBytes(Uint8Array.of(VERSION, name.length), name, sha256(context))
}

/** @throws KmsError `InvalidCiphertextException` if the bytes are no such blob */
export function parseStoreBlob(blob: Uint8Array): ParsedStoreBlob {
  let at = 1
  const take = (length: number): Uint8Array => {
    const part = blob.subarray(at, at + length)
    if (part.length !== length) throw new KmsError('InvalidCiphertextException')
    at += length
    return part
  }
  const takeCounted = (): Uint8Array => take(take(1)[0] ?? 0)
  const keyId = String.fromCharCode(...takeCounted())
  const iv = takeCounted()
  const metadata = takeCounted()
  const tag = take(TAG_BYTES)
  const isWellFormed = blob[0] === VERSION && isKeyId(keyId) && IV_BYTES.includes(iv.length)
  if (!isWellFormed || metadata.length > MAX_METADATA_BYTES) throw new KmsError('InvalidCiphertextException')
  return { keyId, iv, metadata, tag, ciphertext: blob.subarray(at) }
}

/** The id of the key that a blob of either version names. @throws KmsError `InvalidCiphertextException` */
export function keyIdOfBlob(blob: Uint8Array): string {
  return (blob[0] === VERSION ? parseStoreBlob(blob) : parseBlob(blob)).keyId
}
