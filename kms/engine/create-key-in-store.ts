import { KmsError } from '../errors.ts'
import type { HsmKeyStore } from '../key-stores/key-store.ts'
import type { ActionContext } from './action.ts'
import { keyArn, rowId } from './arn.ts'
import { authorise, authoriseTags } from './authorise.ts'
import { uuidOf } from './bytes.ts'
import { assertKeyIsFree, connectionSubject, enterKeyStore, findKeyStore } from './custom-key-stores.ts'
import { assertGiven, assertNotGiven } from './given.ts'
import { noteStore, withKeyStore } from './in-key-store.ts'
import { addToKeyCount } from './key-count.ts'
import { keyMetadata } from './key-metadata.ts'
import { writePolicy } from './key-policy.ts'
import { SYMMETRIC_DEFAULT } from './key-spec.ts'
import { newMaterialId, storeMaterial } from './material.ts'
import type { KeyPlace, KeyRecord, KeyStoreRecord, Stored } from './records.ts'
import { recordTags } from './tags.ts'
import type { CreateKeyInput, KeyMetadataOutput } from './types.ts'

const MATERIAL_BYTES = 32

/** Whether a key is asked for that is not the engine's own. */
export function isForStore({ Origin }: CreateKeyInput): boolean {
  return Origin === 'EXTERNAL_KEY_STORE' || Origin === 'AWS_CLOUDHSM'
}

/**
 * A new key in a custom key store. The store is asked last of all: a key that is made in a hardware security module
 * stays there if the call then fails.
 */
export async function createKeyInStore(context: ActionContext, input: CreateKeyInput): Promise<KeyMetadataOutput> {
  assertStorable(input)
  const tags = recordTags(input.Tags ?? [])
  await authorise(context, '*')
  const { record } = await findStoreFor(context, input)
  await addToKeyCount(context, 1)
  const { random, now, scope } = context
  // The id must be the same when the action begins anew.
  const keyId = await context.outside(() => uuidOf(random(16)))
  const { xksKeyId } = input.XksKeyId === undefined ? {} : { xksKeyId: input.XksKeyId }
  const key: KeyRecord = {
    keyId,
    created: now,
    description: input.Description ?? '',
    state: 'Enabled',
    keySpec: SYMMETRIC_DEFAULT,
    keyUsage: 'ENCRYPT_DECRYPT',
    origin: record.kind.type,
    keyStore: placeOf(record, xksKeyId),
    tags,
    materials: [],
    aliases: [],
    grants: 0,
    onDemandRotations: 0,
  }
  await authoriseTags(context, key)
  const complete = xksKeyId === undefined ? key : await withOwnMaterial(context, key)
  const { Policy: text, BypassPolicyLockoutSafetyCheck: bypassesLockoutCheck } = input
  await writePolicy(context, complete, { text, bypassesLockoutCheck })
  await enterKeyStore(context, complete)
  await context.records.put('key', rowId(scope, keyId), complete)
  context.trail.touch(keyArn(scope, keyId))
  noteStore(context, complete)
  // An external key is looked at before there is a KMS key ("GetKeyMetadata").
  const work = {
    place: 'onKey',
    keyArn: xksKeyId === undefined ? keyArn(scope, keyId) : undefined,
    subject: connectionSubject(record),
  } as const
  await withKeyStore(context, record, work, (store, request) => store.addKey(xksKeyId ?? keyId, request))
  return { KeyMetadata: keyMetadata(scope, complete) }
}

function placeOf({ id: storeId, kind }: KeyStoreRecord, xksKeyId: string | undefined): KeyPlace {
  if (kind.type === 'AWS_CLOUDHSM') return { storeId, clusterId: kind.clusterId }
  return { storeId, ...(xksKeyId !== undefined && { xksKeyId }) }
}

/** Material of the engine, for what it encrypts before the external key does. */
async function withOwnMaterial(context: ActionContext, key: KeyRecord): Promise<KeyRecord> {
  const id = newMaterialId(context)
  const material = context.random(MATERIAL_BYTES)
  try {
    await storeMaterial(context, key, id, material)
  } finally {
    material.fill(0)
  }
  return { ...key, currentMaterial: id, materials: [{ id, created: context.now }] }
}

/** The store that the key is asked for in. @throws KmsError if it cannot have the key */
async function findStoreFor(context: ActionContext, input: CreateKeyInput): Promise<Stored<KeyStoreRecord>> {
  const { Origin: origin = '', CustomKeyStoreId: storeId = '', XksKeyId: xksKeyId } = input
  assertGiven(input, ['CustomKeyStoreId'])
  if (origin === 'EXTERNAL_KEY_STORE') assertGiven(input, ['XksKeyId'])
  else assertNotGiven(input, ['XksKeyId'], `keys of origin ${origin}`)
  // As part of a URL's path they would name something else.
  if (xksKeyId === '.' || xksKeyId === '..') {
    throw new KmsError('ValidationException', `${xksKeyId} is not the id of an external key.`)
  }
  const stored = await findKeyStore(context, storeId)
  const { record } = stored
  if (record.kind.type !== origin) {
    throw new KmsError('ValidationException', `The custom key store ${storeId} is ${record.kind.type}, not ${origin}.`)
  }
  assertConnected(record)
  if (xksKeyId !== undefined) await assertKeyIsFree(context, storeId, xksKeyId)
  return stored
}

/** What a custom key store cannot hold. @throws KmsError `UnsupportedOperationException`, `ValidationException` */
function assertStorable({ KeySpec, CustomerMasterKeySpec, KeyUsage, MultiRegion }: CreateKeyInput): void {
  const spec = KeySpec ?? CustomerMasterKeySpec ?? SYMMETRIC_DEFAULT
  if (spec !== SYMMETRIC_DEFAULT || MultiRegion === true) {
    throw new KmsError(
      'UnsupportedOperationException',
      'Keys in custom key stores are symmetric encryption keys of a single Region.',
    )
  }
  if (KeyUsage === undefined || KeyUsage === 'ENCRYPT_DECRYPT') return
  throw new KmsError('ValidationException', `KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`)
}

/** Random bytes of a store's hardware security module. */
export async function randomInStore(
  context: ActionContext,
  storeId: string,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { record } = await findKeyStore(context, storeId)
  if (record.kind.type !== 'AWS_CLOUDHSM') {
    throw new KmsError('UnsupportedOperationException', 'External key stores generate no random bytes.')
  }
  assertConnected(record)
  return withKeyStore(context, record, { place: 'onUse' }, (store) => (store as HsmKeyStore).random(length))
}

function assertConnected({ id, state }: KeyStoreRecord): void {
  if (state === 'CONNECTED') return
  throw new KmsError('CustomKeyStoreInvalidStateException', `The custom key store ${id} is ${state}: connect it first.`)
}
