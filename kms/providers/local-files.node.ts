import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { systemRandom } from '../engine/engine.ts'
import { RootKeys } from '../engine/keys.ts'
import { assertUnderRoot } from '../engine/root.ts'
import { KmsError } from '../errors.ts'
import { TABLES, type Store, type StoreTransaction } from '../store/store.ts'
import { createRootKey, hasRootKey, installNextRootKey, nextRootKeyFile, readRootKey } from './root-key-file.node.ts'

/** Name of the database in its directory. */
const DATABASE = 'kms.sqlite'

/** Where a KMS is on this machine. */
export interface LocalFiles {
  readonly database: string
  readonly rootKeyFile: string
}

/**
 * The files of the KMS in a directory.
 *
 * @throws RangeError if the root key would be inside the directory
 */
export function localFiles(options: {
  readonly directory: string
  readonly rootKeyFile?: string | undefined
}): LocalFiles {
  const directory = realPath(options.directory)
  const rootKeyFile = realPath(options.rootKeyFile ?? defaultRootKeyFile(directory))
  if (isInside(directory, rootKeyFile)) {
    throw new RangeError(`the root key must not be in the directory of the database: ${rootKeyFile}`)
  }
  return { database: join(directory, DATABASE), rootKeyFile }
}

/** The absolute path without symbolic links, as far as it exists: one directory has one name. */
function realPath(path: string): string {
  const absolute = resolve(path)
  if (existsSync(absolute)) return realpathSync(absolute)
  const parent = dirname(absolute)
  return parent === absolute ? absolute : join(realPath(parent), basename(absolute))
}

function isInside(directory: string, file: string): boolean {
  const path = relative(directory, file)
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}

/** Where the root key of a directory is unless it is said. */
export function defaultRootKeyFile(directory: string): string {
  const { XDG_CONFIG_HOME = '', APPDATA = '' } = process.env
  const configured = process.platform === 'win32' ? APPDATA : XDG_CONFIG_HOME
  // A relative path is to be ignored (XDG Base Directory Specification).
  const configuration = isAbsolute(configured) ? configured : join(homedir(), '.config')
  const name = createHash('sha256').update(realPath(directory)).digest('hex').slice(0, 16)
  return join(configuration, 'waxseal', 'root-keys', `${name}.key`)
}

/**
 * The root key of a database; the first time it is made. The caller wipes it.
 *
 * @throws KmsError `RootKeyException` if it is missing, or not readable by its owner alone; `NotFoundException` if there
 *   is no KMS and `create` is false
 */
export async function openRootKey(store: Store, file: string, create: boolean): Promise<Uint8Array> {
  if (!(await store.transaction('read', isEmpty))) return currentRootKey(store, file)
  if (!create) throw new KmsError('NotFoundException', 'there is no KMS here: its database is empty')
  // In a writing transaction, so that of two processes that begin at once one makes the key and the other reads it.
  return store.transaction('write', async (rows) => {
    if (!(await isEmpty(rows))) return readRootKeyInUse(file)
    return hasRootKey(file) ? readRootKey(file) : createRootKey(file)
  })
}

async function isEmpty(rows: StoreTransaction): Promise<boolean> {
  for (const table of TABLES) {
    const [row] = await rows.list(table, { prefix: '', limit: 1 })
    if (row) return false
  }
  return true
}

function readRootKeyInUse(file: string): Uint8Array {
  if (hasRootKey(file)) return readRootKey(file)
  throw new KmsError('RootKeyException', `the root key of this KMS is missing: put it back at ${file}`)
}

/** The key that the database is under: that of the file, or the next one if a rotation was interrupted at its end. */
async function currentRootKey(store: Store, file: string): Promise<Uint8Array> {
  const rootKey = readRootKeyInUse(file)
  if (!hasRootKey(nextRootKeyFile(file)) || (await isUnder(store, rootKey))) return rootKey
  const next = readRootKey(nextRootKeyFile(file))
  if (!(await isUnder(store, next))) {
    next.fill(0)
    return rootKey
  }
  installNextRootKey(file, rootKey, next)
  rootKey.fill(0)
  return next
}

async function isUnder(store: Store, rootKey: Uint8Array): Promise<boolean> {
  const keys = new RootKeys(rootKey, systemRandom)
  try {
    await assertUnderRoot(store, keys)
    return true
  } catch (error) {
    if (error instanceof KmsError && error.name === 'RootKeyException') return false
    throw error
  } finally {
    keys.wipe()
  }
}
