import { stat } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { assertOneRecord, RECORD_SUFFIX, recordPath } from './detached-keys.ts'
import { CommandError } from './failure.ts'
import { expandPattern, isPattern } from './glob.ts'
import { fileError } from './file-error.ts'
import { filesBelow } from './walk.ts'

/** One input and where its result goes. */
export interface Job {
  /** Undefined for standard input. */
  readonly input: string | undefined
  /** Undefined for standard output. */
  readonly output: string | undefined
  /** Bytes of the input when it is a regular file. */
  readonly size: number | undefined
  /** Where the record of the message's keys goes, if it gets one. */
  readonly keys?: string
}

export interface Plan {
  readonly jobs: readonly Job[]
  /** Several files may be meant, even if it is one or none: a failure of one does not end the others. */
  readonly isBatch: boolean
  /** Links, pipes and devices in the folders. */
  readonly others: readonly string[]
  /** Parts of the folders that could not be read. */
  readonly failures: readonly CommandError[]
}

export interface PlanOptions {
  /** Paths and patterns; none for standard input. */
  readonly input?: readonly string[]
  /** A file, a folder, or `-`. */
  readonly output?: string
  readonly recursive?: boolean
  /** What the name of a message ends in. */
  readonly suffix?: string
  /** Whether each message gets a record of its keys beside it. */
  readonly detachedKeys?: boolean
  /** The record of one message, where it is not beside it. */
  readonly keys?: string
}

/** What encryption adds to a name unless it is told, and decryption takes away. */
export const SUFFIX = '.wax'

/** What decryption adds to a name that has not the suffix of a message. */
const DECRYPTED_SUFFIX = '.decrypted'

interface Input {
  readonly path: string
  /** The path below the folder of the output. */
  readonly name: string
  readonly size: number | undefined
}

/**
 * Finds the files that the options name and where the result of each goes.
 *
 * @throws CommandError before any work, if two would go to one place or over another's input
 */
export async function planJobs(direction: 'encrypt' | 'decrypt', options: PlanOptions): Promise<Plan> {
  const found = await planFiles(direction, options)
  assertOneRecord(options, found)
  if (options.detachedKeys !== true) return found
  const jobs = found.jobs.map((job) => ({ ...job, keys: recordPath(options, job.output) }))
  assertRecordsApart(jobs)
  return { ...found, jobs }
}

async function planFiles(direction: 'encrypt' | 'decrypt', options: PlanOptions): Promise<Plan> {
  const { input = [], output, suffix = SUFFIX } = options
  const paths = await expand(input)
  if (paths.length === 0) return { jobs: [await single(undefined, output)], isBatch: false, others: [], failures: [] }
  if (paths.includes('-') && paths.length > 1)
    throw new CommandError('usage', 'standard input goes with no other input')
  const folder = output === undefined || output === '-' || !(await isFolder(output)) ? undefined : output
  const isBatch = input.length > 1 || paths.length > 1 || paths[0] !== input[0] || (await isFolder(paths[0]!))
  const isBeside = output === undefined && (isBatch || options.suffix !== undefined) && paths[0] !== '-'
  if (!isBatch && folder === undefined && !isBeside) {
    return { jobs: [await single(paths[0], output)], isBatch, others: [], failures: [] }
  }
  if (output === '-') throw new CommandError('usage', 'standard output takes the result of one input')
  const found = await inputsOf(paths, options, folder ?? output)
  const names = new Set(found.inputs.map(({ path }) => path))
  const isRecord = (path: string): boolean =>
    path.endsWith(`${suffix}${RECORD_SUFFIX}`) && names.has(path.slice(0, -RECORD_SUFFIX.length))
  const taken = found.inputs.filter(({ path, isListed }) => {
    if (isListed) return true
    return isTaken(direction, path, suffix, isBeside) && !(direction === 'encrypt' && isBeside && isRecord(path))
  })
  const jobs = taken.map(({ path, name, size }): Job => {
    const renamed = rename(direction, isBeside ? path : join(folder ?? output!, name), suffix)
    return { input: path, output: renamed, size }
  })
  assertApart(jobs)
  return { jobs, isBatch, others: found.others, failures: found.failures }
}

async function single(input: string | undefined, output: string | undefined): Promise<Job> {
  const path = input === '-' ? undefined : input
  return {
    input: path,
    output: output === '-' ? undefined : output,
    size: path === undefined ? undefined : await sizeOf(path),
  }
}

