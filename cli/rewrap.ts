import { stat } from 'node:fs/promises'
import type { Keyring, MaterialsManager } from '../src/index.ts'
import { rewrapKeys, rewrapStream } from '../src/rewrap.ts'
import { plan, runBatch } from './batch.ts'
import type { CommandRow } from './command.ts'
import { READING_OPTIONS, readingOptions, type ReadingOptions } from './decrypt.ts'
import { isDetached, readRecordFile, recordPath, withRecord } from './detached-keys.ts'
import { CommandError } from './failure.ts'
import { REPORT_OPTIONS } from './file-options.ts'
import { readHeader } from './inspect.ts'
import { keyOptions, withKeys } from './keys.ts'
import { openOutput } from './output-file.ts'
import { standardOutput } from './output.ts'
import { sourceOf } from './source.ts'
import { wrappingKey, type WrappingKey } from './wrapping-key.ts'

type Source = Keyring | MaterialsManager

interface Options extends ReadingOptions {
  readonly fromKey?: readonly string[]
  readonly fromWrappingKey?: readonly WrappingKey[]
}

export const rewrapRow: CommandRow = {
  name: 'rewrap',
  text: 'put a message under other keys, with the same plaintext and context',
  details: [
    'The file is replaced when its new form is complete. A message of format version 2 is verified and encrypted again; ' +
      'an unsigned one of version 1 gets a new header, and its body is not looked at. Copies of the old message still ' +
      'open with the old keys.',
    'Of a message with detached keys only their record is replaced; the message is not read beyond its header. That ' +
      'retires keys and revokes nobody: who could unwrap the old ones, or keeps an old record, still reads the message.',
  ],
  arguments: [{ name: '<file>', text: 'the message', completes: 'file' }],
  options: [
    ...keyOptions('for the new message'),
    {
      flags: '--from-key <key>',
      text: 'a key of the KMS that opens the old message; repeatable (default: the one that it names)',
      parse: (text, previous: readonly string[] | undefined) => [...(previous ?? []), text],
    },
    {
      flags: '--from-wrapping-key <provider=…>',
      text: 'a key of another kind that opens the old message, as --wrapping-key; repeatable',
      parse: (text, previous: readonly WrappingKey[] | undefined) => wrappingKey(text, previous),
    },
    {
      flags: '-o, --output <file>',
      text: 'what to write (default: the message itself, or the record of its keys)',
      completes: 'file',
    },
    ...READING_OPTIONS,
    ...REPORT_OPTIONS.filter(({ flags }) => !flags.startsWith('--metadata')),
  ],
  examples: [
    { text: 'To another key of the KMS.', line: 'waxseal rewrap letter.wax --key alias/next' },
    {
      text: 'The record of a message that is elsewhere, whose header is here.',
      line: 'head -c 65536 backup.wax | waxseal rewrap - --keys backup.wax.keys --key alias/next',
    },
  ],
  run: runRewrap,
}

async function runRewrap(options: Options, [file = '']: readonly (string | undefined)[]): Promise<void> {
  const batch = { ...options, json: false, input: [file], output: options.output ?? file }
  const found = await plan('decrypt', batch)
  const path = file === '-' ? undefined : file
  if (await hasRecord(options, path)) return replaceRecord(options, path)
  await withBothKeys(options, (from, to) =>
    runBatch(found, batch, {
      direction: 'decrypt',
      modeOf: (mode) => mode,
      pass: (_job, output) => ({
        stream: rewrapStream(withRecord(from, options, path), to, {
          ...readingOptions(options),
          maxFrameLength: options.maxFrameLength,
          signedStreams: options.unsignedOnly === true ? 'refuse' : 'allow',
        }),
        output,
        header: () => Promise.reject(new TypeError('nobody is told of this header')),
      }),
    }),
  )
}

function withBothKeys(options: Options, use: (from: Source, to: Source) => Promise<void>): Promise<void> {
  const old = { ...options, key: options.fromKey ?? [], wrappingKey: options.fromWrappingKey ?? [] }
  return withKeys('encrypt', options, (to) => withKeys('decrypt', old, (from) => use(from, to)))
}

/** Whether the message's keys stand in a record. A pipe can be read once only: there `--keys` must say so. */
async function hasRecord({ keys, unsignedOnly }: Options, path: string | undefined): Promise<boolean> {
  const isFile = path !== undefined && (await stat(path).catch(() => undefined))?.isFile() === true
  if (keys === undefined && !isFile) return false
  const header = await readHeader(sourceOf(path, () => undefined))
  if (!isDetached(header)) {
    if (keys === undefined) return false
    throw new CommandError('usage', 'the keys of this message are in its header: leave --keys out')
  }
  if (unsignedOnly === true && header.algorithmSuite.signatureCurve !== undefined) {
    throw new CommandError('policy', 'the message is signed, and --unsigned-only was given')
  }
  return true
}

async function replaceRecord(options: Options, message: string | undefined): Promise<void> {
  const path = recordPath(options, message)
  const record = await readRecordFile(path)
  await withBothKeys(options, async (from, to) => {
    if (!('wrap' in to)) throw new TypeError('keys are wrapped by a keyring')
    const written = await rewrapKeys(from, to, record, readingOptions(options))
    const { output } = options
    const target = output === '-' ? standardOutput(true) : await openOutput(output ?? path, {})
    try {
      await target.write(written)
      await target.commit()
    } catch (error) {
      await target.abandon()
      throw error
    }
  })
}
