import { KmsError } from '../../errors.ts'
import { KeyStoreError } from '../../key-stores/key-store.ts'
import type { Action, ActionContext } from '../action.ts'
import { authorise } from '../authorise.ts'
import { connectionSubject, findKeyStore, putKeyStore } from '../custom-key-stores.ts'
import { assertHsm, probeHsm } from '../hsm-stores.ts'
import { withKeyStore } from '../in-key-store.ts'
import type { KeyStoreRecord } from '../records.ts'
import { connectionErrorCode } from '../store-faults.ts'
import type { CustomKeyStoreIdInput, EmptyOutput } from '../types.ts'
import { without } from '../without.ts'

/**
 * ConnectCustomKeyStore: the keys of the store can be used, if it answers; if not, its ConnectionState is FAILED, with
 * the reason beside it. Either is so when this answers.
 */
export const connectCustomKeyStore: Action<CustomKeyStoreIdInput, EmptyOutput> = {
  shape: 'ConnectCustomKeyStoreRequest',
  mode: 'write',
  async act(context, { CustomKeyStoreId }) {
    await authorise(context, '*')
    const stored = await findKeyStore(context, CustomKeyStoreId)
    const { record } = stored
    if (record.state === 'FAILED') throw invalidState(record, 'is FAILED: disconnect it before you connect it again')
    if (record.state === 'CONNECTED') return {}
    if (record.kind.type === 'AWS_CLOUDHSM') await probeHsm(context, record.kind.clusterId)
    const errorCode = await connect(context, record)
    const change = errorCode === undefined ? { state: 'CONNECTED' as const } : { state: 'FAILED' as const, errorCode }
    await putKeyStore(context, { ...without(record, 'errorCode'), ...change }, stored)
    return {}
  },
}

/** DisconnectCustomKeyStore: the keys of the store cannot be used until it is connected again. */
export const disconnectCustomKeyStore: Action<CustomKeyStoreIdInput, EmptyOutput> = {
  shape: 'DisconnectCustomKeyStoreRequest',
  mode: 'write',
  async act(context, { CustomKeyStoreId }) {
    await authorise(context, '*')
    const stored = await findKeyStore(context, CustomKeyStoreId)
    const { record } = stored
    if (record.state === 'DISCONNECTED') throw invalidState(record, 'is DISCONNECTED already')
    await disconnect(context, record)
    await putKeyStore(context, { ...without(record, 'errorCode'), state: 'DISCONNECTED' }, stored)
    return {}
  },
}

/** Answers the ConnectionErrorCode if there is no connection. */
function connect(context: ActionContext, record: KeyStoreRecord): Promise<string | undefined> {
  const work = { place: 'onStore', subject: connectionSubject(record) } as const
  return withKeyStore(context, record, work, async (store, request) => {
    try {
      await store.check(request)
      return undefined
    } catch (error) {
      if (error instanceof KeyStoreError) return connectionErrorCode(error)
      throw error
    }
  })
}

async function disconnect(context: ActionContext, { kind }: KeyStoreRecord): Promise<void> {
  if (kind.type !== 'AWS_CLOUDHSM') return
  // The administrator may have taken the module away: the store can be disconnected all the same.
  if (!context.keyStores.clusters.has(kind.clusterId)) return
  const cluster = assertHsm(context, kind.clusterId)
  await context.outside(() => cluster.disconnect(), kind.clusterId)
}

function invalidState({ id }: KeyStoreRecord, words: string): KmsError {
  return new KmsError('CustomKeyStoreInvalidStateException', `The custom key store ${id} ${words}.`)
}
