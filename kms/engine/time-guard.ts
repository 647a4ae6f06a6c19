import { DAY_MS } from './schedule.ts'

/** How far the time may run ahead of a clock that nobody sets. */
const MAX_JUMP_MS = 3_600_000

/**
 * How far a process may start behind the last time that the store knows: the shortest waiting period of a deletion, none
 * of which a wrong clock passes as a whole then. A KMS that stood still for longer is not told from one whose clock is wrong.
 */
const MAX_STOP_MS = 7 * DAY_MS

/** Notices a wall clock that is ahead, before a date that is not yet there destroys something. */
export class TimeGuard {
  readonly #monotonicClock: (() => number) | undefined
  #last: { readonly wall: number; readonly monotonic: number } | undefined
  #isConfirmed = false
  /** What the store knew when the clock was first in doubt. */
  #doubt: { readonly known: number | undefined } | undefined

  /** Without a clock to compare with, the time is as it is. */
  constructor(monotonicClock: (() => number) | undefined) {
    this.#monotonicClock = monotonicClock
  }

  /**
   * Whether deletions may happen now. Once the clock is in doubt, not until {@link confirm}, here or in another process:
   * `known` is the last time of which no process on the store was in doubt.
   */
  mayDestroy(wall: number, known: number | undefined): boolean {
    if (!this.#monotonicClock) return true
    const now = { wall, monotonic: this.#monotonicClock() }
    if (this.#doubt && isNewer(known, this.#doubt.known) && wall - known <= MAX_JUMP_MS) this.confirm()
    if (!this.#last && !this.#isConfirmed && known !== undefined && wall - known >= MAX_STOP_MS) this.#doubt = { known }
    // The first reading stays the reference, so that many small jumps add up.
    const last = (this.#last ??= now)
    if (now.wall - last.wall - (now.monotonic - last.monotonic) > MAX_JUMP_MS) this.#doubt ??= { known }
    return !this.#doubt
  }

  get isInDoubt(): boolean {
    return this.#doubt !== undefined
  }

  confirm(): void {
    this.#isConfirmed = true
    this.#doubt = undefined
    this.#last = undefined
  }
}

function isNewer(time: number | undefined, before: number | undefined): time is number {
  return time !== undefined && (before === undefined || time > before)
}
