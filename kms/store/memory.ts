import { BufferedTransaction, byId, isInRange, type Changes, type RowSource } from './buffered.ts'
import { Turnstile, type Row, type Store, type Table } from './store.ts'

export type { Row, RowRange, Store, StoreTransaction, Table } from './store.ts'

type Tables = Map<Table, Map<string, Row>>

/**
 * A store in memory, for tests and for keys that need not outlive the process. Closing it keeps its rows, so that
 * another engine can open it again.
 */
export function memoryStore(): Store {
  const tables: Tables = new Map()
  const source = sourceOf(tables)
  const turnstile = new Turnstile()
  return {
    transaction: (mode, work) =>
      turnstile.run(async () => {
        const transaction = new BufferedTransaction(source, mode)
        try {
          const result = await work(transaction)
          commit(tables, transaction.end())
          return result
        } finally {
          transaction.end()
        }
      }),
    purge: () => turnstile.run(() => Promise.resolve()),
    close: () => turnstile.run(() => Promise.resolve()),
  }
}

function sourceOf(tables: Tables): RowSource {
  return {
    get: (table, id) => tables.get(table)?.get(id),
    list: (table, range) => {
      const rows = [...(tables.get(table)?.values() ?? [])]
      return rows
        .filter((row) => isInRange(row, range))
        .sort(byId)
        .slice(0, range.limit)
    },
  }
}

function commit(tables: Tables, changes: Changes): void {
  for (const [table, rows] of changes) {
    const kept = tables.get(table) ?? new Map<string, Row>()
    tables.set(table, kept)
    for (const [id, row] of rows) {
      if (row) kept.set(id, row)
      else kept.delete(id)
    }
  }
}
