import type { EncryptionContext } from './context.ts'
import type { DecryptionMaterials, EncryptionMaterials } from './materials.ts'
import type { MessageRandom } from './random.ts'

/** What a request is answered with. */
export type CacheableMaterials = EncryptionMaterials | DecryptionMaterials

/** Materials in the cache. They are wiped when the cache and every message have let them go. */
export class Entry {
  readonly materials: CacheableMaterials
  /** Their encryption context is that of the request: the manager added nothing. */
  readonly isContextAsAsked: boolean
  readonly created: number
  readonly expires: number
  messages: number = 0
  bytes: number = 0
  lastRefresh: number = -Infinity
  #users = 1

  constructor(materials: CacheableMaterials, context: EncryptionContext, created: number, maxAge: number) {
    this.materials = materials
    this.isContextAsAsked = materials.encryptionContext === context
    this.created = created
    this.expires = created + maxAge
  }

  retain(): this {
    this.#users++
    return this
  }

  release(): void {
    if (--this.#users === 0) this.materials.dispose()
  }
}

/** One call that waits for materials. */
export interface Waiter {
  /** Who waits: a manager, whose calls end when it is disposed. */
  readonly owner: object
  readonly context: EncryptionContext
  /** Milliseconds that what it fetches may be used. */
  readonly maxAge: number
  /** Asks for materials. `attempt.isOfOneCall` is set when a failure tells nothing about other calls. */
  fetch(random: MessageRandom['take'], attempt: Attempt): Promise<CacheableMaterials>
  /** Takes a share of the entry; false when it has no more to give. */
  accept(entry: Entry): boolean
  reject(reason: unknown): void
  /** Where it waits now. */
  flight?: Flight
}

/** One request to the underlying manager. */
export interface Attempt {
  readonly leader: Waiter
  readonly startedAt: number
  readonly abort: AbortController
  isOfOneCall: boolean
}

/** A missing entry, and who waits for it: one attempt at a time unless one hangs. */
export interface Flight {
  readonly key: string
  readonly waiters: Set<Waiter>
  /** The latest; undefined while the flight waits for its turn. */
  attempt: Attempt | undefined
  isDone: boolean
}
