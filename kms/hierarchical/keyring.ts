import { concatBytes, isZero } from '../../bindings/bytes.ts'
import { GcmKey } from '../../bindings/gcm.ts'
import { sha384 } from '../../bindings/hash.ts'
import { kdfCounter } from '../../bindings/kdf-counter.ts'
import { now, type MaybePromise } from '../../bindings/maybe-promise.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import {
  FormatError,
  KeyUnavailableError,
  unwrapFailure,
  UnsupportedError,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionContext,
  type EncryptionMaterials,
  type Keyring,
} from '../../src/index.ts'
import { branchKeyCache, LocalBranchKeyCache, type BranchKeyCache } from './branch-key-cache.ts'
import {
  assertBranchKeyStore,
  assertName,
  BRANCH_KEY_BYTES,
  type BranchKeyMaterials,
  type BranchKeyStore,
} from './branch-key-store.ts'
import { bytesToUuid, isUuid, randomUuid, uuidToBytes } from './uuid.ts'

export interface HierarchicalKeyringOptions {
  readonly branchKeyStore: BranchKeyStore
  /** The branch key of every message: this or the supplier is needed. */
  readonly branchKeyId?: string | undefined
  /** Names the branch key of a message by its encryption context, which on decryption is not authenticated yet. */
  readonly branchKeyIdSupplier?: ((encryptionContext: EncryptionContext) => string) | undefined
  /** Seconds, above 0, that a branch key is used after it was asked for: what it takes to notice a revocation. */
  readonly ttl: number
  /** A cache shared with other keyrings. Default one of its own, of 1000 branch keys. */
  readonly cache?: BranchKeyCache | undefined
  /** Keyrings over one cache share the entries of one partition. Default a random one: nothing is shared. */
  readonly partition?: string | undefined
}

export interface HierarchicalKeyring extends Required<Keyring> {
  /** Wipes the keyring's own cache; one that was given is left to its other users. */
  dispose(): void
}

const PROVIDER_ID = 'aws-kms-hierarchy'
const PROVIDER_ID_BYTES = encodeUtf8(PROVIDER_ID, 'the provider id')

const SALT_BYTES = 16
const IV_BYTES = 12
const VERSION_BYTES = 16
const TAG_BYTES = 16
const VERSION_OFFSET = SALT_BYTES + IV_BYTES
const DATA_KEY_OFFSET = VERSION_OFFSET + VERSION_BYTES

/** First parts of the identifiers of cache entries: resource id 02 (hierarchical keyring), scope id 01 or 02. */
const ENCRYPT_SCOPE = Uint8Array.of(0x02, 0, 0x01)
const DECRYPT_SCOPE = Uint8Array.of(0x02, 0, 0x02)
const NULL = Uint8Array.of(0)

/**
 * Wraps data keys under branch keys, which a KMS protects and a cache holds: the KMS is asked once for each version of a
 * branch key and life of its cache entry, not for each message. The encryption context is bound to each data key.
 *
 * `encryptSync` and `decryptSync` work while the branch key is in the cache, and throw otherwise. Make a new version of
 * a branch key once a year.
 * Source: aws-encryption-sdk-specification, framework/aws-kms/aws-kms-hierarchical-keyring.md; SP 800-108 §4.1.
 *
 * @throws TypeError when the store, the cache or a name is none, or there is not exactly one of `branchKeyId` and
 *   `branchKeyIdSupplier`
 * @throws RangeError when `ttl` is not a number above 0, or a name is empty, too long or has a null character
 */
export function hierarchicalKeyring(options: HierarchicalKeyringOptions): HierarchicalKeyring {
  return new BranchKeyKeyring(options)
}

class BranchKeyKeyring implements HierarchicalKeyring {
  readonly #store: BranchKeyStore
  readonly #branchKeyIdOf: (encryptionContext: EncryptionContext) => string
  readonly #ttl: number
  readonly #cache: LocalBranchKeyCache
  readonly #ownsCache: boolean
  /** partition ‖ 00 ‖ logical key store name, of every cache entry's identifier. */
  readonly #scope: Uint8Array

  constructor(options: HierarchicalKeyringOptions) {
    const { branchKeyStore, ttl, cache, partition = randomUuid() } = options
    assertBranchKeyStore(branchKeyStore)
    assertName(partition, 'partition')
    if (typeof ttl !== 'number' || !(ttl > 0)) throw new RangeError('ttl must be a number of seconds above 0')
    const ownCache = cache ?? branchKeyCache()
    if (!(ownCache instanceof LocalBranchKeyCache)) throw new TypeError('cache must be of branchKeyCache()')
    this.#store = branchKeyStore
    this.#branchKeyIdOf = supplierOf(options)
    this.#ttl = ttl * 1000
    this.#cache = ownCache
    this.#ownsCache = cache === undefined
    this.#scope = concatBytes(encodeUtf8(partition, 'partition'), NULL, encodeUtf8(branchKeyStore.name, 'name'))
  }

