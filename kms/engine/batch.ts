import type { StoreTransaction } from '../store/store.ts'
import type { Scope } from './arn.ts'
import { AuditLog, type RecordIds } from './audit-log.ts'
import type { KnownRows } from './authentic-rows.ts'
import type { Host } from './calls.ts'
import { doDueWork, MAX_DUE_KEYS, postpone, scopeOfEntry, type DueContext, type DueResult } from './due.ts'
import { RecordTransaction, type DueRecord, type Stored, type UsageRecord } from './records.ts'
import { Schedule } from './schedule.ts'
import { forwardedRecord, serviceRecord, type RecordedCall, type ServiceEvent } from './trail.ts'

/** One transaction of the store, with what the calls in it share. */
export class Batch {
  readonly records: RecordTransaction
  readonly schedule: Schedule
  readonly log: AuditLog
  readonly #host: Host
  readonly #usage = new Map<string, UsageRecord>()
  /** Whether something was deleted of which no byte should be left. */
  mustPurge = false
  /** Keys that hardware security modules should not have any more. */
  readonly removed: { readonly clusterId: string; readonly keyId: string }[] = []

  private constructor(host: Host, records: RecordTransaction, log: AuditLog) {
    this.#host = host
    this.records = records
    this.log = log
    this.schedule = new Schedule(records)
  }

  static async open(host: Host, rows: StoreTransaction, known: KnownRows): Promise<Batch> {
    const records = new RecordTransaction(rows, host.keys, known)
    return new Batch(host, records, await AuditLog.open(rows, records, host.storeKeys.audit))
  }

  /** Does what is due; false if there is more of it than one transaction should do. */
  async doDue(now: number, mayDestroy: boolean): Promise<boolean> {
    for (let count = 0; count < MAX_DUE_KEYS; count++) {
      const entry = await this.schedule.next(now)
      if (!entry) return true
      await this.#doEntry(entry, now, mayDestroy)
    }
    return false
  }

  async #doEntry(entry: Stored<DueRecord>, now: number, mayDestroy: boolean): Promise<void> {
    const scope = scopeOfEntry(entry.record, this.#host.scope)
    const context = this.#context(scope, now)
    let result: DueResult
    try {
      result = await this.records.savepoint(() => doDueWork(context, entry.record.keyId, mayDestroy))
    } catch {
      // A key that cannot be read must not keep the others from their dates; its own calls say what is wrong with it.
      result = 'held'
    }
    // First of all its record: from here on nothing undoes the work but the end of the transaction.
    if (result !== 'held') await this.#note(result)
    await this.schedule.remove(entry)
    if (result === 'held') await postpone(context, entry)
  }

  /** Does what is due of one key; false if it must wait. */
  async doDueOf(keyId: string, scope: Scope, now: number, mayDestroy: boolean): Promise<boolean> {
    const context = this.#context(scope, now)
    const result = await this.records.savepoint(() => doDueWork(context, keyId, mayDestroy))
    if (result === 'held') return false
    await this.#note(result)
    return true
  }

  #context(scope: Scope, now: number): DueContext {
    const { random, keys } = this.#host
    return { scope, now, random, keys, records: this.records, schedule: this.schedule }
  }

  async #note(events: readonly ServiceEvent[]): Promise<void> {
    for (const event of events) {
      if (event.name === 'DeleteKey') this.mustPurge = true
      if (event.keyStore?.clusterId !== undefined)
        this.removed.push({ clusterId: event.keyStore.clusterId, keyId: event.keyId })
      await this.log.append((ids) => serviceRecord(event, ids))
    }
  }

  /** Records what a call did in other Regions, and had the engine do. */
  async noteConsequences(call: RecordedCall, { requestId }: RecordIds): Promise<void> {
    const { forwarded, events } = call.trail
    for (const one of forwarded) {
      await this.log.append(({ eventId }) => forwardedRecord(call, one, { eventId, requestId }))
    }
    await this.#note(events)
  }

  /** The last use of a key; written once for all calls of the transaction. */
  noteUsage(keyRow: string, usage: UsageRecord): void {
    this.#usage.set(keyRow, usage)
  }

  async usageOf(keyRow: string): Promise<UsageRecord | undefined> {
    return this.#usage.get(keyRow) ?? (await this.records.get('usage', keyRow))?.record
  }

  /** Writes what the calls left for the end. */
  async close(): Promise<void> {
    for (const [keyRow, usage] of this.#usage) {
      // The key may be gone since, by a later call of the same transaction.
      if (await this.records.get('key', keyRow)) {
        await this.records.put('usage', keyRow, usage, await this.records.get('usage', keyRow))
      }
    }
    if (this.records.hasDeletedSecrets) this.mustPurge = true
    await this.log.close()
  }
}
