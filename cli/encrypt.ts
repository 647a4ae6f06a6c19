import { stat } from 'node:fs/promises'
import {
  algorithmSuites,
  encryptStream,
  inspect,
  type AlgorithmSuiteName,
  type EncryptStream,
  type EncryptStreamOptions,
  type Keyring,
  type MaterialsManager,
  type MessageHeader,
} from '../src/index.ts'
import { frameLength, suiteName } from './arguments.ts'
import { plan, runBatch, type Passage } from './batch.ts'
import type { CommandRow } from './command.ts'
import { CACHING_OPTION } from './caching.ts'
import {
  BASE64_OPTIONS,
  FILE_OPTIONS,
  isReported,
  messageOptions,
  REPORT_OPTIONS,
  type CryptOptions,
} from './file-options.ts'
import { recordOption, recordPath } from './detached-keys.ts'
import { CommandError } from './failure.ts'
import { keyOptions, withKeys } from './keys.ts'
import type { Job } from './jobs.ts'
import { openOutput, type Output } from './output-file.ts'
import { isFile, pairedOutput } from './paired-output.ts'

const LARGE_BYTES = 0x100000
const SMALL_FRAME_LENGTH = 4096
const LARGE_FRAME_LENGTH = 65_536

interface Options extends CryptOptions {
  readonly suite?: AlgorithmSuiteName
  readonly frameLength?: number
  readonly detachedKeys?: boolean
}

export const encryptRow: CommandRow = {
  name: 'encrypt',
  text: 'encrypt files or standard input',
  details: [
    'A file appears under its name when it is complete: a failure leaves nothing and changes nothing. New files have ' +
      'the permissions of their inputs.',
  ],
  options: [
    ...FILE_OPTIONS,
    ...keyOptions('to encrypt under'),
    ...messageOptions(
      'a pair that is authenticated with the message and readable in it',
      'the key of a pair of the context that is authenticated and stays out of the message: decryption needs it again',
      'how many keys a message may be encrypted under, 1 to 65535',
    ),
    {
      flags: '--suite <name>',
      text: 'algorithm suite, by name or id (default: 0x0478)',
      parse: suiteName,
      completes: algorithmSuites.map(({ name }) => name),
    },
    {
      flags: '--frame-length <bytes>',
      text: 'plaintext bytes of each frame (default: 4096, for pipes and files of 1 MiB and more 65536)',
      parse: frameLength,
    },
    {
      flags: '--detached-keys',
      text: 'put the keys in a record beside the message, which rewrap replaces without reading the message',
    },
    recordOption('where the record of detached keys goes'),
    CACHING_OPTION,
    ...BASE64_OPTIONS,
    ...REPORT_OPTIONS,
  ],
  examples: [
    {
      text: 'A file, with a pair of context.',
      line: 'waxseal encrypt -i letter -o letter.wax --key alias/demo --context tenant=a',
    },
    { text: 'A folder, message by message.', line: 'waxseal encrypt -r -i documents -o vault --key alias/demo' },
    {
      text: 'A large file, whose keys stand beside it in backup.tar.wax.keys.',
      line: 'waxseal encrypt -i backup.tar -o backup.tar.wax --detached-keys --key alias/demo',
    },
    {
      text: 'Under a passphrase, which is asked for.',
      line: 'waxseal encrypt -i letter -o letter.wax -w provider=passphrase',
    },
    {
      text: 'An archive from a pipe, as text, under a key in a file.',
      line: 'tar -c documents | waxseal encrypt --encode -w provider=raw-aes,namespace=app,name=k1,file=k1.key > documents.txt',
    },
  ],
  run: runEncrypt,
}

async function runEncrypt(options: Options): Promise<void> {
  if (options.keys !== undefined && options.detachedKeys !== true) {
    throw new CommandError('usage', '--keys goes with --detached-keys')
  }
  const found = await plan('encrypt', options)
  await withKeys('encrypt', options, (source) =>
    runBatch(found, options, {
      direction: 'encrypt',
      // A message is no more secret than what it was made of.
      modeOf: (mode) => mode,
      pass: async (job, output) =>
        job.keys === undefined
          ? watched(encryptStream(source, libraryOptions(options, job)), options, output)
          : detaching(source, options, job, output),
    }),
  )
}

/** The message to its output, the record of its keys to a file: both or none. */
async function detaching(
  source: Keyring | MaterialsManager,
  options: Options,
  job: Job,
  output: Output,
): Promise<Passage> {
  const stream = encryptStream(source, { ...libraryOptions(options, job), detachedKeys: true })
  const path = job.keys ?? ''
  // A device has no place beside it.
  if (options.keys === undefined && !isFile(output)) recordPath(options, undefined)
  const { overwrite } = options
  const record = await openOutput(path, { overwrite, mode: await modeOf(job) })
  if (isFile(record))
    return watched(
      stream,
      options,
      pairedOutput(output, record, () => stream.keys),
    )
  await record.abandon()
  throw new CommandError('other', `cannot write ${path}: it is no regular file`)
}

async function modeOf({ input }: Job): Promise<number | undefined> {
  const stats = input === undefined ? undefined : await stat(input).catch(() => undefined)
  return stats?.isFile() === true ? stats.mode & 0o777 : undefined
}

function watched({ readable, writable }: EncryptStream, options: Options, output: Output): Passage {
  if (!isReported(options)) return { stream: { readable, writable }, output, header: unknownHeader }
  let header: MessageHeader | undefined
  // The first chunk is the header.
  const watching = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      header ??= inspect(chunk)
      controller.enqueue(chunk)
    },
  })
  const stream = { readable: readable.pipeThrough(watching), writable }
  return { stream, output, header: async () => header ?? unknownHeader() }
}

function unknownHeader(): never {
  throw new TypeError('the header is not known')
}

/**
 * Frames of a small file are those of the other Encryption SDKs; of a large one, and of a pipe, frames that cost less
 * each.
 */
function frameLengthFor({ size }: Job): number {
  return size !== undefined && size < LARGE_BYTES ? SMALL_FRAME_LENGTH : LARGE_FRAME_LENGTH
}

function libraryOptions(options: Options, job: Job): Omit<EncryptStreamOptions, 'detachedKeys'> {
  return {
    plaintextLength: options.caching === undefined ? undefined : job.size,
    encryptionContext: options.context,
    requiredEncryptionContextKeys: options.requiredEncryptionContextKeys,
    algorithmSuite: options.suite,
    frameLength: options.frameLength ?? frameLengthFor(job),
    commitmentPolicy: options.commitmentPolicy,
    maxEncryptedDataKeys: options.maxEncryptedDataKeys,
  }
}
