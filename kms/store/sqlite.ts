import { closeSync, existsSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { KmsError } from '../errors.ts'
import { makeFolder, syncFolder } from './folder.ts'
import { isBusy, loadDriver, rollBack, whenNotBusy, type Database, type Statement } from './sqlite-driver.ts'
import { Turnstile, type Row, type RowRange, type Store, type StoreTransaction, type Table } from './store.ts'

export type { Row, RowRange, Store, StoreTransaction, Table } from './store.ts'

/** Options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /** The database file. Made with mode 0600, its folder with 0700, when they are not there. */
  readonly file: string
  /** Whether a file that is not there, or is empty, becomes a database. Default true. */
  readonly create?: boolean | undefined
}

/** Marks the file as a database of waxseal (SQLite's `application_id`): "waxs". */
const APPLICATION_ID = 0x77617873

/** Version of the schema, kept as SQLite's `user_version`. */
const SCHEMA_VERSION = 2

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
  PRAGMA application_id = ${String(APPLICATION_ID)};
  PRAGMA user_version = ${String(SCHEMA_VERSION)};
`

/**
 * Opens a store in one SQLite file. Several processes may have it open at once. Uses the SQLite of the
 * runtime: `bun:sqlite`, or `node:sqlite` on Deno and from Node 22.13 on; before that the optional package `libsql`.
 *
 * Commits are durable (`synchronous = FULL`), and what is deleted or replaced is overwritten (`secure_delete`).
 *
 * @throws KmsError `NotFoundException` if there is no database and `create` is false
 * @throws KmsError `KMSInternalException` if the file is no database of this version; it is not changed
 * @throws UnsupportedError if the runtime has no SQLite; the message says what to install
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { create = true } = options
  const file = resolve(options.file)
  const constructor = await loadDriver()
  if (!existsSync(file)) {
    if (!create) throw absent(file)
    makeFile(file)
  }
  let database: Database | undefined
  try {
    const opened = (database = new constructor(file))
    await whenNotBusy(() => {
      prepareDatabase(opened, file, create)
    })
    return new SqliteStore(opened, file)
  } catch (cause) {
    database?.close()
    throw databaseError(file, cause)
  }
}

function absent(file: string): KmsError {
  return new KmsError('NotFoundException', `there is no KMS at ${dirname(file)}: no database ${file}`)
}

function makeFile(file: string): void {
  makeFolder(dirname(file))
  closeSync(openSync(file, 'a', 0o600))
  syncFolder(dirname(file))
}

function prepareDatabase(database: Database, file: string, create: boolean): void {
  // Another connection of this process may hold the lock: waiting inside SQLite would keep it from ever letting go.
  database.exec('PRAGMA busy_timeout = 0')
  if (isEmpty(database) && !create) throw absent(file)
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  database.exec('PRAGMA secure_delete = ON')
  database.exec('BEGIN IMMEDIATE')
  try {
    if (isEmpty(database)) database.exec(SCHEMA)
    database.exec('COMMIT')
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** Whether nothing is in the file. @throws RangeError if what is in it is not of this version */
function isEmpty(database: Database): boolean {
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  const application = pragma(database, 'application_id')
  if (tables === 0 && application === 0) return true
  if (application !== APPLICATION_ID) throw new RangeError('it is not a database of waxseal')
  const version = pragma(database, 'user_version')
  if (version === 1) throw new RangeError('its schema is version 1, which was never released: make a new one')
  if (version !== SCHEMA_VERSION) throw new RangeError(`its schema is version ${String(version)}: use a newer waxseal`)
  return false
}

function pragma(database: Database, name: string): unknown {
  return (database.prepare(`PRAGMA ${name}`).get() as Record<string, unknown>)[name]
}

function databaseError(file: string, cause: unknown): KmsError {
  if (cause instanceof KmsError) return cause
  const reason = cause instanceof Error ? cause.message : String(cause)
  return new KmsError(
    isBusy(cause) ? 'DependencyTimeoutException' : 'KMSInternalException',
    `the database ${file} could not be used: ${reason}`,
    { cause },
  )
}

class SqliteStore implements Store {
  readonly #database: Database
  readonly #file: string
  readonly #turnstile = new Turnstile()
  readonly #statements: Statements
  /** Whether the write-ahead log has what was deleted. */
  #mustPurge = false
  #isClosed = false

  constructor(database: Database, file: string) {
    this.#database = database
    this.#file = file
    this.#statements = new Statements(database)
  }

  transaction<T>(mode: 'read' | 'write', work: (transaction: StoreTransaction) => Promise<T>): Promise<T> {
    return this.#turnstile.run(async () => {
      if (this.#isClosed) throw new KmsError('KMSInternalException', 'the store is closed')
      await this.#begin(mode)
      const transaction = new SqliteTransaction(this.#database, this.#statements, mode, this.#file)
      try {
        const result = await work(transaction)
        transaction.end()
        this.#commit()
        if (mode === 'write' && this.#mustPurge) this.#cutOffLog()
        return result
      } catch (error) {
        transaction.end()
        rollBack(this.#database)
        throw error
      }
    })
  }

  async #begin(mode: 'read' | 'write'): Promise<void> {
    try {
      await whenNotBusy(() => {
        this.#database.exec(mode === 'write' ? 'BEGIN IMMEDIATE' : 'BEGIN')
        if (mode === 'read') this.#takeSnapshot()
      })
    } catch (cause) {
      throw databaseError(this.#file, cause)
    }
  }

  /** BEGIN alone takes no lock: the first statement fixes the state that a reader sees, and may find the file busy. */
  #takeSnapshot(): void {
    try {
      this.#statements.first.get()
    } catch (error) {
      rollBack(this.#database)
      throw error
    }
  }

  #commit(): void {
    try {
      this.#database.exec('COMMIT')
    } catch (cause) {
      throw databaseError(this.#file, cause)
    }
  }

  /** The write-ahead log has what was deleted until it is cut off; the database itself overwrites it. */
  purge(): Promise<void> {
    return this.#turnstile.run(async () => {
      this.#mustPurge = true
      if (!this.#isClosed) this.#cutOffLog()
    })
  }

  /** While another connection reads what is in the log it stays; it is tried again after the next write. */
  #cutOffLog(): void {
    try {
      const [answer] = this.#statements.cutOffLog.all() as { busy: number }[]
      this.#mustPurge = answer?.busy !== 0
    } catch {
      // What was written is durable all the same.
    }
  }

  close(): Promise<void> {
    return this.#turnstile.run(async () => {
      if (this.#isClosed) return
      this.#isClosed = true
      // The last connection does this at its end, but libsql ends only when its statements are collected.
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      this.#database.close()
    })
  }
}

class Statements {
  readonly first: Statement
  readonly get: Statement
  readonly put: Statement
  readonly delete: Statement
  readonly list: Statement
  readonly listOwned: Statement
  readonly cutOffLog: Statement

  constructor(database: Database) {
    const select = 'SELECT id, owner, revision, body, mac FROM row WHERE "table" = ?'
    const range = 'id > ? AND id >= ? AND id < ? ORDER BY id LIMIT ?'
    this.first = database.prepare('SELECT 1 FROM row LIMIT 1')
    this.get = database.prepare(`${select} AND id = ?`)
    this.put = database.prepare(
      'INSERT OR REPLACE INTO row ("table", id, owner, revision, body, mac) VALUES (?, ?, ?, ?, ?, ?)',
    )
    this.delete = database.prepare('DELETE FROM row WHERE "table" = ? AND id = ?')
    this.list = database.prepare(`${select} AND ${range}`)
    this.listOwned = database.prepare(`${select} AND owner = ? AND ${range}`)
    this.cutOffLog = database.prepare('PRAGMA wal_checkpoint(TRUNCATE)')
  }
}

class SqliteTransaction implements StoreTransaction {
  readonly #database: Database
  readonly #statements: Statements
  readonly #mode: 'read' | 'write'
  readonly #file: string
  #hasEnded = false

  constructor(database: Database, statements: Statements, mode: 'read' | 'write', file: string) {
    this.#database = database
    this.#statements = statements
    this.#mode = mode
    this.#file = file
  }

  /** What is called from here on would be in no transaction, or in another one. */
  end(): void {
    this.#hasEnded = true
  }

  async get(table: Table, id: string): Promise<Row | undefined> {
    const row = this.#run(() => this.#statements.get.get(table, id))
    return row === undefined || row === null ? undefined : toRow(row)
  }

  async put(table: Table, row: Row): Promise<void> {
    this.#assertWriting()
    this.#run(() => this.#statements.put.run(table, row.id, row.owner, row.revision, row.body, row.mac))
  }

  async delete(table: Table, id: string): Promise<void> {
    this.#assertWriting()
    this.#run(() => this.#statements.delete.run(table, id))
  }

  #assertWriting(): void {
    if (this.#mode === 'read') throw new TypeError('this transaction only reads')
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#run(() => this.#database.exec('SAVEPOINT part'))
    try {
      const result = await work()
      this.#run(() => this.#database.exec('RELEASE part'))
      return result
    } catch (error) {
      this.#run(() => this.#database.exec('ROLLBACK TO part; RELEASE part'))
      throw error
    }
  }

  async list(table: Table, { prefix, owner, after = '', limit }: RowRange): Promise<readonly Row[]> {
    // A prefix ends before the same prefix with U+10FFFF behind it: ids are ASCII.
    const range = [after, prefix, `${prefix}\u{10ffff}`, limit]
    const { list, listOwned } = this.#statements
    const rows = this.#run(() =>
      owner === undefined ? list.all(table, ...range) : listOwned.all(table, owner, ...range),
    )
    return rows.map(toRow)
  }

  #run<T>(statement: () => T): T {
    if (this.#hasEnded) throw new TypeError('this transaction has ended')
    try {
      return statement()
    } catch (cause) {
      throw databaseError(this.#file, cause)
    }
  }
}

/** A driver's row, without what it adds to it. */
function toRow(row: unknown): Row {
  const { id, owner, revision, body, mac } = row as Row
  // node:sqlite answers a blob as Uint8Array; libsql as Buffer from `get`, as ArrayBuffer from `all`.
  return { id, owner, revision, body, mac: new Uint8Array(mac) }
}
