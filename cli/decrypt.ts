import { decryptStream, UnsupportedError, type DecryptStreamOptions, type MaterialsManager } from '../src/index.ts'
import { countUpTo } from './arguments.ts'
import { plan, runBatch, type Passage } from './batch.ts'
import { CACHING_OPTION } from './caching.ts'
import type { CommandRow, OptionRow } from './command.ts'
import { recordOption, withRecord, type RecordOptions } from './detached-keys.ts'
import { CommandError } from './failure.ts'
import { BASE64_OPTIONS, FILE_OPTIONS, messageOptions, REPORT_OPTIONS, type CryptOptions } from './file-options.ts'
import { heldOutput } from './held-output.ts'
import { keyOptions, withKeys } from './keys.ts'
import type { Output } from './output-file.ts'

/** What may be asked of a message that is read. */
export interface ReadingOptions extends CryptOptions, RecordOptions {
  readonly unsignedOnly?: boolean
  readonly maxFrameLength?: number
}

export const READING_OPTIONS: readonly OptionRow[] = [
  ...messageOptions(
    'a pair that the message must carry',
    'the key of a pair of the context that the message need not carry: it is authenticated all the same',
    'refuse a message with more keys, 1 to 65535 (default: 64)',
  ),
  recordOption('the record of detached keys'),
  { flags: '--unsigned-only', text: 'refuse signed messages' },
  {
    flags: '--max-frame-length <bytes>',
    text: 'refuse longer frames, each of which is held in memory until it is verified (default: 16777216)',
    parse: countUpTo(2 ** 50),
  },
]

export const decryptRow: CommandRow = {
  name: 'decrypt',
  text: 'decrypt messages from files or standard input',
  details: [
    'Without a key, by the keys of the KMS that the messages name. A file appears under its name when all of it is ' +
      "verified: a failure leaves nothing and changes nothing. New files are their owner's alone.",
    'Standard output gets each frame as soon as it is verified; that the message is whole is told by exit code 0 alone. ' +
      'Of a signed message it gets nothing before the signature is verified, and no more than 32 MiB.',
  ],
  options: [
    ...FILE_OPTIONS,
    ...keyOptions('to decrypt by'),
    ...READING_OPTIONS,
    CACHING_OPTION,
    ...BASE64_OPTIONS,
    ...REPORT_OPTIONS,
  ],
  examples: [
    {
      text: 'A file, if its context has the pair.',
      line: 'waxseal decrypt -i letter.wax -o letter --context tenant=a',
    },
    {
      text: 'A message from a pipe, whose keys are in a record.',
      line: 'curl -s https://example.com/backup.wax | waxseal decrypt --keys backup.wax.keys > backup',
    },
    { text: 'Every message of a folder.', line: 'waxseal decrypt -r -i vault -o documents' },
  ],
  run: runDecrypt,
}

async function runDecrypt(options: ReadingOptions): Promise<void> {
  const found = await plan('decrypt', options)
  await withKeys('decrypt', options, (source) =>
    runBatch(found, options, {
      direction: 'decrypt',
      // What is secret again is its owner's alone, whoever might read the message.
      modeOf: (mode) => (mode & 0o700) | 0o600,
      pass: (job, output) => opening(withRecord(source, options, job.input), options, output),
    }),
  )
}

function opening(source: MaterialsManager, options: ReadingOptions, output: Output): Passage {
  const stream = decryptStream(source, {
    ...readingOptions(options),
    maxFrameLength: options.maxFrameLength,
    signedStreams: options.unsignedOnly === true ? 'refuse' : 'allow',
  })
  const isSigned = async (): Promise<boolean> => (await stream.header).algorithmSuite.signatureCurve !== undefined
  return {
    stream,
    output: output.isImmediate ? heldOutput(output, isSigned) : output,
    header: () => stream.header,
    explain: (error) => (options.unsignedOnly === true ? explainSigned(error) : error),
  }
}

/** The only thing that Node's runtime does not support in a message is what was asked not to be. */
export function explainSigned(error: unknown): unknown {
  if (!(error instanceof UnsupportedError)) return error
  return new CommandError('policy', 'the message is signed, and --unsigned-only was given', { cause: error })
}

export function readingOptions(options: ReadingOptions): DecryptStreamOptions {
  return {
    encryptionContext: options.context,
    requiredEncryptionContextKeys: options.requiredEncryptionContextKeys,
    commitmentPolicy: options.commitmentPolicy,
    maxEncryptedDataKeys: options.maxEncryptedDataKeys,
  }
}