  wrap(materials: EncryptionMaterials): MaybePromise<void> {
    const branchKeyId = this.#branchKeyIdOf(materials.encryptionContext)
    const request = {
      id: this.#activeId(branchKeyId),
      ttl: this.#ttl,
      signal: materials.signal,
      load: async (signal: AbortSignal) =>
        checked(await this.#store.getActiveBranchKey({ branchKeyId, signal }), branchKeyId),
      // What is encrypted is often decrypted too: the same key need not be asked for again.
      alias: ({ version }: BranchKeyMaterials) => this.#versionId(branchKeyId, version),
    }
    return this.#cache.use(request, (branchKey) => {
      wrapDataKey(branchKey, materials)
    })
  }

  wrapSync(materials: EncryptionMaterials): void {
    const branchKeyId = this.#branchKeyIdOf(materials.encryptionContext)
    const request = { id: this.#activeId(branchKeyId), ttl: this.#ttl }
    const wrapped = this.#cache.useCached(request, (branchKey) => {
      wrapDataKey(branchKey, materials)
    })
    if (wrapped === undefined) throw notCached(branchKeyId)
  }

  unwrap(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): MaybePromise<Uint8Array | undefined> {
    const branchKeyId = this.#branchKeyIdOf(materials.encryptionContext)
    return this.#openFirst(branchKeyId, materials, encryptedDataKeys, (version, open) => {
      const load = async (signal: AbortSignal): Promise<BranchKeyMaterials> =>
        checked(await this.#store.getBranchKeyVersion({ branchKeyId, version, signal }), branchKeyId, version)
      const request = { id: this.#versionId(branchKeyId, version), ttl: this.#ttl, signal: materials.signal, load }
      return this.#cache.use(request, open)
    })
  }

  unwrapSync(materials: DecryptionMaterials, encryptedDataKeys: readonly EncryptedDataKey[]): Uint8Array | undefined {
    const branchKeyId = this.#branchKeyIdOf(materials.encryptionContext)
    return now(
      this.#openFirst(branchKeyId, materials, encryptedDataKeys, (version, open) => {
        const request = { id: this.#versionId(branchKeyId, version), ttl: this.#ttl }
        const opened = this.#cache.useCached(request, open)
        if (opened === undefined) throw notCached(branchKeyId)
        return opened.result
      }),
    )
  }

  /** Tries its own encrypted data keys in order: those that do not open are recorded. */
  #openFirst(
    branchKeyId: string,
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    withBranchKey: (version: string, open: (key: BranchKeyMaterials) => Uint8Array) => MaybePromise<Uint8Array>,
  ): MaybePromise<Uint8Array | undefined> {
    const { signal } = materials
    const info = encodeUtf8(branchKeyId, 'branchKeyId')
    const own = encryptedDataKeys.filter(
      ({ providerId, providerInfo }) => providerId === PROVIDER_ID && areEqual(providerInfo, info),
    )
    const reasons: unknown[] = []
    const attempt = ({ ciphertext }: EncryptedDataKey): MaybePromise<Uint8Array> => {
      assertCiphertext(ciphertext, materials)
      const version = bytesToUuid(ciphertext.subarray(VERSION_OFFSET, DATA_KEY_OFFSET))
      return withBranchKey(version, (branchKey) => unwrapDataKey(branchKey, ciphertext, materials))
    }
    const next = (index: number): MaybePromise<Uint8Array | undefined> => {
      for (const [offset, encryptedDataKey] of own.slice(index).entries()) {
        signal?.throwIfAborted()
        try {
          const opened = attempt(encryptedDataKey)
          if (!(opened instanceof Promise)) return opened
          return opened.catch((error: unknown) => {
            signal?.throwIfAborted()
            reasons.push(error)
            return next(index + offset + 1)
          })
        } catch (error) {
          reasons.push(error)
        }
      }
      if (reasons.length === 0) return undefined
      throw unwrapFailure(`hierarchical keyring with branch key ${branchKeyId}`, reasons)
    }
    return next(0)
  }

  #activeId(branchKeyId: string): string {
    return this.#entryId(ENCRYPT_SCOPE, encodeUtf8(branchKeyId, 'branchKeyId'))
  }

  #versionId(branchKeyId: string, version: string): string {
    const suffix = concatBytes(encodeUtf8(branchKeyId, 'branchKeyId'), NULL, encodeUtf8(version, 'version'))
    return this.#entryId(DECRYPT_SCOPE, suffix)
  }

  /** Appendix A of the specification: SHA-384 over the parts with null bytes between them. */
  #entryId(scope: Uint8Array, suffix: Uint8Array): string {
    return String.fromCharCode(...sha384(concatBytes(scope, NULL, this.#scope, NULL, suffix)))
  }

  dispose(): void {
    if (this.#ownsCache) this.#cache.dispose()
  }
}

function supplierOf(options: HierarchicalKeyringOptions): (encryptionContext: EncryptionContext) => string {
  const { branchKeyId, branchKeyIdSupplier } = options
  if ((branchKeyId === undefined) === (branchKeyIdSupplier === undefined)) {
    throw new TypeError('hierarchicalKeyring needs either branchKeyId or branchKeyIdSupplier')
  }
  if (branchKeyIdSupplier === undefined) {
    assertName(branchKeyId, 'branchKeyId')
    return () => branchKeyId
  }
  if (typeof branchKeyIdSupplier !== 'function') throw new TypeError('branchKeyIdSupplier must be a function')
  return (encryptionContext) => {
    const supplied: unknown = branchKeyIdSupplier(encryptionContext)
    assertName(supplied, 'what branchKeyIdSupplier answers')
    return supplied
  }
}

/** Names of branch keys are no secrets. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

function notCached(branchKeyId: string): UnsupportedError {
  return new UnsupportedError(
    `branch key ${branchKeyId} is not in the cache: encrypt or decrypt once without waiting for the sync calls`,
  )
}

/** Stores may be anybody's: what they answer is held against what was asked. */
function checked(materials: BranchKeyMaterials, branchKeyId: string, version?: string): BranchKeyMaterials {
  const isKey = materials.branchKey instanceof Uint8Array && materials.branchKey.length === BRANCH_KEY_BYTES
  const isAsked = materials.branchKeyId === branchKeyId && (version === undefined || materials.version === version)
  // Zeros are what is left of a key that was wiped.
  if (isKey && isAsked && isUuid(materials.version) && !isZero(materials.branchKey)) return materials
  if (materials.branchKey instanceof Uint8Array) materials.branchKey.fill(0)
  throw new KeyUnavailableError(`the branch key store answered something else for branch key ${branchKeyId}`)
}

/** salt 16 ‖ IV 12 ‖ version 16 ‖ ciphertext ‖ tag 16. */
function wrapDataKey(branchKey: BranchKeyMaterials, materials: EncryptionMaterials): void {
  if (materials.dataKey === undefined) materials.setDataKey(materials.random(materials.suite.keyBytes))
  const salt = materials.random(SALT_BYTES)
  const iv = materials.random(IV_BYTES)
  const version = uuidToBytes(branchKey.version)
  const sealed = withDerivedKey(branchKey, salt, (cipher) =>
    cipher.seal(iv, materials.dataKey ?? new Uint8Array(0), aadOf(branchKey, version, materials.serializedContext)),
  )
  materials.addEncryptedDataKey({
    providerId: PROVIDER_ID,
    providerInfo: encodeUtf8(branchKey.branchKeyId, 'branchKeyId'),
    ciphertext: concatBytes(salt, iv, version, sealed),
  })
}

function unwrapDataKey(
  branchKey: BranchKeyMaterials,
  ciphertext: Uint8Array,
  { serializedContext }: DecryptionMaterials,
): Uint8Array {
  const iv = ciphertext.subarray(SALT_BYTES, VERSION_OFFSET)
  const version = ciphertext.subarray(VERSION_OFFSET, DATA_KEY_OFFSET)
  return withDerivedKey(branchKey, ciphertext.subarray(0, SALT_BYTES), (cipher) =>
    cipher.open(iv, ciphertext.subarray(DATA_KEY_OFFSET), aadOf(branchKey, version, serializedContext)),
  )
}

function assertCiphertext({ length }: Uint8Array, { suite }: DecryptionMaterials): void {
  const expected = DATA_KEY_OFFSET + suite.keyBytes + TAG_BYTES
  if (length !== expected) {
    throw new FormatError(`the encrypted data key has ${String(length)} bytes, ${suite.name} needs ${String(expected)}`)
  }
}

function withDerivedKey<T>({ branchKey }: BranchKeyMaterials, salt: Uint8Array, use: (cipher: GcmKey) => T): T {
  const derived = kdfCounter('sha256', branchKey, { label: PROVIDER_ID_BYTES, context: salt, length: 32 })
  const cipher = new GcmKey(derived)
  derived.fill(0)
  try {
    return use(cipher)
  } finally {
    cipher.dispose()
  }
}

function aadOf({ branchKeyId }: BranchKeyMaterials, version: Uint8Array, serializedContext: Uint8Array): Uint8Array {
  return concatBytes(PROVIDER_ID_BYTES, encodeUtf8(branchKeyId, 'branchKeyId'), version, serializedContext)
}
