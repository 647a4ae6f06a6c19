import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { toHex } from '../bytes.ts'
import { openImportToken } from '../import-token.ts'
import { assertImports, importedMaterialId, pendingMaterial, withMaterials, NOTICE_MS } from '../imported.ts'
import { isSymmetric } from '../key-spec.ts'
import { resolveKeyId, updateKey, type FoundKey } from '../lookup.ts'
import { storeMaterial } from '../material.ts'
import { assertPrimary, synchronize } from '../multi-region.ts'
import type { KeyRecord } from '../records.ts'
import { DAY_MS } from '../schedule.ts'
import type { ImportKeyMaterialInput, ImportKeyMaterialOutput } from '../types.ts'
import { incorrectKeyMaterial, unwrapMaterial } from '../unwrap-material.ts'

const MAX_DAYS = 365

/** ImportKeyMaterial: puts a caller's material into a key that was made without; later, only the same again, or more. */
export const importKeyMaterial: Action<ImportKeyMaterialInput, ImportKeyMaterialOutput> = {
  shape: 'ImportKeyMaterialRequest',
  mode: 'write',
  async act(context, input) {
    const found = await resolveKeyId(context, input.KeyId)
    const { stored, record, arn } = found
    assertImports(found, 'importMaterial')
    const until = validTo(context, input)
    const isNew = isNewMaterial(record, input)
    const token = await openImportToken(context, record.keyId, input.ImportToken)
    const { material, publicKey } = await unwrapMaterial(context, record, token, input.EncryptedKeyMaterial)
    try {
      const id = importedMaterialId(context, record, material)
      if (isNew && record.multiRegion) assertPrimary(found)
      if (isNew) assertNew(found, id)
      else assertKnown(record, id, input.KeyMaterialId)
      const { KeyMaterialDescription: description } = input
      const changed = withImported(context, record, id, { until, description })
      if (!isPresent(record, id)) await storeMaterial(context, record, id, material)
      await updateKey(context, stored, { ...changed, ...(publicKey && { publicKey: toHex(publicKey) }) })
      context.trail.events.push(...(isNew ? await synchronize(context, record.keyId) : []))
      return { KeyId: arn, KeyMaterialId: id }
    } finally {
      material.fill(0)
    }
  },
}

/** When the material is to expire; undefined is never. @throws KmsError `ValidationException` */
function validTo({ now }: ActionContext, input: ImportKeyMaterialInput): number | undefined {
  const { ExpirationModel = 'KEY_MATERIAL_EXPIRES', ValidTo } = input
  if (ExpirationModel !== 'KEY_MATERIAL_EXPIRES') {
    if (ValidTo === undefined) return undefined
    throw invalid(`A validTo date must not be set if the ExpirationModel is ${ExpirationModel}`)
  }
  if (ValidTo === undefined) {
    throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES')
  }
  const until = ValidTo.getTime()
  if (until > now && until <= now + MAX_DAYS * DAY_MS) return until
  throw invalid(`The validTo date must be in the future, and at most ${String(MAX_DAYS)} days ahead`)
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}

/** Whether the material is to be one that the key has not had. @throws KmsError `ValidationException` */
function isNewMaterial({ keySpec, materials }: KeyRecord, input: ImportKeyMaterialInput): boolean {
  const { ImportType, KeyMaterialDescription, KeyMaterialId } = input
  const isGiven = [ImportType, KeyMaterialDescription, KeyMaterialId].some((value) => value !== undefined)
  if (isGiven && !isSymmetric(keySpec)) {
    throw invalid(
      'ImportType, KeyMaterialDescription and KeyMaterialId are valid for symmetric encryption keys only, ' +
        `not for key spec ${keySpec}.`,
    )
  }
  const isNew = ImportType === undefined ? materials.length === 0 : ImportType === 'NEW_KEY_MATERIAL'
  if (ImportType === 'NEW_KEY_MATERIAL' && KeyMaterialId !== undefined) {
    throw invalid('A KeyMaterialId must not be set if the ImportType is NEW_KEY_MATERIAL')
  }
  return isNew
}

function assertNew({ record, arn }: FoundKey, id: string): void {
  if (record.materials.some((known) => known.id === id)) {
    throw incorrectKeyMaterial('The key material is not new: it was imported into this key before.')
  }
  const pending = pendingMaterial(record)
  if (!pending) return
  throw new KmsError(
    'KMSInvalidStateException',
    `New key material (id: ${id}) cannot be imported into KMS key ${arn}, ` +
      `because another key material (id: ${pending.id}) is pending rotation.`,
  )
}

function assertKnown({ materials }: KeyRecord, id: string, named: string | undefined): void {
  const isKnown = materials.some((known) => known.id === id) && (named ?? id) === id
  if (!isKnown) throw incorrectKeyMaterial('The key material is not the same that was imported into this key before.')
}

function isPresent({ materials }: KeyRecord, id: string): boolean {
  return materials.some((known) => known.id === id && known.imported?.isPresent)
}

/** The key with this material in its place: again, as its first, or as one that waits for its rotation. */
function withImported(
  { now }: ActionContext,
  record: KeyRecord,
  id: string,
  { until, description }: { readonly until: number | undefined; readonly description: string | undefined },
): KeyRecord {
  const { materials } = record
  const known = materials.find((material) => material.id === id)
  const text = description ?? known?.imported?.description
  const isPending = known ? known.imported?.isPending : materials.length > 0
  const imported = {
    isPresent: true,
    ...(until !== undefined && { until }),
    // Who imports it for less than a week knows.
    ...(until !== undefined && until - now <= NOTICE_MS && { isAnnounced: true }),
    ...(text !== undefined && { description: text }),
    ...(isPending && { isPending }),
  }
  if (known) {
    const changed = materials.map((material) => (material.id === id ? { ...material, imported } : material))
    return withMaterials(record, changed)
  }
  const currentMaterial = record.currentMaterial ?? id
  return withMaterials({ ...record, currentMaterial }, [...materials, { id, created: now, imported }])
}
