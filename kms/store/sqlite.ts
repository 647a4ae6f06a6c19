import { closeSync, existsSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { UnsupportedError } from '../../bindings/errors.ts'
import { KmsError } from '../errors.ts'
import { Turnstile, type Row, type RowRange, type Store, type StoreTransaction, type Table } from './store.ts'

export type { Row, RowRange, Store, StoreTransaction, Table } from './store.ts'

/** What `node:sqlite` and `libsql` have in common. */
interface Database {
  exec(sql: string): unknown
  prepare(sql: string): Statement
  close(): unknown
}

interface Statement {
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  run(...parameters: unknown[]): unknown
}

type DatabaseConstructor = new (file: string) => Database

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** The database file. Made with mode 0600, its folder with 0700, when they are not there. */
  readonly file: string
  /** Whether a file that is not there is made. Default true. */
  readonly create?: boolean | undefined
}

/** Not as literals in the imports: one of the two is not there, and bundlers would look for it. */
const DRIVERS = { node: 'node:sqlite', libsql: 'libsql' }

/** Version of the schema, kept as SQLite's `user_version`. */
const SCHEMA_VERSION = 1

/** How long a transaction waits for another process before it is refused. */
const BUSY_TIMEOUT_MS = 10_000

// One table for all: the engine authenticates a row together with its table's name.
const SCHEMA = `
  CREATE TABLE row (
    "table" TEXT NOT NULL,
    id TEXT NOT NULL,
    owner TEXT NOT NULL,
    revision INTEGER NOT NULL,
    body TEXT NOT NULL,
    mac BLOB NOT NULL,
    PRIMARY KEY ("table", id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX row_owner ON row ("table", owner, id);
  PRAGMA user_version = ${String(SCHEMA_VERSION)};
`

/**
 * Opens a store in one SQLite file. Several processes may have it open at once. Uses `node:sqlite` where the runtime
 * has it (Node 22.13 and later) and the optional package `libsql` elsewhere.
 *
 * Commits are durable (`synchronous = FULL`), and what is deleted or replaced is overwritten (`secure_delete`).
 *
 * @throws KmsError `NotFoundException` if the file is not there and `create` is false
 * @throws KmsError `KMSInternalException` if it is no database of this version
 * @throws UnsupportedError if the runtime has no SQLite; the message says what to install
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, create = true } = options
  const constructor = await loadDriver()
  if (!existsSync(file)) {
    if (!create) throw new KmsError('NotFoundException', `there is no KMS at ${dirname(file)}: no file ${file}`)
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'a', 0o600))
  }
  let database: Database | undefined
  try {
    database = new constructor(file)
    prepareDatabase(database)
  } catch (cause) {
    database?.close()
    throw databaseError(file, cause)
  }
  return new SqliteStore(database, file)
}

async function loadDriver(): Promise<DatabaseConstructor> {
  try {
    const { DatabaseSync } = (await import(DRIVERS.node)) as { DatabaseSync: DatabaseConstructor }
    return DatabaseSync
  } catch {
    // Node before 22.13 has no SQLite of its own.
  }
  try {
    const { default: libsql } = (await import(DRIVERS.libsql)) as { default: DatabaseConstructor }
    return libsql
  } catch (cause) {
    throw new UnsupportedError('this runtime has no SQLite: use Node 22.13 or later, or `npm install libsql`', {
      cause,
    })
  }
}

function prepareDatabase(database: Database): void {
  database.exec(`PRAGMA busy_timeout = ${String(BUSY_TIMEOUT_MS)}`)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA secure_delete = ON')
  database.exec('BEGIN IMMEDIATE')
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version === 0) database.exec(SCHEMA)
  database.exec('COMMIT')
  if (version > SCHEMA_VERSION) throw new RangeError(`its schema is version ${String(version)}: use a newer waxseal`)
}

function databaseError(file: string, cause: unknown): Error {
  if (cause instanceof KmsError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  const isBusy = /locked|busy/i.test(reason)
  return new KmsError(
    isBusy ? 'DependencyTimeoutException' : 'KMSInternalException',
    `the database ${file} could not be used: ${reason}`,
    { cause },
  )
}

class SqliteStore implements Store {
  readonly #database: Database
  readonly #file: string
  readonly #turnstile = new Turnstile()
  readonly #statements: SqliteTransaction
  #isClosed = false

  constructor(database: Database, file: string) {
    this.#database = database
    this.#file = file
    this.#statements = new SqliteTransaction(database)
  }

  transaction<T>(mode: 'read' | 'write', work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#turnstile.run(async () => {
      if (this.#isClosed) throw new KmsError('KMSInternalException', 'the store is closed')
      this.#exec(mode === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN')
      try {
        const result = await work(this.#statements)
        this.#exec('COMMIT')
        return result
      } catch (error) {
        this.#database.exec('ROLLBACK')
        throw error
      }
    })
  }

  #exec(sql: string): void {
    try {
      this.#database.exec(sql)
    } catch (cause) {
      throw databaseError(this.#file, cause)
    }
  }

  close(): Promise<void> {
    return this.#turnstile.run(() => {
      if (!this.#isClosed) this.#database.close()
      this.#isClosed = true
      return Promise.resolve()
    })
  }
}

class SqliteTransaction implements StoreTransaction {
  readonly #get: Statement
  readonly #put: Statement
  readonly #list: Statement
  readonly #listOwned: Statement

  constructor(database: Database) {
    this.#get = database.prepare('SELECT id, owner, revision, body, mac FROM row WHERE "table" = ? AND id = ?')
    this.#put = database.prepare(
      'INSERT OR REPLACE INTO row ("table", id, owner, revision, body, mac) VALUES (?, ?, ?, ?, ?, ?)',
    )
    // A prefix ends before the same prefix with U+10FFFF behind it: ids are ASCII.
    const range = 'id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?'
    this.#list = database.prepare(`SELECT id, owner, revision, body, mac FROM row WHERE "table" = ? AND ${range}`)
    this.#listOwned = database.prepare(
      `SELECT id, owner, revision, body, mac FROM row WHERE "table" = ? AND owner = ? AND ${range}`,
    )
  }

  async get(table: Table, id: string): Promise<Row | undefined> {
    const row = this.#get.get(table, id)
    return row === undefined || row === null ? undefined : toRow(row)
  }

  async put(table: Table, row: Row): Promise<void> {
    this.#put.run(table, row.id, row.owner, row.revision, row.body, row.mac)
  }

  async list(table: Table, { prefix, owner, after = '', limit }: RowRange): Promise<readonly Row[]> {
    const range = [after, prefix, `${prefix}\u{10ffff}`, limit]
    const rows = owner === undefined ? this.#list.all(table, ...range) : this.#listOwned.all(table, owner, ...range)
    return rows.map(toRow)
  }
}

/** A driver's row, without what it adds to it; libsql answers blobs as Buffer or as ArrayBuffer. */
function toRow(row: unknown): Row {
  const { id, owner, revision, body, mac } = row as Omit<Row, 'mac'> & { readonly mac: Uint8Array | ArrayBuffer }
  return { id, owner, revision, body, mac: new Uint8Array(mac) }
}
