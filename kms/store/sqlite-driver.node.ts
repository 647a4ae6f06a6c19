import { UnsupportedError } from '../../bindings/errors.ts'
import type { DatabaseConstructor } from './sqlite-driver.ts'

/** Not as literals in the imports: one of the two is not there, and bundlers would look for it. */
const DRIVERS = { node: 'node:sqlite', libsql: 'libsql' }

/** @throws UnsupportedError if there is none; the message says what to install */
export async function loadDriver(): Promise<DatabaseConstructor> {
  try {
    const { DatabaseSync } = (await import(DRIVERS.node)) as { DatabaseSync: DatabaseConstructor }
    return DatabaseSync
  } catch {
    // Node before 22.13 has no SQLite of its own.
  }
  try {
    const { default: libsql } = (await import(DRIVERS.libsql)) as { default: DatabaseConstructor }
    return libsql
  } catch (cause) {
    throw new UnsupportedError('this runtime has no SQLite: use Node 22.13 or later, or `npm install libsql`', {
      cause,
    })
  }
}
