import { KmsError } from '../errors.ts'
import type { DueContext } from './due.ts'
import { isSymmetric, specification } from './key-spec.ts'
import { updateKey, type FoundKey } from './lookup.ts'
import { newMaterialId, storeMaterial } from './material.ts'
import { assertPrimary } from './multi-region.ts'
import type { KeyRecord, Stored } from './records.ts'
import { without } from './without.ts'

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

/** Whether a key can have rotations at all. @throws KmsError `UnsupportedOperationException`, as on AWS without a text */
export function assertRotation({ record }: FoundKey): void {
  if (!isSymmetric(record.keySpec)) throw new KmsError('UnsupportedOperationException')
}

/** Whether the engine can make new material for a key. @throws KmsError `UnsupportedOperationException` */
export function assertAutomaticRotation(found: FoundKey): void {
  assertRotation(found)
  if (found.record.multiRegion) assertPrimary(found)
  if (found.record.origin === 'AWS_KMS') return
  throw new KmsError(
    'UnsupportedOperationException',
    `${found.arn} origin is ${found.record.origin} which is not valid for this operation.`,
  )
}
