import { kmsKeyring, type KmsProvider } from '../kms/index.ts'
import { multiKeyring, type Keyring, type MaterialsManager } from '../src/index.ts'
import { withCache, type Caching } from './caching.ts'
import type { OptionRow } from './command.ts'
import { CommandError } from './failure.ts'
import { withKms, type GlobalOptions } from './service.ts'
import {
  needsKms,
  openWrappingKey,
  wrappingKey,
  WRAPPING_KEY_HELP,
  type KeyUse,
  type OpenKey,
  type WrappingKey,
} from './wrapping-key.ts'

export interface KeyOptions extends GlobalOptions {
  readonly key?: readonly string[]
  readonly wrappingKey?: readonly WrappingKey[]
  readonly caching?: Caching
}

/** The options that name keys; the text says what the first two are for. */
export function keyOptions(purpose: string): readonly OptionRow[] {
  return [
    {
      flags: '-k, --key <key>',
      text: `id, ARN or alias/… of a key of the KMS ${purpose}; repeatable`,
      parse: (text, previous: readonly string[] | undefined) => [...(previous ?? []), text],
    },
    {
      flags: '-w, --wrapping-key <provider=…>',
      text:
        `a key of another kind ${purpose}, repeatable: ${WRAPPING_KEY_HELP}; a comma in a value is written twice, and a ` +
        'passphrase in no file is asked for at the terminal',
      parse: (text, previous: readonly WrappingKey[] | undefined) => wrappingKey(text, previous),
    },
  ]
}

/**
 * Opens the keys that the options name, and the KMS where one is needed, lets `use` work with them and closes all.
 * Decryption without a key named is by whatever key of the KMS a message names.
 */
export async function withKeys<T>(
  direction: 'encrypt' | 'decrypt',
  options: KeyOptions,
  use: (source: Keyring | MaterialsManager) => Promise<T>,
): Promise<T> {
  const { key = [], wrappingKey: others = [], caching } = options
  const isNamed = key.length > 0 || others.length > 0
  if (direction === 'encrypt' && !isNamed) {
    throw new CommandError('usage', 'name what to encrypt under: --key KEY or --wrapping-key provider=…')
  }
  const useAll = (keyring: Keyring): Promise<T> => withCache(keyring, caching, use)
  const open = (kms?: KmsProvider): Promise<T> =>
    withWrappingKeys(others, { direction, kms }, (keyrings) => useAll(join([...ofKms(key, kms), ...keyrings])))
  if (isNamed && key.length === 0 && !others.some(needsKms)) return open()
  return withKms(options, async ({ provider }) =>
    isNamed ? open(provider) : useAll(kmsKeyring({ provider, discovery: true })),
  )
}

/** Opens the keys one after the other, since some ask at the terminal, and wipes what can be wiped in the end. */
async function withWrappingKeys<T>(
  keys: readonly WrappingKey[],
  purpose: KeyUse,
  use: (keyrings: readonly Keyring[]) => Promise<T>,
): Promise<T> {
  const opened: OpenKey[] = []
  try {
    for (const key of keys) opened.push(await openWrappingKey(key, purpose))
    return await use(opened)
  } finally {
    for (const keyring of opened) keyring.dispose?.()
  }
}

function ofKms([generatorKeyId, ...keyIds]: readonly string[], provider: KmsProvider | undefined): readonly Keyring[] {
  if (provider === undefined || generatorKeyId === undefined) return []
  return [kmsKeyring({ provider, generatorKeyId, keyIds })]
}

/** One keyring of all: the first makes the data key, each of the others wraps it as well. */
function join([generator, ...children]: readonly Keyring[]): Keyring {
  if (generator === undefined) throw new CommandError('usage', 'there is no key')
  return children.length === 0 ? generator : multiKeyring({ generator, children })
}
