import { open } from 'node:fs/promises'
import { InvalidArgumentError } from 'commander'
import { fileHandleSource, httpSource, openMessage, type OpenedMessage, type RandomAccessSource } from '../src/range.ts'
import type { CommandRow } from './command.ts'
import { READING_OPTIONS, readingOptions, type ReadingOptions } from './decrypt.ts'
import { withRecord } from './detached-keys.ts'
import { CommandError } from './failure.ts'
import { fileError } from './file-error.ts'
import { keyOptions, withKeys } from './keys.ts'
import { openOutput } from './output-file.ts'
import { standardOutput } from './output.ts'

/** Plaintext that is read at a time. */
const WINDOW_BYTES = 0x400000

/** The first and the last byte of a range; one of them may be left out, as in HTTP (RFC 9110 §14.1.2). */
interface Range {
  readonly first: number | undefined
  readonly last: number | undefined
}

interface Options extends Omit<ReadingOptions, 'output'> {
  readonly range?: Range
  readonly output?: string
  readonly ignoreSignature?: boolean
}

export const catRow: CommandRow = {
  name: 'cat',
  text: 'decrypt a range of a message in a file or behind a URL, reading only the frames that hold it',
  details: [
    'Every byte is authentic for its place. That the message ends where it seems to is verified when the range reaches ' +
      'its end. A server must answer ranges, and send an ETag with them.',
  ],
  arguments: [{ name: '<source>', text: 'a file, or an http:// or https:// URL', completes: 'file' }],
  options: [
    {
      flags: '--range <a-b>',
      text: 'the first and the last byte, from 0 on; a- is to the end, -n the last n (default: all)',
      parse: byteRange,
    },
    { flags: '-o, --output <file>', text: 'what to write (default: standard output)', completes: 'file' },
    ...keyOptions('to decrypt by'),
    ...READING_OPTIONS.filter(({ flags }) => flags !== '--unsigned-only'),
    {
      flags: '--ignore-signature',
      text: 'read signed messages too, whose signature is not verified: it covers the whole message',
    },
  ],
  examples: [
    { text: 'The first hundred bytes.', line: 'waxseal cat --range 0-99 log.wax' },
    {
      text: 'The last kibibyte of an object on a server.',
      line: 'waxseal cat --range -1024 https://example.com/log.wax',
    },
  ],
  run: runCat,
}

/** Reads `a-b`, `a-` or `-n`. */
export function byteRange(text: string): Range {
  const [, first, last] = /^(\d*)-(\d*)$/.exec(text) ?? []
  const range = { first: numberOf(first), last: numberOf(last) }
  const isOrdered = range.first === undefined || range.last === undefined || range.first <= range.last
  if (first === undefined || (range.first ?? range.last) === undefined || !isOrdered) {
    throw new InvalidArgumentError('it must be a-b with a not beyond b, a- or -n')
  }
  return range
}

function numberOf(digits: string | undefined): number | undefined {
  if (digits === undefined || digits === '') return undefined
  const value = Number(digits)
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('it is beyond every message')
  return value
}

async function runCat(options: Options, [name = '']: readonly (string | undefined)[]): Promise<void> {
  await withSource(name, (source) =>
    withKeys('decrypt', options, async (keyring) => {
      const path = isUrl(name) ? undefined : name
      const message = await openMessage(withRecord(keyring, options, path), source, {
        ...readingOptions(options),
        maxFrameLength: options.maxFrameLength,
        signedStreams: options.ignoreSignature === true ? 'allow' : 'refuse',
      })
      try {
        await write(message, options)
      } finally {
        message.dispose()
      }
    }),
  )
}

function isUrl(name: string): boolean {
  return /^https?:\/\//.test(name)
}

async function withSource<T>(name: string, use: (source: RandomAccessSource) => Promise<T>): Promise<T> {
  if (isUrl(name)) return use(httpSource(name))
  const file = await open(name, 'r').catch((error: unknown) => {
    throw fileError('read', name, error)
  })
  try {
    const stats = await file.stat()
    if (!stats.isFile()) {
      throw new CommandError('other', `cannot read ${name}: ranges are read of regular files and URLs`)
    }
    return await use(fileHandleSource(file))
  } finally {
    await file.close()
  }
}

async function write(message: OpenedMessage, { range, output }: Options): Promise<void> {
  const { start, end } = await boundsOf(message, range)
  const target = output === undefined || output === '-' ? standardOutput(output === '-') : await openOutput(output, {})
  try {
    for (let at = start; at < end; at += WINDOW_BYTES) {
      await target.write(await message.read(at, Math.min(at + WINDOW_BYTES, end)))
    }
    await target.commit()
  } catch (error) {
    await target.abandon()
    throw error
  }
}

/** Where the range begins and ends. Its end is looked up, and verified, only where the range may reach it. */
async function boundsOf(message: OpenedMessage, range: Range | undefined): Promise<{ start: number; end: number }> {
  const { first, last } = range ?? { first: 0, last: undefined }
  if (first !== undefined && last !== undefined && last < message.size) return { start: first, end: last + 1 }
  const { size } = message
  await message.read(size)
  if (first === undefined) return { start: Math.max(size - (last ?? 0), 0), end: size }
  if (first > size) throw new CommandError('usage', `the range begins behind the end: the plaintext has ${size} bytes`)
  return { start: first, end: size }
}
