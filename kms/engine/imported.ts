import { hmac } from '../../bindings/core.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { lengthPrefixed, toHex } from './bytes.ts'
import type { DueContext } from './due.ts'
import { assertKeyState, type ActionClass, type KeyState } from './key-state.ts'
import type { FoundKey } from './lookup.ts'
import { deleteMaterial } from './material.ts'
import type { ImportedMaterial, KeyRecord, MaterialEntry } from './records.ts'

// What a key of origin EXTERNAL knows of its material: which it has had, which of it is here, and until when.

/**
 * The id of imported material: a keyed digest of key and material, which says nothing of the material, and by which the
 * same material is known again after it was deleted (rule of AWS KMS: a key takes back only what it had).
 */
export function importedMaterialId({ storeKeys, scope }: ActionContext, key: KeyRecord, material: Uint8Array): string {
  const { keyId, keySpec } = key
  const message = lengthPrefixed('waxseal-kms-imported-material-v1', scope.account, keyId, keySpec, material)
  try {
    return toHex(hmac('sha256', storeKeys.importedMaterial, message))
  } finally {
    message.fill(0)
  }
}

/**
 * Whether an action on imported material is for this key, in its state.
 *
 * @throws KmsError `UnsupportedOperationException`, `KMSInvalidStateException`
 */
export function assertImports({ record, arn }: FoundKey, action: ActionClass): void {
  if (record.origin !== 'EXTERNAL') {
    throw new KmsError(
      'UnsupportedOperationException',
      `${arn} origin is ${record.origin} which is not valid for this operation.`,
    )
  }
  assertKeyState(record.state, action, arn)
}

/** The material that waits for RotateKeyOnDemand. */
export function pendingMaterial({ materials }: KeyRecord): MaterialEntry | undefined {
  return materials.find(({ imported }) => imported?.isPending)
}

/** Whether some material that the key needs is not here: its first, or one that was deleted or has expired. */
export function lacksMaterial({ origin, currentMaterial, materials }: KeyRecord): boolean {
  if (origin !== 'EXTERNAL') return false
  return (
    currentMaterial === undefined ||
    materials.some(({ imported }) => imported?.isPresent === false && !imported.isPending)
  )
}

/** The time at which the first of the key's material expires; undefined if none does. Material that waits does not count. */
export function expiryOf({ materials }: KeyRecord): number | undefined {
  return earliest(materials.map(({ imported }) => (imported?.isPending ? undefined : imported?.until)))
}

/** How long before material expires the log says so: a week. */
export const NOTICE_MS: number = 7 * 86_400_000

/** The time at which a key next has material to be deleted, whether it waits or not, or to be announced. */
export function nextExpiry({ materials }: KeyRecord): number | undefined {
  return earliest(materials.map(({ imported }) => noticeAt(imported) ?? imported?.until))
}

/** When the log is to say that material will expire; undefined if that is over, or it does not. */
export function noticeAt(imported: ImportedMaterial | undefined): number | undefined {
  return imported?.until === undefined || imported.isAnnounced ? undefined : imported.until - NOTICE_MS
}

export function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

/**
 * A key after its material came or went, with the state that follows. As on AWS: a key without its material is
 * PendingImport, were it Disabled before, and Enabled when the last of it is back.
 */
export function withMaterials(record: KeyRecord, materials: readonly MaterialEntry[]): KeyRecord {
  const changed = { ...record, materials }
  return { ...changed, state: stateOf(changed) }
}

function stateOf(record: KeyRecord): KeyState {
  if (record.deletion) return record.state
  if (lacksMaterial(record)) return 'PendingImport'
  return record.state === 'PendingImport' ? 'Enabled' : record.state
}

/**
 * Deletes imported material. The key keeps its entry, for the same material may come back; material that waited for its
 * rotation was never the key's, and leaves nothing, but in a replica, which waits for what its primary has.
 */
export async function forgetMaterial(context: DueContext, record: KeyRecord, materialId: string): Promise<KeyRecord> {
  await deleteMaterial(context, record.keyId, materialId)
  const materials = record.materials.flatMap((entry) => {
    if (entry.id !== materialId || !entry.imported) return [entry]
    const { isPending, description } = entry.imported
    if (isPending && record.multiRegion?.type !== 'REPLICA') return []
    const text = description !== undefined && { description }
    return [{ ...entry, imported: { isPresent: false, ...text, ...(isPending && { isPending }) } }]
  })
  return withMaterials(record, materials)
}
