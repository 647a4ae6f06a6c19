import { timingSafeEqual } from '../../bindings/core.ts'
import { KmsError } from '../errors.ts'
import type { Row, Store, StoreTransaction } from '../store/store.ts'
import { HeadSigner, type AuditHead, type SignedAuditHead } from './audit-head.ts'
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

/** The log of all calls and of what the engine did by itself. */
export interface Audit {
  /**
   * The records behind number `after` (default 0), in their order; at most `limit` (default 1000). Each was found to be
   * as it was written behind the one before it; whether records are missing at the end, {@link verify} tells.
   *
   * @throws KmsError `KMSInternalException` that names the first record that is not as it was
   */
  list(options?: {
    readonly after?: number | undefined
    readonly limit?: number | undefined
  }): Promise<readonly AuditEntry[]>
  /** The newest record's number and MAC; zero records have an empty MAC. */
  head(): Promise<AuditHead>
  /**
   * The same, signed, to be kept where nobody who can change the database can change it. The first call makes the key.
   *
   * @throws KmsError `UnsupportedOperationException` where the runtime has no Ed25519
   */
  signedHead(): Promise<SignedAuditHead>
  /**
   * Checks every record: that it is as it was written, in its place, and that none is missing up to the newest, and that
   * `head` and `heads`, if they are given, are on the way. `from` is a head up to which the log was verified before: only
   * the records behind it are read. Answers the newest.
   *
   * @throws KmsError `KMSInternalException` that names the first record that is not as it was, or a head that is not
   *   signed by this KMS
   */
  verify(options?: VerifyOptions): Promise<AuditHead>
}

/** Options of {@link Audit.verify}. */
export interface VerifyOptions {
  /** A head that was kept elsewhere, as {@link Audit.head} answered it: the log must have come by it. */
  readonly head?: AuditHead | undefined
  /** Heads that {@link Audit.signedHead} answered. Their signatures are verified, and the log must have come by each. */
  readonly heads?: readonly SignedAuditHead[] | undefined
  /** Where to begin: a head up to which the log was verified before. Default the first record. */
  readonly from?: SignedAuditHead | undefined
}

const DEFAULT_LIMIT = 1000
const EMPTY: AuditHead = { records: 0, mac: '' }

export function openAudit(host: {
  readonly store: Store
  readonly keys: RootKeys
  readonly storeKeys: StoreKeys
  readonly random: (length: number) => Uint8Array
  readonly clock: () => number
}): Audit {
  const { store, keys, storeKeys, clock } = host
  const signer = new HeadSigner(host)
  const read = <T>(work: (rows: StoreTransaction) => Promise<T>): Promise<T> => store.transaction('read', work)
  return {
    list: ({ after = 0, limit = DEFAULT_LIMIT } = {}) => read((rows) => list(rows, storeKeys.audit, after, limit)),
    head: () => read((rows) => headOf(rows, keys)),
    signedHead: async () => signer.sign(await read((rows) => headOf(rows, keys)), clock()),
    async verify({ head, heads = [], from } = {}) {
      await signer.assertSigned(from ? [from, ...heads] : heads)
      const expected = headsByNumber(head ? [head, ...heads] : heads)
      return read(async (rows) =>
        verify(rows, await startOf(rows, storeKeys.audit, from), expected, await headOf(rows, keys)),
      )
    },
  }
}

async function headOf(rows: StoreTransaction, keys: RootKeys): Promise<AuditHead> {
  const { records, mac } = (await readHead(new RecordTransaction(rows, keys)))?.record ?? EMPTY
  return { records, mac }
}

async function list(
  rows: StoreTransaction,
  key: Uint8Array,
  after: number,
  limit: number,
): Promise<readonly AuditEntry[]> {
  const found = await rows.list('audit', { prefix: `${CHAIN}/`, after: linkId(after), limit })
  if (found.length === 0) return []
  const before = after === 0 ? undefined : await rows.get('audit', linkId(after))
  if (after !== 0 && !before) throw broken(after)
  const chain = new Chain(key, before && { number: after, mac: before.mac })
  return found.map((row) => ({ number: chain.follow(row), record: JSON.parse(row.body) as AuditRecord }))
}

/** Where verification begins: at the first record, or behind one that was verified before. */
async function startOf(rows: StoreTransaction, key: Uint8Array, from: AuditHead | undefined): Promise<Chain> {
  if (!from || from.records === 0) return new Chain(key)
  const row = await rows.get('audit', linkId(from.records))
  if (!row || toHex(row.mac) !== from.mac) throw broken(from.records)
  return new Chain(key, { number: from.records, mac: row.mac })
}

async function verify(
  rows: StoreTransaction,
  chain: Chain,
  heads: ReadonlyMap<number, readonly string[]>,
  newest: AuditHead,
): Promise<AuditHead> {
  for (;;) {
    const links = await rows.list('audit', { prefix: `${CHAIN}/`, after: linkId(chain.number), limit: DEFAULT_LIMIT })
    for (const row of links) {
      const number = chain.follow(row)
      if (heads.get(number)?.some((mac) => mac !== chain.mac)) throw broken(number)
    }
    if (links.length < DEFAULT_LIMIT) break
  }
  if (chain.number !== newest.records) throw broken(Math.min(chain.number, newest.records) + 1)
  if (chain.mac !== newest.mac) throw broken(chain.number)
  for (const records of heads.keys()) if (records > chain.number) throw broken(chain.number + 1)
  return newest
}

/** MACs of heads, by the number of records. */
function headsByNumber(heads: readonly AuditHead[]): ReadonlyMap<number, readonly string[]> {
  const macs = new Map<number, string[]>()
  for (const { records, mac } of heads) macs.set(records, [...(macs.get(records) ?? []), mac])
  return macs
}

/** The links of the log, one after the other. */
class Chain {
  readonly #key: Uint8Array
  #number = 0
  #mac: Uint8Array

  constructor(key: Uint8Array, start?: { readonly number: number; readonly mac: Uint8Array }) {
    this.#key = key
    this.#number = start?.number ?? 0
    this.#mac = start?.mac ?? chainStart(key)
  }

  get number(): number {
    return this.#number
  }

  /** Hex of the newest link's; empty before the first. */
  get mac(): string {
    return this.#number === 0 ? '' : toHex(this.#mac)
  }

  /** Goes to the next link; answers its number. */
  follow({ id, revision, body, mac }: Row): number {
    const number = ++this.#number
    this.#mac = chainMac(this.#key, { number, body }, this.#mac)
    if (id !== linkId(number) || revision !== number || !timingSafeEqual(this.#mac, mac)) throw broken(number)
    return number
  }
}

function broken(number: number): KmsError {
  return new KmsError(
    'KMSInternalException',
    `record ${String(number)} of the audit log is missing, or not as it was written`,
  )
}
