import type { DurableObjectStorageLike } from '../../kms/store/durable-object.ts'
import type { Row } from '../../kms/store/memory.ts'
import { loadDriver } from '../../kms/store/sqlite-driver.ts'

export function row(id: string, overrides: Partial<Row> = {}): Row {
  return { id, owner: '', revision: 1, body: `{"of":"${id}"}`, mac: Uint8Array.of(1, 2, 3), ...overrides }
}

/** The storage of a Durable Object, on the SQLite that is here; test/durable-object/ has the real one. */
export async function objectStorage(): Promise<DurableObjectStorageLike & { readonly exec: (sql: string) => void }> {
  const database = new (await loadDriver())(':memory:')
  const exec = (query: string, ...bindings: unknown[]): { toArray(): object[] } => {
    let found: object[] = []
    if (query.startsWith('SELECT')) found = database.prepare(query).all(...bindings) as object[]
    else if (bindings.length > 0) database.prepare(query).run(...bindings)
    else database.exec(query)
    return { toArray: () => found }
  }
  return {
    sql: { exec },
    exec: (sql) => void database.exec(sql),
    sync: () => Promise.resolve(),
    transactionSync: (closure) => {
      database.exec('BEGIN')
      try {
        const result = closure()
        database.exec('COMMIT')
        return result
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
  }
}
