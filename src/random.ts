import { DisposedError } from './errors.ts'

/** One draw serves a data key (32), a message id (32) and the IVs of sixteen wrapping keys (12 each). */
const DRAW_BYTES = 320

/** The most that is taken at once. */
const MAX_TAKE_BYTES = 64

/** Wiped memory of finished messages, for the next ones: an array of this length is slow to make. */
const spare: Uint8Array<ArrayBuffer>[] = []
const MAX_SPARE = 16

/**
 * The random bytes of one message: drawn from the system in one call when the first are needed, wiped at its end.
 * There is no pool across messages, because a cloned process or virtual machine would repeat it.
 */
export class MessageRandom {
  #drawn: Uint8Array<ArrayBuffer> | undefined
  #used = 0
  #isWiped = false

  /** Answers `length` bytes, 0 to 64, which are handed out once. */
  readonly take = (length: number): Uint8Array<ArrayBuffer> => {
    if (this.#isWiped) throw new DisposedError('the randomness of a finished message')
    if (!Number.isInteger(length) || length < 0 || length > MAX_TAKE_BYTES) {
      throw new RangeError(`random takes 0 to ${String(MAX_TAKE_BYTES)} bytes at once`)
    }
    const isFirst = this.#drawn === undefined
    const drawn = (this.#drawn ??= spare.pop() ?? new Uint8Array(DRAW_BYTES))
    if (isFirst || this.#used + length > DRAW_BYTES) {
      globalThis.crypto.getRandomValues(drawn)
      this.#used = 0
    }
    const end = this.#used + length
    const bytes = drawn.slice(this.#used, end)
    this.#used = end
    return bytes
  }

  wipe(): void {
    this.#isWiped = true
    if (this.#drawn === undefined) return
    this.#drawn.fill(0)
    if (spare.length < MAX_SPARE) spare.push(this.#drawn)
    this.#drawn = undefined
  }
}
