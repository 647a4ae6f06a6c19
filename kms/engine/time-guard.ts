/** How far the time may run ahead of a clock that nobody sets. */
const MAX_JUMP_MS = 3_600_000

/** Notices a wall clock that jumped ahead, before a date that is not yet there destroys something. */
export class TimeGuard {
  readonly #monotonicClock: (() => number) | undefined
  #last: { readonly wall: number; readonly monotonic: number } | undefined
  #isSuspect = false

  /** Without a clock to compare with, the time is as it is. */
  constructor(monotonicClock: (() => number) | undefined) {
    this.#monotonicClock = monotonicClock
  }

  /** Whether deletions may happen now. Once the clock jumped, not until {@link confirm}. */
  mayDestroy(wall: number): boolean {
    if (!this.#monotonicClock) return true
    const now = { wall, monotonic: this.#monotonicClock() }
    const last = (this.#last ??= now)
    if (now.wall - last.wall - (now.monotonic - last.monotonic) > MAX_JUMP_MS) this.#isSuspect = true
    // The first reading stays the reference, so that many small jumps add up.
    return !this.#isSuspect
  }

  confirm(): void {
    this.#isSuspect = false
    this.#last = undefined
  }
}
