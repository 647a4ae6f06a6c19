import { KmsError } from '../errors.ts'
import { rowId } from './arn.ts'
import type { DueContext } from './due.ts'
import type { ScopeRecord, Stored } from './records.ts'

const MAX_KEYS = 100_000

/** Counts the keys of an account and Region. @throws KmsError `LimitExceededException` */
export async function addToKeyCount({ scope, records }: DueContext, change: 1 | -1): Promise<void> {
  const id = rowId(scope)
  const previous = (await records.get('meta', id)) as Stored<ScopeRecord> | undefined
  const keys = (previous?.record.keys ?? 0) + change
  if (keys > MAX_KEYS) {
    throw new KmsError(
      'LimitExceededException',
      `There are ${String(MAX_KEYS)} keys in this account and Region already.`,
    )
  }
  await records.put('meta', id, { keys }, previous)
}
