import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { keyArn } from '../arn.ts'
import { openBlob, parseBlob } from '../blob.ts'
import { assertKeyState } from '../key-state.ts'
import {
  assertAlgorithm,
  assertNoGrantTokens,
  authenticatedContext,
  endDryRun,
  findKey,
  resolveKey,
  SYMMETRIC_DEFAULT,
  unsealMaterial,
} from '../lookup.ts'
import type { DecryptInput, DecryptOutput } from '../types.ts'

/** Decrypt: the inverse of Encrypt. The key is named by the ciphertext; a `KeyId` must name the same. */
export const decrypt: Action<DecryptInput, DecryptOutput> = {
  shape: 'DecryptRequest',
  mode: 'read',
  async act(context, input) {
    const ciphertext = assertSupported(input)
    assertNoGrantTokens(input.GrantTokens)
    const serialized = authenticatedContext(input.EncryptionContext)
    const named = input.KeyId === undefined ? undefined : await resolveKey(context, input.KeyId)
    const blob = parseBlob(ciphertext)
    if (named && named.record.keyId !== blob.keyId) {
      throw new KmsError(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      )
    }
    const { record: key } = named ?? (await findKey(context, blob.keyId))
    const arn = keyArn(context.scope, key.keyId)
    assertKeyState(key.state, 'cryptography', arn)
    assertAlgorithm(input.EncryptionAlgorithm, key)
    const material = await unsealMaterial(context, key, blob.materialId)
    if (!material) throw new KmsError('InvalidCiphertextException')
    try {
      const Plaintext = openBlob(blob, material, serialized)
      if (input.DryRun) Plaintext.fill(0)
      endDryRun(input.DryRun)
      return { Plaintext, KeyId: arn, KeyMaterialId: blob.materialId, EncryptionAlgorithm: SYMMETRIC_DEFAULT }
    } finally {
      material.fill(0)
    }
  },
}

function assertSupported({ Recipient, DryRunModifiers, CiphertextBlob }: DecryptInput): Uint8Array {
  if (Recipient) {
    throw new KmsError('UnsupportedOperationException', 'Recipient is not supported: this KMS attests no enclaves.')
  }
  if (DryRunModifiers && DryRunModifiers.length > 0) {
    throw new KmsError('UnsupportedOperationException', 'DryRunModifiers is not supported by this KMS yet.')
  }
  if (!CiphertextBlob) {
    throw new KmsError(
      'ValidationException',
      "1 validation error detected: Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null",
    )
  }
  return CiphertextBlob
}
