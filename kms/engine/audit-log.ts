import { hmac } from '../../bindings/core.ts'
import type { StoreTransaction } from '../store/store.ts'
import { fromHex, lengthPrefixed, toHex, uuidOf } from './bytes.ts'
import { signalOf, type Signal } from './signals.ts'
import type { AuditRecord } from './trail.ts'
import { tampered, type ChainRecord, type RecordTransaction, type Stored } from './records.ts'

// The log is a chain of rows: the MAC of each is HMAC-SHA-256 under the store's audit key over the chain's name, the
// number of the record, its bytes and the MAC before it. The number and MAC of the newest record stand in a row of
// their own.

/** The chain of this database. Several processes on one database write one chain. */
export const CHAIN = 'main'

/** A record of the log as it is stored: the very bytes that its MAC covers. */
export interface ChainLink {
  /** From 1. */
  readonly number: number
  /** JSON of an {@link AuditRecord}. */
  readonly body: string
}

export function chainMac(key: Uint8Array, { number, body }: ChainLink, previous: Uint8Array): Uint8Array<ArrayBuffer> {
  return hmac('sha256', key, lengthPrefixed('waxseal-kms-audit-v1', CHAIN, String(number), body, previous))
}

/** What stands before the first record. */
export function chainStart(key: Uint8Array): Uint8Array<ArrayBuffer> {
  return chainMac(key, { number: 0, body: '' }, new Uint8Array())
}

/** Id of a record's row; in the order of the numbers. */
export function linkId(number: number): string {
  return `${CHAIN}/${String(number).padStart(16, '0')}`
}

export const HEAD_ROW = 'audit/main'

/** After how long the time is noted without a record. */
const IDLE_NOTE_MS = 3_600_000

export async function readHead(records: RecordTransaction): Promise<Stored<ChainRecord> | undefined> {
  const head = await records.get('meta', HEAD_ROW)
  if (head && !('mac' in head.record)) throw tampered('meta', HEAD_ROW)
  return head as Stored<ChainRecord> | undefined
}

/** Ids of one record, the same in its body and in what is said of it elsewhere. */
export interface RecordIds {
  readonly eventId: string
  readonly requestId: string
}

/** Appends to the log within a transaction. */
export class AuditLog {
  readonly #rows: StoreTransaction
  readonly #records: RecordTransaction
  readonly #key: Uint8Array
  readonly #head: Stored<ChainRecord> | undefined
  /** The last time of which no process was in doubt. */
  knownTime: number | undefined
  /** What those who listen are told when the transaction is durable. */
  readonly signals: Signal[] = []
  #number: number
  #mac: Uint8Array
  /** Why a record could not be appended. */
  #failure: { readonly reason: unknown } | undefined

  private constructor(
    rows: StoreTransaction,
    records: RecordTransaction,
    key: Uint8Array,
    head: Stored<ChainRecord> | undefined,
  ) {
    this.#rows = rows
    this.#records = records
    this.#key = key
    this.#head = head
    this.knownTime = head?.record.time
    this.#number = head?.record.records ?? 0
    this.#mac = head ? fromHex(head.record.mac) : chainStart(key)
  }

  static async open(rows: StoreTransaction, records: RecordTransaction, key: Uint8Array): Promise<AuditLog> {
    return new AuditLog(rows, records, key, await readHead(records))
  }

  /**
   * `make` gets ids that no other record has: the halves of the MAC before this record. When it fails, the transaction
   * does: {@link close} rejects, so that nothing is committed without its record.
   */
  async append(make: (ids: RecordIds) => AuditRecord): Promise<RecordIds> {
    try {
      return await this.#append(make)
    } catch (reason) {
      this.#failure ??= { reason }
      throw reason
    }
  }

  async #append(make: (ids: RecordIds) => AuditRecord): Promise<RecordIds> {
    const ids = { eventId: uuidOf(this.#mac.subarray(0, 16)), requestId: uuidOf(this.#mac.subarray(16, 32)) }
    const record = make(ids)
    const link = { number: this.#number + 1, body: JSON.stringify(record) }
    const mac = chainMac(this.#key, link, this.#mac)
    await this.#rows.put('audit', { id: linkId(link.number), owner: '', revision: link.number, body: link.body, mac })
    this.#number = link.number
    this.#mac = mac
    const signal = signalOf(record)
    if (signal) this.signals.push(signal)
    return ids
  }

  /** Writes the new head; the last thing in a transaction. Rejects if a record is missing. */
  async close(): Promise<void> {
    if (this.#failure) throw this.#failure.reason
    const time = this.knownTime
    if (this.#number === (this.#head?.record.records ?? 0) && !this.#isLate(time)) return
    const record = { records: this.#number, mac: toHex(this.#mac), ...(time !== undefined && { time }) }
    await this.#records.put('meta', HEAD_ROW, record, this.#head)
  }

  /** A KMS that nobody calls notes the time as well, but not each time that it looks for due work. */
  #isLate(time: number | undefined): boolean {
    return this.#head !== undefined && time !== undefined && time - (this.#head.record.time ?? 0) >= IDLE_NOTE_MS
  }
}
