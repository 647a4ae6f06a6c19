import { KmsError } from '../errors.ts'
import { BufferedTransaction, type Changes, type RowSource } from './buffered.ts'
import { Turnstile, type Row, type Store } from './store.ts'

export type { Row, RowRange, Store, StoreTransaction, Table } from './store.ts'

/** What is used of `ctx.storage` of a Durable Object whose class has SQLite (`new_sqlite_classes`). */
export interface DurableObjectStorageLike {
  readonly sql: {
    exec(query: string, ...bindings: unknown[]): { toArray(): object[] }
  }
  transactionSync<T>(closure: () => T): T
  sync(): Promise<void>
}

/** Version of the schema: that of the rows in `waxseal_row`. */
const SCHEMA_VERSION = 2

// Pragmas are not to be had: the version is in a table of its own.
const SCHEMA = `
  CREATE TABLE waxseal_schema (version INTEGER NOT NULL) STRICT;
  INSERT INTO waxseal_schema VALUES (${String(SCHEMA_VERSION)});
  CREATE TABLE waxseal_row (
    "table" TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    mac BLOB NOT NULL,
    PRIMARY KEY ("table", id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX waxseal_row_owner ON waxseal_row ("table", owner, id);
`

const SELECT = 'SELECT id, owner, revision, body, mac FROM waxseal_row WHERE "table" = ?'
const RANGE = 'id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?'

/**
 * A store in the SQLite storage of a Cloudflare Durable Object: `durableObjectStore(ctx.storage)`, once for each object.
 * There is one instance of an object, so that there is one writer. Other tables of the object are left alone.
 *
 * A transaction answers when its writes are durable (`sync`). Cloudflare keeps what was deleted for point-in-time
 * recovery: it is gone for good only when the root key is.
 *
 * @throws KmsError `KMSInternalException` if the rows are of another version; nothing is changed
 */
export function durableObjectStore(storage: DurableObjectStorageLike): Store {
  prepare(storage)
  const source = sourceOf(storage)
  const turnstile = new Turnstile()
  let isClosed = false
  return {
    transaction: (mode, work) =>
      turnstile.run(async () => {
        if (isClosed) throw new KmsError('KMSInternalException', 'the store is closed')
        const transaction = new BufferedTransaction(source, mode)
        try {
          const result = await work(transaction)
          const changes = transaction.end()
          if (changes.size > 0) await commit(storage, changes)
          return result
        } finally {
          transaction.end()
        }
      }),
    purge: () => turnstile.run(() => Promise.resolve()),
    close: () =>
      turnstile.run(async () => {
        isClosed = true
      }),
  }
}

function prepare(storage: DurableObjectStorageLike): void {
  const { sql } = storage
  storage.transactionSync(() => {
    const tables = sql.exec(`SELECT name FROM sqlite_schema WHERE name IN ('waxseal_schema', 'waxseal_row')`).toArray()
    if (tables.length === 0) sql.exec(SCHEMA)
    const [found] = sql.exec('SELECT version FROM waxseal_schema').toArray() as { readonly version: unknown }[]
    if (found?.version === SCHEMA_VERSION) return
    const version = String(found?.version)
    throw new KmsError('KMSInternalException', `the rows of this object have version ${version}: use a newer waxseal`)
  })
}

function sourceOf({ sql }: DurableObjectStorageLike): RowSource {
  return {
    get: (table, id) => {
      const [row] = sql.exec(`${SELECT} AND id = ?`, table, id).toArray()
      return row && toRow(row)
    },
    list: (table, { prefix, owner, after = '', limit }) => {
      // A prefix ends before the same prefix with U+10FFFF behind it: ids are ASCII.
      const range = [after, prefix, `${prefix}\u{10ffff}`, limit]
      const found =
        owner === undefined
          ? sql.exec(`${SELECT} AND ${RANGE}`, table, ...range)
          : sql.exec(`${SELECT} AND owner = ? AND ${RANGE}`, table, owner, ...range)
      return found.toArray().map(toRow)
    },
  }
}

/** All or nothing, and durable. */
async function commit(storage: DurableObjectStorageLike, changes: Changes): Promise<void> {
  const { sql } = storage
  storage.transactionSync(() => {
    for (const [table, rows] of changes) {
      for (const [id, row] of rows) {
        if (row === undefined) sql.exec('DELETE FROM waxseal_row WHERE "table" = ? AND id = ?', table, id)
        else {
          const { owner, revision, body, mac } = row
          const values = [table, id, owner, revision, body, mac]
          sql.exec('INSERT OR REPLACE INTO waxseal_row VALUES (?, ?, ?, ?, ?, ?)', ...values)
        }
      }
    }
  })
  await storage.sync()
}

/** A blob is an ArrayBuffer there. */
function toRow(found: object): Row {
  const { id, owner, revision, body, mac } = found as Row
  return { id, owner, revision, body, mac: new Uint8Array(mac) }
}
