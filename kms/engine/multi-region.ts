import { KmsError } from '../errors.ts'
import { keyArn, rowId, type Scope } from './arn.ts'
import type { DueContext } from './due.ts'
import { withMaterials } from './imported.ts'
import type { FoundKey } from './lookup.ts'
import { deleteMaterial, storeMaterial, unsealMaterial } from './material.ts'
import { tampered, type KeyRecord, type MaterialEntry, type MultiRegion, type Stored } from './records.ts'
import { DAY_MS } from './schedule.ts'
import type { ServiceEvent } from './trail.ts'
import { updateKey } from './update-key.ts'
import { without } from './without.ts'

// Related multi-Region keys have rows of their own, each in its Region, and material of their own, sealed as that of this
// Region. What they share is copied from the primary key in the transaction that changes it there.

/** A context in another Region. */
export function inRegion<Context extends { readonly scope: Scope }>(context: Context, region: string): Context {
  return { ...context, scope: { ...context.scope, region } }
}

/** A key with where its related keys are. */
export type PrimaryKey = KeyRecord & { readonly multiRegion: MultiRegion }

/** @throws KmsError `UnsupportedOperationException` */
export function assertPrimary({ record, arn }: FoundKey): PrimaryKey {
  const { multiRegion } = record
  if (multiRegion?.type === 'PRIMARY') return { ...record, multiRegion }
  throw new KmsError('UnsupportedOperationException', `${arn} is not a multi-region primary key.`)
}

/** Copies to all replicas what they share with their primary. Nothing happens if the key is none, or has none. */
export async function synchronize(context: DueContext, keyId: string): Promise<readonly ServiceEvent[]> {
  const { scope, now } = context
  const { record } = await readKey(context, keyId)
  const { multiRegion } = record
  if (multiRegion?.type !== 'PRIMARY' || multiRegion.replicas.length === 0) return []
  for (const region of multiRegion.replicas) await copyShared(context, { ...record, multiRegion }, region)
  return [{ name: 'SynchronizeMultiRegionKey', scope, now, keyId, arn: keyArn(scope, keyId) }]
}

/** Tells the keys that stay of a replica that has ended, and begins the waiting period of a primary that waited for it. */
export async function leaveRelatedKeys(context: DueContext, ended: KeyRecord): Promise<readonly ServiceEvent[]> {
  const { keyId, multiRegion } = ended
  if (multiRegion?.type !== 'REPLICA') return []
  const there = inRegion(context, multiRegion.primary)
  const primary = await readKey(there, keyId)
  const replicas = multiRegion.replicas.filter((region) => region !== context.scope.region)
  const changed: KeyRecord = { ...primary.record, multiRegion: { ...multiRegion, type: 'PRIMARY', replicas } }
  await updateKey(there, primary, replicas.length > 0 ? changed : withoutReplicas(changed, context.now))
  return synchronize(there, keyId)
}

function withoutReplicas(primary: KeyRecord, now: number): KeyRecord {
  const { state, deletion } = primary
  if (state !== 'PendingReplicaDeletion' || !deletion) return primary
  return { ...primary, state: 'PendingDeletion', deletion: { ...deletion, at: now + deletion.days * DAY_MS } }
}

async function readKey({ scope, records }: DueContext, keyId: string): Promise<Stored<KeyRecord>> {
  const id = rowId(scope, keyId)
  const stored = await records.get('key', id)
  if (!stored) throw tampered('key', id)
  return stored
}

async function copyShared(context: DueContext, primary: PrimaryKey, region: string): Promise<void> {
  const there = inRegion(context, region)
  const replica = await readKey(there, primary.keyId)
  const { currentMaterial, rotation, onDemandRotations } = primary
  const changed: KeyRecord = {
    ...without(replica.record, 'rotation'),
    multiRegion: { ...primary.multiRegion, type: 'REPLICA' },
    ...(currentMaterial !== undefined && { currentMaterial }),
    onDemandRotations,
    ...(rotation && { rotation }),
  }
  const materials = await sharedMaterials(context, there, primary, replica.record)
  await updateKey(there, replica, withMaterials(changed, materials))
}

/** What a replica has of its primary's material: the same, or, of what was imported, what was imported here as well. */
async function sharedMaterials(
  from: DueContext,
  to: DueContext,
  primary: PrimaryKey,
  replica: KeyRecord,
): Promise<readonly MaterialEntry[]> {
  const own = new Map(replica.materials.map((entry) => [entry.id, entry]))
  if (primary.origin !== 'EXTERNAL') {
    for (const { id } of primary.materials) if (!own.has(id)) await copyMaterial(from, to, primary, id)
    return primary.materials
  }
  const shared = new Set(primary.materials.map(({ id }) => id))
  for (const id of own.keys()) if (!shared.has(id)) await deleteMaterial(to, replica.keyId, id)
  return primary.materials.map((entry) => {
    const here = without(own.get(entry.id)?.imported ?? { isPresent: false }, 'isPending')
    return { ...entry, imported: { ...here, ...(entry.imported?.isPending && { isPending: true }) } }
  })
}

/**
 * Whether imported material is here and in the Region of every replica ("all of the replica Region keys", RotationsListEntry).
 * One that is pending deletion counts: it may be cancelled, and the key would be there without its current material.
 */
export async function isEverywhere(context: DueContext, key: KeyRecord, materialId: string): Promise<boolean> {
  const { keyId, multiRegion } = key
  const regions = multiRegion?.type === 'PRIMARY' ? multiRegion.replicas : []
  const others = await Promise.all(regions.map((region) => readKey(inRegion(context, region), keyId)))
  return [key, ...others.map(({ record }) => record)].every(({ materials }) =>
    materials.some(({ id, imported }) => id === materialId && imported?.isPresent),
  )
}

async function copyMaterial(from: DueContext, to: DueContext, key: KeyRecord, materialId: string): Promise<void> {
  const material = await unsealMaterial(from, key, materialId)
  if (!material) throw tampered('key', rowId(from.scope, key.keyId))
  try {
    await storeMaterial(to, key, materialId, material)
  } finally {
    material.fill(0)
  }
}
