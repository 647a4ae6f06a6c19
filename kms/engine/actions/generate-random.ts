import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { authorise } from '../authorise.ts'
import { randomInStore } from '../create-key-in-store.ts'
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
      return { Plaintext: await randomInStore(context, CustomKeyStoreId, NumberOfBytes) }
    }
    return { Plaintext: context.random(NumberOfBytes) }
  },
}
