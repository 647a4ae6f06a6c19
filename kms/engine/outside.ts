/** Thrown by an action to be left while slow work is done, outside its transaction. */
export class OutsideWork extends Error {
  readonly run: () => unknown
  readonly subject: string
  /** Wipes what the work holds, for whoever does not run it. */
  discard: () => void = () => undefined

  constructor(run: () => unknown, subject = '') {
    super('an action waits for work outside its transaction')
    this.run = run
    this.subject = subject
  }
}

type Result = ({ readonly value: unknown } | { readonly error: unknown }) & { readonly subject: string }

/** The slow work of one call: what is done already, in the order in which the action asks for it. */
export class OutsideResults {
  readonly #results: Result[] = []

  /** Runs work and keeps what becomes of it. */
  async perform({ run, subject }: OutsideWork): Promise<void> {
    try {
      this.#results.push({ value: await run(), subject })
    } catch (error) {
      this.#results.push({ error, subject })
    }
  }

  /**
   * For one run of the action: answers each result in its turn, and throws {@link OutsideWork} for the next one. Work
   * that was done for another subject, since an alias has another target by now, is done anew.
   */
  replay(): <T>(work: () => T | Promise<T>, subject?: string) => Promise<T> {
    let next = 0
    return async (work, subject = '') => {
      if (this.#results[next]?.subject !== subject) wipeResults(this.#results.splice(next))
      const result = this.#results[next++]
      if (result === undefined) throw new OutsideWork(work, subject)
      if ('error' in result) throw result.error
      return result.value as Awaited<ReturnType<typeof work>>
    }
  }

  wipe(): void {
    wipeResults(this.#results)
  }
}

function wipeResults(results: readonly Result[]): void {
  for (const result of results) if ('value' in result) wipeBytes(result.value)
}

/** Wipes what work of a transaction answered: work that is to be done, or a result. */
export function discard(value: unknown): void {
  if (value instanceof OutsideWork) value.discard()
  else wipeBytes(value)
}

/** Wipes bytes, and those that are members of an object. */
export function wipeBytes(value: unknown): void {
  if (value instanceof Uint8Array) value.fill(0)
  else if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) if (member instanceof Uint8Array) member.fill(0)
  }
}