async function expand(input: readonly string[]): Promise<string[]> {
  const lists = input.map(async (path) => {
    // A name with a star in it may be that of a file.
    if (path === '-' || !isPattern(path) || (await exists(path))) return [path]
    const matches = await expandPattern(path)
    if (matches.length === 0) throw new CommandError('other', `cannot read ${path}: no file matches`)
    return matches
  })
  return (await Promise.all(lists)).flat()
}

/** Files of folders are listed one by one; what the user named is taken whatever it is called. */
async function inputsOf(
  paths: readonly string[],
  { recursive = false }: PlanOptions,
  output: string | undefined,
): Promise<{ inputs: (Input & { isListed: boolean })[]; others: string[]; failures: CommandError[] }> {
  const result = {
    inputs: [] as (Input & { isListed: boolean })[],
    others: [] as string[],
    failures: [] as CommandError[],
  }
  for (const path of paths) {
    if (!(await isFolder(path))) {
      try {
        result.inputs.push({ path, name: basename(path), size: await sizeOf(path), isListed: true })
      } catch (error) {
        result.failures.push(error as CommandError)
      }
      continue
    }
    if (!recursive) {
      result.failures.push(new CommandError('other', `cannot read ${path}: it is a directory: -r takes what is in it`))
      continue
    }
    const found = await filesBelow(path, output)
    result.others.push(...found.others)
    result.failures.push(...found.failures)
    for (const file of found.files) {
      result.inputs.push({ path: file.path, name: relative(path, file.path), size: file.size, isListed: false })
    }
  }
  return {
    inputs: once(result.inputs),
    others: [...new Set(result.others)],
    failures: [...new Map(result.failures.map((failure) => [failure.message, failure])).values()],
  }
}

/** Each file once, though a pattern may answer it and the folders that it is in. */
function once(inputs: readonly (Input & { isListed: boolean })[]): (Input & { isListed: boolean })[] {
  const found = new Map<string, Input & { isListed: boolean }>()
  for (const input of inputs) {
    const path = resolve(input.path)
    const first = found.get(path) ?? input
    found.set(path, { ...first, isListed: first.isListed || input.isListed })
  }
  return [...found.values()]
}

/** Of what a folder holds, decryption takes the messages; encryption leaves them when its own stand among the files. */
function isTaken(direction: 'encrypt' | 'decrypt', path: string, suffix: string, isBeside: boolean): boolean {
  if (suffix === '') return true
  return direction === 'decrypt' ? path.endsWith(suffix) : !(isBeside && path.endsWith(suffix))
}

function rename(direction: 'encrypt' | 'decrypt', path: string, suffix: string): string {
  if (direction === 'encrypt') return `${path}${suffix}`
  const isNamed = suffix !== '' && path.endsWith(suffix) && basename(path) !== suffix
  return isNamed ? path.slice(0, -suffix.length) : `${path}${suffix === '' ? '' : DECRYPTED_SUFFIX}`
}

function assertApart(jobs: readonly Job[]): void {
  const inputs = new Set(jobs.map(({ input }) => resolve(input!)))
  const outputs = new Map<string, string>()
  for (const { input, output } of jobs) {
    const path = resolve(output!)
    const other = outputs.get(path)
    if (other !== undefined)
      throw new CommandError('usage', `${other} and ${input!} would both be written to ${output!}`)
    if (inputs.has(path) && path !== resolve(input!)) {
      throw new CommandError('usage', `${input!} would be written over ${output!}, which is another input`)
    }
    outputs.set(path, input!)
  }
}

/** No record may go where a message goes, or over an input. */
function assertRecordsApart(jobs: readonly Job[]): void {
  const taken = new Map<string, string>()
  for (const { input, output } of jobs) {
    for (const path of [input, output]) if (path !== undefined) taken.set(resolve(path), path)
  }
  for (const { input, keys } of jobs) {
    const other = taken.get(resolve(keys!))
    if (other === undefined) continue
    throw new CommandError('usage', `the keys of ${input ?? '-'} would be written over ${other}`)
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

async function isFolder(path: string): Promise<boolean> {
  if (path.endsWith('/')) return true
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  )
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const stats = await stat(path)
    return stats.isFile() ? stats.size : undefined
  } catch (error) {
    throw fileError('read', path, error)
  }
}
