const MIN_CAPACITY = 1024

/** Bytes that wait until there are enough of them, in one array that grows with them and is used again. */
export class PendingBytes {
  #array = new Uint8Array(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** A view, good until the next call. */
  get bytes(): Uint8Array {
    return this.#array.subarray(0, this.#length)
  }

  /** Copies `part` behind what is there. */
  push(part: Uint8Array): void {
    const length = this.#length + part.length
    if (length > this.#array.length) {
      const larger = new Uint8Array(Math.max(length, 2 * this.#array.length, MIN_CAPACITY))
      larger.set(this.bytes)
      this.#array.fill(0)
      this.#array = larger
    }
    this.#array.set(part, this.#length)
    this.#length = length
  }

  /** Forgets the bytes; their memory is used for the next ones. */
  clear(): void {
    this.#length = 0
  }

  wipe(): void {
    this.#array.fill(0)
    this.#array = new Uint8Array(0)
    this.#length = 0
  }
}
