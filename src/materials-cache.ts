import { Entry, type Attempt, type CacheableMaterials, type Flight, type Waiter } from './cache-requests.ts'
import { MessageRandom } from './random.ts'

const DEFAULT_CAPACITY = 1000
/** A `Map` of V8 holds no more. */
const MAX_CAPACITY = 2 ** 24 - 1
const DEFAULT_GRACE_INTERVAL_SECONDS = 1
const DEFAULT_IN_FLIGHT_TTL_SECONDS = 20
const DEFAULT_FAN_OUT = 20
/** How many of the least recently used entries a pruning looks at, and how often it happens. */
const PRUNING_TAIL = 10
const PRUNING_INTERVAL = 1000
/** The longest that a timer can wait: 2^31 − 1 milliseconds. */
const MAX_TIMEOUT = 0x7fffffff

export interface MaterialsCacheOptions {
  /** Most entries that it holds, 0 to 2^24−1; the least recently used ones make room. Default 1000. */
  readonly capacity?: number | undefined
  /**
   * Answers the time in milliseconds, from any beginning. Default: the later of the wall clock and the monotonic one, so
   * that entries also age while the machine sleeps. An entry from the future is expired.
   */
  readonly clock?: (() => number) | undefined
  /** Seconds between two attempts to refresh an entry that is about to expire. Default 1. */
  readonly graceInterval?: number | undefined
  /**
   * Seconds after which a request that has not answered no longer keeps others from being made: one more is made for
   * those who wait, whom the first answer serves. Default 20.
   */
  readonly inFlightTtl?: number | undefined
  /** Most requests that are under way at once; further ones wait their turn. Default 20. */
  readonly fanOut?: number | undefined
}

/** Holds materials for one or several `cachingMaterials`. */
export interface MaterialsCache {
  /** Entries that it holds now, expired ones included that nobody asked for since. */
  readonly size: number
  /** Forgets every entry at once; its data key is wiped when the last message that uses it is done. */
  clear(): void
}

/**
 * Makes a cache that several `cachingMaterials` can share: they use each other's entries only if they have the same
 * `partition`.
 *
 * Source: aws-encryption-sdk-specification, framework/local-cryptographic-materials-cache.md and
 * storm-tracking-cryptographic-materials-cache.md.
 *
 * @throws TypeError or RangeError for options that are none
 */
export function materialsCache(options: MaterialsCacheOptions = {}): MaterialsCache {
  return new LocalCache(options)
}

/** The cache as `cachingMaterials` uses it. */
export class LocalCache implements MaterialsCache {
  readonly now: () => number
  readonly graceInterval: number
  readonly #capacity: number
  readonly #inFlightTtl: number
  readonly #fanOut: number
  /** The least recently used first. */
  readonly #entries = new Map<string, Entry>()
  /** Those that calls may join. */
  readonly #flights = new Map<string, Flight>()
  /** All that are not done. */
  readonly #pending = new Set<Flight>()
  readonly #underWay = new Set<Attempt>()
  readonly #queue: Flight[] = []
  #newest: Entry | undefined
  #nextPruning = -Infinity

  constructor(options: MaterialsCacheOptions) {
    const { capacity = DEFAULT_CAPACITY, clock = laterClock, fanOut = DEFAULT_FAN_OUT } = options
    const { graceInterval = DEFAULT_GRACE_INTERVAL_SECONDS, inFlightTtl = DEFAULT_IN_FLIGHT_TTL_SECONDS } = options
    assertInteger(capacity, 'capacity', 0, MAX_CAPACITY)
    assertInteger(fanOut, 'fanOut', 1, MAX_CAPACITY)
    if (typeof clock !== 'function') throw new TypeError('clock must be a function')
    this.now = clock
    this.#capacity = capacity
    this.#fanOut = fanOut
    this.graceInterval = milliseconds(graceInterval, 'graceInterval')
    this.#inFlightTtl = milliseconds(inFlightTtl, 'inFlightTtl')
  }

  get size(): number {
    return this.#entries.size
  }

