import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { KmsError } from '../errors.ts'

const ROOT_KEY_BYTES = 32

/** The file is one line of text, so that it can be printed and typed in again. */
const PREFIX = 'waxseal-root-key-v1 '
const GROUP_AND_OTHERS = 0o077

/**
 * Reads a root key.
 *
 * @throws KmsError `RootKeyException` if it is not there, not a root key, or readable by others than its owner
 */
export function readRootKey(file: string): Uint8Array {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch (cause) {
    throw new KmsError('RootKeyException', `the root key ${file} cannot be read: ${messageOf(cause)}`, { cause })
  }
  try {
    const { mode } = fstatSync(descriptor)
    if ((mode & GROUP_AND_OTHERS) !== 0 && process.platform !== 'win32') {
      throw new KmsError('RootKeyException', `the root key ${file} is open to other users: chmod 600 it`)
    }
    return parse(readFileSync(descriptor, 'latin1'), file)
  } finally {
    closeSync(descriptor)
  }
}

function parse(text: string, file: string): Uint8Array {
  const hex = text.startsWith(PREFIX) ? text.slice(PREFIX.length).trimEnd() : ''
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new KmsError('RootKeyException', `${file} is not a root key of waxseal`)
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16))
}

/** Makes a root key in a file that must not exist, mode 0600, durable when this returns. */
export function createRootKey(file: string): Uint8Array {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  const key = globalThis.crypto.getRandomValues(new Uint8Array(ROOT_KEY_BYTES))
  const hex = Array.from(key, (byte) => byte.toString(16).padStart(2, '0')).join('')
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${PREFIX}${hex}\n`)
    fsyncSync(descriptor)
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
  syncFolder(dirname(file))
  return key
}

/** Whether there is such a file, whatever is in it. */
export function hasRootKey(file: string): boolean {
  return existsSync(file)
}

function syncFolder(folder: string): void {
  // Windows cannot open folders; its file systems keep their entries by themselves.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
