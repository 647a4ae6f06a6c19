import type { Action } from '../action.ts'
import { resolveKeyId } from '../lookup.ts'
import { pageOf } from '../paging.ts'
import type { KeyRecord, MaterialEntry } from '../records.ts'
import { assertRotation } from '../rotation.ts'
import type { ListKeyRotationsInput, ListKeyRotationsOutput, RotationsListEntry } from '../types.ts'

const DEFAULT_LIMIT = 100

/** ListKeyRotations: the rotations of a key, the oldest first; or all its material, with what was there before them. */
export const listKeyRotations: Action<ListKeyRotationsInput, ListKeyRotationsOutput> = {
  shape: 'ListKeyRotationsRequest',
  mode: 'read',
  async act(context, { KeyId, IncludeKeyMaterial, Limit = DEFAULT_LIMIT, Marker }) {
    const found = await resolveKeyId(context, KeyId)
    assertRotation(found)
    const { record } = found
    const isAll = IncludeKeyMaterial === 'ALL_KEY_MATERIAL'
    const listed = record.materials.filter(({ rotated }) => isAll || rotated !== undefined)
    const page = pageOf(listed, { limit: Limit, marker: Marker })
    return { Rotations: page.items.map((material) => entryOf(record, material)), ...page.output }
  },
}

function entryOf({ keyId, currentMaterial }: KeyRecord, { id, rotated }: MaterialEntry): RotationsListEntry {
  return {
    KeyId: keyId,
    KeyMaterialId: id,
    KeyMaterialState: id === currentMaterial ? 'CURRENT' : 'NON_CURRENT',
    ...(rotated && { RotationDate: new Date(rotated.at), RotationType: rotated.type }),
  }
}
