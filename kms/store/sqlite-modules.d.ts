/** The SQLite of runtimes whose types are not at hand, as far as it is used. */
interface RuntimeStatement {
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  run(...parameters: unknown[]): unknown
}

interface RuntimeDatabase {
  exec(sql: string): unknown
  prepare(sql: string): RuntimeStatement
  close(): unknown
}

declare module 'node:sqlite' {
  export const DatabaseSync: new (file: string) => RuntimeDatabase
}

declare module 'bun:sqlite' {
  export const Database: new (file: string) => {
    exec(sql: string): unknown
    prepare(sql: string): RuntimeStatement & { finalize(): void }
    close(): unknown
  }
}
