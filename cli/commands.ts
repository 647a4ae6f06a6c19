import { catRow } from './cat.ts'
import type { CommandRow } from './command.ts'
import { completionRow } from './completion.ts'
import { decryptRow } from './decrypt.ts'
import { encryptRow } from './encrypt.ts'
import { EXIT_CODE_TEXTS } from './failure.ts'
import { iamRow } from './iam.ts'
import { inspectRow } from './inspect.ts'
import { kmsRow } from './kms.ts'
import { manualRow } from './manual.ts'
import { rewrapRow } from './rewrap.ts'
import { serveRow } from './serve.ts'

const EXIT_CODES_LINE = `Exit codes: ${EXIT_CODE_TEXTS.map(([code, text]) => `${code} ${text}`).join(', ')}.`

/** Every command and option there is. */
export const waxseal: CommandRow = {
  name: 'waxseal',
  text: 'Encrypts and decrypts data in the AWS Encryption SDK message format, under keys of a KMS.',
  details: [EXIT_CODES_LINE],
  options: [
    {
      flags: '--kms <directory>',
      text: 'the KMS to use (default: $WAXSEAL_HOME, else waxseal in your data directory)',
      completes: 'folder',
    },
    {
      flags: '--root-key <file>',
      text: 'the root key of the KMS, where it is not in its default place',
      completes: 'file',
    },
    { flags: '--json', text: 'print what there is to print as JSON' },
  ],
  commands: [
    encryptRow,
    decryptRow,
    catRow,
    rewrapRow,
    inspectRow,
    kmsRow,
    iamRow,
    serveRow,
    completionRow(() => waxseal),
    manualRow(() => waxseal),
  ],
}
