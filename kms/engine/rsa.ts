import { rsaPrivateKey, rsaPublicKey } from '#asymmetric'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import type { FoundKey } from './lookup.ts'
import { publicKeyOf, withMaterial, withSecret } from './key-pair.ts'

const HASHES = {
  RSAES_OAEP_SHA_1: { hash: 'sha1', bytes: 20 },
  RSAES_OAEP_SHA_256: { hash: 'sha256', bytes: 32 },
} as const

function hashOf(algorithm: string): (typeof HASHES)[keyof typeof HASHES] {
  return HASHES[algorithm as keyof typeof HASHES]
}

/** RSAES-OAEP (RFC 8017 §7.1): the ciphertext is the block itself, so that others can make it with the public key. */
export async function encryptOaep(
  context: ActionContext,
  { record }: FoundKey,
  algorithm: string,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const { hash } = hashOf(algorithm)
  const publicKey = publicKeyOf(record)
  return withSecret(context, plaintext.slice(), async (own) => rsaPublicKey(publicKey).encrypt(hash, own), record.keyId)
}

/** @throws KmsError `InvalidCiphertextException` for whatever does not decrypt */
export async function decryptOaep(
  context: ActionContext,
  { record }: FoundKey,
  algorithm: string,
  ciphertext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const { hash } = hashOf(algorithm)
  const plaintext = await withMaterial(context, record, async (material) => {
    return rsaPrivateKey(material).decryptOaep(hash, ciphertext)
  })
  if (!plaintext) throw new KmsError('InvalidCiphertextException')
  return plaintext
}

/** A plaintext has k − 2·hLen − 2 bytes at most (RFC 8017 §7.1.1). @throws KmsError `ValidationException` */
export function assertOaepLength(algorithm: string, keySpec: string, plaintext: Uint8Array): void {
  const most = Number(keySpec.slice('RSA_'.length)) / 8 - 2 * hashOf(algorithm).bytes - 2
  if (plaintext.length <= most) return
  throw new KmsError(
    'ValidationException',
    `Algorithm ${algorithm} and key spec ${keySpec} cannot encrypt data larger than ${String(most)} bytes.`,
  )
}

/** @throws KmsError `ValidationException`: nothing would authenticate the pairs */
export function assertNoContext(context: Readonly<Record<string, string>> | undefined): void {
  if (context && Object.keys(context).length > 0) {
    throw new KmsError('ValidationException', 'An encryption context is for symmetric encryption keys only.')
  }
}
