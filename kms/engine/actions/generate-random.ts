import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { authorise } from '../authorise.ts'
import { assertNoRecipient } from '../cryptography.ts'
import type { GenerateRandomInput, GenerateRandomOutput } from '../types.ts'

/** GenerateRandom: random bytes, under no key. */
export const generateRandom: Action<GenerateRandomInput, GenerateRandomOutput> = {
  shape: 'GenerateRandomRequest',
  mode: 'read',
  async act(context, { NumberOfBytes, CustomKeyStoreId, Recipient }) {
    if (NumberOfBytes === undefined) throw new KmsError('ValidationException', 'NumberOfBytes is required.')
    assertNoRecipient(Recipient)
    await authorise(context, '*')
    if (CustomKeyStoreId !== undefined) {
      throw new KmsError('CustomKeyStoreNotFoundException', `Custom key store ${CustomKeyStoreId} does not exist.`)
    }
    return { Plaintext: context.random(NumberOfBytes) }
  },
}
