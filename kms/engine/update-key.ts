import type { ActionContext } from './action.ts'
import { rowId } from './arn.ts'
import type { KeyRecord, Stored } from './records.ts'
import { dueAt } from './schedule.ts'

/**
 * Writes a changed key, and moves its entry in the schedule. That a key is unavailable is said by its custom key store,
 * not by its row.
 */
export async function updateKey(
  context: Pick<ActionContext, 'scope' | 'records' | 'schedule'>,
  stored: Stored<KeyRecord>,
  changed: KeyRecord,
): Promise<void> {
  const { scope, records, schedule } = context
  const record = changed.state === 'Unavailable' ? { ...changed, state: stored.record.state } : changed
  await records.put('key', rowId(scope, record.keyId), record, stored)
  await schedule.move(scope, record.keyId, dueAt(stored.record), dueAt(record))
}
