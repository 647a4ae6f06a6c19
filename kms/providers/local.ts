import { scopeOf } from '../engine/arn.ts'
import { createEngine, rotateRootKey, type Engine, type EngineOptions } from '../engine/index.ts'
import type { KmsPairProvider, KmsProvider } from '../provider.ts'
import { sqliteStore } from '../store/sqlite.ts'
import { localFiles, openRootKey } from './local-files.node.ts'
import { createNextRootKey, installNextRootKey } from './root-key-file.node.ts'

export { defaultRootKeyFile } from './local-files.node.ts'

/** Options of {@link localKms}. */
export interface LocalKmsOptions extends Pick<EngineOptions, 'account' | 'region' | 'regions' | 'clock' | 'keyStores'> {
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
  const { account, region, regions, clock, keyStores, create = true } = options
  for (const name of regions ?? [region]) scopeOf({ account, region: name })
  const { database, rootKeyFile } = localFiles(options)
  const store = await sqliteStore({ file: database, create })
  let rootKey: Uint8Array | undefined
  try {
    rootKey = await openRootKey(store, rootKeyFile, create)
    const engine = await createEngine({ store, rootKey, account, region, regions, clock, keyStores })
    const providerIn = (region: string): LocalKms['provider'] => engineProvider(engine, region)
    return { engine, provider: providerIn(engine.region), providerIn, close: () => engine.close() }
  } catch (error) {
    await store.close()
    throw error
  } finally {
    rootKey?.fill(0)
  }
}

/**
 * Puts the KMS in a directory under a new root key: everything in it is sealed again. The old key is kept beside the new
 * one, in the file that is answered: it opens copies of the database from before, and while it is there, what was deleted
 * since can be had from such a copy. No other process may have the KMS open; one that has fails from then on. The keys in
 * the KMS stay, as do those of its log and of grant tokens, which whoever had the old root key and the database may have.
 *
 * @throws as {@link localKms}; nothing is changed then. After an interruption the KMS opens under the old key or the new.
 */
export async function rotateLocalRootKey(
  options: Omit<LocalKmsOptions, 'create' | 'regions' | 'keyStores'>,
): Promise<{ readonly rootKeyFile: string; readonly oldRootKeyFile: string }> {
  const { account, region, clock } = options
  const { database, rootKeyFile } = localFiles(options)
  const store = await sqliteStore({ file: database, create: false })
  const keys: Uint8Array[] = []
  try {
    const rootKey = await openRootKey(store, rootKeyFile, false)
    keys.push(rootKey)
    const newRootKey = (): Uint8Array => {
      const key = createNextRootKey(rootKeyFile)
      keys.push(key)
      return key
    }
    await rotateRootKey({ store, rootKey, newRootKey, account, region, clock })
    return { rootKeyFile, oldRootKeyFile: installNextRootKey(rootKeyFile, rootKey, keys[1]!) }
  } finally {
    for (const key of keys) key.fill(0)
    await store.close()
  }
}

/**
 * Offers an engine as a provider of one of its Regions, by default the first. Closing remains with the engine.
 *
 * @throws RangeError for a Region that is not one of the engine's
 */
export function engineProvider(engine: Engine, region: string = engine.region): KmsProvider & KmsPairProvider {
  if (!engine.regions.includes(region)) throw new RangeError(`this KMS has no Region ${region}`)
  return { region, ...symmetricOf(engine, region), ...pairsOf(engine, region) }
}

function symmetricOf(engine: Engine, region: string): KmsProvider {
  return {
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
      const answer = await engine.call('GenerateDataKeyWithoutPlaintext', input, { region, signal })
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob }
    },
    async reEncrypt({ keyId, ciphertext, encryptionContext, destinationEncryptionContext, grantTokens, signal }) {
      const source = { SourceKeyId: keyId, CiphertextBlob: ciphertext, SourceEncryptionContext: encryptionContext }
      const destination = { DestinationKeyId: keyId, DestinationEncryptionContext: destinationEncryptionContext }
      const input = { ...source, ...destination, GrantTokens: grantTokens }
      const answer = await engine.call('ReEncrypt', input, { region, signal })
      return { keyId: answer.KeyId, ciphertext: answer.CiphertextBlob }
    },
  }
}

function pairsOf(engine: Engine, region: string): KmsPairProvider {
  return {
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