  /** The entry, unless it is older than its maker's and the asker's age; it is then the most recently used one. */
  find(key: string, maxAge: number, now: number): Entry | undefined {
    if (now >= this.#nextPruning) this.#prune(now)
    const entry = this.#entries.get(key)
    if (entry === undefined) return undefined
    if (!isFresh(entry, now) || now >= entry.created + maxAge) {
      this.evict(key, entry)
      return undefined
    }
    if (entry !== this.#newest) {
      this.#entries.delete(key)
      this.#entries.set(key, entry)
      this.#newest = entry
    }
    return entry
  }

  /** Stores the entry, which holds one use for the cache. */
  put(key: string, entry: Entry, now: number): void {
    const old = this.#entries.get(key)
    if (old !== undefined) this.evict(key, old)
    this.#prune(now)
    this.#entries.set(key, entry)
    this.#newest = entry
    for (const [oldest, least] of this.#entries) {
      if (this.#entries.size <= this.#capacity) break
      this.evict(oldest, least)
    }
  }

  /** Hides the entry at once. */
  evict(key: string, entry: Entry): void {
    if (this.#entries.get(key) !== entry) return
    this.#entries.delete(key)
    if (entry === this.#newest) this.#newest = undefined
    entry.release()
  }

  #prune(now: number): void {
    this.#nextPruning = now + PRUNING_INTERVAL
    let seen = 0
    for (const [key, entry] of this.#entries) {
      if (++seen > PRUNING_TAIL) break
      if (!isFresh(entry, now)) this.evict(key, entry)
    }
  }

  /** Forgets the entries whose keys begin so. What is under way serves those who wait and is not stored. */
  clear(prefix = ''): void {
    for (const [key, entry] of this.#entries) if (key.startsWith(prefix)) this.evict(key, entry)
    for (const key of this.#flights.keys()) if (key.startsWith(prefix)) this.#flights.delete(key)
  }

  /** Ends the waiting of all calls of this owner, and the requests that were made for them. */
  leave(owner: object, reason: Error): void {
    for (const { waiters, attempt } of this.#pending) {
      for (const waiter of waiters) {
        if (waiter.owner !== owner) continue
        waiters.delete(waiter)
        waiter.reject(reason)
      }
      if (attempt?.leader.owner !== owner) continue
      attempt.isOfOneCall = true
      attempt.abort.abort(reason)
    }
  }

  /** Whether a refresh may be begun: nobody else does it, and there is a request to spare. */
  mayRefresh(key: string, entry: Entry, now: number): boolean {
    if (now < entry.lastRefresh + this.graceInterval || this.#isFull(now)) return false
    const attempt = this.#flights.get(key)?.attempt
    return !this.#flights.has(key) || (attempt !== undefined && this.#isStale(attempt, now))
  }

  /** Lets the waiter wait for the entry, and asks for it unless somebody does. */
  join(key: string, waiter: Waiter, now: number): void {
    const flight = this.#flights.get(key) ?? this.#newFlight(key)
    flight.waiters.add(waiter)
    waiter.flight = flight
    const { attempt } = flight
    if (attempt !== undefined && this.#isStale(attempt, now) && !this.#isFull(now)) this.#start(flight, waiter, now)
    this.#startNext(now)
  }

  #newFlight(key: string): Flight {
    const flight: Flight = { key, waiters: new Set(), attempt: undefined, isDone: false }
    this.#flights.set(key, flight)
    this.#pending.add(flight)
    this.#queue.push(flight)
    return flight
  }

  #isStale({ startedAt }: Attempt, now: number): boolean {
    return !(now < startedAt + this.#inFlightTtl)
  }

  #isFull(now: number): boolean {
    if (this.#underWay.size < this.#fanOut) return false
    for (const attempt of this.#underWay) if (this.#isStale(attempt, now)) this.#underWay.delete(attempt)
    return this.#underWay.size >= this.#fanOut
  }

  #startNext(now: number): void {
    while (this.#queue.length > 0 && !this.#isFull(now)) {
      const flight = this.#queue.shift()!
      if (flight.isDone) continue
      const [first] = flight.waiters
      if (first === undefined) this.#end(flight)
      else this.#start(flight, first, now)
    }
  }

  #start(flight: Flight, leader: Waiter, now: number): void {
    const attempt: Attempt = { leader, startedAt: now, abort: new AbortController(), isOfOneCall: false }
    flight.attempt = attempt
    this.#underWay.add(attempt)
    const random = new MessageRandom()
    const timer = this.#watch(flight, attempt, now)
    const settle = (then: () => void): void => {
      clearTimeout(timer())
      random.wipe()
      this.#underWay.delete(attempt)
      this.#orGiveUp(() => {
        then()
        this.#startNext(this.now())
      })
    }
    leader.fetch(random.take, attempt).then(
      (materials) => {
        settle(() => {
          this.#succeed(flight, attempt, materials)
        })
      },
      (error: unknown) => {
        settle(() => {
          this.#fail(flight, attempt, error)
        })
      },
    )
  }

  /** Lets the next one begin when this one is stale, if nobody comes who would look. Answers the timer. */
  #watch(flight: Flight, attempt: Attempt, now: number): () => ReturnType<typeof setTimeout> {
    const look = (): void => {
      this.#orGiveUp(() => {
        const time = this.now()
        if (!this.#isStale(attempt, time)) {
          timer = this.#after(attempt.startedAt + this.#inFlightTtl - time, look)
          return
        }
        if (!flight.isDone && flight.attempt === attempt && flight.waiters.size > 0) {
          flight.attempt = undefined
          this.#queue.push(flight)
        }
        this.#startNext(time)
      })
    }
    let timer = this.#after(attempt.startedAt + this.#inFlightTtl - now, look)
    return () => timer
  }

