import type { BodyLimits, ReceivedRequest } from './exchange.ts'
import { throttled } from './refusal.ts'

/** A request whose body has not come yet. */
interface Waiting {
  readonly address: string | undefined
  readonly end: AbortController
}

/**
 * Reads bodies, of which some never come. Until one is here nobody knows who sent it: whoever has seen an access key id
 * could let requests wait. There are at most `max` of them; one more ends another, which has waited longest of those from
 * the address that has the most. So they keep out nobody else, least of all requests that are verified.
 */
export class Bodies {
  readonly #limits: BodyLimits
  readonly #max: number
  /** The oldest first. */
  readonly #waiting = new Set<Waiting>()

  constructor(limits: BodyLimits, max: number) {
    this.#limits = limits
    this.#max = max
  }

  /** How many are waited for. */
  get size(): number {
    return this.#waiting.size
  }

  /** @throws Refusal if the body is longer or slower than allowed, or must make room */
  async read({ body, peer }: ReceivedRequest): Promise<Uint8Array> {
    if (this.#waiting.size >= this.#max) this.#endOne()
    const end = new AbortController()
    const waiting = { address: peer.address, end }
    this.#waiting.add(waiting)
    try {
      return await body({ ...this.#limits, signal: end.signal })
    } finally {
      this.#waiting.delete(waiting)
    }
  }

  #endOne(): void {
    const counts = new Map<string | undefined, number>()
    for (const { address } of this.#waiting) counts.set(address, (counts.get(address) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const waiting of this.#waiting) {
      if (counts.get(waiting.address) !== most) continue
      this.#waiting.delete(waiting)
      waiting.end.abort(throttled())
      return
    }
  }
}
