import { DisposedError } from './errors.ts'
import { core, type Core } from './instance.ts'

/** Who holds each of the core's key slots. */
const owners: (KeyHandle | undefined)[] = []
let clock = 0

/**
 * A key in the core. The core has few slots: a key that was not used for long loses its slot to another one and is
 * set again, from the private copy that the handle keeps, when it is next used.
 */
export class KeyHandle {
  readonly #what: string
  readonly #install: (into: Core, slot: number) => number
  readonly #secrets: readonly Uint8Array[]
  #isDisposed = false
  #lastUse = 0
  /** Name of the key for the core's calls; good until another handle is acquired. */
  slot = -1
  generation = 0

  /**
   * @param what name of the object for the error after its disposal
   * @param secrets private copies, wiped by `dispose`
   * @param install puts the key into a slot and answers the slot's generation
   */
  constructor(what: string, secrets: readonly Uint8Array[], install: (into: Core, slot: number) => number) {
    this.#what = what
    this.#secrets = secrets
    this.#install = install
  }

  get isDisposed(): boolean {
    return this.#isDisposed
  }

  /** Makes sure that the key is in its slot. Call it before the arena is filled: it may pass through there. */
  acquire(): Core {
    if (this.#isDisposed) throw new DisposedError(this.#what)
    const from = core()
    if (owners[this.slot] !== this) {
      this.slot = freeSlot(from)
      this.generation = this.#install(from, this.slot)
      owners[this.slot] = this
    }
    this.#lastUse = ++clock
    return from
  }

  /** Takes the key out of its slot; it is set again at the next use. */
  evict(): void {
    if (owners[this.slot] !== this) return
    core().exports.releaseKey(this.slot, this.generation)
    owners[this.slot] = undefined
    this.slot = -1
  }

  /** Wipes the key in the core and its private copies. Harmless when repeated. */
  dispose(): void {
    this.#isDisposed = true
    this.evict()
    for (const secret of this.#secrets) secret.fill(0)
  }

  static leastRecentlyUsed(): KeyHandle | undefined {
    let oldest: KeyHandle | undefined
    for (const owner of owners) if (owner && (!oldest || owner.#lastUse < oldest.#lastUse)) oldest = owner
    return oldest
  }
}

function freeSlot(from: Core): number {
  for (let slot = 0; slot < from.slotCount; slot++) if (owners[slot] === undefined) return slot
  KeyHandle.leastRecentlyUsed()?.evict()
  return owners.indexOf(undefined)
}

/** A core call answered that a key which was just acquired is gone: a fault of waxseal, never of its caller. */
export function assertFresh(status: number): void {
  if (status < 0) throw new Error('the core lost a key that was just set')
}
