import type { Action } from '../action.ts'
import { endDryRun } from '../cryptography.ts'
import { prepareEncryption, performEncryption } from '../encryption.ts'
import type { EncryptInput, EncryptOutput } from '../types.ts'

/** Encrypt: up to 4096 bytes under a symmetric key; less under an RSA key. */
export const encrypt: Action<EncryptInput, EncryptOutput> = {
  shape: 'EncryptRequest',
  mode: 'read',
  async act(context, input) {
    const encryption = await prepareEncryption(context, {
      keyId: input.KeyId,
      algorithm: input.EncryptionAlgorithm,
      encryptionContext: input.EncryptionContext,
      access: { grantTokens: input.GrantTokens },
    })
    encryption.assertLength(input.Plaintext)
    endDryRun(input.DryRun)
    const { ciphertext } = await performEncryption(context, encryption, input.Plaintext)
    return { CiphertextBlob: ciphertext, KeyId: encryption.arn, EncryptionAlgorithm: encryption.algorithm }
  },
}
