import { rowId, type Scope } from './arn.ts'
import { earliest, nextExpiry } from './imported.ts'
import type { DueRecord, KeyRecord, RecordTransaction, Stored } from './records.ts'

export const DAY_MS = 86_400_000

/** When a key next has something to be done that nobody asks for; undefined is never. */
export function dueAt(key: KeyRecord): number | undefined {
  // Replicas get the material of their primary.
  const rotates = key.state === 'Enabled' && key.multiRegion?.type !== 'REPLICA'
  return earliest([
    key.deletion?.at ?? (rotates ? key.rotation?.next : undefined),
    nextExpiry(key),
    ...(key.wrappingKeys ?? []).map(({ until }) => until),
  ])
}

/**
 * When the keys of the store are due, in the order of time: rows that only say where to look. A key that is due is found
 * at its next use as well.
 */
export class Schedule {
  readonly #records: RecordTransaction
  #earliest: Stored<DueRecord> | undefined | 'unread' = 'unread'

  constructor(records: RecordTransaction) {
    this.#records = records
  }

  /** The first entry that is due. */
  async next(now: number): Promise<Stored<DueRecord> | undefined> {
    const earliest = await this.earliest()
    return earliest && earliest.record.at <= now ? earliest : undefined
  }

  async earliest(): Promise<Stored<DueRecord> | undefined> {
    if (this.#earliest === 'unread') [this.#earliest] = await this.#records.list('due', { prefix: '', limit: 1 })
    return this.#earliest
  }

  /** Moves the entry of a key from one time to another. */
  async move(scope: Scope, keyId: string, from: number | undefined, to: number | undefined): Promise<void> {
    if (from === to) return
    this.#earliest = 'unread'
    if (from !== undefined) await this.#records.delete('due', dueId(scope, keyId, from))
    if (to === undefined) return
    const { account, region } = scope
    await this.#records.put('due', dueId(scope, keyId, to), { at: to, account, region, keyId })
  }

  /** Takes an entry out, whatever it says. */
  async remove({ row }: Stored<DueRecord>): Promise<void> {
    this.#earliest = 'unread'
    await this.#records.delete('due', row.id)
  }
}

function dueId(scope: Scope, keyId: string, at: number): string {
  return `${String(at).padStart(16, '0')}/${rowId(scope, keyId)}`
}
