import { timingSafeEqual } from '../../bindings/core.ts'
import { KmsError } from '../errors.ts'
import type { Store, StoreTransaction } from '../store/store.ts'
import { CHAIN, chainMac, chainStart, linkId, readHead } from './audit-log.ts'
import { toHex } from './bytes.ts'
import type { RootKeys } from './keys.ts'
import { RecordTransaction } from './records.ts'
import type { StoreKeys } from './store-keys.ts'
import type { AuditRecord } from './trail.ts'

/** A record of the log with its place in it. */
export interface AuditEntry {
  /** From 1, without gaps. */
  readonly number: number
  readonly record: AuditRecord
}

/** The newest record of a log: whoever keeps it elsewhere sees later whether records after it, or it, were taken away. */
export interface AuditHead {
  readonly records: number
  /** Hex. */
  readonly mac: string
}

/** The log of all calls and of what the engine did by itself. */
export interface Audit {
  /** The records behind number `after` (default 0), in their order; at most `limit` (default 1000). */
  list(options?: {
    readonly after?: number | undefined
    readonly limit?: number | undefined
  }): Promise<readonly AuditEntry[]>
  /** The newest record's number and MAC; zero records have an empty MAC. */
  head(): Promise<AuditHead>
  /**
   * Checks every record: that it is as it was written, in its place, and that none is missing up to the newest, and that
   * `head`, if it is given, is on the way. Answers the newest.
   *
   * @throws KmsError `KMSInternalException` that names the first record that is not as it was
   */
  verify(options?: { readonly head?: AuditHead | undefined }): Promise<AuditHead>
}

const DEFAULT_LIMIT = 1000
const EMPTY: AuditHead = { records: 0, mac: '' }

export function openAudit(host: {
  readonly store: Store
  readonly keys: RootKeys
  readonly storeKeys: StoreKeys
}): Audit {
  const { store, keys, storeKeys } = host
  const read = <T>(work: (rows: StoreTransaction) => Promise<T>): Promise<T> => store.transaction('read', work)
  return {
    list: ({ after = 0, limit = DEFAULT_LIMIT } = {}) =>
      read(async (rows) => {
        const found = await rows.list('audit', { prefix: `${CHAIN}/`, after: linkId(after), limit })
        return found.map(({ revision, body }) => ({ number: revision, record: JSON.parse(body) as AuditRecord }))
      }),
    head: () => read((rows) => headOf(rows, keys)),
    verify: ({ head } = {}) => read((rows) => verify(rows, keys, storeKeys.audit, head)),
  }
}

async function headOf(rows: StoreTransaction, keys: RootKeys): Promise<AuditHead> {
  return (await readHead(new RecordTransaction(rows, keys)))?.record ?? EMPTY
}

async function verify(
  rows: StoreTransaction,
  keys: RootKeys,
  key: Uint8Array,
  anchor: AuditHead | undefined,
): Promise<AuditHead> {
  const head = await headOf(rows, keys)
  let mac: Uint8Array = chainStart(key)
  let number = 0
  for (;;) {
    const links = await rows.list('audit', { prefix: `${CHAIN}/`, after: linkId(number), limit: DEFAULT_LIMIT })
    for (const row of links) {
      number++
      mac = chainMac(key, { number, body: row.body }, mac)
      if (row.id !== linkId(number) || row.revision !== number || !timingSafeEqual(mac, row.mac)) throw broken(number)
      if (anchor?.records === number && anchor.mac !== toHex(mac)) throw broken(number)
    }
    if (links.length < DEFAULT_LIMIT) break
  }
  if (number !== head.records) throw broken(Math.min(number, head.records) + 1)
  if (number > 0 && toHex(mac) !== head.mac) throw broken(number)
  if (anchor && anchor.records > number) throw broken(number + 1)
  return head
}

function broken(number: number): KmsError {
  return new KmsError(
    'KMSInternalException',
    `record ${String(number)} of the audit log is missing, or not as it was written`,
  )
}
