import { algorithmSuites, encrypt, inspect, type AlgorithmSuiteName, type EncryptOptions } from '../src/index.ts'
import { frameLength, suiteName } from './arguments.ts'
import { plan, runBatch } from './batch.ts'
import type { CommandRow } from './command.ts'
import { BASE64_OPTIONS, FILE_OPTIONS, messageOptions, REPORT_OPTIONS, type CryptOptions } from './file-options.ts'
import { keyOptions, withKeys } from './keys.ts'
import { wholeMessage } from './whole-message.ts'

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
    { flags: '--frame-length <bytes>', text: 'plaintext bytes of each frame (default: 4096)', parse: frameLength },
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
  await withKeys('encrypt', options, (keyring) =>
    runBatch(found, options, {
      direction: 'encrypt',
      // A message is no more secret than what it was made of.
      modeOf: (mode) => mode,
      pass: () =>
        wholeMessage(async (plaintext) => {
          const message = await encrypt(keyring, plaintext, libraryOptions(options))
          return { output: message, header: inspect(message) }
        }),
    }),
  )
}

function libraryOptions(options: Options): EncryptOptions {
  return {
    encryptionContext: options.context,
    requiredEncryptionContextKeys: options.requiredEncryptionContextKeys,
    algorithmSuite: options.suite,
    frameLength: options.frameLength,
    commitmentPolicy: options.commitmentPolicy,
    maxEncryptedDataKeys: options.maxEncryptedDataKeys,
  }
}
