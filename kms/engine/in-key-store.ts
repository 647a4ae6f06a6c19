import { KmsError } from '../errors.ts'
import type { KeyStore, StoreCiphertext, StoreRequest } from '../key-stores/key-store.ts'
import type { ActionContext } from './action.ts'
import { openBlob, parseBlob, sealBlob, type BlobKeyName } from './blob.ts'
import { keyStoreOf, unsealStoreSecret } from './custom-key-stores.ts'
import type { FoundKey } from './lookup.ts'
import { currentMaterial } from './material.ts'
import { tampered, type KeyRecord, type KeyStoreRecord } from './records.ts'
import { withSecrets } from './secrets.ts'
import { parseStoreBlob, storeBlob, storeBlobAad } from './store-blob.ts'
import { faultError, type FaultPlace } from './store-faults.ts'

const SALT_BYTES = 32

/** Work in a custom key store. */
export interface StoreWork {
  readonly place: FaultPlace
  /** The KMS key that it is about. */
  readonly keyArn?: string | undefined
  /** As {@link ActionContext.outside} has it. */
  readonly subject?: string
  /** Secrets beside the store's own, in their order. */
  readonly secrets?: readonly (() => Promise<Uint8Array>)[]
}

/**
 * Works in a custom key store, outside the transaction: the action is left and begins anew when the work is done, so that
 * whatever must hold of key, policy and store is checked again before anything is answered.
 *
 * @throws KmsError for what goes wrong there, as the place of the work has it
 */
export function withKeyStore<T>(
  context: ActionContext,
  record: KeyStoreRecord,
  { place, keyArn, subject, secrets = [] }: StoreWork,
  work: (store: KeyStore, request: StoreRequest, secrets: readonly Uint8Array[]) => Promise<T>,
): Promise<T> {
  const { scope, keyStores, action } = context
  const request = { operation: action, requestId: context.requestId(), principalArn: context.caller.arn, keyArn }
  const run = async ([secret, ...others]: readonly Uint8Array[]): Promise<T> => {
    try {
      return await work(keyStores.open(record, scope, secret ?? new Uint8Array()), request, others)
    } catch (error) {
      throw faultError(error, place, record.kind.type)
    }
  }
  return withSecrets(context, [() => unsealStoreSecret(context, record), ...secrets], run, subject)
}

/** A ciphertext, and the plaintext if it was made here. */
interface Sealed extends StoreCiphertext {
  readonly plaintext?: Uint8Array<ArrayBuffer>
}

/**
 * Encrypts in the key's store; given a length, a fresh plaintext of so many bytes, which it answers. External keys
 * encrypt what the engine has encrypted under material of its own ("Double encryption").
 */
export async function sealInStore(
  context: ActionContext,
  { record: key, arn }: Pick<FoundKey, 'record' | 'arn'>,
  source: Uint8Array | number,
  serialized: Uint8Array,
): Promise<{ readonly blob: Uint8Array<ArrayBuffer>; readonly plaintext: Uint8Array<ArrayBuffer> | undefined }> {
  const { record } = await keyStoreOf(context, key)
  const { keyId } = key
  const { random } = context
  noteStore(context, key)
  const aad = storeBlobAad(keyId, serialized)
  const inner = innerName(key)
  const given = typeof source === 'number' ? [] : [() => Promise.resolve(source.slice())]
  const work = {
    place: 'onUse',
    keyArn: arn,
    subject: keyId,
    secrets: [...given, ...materialOf(context, key)],
  } as const
  const { plaintext, ...sealed } = await withKeyStore<Sealed>(
    context,
    record,
    work,
    async (store, request, secrets) => {
      const seal = async (plaintext: Uint8Array): Promise<StoreCiphertext> => {
        const material = secrets.at(-1)
        const inside =
          inner && material ? sealBlob(inner, material, random(SALT_BYTES), plaintext, serialized) : plaintext
        return store.encrypt(externalId(key), inside, aad, request)
      }
      if (typeof source !== 'number') return seal(secrets[0] ?? new Uint8Array())
      const fresh = random(source)
      return seal(fresh).then(
        (sealed) => ({ ...sealed, plaintext: fresh }),
        (error: unknown) => {
          fresh.fill(0)
          throw error
        },
      )
    },
  )
  return { blob: storeBlob(keyId, sealed), plaintext }
}

/**
 * Decrypts in the key's store. The plaintext is a result of {@link ActionContext.outside}: it is wiped if the call fails.
 *
 * @throws KmsError `InvalidCiphertextException`; `KMSInvalidStateException` where an external key store finds it
 */
export async function openInStore(
  context: ActionContext,
  { record: key, arn }: Pick<FoundKey, 'record' | 'arn'>,
  blob: Uint8Array,
  serialized: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const { record } = await keyStoreOf(context, key)
  const { keyId, ...sealed } = parseStoreBlob(blob)
  if (keyId !== key.keyId) throw new KmsError('InvalidCiphertextException')
  noteStore(context, key)
  const aad = storeBlobAad(keyId, serialized)
  const inner = innerName(key)
  const work = { place: 'onUse', keyArn: arn, subject: keyId, secrets: materialOf(context, key) } as const
  return withKeyStore(context, record, work, async (store, request, [material]) => {
    const inside = await store.decrypt(externalId(key), sealed, aad, request)
    if (!inner || !material) return inside
    try {
      return openInner(inner, material, inside, serialized)
    } finally {
      inside.fill(0)
    }
  })
}

/** What a proxy answers is what the engine had given it, or else it is refused. */
function openInner(
  name: BlobKeyName,
  material: Uint8Array,
  inside: Uint8Array,
  serialized: Uint8Array,
): Uint8Array<ArrayBuffer> {
  try {
    const parsed = parseBlob(inside)
    if (parsed.keyId !== name.keyId || parsed.materialId !== name.materialId) {
      throw new KmsError('InvalidCiphertextException')
    }
    return openBlob(parsed, material, serialized)
  } catch (error) {
    if (!(error instanceof KmsError)) throw error
    throw new KmsError(
      'KMSInvalidStateException',
      'What the external key store proxy decrypted is not what was encrypted, or the encryption context is another.',
    )
  }
}

/** The id by which the store knows the key. */
function externalId({ keyId, keyStore }: KeyRecord): string {
  return keyStore?.xksKeyId ?? keyId
}

/** What the engine's own blob within that of an external key is under. */
function innerName({ keyId, keyStore, currentMaterial: materialId }: KeyRecord): BlobKeyName | undefined {
  if (keyStore?.xksKeyId === undefined) return undefined
  if (materialId === undefined) throw tampered('key', keyId)
  return { keyId, materialId }
}

function materialOf(context: ActionContext, key: KeyRecord): readonly (() => Promise<Uint8Array>)[] {
  return innerName(key) ? [async () => (await currentMaterial(context, key)).material] : []
}

/** What the audit record says of a key in a store. */
export function noteStore({ trail }: ActionContext, { keyStore }: KeyRecord): void {
  if (!keyStore) return
  trail.additional.customKeyStoreId = keyStore.storeId
  if (keyStore.xksKeyId !== undefined) trail.additional.xksKeyId = keyStore.xksKeyId
  if (keyStore.clusterId !== undefined) trail.additional.clusterId = keyStore.clusterId
}
