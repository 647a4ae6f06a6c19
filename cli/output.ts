import { renameSync, unlinkSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { CommandError } from './failure.ts'
import { fileError } from './input.ts'

/** A new file is its owner's alone; the umask can only take away more. */
const NEW_FILE_MODE = 0o600

/** Files that must not outlive the command unless they are renamed to the output's name. */
const unfinished = new Set<string>()

/** Removes what a command that is being interrupted has begun to write. */
export function removeUnfinishedOutput(): void {
  for (const path of unfinished) {
    try {
      unlinkSync(path)
    } catch {
      // It is gone already, or cannot be removed: an interrupted command has nobody to tell.
    }
  }
  unfinished.clear()
}

/**
 * Writes what `produce` answers to `path`, or to standard output when that is `-` or not given.
 *
 * A file appears under its name only when it is complete and on the disk; until then an existing file is untouched,
 * and after a failure nothing is left.
 */
export async function writeOutput(path: string | undefined, produce: () => Promise<Uint8Array>): Promise<void> {
  if (path === undefined || path === '-') return writeStandardOutput(await produce(), path === '-')
  const existing = await existingTarget(path)
  if (existing !== undefined && !existing.isRegular) return writeInPlace(existing.path, await produce())
  await replaceFile(existing?.path ?? path, existing?.mode, produce)
}

/** Refuses early what {@link writeOutput} would refuse after the work: binary data for a terminal. */
export function assertNotForTerminal(path: string | undefined): void {
  if (path !== undefined || !process.stdout.isTTY) return
  throw new CommandError(
    'usage',
    'the output is binary and standard output is a terminal: use -o FILE, or -o - to insist',
  )
}

/** Writes a line, or several, to standard output. */
export async function print(text: string): Promise<void> {
  return write(process.stdout, `${text}\n`)
}

/** Writes a line to standard error, for what must not mix with the data. */
export async function note(text: string): Promise<void> {
  return write(process.stderr, `${text}\n`)
}

async function writeStandardOutput(bytes: Uint8Array, isInsisted: boolean): Promise<void> {
  if (!isInsisted && !isText(bytes)) assertNotForTerminal(undefined)
  return write(process.stdout, bytes)
}

function write(stream: NodeJS.WriteStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()))
  })
}

function isText(bytes: Uint8Array): boolean {
  try {
    // Of the control characters a text may hold tab, line feed and carriage return.
    return !/[^\P{Cc}\t\n\r]/u.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return false
  }
}

interface Target {
  readonly path: string
  readonly mode: number
  readonly isRegular: boolean
}

/** What stands at `path` now, symbolic links followed; undefined when nothing does. */
async function existingTarget(path: string): Promise<Target | undefined> {
  try {
    const target = await realpath(path)
    const stats = await stat(target)
    if (stats.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    return { path: target, mode: stats.mode & 0o777, isRegular: stats.isFile() }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw fileError('write', path, error)
  }
}

/** A device or pipe cannot be renamed over: /dev/null would become a file. */
async function writeInPlace(path: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await open(path, 'w')
    try {
      await file.writeFile(bytes)
    } finally {
      await file.close()
    }
  } catch (error) {
    throw fileError('write', path, error)
  }
}

async function replaceFile(path: string, mode: number | undefined, produce: () => Promise<Uint8Array>): Promise<void> {
  const folder = dirname(path)
  const temporary = join(folder, `.${basename(path).slice(0, 64)}.${globalThis.crypto.randomUUID()}.tmp`)
  const file = await open(temporary, 'wx', NEW_FILE_MODE).catch((error: unknown) => {
    throw fileError('write', path, error)
  })
  unfinished.add(temporary)
  try {
    const bytes = await produce()
    await complete(file, bytes, mode).catch((error: unknown) => {
      throw fileError('write', path, error)
    })
    moveInPlace(temporary, path)
    unfinished.delete(temporary)
  } catch (error) {
    await file.close().catch(() => undefined)
    removeUnfinishedOutput()
    throw error
  }
  await syncFolder(folder)
}

async function complete(file: FileHandle, bytes: Uint8Array, mode: number | undefined): Promise<void> {
  await file.writeFile(bytes)
  if (mode !== undefined) await file.chmod(mode)
  await file.sync()
  await file.close()
}

/** Synchronous, so that no signal handler runs between the rename and what the caller records of it. */
function moveInPlace(temporary: string, path: string): void {
  try {
    renameSync(temporary, path)
  } catch (error) {
    throw fileError('write', path, error)
  }
}

/** Makes the rename itself durable where the system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
