import { KmsError } from '../errors.ts'
import type { BranchKeyItem, BranchKeyItems, BranchKeyPut } from '../hierarchical/branch-key-items.ts'
import type { Store } from '../store/store.ts'
import { KnownRows } from './authentic-rows.ts'
import { fromHex, toHex } from './bytes.ts'
import type { RootKeys } from './keys.ts'
import { RecordTransaction } from './records.ts'

/**
 * The records of branch key stores in the engine's own database, as DynamoDB would keep them: there a KMS protects the
 * wrapped keys, and here each row is authenticated beside, so that an older one or none is no answer.
 *
 * @throws KmsError `KMSInternalException` for a row that was changed
 */
export function openBranchKeyItems(host: {
  readonly store: Store
  readonly keys: RootKeys
  readonly isClosed: () => boolean
}): BranchKeyItems {
  const { store, keys, isClosed } = host
  const known = new KnownRows()
  const run = <T>(mode: 'read' | 'write', work: (records: RecordTransaction) => Promise<T>): Promise<T> =>
    store.transaction(mode, (rows) => work(new RecordTransaction(rows, keys, known)))
  const assertOpen = (signal: AbortSignal | undefined): void => {
    signal?.throwIfAborted()
    if (isClosed()) throw new KmsError('KMSInternalException', 'this KMS was closed')
  }
  return {
    async get(branchKeyId, type, signal) {
      assertOpen(signal)
      return run('read', (records) => readItem(records, rowOf(branchKeyId, type)))
    },
    async put(puts, signal) {
      assertOpen(signal)
      const own = puts.map(copyPut)
      return run('write', (records) => writeItems(records, own))
    },
  }
}

async function readItem(records: RecordTransaction, row: string): Promise<BranchKeyItem | undefined> {
  const stored = await records.get('branch-key', row)
  return stored && { attributes: { ...stored.record.attributes }, enc: fromHex(stored.record.enc) }
}

async function writeItems(records: RecordTransaction, puts: readonly CopiedPut[]): Promise<boolean> {
  const found = []
  for (const { row, replaces } of puts) {
    const stored = await records.get('branch-key', row)
    if (stored?.record.enc !== replaces) return false
    found.push(stored)
  }
  for (const [index, { row, record }] of puts.entries()) await records.put('branch-key', row, record, found[index])
  return true
}

interface CopiedPut {
  readonly row: string
  readonly record: { readonly attributes: BranchKeyItem['attributes']; readonly enc: string }
  /** Hex. */
  readonly replaces: string | undefined
}

/** What the caller changes later does not matter. */
function copyPut({ item: { attributes, enc }, replaces }: BranchKeyPut): CopiedPut {
  return {
    row: rowOf(attributes['branch-key-id'] ?? '', attributes.type ?? ''),
    record: { attributes: { ...attributes }, enc: toHex(enc) },
    replaces: replaces && toHex(replaces),
  }
}

/** Ids of rows are ASCII, without null characters: what may be in a name is escaped. */
function rowOf(branchKeyId: string, type: string): string {
  return `${encodeURIComponent(branchKeyId)}/${encodeURIComponent(type)}`
}
