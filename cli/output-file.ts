import {
  close,
  closeSync,
  fchmod,
  fchown,
  fstat,
  fsync,
  linkSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
  write,
} from 'node:fs'
import { mkdir, open, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { CommandError } from './failure.ts'
import { fileError, hasCode } from './file-error.ts'

/** A new file is its owner's alone unless its input says more. */
export const NEW_FILE_MODE = 0o600

/** Where bytes go that count only once `commit` has answered. */
export interface Output {
  /** What is written is out at once, and a failure cannot take it back. */
  readonly isImmediate: boolean
  write(bytes: Uint8Array): Promise<void>
  commit(): Promise<void>
  /** After a failure: nothing is left of it. */
  abandon(): Promise<void>
}

/** An output that is a file, whose `commit` can be done in its steps: `complete`, `place` and `sync`. */
export interface FileOutput extends Output {
  readonly isImmediate: false
  /** Makes what was written complete and durable, still under another name. */
  complete(): Promise<void>
  /** Gives it its name. */
  place(): void
  /** The same, but what stood there before is kept until one of the two is called. */
  placeForNow(): Placed
  /** Makes the name durable. */
  sync(): Promise<void>
}

export interface Placed {
  takeBack(): void
  keep(): void
}

export interface OutputFileOptions {
  /** Default true. */
  readonly overwrite?: boolean | undefined
  /** Permissions of a file that is not there yet. Default its owner's alone. */
  readonly mode?: number | undefined
}

const writeFile = promisify(write)
const changeMode = promisify(fchmod)
const changeOwner = promisify(fchown)
const statFile = promisify(fstat)
const syncFile = promisify(fsync)
const closeFile = promisify(close)

/** Files that must not outlive the command unless they get the output's name, and folders made for them. */
const unfinished = new Set<string>()
const madeFolders = new Set<string>()

/** Notes a file that is to be removed if the command ends before {@link markFinished}. */
export function markUnfinished(path: string): void {
  unfinished.add(path)
}

export function markFinished(path: string): void {
  unfinished.delete(path)
}

/** Removes a file that is still unfinished. */
export function removeUnfinished(path: string): void {
  if (unfinished.delete(path)) attempt(() => unlinkSync(path))
}

/** Removes what a command that is being interrupted has begun to write. */
export function removeUnfinishedOutput(): void {
  for (const path of unfinished) attempt(() => unlinkSync(path))
  unfinished.clear()
  removeEmptyFolders()
}

/** Removes the folders that were made for outputs and hold none. */
export function removeEmptyFolders(): void {
  for (const path of [...madeFolders].reverse()) attempt(() => rmdirSync(path))
  madeFolders.clear()
}

/** For what is not there any more, or is in use: nobody is waiting to be told. */
function attempt(act: () => void): void {
  try {
    act()
  } catch {
    // Nothing to be done.
  }
}

/** Makes a folder and those above it, to be removed again if nothing comes to stand there. */
export async function makeFolder(path: string): Promise<void> {
  try {
    const first = await mkdir(path, { recursive: true })
    if (first === undefined) return
    const top = resolve(first)
    const folders: string[] = []
    for (let made = resolve(path); made.length >= top.length; made = dirname(made)) folders.push(made)
    for (const made of folders.reverse()) madeFolders.add(made)
  } catch (error) {
    throw fileError('write', path, error)
  }
}

/** Something stands at the path, and must not be overwritten. */
export class OutputExistsError extends CommandError {
  readonly path: string

  constructor(path: string) {
    super('other', `cannot write ${path}: it exists, and --no-overwrite was given`)
    this.path = path
  }
}

/**
 * Opens an output. A file appears under its name only when it is complete and on the disk; until then an existing one
 * is untouched, and after a failure nothing is left. A pipe or device is written to as it is.
 *
 * @throws OutputExistsError where a file must not be overwritten
 * @throws CommandError if it cannot be written
 */
export async function openOutput(path: string, options: OutputFileOptions): Promise<Output | FileOutput> {
  const existing = await existingTarget(path)
  if (existing?.isRegular === false) return openInPlace(existing.path)
  if (existing !== undefined && options.overwrite === false) throw new OutputExistsError(path)
  return openReplacement(path, existing, options)
}

interface Target {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly isRegular: boolean
}

/**
 * What stands at `path` now, symbolic links followed; undefined when nothing does. A pipe or device is taken by the name
 * that was given: behind /dev/stdout may be a pipe, to which no other name leads.
 */
async function existingTarget(path: string): Promise<Target | undefined> {
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' })
    const isRegular = stats.isFile()
    const target = isRegular ? await realpath(path) : path
    return { path: target, mode: stats.mode & 0o777, uid: stats.uid, gid: stats.gid, isRegular }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw fileError('write', path, error)
  }
}

