import type { ActionContext } from './action.ts'
import { openBlob, parseBlob, sealBlob } from './blob.ts'
import { KmsError } from '../errors.ts'
import { assertAlgorithm, assertUsable, authenticatedContext } from './cryptography.ts'
import { isSymmetric, specification, SYMMETRIC_DEFAULT } from './key-spec.ts'
import { resolveKey, type FoundKey } from './lookup.ts'
import { currentMaterial, unsealMaterial } from './material.ts'
import type { KeyRecord } from './records.ts'
import type { CryptographicInput } from './types.ts'

/** Bytes of the salt of a blob. */
export const SALT_BYTES = 32

/** A symmetric key that may encrypt, with its request's context. */
export interface Wrapping extends FoundKey {
  readonly context: Uint8Array
}

/** What every action checks that makes a data key, in this order. */
export async function prepareWrapping(
  context: ActionContext,
  input: CryptographicInput & { readonly KeyId: string },
): Promise<Wrapping> {
  const serialized = authenticatedContext(input.EncryptionContext)
  const found = await resolveKey(context, input.KeyId, { grantTokens: input.GrantTokens })
  assertUsable(context, found, 'ENCRYPT_DECRYPT')
  const { keySpec } = found.record
  assertAlgorithm(SYMMETRIC_DEFAULT, keySpec, specification(keySpec)?.encryption)
  return { ...found, context: serialized }
}

/** Encrypts under the key's current material; answers its id as well. `salt` is fresh. */
export async function wrapUnder(
  context: ActionContext,
  { record: { keyId }, record: key, context: serialized }: Pick<Wrapping, 'record' | 'context'>,
  plaintext: Uint8Array,
  salt: Uint8Array = context.random(SALT_BYTES),
): Promise<{ readonly blob: Uint8Array<ArrayBuffer>; readonly materialId: string }> {
  const { id: materialId, material } = await currentMaterial(context, key)
  context.trail.additional.keyMaterialId = materialId
  try {
    const blob = sealBlob({ keyId, materialId }, material, salt, plaintext, serialized)
    return { blob, materialId }
  } finally {
    material.fill(0)
  }
}

/**
 * Decrypts a blob of a symmetric key.
 *
 * @throws KmsError `InvalidCiphertextException`
 */
export async function unwrapUnder(
  context: ActionContext,
  key: KeyRecord,
  blob: Uint8Array,
  serialized: Uint8Array,
): Promise<{ readonly plaintext: Uint8Array<ArrayBuffer>; readonly materialId: string }> {
  const parsed = parseBlob(blob)
  const material = await unsealMaterial(context, key, parsed.materialId)
  if (!material || !isSymmetric(key.keySpec)) throw new KmsError('InvalidCiphertextException')
  try {
    context.trail.additional.keyMaterialId = parsed.materialId
    return { plaintext: openBlob(parsed, material, serialized), materialId: parsed.materialId }
  } finally {
    material.fill(0)
  }
}
