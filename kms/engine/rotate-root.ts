import { assertLength } from '../../bindings/bytes.ts'
import { KmsError } from '../errors.ts'
import { TABLES, type Store, type StoreTransaction, type Table } from '../store/store.ts'
import { scopeOf } from './arn.ts'
import { AuditLog } from './audit-log.ts'
import { AuthenticRows, KnownRows } from './authentic-rows.ts'
import { fromHex, toHex } from './bytes.ts'
import { accountRoot } from './caller.ts'
import { describeStoreSecret } from './custom-key-stores.ts'
import { systemRandom } from './engine.ts'
import { describeAccessKey } from './iam.ts'
import { ROOT_KEY_BYTES, RootKeys } from './keys.ts'
import { describeMaterial } from './material.ts'
import { wipeBytes } from './outside.ts'
import { isIndexed, RecordTransaction, tampered, type Records, type RootRecord } from './records.ts'
import { assertUnderRoot, openRoot, readRootKeyId, ROOT_ROW, sealStoreSecret, unsealStoreSecret } from './root.ts'
import { managementRecord } from './trail.ts'
import { describeWrappingKey } from './wrapping-key.ts'

/** Options of {@link rotateRootKey}. */
export interface RotateRootKeyOptions {
  readonly store: Store
  /** The key that the store is under. */
  readonly rootKey: Uint8Array
  /**
   * Answers 32 random bytes, which are copied. Called once the store is known to be under `rootKey`, while nobody else can
   * write to it: of two rotations at once, one makes a key.
   */
  readonly newRootKey: () => Uint8Array
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** For the record in the log. Twelve digits; default 000000000000. */
  readonly account?: string | undefined
  /** For the record in the log. Default us-east-1. */
  readonly region?: string | undefined
}

type Describe<T extends keyof Records> = (
  record: Records[T],
  id: string,
  records: RecordTransaction,
  rootKeyId: string,
) => Promise<readonly string[]>

/** As what the `sealed` member of a table's records is sealed; every table must say, so that no secret is left behind. */
const SEALED: { readonly [T in keyof Records]: Describe<T> | undefined } = {
  material: async (record, id, records, rootKeyId) => {
    const [account = '', region = '', keyId = ''] = id.split('/')
    const key = await records.get('key', [account, region, keyId].join('/'))
    if (!key) throw tampered('material', id)
    return describeMaterial({ scope: { account, region } }, rootKeyId, key.record, record.materialId)
  },
  identity: (record, id, _, rootKeyId) => {
    const [account = ''] = id.split('/')
    return Promise.resolve(
      'sealed' in record ? describeAccessKey(account, record.accessKeyId, record.userId, rootKeyId) : [],
    )
  },
  keystore: (record, id, _, rootKeyId) => {
    const [account = '', region = ''] = id.split('/')
    return Promise.resolve('sealed' in record ? describeStoreSecret({ account, region }, record.id, rootKeyId) : [])
  },
  import: (record, id, _, rootKeyId) => {
    const [account = '', region = ''] = id.split('/')
    return Promise.resolve(describeWrappingKey({ account, region }, rootKeyId, record))
  },
  // The secret of the root record has a name of its own; the key that signs the log's heads is under the store's secret.
  meta: undefined,
  // Wrapped by a KMS key.
  'branch-key': undefined,
  key: undefined,
  alias: undefined,
  policy: undefined,
  grant: undefined,
  retiring: undefined,
  usage: undefined,
  due: undefined,
}

const PAGE = 256

/**
 * Puts a store under another root key: every secret is sealed again and every row authenticated again, in one
 * transaction. Nothing else may work on the store; an engine that is open on it has to be opened anew. Copies of the
 * store from before stay readable with the old root key until that is destroyed.
 *
 * The store's own secret is sealed again and stays the same, and so do the keys that are derived from it: that of the
 * log's MACs, that which seals the key that signs its heads, that of grant tokens, and that of the ids of imported
 * material. Whoever had the old root key with the store may have those, and the material: keys that must be safe from
 * them belong in a new store.
 *
 * @throws KmsError `RootKeyException` if the store is not under `rootKey`; `KMSInternalException` if a row is not
 *   authentic. Nothing is changed then.
 */
