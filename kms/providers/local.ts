import { createHash } from 'node:crypto'
import { existsSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { scopeOf } from '../engine/arn.ts'
import { createEngine, type Engine, type EngineOptions } from '../engine/index.ts'
import { KmsError } from '../errors.ts'
import type { KmsPairProvider, KmsProvider } from '../provider.ts'
import { sqliteStore } from '../store/sqlite.ts'
import { TABLES, type Store, type StoreTransaction } from '../store/store.ts'
import { createRootKey, hasRootKey, readRootKey } from './root-key-file.node.ts'

/** Options of {@link localKms}. */
export interface LocalKmsOptions extends Pick<EngineOptions, 'account' | 'region' | 'regions' | 'clock'> {
  /** Where the database is. Made, with mode 0700, if it is not there and `create` is not false. */
  readonly directory: string
  /**
   * The root key's file, outside `directory`: whoever has both has all keys. Default
   * `$XDG_CONFIG_HOME/waxseal/root-keys/…` (Windows: `%APPDATA%`), else the same in `~/.config`, with a name made from
   * the directory's path: when the directory moves, give the file.
   */
  readonly rootKeyFile?: string | undefined
  /** Whether a KMS is made where there is none. Default true. */
  readonly create?: boolean | undefined
}

/** A KMS in this process, on files of this machine. */
export interface LocalKms {
  readonly engine: Engine
  /** In the first Region. */
  readonly provider: KmsProvider & KmsPairProvider
  /** In another one, as `kmsKeyring` asks for it. @throws RangeError for a Region that this KMS has not */
  readonly providerIn: (region: string) => KmsProvider & KmsPairProvider
  /** Releases the database; call it before the process ends. */
  readonly close: () => Promise<void>
}

/** Name of the database in its directory. */
const DATABASE = 'kms.sqlite'

/**
 * Opens the KMS in a directory. The first time it makes a root key, outside the directory; a root key is never made for
 * a database that is in use.
 *
 * @throws KmsError `NotFoundException` if there is no KMS and `create` is false; nothing is made
 * @throws KmsError `RootKeyException` if the root key is missing, open to others, or not the one of this KMS; nothing
 *   is changed
 * @throws RangeError if the root key would be inside the directory, or account or region are not in their form
 */
export async function localKms(options: LocalKmsOptions): Promise<LocalKms> {
  const { account, region, regions, clock, create = true } = options
  for (const name of regions ?? [region]) scopeOf({ account, region: name })
  const directory = realPath(options.directory)
  const rootKeyFile = realPath(options.rootKeyFile ?? defaultRootKeyFile(directory))
  if (isInside(directory, rootKeyFile)) {
    throw new RangeError(`the root key must not be in the directory of the database: ${rootKeyFile}`)
  }
  const store = await sqliteStore({ file: join(directory, DATABASE), create })
  let rootKey: Uint8Array | undefined
  try {
    rootKey = await openRootKey(store, rootKeyFile, create)
    const engine = await createEngine({ store, rootKey, account, region, regions, clock })
    const providerIn = (region: string): LocalKms['provider'] => engineProvider(engine, region)
    return { engine, provider: providerIn(engine.region), providerIn, close: () => engine.close() }
  } catch (error) {
    await store.close()
    throw error
  } finally {
    rootKey?.fill(0)
  }
}

/** The absolute path without symbolic links, as far as it exists: one directory has one name. */
function realPath(path: string): string {
  const absolute = resolve(path)
  if (existsSync(absolute)) return realpathSync(absolute)
  const parent = dirname(absolute)
  return parent === absolute ? absolute : join(realPath(parent), basename(absolute))
}

function isInside(directory: string, file: string): boolean {
  const path = relative(directory, file)
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path)
}

/** Where the root key of a directory is unless it is said. */
export function defaultRootKeyFile(directory: string): string {
  const { XDG_CONFIG_HOME = '', APPDATA = '' } = process.env
  const configured = process.platform === 'win32' ? APPDATA : XDG_CONFIG_HOME
  // A relative path is to be ignored (XDG Base Directory Specification).
  const configuration = isAbsolute(configured) ? configured : join(homedir(), '.config')
  const name = createHash('sha256').update(realPath(directory)).digest('hex').slice(0, 16)
  return join(configuration, 'waxseal', 'root-keys', `${name}.key`)
}

