export { loadDriver } from '#sqlite'

/** What `node:sqlite`, `bun:sqlite` and `libsql` have in common. */
export interface Database {
  exec(sql: string): unknown
  prepare(sql: string): Statement
  close(): unknown
}

export interface Statement {
  get(...parameters: unknown[]): unknown
  all(...parameters: unknown[]): unknown[]
  run(...parameters: unknown[]): unknown
}

export type DatabaseConstructor = new (file: string) => Database

/** How long a transaction waits for another connection before it is refused. */
const BUSY_TIMEOUT_MS = 10_000
const LONGEST_PAUSE_MS = 25

/** Primary result code SQLITE_BUSY; the extended ones have it in their low byte. */
const SQLITE_BUSY = 5

/** SQLite has rolled back by itself after some errors (a full disk); then there is nothing to end. */
export function rollBack(database: Database): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // The error that led here is the one to report.
  }
}

/** Tries again for a while when another connection has the lock. The event loop runs on: that one may be in it. */
export async function whenNotBusy(attempt: () => void): Promise<void> {
  const end = performance.now() + BUSY_TIMEOUT_MS
  for (let pause = 1; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
    try {
      attempt()
      return
    } catch (error) {
      if (!isBusy(error) || performance.now() > end) throw error
    }
    await new Promise((resume) => setTimeout(resume, pause))
  }
}

/** `node:sqlite` calls SQLite's result code `errcode`, libsql `rawCode`, Bun `errno`. */
export function isBusy(error: unknown): boolean {
  const { errcode, rawCode, errno } = error as { errcode?: unknown; rawCode?: unknown; errno?: unknown }
  const code = errcode ?? rawCode ?? errno
  // Errors of the operating system have a negative errno.
  return typeof code === 'number' && code > 0 && (code & 0xff) === SQLITE_BUSY
}
