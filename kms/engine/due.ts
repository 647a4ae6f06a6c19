import type { ActionContext } from './action.ts'
import { keyArn, rowId, type Scope } from './arn.ts'
import { endKey } from './end-key.ts'
import { expireImports } from './expire.ts'
import { synchronize } from './multi-region.ts'
import type { DueRecord, Stored } from './records.ts'
import { rotate } from './rotation.ts'
import { DAY_MS, dueAt } from './schedule.ts'
import type { ServiceEvent } from './trail.ts'

/** What due work needs: no caller, and no input. */
export type DueContext = Pick<ActionContext, 'scope' | 'now' | 'random' | 'keys' | 'records' | 'schedule'>

/** Keys that one transaction sees to, at most. */
export const MAX_DUE_KEYS = 100

/** When work that failed is tried again. */
const RETRY_MS = 60_000

/** What was done of a key, or that it must wait. */
export type DueResult = readonly ServiceEvent[] | 'held'

/** Does what is due of one key, as its row says. `mayDestroy` false leaves deletions for later. */
export async function doDueWork(context: DueContext, keyId: string, mayDestroy: boolean): Promise<DueResult> {
  const { scope, now, records } = context
  const stored = await records.get('key', rowId(scope, keyId))
  if (!stored) return []
  const { record } = stored
  const at = dueAt(record)
  if (at === undefined || at > now) return []
  const event = { scope, now, keyId, arn: keyArn(scope, keyId) }
  if (record.deletion?.at !== undefined && record.deletion.at <= now) {
    if (!mayDestroy) return 'held'
    const consequences = await endKey(context, stored)
    return [{ ...event, name: 'DeleteKey', keyStore: record.keyStore }, ...consequences]
  }
  if (record.origin === 'EXTERNAL') return expireImports(context, stored, mayDestroy)
  if (!record.rotation) return []
  // One rotation, however many dates went by while nobody looked: the next one is a period from the last date that did.
  const period = record.rotation.periodDays * DAY_MS
  const next = at + period * (1 + Math.floor((now - at) / period))
  const material = await rotate(context, stored, 'AUTOMATIC', { ...record.rotation, next })
  return [{ ...event, name: 'RotateKey', details: material }, ...(await synchronize(context, keyId))]
}

/** Takes an entry that failed or must wait out of the way of the others. */
export async function postpone({ records, now }: DueContext, entry: Stored<DueRecord>): Promise<void> {
  const at = now + RETRY_MS
  const id = `${String(at).padStart(16, '0')}/${entry.row.id.slice(entry.row.id.indexOf('/') + 1)}`
  await records.put('due', id, { ...entry.record, at })
}

/** The scope of an entry of the schedule. */
export function scopeOfEntry({ account, region }: DueRecord, { partition }: Scope): Scope {
  return { partition, account, region }
}
