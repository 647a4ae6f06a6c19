import type { Row, RowRange, StoreTransaction, Table } from '../store/store.ts'
import { AuthenticRows, KnownRows, tampered, type Stored } from './authentic-rows.ts'
import { toHex } from './bytes.ts'
import type { RootKeys } from './keys.ts'
import type { Records } from './record-types.ts'
import { RowIndex } from './row-index.ts'

export { tampered, type Stored } from './authentic-rows.ts'
export type * from './record-types.ts'

/** Tables whose rows give no authority: hints that are checked against a key, counters, and the log, a chain itself. */
const UNINDEXED: readonly Table[] = ['index', 'usage', 'due', 'retiring', 'audit']

/** Whether a table's rows must each be the newest of its name. */
export function isIndexed(table: Table): boolean {
  return !UNINDEXED.includes(table)
}

/** Tables with rows that hold a sealed secret. */
const WITH_SECRETS: readonly Table[] = ['material', 'import', 'keystore', 'identity']

function sealedOf(record: object): unknown {
  return 'sealed' in record ? record.sealed : undefined
}

/**
 * Reads and writes authenticated records: a row must be one that the engine wrote, and of those with its name the
 * newest. Whatever is not ends the call with a KMSInternalException.
 */
export class RecordTransaction {
  readonly #rows: AuthenticRows
  readonly #index: RowIndex
  /** Names of the rows that were found to be the newest, or not to be there, in this transaction. */
  readonly #checked = new Set<string>()
  /** Whether a secret was deleted or replaced, of which no byte should be left. */
  hasDeletedSecrets = false

  constructor(rows: StoreTransaction, keys: RootKeys, known: KnownRows = new KnownRows()) {
    this.#rows = new AuthenticRows(rows, keys, known)
    this.#index = new RowIndex(this.#rows, keys, known)
  }

  async get<T extends keyof Records>(table: T, id: string): Promise<Stored<Records[T]> | undefined> {
    const stored = await this.#rows.get(table, id)
    await this.#assertNewest(table, id, stored?.row)
    return stored as Stored<Records[T]> | undefined
  }

  async list<T extends keyof Records>(table: T, range: RowRange): Promise<readonly Stored<Records[T]>[]> {
    const found = await this.#rows.list(table, range)
    for (const { row } of found) await this.#assertNewest(table, row.id, row)
    return found as readonly Stored<Records[T]>[]
  }

  /** Writes a record over the row that was read before, or as a new one; answers the new row. */
  async put<T extends keyof Records>(
    table: T,
    id: string,
    record: Records[T],
    previous?: Stored<Records[T]>,
    owner: string = previous?.row.owner ?? '',
  ): Promise<Row> {
    const revision = (previous?.row.revision ?? 0) + 1
    if (previous && sealedOf(previous.record) !== sealedOf(record)) this.hasDeletedSecrets = true
    const row = await this.#rows.put(table, { id, owner, revision, body: JSON.stringify(record) }, record)
    if (isIndexed(table)) await this.#index.set(table, id, toHex(row.mac))
    return row
  }

  async delete(table: keyof Records, id: string): Promise<void> {
    if (WITH_SECRETS.includes(table)) this.hasDeletedSecrets = true
    await this.#rows.delete(table, id)
    if (isIndexed(table)) await this.#index.set(table, id, undefined)
  }

  /** How many rows there must be in the tables that are indexed. */
  countIndexed(): Promise<number> {
    return this.#index.count()
  }

  /** What `work` writes is undone if it rejects. */
  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await this.#rows.savepoint(work)
    } catch (error) {
      this.#checked.clear()
      throw error
    }
  }

  async #assertNewest(table: Table, id: string, row: Row | undefined): Promise<void> {
    const name = `${table}/${id}`
    if (!isIndexed(table) || this.#checked.has(name)) return
    const expected = await this.#index.find(table, id)
    if (expected !== (row && toHex(row.mac))) throw tampered(table, id)
    this.#checked.add(name)
  }
}
