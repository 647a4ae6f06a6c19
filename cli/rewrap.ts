import { rewrapStream } from '../src/rewrap.ts'
import { plan, runBatch } from './batch.ts'
import type { CommandRow } from './command.ts'
import { READING_OPTIONS, readingOptions, type ReadingOptions } from './decrypt.ts'
import { REPORT_OPTIONS } from './file-options.ts'
import { keyOptions, withKeys } from './keys.ts'
import { wrappingKey, type WrappingKey } from './wrapping-key.ts'

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
    { flags: '-o, --output <file>', text: 'what to write (default: the message itself)', completes: 'file' },
    ...READING_OPTIONS,
    ...REPORT_OPTIONS.filter(({ flags }) => !flags.startsWith('--metadata')),
  ],
  examples: [{ text: 'To another key of the KMS.', line: 'waxseal rewrap letter.wax --key alias/next' }],
  run: runRewrap,
}

async function runRewrap(options: Options, [file = '']: readonly (string | undefined)[]): Promise<void> {
  const batch = { ...options, json: false, input: [file], output: options.output ?? file }
  const found = await plan('decrypt', batch)
  const old = { ...options, key: options.fromKey ?? [], wrappingKey: options.fromWrappingKey ?? [] }
  await withKeys('encrypt', options, (to) =>
    withKeys('decrypt', old, (from) =>
      runBatch(found, batch, {
        direction: 'decrypt',
        modeOf: (mode) => mode,
        pass: (_job, output) => ({
          stream: rewrapStream(from, to, {
            ...readingOptions(options),
            maxFrameLength: options.maxFrameLength,
            signedStreams: options.unsignedOnly === true ? 'refuse' : 'allow',
          }),
          output,
          header: () => Promise.reject(new TypeError('nobody is told of this header')),
        }),
      }),
    ),
  )
}
