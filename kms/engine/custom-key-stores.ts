import { AuthenticationError } from '../../bindings/errors.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { rowId, type Scope } from './arn.ts'
import { fromHex, toHex } from './bytes.ts'
import { tampered, type ExternalKeyRecord, type KeyRecord, type KeyStoreRecord, type Stored } from './records.ts'
import { readRootKeyId } from './root.ts'

/** What of a context a row needs. */
type RowContext = Pick<ActionContext, 'scope' | 'records'>

const MAX_STORES = 10
const ID_BYTES = 9
const ID_DIGITS = 17

/** A fresh id, in the form of AWS. */
export function newKeyStoreId({ random }: Pick<ActionContext, 'random'>): string {
  return `cks-${toHex(random(ID_BYTES)).slice(0, ID_DIGITS)}`
}

export function isKeyStoreId(text: string): boolean {
  return /^cks-[0-9a-f]{17}$/.test(text)
}

/** @throws KmsError `CustomKeyStoreNotFoundException` */
export async function findKeyStore(context: RowContext, id: string): Promise<Stored<KeyStoreRecord>> {
  const stored = await context.records.get('keystore', storeRow(context.scope, id))
  if (stored && 'kind' in stored.record) return stored as Stored<KeyStoreRecord>
  throw new KmsError('CustomKeyStoreNotFoundException', `Custom key store ${id} does not exist.`)
}

/** The store of a key that is in one. */
export async function keyStoreOf(context: RowContext, { keyId, keyStore }: KeyRecord): Promise<Stored<KeyStoreRecord>> {
  const row = storeRow(context.scope, keyStore?.storeId ?? '')
  const stored = await context.records.get('keystore', row)
  if (!stored || !('kind' in stored.record)) throw tampered('key', rowId(context.scope, keyId))
  return stored as Stored<KeyStoreRecord>
}

/** All stores of the account and Region, in the order of their ids. */
export async function listKeyStores({ scope, records }: RowContext): Promise<readonly KeyStoreRecord[]> {
  const found = await records.list('keystore', { prefix: storeRow(scope, ''), limit: MAX_STORES })
  return (found as readonly Stored<KeyStoreRecord>[]).map(({ record }) => record)
}

/** @throws KmsError `LimitExceededException` */
export function assertRoom(stores: readonly KeyStoreRecord[]): void {
  if (stores.length < MAX_STORES) return
  throw new KmsError(
    'LimitExceededException',
    `There are ${String(MAX_STORES)} custom key stores in this Region already.`,
  )
}

/** @throws KmsError `CustomKeyStoreNameInUseException` */
export function assertNameIsFree(stores: readonly KeyStoreRecord[], name: string): void {
  if (stores.every((store) => store.name !== name)) return
  throw new KmsError('CustomKeyStoreNameInUseException', `There is a custom key store of the name ${name} already.`)
}

export async function putKeyStore(
  { scope, records }: RowContext,
  record: KeyStoreRecord,
  previous?: Stored<KeyStoreRecord>,
): Promise<void> {
  await records.put('keystore', storeRow(scope, record.id), record, previous)
}

export async function dropKeyStore({ scope, records }: RowContext, id: string): Promise<void> {
  await records.delete('keystore', storeRow(scope, id))
}

/** Seals a store's secret, for its row: hexadecimal. */
export async function sealStoreSecret(
  context: RowContext & Pick<ActionContext, 'keys'>,
  id: string,
  secret: Uint8Array,
): Promise<string> {
  const description = describeStoreSecret(context.scope, id, await readRootKeyId(context.records))
  return toHex(context.keys.seal(secret, ...description))
}

/** The caller wipes it. */
export async function unsealStoreSecret(
  context: RowContext & Pick<ActionContext, 'keys'>,
  { id, sealed }: KeyStoreRecord,
): Promise<Uint8Array<ArrayBuffer>> {
  const description = describeStoreSecret(context.scope, id, await readRootKeyId(context.records))
  try {
    return context.keys.unseal(fromHex(sealed), ...description)
  } catch (error) {
    if (error instanceof AuthenticationError) throw tampered('keystore', storeRow(context.scope, id))
    throw error
  }
}

/** Names the secret of a store for its sealing. */
export function describeStoreSecret(
  { account, region }: Pick<Scope, 'account' | 'region'>,
  id: string,
  rootKeyId: string,
): readonly string[] {
  return ['key store secret', account, region, id, rootKeyId]
}

/** Where a store is and with which secret, as a subject of {@link ActionContext.outside}: what is checked is what counts. */
export function connectionSubject({
  kind,
  sealed = '',
}: Pick<KeyStoreRecord, 'kind'> & { readonly sealed?: string | undefined }): string {
  return JSON.stringify([kind, sealed])
}

/** A key whose store is not connected is unavailable, unless it cannot be used for another reason. */
export async function asItsStoreIs(context: RowContext, key: KeyRecord): Promise<KeyRecord> {
  if (!key.keyStore || (key.state !== 'Enabled' && key.state !== 'Disabled')) return key
  const { record } = await keyStoreOf(context, key)
  return record.state === 'CONNECTED' ? key : { ...key, state: 'Unavailable' }
}

/**
 * Notes that a store has a key more.
 *
 * @throws KmsError `XksKeyAlreadyInUseException` if another key is the same external key
 */
export async function enterKeyStore(context: RowContext, key: KeyRecord): Promise<void> {
  const stored = await keyStoreOf(context, key)
  const { xksKeyId } = key.keyStore ?? {}
  if (xksKeyId !== undefined) {
    await assertKeyIsFree(context, stored.record.id, xksKeyId)
    const record: ExternalKeyRecord = { keyId: key.keyId }
    await context.records.put('keystore', externalKeyRow(context.scope, stored.record.id, xksKeyId), record)
  }
  await putKeyStore(context, { ...stored.record, keys: stored.record.keys + 1 }, stored)
}

/** Notes that a store has a key less. */
export async function leaveKeyStore(context: RowContext, key: KeyRecord): Promise<void> {
  const stored = await keyStoreOf(context, key)
  const { xksKeyId } = key.keyStore ?? {}
  if (xksKeyId !== undefined) {
    await context.records.delete('keystore', externalKeyRow(context.scope, stored.record.id, xksKeyId))
  }
  await putKeyStore(context, { ...stored.record, keys: stored.record.keys - 1 }, stored)
}

/** @throws KmsError `XksKeyAlreadyInUseException` */
export async function assertKeyIsFree(
  { scope, records }: RowContext,
  storeId: string,
  xksKeyId: string,
): Promise<void> {
  if (!(await records.get('keystore', externalKeyRow(scope, storeId, xksKeyId)))) return
  throw new KmsError('XksKeyAlreadyInUseException', `The external key ${xksKeyId} is another KMS key of this store.`)
}

function storeRow(scope: Scope, id: string): string {
  return rowId(scope, 'store', id)
}

function externalKeyRow(scope: Scope, storeId: string, xksKeyId: string): string {
  return rowId(scope, 'external-key', storeId, xksKeyId)
}
