import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { timingSafeEqual } from '../../bindings/core.ts'
import { fromHex, toHex } from '../engine/bytes.ts'
import { KmsError } from '../errors.ts'
import { makeFolder, syncFolder } from '../store/folder.ts'

const ROOT_KEY_BYTES = 32

/** The file is one line of text, so that it can be printed and typed in again. */
const PREFIX = 'waxseal-root-key-v1 '
/** Longer than the line with its end. */
const MAX_FILE_BYTES = 128
const GROUP_AND_OTHERS = 0o077

/** Whether there is such a file, whatever is in it. */
export function hasRootKey(file: string): boolean {
  return existsSync(file)
}

/**
 * Reads a root key.
 *
 * @throws KmsError `RootKeyException` if it is not there, not a root key, or readable by others than its owner
 */
export function readRootKey(file: string): Uint8Array {
  const bytes = readStart(file)
  try {
    if (bytes.length === 0) throw refused(file, 'is empty: its making was cut short, or it was never a root key')
    const text = String.fromCharCode(...bytes)
    const hex = text.startsWith(PREFIX) ? text.slice(PREFIX.length).trimEnd() : ''
    if (bytes.length === MAX_FILE_BYTES || !/^[0-9a-f]{64}$/.test(hex)) throw refused(file, 'is no root key of waxseal')
    return fromHex(hex)
  } finally {
    bytes.fill(0)
  }
}

function readStart(file: string): Uint8Array {
  try {
    // Without O_NONBLOCK (on Windows undefined, which adds nothing) a named pipe would keep the process waiting.
    const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const status = fstatSync(descriptor)
      if (!status.isFile()) throw refused(file, 'is not a regular file')
      if ((status.mode & GROUP_AND_OTHERS) !== 0 && process.platform !== 'win32') {
        throw refused(file, 'is open to other users: take their rights to it away (chmod 600)')
      }
      const bytes = new Uint8Array(MAX_FILE_BYTES)
      return bytes.subarray(0, readSync(descriptor, bytes))
    } finally {
      closeSync(descriptor)
    }
  } catch (cause) {
    throw cause instanceof KmsError ? cause : refused(file, `cannot be read: ${messageOf(cause)}`, cause)
  }
}

/**
 * Makes a root key in a file that must not exist, mode 0600, durable when this returns.
 *
 * @throws KmsError `RootKeyException` if the file is there, or cannot be made
 */
export function createRootKey(file: string): Uint8Array {
  const key = globalThis.crypto.getRandomValues(new Uint8Array(ROOT_KEY_BYTES))
  try {
    makeFolder(dirname(file))
    writeNewFile(file, key)
    syncFolder(dirname(file))
  } catch (cause) {
    key.fill(0)
    throw refused(file, `cannot be made: ${messageOf(cause)}`, cause)
  }
  return key
}

/** Where the root key that comes next waits while a KMS is put under it. */
export function nextRootKeyFile(file: string): string {
  return `${file}.next`
}

/** Makes the root key that comes next. One that waits there is of a rotation that was given up: the KMS is not under it. */
export function createNextRootKey(file: string): Uint8Array {
  rmSync(nextRootKeyFile(file), { force: true })
  return createRootKey(nextRootKeyFile(file))
}

/**
 * Puts the new key in the place of the old one, which is kept beside it; answers where. May be done again after it was
 * interrupted, and by two at once.
 */
export function installNextRootKey(file: string, rootKey: Uint8Array, newRootKey: Uint8Array): string {
  const old = keepOld(file, rootKey)
  try {
    if (!holds(file, newRootKey)) renameSync(nextRootKeyFile(file), file)
    syncFolder(dirname(file))
  } catch (cause) {
    // Somebody else may have done it since.
    if (!holds(file, newRootKey)) throw refused(file, `cannot be replaced by ${nextRootKeyFile(file)}`, cause)
  }
  return old
}

function keepOld(file: string, rootKey: Uint8Array): string {
  try {
    for (let number = 1; ; number++) {
      const old = `${file}.old-${String(number)}`
      if (!hasRootKey(old)) {
        writeNewFile(old, rootKey)
        return old
      }
      if (holds(old, rootKey)) return old
    }
  } catch (cause) {
    throw refused(file, `cannot be kept beside the new one: ${messageOf(cause)}`, cause)
  }
}

/** Whether this is the file's key; a file that was cut short holds none. */
function holds(file: string, key: Uint8Array): boolean {
  let other: Uint8Array | undefined
  try {
    other = readRootKey(file)
    return timingSafeEqual(other, key)
  } catch {
    return false
  } finally {
    other?.fill(0)
  }
}

function writeNewFile(file: string, key: Uint8Array): void {
  // O_CREAT and O_EXCL: a root key that is there is never written over.
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${PREFIX}${toHex(key)}\n`)
    fsyncSync(descriptor)
  } catch (error) {
    rmSync(file, { force: true })
    throw error
  } finally {
    closeSync(descriptor)
  }
}

function refused(file: string, what: string, cause?: unknown): KmsError {
  return new KmsError('RootKeyException', `the root key ${file} ${what}`, { cause })
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
