import { KmsError } from '../errors.ts'
import type { Row, StoreTransaction, Table } from '../store/store.ts'
import type { RootKeys } from './keys.ts'
import type { KeyState } from './key-state.ts'

/** A KMS key, as the row of table `key` holds it. Ids of rows begin with account/region/. */
export interface KeyRecord {
  readonly keyId: string
  /** Milliseconds since 1970. */
  readonly created: number
  readonly description: string
  readonly state: KeyState
  readonly keySpec: 'SYMMETRIC_DEFAULT'
  readonly keyUsage: 'ENCRYPT_DECRYPT'
  readonly origin: 'AWS_KMS'
  readonly tags: readonly { readonly key: string; readonly value: string }[]
  /** Id of the material that encrypts. */
  readonly currentMaterial: string
  /** All material, with the MAC of its row (hex): a row that was exchanged for an older one does not match. */
  readonly materials: readonly { readonly id: string; readonly mac: string }[]
  /** Names of the aliases that point here, sorted: an alias row that is not listed is not followed. */
  readonly aliases: readonly string[]
}

/** One version of a key's material. */
export interface MaterialRecord {
  readonly materialId: string
  readonly created: number
  /** Hex of the sealed material. */
  readonly sealed: string
}

export interface AliasRecord {
  readonly name: string
  readonly targetKeyId: string
  readonly created: number
  readonly updated: number
}

/** What the engine knows of a root key without having it: id and a sealed check value. */
export interface RootRecord {
  readonly rootKeyId: string
  readonly check: string
}

/** Counts of an account and region. */
export interface ScopeRecord {
  readonly keys: number
}

interface Records {
  readonly key: KeyRecord
  readonly material: MaterialRecord
  readonly alias: AliasRecord
  readonly meta: ScopeRecord | RootRecord
}

/** A row whose MAC was good. */
export interface Stored<T> {
  readonly row: Row
  readonly record: T
}

/**
 * Reads and writes authenticated rows: the MAC covers the table, the primary key, the owner, the revision and the body.
 * It is checked at every read; a changed row ends the call with a KMSInternalException.
 */
export class RecordTransaction {
  readonly #rows: StoreTransaction
  readonly #keys: RootKeys

  constructor(rows: StoreTransaction, keys: RootKeys) {
    this.#rows = rows
    this.#keys = keys
  }

  async get<T extends Table>(table: T, id: string): Promise<Stored<Records[T]> | undefined> {
    const row = await this.#rows.get(table, id)
    return row && this.#check(table, id, row)
  }

  async list<T extends Table>(
    table: T,
    range: { prefix: string; owner?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<readonly Stored<Records[T]>[]> {
    const rows = await this.#rows.list(table, range)
    return rows.map((row) => this.#check(table, row.id, row))
  }

  /** Writes a record over the row that was read before, or as a new one; answers the new row. */
  async put<T extends Table>(
    table: T,
    id: string,
    record: Records[T],
    previous?: Stored<Records[T]>,
    owner = '',
  ): Promise<Row> {
    const body = JSON.stringify(record)
    const revision = (previous?.row.revision ?? 0) + 1
    const mac = this.#keys.authenticate(table, id, owner, String(revision), body)
    const row = { id, owner, revision, body, mac }
    await this.#rows.put(table, row)
    return row
  }

  #check<T extends Table>(table: T, id: string, row: Row): Stored<Records[T]> {
    const { owner, revision, body, mac } = row
    if (!this.#keys.isAuthentic(mac, table, id, owner, String(revision), body)) throw tampered(table, id)
    return { row, record: JSON.parse(body) as Records[T] }
  }
}

/** The database was changed by something else than this engine, under this root key. */
export function tampered(table: Table, id: string): KmsError {
  return new KmsError('KMSInternalException', `the ${table} row ${id} is not authentic: restore the database`)
}
