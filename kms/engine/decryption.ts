import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import type { Access } from './authorise.ts'
import { authoriseKey } from './authorise.ts'
import { assertAlgorithm, assertUsable, authenticatedContext, endDryRun } from './cryptography.ts'
import { openInStore } from './in-key-store.ts'
import { specification, SYMMETRIC_DEFAULT } from './key-spec.ts'
import { findKey, resolveKey, type FoundKey } from './lookup.ts'
import { assertNoContext, decryptOaep } from './rsa.ts'
import { keyIdOfBlob } from './store-blob.ts'
import { unwrapUnder } from './wrap.ts'

/** What Decrypt and ReEncrypt ask for. */
export interface DecryptionRequest {
  readonly ciphertext: Uint8Array | undefined
  readonly keyId: string | undefined
  readonly algorithm: string | undefined
  readonly encryptionContext: Readonly<Record<string, string>> | undefined
  readonly isDryRun: boolean | undefined
  readonly dryRunModifiers: readonly string[] | undefined
  readonly access: Access
}

/** A decryption that the caller may do, up to the key's work. */
export interface Decryption extends FoundKey {
  readonly algorithm: string
  /** Undefined when the ciphertext is left out of a dry run. */
  readonly ciphertext: Uint8Array | undefined
  readonly context: Uint8Array
}

/** Finds the key that is to decrypt: the one that is named, or else the one that the ciphertext names. */
export async function prepareDecryption(context: ActionContext, request: DecryptionRequest): Promise<Decryption> {
  const { algorithm = SYMMETRIC_DEFAULT } = request
  const ciphertext = ciphertextOf(request)
  const serialized = authenticatedContext(request.encryptionContext)
  const found = await findDecryptionKey(context, request, algorithm, ciphertext)
  assertUsable(context, found, 'ENCRYPT_DECRYPT')
  const { keySpec } = found.record
  assertAlgorithm(algorithm, keySpec, specification(keySpec)?.encryption)
  if (algorithm !== SYMMETRIC_DEFAULT) assertNoContext(request.encryptionContext)
  return { ...found, algorithm, ciphertext, context: serialized }
}

/** Decrypts; answers the material's id for a symmetric key. The caller wipes the plaintext, or answers it. */
export async function performDecryption(
  context: ActionContext,
  decryption: Decryption,
): Promise<{ readonly plaintext: Uint8Array<ArrayBuffer>; readonly materialId?: string }> {
  const { record, algorithm, ciphertext, context: serialized } = decryption
  // Left out of a dry run, which has ended before.
  if (!ciphertext) throw new KmsError('InvalidCiphertextException')
  if (algorithm !== SYMMETRIC_DEFAULT) {
    return { plaintext: await decryptOaep(context, decryption, algorithm, ciphertext) }
  }
  if (record.keyStore) return { plaintext: await openInStore(context, decryption, ciphertext, serialized) }
  return unwrapUnder(context, record, ciphertext, serialized)
}

/** Whether the plaintext of a decryption was made outside, and is not made again when the action begins anew. */
export function isDecryptedOutside({ algorithm, record }: Decryption): boolean {
  return algorithm !== SYMMETRIC_DEFAULT || record.keyStore !== undefined
}

/** Ends a dry run that leaves the ciphertext out: there is nothing more to be checked. */
export function endDryRunWithoutCiphertext({ ciphertext }: Decryption): void {
  endDryRun(ciphertext === undefined)
}

async function findDecryptionKey(
  context: ActionContext,
  { keyId, access }: DecryptionRequest,
  algorithm: string,
  ciphertext: Uint8Array | undefined,
): Promise<FoundKey> {
  const named = keyId === undefined ? undefined : await resolveKey(context, keyId, access)
  if (named && (algorithm !== SYMMETRIC_DEFAULT || !ciphertext)) return named
  if (algorithm !== SYMMETRIC_DEFAULT || !ciphertext) throw keyIdRequired()
  const keyIdOfCiphertext = keyIdOfBlob(ciphertext)
  if (!named) {
    const found = await findKey(context, keyIdOfCiphertext)
    await authoriseKey(context, found.record, found.arn, access)
    return found
  }
  if (named.record.keyId === keyIdOfCiphertext) return named
  throw new KmsError(
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
}

function keyIdRequired(): KmsError {
  return new KmsError('ValidationException', 'A key ID is required: this request does not say it by its ciphertext.')
}

function ciphertextOf({ ciphertext, isDryRun, dryRunModifiers = [] }: DecryptionRequest): Uint8Array | undefined {
  const mayBeAbsent = dryRunModifiers.includes('IGNORE_CIPHERTEXT')
  if (dryRunModifiers.length > 0 && !isDryRun) {
    throw new KmsError('ValidationException', 'DryRunModifiers can be given only when DryRun is true.')
  }
  if (mayBeAbsent) return undefined
  if (ciphertext) return ciphertext
  throw new KmsError(
    'ValidationException',
    "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
  )
}
