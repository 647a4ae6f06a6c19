import { open, type FileHandle } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { MessageHeader } from '../src/index.ts'
import { headerJson } from './header.ts'
import { fileError, hasCode } from './file-error.ts'
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
      const made = await open(path, 'ax', NEW_FILE_MODE).catch((error: unknown) => {
        if (!hasCode(error, 'EEXIST')) throw error
        return undefined
      })
      if (made !== undefined) markUnfinished(path)
      return new MetadataFile(path, made ?? (await open(path, 'a')))
    } catch (error) {
      throw fileError('write', path, error)
    }
  }

  async add(record: MetadataRecord): Promise<void> {
    const line = JSON.stringify(recordJson(record))
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
