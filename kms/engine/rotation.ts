import { KmsError } from '../errors.ts'
import type { DueContext } from './due.ts'
import { pendingMaterial } from './imported.ts'
import { isSymmetric, specification } from './key-spec.ts'
import { updateKey, type FoundKey } from './lookup.ts'
import { newMaterialId, storeMaterial } from './material.ts'
import { assertPrimary, isEverywhere } from './multi-region.ts'
import type { KeyRecord, Stored } from './records.ts'
import { without } from './without.ts'

/** The period of automatic rotation unless another is given. */
export const DEFAULT_ROTATION_DAYS = 365

/** Gives a key new material; what was encrypted under the old one still decrypts. Answers both ids. */
export async function rotate(
  context: DueContext,
  stored: Stored<KeyRecord>,
  type: 'AUTOMATIC' | 'ON_DEMAND',
  rotation: KeyRecord['rotation'],
): Promise<{ readonly currentBackingKeyId: string; readonly previousBackingKeyId: string }> {
  const { record } = stored
  const id = newMaterialId(context)
  const material = context.random(specification(record.keySpec)?.materialBytes ?? 0)
  try {
    await storeMaterial(context, record, id, material)
  } finally {
    material.fill(0)
  }
  await updateKey(context, stored, {
    ...without(record, 'rotation'),
    currentMaterial: id,
    materials: [...record.materials, { id, created: context.now, rotated: { at: context.now, type } }],
    onDemandRotations: record.onDemandRotations + (type === 'ON_DEMAND' ? 1 : 0),
    ...(rotation && { rotation }),
  })
  return { currentBackingKeyId: id, previousBackingKeyId: record.currentMaterial ?? '' }
}

/**
 * Makes the imported material that waits for it the current one.
 *
 * @throws KmsError `KMSInvalidStateException` if there is none, or a replica lacks it
 */
export async function rotateToImported(context: DueContext, { stored, record, arn }: FoundKey): Promise<void> {
  const pending = pendingMaterial(record)
  if (!pending?.imported) {
    throw new KmsError('KMSInvalidStateException', `No available key material pending rotation for the key: ${arn}.`)
  }
  if (!(await isEverywhere(context, record, pending.id))) {
    throw new KmsError(
      'KMSInvalidStateException',
      `The key material pending rotation (id: ${pending.id}) is not imported into every related key of ${arn} yet.`,
    )
  }
  const imported = without(pending.imported, 'isPending')
  const rotated = { at: context.now, type: 'ON_DEMAND' as const }
  const materials = record.materials.map((entry) => (entry === pending ? { ...pending, imported, rotated } : entry))
  const onDemandRotations = record.onDemandRotations + 1
  await updateKey(context, stored, { ...record, currentMaterial: pending.id, materials, onDemandRotations })
}

/** Whether a key can have rotations at all. @throws KmsError `UnsupportedOperationException`, as on AWS without a text */
export function assertRotation({ record }: FoundKey): void {
  if (!isSymmetric(record.keySpec)) throw new KmsError('UnsupportedOperationException')
}

/** Whether imported material can be made the current one by this key. @throws KmsError `UnsupportedOperationException` */
export function assertImportedRotation(found: FoundKey): void {
  assertRotation(found)
  if (found.record.multiRegion) assertPrimary(found)
}

/** Whether the engine can make new material for a key. @throws KmsError `UnsupportedOperationException` */
export function assertAutomaticRotation(found: FoundKey): void {
  assertImportedRotation(found)
  if (found.record.origin === 'AWS_KMS') return
  throw new KmsError(
    'UnsupportedOperationException',
    `${found.arn} origin is ${found.record.origin} which is not valid for this operation.`,
  )
}
