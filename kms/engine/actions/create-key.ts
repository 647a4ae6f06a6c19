import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { keyArn, rowId } from '../arn.ts'
import { authorise, authoriseTags, type NewKey } from '../authorise.ts'
import { toHex, uuidOf } from '../bytes.ts'
import { createKeyInStore, isForStore } from '../create-key-in-store.ts'
import { assertNotGiven } from '../given.ts'
import { addToKeyCount } from '../key-count.ts'
import { keyMetadata } from '../key-metadata.ts'
import { importedPair, specification, type KeySpecName, type KeyUsageName } from '../key-spec.ts'
import { writePolicy } from '../key-policy.ts'
import { newMaterial } from '../key-pair.ts'
import { newMaterialId, storeMaterial } from '../material.ts'
import type { KeyRecord } from '../records.ts'
import { recordTags } from '../tags.ts'
import type { CreateKeyInput, KeyMetadataOutput } from '../types.ts'

/** CreateKey: a new key with its first material, or one that waits for material to be imported. */
export const createKey: Action<CreateKeyInput, KeyMetadataOutput> = {
  shape: 'CreateKeyRequest',
  mode: 'write',
  async act(context, input) {
    if (isForStore(input)) return createKeyInStore(context, input)
    const { keySpec, keyUsage } = kindOf(input)
    assertSupported(input, keySpec)
    const tags = recordTags(input.Tags ?? [])
    await authorise(context, '*')
    await addToKeyCount(context, 1)
    const materialId = newMaterialId(context)
    const keyId = newKeyId(context.random(16), input.MultiRegion)
    const newKey: NewKey = {
      keyId,
      keySpec,
      keyUsage,
      origin: input.Origin === 'EXTERNAL' ? 'EXTERNAL' : 'AWS_KMS',
      tags,
      ...(input.MultiRegion && { multiRegion: { type: 'PRIMARY', primary: context.scope.region, replicas: [] } }),
    }
    await authoriseTags(context, newKey)
    const made = newKey.origin === 'EXTERNAL' ? undefined : await newMaterial(context, keySpec)
    const key: KeyRecord = {
      ...newKey,
      created: context.now,
      description: input.Description ?? '',
      state: made ? 'Enabled' : 'PendingImport',
      ...(made && { currentMaterial: materialId }),
      materials: made ? [{ id: materialId, created: context.now }] : [],
      ...(made?.publicKey && { publicKey: toHex(made.publicKey) }),
      aliases: [],
      grants: 0,
      onDemandRotations: 0,
    }
    if (made) await storeOnce(context, key, materialId, made.material)
    const { Policy: text, BypassPolicyLockoutSafetyCheck: bypassesLockoutCheck } = input
    await writePolicy(context, key, { text, bypassesLockoutCheck })
    await context.records.put('key', rowId(context.scope, key.keyId), key)
    context.trail.touch(keyArn(context.scope, key.keyId))
    return { KeyMetadata: keyMetadata(context.scope, key) }
  },
}

function newKeyId(bytes: Uint8Array, isMultiRegion: boolean | undefined): string {
  return isMultiRegion ? `mrk-${toHex(bytes)}` : uuidOf(bytes)
}

async function storeOnce(
  context: ActionContext,
  key: KeyRecord,
  materialId: string,
  material: Uint8Array,
): Promise<void> {
  try {
    await storeMaterial(context, key, materialId, material)
  } finally {
    material.fill(0)
  }
}

export interface Kind {
  readonly keySpec: KeySpecName
  readonly keyUsage: KeyUsageName
}

/** What key is asked for; a usage may be left out of symmetric encryption keys only. */
export function kindOf({ KeySpec, CustomerMasterKeySpec, KeyUsage }: CreateKeyInput): Kind {
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined) {
    throw new KmsError('ValidationException', 'Specify KeySpec or CustomerMasterKeySpec, not both.')
  }
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (spec !== 'SYMMETRIC_DEFAULT' && KeyUsage === undefined) {
    throw new KmsError(
      'ValidationException',
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    )
  }
  const known = specification(spec)
  if (!known) throw unsupported(`KeySpec ${spec}`)
  const usage = (KeyUsage ?? known.usages[0]) as KeyUsageName
  if (!known.usages.includes(usage)) {
    throw new KmsError('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${spec}`)
  }
  return { keySpec: spec as KeySpecName, keyUsage: usage }
}

function assertSupported(input: CreateKeyInput, keySpec: KeySpecName): void {
  const { Origin = 'AWS_KMS' } = input
  const isImportable = specification(keySpec)?.importBytes ?? importedPair(keySpec)
  if (Origin === 'EXTERNAL' && !isImportable) throw unsupported(`Origin EXTERNAL of KeySpec ${keySpec}`)
  if (Origin !== 'AWS_KMS' && Origin !== 'EXTERNAL') throw unsupported(`Origin ${Origin}`)
  assertNotGiven(input, ['CustomKeyStoreId', 'XksKeyId'], `keys of origin ${Origin}`)
}

function unsupported(what: string): KmsError {
  return new KmsError('UnsupportedOperationException', `${what} is not supported by this KMS yet.`)
}
