import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { authorise } from '../authorise.ts'
import {
  assertNameIsFree,
  findKeyStore,
  listKeyStores,
  putKeyStore,
  sealStoreSecret,
  unsealStoreSecret,
} from '../custom-key-stores.ts'
import { assertNotGiven } from '../given.ts'
import { assertHsm, probeHsm } from '../hsm-stores.ts'
import type { HsmStoreKind, KeyStoreRecord } from '../records.ts'
import type { EmptyOutput, UpdateCustomKeyStoreInput } from '../types.ts'
import { assertProxyIsFree, checkProxy, externalKind, PROXY_MEMBERS } from '../xks-stores.ts'

const ENCODER = new TextEncoder()
const HSM_CHANGES = ['CloudHsmClusterId', 'KeyStorePassword'] as const
/** What of an external key store can change while it is connected. */
const CHANGES_IN_USE: readonly string[] = [
  'CustomKeyStoreId',
  'NewCustomKeyStoreName',
  'XksProxyAuthenticationCredential',
  'XksProxyUriPath',
]

/** UpdateCustomKeyStore: another name, secret or place; a proxy must answer there before anything changes. */
export const updateCustomKeyStore: Action<UpdateCustomKeyStoreInput, EmptyOutput> = {
  shape: 'UpdateCustomKeyStoreRequest',
  mode: 'write',
  async act(context, input) {
    const { CustomKeyStoreId, NewCustomKeyStoreName: name } = input
    if (Object.keys(input).length < 2) throw new KmsError('ValidationException', 'This request changes nothing.')
    await authorise(context, '*')
    const stored = await findKeyStore(context, CustomKeyStoreId)
    const { record } = stored
    const isHsm = record.kind.type === 'AWS_CLOUDHSM'
    assertNotGiven(input, isHsm ? PROXY_MEMBERS : HSM_CHANGES, record.kind.type)
    assertMayChange(record, input)
    const stores = await listKeyStores(context)
    if (name !== undefined && name !== record.name) assertNameIsFree(stores, name)
    const kind = await changedKind(context, record, stores, input)
    const sealed = await changedSecret(context, record, input)
    await putKeyStore(context, { ...record, kind, sealed, name: name ?? record.name }, stored)
    return {}
  },
}

/** Of a store in use, only what does not change where its keys are. */
function assertMayChange({ id, state, kind }: KeyStoreRecord, input: UpdateCustomKeyStoreInput): void {
  if (state === 'DISCONNECTED') return
  const isHarmless =
    state === 'CONNECTED' &&
    kind.type === 'EXTERNAL_KEY_STORE' &&
    Object.keys(input).every((member) => CHANGES_IN_USE.includes(member))
  if (isHarmless) return
  throw new KmsError(
    'CustomKeyStoreInvalidStateException',
    `The custom key store ${id} is ${state}: disconnect it before you change this.`,
  )
}

async function changedKind(
  context: ActionContext,
  record: KeyStoreRecord,
  stores: readonly KeyStoreRecord[],
  input: UpdateCustomKeyStoreInput,
): Promise<KeyStoreRecord['kind']> {
  const { kind } = record
  if (kind.type === 'AWS_CLOUDHSM') {
    const same = assertSameHsm(context, kind, input)
    if (input.CloudHsmClusterId !== undefined) await probeHsm(context, same.clusterId)
    return same
  }
  if (PROXY_MEMBERS.every((member) => input[member] === undefined)) return kind
  const changed = externalKind(input, kind)
  assertProxyIsFree(stores, changed, record.id)
  const { RawSecretAccessKey } = input.XksProxyAuthenticationCredential ?? {}
  if (RawSecretAccessKey === undefined) {
    await checkProxy(context, changed, () => unsealStoreSecret(context, record), record.sealed)
  } else {
    await checkProxy(context, changed, () => Promise.resolve(ENCODER.encode(RawSecretAccessKey)))
  }
  return changed
}

/** The keys of a module are in it: no other module is related to it, as a CloudHSM cluster of the same backup would be. */
function assertSameHsm(
  context: ActionContext,
  kind: HsmStoreKind,
  { CloudHsmClusterId: clusterId = kind.clusterId }: UpdateCustomKeyStoreInput,
): HsmStoreKind {
  assertHsm(context, clusterId)
  if (clusterId === kind.clusterId) return kind
  throw new KmsError('CloudHsmClusterNotRelatedException', `${clusterId} does not have the keys of ${kind.clusterId}.`)
}

async function changedSecret(
  context: ActionContext,
  { id, sealed }: KeyStoreRecord,
  { XksProxyAuthenticationCredential: credential, KeyStorePassword: pin }: UpdateCustomKeyStoreInput,
): Promise<string> {
  const text = credential?.RawSecretAccessKey ?? pin
  if (text === undefined) return sealed
  const secret = ENCODER.encode(text)
  try {
    return await sealStoreSecret(context, id, secret)
  } finally {
    secret.fill(0)
  }
}
