import { withSymbolDispose } from '../bindings/gcm.ts'
import type { MaybePromise } from '../bindings/maybe-promise.ts'
import { assertWellFormed } from '../bindings/text.ts'
import { characters, decryptionKey, encryptionKey, lengthened } from './cache-key.ts'
import { CachedDecryptionMaterials, CachedEncryptionMaterials } from './cached-materials.ts'
import { snapshotContext } from './context.ts'
import { underlyingManager, type UnderlyingMaterials } from './default-materials.ts'
import { DisposedError, UnsupportedError } from './errors.ts'
import type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptionMaterials,
  EncryptionRequest,
  MaterialsManager,
} from './materials.ts'
import { Entry, type Attempt, type Waiter } from './cache-requests.ts'
import {
  assertInteger,
  LocalCache,
  milliseconds,
  type MaterialsCache,
  type MaterialsCacheOptions,
} from './materials-cache.ts'
import { assertOptions } from './options.ts'

const MAX_MESSAGES = 2 ** 32
const DEFAULT_GRACE_PERIOD_SECONDS = 10
const PARTITION_BYTES = 16

export interface CachingMaterialsOptions extends UnderlyingMaterials, MaterialsCacheOptions {
  /**
   * Seconds that a data key is used, counted from before its key service is asked. A permission that is revoked there
   * takes effect after as long.
   */
  readonly maxAge: number
  /** Most messages that are encrypted under one data key, 1 to 2^32. Default 2^32. */
  readonly maxMessages?: number | undefined
  /**
   * Most plaintext bytes that are encrypted under one data key, 0 to 2^53−1; a longer message gets a data key of its own,
   * which is not kept. Default 2^53−1.
   */
  readonly maxBytes?: number | undefined
  /**
   * Seconds before its end in which an entry is refreshed: one call waits for the new one, while the old one serves all
   * others, and that call as well if the request fails. 0 to `maxAge`; default 10, or a tenth of `maxAge` if that is less.
   */
  readonly gracePeriod?: number | undefined
  /** A cache to share (`materialsCache`); it brings the options of a cache. Default: one of its own. */
  readonly cache?: MaterialsCache | undefined
  /** Managers that share a cache use each other's entries if they have the same partition. Default: a random one. */
  readonly partition?: string | undefined
}

export interface CachingMaterials extends MaterialsManager {
  encryptionMaterialsSync(request: EncryptionRequest): EncryptionMaterials
  decryptionMaterialsSync(request: DecryptionRequest): DecryptionMaterials
  /** Forgets the entries of its partition at once; a data key is wiped when the last message that uses it is done. */
  clear(): void
  /** {@link CachingMaterials.clear}, and ends the calls that wait: they and later ones get `DisposedError`. */
  dispose(): void
}

/**
 * Keeps the data keys of a keyring or manager and uses each for many messages, every one of which derives a message key
 * of its own from it. Concurrent calls for one entry make one request.
 *
 * Data keys to encrypt are kept by suite and encryption context, those to decrypt by suite, encrypted data keys and
 * encryption context. Of a signed suite the signing key is kept with the data key. Not kept are the data keys of suites
 * without a key derivation, and of messages whose length is not known. `encryptSync` and `decryptSync` work when the
 * entry is there, or when the keyring works without waiting; else they throw `UnsupportedError`.
 *
 * Source: aws-encryption-sdk-specification, framework/caching-cmm.md, local-cryptographic-materials-cache.md and
 * storm-tracking-cryptographic-materials-cache.md.
 *
 * @throws TypeError or RangeError for options that are none
 */
export function cachingMaterials(options: CachingMaterialsOptions): CachingMaterials {
  assertOptions(options)
  return withSymbolDispose(new CachingMaterialsManager(options))
}

type Materials = EncryptionMaterials | DecryptionMaterials
type Request = EncryptionRequest | DecryptionRequest

class CachingMaterialsManager implements CachingMaterials {
  readonly requiredEncryptionContextKeys: readonly string[] | undefined
  readonly #inner: MaterialsManager
  readonly #cache: LocalCache
  readonly #maxAge: number
  readonly #maxMessages: number
  readonly #maxBytes: number
  readonly #gracePeriod: number
  #partition: string | undefined
  #isDisposed = false

