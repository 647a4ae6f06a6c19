import type { Action } from '../action.ts'
import { assertAlgorithm, assertUsable, authenticatedContext, endDryRun } from '../cryptography.ts'
import { specification, SYMMETRIC_DEFAULT } from '../key-spec.ts'
import { resolveKey } from '../lookup.ts'
import type { EncryptInput, EncryptOutput } from '../types.ts'
import { wrapUnder } from '../wrap.ts'

/** Encrypt: up to 4096 bytes under a key. */
export const encrypt: Action<EncryptInput, EncryptOutput> = {
  shape: 'EncryptRequest',
  mode: 'read',
  async act(context, input) {
    const { EncryptionAlgorithm = SYMMETRIC_DEFAULT, Plaintext } = input
    const serialized = authenticatedContext(input.EncryptionContext)
    const found = await resolveKey(context, input.KeyId, { grantTokens: input.GrantTokens })
    assertUsable(context, found, 'ENCRYPT_DECRYPT')
    const { keySpec } = found.record
    assertAlgorithm(EncryptionAlgorithm, keySpec, specification(keySpec)?.encryption)
    endDryRun(input.DryRun)
    const { blob } = await wrapUnder(context, { ...found, context: serialized }, Plaintext)
    return { CiphertextBlob: blob, KeyId: found.arn, EncryptionAlgorithm }
  },
}
