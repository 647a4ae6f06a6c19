import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { rowId } from '../arn.ts'
import { toHex } from '../bytes.ts'
import { materialDescription, readRoot } from '../lookup.ts'
import { keyMetadata } from '../metadata.ts'
import { tampered, type KeyRecord, type ScopeRecord, type Stored } from '../records.ts'
import type { CreateKeyInput, KeyMetadataOutput, Tag } from '../types.ts'

const MAX_KEYS = 100_000
const MAX_TAGS = 50
const MATERIAL_BYTES = 32
const MATERIAL_ID_BYTES = 32

/** CreateKey: a new symmetric encryption key with its first material. */
export const createKey: Action<CreateKeyInput, KeyMetadataOutput> = {
  shape: 'CreateKeyRequest',
  mode: 'write',
  async act(context, input) {
    assertSupported(input)
    assertTags(input.Tags ?? [])
    await countKey(context)
    const materialId = toHex(context.random(MATERIAL_ID_BYTES))
    const key: KeyRecord = {
      keyId: uuid(context.random(16)),
      created: context.now,
      description: input.Description ?? '',
      state: 'Enabled',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      tags: (input.Tags ?? []).map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue })),
      currentMaterial: materialId,
      materials: [],
      aliases: [],
    }
    const mac = await storeMaterial(context, key, materialId)
    const record: KeyRecord = { ...key, materials: [{ id: materialId, mac }] }
    await context.records.put('key', rowId(context.scope, key.keyId), record)
    return { KeyMetadata: keyMetadata(context.scope, record) }
  },
}

/** Seals fresh material into a row of its own; answers that row's MAC. */
async function storeMaterial(context: ActionContext, key: KeyRecord, materialId: string): Promise<string> {
  const { rootKeyId } = await readRoot(context)
  const material = context.random(MATERIAL_BYTES)
  try {
    const sealed = context.keys.seal(material, ...materialDescription(context, rootKeyId, key, materialId))
    const keyRow = rowId(context.scope, key.keyId)
    const record = { materialId, created: context.now, sealed: toHex(sealed) }
    const row = await context.records.put('material', `${keyRow}/${materialId}`, record, undefined, keyRow)
    return toHex(row.mac)
  } finally {
    material.fill(0)
  }
}

async function countKey(context: ActionContext): Promise<void> {
  const id = rowId(context.scope)
  const previous = (await context.records.get('meta', id)) as Stored<ScopeRecord> | undefined
  if (!previous) {
    const [key] = await context.records.list('key', { prefix: rowId(context.scope, ''), limit: 1 })
    if (key) throw tampered('meta', id)
  }
  const keys = (previous?.record.keys ?? 0) + 1
  if (keys > MAX_KEYS) {
    throw new KmsError(
      'LimitExceededException',
      `There are ${String(MAX_KEYS)} keys in this account and Region already.`,
    )
  }
  await context.records.put('meta', id, { keys }, previous)
}

function assertSupported(input: CreateKeyInput): void {
  const { KeySpec, CustomerMasterKeySpec, KeyUsage, Origin } = input
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined) {
    throw new KmsError('ValidationException', 'Specify KeySpec or CustomerMasterKeySpec, not both.')
  }
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (spec !== 'SYMMETRIC_DEFAULT') {
    if (KeyUsage === undefined) {
      throw new KmsError(
        'ValidationException',
        'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
      )
    }
    throw unsupported(`KeySpec ${spec}`)
  }
  if ((KeyUsage ?? 'ENCRYPT_DECRYPT') !== 'ENCRYPT_DECRYPT') {
    throw new KmsError('ValidationException', `KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`)
  }
  if ((Origin ?? 'AWS_KMS') !== 'AWS_KMS') throw unsupported(`Origin ${Origin}`)
  if (input.MultiRegion) throw unsupported('MultiRegion')
  if (input.CustomKeyStoreId !== undefined) throw unsupported('CustomKeyStoreId')
  if (input.XksKeyId !== undefined) throw unsupported('XksKeyId')
  // A policy that is stored and not enforced would promise what this engine does not do.
  if (input.Policy !== undefined) throw unsupported('Policy')
  if (input.BypassPolicyLockoutSafetyCheck) throw unsupported('BypassPolicyLockoutSafetyCheck')
}

function unsupported(what: string): KmsError {
  return new KmsError('UnsupportedOperationException', `${what} is not supported by this KMS yet.`)
}

function assertTags(tags: readonly Tag[]): void {
  const names = tags.map(({ TagKey }) => TagKey)
  if (tags.length > MAX_TAGS) throw new KmsError('TagException', 'Too many tags')
  if (new Set(names).size !== names.length) throw new KmsError('TagException', 'Duplicate tag keys')
  if (names.some((name) => name.toLowerCase().startsWith('aws:'))) {
    throw new KmsError('TagException', 'Tags beginning with aws: are reserved')
  }
}

/** A version 4 UUID (RFC 9562 §5.4) of sixteen random bytes. */
function uuid(bytes: Uint8Array): string {
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return toHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
