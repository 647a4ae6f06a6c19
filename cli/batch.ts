import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { MessageHeader } from '../src/index.ts'
import { base64Decoder, base64Encoder } from './base64.ts'
import { CommandError, jsonOf, lineOf, outcomeOf, type Outcome } from './failure.ts'
import { planJobs, type Job, type Plan, type PlanOptions } from './jobs.ts'
import { assertMetadataApart, MetadataFile, recordJson, type MetadataRecord } from './metadata.ts'
import { makeFolder, openOutput, OutputExistsError, removeEmptyFolders, type Output } from './output-file.ts'
import { assertNotForTerminal, note, print, standardOutput } from './output.ts'
import { Progress, type ProgressMode } from './progress.ts'
import type { GlobalOptions } from './service.ts'
import { sourceOf } from './source.ts'

export interface BatchOptions extends GlobalOptions, PlanOptions {
  readonly overwrite?: boolean
  readonly encode?: boolean
  readonly decode?: boolean
  readonly metadataOutput?: string
  readonly progress?: ProgressMode
  readonly quiet?: boolean
}

/** What is done to the bytes of one input. */
export interface Passage {
  readonly stream: ReadableWritablePair<Uint8Array, Uint8Array>
  /** Where the result goes: the output of the job, or one that stands before it. */
  readonly output: Output
  /** The header of the message that was read or written: there when the stream has ended. */
  readonly header: () => Promise<MessageHeader>
  /** Puts a failure into the words of the command line. */
  readonly explain?: (error: unknown) => unknown
}

export interface Work {
  readonly direction: 'encrypt' | 'decrypt'
  /** The permissions of a new file, by those of its input. */
  readonly modeOf: (mode: number) => number
  readonly pass: (job: Job, output: Output) => Passage | Promise<Passage>
}

/** Plans the work, so that what cannot be done is refused before a key is asked for. */
export async function plan(direction: Work['direction'], options: BatchOptions): Promise<Plan> {
  const found = await planJobs(direction, options)
  assertMetadataApart(options, found.jobs)
  const [job, ...more] = found.jobs
  const isBinary = direction === 'encrypt' && options.encode !== true
  if (job !== undefined && more.length === 0 && job.output === undefined && options.output === undefined && isBinary) {
    assertNotForTerminal()
  }
  const [failure] = found.failures
  if (failure !== undefined && job === undefined && found.failures.length === 1) throw failure
  return found
}

/**
 * Puts every input of the plan through the work. When there may be several, one that fails does not keep the others
 * from being done; the command fails in the end.
 */
export async function runBatch(found: Plan, options: BatchOptions, work: Work): Promise<void> {
  const metadata = options.metadataOutput === undefined ? undefined : await MetadataFile.open(options.metadataOutput)
  const progress = progressOf(found.jobs, options)
  const batch = new Batch(options, work, progress, metadata)
  try {
    for (const path of found.others) await batch.note(`skipped ${path}: it is no regular file`)
    for (const failure of found.failures) await batch.fail(failure)
    if (found.jobs.length === 0 && found.failures.length === 0) await batch.note('there is nothing to do')
    for (const job of found.jobs) await (found.isBatch ? batch.tryOne(job) : batch.one(job))
    batch.assertNoFailure(found.jobs.length + found.failures.length)
  } finally {
    progress.end()
    await metadata?.close()
    removeEmptyFolders()
  }
}

function progressOf(jobs: readonly Job[], { progress = 'auto', quiet = false }: BatchOptions): Progress {
  const sizes = jobs.map(({ size }) => size)
  const total = sizes.every((size) => size !== undefined) ? sizes.reduce((sum, size) => sum + size, 0) : undefined
  return new Progress({
    mode: quiet ? 'none' : progress,
    total,
    write: (text) => process.stderr.write(text),
    isTerminal: process.stderr.isTTY,
    columns: process.stderr.columns,
  })
}

class Batch {
  readonly #options: BatchOptions
  readonly #work: Work
  readonly #progress: Progress
  readonly #metadata: MetadataFile | undefined
  readonly #failures: Outcome[] = []

  constructor(options: BatchOptions, work: Work, progress: Progress, metadata: MetadataFile | undefined) {
    this.#options = options
    this.#work = work
    this.#progress = progress
    this.#metadata = metadata
  }

  /** A line that `--quiet` takes away. */
  async note(text: string): Promise<void> {
    if (this.#options.quiet === true) return
    this.#progress.clear()
    await note(`waxseal: ${lineOf(text)}`)
  }

  async fail(error: unknown, prefix = ''): Promise<void> {
    this.#failures.push(outcomeOf(error))
    this.#progress.clear()
    await note(`waxseal: ${lineOf(`${prefix}${lineOf(error)}`)}`)
  }

  async tryOne(job: Job): Promise<void> {
    try {
      await this.one(job)
    } catch (error) {
      // A fault of the command line is that of every input.
      if (outcomeOf(error) === 'usage') throw error
      if (!(error instanceof OutputExistsError))
        return this.fail(error, isAboutFile(error) ? '' : `${job.input ?? '-'}: `)
      await this.note(`skipped ${job.input ?? '-'}: ${error.path} exists`)
      await this.#report({ ...job, mode: this.#work.direction, skipped: 'the output exists' })
    }
  }

  /** Names the first failure's exit code; the reasons have been told. */
  assertNoFailure(total: number): void {
    const [first] = this.#failures
    if (first !== undefined) throw new CommandError(first, `${this.#failures.length} of ${total} inputs failed`)
  }

  async one(job: Job): Promise<void> {
    const output = await this.#open(job)
    let passage: Passage | undefined
    try {
      passage = await this.#work.pass(job, output)
      this.#progress.begin(job.input ?? 'standard input')
      await this.#read(job, passage).pipeTo(sinkOf(passage.output))
      await passage.output.commit()
    } catch (error) {
      await (passage?.output ?? output).abandon()
      throw passage?.explain?.(error) ?? error
    }
    const { json, metadataOutput } = this.#options
    if (json !== true && metadataOutput === undefined) return
    await this.#report({ ...job, mode: this.#work.direction, header: await passage.header() })
  }

  #read(job: Job, { stream }: Passage): ReadableStream<Uint8Array> {
    const { encode = false, decode = false } = this.#options
    const source = sourceOf(job.input, (bytes) => this.#progress.advance(bytes))
    const through = (decode ? source.pipeThrough(base64Decoder()) : source).pipeThrough(stream)
    return encode ? through.pipeThrough(base64Encoder()) : through
  }

  async #open({ input, output }: Job): Promise<Output> {
    if (output === undefined) return standardOutput(this.#options.output === '-')
    const { overwrite } = this.#options
    if (output !== this.#options.output) await makeFolder(dirname(output))
    const stats = input === undefined ? undefined : await stat(input).catch(() => undefined)
    const mode = stats?.isFile() === true ? this.#work.modeOf(stats.mode & 0o777) : undefined
    return openOutput(output, { overwrite, mode })
  }

  /** With `--json` a line about the message: on standard output, or beside it when that carries the data. */
  async #report(record: MetadataRecord): Promise<void> {
    await this.#metadata?.add(record)
    if (this.#options.json !== true) return
    const line = jsonOf(recordJson(record))
    this.#progress.clear()
    await (record.output === undefined ? note(line) : print(line))
  }
}

/** These say which file they are about. */
function isAboutFile(error: unknown): boolean {
  return error instanceof CommandError && error.message.startsWith('cannot ')
}

function sinkOf(output: Output): WritableStream<Uint8Array> {
  return new WritableStream<Uint8Array>({ write: (bytes) => output.write(bytes) })
}