  /** A timer that keeps no process alive. */
  #after(milliseconds: number, act: () => void): ReturnType<typeof setTimeout> {
    const timer = setTimeout(act, Math.min(Math.max(milliseconds, 1), MAX_TIMEOUT))
    // Not every runtime's timers can be told.
    ;(timer as { unref?: () => void }).unref?.()
    return timer
  }

  /** A clock that throws is the fault of all who wait: none of them may wait for ever. */
  #orGiveUp(act: () => void): void {
    try {
      act()
    } catch (error) {
      for (const flight of this.#pending) {
        this.#end(flight)
        for (const waiter of flight.waiters) waiter.reject(error)
      }
    }
  }

  /** Stores what came unless the cache was cleared meanwhile, and serves those who wait as far as it goes. */
  #succeed(flight: Flight, { leader, startedAt }: Attempt, materials: CacheableMaterials): void {
    const entry = new Entry(materials, leader.context, startedAt, leader.maxAge)
    try {
      if (flight.isDone) return
      const now = this.now()
      const isCurrent = this.#end(flight)
      // Its age counts from before the key service was asked, which may have revoked a permission since.
      if (isCurrent) this.put(flight.key, entry.retain(), now)
      const unserved = [...flight.waiters].filter((waiter) => !waiter.accept(entry))
      for (const waiter of unserved) this.join(flight.key, waiter, now)
    } finally {
      entry.release()
    }
  }

  #fail(flight: Flight, attempt: Attempt, error: unknown): void {
    if (flight.isDone || flight.attempt !== attempt) return
    if (attempt.isOfOneCall) {
      if (flight.waiters.delete(attempt.leader)) attempt.leader.reject(error)
      flight.attempt = undefined
      this.#queue.push(flight)
      return
    }
    this.#end(flight)
    for (const waiter of flight.waiters) {
      // A refresh that failed: the old entry serves until it expires.
      const entry = this.find(flight.key, waiter.maxAge, this.now())
      if (entry === undefined || !waiter.accept(entry)) waiter.reject(error)
    }
  }

  /** Answers whether the flight was still the one of its key. */
  #end(flight: Flight): boolean {
    flight.isDone = true
    this.#pending.delete(flight)
    return this.#flights.get(flight.key) === flight && this.#flights.delete(flight.key)
  }
}

/** Written so that a clock which answers nonsense makes nothing fresh. */
function isFresh({ created, expires }: Entry, now: number): boolean {
  return now >= created && now < expires
}

function laterClock(): number {
  return Math.max(Date.now(), performance.timeOrigin + performance.now())
}

export function assertInteger(value: number, name: string, minimum: number, maximum: number): void {
  if (Number.isInteger(value) && value >= minimum && value <= maximum) return
  throw new RangeError(`${name} must be an integer from ${String(minimum)} to ${String(maximum)}`)
}

/** Seconds as milliseconds. Throws RangeError unless they are positive and finite. */
export function milliseconds(seconds: number, name: string): number {
  if (Number.isFinite(seconds) && seconds > 0) return seconds * 1000
  throw new RangeError(`${name} must be a positive number of seconds`)
}
