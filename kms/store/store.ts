/** The tables that every store has. */
export const TABLES = [
  'meta',
  'key',
  'material',
  'import',
  'alias',
  'keystore',
  'policy',
  'grant',
  'retiring',
  'identity',
  'index',
  'usage',
  'due',
  'branch-key',
  'audit',
] as const

export type Table = (typeof TABLES)[number]

/** One row. What is in `body` is the engine's affair; a store keeps it as it is. No text has U+0000 in it. */
export interface Row {
  /** Primary key within the table. */
  readonly id: string
  /** Id of the row that this one belongs to, or the empty string; indexed. */
  readonly owner: string
  /** Counts the writes of this row, from 1. */
  readonly revision: number
  /** JSON. */
  readonly body: string
  /** Authenticates the row; the engine checks it at every read. */
  readonly mac: Uint8Array
}

/** Which rows {@link StoreTransaction.list} answers. */
export interface RowRange {
  /** Only ids that begin with this. */
  readonly prefix: string
  /** Only rows of this owner. */
  readonly owner?: string | undefined
  /** Only ids behind this one. */
  readonly after?: string | undefined
  readonly limit: number
}

/** What a transaction can do. Ids are ordered by their code units, which are ASCII. */
export interface StoreTransaction {
  get(table: Table, id: string): Promise<Row | undefined>
  /** Inserts or replaces. */
  put(table: Table, row: Row): Promise<void>
  /** Removes a row; nothing happens if it is not there. */
  delete(table: Table, id: string): Promise<void>
  list(table: Table, range: RowRange): Promise<readonly Row[]>
  /** Runs `work`; what it wrote is undone if it rejects, and the transaction goes on. Not within another one. */
  savepoint<T>(work: () => Promise<T>): Promise<T>
}

/**
 * Where the engine keeps its rows. All effects of a transaction become durable together before the promise of
 * `transaction` resolves, or none does; there is one writer at a time, across processes as well.
 */
export interface Store {
  /**
   * Runs `work` in a transaction and answers what it answers; nothing is kept if it rejects. A transaction in
   * `read` mode sees one state of the store and must not write.
   */
  transaction<T>(mode: 'read' | 'write', work: (transaction: StoreTransaction) => Promise<T>): Promise<T>
  /**
   * Erases deleted and replaced rows from wherever the store still has their bytes. What it cannot erase just now, for
   * somebody else reads it, it erases after a later write.
   */
  purge(): Promise<void>
  /** Waits for running transactions and releases what the store holds. */
  close(): Promise<void>
}

/** Runs functions one after the other, whatever becomes of each. */
export class Turnstile {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    this.#last = result.catch(() => undefined)
    return result
  }
}
