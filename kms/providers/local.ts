import { createHash } from 'node:crypto'
import { homedir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { createEngine, type Engine, type EngineOptions } from '../engine/index.ts'
import { KmsError } from '../errors.ts'
import type { KmsProvider } from '../provider.ts'
import { sqliteStore } from '../store/sqlite.ts'
import type { Store } from '../store/store.ts'
import { createRootKey, hasRootKey, readRootKey } from './root-key-file.node.ts'

/** Options of {@link localKms}. */
export interface LocalKmsOptions extends Pick<EngineOptions, 'account' | 'region' | 'clock'> {
  /** Where the database is. Made, with mode 0700, if it is not there and `create` is not false. */
  readonly directory: string
  /**
   * The root key's file, outside `directory`: whoever has both has all keys. Default
   * `$XDG_CONFIG_HOME/waxseal/root-keys/…`, or the same in `~/.config`, with a name made from the directory's path.
   */
  readonly rootKeyFile?: string | undefined
  /** Whether a KMS is made where there is none. Default true. */
  readonly create?: boolean | undefined
}

/** A KMS in this process, on files of this machine. */
export interface LocalKms {
  readonly engine: Engine
  readonly provider: KmsProvider
  /** Releases the database; call it before the process ends. */
  close(): Promise<void>
}

/** Name of the database in its directory. */
const DATABASE = 'kms.sqlite'

/**
 * Opens the KMS in a directory. The first time it makes a root key, beside the database's directory and never in it; a
 * root key is never made for a database that holds keys.
 *
 * @throws KmsError `NotFoundException` if there is no KMS and `create` is false
 * @throws KmsError `RootKeyException` if the root key is missing, open to others, or not the one of this KMS
 * @throws RangeError if the root key would be inside the directory
 */
export async function localKms(options: LocalKmsOptions): Promise<LocalKms> {
  const directory = resolve(options.directory)
  const rootKeyFile = resolve(options.rootKeyFile ?? defaultRootKeyFile(directory))
  if (!relative(directory, rootKeyFile).startsWith('..')) {
    throw new RangeError(`the root key must not be in the directory of the database: ${rootKeyFile}`)
  }
  const store = await sqliteStore({ file: join(directory, DATABASE), create: options.create })
  try {
    const rootKey = await openRootKey(store, rootKeyFile)
    const { account, region, clock } = options
    const engine = await createEngine({ store, rootKey, account, region, clock })
    rootKey.fill(0)
    return { engine, provider: engineProvider(engine), close: () => engine.close() }
  } catch (error) {
    await store.close()
    throw error
  }
}

/** Where the root key of a directory is unless it is said. */
export function defaultRootKeyFile(directory: string): string {
  const { XDG_CONFIG_HOME = '' } = process.env
  const configuration = XDG_CONFIG_HOME === '' ? join(homedir(), '.config') : XDG_CONFIG_HOME
  const name = createHash('sha256').update(resolve(directory)).digest('hex').slice(0, 16)
  return join(configuration, 'waxseal', 'root-keys', `${name}.key`)
}

async function openRootKey(store: Store, file: string): Promise<Uint8Array> {
  if (hasRootKey(file)) return readRootKey(file)
  // In a writing transaction, so that of two processes that begin at once one makes the key and the other reads it.
  return store.transaction('write', async (rows) => {
    for (const table of ['meta', 'key', 'material', 'alias'] as const) {
      const [row] = await rows.list(table, { prefix: '', limit: 1 })
      if (row) throw new KmsError('RootKeyException', `the root key of this KMS is missing: put it back at ${file}`)
    }
    return hasRootKey(file) ? readRootKey(file) : createRootKey(file)
  })
}

/** Offers an engine as a provider. Closing remains with the engine. */
export function engineProvider(engine: Engine): KmsProvider {
  return {
    async generateDataKey({ keyId, numberOfBytes, encryptionContext, grantTokens, signal }) {
      const input = { KeyId: keyId, NumberOfBytes: numberOfBytes, ...common(encryptionContext, grantTokens) }
      const answer = await engine.call('GenerateDataKey', input, { signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext, ciphertext: answer.CiphertextBlob }
    },
    async encrypt({ keyId, plaintext, encryptionContext, grantTokens, signal }) {
      const input = { KeyId: keyId, Plaintext: plaintext, ...common(encryptionContext, grantTokens) }
      const answer = await engine.call('Encrypt', input, { signal })
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob }
    },
    async decrypt({ keyId, ciphertext, encryptionContext, grantTokens, signal }) {
      const input = { KeyId: keyId, CiphertextBlob: ciphertext, ...common(encryptionContext, grantTokens) }
      const answer = await engine.call('Decrypt', input, { signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext }
    },
    async resolveKeyId({ keyId, signal }) {
      const answer = await engine.call('DescribeKey', { KeyId: keyId }, { signal })
      return answer.KeyMetadata.Arn
    },
  }
}

function common(
  encryptionContext: Readonly<Record<string, string>>,
  grantTokens: readonly string[] | undefined,
): { EncryptionContext: Readonly<Record<string, string>>; GrantTokens: readonly string[] | undefined } {
  return { EncryptionContext: encryptionContext, GrantTokens: grantTokens }
}
