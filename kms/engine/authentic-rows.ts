import { timingSafeEqual } from '../../bindings/core.ts'
import { KmsError } from '../errors.ts'
import type { Row, RowRange, StoreTransaction, Table } from '../store/store.ts'
import type { RootKeys } from './keys.ts'

/** A row whose MAC was good, and what its body says. */
export interface Stored<T> {
  readonly row: Row
  readonly record: T
}

/** The database was changed by something else than this engine, under this root key. */
export function tampered(table: Table, id: string): KmsError {
  return new KmsError('KMSInternalException', `the ${table} row ${id} is not authentic: restore the database`)
}

const MAX_KNOWN = 4096

/** What was found out before, of the rows met last. Nothing secret is in a row in the clear. */
export class KnownRows {
  readonly #rows = new Map<string, Stored<unknown>>()
  readonly #places = new Map<string, string>()

  /** A row that was authentic with the very same bytes needs no second look. */
  find(name: string, row: Row): Stored<unknown> | undefined {
    const known = this.#rows.get(name)
    const isSame =
      known?.row.revision === row.revision &&
      known.row.owner === row.owner &&
      known.row.body === row.body &&
      timingSafeEqual(known.row.mac, row.mac)
    return isSame ? known : undefined
  }

  add(name: string, stored: Stored<unknown>): void {
    setBounded(this.#rows, name, stored)
  }

  /** The place of a row in the index. */
  place(name: string, derive: () => string): string {
    const known = this.#places.get(name)
    if (known !== undefined) return known
    const place = derive()
    setBounded(this.#places, name, place)
    return place
  }
}

/** Sets an entry, and drops the oldest when there are too many. */
function setBounded<T>(map: Map<string, T>, name: string, value: T): void {
  map.delete(name)
  map.set(name, value)
  const [oldest] = map.size > MAX_KNOWN ? map.keys() : []
  if (oldest !== undefined) map.delete(oldest)
}

/**
 * Rows under a MAC over the table, the primary key, the owner, the revision and the body, checked at every read; a
 * changed row ends the call with a KMSInternalException. What was read or written once in a transaction is kept until it
 * ends.
 */
export class AuthenticRows {
  readonly #rows: StoreTransaction
  readonly #keys: RootKeys
  readonly #known: KnownRows
  readonly #seen = new Map<string, Stored<unknown> | undefined>()

  constructor(rows: StoreTransaction, keys: RootKeys, known: KnownRows) {
    this.#rows = rows
    this.#keys = keys
    this.#known = known
  }

  async get(table: Table, id: string): Promise<Stored<unknown> | undefined> {
    const name = `${table}/${id}`
    if (this.#seen.has(name)) return this.#seen.get(name)
    const row = await this.#rows.get(table, id)
    const stored = row && this.#check(table, id, row)
    this.#seen.set(name, stored)
    return stored
  }

  async list(table: Table, range: RowRange): Promise<readonly Stored<unknown>[]> {
    const rows = await this.#rows.list(table, range)
    return rows.map((row) => this.#check(table, row.id, row))
  }

  async put(table: Table, row: Omit<Row, 'mac'>, record: unknown): Promise<Row> {
    const { id, owner, revision, body } = row
    const authentic = { ...row, mac: this.#keys.authenticate(table, id, owner, String(revision), body) }
    await this.#rows.put(table, authentic)
    this.#seen.set(`${table}/${id}`, { row: authentic, record })
    return authentic
  }

  async delete(table: Table, id: string): Promise<void> {
    await this.#rows.delete(table, id)
    this.#seen.set(`${table}/${id}`, undefined)
  }

  /** As the store's; what was seen is forgotten when it is undone. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#rows.savepoint(work)
    } catch (error) {
      this.#seen.clear()
      throw error
    }
  }

  #check(table: Table, id: string, row: Row): Stored<unknown> {
    const name = `${table}/${id}`
    const known = this.#known.find(name, row)
    if (known) return known
    const { owner, revision, body, mac } = row
    if (row.id !== id || !this.#keys.isAuthentic(mac, table, id, owner, String(revision), body)) {
      throw tampered(table, id)
    }
    const stored = { row, record: JSON.parse(body) as unknown }
    this.#known.add(name, stored)
    return stored
  }
}
