import type { Action } from '../action.ts'
import { assertNoRecipient, endDryRun } from '../cryptography.ts'
import { endDryRunWithoutCiphertext, performDecryption, prepareDecryption } from '../decryption.ts'
import type { DecryptInput, DecryptOutput } from '../types.ts'

/** Decrypt: the inverse of Encrypt. A symmetric key is named by the ciphertext; a `KeyId` must name the same. */
export const decrypt: Action<DecryptInput, DecryptOutput> = {
  shape: 'DecryptRequest',
  mode: 'read',
  async act(context, input) {
    assertNoRecipient(input.Recipient)
    const decryption = await prepareDecryption(context, {
      ciphertext: input.CiphertextBlob,
      keyId: input.KeyId,
      algorithm: input.EncryptionAlgorithm,
      encryptionContext: input.EncryptionContext,
      isDryRun: input.DryRun,
      dryRunModifiers: input.DryRunModifiers,
      access: { grantTokens: input.GrantTokens },
    })
    endDryRunWithoutCiphertext(decryption)
    const { plaintext, materialId } = await performDecryption(context, decryption)
    if (input.DryRun) plaintext.fill(0)
    endDryRun(input.DryRun)
    return {
      Plaintext: plaintext,
      KeyId: decryption.arn,
      ...(materialId !== undefined && { KeyMaterialId: materialId }),
      EncryptionAlgorithm: decryption.algorithm,
    }
  },
}
