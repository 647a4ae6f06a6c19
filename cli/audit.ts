import { KmsError, type Audit, type AuditEntry } from '../kms/engine/index.ts'
import { countUpTo } from './arguments.ts'
import type { CommandRow, OptionRow } from './command.ts'
import { CommandError, jsonOf, printable } from './failure.ts'
import { openOutput } from './output-file.ts'
import { note, print, standardOutput } from './output.ts'
import { withKms, type KmsOptions } from './service.ts'
import { readSignedHeads } from './signed-heads.ts'

interface ListOptions extends KmsOptions {
  readonly after?: number
  readonly limit?: number
}

/** Records that are read at once. */
const PAGE = 1000
/** Records that `follow` shows of what is there already. */
const FOLLOW_TAIL = 10
/** Milliseconds between looks for new records. */
const FOLLOW_INTERVAL = 500

const AFTER: OptionRow = {
  flags: '--after <number>',
  text: 'only records behind this number (default: 0)',
  parse: (text) => (text === '0' ? 0 : countUpTo(Number.MAX_SAFE_INTEGER)(text)),
}
const LIMIT: OptionRow = {
  flags: '--limit <n>',
  text: 'no more than so many (default: all)',
  parse: countUpTo(Number.MAX_SAFE_INTEGER),
}

const list: CommandRow = {
  name: 'list',
  text: 'print a line for each record: number, time, who, what, what came of it, which key',
  options: [AFTER, LIMIT],
  examples: [{ text: 'What was refused.', line: "waxseal kms audit list --json | jq 'select(.record.errorCode)'" }],
  run: async (options: ListOptions) =>
    withAudit(options, async (audit) => {
      for await (const page of pagesOf(audit, options)) await printEntries(page, options)
    }),
}

const follow: CommandRow = {
  name: 'follow',
  text: `print the newest ${FOLLOW_TAIL} records, and others as they come`,
  options: [AFTER],
  examples: [{ text: 'Watch a server.', line: 'waxseal kms audit follow --kms ./kms' }],
  run: async (options: ListOptions) =>
    withAudit(options, async (audit) => {
      let after = options.after ?? Math.max(0, (await audit.head()).records - FOLLOW_TAIL)
      for (;;) {
        for await (const page of pagesOf(audit, { after })) {
          await printEntries(page, options)
          after = page.at(-1)?.number ?? after
        }
        await new Promise((resume) => setTimeout(resume, FOLLOW_INTERVAL))
      }
    }),
}

const exportRecords: CommandRow = {
  name: 'export',
  text: 'write the records as JSON lines, each in the shape of CloudTrail',
  options: [
    AFTER,
    LIMIT,
    { flags: '-o, --output <file>', text: 'where to (default: standard output)', completes: 'file' },
  ],
  examples: [{ text: 'All of them.', line: 'waxseal kms audit export -o audit.jsonl' }],
  async run(options: ListOptions & { readonly output?: string }) {
    const { output: path } = options
    await withAudit(options, async (audit) => {
      const output = path === undefined ? standardOutput(true) : await openOutput(path, {})
      try {
        for await (const page of pagesOf(audit, options)) {
          await output.write(Buffer.from(page.map(({ record }) => `${JSON.stringify(record)}\n`).join('')))
        }
        await output.commit()
      } catch (error) {
        await output.abandon()
        throw error
      }
    })
  },
}

const head: CommandRow = {
  name: 'head',
  text: 'print the signed head of the log, to be kept elsewhere: it shows later whether records are gone',
  examples: [{ text: 'Keep it.', line: 'waxseal kms audit head >> /mnt/elsewhere/heads.jsonl' }],
  run: async (options: KmsOptions) => withAudit(options, async (audit) => print(jsonOf(await audit.signedHead()))),
}

const verify: CommandRow = {
  name: 'verify',
  text: 'check that every record is as it was written, and that none is missing',
  details: [
    'Whoever puts an older database back as a whole takes the newest records away without a trace in it. Only a head that ' +
      'was kept elsewhere shows that: one of `waxseal kms audit head`, or the file of `waxseal serve --audit-anchor`.',
  ],
  options: [
    { flags: '--head <file>', text: 'signed heads that the log must hold, one on each line', completes: 'file' },
  ],
  examples: [
    { text: 'With the heads that were kept.', line: 'waxseal kms audit verify --head /mnt/elsewhere/heads.jsonl' },
  ],
  async run(options: KmsOptions & { readonly head?: string }) {
    const { heads, torn } = options.head === undefined ? { heads: [], torn: [] } : await readSignedHeads(options.head)
    const newest = await withAudit(options, (audit) => audit.verify({ heads }))
    for (const line of torn) await note(`waxseal: line ${line} of ${options.head ?? ''} is cut off: it was left out`)
    if (options.json === true) return print(jsonOf({ ...newest, heads: heads.length }))
    const kept = heads.length === 0 ? '' : `, ${heads.length} signed heads among them`
    await print(`${newest.records} records, as they were written${kept}`)
  },
}

export const auditRow: CommandRow = {
  name: 'audit',
  text: 'list, follow, export and verify the log of all calls',
  commands: [list, follow, exportRecords, head, verify],
}

/** A record that is not as it was written is no failure of the KMS: verification failed. */
async function withAudit<T>(options: KmsOptions, use: (audit: Audit) => Promise<T>): Promise<T> {
  return withKms(options, async ({ engine }) => {
    try {
      return await use(engine.audit)
    } catch (error) {
      if (!(error instanceof KmsError) || error.name !== 'KMSInternalException') throw error
      throw new CommandError('authentication', error.message, { cause: error })
    }
  })
}

async function* pagesOf(
  audit: Audit,
  { after = 0, limit = Infinity }: Pick<ListOptions, 'after' | 'limit'>,
): AsyncGenerator<readonly AuditEntry[]> {
  for (let last = after, rest = limit; rest > 0;) {
    const page = await audit.list({ after: last, limit: Math.min(rest, PAGE) })
    if (page.length === 0) return
    yield page
    rest -= page.length
    last = page.at(-1)?.number ?? last
  }
}

async function printEntries(entries: readonly AuditEntry[], { json }: KmsOptions): Promise<void> {
  await print(entries.map((entry) => (json === true ? jsonOf(entry) : lineOf(entry))).join('\n'))
}

function lineOf({ number, record }: AuditEntry): string {
  const { arn = '', invokedBy = '' } = record.userIdentity
  const who = arn === '' ? invokedBy : arn.slice(arn.lastIndexOf(':') + 1)
  const [service = ''] = record.eventSource.split('.')
  const keys = record.resources.map(({ ARN }) => ARN.slice(ARN.lastIndexOf(':') + 1))
  const words = [number, record.eventTime, who, `${service}:${record.eventName}`, record.errorCode ?? 'ok', ...keys]
  return words.map((word) => printable(String(word))).join('  ')
}
