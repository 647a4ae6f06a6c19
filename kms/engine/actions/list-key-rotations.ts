import type { Action } from '../action.ts'
import { pendingMaterial } from '../imported.ts'
import { resolveKeyId } from '../lookup.ts'
import { isEverywhere } from '../multi-region.ts'
import { pageOf } from '../paging.ts'
import type { ImportedMaterial, KeyRecord, MaterialEntry } from '../records.ts'
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
    const listed = record.materials
      .map((material, index) => ({ id: placeId(index), material }))
      .filter(({ material }) => isAll || material.rotated !== undefined)
    const page = pageOf(listed, { limit: Limit, marker: Marker, isId: (text) => /^\d{6}$/.test(text) })
    const pending = pendingMaterial(record)
    const isReady = pending === undefined || (await isEverywhere(context, record, pending.id))
    return { Rotations: page.items.map(({ material }) => entryOf(record, material, isReady)), ...page.output }
  },
}

/** Material keeps its place: only the newest is ever removed. Its own id says nothing of the order. */
function placeId(index: number): string {
  return String(index).padStart(6, '0')
}

function entryOf(
  { keyId, currentMaterial }: KeyRecord,
  { id, rotated, imported }: MaterialEntry,
  isReady: boolean,
): RotationsListEntry {
  const pending = isReady ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
  const state = id === currentMaterial ? 'CURRENT' : 'NON_CURRENT'
  return {
    KeyId: keyId,
    KeyMaterialId: id,
    KeyMaterialState: imported?.isPending ? pending : state,
    ...(imported && importOf(imported)),
    ...(rotated && { RotationDate: new Date(rotated.at), RotationType: rotated.type }),
  }
}

function importOf({ isPresent, until, description }: ImportedMaterial): Partial<RotationsListEntry> {
  const expiration =
    until === undefined
      ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
      : { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(until) }
  return {
    ImportState: isPresent ? 'IMPORTED' : 'PENDING_IMPORT',
    ...(description !== undefined && { KeyMaterialDescription: description }),
    ...(isPresent && expiration),
  }
}