  constructor(options: CachingMaterialsOptions) {
    const { maxAge, maxMessages = MAX_MESSAGES, maxBytes = Number.MAX_SAFE_INTEGER, partition } = options
    const { gracePeriod = Math.min(DEFAULT_GRACE_PERIOD_SECONDS, maxAge / 10) } = options
    this.#inner = underlyingManager(options)
    this.requiredEncryptionContextKeys = this.#inner.requiredEncryptionContextKeys
    this.#maxAge = milliseconds(maxAge, 'maxAge')
    assertInteger(maxMessages, 'maxMessages', 1, MAX_MESSAGES)
    assertInteger(maxBytes, 'maxBytes', 0, Number.MAX_SAFE_INTEGER)
    if (!(gracePeriod >= 0 && gracePeriod <= maxAge)) throw new RangeError('gracePeriod must be 0 to maxAge')
    if (partition !== undefined) assertWellFormed(partition, 'partition')
    this.#maxMessages = maxMessages
    this.#maxBytes = maxBytes
    this.#gracePeriod = gracePeriod * 1000
    this.#partition = partition === undefined ? undefined : lengthened(partition)
    this.#cache = cacheOf(options)
  }

  encryptionMaterials(request: EncryptionRequest): MaybePromise<EncryptionMaterials> {
    if (!this.#mayKeep(request)) return this.#inner.encryptionMaterials(request)
    return this.#get(encryptionKey(request), request, (entry) => new CachedEncryptionMaterials(entry, request))
  }

  encryptionMaterialsSync(request: EncryptionRequest): EncryptionMaterials {
    if (!this.#mayKeep(request)) return encryptNow(this.#inner, request)
    return this.#getNow(encryptionKey(request), request, (entry) => new CachedEncryptionMaterials(entry, request))
  }

  decryptionMaterials(request: DecryptionRequest): MaybePromise<DecryptionMaterials> {
    if (!this.#mayKeep(request)) return this.#inner.decryptionMaterials(request)
    return this.#get(decryptionKey(request), request, (entry) => new CachedDecryptionMaterials(entry, request))
  }

  decryptionMaterialsSync(request: DecryptionRequest): DecryptionMaterials {
    if (!this.#mayKeep(request)) return decryptNow(this.#inner, request)
    return this.#getNow(decryptionKey(request), request, (entry) => new CachedDecryptionMaterials(entry, request))
  }

  clear(): void {
    this.#cache.clear(this.#prefix())
  }

  dispose(): void {
    this.#isDisposed = true
    this.#cache.leave(this, disposed())
    this.clear()
  }

  /** A data key is kept only where each message derives a key of its own from it. */
  #mayKeep(request: Request): boolean {
    if (this.#isDisposed) throw disposed()
    if (request.suite.kdf === 'identity') return false
    return !isEncryption(request) || (request.plaintextLength ?? Infinity) <= this.#maxBytes
  }

  /** Drawn at the first use: some runtimes have no randomness when modules are loaded. */
  #prefix(): string {
    return (this.#partition ??= lengthened(characters(crypto.getRandomValues(new Uint8Array(PARTITION_BYTES)))))
  }

  /** The materials of the entry; a call that finds none, or is the one to refresh it, waits. */
  #get<M>(name: string, request: Request, share: (entry: Entry) => M): MaybePromise<M> {
    const key = this.#prefix() + name
    const now = this.#cache.now()
    const entry = this.#cache.find(key, this.#maxAge, now)
    if (entry !== undefined) {
      const mayRefresh = now >= entry.expires - this.#gracePeriod && this.#cache.mayRefresh(key, entry, now)
      if (mayRefresh) entry.lastRefresh = now
      else if (this.#reserve(entry, request)) return share(entry)
      else this.#cache.evict(key, entry)
    }
    return this.#wait(key, request, share)
  }

  /** As it finds the entry, or makes it where that can be done at once. */
  #getNow<M>(name: string, request: Request, share: (entry: Entry) => M): M {
    const key = this.#prefix() + name
    const created = this.#cache.now()
    const found = this.#cache.find(key, this.#maxAge, created)
    if (found !== undefined && this.#reserve(found, request)) return share(found)
    const inner = isEncryption(request)
      ? encryptNow(this.#inner, { ...request, plaintextLength: this.#maxBytes })
      : decryptNow(this.#inner, request)
    const entry = new Entry(assertUsable(inner, request), request.encryptionContext, created, this.#maxAge)
    this.#reserve(entry, request)
    this.#cache.put(key, entry.retain(), this.#cache.now())
    const materials = share(entry)
    entry.release()
    return materials
  }

  /** Counts the message before it is written. */
  #reserve(entry: Entry, request: Request): boolean {
    if (!isEncryption(request)) return true
    const { plaintextLength = 0 } = request
    if (entry.messages >= this.#maxMessages || entry.bytes > this.#maxBytes - plaintextLength) return false
    entry.messages++
    entry.bytes += plaintextLength
    return true
  }

  #wait<M>(key: string, request: Request, share: (entry: Entry) => M): Promise<M> {
    const { signal } = request
    const context = snapshotContext(request.encryptionContext)
    signal?.throwIfAborted()
    return new Promise((resolve, reject) => {
      const refuse: (reason: unknown) => void = reject
      const stay = (): void => {
        signal?.removeEventListener('abort', leave)
      }
      const waiter: Waiter = {
        owner: this,
        context,
        maxAge: this.#maxAge,
        fetch: (random, attempt) => this.#fetch({ ...request, encryptionContext: context }, random, attempt),
        accept: (entry) => {
          if (!this.#reserve(entry, request)) return false
          stay()
          resolve(share(entry))
          return true
        },
        reject: (reason) => {
          stay()
          refuse(reason)
        },
      }
      const leave = (): void => {
        waiter.flight?.waiters.delete(waiter)
        refuse(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      this.#cache.join(key, waiter, this.#cache.now())
    })
  }

  /** A request for all who wait, with a signal and randomness of its own: the first of them may be gone before the answer. */
  async #fetch(request: Request, random: EncryptionRequest['random'], attempt: Attempt): Promise<Materials> {
    const { signal } = attempt.abort
    if (isEncryption(request)) {
      const shared = { ...request, plaintextLength: this.#maxBytes, random, signal }
      return assertUsable(await this.#inner.encryptionMaterials(shared), request)
    }
    const confirm = (dataKey: Uint8Array): boolean => {
      const isConfirmed = request.confirm(dataKey)
      // This message was changed, which says nothing about others with the same data keys.
      if (!isConfirmed) attempt.isOfOneCall = true
      return isConfirmed
    }
    return assertUsable(await this.#inner.decryptionMaterials({ ...request, confirm, signal }), request)
  }
}

function isEncryption(request: Request): request is EncryptionRequest {
  return 'random' in request
}

function disposed(): DisposedError {
  return new DisposedError('the cache of materials')
}

function cacheOf(options: CachingMaterialsOptions): LocalCache {
  const { cache, capacity, clock, graceInterval, inFlightTtl, fanOut } = options
  if (cache === undefined) return new LocalCache(options)
  const own = [capacity, clock, graceInterval, inFlightTtl, fanOut]
  if (cache instanceof LocalCache && own.every((option) => option === undefined)) return cache
  throw new TypeError('cache must be a materialsCache, and have the options of a cache itself')
}

function encryptNow(inner: MaterialsManager, request: EncryptionRequest): EncryptionMaterials {
  return inner.encryptionMaterialsSync?.(request) ?? notNow('encrypt')
}

function decryptNow(inner: MaterialsManager, request: DecryptionRequest): DecryptionMaterials {
  return inner.decryptionMaterialsSync?.(request) ?? notNow('decrypt')
}

function notNow(name: string): never {
  throw new UnsupportedError(`the materials are not in the cache, and cannot be had without waiting: use ${name}`)
}

/** Managers may be anybody's: what is kept must be whole. */
function assertUsable<M extends Materials>(materials: M, { suite }: Request): M {
  if (materials.dataKey !== undefined && materials.suite.id === suite.id) return materials
  materials.dispose()
  throw new TypeError(`the materials are not for ${suite.name}, or have no data key`)
}
