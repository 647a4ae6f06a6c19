import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { assertImports, forgetMaterial } from '../imported.ts'
import { resolveKeyId, updateKey } from '../lookup.ts'
import { synchronize } from '../multi-region.ts'
import type { DeleteImportedKeyMaterialInput, DeleteImportedKeyMaterialOutput } from '../types.ts'

/**
 * DeleteImportedKeyMaterial: the key cannot be used until the same material is imported again. It is PendingImport then,
 * and Enabled after that import, also if it was Disabled before.
 */
export const deleteImportedKeyMaterial: Action<DeleteImportedKeyMaterialInput, DeleteImportedKeyMaterialOutput> = {
  shape: 'DeleteImportedKeyMaterialRequest',
  mode: 'write',
  async act(context, { KeyId, KeyMaterialId }) {
    const found = await resolveKeyId(context, KeyId)
    const { stored, record, arn } = found
    assertImports(found, 'deleteMaterial')
    const id = KeyMaterialId ?? record.currentMaterial
    const entry = record.materials.find((material) => material.id === id)
    if (KeyMaterialId !== undefined && !entry) {
      throw new KmsError('NotFoundException', `Key material ${KeyMaterialId} of key ${arn} does not exist.`)
    }
    if (!entry) return { KeyId: arn }
    // A replica that became the primary may wait for material which never came to it: what it gives up, no key waits for.
    const isWaiting = entry.imported?.isPending && record.multiRegion?.type !== 'REPLICA'
    if (entry.imported && (entry.imported.isPresent || isWaiting)) {
      await updateKey(context, stored, await forgetMaterial(context, record, entry.id))
      // What waited for its rotation is no longer waited for anywhere.
      if (entry.imported.isPending) context.trail.events.push(...(await synchronize(context, record.keyId)))
    }
    return { KeyId: arn, KeyMaterialId: entry.id }
  },
}
