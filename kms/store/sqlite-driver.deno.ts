/// <reference path="./sqlite-modules.d.ts" />
import { UnsupportedError } from '../../bindings/errors.ts'
import type { Database, DatabaseConstructor, Statement } from './sqlite-driver.ts'

const SQLITE_BUSY = 5
/** What SQLite calls it (sqlite3_errstr). */
const BUSY_MESSAGE = 'database is locked'

/** @throws UnsupportedError if Deno is older than its SQLite */
export async function loadDriver(): Promise<DatabaseConstructor> {
  let constructor: DatabaseConstructor
  try {
    constructor = (await import('node:sqlite')).DatabaseSync
  } catch (cause) {
    throw new UnsupportedError('this Deno has no SQLite: use version 2.2 or later', { cause })
  }
  return class {
    readonly #database: Database

    constructor(file: string) {
      this.#database = new constructor(file)
    }

    /** Deno's errors from here lack the `errcode` that those of statements have. */
    exec(sql: string): unknown {
      try {
        return this.#database.exec(sql)
      } catch (error) {
        const isBusy = error instanceof Error && error.message === BUSY_MESSAGE
        throw isBusy ? Object.assign(error, { errcode: SQLITE_BUSY }) : error
      }
    }

    prepare(sql: string): Statement {
      return this.#database.prepare(sql)
    }

    close(): unknown {
      return this.#database.close()
    }
  }
}
