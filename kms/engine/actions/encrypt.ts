import type { Action } from '../action.ts'
import { SYMMETRIC_DEFAULT } from '../lookup.ts'
import type { EncryptInput, EncryptOutput } from '../types.ts'
import { prepareWrapping, wrapUnder } from '../wrap.ts'

/** Encrypt: up to 4096 bytes under a key. */
export const encrypt: Action<EncryptInput, EncryptOutput> = {
  shape: 'EncryptRequest',
  mode: 'read',
  async act(context, input) {
    const wrapping = await prepareWrapping(context, input)
    return {
      CiphertextBlob: await wrapUnder(context, wrapping, input.Plaintext),
      KeyId: wrapping.arn,
      EncryptionAlgorithm: SYMMETRIC_DEFAULT,
    }
  },
}