/** A device or pipe cannot be renamed over: /dev/null would become a file. */
async function openInPlace(path: string): Promise<Output> {
  const file = await open(path, 'w').catch((error: unknown) => {
    throw fileError('write', path, error)
  })
  return {
    isImmediate: true,
    write: (bytes) => writeAll(file.fd, bytes, path),
    commit: () => file.close(),
    abandon: () => file.close(),
  }
}

/** Makes a file that is unfinished. Synchronous, so that no signal handler runs before it is noted. */
function makeUnfinished(path: string, name: string): number {
  try {
    const file = openSync(path, 'wx', NEW_FILE_MODE)
    markUnfinished(path)
    return file
  } catch (error) {
    throw fileError('write', name, error)
  }
}

function openReplacement(
  name: string,
  existing: Target | undefined,
  { overwrite = true, mode }: OutputFileOptions,
): FileOutput {
  const path = existing?.path ?? name
  const folder = dirname(path)
  const besides = join(folder, `.${basename(path).slice(0, 64)}.${globalThis.crypto.randomUUID()}`)
  const temporary = `${besides}.tmp`
  const file = makeUnfinished(temporary, name)
  let isOpen = true
  const closeOnce = async (): Promise<void> => {
    if (!isOpen) return
    isOpen = false
    await closeFile(file)
  }
  const output: FileOutput = {
    isImmediate: false,
    write: (bytes) => writeAll(file, bytes, name),
    async complete() {
      try {
        await complete(file, existing, mode)
        await closeOnce()
      } catch (error) {
        throw fileError('write', name, error)
      }
    },
    place() {
      moveInPlace(temporary, path, overwrite)
      markFinished(temporary)
    },
    placeForNow: () => placeForNow(output, path, existing === undefined ? undefined : `${besides}.old`),
    sync: () => syncFolder(folder),
    async commit() {
      await output.complete()
      output.place()
      await output.sync()
    },
    async abandon() {
      await closeOnce().catch(() => undefined)
      removeUnfinished(temporary)
    },
  }
  return output
}

/** @param old a second name for what stands at the path; undefined when nothing does */
function placeForNow(output: FileOutput, path: string, old: string | undefined): Placed {
  if (old === undefined) {
    output.place()
    return { takeBack: () => unlinkSync(path), keep: () => undefined }
  }
  try {
    keepUnder(old, path)
  } catch (error) {
    throw fileError('write', path, error)
  }
  const keep = (): void => attempt(() => unlinkSync(old))
  const takeBack = (): void => {
    renameSync(old, path)
    // Where both names still are those of one file, the rename has done nothing.
    keep()
  }
  try {
    output.place()
  } catch (error) {
    takeBack()
    throw error
  }
  return { takeBack, keep }
}

function keepUnder(old: string, path: string): void {
  try {
    linkSync(path, old)
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    renameSync(path, old)
  }
}

async function writeAll(file: number, bytes: Uint8Array, path: string): Promise<void> {
  try {
    for (let at = 0; at < bytes.length;) {
      at += (await writeFile(file, bytes, at, bytes.length - at)).bytesWritten
    }
  } catch (error) {
    throw fileError('write', path, error)
  }
}

async function complete(file: number, existing: Target | undefined, mode: number | undefined): Promise<void> {
  const kept = existing === undefined ? mode : await keepOwner(file, existing)
  if (kept !== undefined) await changeMode(file, kept)
  await syncFile(file)
}

/**
 * Only root may give a file away; for others the file becomes theirs, as with any editor that saves this way. What the
 * old group might do with it is nothing that a new one may. Answers the permissions that it gets.
 */
async function keepOwner(file: number, { uid, gid, mode }: Target): Promise<number> {
  const stats = await statFile(file)
  if (stats.uid === uid && stats.gid === gid) return mode
  const isKept = await changeOwner(file, uid, gid).then(
    () => true,
    () => false,
  )
  return isKept || stats.gid === gid ? mode : mode & ~0o070
}

/** Synchronous, so that no signal handler runs between the rename and what the caller records of it. */
function moveInPlace(temporary: string, path: string, overwrite: boolean): void {
  try {
    if (overwrite) return renameSync(temporary, path)
    moveWhereNothingIs(temporary, path)
  } catch (error) {
    if (hasCode(error, 'EEXIST')) throw new OutputExistsError(path)
    throw fileError('write', path, error)
  }
}

/** A link, unlike a rename, fails if another process has made the file meanwhile; so does an empty file in its place. */
function moveWhereNothingIs(temporary: string, path: string): void {
  try {
    linkSync(temporary, path)
    unlinkSync(temporary)
  } catch (error) {
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'ENOSYS')) throw error
    closeSync(openSync(path, 'wx'))
    renameSync(temporary, path)
  }
}

/** Makes the rename itself durable where the system lets a folder be opened. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined)
  await handle?.sync().catch(() => undefined)
  await handle?.close()
}
