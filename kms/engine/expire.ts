import { keyArn } from './arn.ts'
import type { DueContext, DueResult } from './due.ts'
import { forgetMaterial } from './imported.ts'
import type { KeyRecord, Stored } from './records.ts'
import type { ServiceEvent } from './trail.ts'
import { updateKey } from './update-key.ts'
import { without } from './without.ts'
import { deleteWrappingKey } from './wrapping-key.ts'

/** Deletes what of a key's imports is over: wrapping keys, and material that has expired. */
export async function expireImports(
  context: DueContext,
  stored: Stored<KeyRecord>,
  mayDestroy: boolean,
): Promise<DueResult> {
  const { scope, now } = context
  const { keyId, materials } = stored.record
  const expired = materials.filter(({ imported }) => imported?.until !== undefined && imported.until <= now)
  if (expired.length > 0 && !mayDestroy) return 'held'
  let changed = await dropWrappingKeys(context, stored.record, ({ until }) => until <= now)
  const events: ServiceEvent[] = []
  for (const { id } of expired) {
    changed = await forgetMaterial(context, changed, id)
    const details = { keyMaterialId: id }
    events.push({ name: 'DeleteExpiredKeyMaterial', scope, now, keyId, arn: keyArn(scope, keyId), details })
  }
  await updateKey(context, stored, changed)
  return events
}

type WrappingKey = NonNullable<KeyRecord['wrappingKeys']>[number]

/** Deletes those of a key's wrapping keys that are to go; answers the key without them. */
export async function dropWrappingKeys(
  context: DueContext,
  record: KeyRecord,
  mustGo: (wrappingKey: WrappingKey) => boolean,
): Promise<KeyRecord> {
  const { keyId, wrappingKeys = [] } = record
  for (const { id } of wrappingKeys.filter(mustGo)) await deleteWrappingKey(context, { keyId, id })
  const left = wrappingKeys.filter((wrappingKey) => !mustGo(wrappingKey))
  return { ...without(record, 'wrappingKeys'), ...(left.length > 0 && { wrappingKeys: left }) }
}
