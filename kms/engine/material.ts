import { AuthenticationError } from '../../bindings/errors.ts'
import type { ActionContext } from './action.ts'
import { rowId, type Scope } from './arn.ts'
import { toHex } from './bytes.ts'
import { tampered, type KeyRecord } from './records.ts'
import { readRootKeyId } from './root.ts'

const MATERIAL_ID_BYTES = 32

/** What of a context key material needs. */
type MaterialContext = Pick<ActionContext, 'scope' | 'now' | 'random' | 'keys' | 'records'>

/** The parts of a key that its material is bound to. */
type KeyIdentity = Pick<KeyRecord, 'keyId' | 'keySpec' | 'keyUsage' | 'origin'>

/** A fresh id: random, so that it says nothing of the material (64 hexadecimal digits). */
export function newMaterialId(context: MaterialContext): string {
  return toHex(context.random(MATERIAL_ID_BYTES))
}

/** Seals material into a row of its own. The caller wipes `material`. */
export async function storeMaterial(
  context: MaterialContext,
  key: KeyIdentity,
  materialId: string,
  material: Uint8Array,
): Promise<void> {
  const description = describeMaterial(context, await readRootKeyId(context.records), key, materialId)
  const sealed = toHex(context.keys.seal(material, ...description))
  const keyRow = rowId(context.scope, key.keyId)
  const record = { materialId, created: context.now, sealed }
  await context.records.put('material', materialRow(context, key.keyId, materialId), record, undefined, keyRow)
}

/** Unseals a key's material for one use; undefined if the key has none of that id. The caller wipes it. */
export async function unsealMaterial(
  context: MaterialContext,
  key: KeyRecord,
  materialId: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!key.materials.some(({ id }) => id === materialId)) return undefined
  const id = materialRow(context, key.keyId, materialId)
  const stored = await context.records.get('material', id)
  if (!stored) throw tampered('material', id)
  const description = describeMaterial(context, await readRootKeyId(context.records), key, materialId)
  try {
    return context.keys.unsealRow(id, stored.record.sealed, ...description)
  } catch (error) {
    if (error instanceof AuthenticationError) throw tampered('material', id)
    throw error
  }
}

/** Unseals the material in use. */
export async function currentMaterial(
  context: MaterialContext,
  key: KeyRecord,
): Promise<{ readonly id: string; readonly material: Uint8Array<ArrayBuffer> }> {
  const id = key.currentMaterial
  const material = id === undefined ? undefined : await unsealMaterial(context, key, id)
  if (id === undefined || !material) throw tampered('key', rowId(context.scope, key.keyId))
  return { id, material }
}

/** Deletes material for good. */
export async function deleteMaterial(context: MaterialContext, keyId: string, materialId: string): Promise<void> {
  const id = materialRow(context, keyId, materialId)
  await context.records.delete('material', id)
  context.keys.forgetRow(id)
}

function materialRow({ scope }: MaterialContext, keyId: string, materialId: string): string {
  return rowId(scope, keyId, materialId)
}

/** Names a secret for its sealing: what it is and whose. */
export function describeMaterial(
  { scope: { account, region } }: { readonly scope: Pick<Scope, 'account' | 'region'> },
  rootKeyId: string,
  { keyId, keySpec, keyUsage, origin }: KeyIdentity,
  materialId: string,
): readonly string[] {
  return ['material', account, region, keyId, materialId, keySpec, keyUsage, origin, rootKeyId]
}