async function openRootKey(store: Store, file: string, create: boolean): Promise<Uint8Array> {
  if (!(await store.transaction('read', isEmpty))) return readRootKeyInUse(file)
  if (!create) throw new KmsError('NotFoundException', 'there is no KMS here: its database is empty')
  // In a writing transaction, so that of two processes that begin at once one makes the key and the other reads it.
  return store.transaction('write', async (rows) => {
    if (!(await isEmpty(rows))) return readRootKeyInUse(file)
    return hasRootKey(file) ? readRootKey(file) : createRootKey(file)
  })
}

async function isEmpty(rows: StoreTransaction): Promise<boolean> {
  for (const table of TABLES) {
    const [row] = await rows.list(table, { prefix: '', limit: 1 })
    if (row) return false
  }
  return true
}

function readRootKeyInUse(file: string): Uint8Array {
  if (hasRootKey(file)) return readRootKey(file)
  throw new KmsError('RootKeyException', `the root key of this KMS is missing: put it back at ${file}`)
}

/**
 * Offers an engine as a provider of one of its Regions, by default the first. Closing remains with the engine.
 *
 * @throws RangeError for a Region that is not one of the engine's
 */
export function engineProvider(engine: Engine, region: string = engine.region): KmsProvider & KmsPairProvider {
  if (!engine.regions.includes(region)) throw new RangeError(`this KMS has no Region ${region}`)
  return {
    region,
    async generateDataKey({ keyId, numberOfBytes, encryptionContext, grantTokens, signal }) {
      const input = { KeyId: keyId, NumberOfBytes: numberOfBytes, ...common(encryptionContext, grantTokens) }
      const answer = await engine.call('GenerateDataKey', input, { region, signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext, ciphertext: answer.CiphertextBlob }
    },
    async encrypt({ keyId, plaintext, encryptionContext, grantTokens, signal }) {
      const input = { KeyId: keyId, Plaintext: plaintext, ...common(encryptionContext, grantTokens) }
      const answer = await engine.call('Encrypt', input, { region, signal })
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob }
    },
    async decrypt({ keyId, ciphertext, encryptionContext, grantTokens, signal }) {
      const input = { KeyId: keyId, CiphertextBlob: ciphertext, ...common(encryptionContext, grantTokens) }
      const answer = await engine.call('Decrypt', input, { region, signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext }
    },
    async resolveKeyId({ keyId, signal }) {
      const answer = await engine.call('DescribeKey', { KeyId: keyId }, { region, signal })
      return answer.KeyMetadata.Arn
    },
    async generateDataKeyWithoutPlaintext({ keyId, numberOfBytes, encryptionContext, grantTokens, signal }) {
      const input = { KeyId: keyId, NumberOfBytes: numberOfBytes, ...common(encryptionContext, grantTokens) }
      const answer = await engine.call('GenerateDataKeyWithoutPlaintext', input, { signal })
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob }
    },
    async reEncrypt({ keyId, ciphertext, encryptionContext, destinationEncryptionContext, grantTokens, signal }) {
      const source = { SourceKeyId: keyId, CiphertextBlob: ciphertext, SourceEncryptionContext: encryptionContext }
      const destination = { DestinationKeyId: keyId, DestinationEncryptionContext: destinationEncryptionContext }
      const answer = await engine.call('ReEncrypt', { ...source, ...destination, GrantTokens: grantTokens }, { signal })
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob }
    },
    async getPublicKey({ keyId, grantTokens, signal }) {
      const answer = await engine.call('GetPublicKey', { KeyId: keyId, GrantTokens: grantTokens }, { region, signal })
      const { KeyId, PublicKey, KeySpec, KeyUsage } = answer
      return { keyId: KeyId, publicKey: PublicKey, keySpec: KeySpec, keyUsage: KeyUsage }
    },
    async decryptRsa({ keyId, algorithm, ciphertext, grantTokens, signal }) {
      const input = { KeyId: keyId, CiphertextBlob: ciphertext, EncryptionAlgorithm: algorithm }
      const answer = await engine.call('Decrypt', { ...input, GrantTokens: grantTokens }, { region, signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext }
    },
    async deriveSharedSecret({ keyId, publicKey, grantTokens, signal }) {
      const input = { KeyId: keyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: publicKey, GrantTokens: grantTokens }
      const answer = await engine.call('DeriveSharedSecret', input, { region, signal })
      return { keyId: answer.KeyId, sharedSecret: answer.SharedSecret }
    },
  }
}

function common(
  encryptionContext: Readonly<Record<string, string>>,
  grantTokens: readonly string[] | undefined,
): { EncryptionContext: Readonly<Record<string, string>>; GrantTokens: readonly string[] | undefined } {
  return { EncryptionContext: encryptionContext, GrantTokens: grantTokens }
}
