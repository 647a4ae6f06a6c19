interface Job<Batch> {
  readonly work: (batch: Batch) => Promise<unknown>
  readonly resolve: (value: never) => void
  readonly reject: (reason: unknown) => void
}

type Settled = { readonly value: unknown } | { readonly reason: unknown }

/** Most calls that share one transaction. */
const MAX_BATCH = 256

/**
 * Waits until what has arrived by now is read, where the runtime can say so: requests that came while a transaction held
 * the thread then come together, instead of the first of them alone. Elsewhere calls that are made at once do.
 */
function endOfTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (work: () => void) => unknown }
  return setImmediate ? new Promise((resolve) => void setImmediate(resolve)) : Promise.resolve()
}

/**
 * Group commit: what waits while a transaction runs shares the next one, one after the other, and nobody gets an answer
 * before that one is durable. Work that rejects has undone its own effects; a transaction that fails fails all in it.
 */
export class CommitQueue<Batch> {
  readonly #transact: <T>(work: (batch: Batch) => Promise<T>) => Promise<T>
  readonly #discard: (value: unknown) => void
  #waiting: Job<Batch>[] = []
  #draining: Promise<void> | undefined

  /** `discard` gets what work answered in a transaction that failed: nobody else will. */
  constructor(transact: <T>(work: (batch: Batch) => Promise<T>) => Promise<T>, discard: (value: unknown) => void) {
    this.#transact = transact
    this.#discard = discard
  }

  run<T>(work: (batch: Batch) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Resolves when nothing runs or waits. */
  async idle(): Promise<void> {
    while (this.#draining) await this.#draining
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await endOfTurn()
      await this.#runBatch(this.#waiting.splice(0, MAX_BATCH))
    }
    this.#draining = undefined
  }

  async #runBatch(jobs: readonly Job<Batch>[]): Promise<void> {
    const results: Settled[] = []
    try {
      await this.#transact(async (batch) => {
        for (const { work } of jobs) results.push(await settle(work(batch)))
      })
    } catch (error) {
      for (const result of results) if ('value' in result) this.#discard(result.value)
      for (const { reject } of jobs) reject(error)
      return
    }
    for (const [index, result] of results.entries()) {
      const job = jobs[index]
      if ('reason' in result) job?.reject(result.reason)
      else job?.resolve(result.value as never)
    }
  }
}

async function settle(work: Promise<unknown>): Promise<Settled> {
  try {
    return { value: await work }
  } catch (reason) {
    return { reason }
  }
}
