import { DisposedError } from './errors.ts'

/** One draw serves a data key (32), a message id (32) and the IVs of sixteen wrapping keys (12 each). */
const CHUNK_BYTES = 64
const CHUNKS = 5
const DRAW_BYTES = CHUNKS * CHUNK_BYTES

/** What a draw fills, for the moment until it is copied: engines allocate arrays of up to 64 bytes far faster. */
const draw = new Uint8Array(DRAW_BYTES)

/**
 * The random bytes of one message: drawn from the system in one call when the first are needed, wiped at its end.
 * There is no pool across messages, because a cloned process or virtual machine would repeat it.
 */
export class MessageRandom {
  #chunks: Uint8Array<ArrayBuffer>[] = []
  #used = 0
  #isWiped = false

  /** Answers `length` bytes, 0 to 64, which are handed out once. */
  readonly take = (length: number): Uint8Array<ArrayBuffer> => {
    if (this.#isWiped) throw new DisposedError('the randomness of a finished message')
    if (!Number.isInteger(length) || length < 0 || length > CHUNK_BYTES) {
      throw new RangeError(`random takes 0 to ${String(CHUNK_BYTES)} bytes at once`)
    }
    let [chunk] = this.#chunks
    if (chunk === undefined || this.#used + length > CHUNK_BYTES) {
      chunk?.fill(0)
      this.#chunks.shift()
      this.#used = 0
      chunk = this.#chunks[0] ?? this.#draw()
    }
    const end = this.#used + length
    const bytes = chunk.slice(this.#used, end)
    chunk.fill(0, this.#used, end)
    this.#used = end
    return bytes
  }

  /** Draws, and answers the first chunk. */
  #draw(): Uint8Array<ArrayBuffer> {
    globalThis.crypto.getRandomValues(draw)
    const first = draw.slice(0, CHUNK_BYTES)
    this.#chunks = [first]
    for (let at = CHUNK_BYTES; at < DRAW_BYTES; at += CHUNK_BYTES) this.#chunks.push(draw.slice(at, at + CHUNK_BYTES))
    draw.fill(0)
    return first
  }

  wipe(): void {
    this.#isWiped = true
    for (const chunk of this.#chunks) chunk.fill(0)
  }
}
