import { AuthenticationError } from '../../bindings/errors.ts'
import { KmsError } from '../errors.ts'
import { TABLES, type Row, type Store, type StoreTransaction } from '../store/store.ts'
import { fromHex, toHex } from './bytes.ts'
import type { RootKeys } from './keys.ts'
import { RecordTransaction, tampered, type RootRecord } from './records.ts'
import { STORE_SECRET_BYTES, StoreKeys } from './store-keys.ts'

/** Id of the row that says which root key this database is under. */
export const ROOT_ROW = 'root'

/**
 * Puts an empty store under the root key, or checks that this is the key that the store is under.
 *
 * @throws KmsError `RootKeyException` if the store is under another root key; nothing is changed
 */
export async function openRoot(
  store: Store,
  keys: RootKeys,
  random: (length: number) => Uint8Array,
): Promise<StoreKeys> {
  const known = await store.transaction('read', (rows) => readSecret(keys, rows))
  const secret = known ?? (await store.transaction('write', (rows) => makeSecret(keys, rows, random)))
  try {
    return new StoreKeys(secret)
  } finally {
    secret.fill(0)
  }
}

/** The id of the root key that the store is under now. */
export async function readRootKeyId(records: RecordTransaction): Promise<string> {
  const root = await records.get('meta', ROOT_ROW)
  if (!root || !('rootKeyId' in root.record)) throw tampered('meta', ROOT_ROW)
  return root.record.rootKeyId
}

async function makeSecret(
  keys: RootKeys,
  rows: StoreTransaction,
  random: (length: number) => Uint8Array,
): Promise<Uint8Array> {
  const known = await readSecret(keys, rows)
  if (known) return known
  for (const table of TABLES) {
    const [found] = await rows.list(table, { prefix: '', limit: 1 })
    if (found) throw new KmsError('RootKeyException', 'the store holds keys and does not say under which root key')
  }
  const rootKeyId = toHex(random(16))
  const secret = random(STORE_SECRET_BYTES)
  await new RecordTransaction(rows, keys).put('meta', ROOT_ROW, sealStoreSecret(keys, secret, rootKeyId))
  return secret
}

/** The record of a root key with this id. */
export function sealStoreSecret(keys: RootKeys, secret: Uint8Array, rootKeyId: string): RootRecord {
  return { rootKeyId, secret: toHex(keys.seal(secret, ...secretDescription(rootKeyId))) }
}

/** The caller wipes it. */
export function unsealStoreSecret(keys: RootKeys, record: RootRecord): Uint8Array {
  return keys.unseal(fromHex(record.secret), ...secretDescription(record.rootKeyId))
}

/** @throws KmsError `RootKeyException` if the store is under another root key by now, or under none */
export async function assertUnderRoot(store: Store, keys: RootKeys): Promise<void> {
  const secret = await store.transaction('read', (rows) => readSecret(keys, rows))
  if (!secret) throw new KmsError('RootKeyException', 'the store is under no root key: it holds no KMS')
  secret.fill(0)
}

/** Undefined if the store is under no root key yet. @throws KmsError `RootKeyException` if it is under another one */
async function readSecret(keys: RootKeys, rows: StoreTransaction): Promise<Uint8Array | undefined> {
  const row = await rows.get('meta', ROOT_ROW)
  if (!row) return undefined
  const { rootKeyId, sealed } = readRootRow(row)
  const secret = unseal(keys, sealed, rootKeyId)
  // Only now is this the key that the row's MAC is under.
  await new RecordTransaction(rows, keys).get('meta', ROOT_ROW)
  return secret
}

function unseal(keys: RootKeys, sealed: Uint8Array, rootKeyId: string): Uint8Array {
  try {
    return keys.unseal(sealed, ...secretDescription(rootKeyId))
  } catch (error) {
    if (!(error instanceof AuthenticationError)) throw error
    throw new KmsError(
      'RootKeyException',
      `this is not the root key of the KMS (root key id ${rootKeyId}): give the file that it was made with`,
    )
  }
}

function secretDescription(rootKeyId: string): readonly string[] {
  return ['store secret', rootKeyId]
}

/** Nothing in the row is authenticated yet. */
function readRootRow({ body }: Row): { readonly rootKeyId: string; readonly sealed: Uint8Array } {
  try {
    const { rootKeyId, secret } = JSON.parse(body) as RootRecord
    return { rootKeyId: toHex(fromHex(rootKeyId)), sealed: fromHex(secret) }
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError || error instanceof RangeError) {
      throw tampered('meta', ROOT_ROW)
    }
    throw error
  }
}
