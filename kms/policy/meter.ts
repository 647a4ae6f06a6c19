/** A policy of 32 KiB and a request of 8 KiB that are not made to be slow need some thousands of steps. */
const MAX_STEPS = 4_000_000

/** Thrown by {@link Meter.spend}; whoever authorises answers a denial. */
export class WorkLimitError extends Error {}

/**
 * Counts what an evaluation looks at: characters of the request, and values of policies. The work is bounded by
 * the product of the sizes of policy and request, and by a budget above that: hostile policies cost a caller nothing
 * but his own permission.
 */
export class Meter {
  steps: number = 0
  readonly #budget: number

  constructor(budget: number = MAX_STEPS) {
    this.#budget = budget
  }

  /** @throws WorkLimitError */
  spend(steps: number): void {
    this.steps += steps
    if (this.steps > this.#budget) throw new WorkLimitError('the policies take too long to evaluate')
  }
}
