import type { CommitmentPolicy } from '../src/index.ts'
import { contextKey, contextPair, countUpTo } from './arguments.ts'
import type { BatchOptions } from './batch.ts'
import type { OptionRow } from './command.ts'
import { SUFFIX } from './jobs.ts'
import type { KeyOptions } from './keys.ts'
import { PROGRESS_MODES } from './progress.ts'

/** What encrypt and decrypt both take. */
export interface CryptOptions extends BatchOptions, KeyOptions {
  readonly context?: Record<string, string>
  readonly requiredEncryptionContextKeys?: readonly string[]
  readonly commitmentPolicy?: CommitmentPolicy
  readonly maxEncryptedDataKeys?: number
}

const POLICIES: readonly CommitmentPolicy[] = [
  'forbid-encrypt-allow-decrypt',
  'require-encrypt-allow-decrypt',
  'require-encrypt-require-decrypt',
]

/** Whether anybody is told of the headers. */
export function isReported({ json, metadataOutput }: BatchOptions): boolean {
  return json === true || metadataOutput !== undefined
}

/** Which files are read, and where the results go. */
export const FILE_OPTIONS: readonly OptionRow[] = [
  {
    flags: '-i, --input <paths...>',
    text: "what to read: files, folders with -r, patterns such as 'logs/**/*.txt' (default: standard input)",
    completes: 'file',
  },
  {
    flags: '-o, --output <path>',
    text: 'what to write: a file, or a folder for the results (default: standard output for one file or none, else beside each input)',
    completes: 'file',
  },
  { flags: '-r, --recursive', text: 'take every file of the folders that are given, and of the folders in them' },
  {
    flags: '--suffix <text>',
    text: `what the names of messages end in: encrypt adds it, decrypt takes it away, and of a folder takes only such files (default: ${SUFFIX})`,
  },
  { flags: '--overwrite', text: 'replace outputs that exist; this is the default' },
  {
    flags: '--no-overwrite',
    text: 'keep outputs that exist: of several inputs such ones are skipped, a single one fails',
  },
]

/** What is told while the work is done, and after it. */
export const REPORT_OPTIONS: readonly OptionRow[] = [
  {
    flags: '--metadata-output <file>',
    text: 'add a line of JSON for each input to this file, which is no input or output, or - if no result goes to standard output: its paths and its header',
    completes: 'file',
  },
  {
    flags: '--progress <mode>',
    text: 'what standard error shows of work that takes longer than a second (default: auto, a bar if it is a terminal)',
    choices: PROGRESS_MODES,
  },
  { flags: '-q, --quiet', text: 'show no progress and no notes; failures are told all the same' },
]

export const BASE64_OPTIONS: readonly OptionRow[] = [
  { flags: '--encode', text: 'write the output in base64' },
  { flags: '--decode', text: 'read the input as base64' },
]

/** How a message may look. */
export function messageOptions(contextText: string, requiredText: string, limitText: string): readonly OptionRow[] {
  return [
    { flags: '-c, --context <key=value>', text: `${contextText}; repeatable`, parse: contextPair },
    {
      flags: '--required-encryption-context-keys <key>',
      text: `${requiredText}; repeatable`,
      parse: contextKey,
    },
    { flags: '--commitment-policy <policy>', text: 'which suites are allowed', choices: POLICIES },
    { flags: '--max-encrypted-data-keys <n>', text: limitText, parse: countUpTo(0xffff) },
  ]
}
