import type { ActionContext } from './action.ts'
import type { Access } from './authorise.ts'
import { assertAlgorithm, assertUsable, authenticatedContext } from './cryptography.ts'
import { sealInStore } from './in-key-store.ts'
import { specification, SYMMETRIC_DEFAULT } from './key-spec.ts'
import { resolveKey, type FoundKey } from './lookup.ts'
import { assertNoContext, assertOaepLength, encryptOaep } from './rsa.ts'
import { wrapUnder } from './wrap.ts'

/** What Encrypt and ReEncrypt ask for. */
export interface EncryptionRequest {
  readonly keyId: string
  readonly algorithm: string | undefined
  readonly encryptionContext: Readonly<Record<string, string>> | undefined
  readonly access: Access
}

/** An encryption that the caller may do, up to the key's work. */
export interface Encryption extends FoundKey {
  readonly algorithm: string
  readonly context: Uint8Array
  /** @throws KmsError `ValidationException` for a plaintext that is too long for an RSA key */
  assertLength(plaintext: Uint8Array): void
}

export async function prepareEncryption(context: ActionContext, request: EncryptionRequest): Promise<Encryption> {
  const { algorithm = SYMMETRIC_DEFAULT } = request
  const serialized = authenticatedContext(request.encryptionContext)
  const found = await resolveKey(context, request.keyId, request.access)
  assertUsable(context, found, 'ENCRYPT_DECRYPT')
  const { keySpec } = found.record
  assertAlgorithm(algorithm, keySpec, specification(keySpec)?.encryption)
  const isRsa = algorithm !== SYMMETRIC_DEFAULT
  if (isRsa) assertNoContext(request.encryptionContext)
  const assertLength = (plaintext: Uint8Array): void => {
    if (isRsa) assertOaepLength(algorithm, keySpec, plaintext)
  }
  return { ...found, algorithm, context: serialized, assertLength }
}

/** Encrypts; answers the material's id for a symmetric key. */
export async function performEncryption(
  context: ActionContext,
  encryption: Encryption,
  plaintext: Uint8Array,
): Promise<{ readonly ciphertext: Uint8Array<ArrayBuffer>; readonly materialId?: string }> {
  const { algorithm } = encryption
  if (algorithm !== SYMMETRIC_DEFAULT) {
    return { ciphertext: await encryptOaep(context, encryption, algorithm, plaintext) }
  }
  if (encryption.record.keyStore) {
    return { ciphertext: (await sealInStore(context, encryption, plaintext, encryption.context)).blob }
  }
  const { blob, materialId } = await wrapUnder(context, encryption, plaintext)
  return { ciphertext: blob, materialId }
}
