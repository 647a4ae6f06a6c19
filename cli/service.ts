import { homedir } from 'node:os'
import { join } from 'node:path'
import { localKms, type LocalKms } from '../kms/providers/local.ts'
import type { OptionRow } from './command.ts'
import { CommandError } from './failure.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly kms?: string
  readonly rootKey?: string
  readonly json?: boolean
}

/** Options of the commands that manage a KMS. */
export interface KmsOptions extends GlobalOptions {
  readonly account?: string
  readonly region?: string
}

export const ACCOUNT_OPTION: OptionRow = {
  flags: '--account <id>',
  text: 'the account of the KMS, twelve digits (default: 000000000000)',
}

export const REGION_OPTION: OptionRow = { flags: '--region <region>', text: 'the Region (default: us-east-1)' }

/**
 * Opens the KMS that the options name, lets `use` work with it and closes it. A KMS is made only where `create` says
 * so: asking a KMS that is not there must not leave an empty one behind.
 */
export async function withKms<T>(
  options: KmsOptions,
  use: (kms: LocalKms) => Promise<T>,
  { create = false }: { readonly create?: boolean } = {},
): Promise<T> {
  const { account, region, rootKey: rootKeyFile } = options
  const kms = await localKms({ directory: directoryOf(options.kms), rootKeyFile, account, region, create })
  try {
    return await use(kms)
  } finally {
    await kms.close()
  }
}

/** Where the embedded KMS is. */
export function directoryOf(kms: string | undefined): string {
  if (kms === undefined) return environment('WAXSEAL_HOME') ?? join(dataHome(), 'waxseal')
  if (/^https?:/.test(kms) || kms === 'aws') {
    throw new CommandError('usage', `--kms takes a directory in this version, not ${kms}`)
  }
  return kms
}

/** Where programs keep a user's data. */
function dataHome(): string {
  const { platform } = process
  const named = environment(platform === 'win32' ? 'LOCALAPPDATA' : 'XDG_DATA_HOME')
  if (named !== undefined) return named
  if (platform === 'win32') return join(homedir(), 'AppData', 'Local')
  return platform === 'darwin' ? join(homedir(), 'Library', 'Application Support') : join(homedir(), '.local', 'share')
}

/** A variable that is set to something: an empty one counts as not set (XDG Base Directory Specification). */
function environment(name: string): string | undefined {
  const value = process.env[name]
  return value === '' ? undefined : value
}
