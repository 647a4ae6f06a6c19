import type { Row, RowRange, StoreTransaction, Table } from './store.ts'

/** What a transaction wrote, by table and id; undefined is a row that it deleted. */
export type Changes = ReadonlyMap<Table, ReadonlyMap<string, Row | undefined>>

/** Where a transaction reads what it did not write itself. */
export interface RowSource {
  get(table: Table, id: string): Row | undefined
  list(table: Table, range: RowRange): readonly Row[]
}

/** A transaction that keeps what it writes until it is committed. */
export class BufferedTransaction implements StoreTransaction {
  readonly #source: RowSource
  readonly #mode: 'read' | 'write'
  #written = new Map<Table, Map<string, Row | undefined>>()
  #hasEnded = false

  constructor(source: RowSource, mode: 'read' | 'write') {
    this.#source = source
    this.#mode = mode
  }

  /** Ends the transaction: what is called from here on would be in none. Answers what is to be kept. */
  end(): Changes {
    this.#hasEnded = true
    return this.#written
  }

  #assertRunning(): void {
    if (this.#hasEnded) throw new TypeError('this transaction has ended')
  }

  async get(table: Table, id: string): Promise<Row | undefined> {
    this.#assertRunning()
    const written = this.#written.get(table)
    const row = written?.has(id) === true ? written.get(id) : this.#source.get(table, id)
    return row && copyOf(row)
  }

  async put(table: Table, row: Row): Promise<void> {
    this.#write(table, row.id, copyOf(row))
  }

  async delete(table: Table, id: string): Promise<void> {
    this.#write(table, id, undefined)
  }

  #write(table: Table, id: string, row: Row | undefined): void {
    this.#assertRunning()
    if (this.#mode === 'read') throw new TypeError('this transaction only reads')
    const rows = this.#written.get(table) ?? new Map<string, Row | undefined>()
    this.#written.set(table, rows.set(id, row))
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning()
    const before = new Map([...this.#written].map(([table, rows]) => [table, new Map(rows)]))
    try {
      return await work()
    } catch (error) {
      this.#written = before
      throw error
    }
  }

  async list(table: Table, range: RowRange): Promise<readonly Row[]> {
    this.#assertRunning()
    const written = this.#written.get(table) ?? new Map<string, Row | undefined>()
    // As many more as may have been replaced or deleted.
    const kept = this.#source.list(table, { ...range, limit: range.limit + written.size })
    const own = [...written.values()].filter((row) => row !== undefined && isInRange(row, range)) as readonly Row[]
    const found = [...kept.filter(({ id }) => !written.has(id)), ...own]
    return found.sort(byId).slice(0, range.limit).map(copyOf)
  }
}

/** Whether a row is one that a list asks for, but for its limit. */
export function isInRange({ id, owner }: Row, range: RowRange): boolean {
  return (
    id.startsWith(range.prefix) &&
    (range.owner === undefined || owner === range.owner) &&
    (range.after === undefined || id > range.after)
  )
}

/** The order of lists. */
export function byId(a: Row, b: Row): number {
  return a.id < b.id ? -1 : 1
}

function copyOf(row: Row): Row {
  return { ...row, mac: Uint8Array.from(row.mac) }
}
