import {
  algorithmSuites,
  encryptStream,
  inspect,
  type AlgorithmSuiteName,
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
import { keyOptions, withKeys } from './keys.ts'
import type { Job } from './jobs.ts'
import type { Output } from './output-file.ts'

const LARGE_BYTES = 0x100000
const SMALL_FRAME_LENGTH = 4096
const LARGE_FRAME_LENGTH = 65_536

interface Options extends CryptOptions {
  readonly suite?: AlgorithmSuiteName
  readonly frameLength?: number
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
      text: 'An archive from a pipe, as text, under a key in a file.',
      line: 'tar -c documents | waxseal encrypt --encode -w provider=raw-aes,namespace=app,name=k1,file=k1.key > documents.txt',
    },
  ],
  run: runEncrypt,
}

async function runEncrypt(options: Options): Promise<void> {
  const found = await plan('encrypt', options)
  await withKeys('encrypt', options, (source) =>
    runBatch(found, options, {
      direction: 'encrypt',
      // A message is no more secret than what it was made of.
      modeOf: (mode) => mode,
      pass: (job, output) => sealing(source, options, job, output),
    }),
  )
}

function sealing(source: Keyring | MaterialsManager, options: Options, job: Job, output: Output): Passage {
  const { readable, writable } = encryptStream(source, libraryOptions(options, job))
  if (!isReported(options)) return { stream: { readable, writable }, output, header: unknownHeader }
  let header: MessageHeader | undefined
  // The first chunk is the header.
  const watched = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      header ??= inspect(chunk)
      controller.enqueue(chunk)
    },
  })
  const stream = { readable: readable.pipeThrough(watched), writable }
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

function libraryOptions(options: Options, job: Job): EncryptStreamOptions {
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
