import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
  writeSync,
} from 'node:fs'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import type { Audit, SignedAuditHead } from '../kms/engine/index.ts'
import { CommandError, lineOf } from './failure.ts'
import { fileError } from './file-error.ts'
import { readSignedHeads } from './signed-heads.ts'

/** Milliseconds between looks at the log. */
const INTERVAL = 1000
/** Looks after which a head is written for however few new records. */
const MAX_LOOKS = 60

/** Options of {@link openAuditAnchor}. */
export interface AuditAnchorOptions {
  readonly file: string
  /** The directory of the KMS, in which the file must not be. */
  readonly directory: string
  readonly audit: Audit
  /** New records after which a head is written. */
  readonly every: number
  readonly onError: (error: unknown) => void
}

/** Keeps signed heads of a log in a file. */
export interface AuditAnchor {
  /** Writes the last head. */
  close(): Promise<void>
}

/**
 * Begins to append the signed heads of a log to a file elsewhere: at once, whenever there are `every` new records, and
 * for fewer of them after a minute. No call waits for that; a head that could not be written is tried again.
 *
 * The log must hold the file's newest head and be whole from there on.
 *
 * @throws CommandError if it is not, or the file cannot be written
 */
export async function openAuditAnchor(options: AuditAnchorOptions): Promise<AuditAnchor> {
  const file = assertElsewhere(options.file, options.directory)
  const previous = await newestHead(file)
  if (previous) {
    await options.audit.verify({ from: previous }).catch((error: unknown) => {
      const reason = `the audit log does not go on from the newest head of ${options.file}: ${lineOf(error)}`
      throw new CommandError('authentication', reason, { cause: error })
    })
  }
  const keeper = new Keeper(options, file, previous?.records ?? 0)
  await keeper.append()
  keeper.start()
  return keeper
}

class Keeper implements AuditAnchor {
  readonly #options: AuditAnchorOptions
  readonly #file: string
  #records: number
  #looks = 0
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(options: AuditAnchorOptions, file: string, records: number) {
    this.#options = options
    this.#file = file
    this.#records = records
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#running = this.#running.then(() => this.#look()).catch(this.#options.onError)
    }, INTERVAL)
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
    await this.append()
  }

  async #look(): Promise<void> {
    const added = (await this.#options.audit.head()).records - this.#records
    if (added < 0 || added >= this.#options.every || ++this.#looks >= MAX_LOOKS) await this.append()
  }

  /** Appends the head, if there are new records. @throws CommandError if there are fewer than before */
  async append(): Promise<void> {
    this.#looks = 0
    const { audit } = this.#options
    if ((await audit.head()).records === this.#records) return
    const head = await audit.signedHead()
    if (head.records < this.#records) {
      const counts = `the audit log has ${head.records} records, and the newest head had ${this.#records}`
      throw new CommandError('authentication', `${counts}: an older database was put in its place`)
    }
    appendLine(this.#file, JSON.stringify(head))
    this.#records = head.records
  }
}

/** The file by its real name. */
function assertElsewhere(given: string, directory: string): string {
  const folder = resolve(dirname(given))
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw fileError('write', given, error)
  }
  const path = existsSync(given) ? realpathSync(given) : join(realpathSync(folder), basename(given))
  const inside = relative(realpathSync(directory), path)
  if (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) {
    throw new CommandError('usage', `the audit anchor must not be in the directory of the KMS: ${given}`)
  }
  return path
}

/** That of the most records: a line behind it may be of a log that was rolled back. */
async function newestHead(file: string): Promise<SignedAuditHead | undefined> {
  if (!existsSync(file) || statSync(file).size === 0) return undefined
  const { heads } = await readSignedHeads(file)
  return heads.reduce((newest, head) => (head.records > newest.records ? head : newest))
}

/** One line, durable; one that was cut off before it stays what it is. */
function appendLine(file: string, line: string): void {
  try {
    const descriptor = openSync(file, 'a+', 0o600)
    try {
      writeSync(descriptor, `${endsLine(descriptor) ? '' : '\n'}${line}\n`)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    throw fileError('write', file, error)
  }
}

function endsLine(descriptor: number): boolean {
  const { size } = fstatSync(descriptor)
  const last = Buffer.alloc(1, '\n')
  if (size > 0) readSync(descriptor, last, 0, 1, size - 1)
  return last.toString() === '\n'
}
