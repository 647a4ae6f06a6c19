import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { authorise } from '../authorise.ts'
import { dropKeyStore, findKeyStore } from '../custom-key-stores.ts'
import type { CustomKeyStoreIdInput, EmptyOutput } from '../types.ts'

/** DeleteCustomKeyStore: a store without keys, and not connected, is gone; what it was made from stays as it is. */
export const deleteCustomKeyStore: Action<CustomKeyStoreIdInput, EmptyOutput> = {
  shape: 'DeleteCustomKeyStoreRequest',
  mode: 'write',
  async act(context, { CustomKeyStoreId }) {
    await authorise(context, '*')
    const { record } = await findKeyStore(context, CustomKeyStoreId)
    if (record.state !== 'DISCONNECTED') {
      throw new KmsError(
        'CustomKeyStoreInvalidStateException',
        `The custom key store ${record.id} is ${record.state}: disconnect it before you delete it.`,
      )
    }
    if (record.keys > 0) {
      throw new KmsError(
        'CustomKeyStoreHasCMKsException',
        `The custom key store ${record.id} has ${String(record.keys)} KMS keys, and can be deleted when they have ended.`,
      )
    }
    await dropKeyStore(context, record.id)
    return {}
  },
}
