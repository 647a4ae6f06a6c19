import { DisposedError } from './errors.ts'

/** A data key (32), a message id (32) and the IVs of sixteen wrapping keys (192). */
const DRAW_BYTES = 256

/**
 * The random bytes of one message: drawn from the system in one call when the first are needed, wiped at its end.
 * There is no pool across messages, because a cloned process or virtual machine would repeat it.
 */
export class MessageRandom {
  #drawn: Uint8Array<ArrayBuffer> | undefined
  #used = 0
  #isWiped = false

  readonly take = (length: number): Uint8Array<ArrayBuffer> => {
    if (this.#isWiped) throw new DisposedError('the randomness of a finished message')
    if (!Number.isInteger(length) || length < 0 || length > DRAW_BYTES) {
      throw new RangeError(`random takes 0 to ${String(DRAW_BYTES)} bytes at once`)
    }
    if (this.#drawn === undefined || this.#used + length > DRAW_BYTES) {
      this.#drawn ??= new Uint8Array(DRAW_BYTES)
      globalThis.crypto.getRandomValues(this.#drawn)
      this.#used = 0
    }
    const end = this.#used + length
    const bytes = this.#drawn.slice(this.#used, end)
    this.#drawn.fill(0, this.#used, end)
    this.#used = end
    return bytes
  }

  wipe(): void {
    this.#isWiped = true
    this.#drawn?.fill(0)
  }
}
