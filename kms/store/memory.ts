import { Turnstile, type Row, type RowRange, type Store, type StoreTransaction, type Table } from './store.ts'

export type { Row, RowRange, Store, StoreTransaction, Table } from './store.ts'

type Tables = Map<Table, Map<string, Row>>

/** What a transaction wrote; undefined is a row that it deleted. */
type Changes = Map<Table, Map<string, Row | undefined>>

/**
 * A store in memory, for tests and for keys that need not outlive the process. Closing it keeps its rows, so that
 * another engine can open it again.
 */
export function memoryStore(): Store {
  const tables: Tables = new Map()
  const turnstile = new Turnstile()
  return {
    transaction: (mode, work) =>
      turnstile.run(async () => {
        const transaction = new MemoryTransaction(tables, mode)
        try {
          const result = await work(transaction)
          transaction.commit()
          return result
        } finally {
          transaction.end()
        }
      }),
    purge: () => turnstile.run(() => Promise.resolve()),
    close: () => turnstile.run(() => Promise.resolve()),
  }
}

class MemoryTransaction implements StoreTransaction {
  readonly #tables: Tables
  readonly #mode: 'read' | 'write'
  #written: Changes = new Map()
  #hasEnded = false

  constructor(tables: Tables, mode: 'read' | 'write') {
    this.#tables = tables
    this.#mode = mode
  }

  /** What is called from here on would be in no transaction. */
  end(): void {
    this.#hasEnded = true
  }

  #assertRunning(): void {
    if (this.#hasEnded) throw new TypeError('this transaction has ended')
  }

  async get(table: Table, id: string): Promise<Row | undefined> {
    this.#assertRunning()
    const written = this.#written.get(table)
    const row = written?.has(id) === true ? written.get(id) : this.#tables.get(table)?.get(id)
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
    rowsOf(this.#written, table).set(id, row)
  }

  async savepoint<T>(work: () => Promise<T>): Promise<T> {
    this.#assertRunning()
    const before: Changes = new Map([...this.#written].map(([table, rows]) => [table, new Map(rows)]))
    try {
      return await work()
    } catch (error) {
      this.#written = before
      throw error
    }
  }

  async list(table: Table, range: RowRange): Promise<readonly Row[]> {
    this.#assertRunning()
    const rows = new Map([...(this.#tables.get(table) ?? []), ...(this.#written.get(table) ?? [])])
    const found = [...rows.values()]
      .filter((row) => row !== undefined)
      .filter(({ id, owner }) => id.startsWith(range.prefix) && (range.owner === undefined || owner === range.owner))
      .filter(({ id }) => range.after === undefined || id > range.after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    return found.slice(0, range.limit).map(copyOf)
  }

  commit(): void {
    for (const [table, rows] of this.#written) {
      const kept = rowsOf(this.#tables, table)
      for (const [id, row] of rows) {
        if (row) kept.set(id, row)
        else kept.delete(id)
      }
    }
  }
}

function copyOf(row: Row): Row {
  return { ...row, mac: Uint8Array.from(row.mac) }
}

function rowsOf<T>(tables: Map<Table, Map<string, T>>, table: Table): Map<string, T> {
  let rows = tables.get(table)
  if (!rows) tables.set(table, (rows = new Map<string, T>()))
  return rows
}
