import { Turnstile, type Row, type RowRange, type Store, type StoreTransaction, type Table } from './store.ts'

export type { Row, RowRange, Store, StoreTransaction, Table } from './store.ts'

type Tables = Map<Table, Map<string, Row>>

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
    close: () => turnstile.run(() => Promise.resolve()),
  }
}

class MemoryTransaction implements StoreTransaction {
  readonly #tables: Tables
  readonly #mode: 'read' | 'write'
  readonly #written: Tables = new Map()
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
    const row = this.#written.get(table)?.get(id) ?? this.#tables.get(table)?.get(id)
    return row && copyOf(row)
  }

  async put(table: Table, row: Row): Promise<void> {
    this.#assertRunning()
    if (this.#mode === 'read') throw new TypeError('this transaction only reads')
    rowsOf(this.#written, table).set(row.id, copyOf(row))
  }

  async list(table: Table, range: RowRange): Promise<readonly Row[]> {
    this.#assertRunning()
    const rows = new Map([...(this.#tables.get(table) ?? []), ...(this.#written.get(table) ?? [])])
    const found = [...rows.values()]
      .filter(({ id, owner }) => id.startsWith(range.prefix) && (range.owner === undefined || owner === range.owner))
      .filter(({ id }) => range.after === undefined || id > range.after)
      .sort((a, b) => (a.id < b.id ? -1 : 1))
    return found.slice(0, range.limit).map(copyOf)
  }

  commit(): void {
    for (const [table, rows] of this.#written) {
      for (const [id, row] of rows) rowsOf(this.#tables, table).set(id, row)
    }
  }
}

function copyOf(row: Row): Row {
  return { ...row, mac: Uint8Array.from(row.mac) }
}

function rowsOf(tables: Tables, table: Table): Map<string, Row> {
  let rows = tables.get(table)
  if (!rows) tables.set(table, (rows = new Map<string, Row>()))
  return rows
}