export async function rotateRootKey(options: RotateRootKeyOptions): Promise<void> {
  const { store, clock = Date.now } = options
  assertLength(options.rootKey, 'rootKey', ROOT_KEY_BYTES)
  const scope = scopeOf(options)
  const from = new RootKeys(options.rootKey, systemRandom)
  const own = [from]
  try {
    await assertUnderRoot(store, from)
    const storeKeys = await openRoot(store, from, systemRandom)
    try {
      await store.transaction('write', async (rows) => {
        const old = await checkedRows(rows, from)
        const newRootKey = options.newRootKey()
        assertLength(newRootKey, 'newRootKey', ROOT_KEY_BYTES)
        const to = new RootKeys(newRootKey, systemRandom)
        own.push(to)
        const rootKeyId = await putUnder(rows, { from, to, ...old })
        const records = new RecordTransaction(rows, to)
        const log = await AuditLog.open(rows, records, storeKeys.audit)
        const call = { name: 'RotateRootKey', input: { rootKeyId }, caller: accountRoot(scope), request: {}, scope }
        const outcome = { output: undefined }
        await log.append((ids) => {
          return { ...managementRecord({ ...call, now: clock(), outcome }, ids), eventSource: 'kms.amazonaws.com' }
        })
        await log.close()
      })
      await store.purge()
    } finally {
      wipeBytes(storeKeys)
    }
  } finally {
    for (const keys of own) keys.wipe()
  }
}

/**
 * Looks through all rows before anything is changed, for what is written again becomes authentic: each must be the newest
 * of its name, and none may be missing.
 */
async function checkedRows(rows: StoreTransaction, from: RootKeys): Promise<Pick<Rotation, 'old' | 'oldId'>> {
  const old = new RecordTransaction(rows, from)
  const oldId = await readRootKeyId(old)
  let indexed = 0
  for (const table of TABLES.filter(isRecordTable)) {
    await eachPage(async (range) => {
      const found = await old.list(table, range)
      if (isIndexed(table)) indexed += found.length
      return found
    })
  }
  if ((await old.countIndexed()) !== indexed) throw tampered('index', 'top')
  return { old, oldId }
}

/** Answers the id of the new root key. */
async function putUnder(rows: StoreTransaction, rotation: Omit<Rotation, 'newId'>): Promise<string> {
  const newId = toHex(systemRandom(16))
  await rewrite(rows, { ...rotation, newId })
  return newId
}

interface Rotation {
  readonly from: RootKeys
  readonly to: RootKeys
  readonly oldId: string
  readonly newId: string
  /** Rows as they were found before the change; keys are read from it. */
  readonly old: RecordTransaction
}

async function rewrite(rows: StoreTransaction, rotation: Rotation): Promise<void> {
  const { from, to, old } = rotation
  // The index is made anew: also where a row stands in it depends on the root key.
  await eachPage(async (range) => {
    const found = await rows.list('index', range)
    for (const { id } of found) await rows.delete('index', id)
    return found.map((row) => ({ row }))
  })
  // Materials before keys: what a material is sealed as is read from its key.
  const tables = TABLES.filter(isRecordTable).sort((a, b) => Number(b === 'material') - Number(a === 'material'))
  const known = new KnownRows()
  for (const table of tables) {
    await eachPage(async (range) => {
      const found = await new AuthenticRows(rows, from, known).list(table, range)
      for (const { row, record } of found) {
        const changed = await resealed(table, row.id, record as Records[typeof table], { ...rotation, old })
        const previous = { row, record: record as Records[typeof table] }
        await new RecordTransaction(rows, to).put(table, row.id, changed, previous)
      }
      return found
    })
  }
}

async function resealed<T extends keyof Records>(
  table: T,
  id: string,
  record: Records[T],
  { from, to, oldId, newId, old }: Rotation,
): Promise<Records[T]> {
  if (table === 'meta' && id === ROOT_ROW) {
    const secret = unsealStoreSecret(from, record as RootRecord)
    try {
      return sealStoreSecret(to, secret, newId) as Records[T]
    } finally {
      secret.fill(0)
    }
  }
  const describe = SEALED[table]
  if (!('sealed' in record)) return record
  if (describe === undefined) throw new KmsError('KMSInternalException', `the table ${table} has secrets of no kind`)
  const secret = from.unseal(fromHex(record.sealed), ...(await describe(record, id, old, oldId)))
  try {
    return { ...record, sealed: toHex(to.seal(secret, ...(await describe(record, id, old, newId)))) }
  } finally {
    secret.fill(0)
  }
}

/** Calls `work` for one page after the other until it answers less than one. */
async function eachPage(
  work: (range: { prefix: string; after?: string; limit: number }) => Promise<readonly { row: { id: string } }[]>,
): Promise<void> {
  let after: string | undefined
  do {
    const found = await work({ prefix: '', limit: PAGE, ...(after !== undefined && { after }) })
    after = found.length < PAGE ? undefined : found.at(-1)?.row.id
  } while (after !== undefined)
}

/** The log is a chain under a key of the store's own, and stays as it is. */
function isRecordTable(table: Table): table is keyof Records {
  return table !== 'index' && table !== 'audit'
}
