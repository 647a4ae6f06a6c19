import { DisposedError } from '../../bindings/errors.ts'
import type { MaybePromise } from '../../bindings/maybe-promise.ts'
import type { BranchKeyMaterials } from './branch-key-store.ts'

export interface BranchKeyCacheOptions {
  /** Branch keys that are held at most; the one not used for longest goes first. Default 1000. */
  readonly capacity?: number | undefined
  /** Milliseconds since some moment. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

/** Holds branch keys for hierarchical keyrings, which may share it. */
export interface BranchKeyCache {
  /** Branch keys that are held now. */
  readonly size: number
  /** Forgets all keys and wipes each after its last user; keyrings over it throw `DisposedError` from then on. */
  dispose(): void
}

const DEFAULT_CAPACITY = 1000

/**
 * Makes a cache that several hierarchical keyrings may share, see `cache` and `partition` of theirs.
 *
 * @throws RangeError unless `capacity` is a positive integer; TypeError when `clock` is no function
 */
export function branchKeyCache(options: BranchKeyCacheOptions = {}): BranchKeyCache {
  const { capacity = DEFAULT_CAPACITY, clock = Date.now } = options
  if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError('capacity must be a positive integer')
  if (typeof clock !== 'function') throw new TypeError('clock must be a function')
  return new LocalBranchKeyCache(capacity, clock)
}

/** What a keyring asks the cache for. */
export interface CacheRequest {
  /** The identifier of the entry. */
  readonly id: string
  /** Milliseconds that the keyring lets a key live. */
  readonly ttl: number
}

export interface LoadingRequest extends CacheRequest {
  readonly signal: AbortSignal | undefined
  /** Gets the key that is not in the cache. */
  readonly load: (signal: AbortSignal) => Promise<BranchKeyMaterials>
  /** Another identifier of what was loaded. */
  readonly alias?: (loaded: BranchKeyMaterials) => string
}

/** A branch key, or the promise of one. */
class Entry {
  readonly createdAt: number
  readonly expiresAt: number
  readonly ids = new Set<string>()
  /** Stops the loading when nobody waits any more. */
  readonly controller = new AbortController()
  materials: BranchKeyMaterials | undefined
  users = 0
  isHidden = false

  constructor(createdAt: number, ttl: number) {
    this.createdAt = createdAt
    this.expiresAt = createdAt + ttl
  }

  /** A clock that went back makes no key older than it is: it is loaded again. */
  isFresh(now: number, ttl: number): boolean {
    return now >= this.createdAt && now <= this.expiresAt && now - this.createdAt <= ttl
  }

  release(): void {
    this.users--
    if (this.users > 0) return
    if (this.isHidden) this.materials?.branchKey.fill(0)
    if (this.materials === undefined) this.controller.abort()
  }

  /** No new user gets it; it is wiped after the last one. */
  hide(): void {
    this.isHidden = true
    if (this.users === 0) this.materials?.branchKey.fill(0)
  }
}

export class LocalBranchKeyCache implements BranchKeyCache {
  readonly #capacity: number
  readonly #clock: () => number
  readonly #byId = new Map<string, Entry>()
  /** In the order of their last use. */
  readonly #entries = new Set<Entry>()
  readonly #loading = new Map<string, { readonly entry: Entry; readonly loaded: Promise<BranchKeyMaterials> }>()
  #isDisposed = false

  constructor(capacity: number, clock: () => number) {
    this.#capacity = capacity
    this.#clock = clock
  }

  get size(): number {
    return this.#entries.size
  }

  /** Calls `use` with a key that is here, which it must not keep; undefined when it is not. */
  useCached<T>(
    { id, ttl }: CacheRequest,
    use: (materials: BranchKeyMaterials) => T,
  ): { readonly result: T } | undefined {
    if (this.#isDisposed) throw new DisposedError('the branch key cache')
    const entry = this.#byId.get(id)
    if (entry?.materials === undefined || !entry.isFresh(this.#clock(), ttl)) return undefined
    this.#entries.delete(entry)
    this.#entries.add(entry)
    return { result: use(entry.materials) }
  }

  /** Calls `use` at once with a key that is here, else when it is: all who miss one key wait for one load. */
  use<T>(request: LoadingRequest, use: (materials: BranchKeyMaterials) => T): MaybePromise<T> {
    const cached = this.useCached(request, use)
    return cached === undefined ? this.#useLoaded(request, use) : cached.result
  }

  async #useLoaded<T>(request: LoadingRequest, use: (materials: BranchKeyMaterials) => T): Promise<T> {
    const { signal } = request
    signal?.throwIfAborted()
    const { entry, loaded } = this.#loading.get(request.id) ?? this.#startLoading(request)
    entry.users++
    try {
      return use(await orAborted(loaded, signal))
    } finally {
      entry.release()
      if (entry.controller.signal.aborted) this.#forgetLoading(request.id, entry)
    }
  }

  #startLoading({ id, ttl, load, alias }: LoadingRequest): { entry: Entry; loaded: Promise<BranchKeyMaterials> } {
    // Its life begins before the question: it may be answered from a state of then.
    const entry = new Entry(this.#clock(), ttl)
    const loaded = load(entry.controller.signal).then(
      (materials) => {
        this.#forgetLoading(id, entry)
        entry.materials = materials
        this.#put(entry, alias === undefined ? [id] : [id, alias(materials)])
        return materials
      },
      (error: unknown) => {
        this.#forgetLoading(id, entry)
        throw error
      },
    )
    // Whoever waits hears of a failure; perhaps nobody does any more.
    loaded.catch(() => undefined)
    this.#loading.set(id, { entry, loaded })
    return { entry, loaded }
  }

  #forgetLoading(id: string, entry: Entry): void {
    if (this.#loading.get(id)?.entry === entry) this.#loading.delete(id)
  }

  #put(entry: Entry, ids: readonly string[]): void {
    if (this.#isDisposed) {
      entry.hide()
      return
    }
    const now = this.#clock()
    for (const id of ids) {
      const previous = this.#byId.get(id)
      previous?.ids.delete(id)
      if (previous?.ids.size === 0) this.#remove(previous)
      this.#byId.set(id, entry)
      entry.ids.add(id)
    }
    this.#entries.add(entry)
    for (const other of this.#entries) {
      const isOver = this.#entries.size > this.#capacity
      if (isOver || now > other.expiresAt) this.#remove(other)
    }
  }

  #remove(entry: Entry): void {
    for (const id of entry.ids) this.#byId.delete(id)
    entry.ids.clear()
    this.#entries.delete(entry)
    entry.hide()
  }

  dispose(): void {
    this.#isDisposed = true
    for (const entry of this.#entries) this.#remove(entry)
    this.#loading.clear()
  }
}

/** What `promise` answers, unless the signal is aborted before: the work goes on for others. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    void promise.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', abort)
    })
  })
}
