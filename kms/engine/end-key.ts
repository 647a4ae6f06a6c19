import { rowId } from './arn.ts'
import { leaveKeyStore } from './custom-key-stores.ts'
import type { DueContext } from './due.ts'
import { dropWrappingKeys } from './expire.ts'
import { deleteMaterial } from './material.ts'
import { addToKeyCount } from './key-count.ts'
import { deleteGrants } from './grants.ts'
import { policyRow } from './key-policy.ts'
import { leaveRelatedKeys } from './multi-region.ts'
import type { KeyRecord, Stored } from './records.ts'
import { dueAt } from './schedule.ts'
import type { ServiceEvent } from './trail.ts'

/** Deletes a key with its material, aliases and everything else that is its own. Answers what came of it elsewhere. */
export async function endKey(context: DueContext, { record }: Stored<KeyRecord>): Promise<readonly ServiceEvent[]> {
  const { scope, records, schedule } = context
  const { keyId } = record
  for (const { id } of record.materials) await deleteMaterial(context, keyId, id)
  await dropWrappingKeys(context, record, () => true)
  for (const name of record.aliases) await records.delete('alias', rowId(scope, name))
  if (record.keyStore) await leaveKeyStore(context, record)
  await deleteGrants(context, keyId)
  await records.delete('policy', policyRow(scope, keyId))
  await records.delete('usage', rowId(scope, keyId))
  await records.delete('key', rowId(scope, keyId))
  await schedule.move(scope, keyId, dueAt(record), undefined)
  await addToKeyCount(context, -1)
  return leaveRelatedKeys(context, record)
}
