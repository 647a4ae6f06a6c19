/** Thrown by an action to be left while slow work is done, outside its transaction. */
export class OutsideWork extends Error {
  readonly run: () => unknown

  constructor(run: () => unknown) {
    super('an action waits for work outside its transaction')
    this.run = run
  }
}

type Result = { readonly value: unknown } | { readonly error: unknown }

/** The slow work of one call: what is done already, in the order in which the action asks for it. */
export class OutsideResults {
  readonly #results: Result[] = []

  /** Runs work and keeps what becomes of it. */
  async perform({ run }: OutsideWork): Promise<void> {
    try {
      this.#results.push({ value: await run() })
    } catch (error) {
      this.#results.push({ error })
    }
  }

  /** For one run of the action: answers each result in its turn, and throws {@link OutsideWork} for the next one. */
  replay(): <T>(work: () => T | Promise<T>) => Promise<T> {
    let next = 0
    return async (work) => {
      const result = this.#results[next++]
      if (result === undefined) throw new OutsideWork(work)
      if ('error' in result) throw result.error
      return result.value as Awaited<ReturnType<typeof work>>
    }
  }

  wipe(): void {
    for (const result of this.#results) if ('value' in result) wipeBytes(result.value)
  }
}

/** Wipes bytes, and those that are members of an object. */
export function wipeBytes(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0)
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) if (member instanceof Uint8Array) member.fill(0)
  }
}
