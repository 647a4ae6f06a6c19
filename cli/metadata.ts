import { closeSync, fstatSync, openSync, realpathSync, statSync, type BigIntStats } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { MessageHeader } from '../src/index.ts'
import { headerJson } from './header.ts'
import { fileError, hasCode } from './file-error.ts'
import { RECORD_SUFFIX } from './detached-keys.ts'
import { CommandError, jsonOf } from './failure.ts'
import type { Job } from './jobs.ts'
import { NEW_FILE_MODE, markFinished, markUnfinished, removeUnfinished } from './output-file.ts'
import { print } from './output.ts'

/** What is told of one input. */
export interface MetadataRecord extends Job {
  readonly mode: string
  /** Authenticated, or written by this command; absent for an input that was skipped. */
  readonly header?: MessageHeader | undefined
  /** Why nothing was done with it. */
  readonly skipped?: string
}

/** One record as an object for JSON; paths are absolute, `-` is standard input or output. */
export function recordJson({ mode, input, output, keys, header, skipped }: MetadataRecord): object {
  const path = (name: string | undefined): string => (name === undefined ? '-' : resolve(name))
  const files = { input: path(input), output: path(output), ...(keys !== undefined && { keys: path(keys) }) }
  return { mode, ...files, skipped, ...(header && { header: headerJson(header) }) }
}

/**
 * Refuses metadata that would mix with the data: on standard output with a result, or in a file that is read or written.
 *
 * @throws CommandError
 */
export function assertMetadataApart(
  { metadataOutput, keys }: { readonly metadataOutput?: string; readonly keys?: string },
  jobs: readonly Job[],
): void {
  if (metadataOutput === undefined) return
  const place = placeOf(metadataOutput, 1)
  const refuse = (what: string): never => {
    throw new CommandError('usage', `--metadata-output would write into ${what}`)
  }
  for (const { input, output, keys: record } of jobs) {
    if (output === undefined && (metadataOutput === '-' || isSame(place, placeOf('-', 1)))) {
      refuse('the result on standard output')
    }
    const source = placeOf(input ?? '-', 0)
    // A terminal or a pipe is another thing as input than as output.
    if (isSame(place, source) && (input !== undefined || source.stats?.isFile() === true)) refuse(input ?? 'the input')
    for (const path of [output, record, keys, input && `${input}${RECORD_SUFFIX}`]) {
      if (path !== undefined && isSame(place, placeOf(path))) refuse(path)
    }
  }
}

interface Place {
  readonly path: string
  /** Absent where nothing stands. */
  readonly stats: BigIntStats | undefined
}

/** @param standard the descriptor that `-` stands for */
function placeOf(path: string, standard?: number): Place {
  try {
    const isStandard = path === '-' && standard !== undefined
    return { path, stats: isStandard ? fstatSync(standard, { bigint: true }) : statSync(path, { bigint: true }) }
  } catch {
    return { path, stats: undefined }
  }
}

/** Whether two are one file, by whatever names, or would be. */
function isSame(one: Place, other: Place): boolean {
  if (one.stats !== undefined && other.stats !== undefined) {
    return one.stats.dev === other.stats.dev && one.stats.ino === other.stats.ino
  }
  if (one.stats !== undefined || other.stats !== undefined) return false
  return basename(one.path) === basename(other.path) && realName(one.path) === realName(other.path)
}

function realName(path: string): string {
  try {
    return join(realpathSync(dirname(path)), basename(path))
  } catch {
    return resolve(path)
  }
}

/** Synchronous, so that no signal handler runs before the file is noted. */
function makeIfMissing(path: string): void {
  try {
    closeSync(openSync(path, 'ax', NEW_FILE_MODE))
    markUnfinished(path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** A file of JSON lines that grows by one line for each input. */
export class MetadataFile {
  readonly #path: string
  readonly #file: FileHandle | undefined

  private constructor(path: string, file: FileHandle | undefined) {
    this.#path = path
    this.#file = file
  }

  /**
   * Opens it before any work, so that a path which cannot be written fails early. Lines that stand there stay. `-` is
   * standard output.
   */
  static async open(path: string): Promise<MetadataFile> {
    if (path === '-') return new MetadataFile(path, undefined)
    try {
      makeIfMissing(path)
      return new MetadataFile(path, await open(path, 'a'))
    } catch (error) {
      throw fileError('write', path, error)
    }
  }

  async add(record: MetadataRecord): Promise<void> {
    const line = jsonOf(recordJson(record))
    if (this.#file === undefined) return print(line)
    await this.#file.appendFile(`${line}\n`).catch((error: unknown) => {
      throw fileError('write', this.#path, error)
    })
    markFinished(this.#path)
  }

  /** A new file without a line was for nothing, and is removed. */
  async close(): Promise<void> {
    await this.#file?.close()
    removeUnfinished(this.#path)
  }
}
