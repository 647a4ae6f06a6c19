import { decrypt, type DecryptOptions } from '../src/index.ts'
import { plan, runBatch } from './batch.ts'
import type { CommandRow } from './command.ts'
import { BASE64_OPTIONS, FILE_OPTIONS, messageOptions, REPORT_OPTIONS, type CryptOptions } from './file-options.ts'
import { keyOptions, withKeys } from './keys.ts'
import { wholeMessage } from './whole-message.ts'

export const decryptRow: CommandRow = {
  name: 'decrypt',
  text: 'decrypt messages from files or standard input',
  details: [
    'Without a key, by the keys of the KMS that the messages name. A file appears under its name when all of it is ' +
      "verified: a failure leaves nothing and changes nothing. New files are their owner's alone.",
  ],
  options: [
    ...FILE_OPTIONS,
    ...keyOptions('to decrypt by'),
    ...messageOptions(
      'a pair that the message must carry',
      'the key of a pair of the context that the message need not carry: it is authenticated all the same',
      'refuse a message with more keys, 1 to 65535 (default: 64)',
    ),
    ...BASE64_OPTIONS,
    ...REPORT_OPTIONS,
  ],
  examples: [
    {
      text: 'A file, if its context has the pair.',
      line: 'waxseal decrypt -i letter.wax -o letter --context tenant=a',
    },
    { text: 'Every message of a folder.', line: 'waxseal decrypt -r -i vault -o documents' },
  ],
  run: runDecrypt,
}

async function runDecrypt(options: CryptOptions): Promise<void> {
  const found = await plan('decrypt', options)
  await withKeys('decrypt', options, (keyring) =>
    runBatch(found, options, {
      direction: 'decrypt',
      // What is secret again is its owner's alone, whoever might read the message.
      modeOf: (mode) => (mode & 0o700) | 0o600,
      pass: () =>
        wholeMessage(async (message) => {
          const { plaintext, header } = await decrypt(keyring, message, libraryOptions(options))
          return { output: plaintext, header }
        }),
    }),
  )
}

function libraryOptions(options: CryptOptions): DecryptOptions {
  return {
    encryptionContext: options.context,
    requiredEncryptionContextKeys: options.requiredEncryptionContextKeys,
    commitmentPolicy: options.commitmentPolicy,
    maxEncryptedDataKeys: options.maxEncryptedDataKeys,
  }
}
