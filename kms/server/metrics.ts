const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]

/** Counts what a server did, and writes it in the Prometheus text format (version 0.0.4). */
export class Metrics {
  readonly #requests = new Map<string, number>()
  readonly #refusals = new Map<string, number>()
  readonly #buckets = BUCKETS_SECONDS.map(() => 0)
  readonly #signals = new Map<string, number>()
  #seconds = 0
  #count = 0
  inProgress = 0

  /** An authenticated request. Both names are of a fixed set: a caller's own words would fill the memory. */
  count(action: string, outcome: string, seconds: number): void {
    increment(this.#requests, `action="${action}",outcome="${outcome}"`)
    this.#seconds += seconds
    this.#count += 1
    BUCKETS_SECONDS.forEach((limit, index) => {
      if (seconds <= limit) this.#buckets[index]! += 1
    })
  }

  /** A request that was not authenticated, or too long, slow or many. */
  refuse(type: string): void {
    increment(this.#refusals, `error="${type}"`)
  }

  /** Something that happened to a key. */
  signal(type: string): void {
    increment(this.#signals, `type="${type}"`)
  }

  text(): string {
    return [
      ...describe('waxseal_kms_requests_total', 'counter', 'Authenticated requests by action and outcome.'),
      ...lines('waxseal_kms_requests_total', this.#requests),
      ...describe('waxseal_kms_refused_requests_total', 'counter', 'Requests refused before the KMS saw them.'),
      ...lines('waxseal_kms_refused_requests_total', this.#refusals),
      ...describe(
        'waxseal_kms_signals_total',
        'counter',
        'Rotations, deletions, expiring and expired material, and use of keys pending deletion.',
      ),
      ...lines('waxseal_kms_signals_total', this.#signals),
      ...describe('waxseal_kms_requests_in_progress', 'gauge', 'Requests that have no answer yet.'),
      `waxseal_kms_requests_in_progress ${String(this.inProgress)}`,
      ...describe('waxseal_kms_request_duration_seconds', 'histogram', 'Time of authenticated requests.'),
      ...BUCKETS_SECONDS.map((limit, index) => this.#bucket(String(limit), this.#buckets[index]!)),
      this.#bucket('+Inf', this.#count),
      `waxseal_kms_request_duration_seconds_sum ${String(this.#seconds)}`,
      `waxseal_kms_request_duration_seconds_count ${String(this.#count)}`,
      '',
    ].join('\n')
  }

  #bucket(limit: string, count: number): string {
    return `waxseal_kms_request_duration_seconds_bucket{le="${limit}"} ${String(count)}`
  }
}

function increment(counts: Map<string, number>, labels: string): void {
  counts.set(labels, (counts.get(labels) ?? 0) + 1)
}

function describe(name: string, type: string, help: string): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`]
}

function lines(name: string, counts: ReadonlyMap<string, number>): string[] {
  return [...counts].map(([labels, count]) => `${name}{${labels}} ${String(count)}`)
}
