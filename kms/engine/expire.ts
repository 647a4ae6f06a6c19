import { keyArn } from './arn.ts'
import type { DueContext, DueResult } from './due.ts'
import { forgetMaterial, noticeAt } from './imported.ts'
import { synchronize } from './multi-region.ts'
import type { KeyRecord, MaterialEntry, Stored } from './records.ts'
import type { ServiceEvent } from './trail.ts'
import { updateKey } from './update-key.ts'
import { without } from './without.ts'
import { deleteWrappingKey } from './wrapping-key.ts'

/** Deletes what of a key's imports is over, wrapping keys and material that has expired, and says what soon will be. */
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
  const event = { scope, now, keyId, arn: keyArn(scope, keyId) }
  const events: ServiceEvent[] = []
  for (const { id } of expired) {
    changed = await forgetMaterial(context, changed, id)
    events.push({ ...event, name: 'DeleteExpiredKeyMaterial', details: { keyMaterialId: id } })
  }
  const announced = changed.materials.filter(({ imported }) => (noticeAt(imported) ?? Infinity) <= now)
  for (const { id, imported } of announced) {
    const details = { keyMaterialId: id, validTo: new Date(imported?.until ?? 0).toISOString() }
    events.push({ ...event, name: 'AnnounceKeyMaterialExpiration', details })
  }
  changed = {
    ...changed,
    materials: changed.materials.map((entry) => (announced.includes(entry) ? told(entry) : entry)),
  }
  await updateKey(context, stored, changed)
  if (expired.some(({ imported }) => imported?.isPending)) events.push(...(await synchronize(context, keyId)))
  return events
}

function told(entry: MaterialEntry): MaterialEntry {
  return entry.imported ? { ...entry, imported: { ...entry.imported, isAnnounced: true } } : entry
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
