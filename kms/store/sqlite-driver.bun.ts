import type { DatabaseConstructor, Statement } from './sqlite-driver.ts'

/** Bun has had SQLite from its beginning. */
export async function loadDriver(): Promise<DatabaseConstructor> {
  const { Database } = await import('bun:sqlite')
  return class {
    readonly #database: InstanceType<typeof Database>
    readonly #statements: { finalize(): void }[] = []

    constructor(file: string) {
      this.#database = new Database(file)
    }

    exec(sql: string): unknown {
      return this.#database.exec(sql)
    }

    prepare(sql: string): Statement {
      const statement = this.#database.prepare(sql)
      this.#statements.push(statement)
      return statement
    }

    /** Bun keeps the file open while there are statements, until they are collected. */
    close(): unknown {
      for (const statement of this.#statements.splice(0)) statement.finalize()
      return this.#database.close()
    }
  }
}
