const MAX_AGE_MS = 1000
const MAX_ENTRIES = 256

interface Entry {
  readonly secret: Uint8Array<ArrayBuffer>
  readonly sealed: string
  readonly description: readonly string[]
  readonly until: number
}

/**
 * Secrets that were unsealed within the last second, by the names of their rows. It stands for the work of unsealing
 * alone: whether there is such a row, what it holds and whether it may be used is read from the store each
 * time. Entries are wiped at their end, by a timer that keeps no process alive.
 */
export class UnsealedSecrets {
  readonly #entries = new Map<string, Entry>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** A copy, which the caller wipes; undefined unless it was sealed in this very way. */
  get(name: string, sealed: string, description: readonly string[]): Uint8Array<ArrayBuffer> | undefined {
    const entry = this.#entries.get(name)
    if (entry?.sealed !== sealed || performance.now() >= entry.until) return undefined
    const isSame =
      entry.description.length === description.length &&
      entry.description.every((part, index) => part === description[index])
    return isSame ? entry.secret.slice() : undefined
  }

  /** `secret` is copied. */
  add(name: string, sealed: string, description: readonly string[], secret: Uint8Array): void {
    this.drop(name)
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size < MAX_ENTRIES) break
      this.drop(oldest)
    }
    const until = performance.now() + MAX_AGE_MS
    this.#entries.set(name, { secret: Uint8Array.from(secret), sealed, description, until })
    this.#arm(MAX_AGE_MS)
  }

  drop(name: string): void {
    this.#entries.get(name)?.secret.fill(0)
    this.#entries.delete(name)
  }

  wipe(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const name of this.#entries.keys()) this.drop(name)
  }

  #arm(delay: number): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#sweep()
    }, delay)
    // A number where the runtime follows browsers, which has nothing to release.
    const timer: unknown = this.#timer
    if (typeof timer === 'object' && timer !== null && 'unref' in timer) (this.#timer as { unref(): void }).unref()
  }

  /** Entries stand in the order of their ends. */
  #sweep(): void {
    const now = performance.now()
    for (const [name, { until }] of this.#entries) {
      if (until > now) {
        this.#arm(until - now)
        return
      }
      this.drop(name)
    }
  }
}
