import { KmsError } from '../errors.ts'
import type { Action, ActionContext } from './action.ts'
import { kindOf } from './actions/create-key.ts'
import { isKeyId, keyArn, rowId } from './arn.ts'
import { authorise } from './authorise.ts'
import { toHex } from './bytes.ts'
import { addToKeyCount } from './key-count.ts'
import { keyMetadata } from './key-metadata.ts'
import { writePolicy } from './key-policy.ts'
import { supported } from './key-pair.ts'
import { importedPair, isSymmetric, specification } from './key-spec.ts'
import { newMaterialId, storeMaterial } from './material.ts'
import type { KeyRecord } from './records.ts'
import { DEFAULT_ROTATION_DAYS } from './rotation.ts'
import { dueAt } from './schedule.ts'
import { recordTags } from './tags.ts'
import type { CreateKeyInput, KeyMetadataOutput } from './types.ts'
import { provenPublicKey } from './unwrap-material.ts'

/** A key whose id and material are given, not drawn: for tests and for development, which want the same keys each time. */
export interface SeededKey extends Pick<CreateKeyInput, 'Description' | 'KeySpec' | 'KeyUsage' | 'Tags' | 'Policy'> {
  /** A UUID. */
  readonly keyId: string
  /** Its versions, the newest last: symmetric keys, or one private key in PKCS #8, RSA or ECC. Not wiped. */
  readonly materials: readonly Uint8Array[]
  /** Milliseconds since 1970: turns automatic rotation on. */
  readonly nextRotation?: number | undefined
}

const MAX_VERSIONS = 25

/** CreateKey with an id and material from outside. */
export function seedAction(key: SeededKey): Action<CreateKeyInput, KeyMetadataOutput> {
  return {
    shape: 'CreateKeyRequest',
    mode: 'write',
    async act(context, input) {
      const { scope, now, records } = context
      const kind = kindOf(input)
      const tags = recordTags(input.Tags ?? [])
      assertMaterial(key, kind.keySpec)
      await authorise(context, '*')
      const row = rowId(scope, key.keyId)
      if (await records.get('key', row)) {
        throw new KmsError('AlreadyExistsException', `Key '${keyArn(scope, key.keyId)}' exists already.`)
      }
      const publicKey = await publicKeyOf(context, key, kind.keySpec)
      await addToKeyCount(context, 1)
      const ids = key.materials.map(() => newMaterialId(context))
      const record: KeyRecord = {
        ...kind,
        keyId: key.keyId,
        created: now,
        description: input.Description ?? '',
        state: 'Enabled',
        origin: 'AWS_KMS',
        tags,
        currentMaterial: ids[ids.length - 1]!,
        materials: ids.map((id, index) => {
          const rotated = { at: now, type: 'ON_DEMAND' as const }
          return { id, created: now, ...(index > 0 && { rotated }) }
        }),
        ...(publicKey && { publicKey: toHex(publicKey) }),
        aliases: [],
        grants: 0,
        onDemandRotations: 0,
        ...(key.nextRotation !== undefined && {
          rotation: { periodDays: DEFAULT_ROTATION_DAYS, next: key.nextRotation },
        }),
      }
      for (const [index, id] of ids.entries()) await storeMaterial(context, record, id, key.materials[index]!)
      await writePolicy(context, record, { text: input.Policy, bypassesLockoutCheck: undefined })
      await records.put('key', row, record)
      await context.schedule.move(scope, key.keyId, undefined, dueAt(record))
      context.trail.touch(keyArn(scope, key.keyId))
      return { KeyMetadata: keyMetadata(scope, record) }
    },
  }
}

function assertMaterial({ keyId, materials, nextRotation }: SeededKey, keySpec: string): void {
  if (!isKeyId(keyId) || keyId.startsWith('mrk-')) throw invalid(`the key id ${JSON.stringify(keyId)} is no UUID`)
  const { pair, materialBytes } = specification(keySpec) ?? {}
  if (nextRotation !== undefined && !(Number.isSafeInteger(nextRotation) && isSymmetric(keySpec))) {
    throw invalid(`key ${keyId}: only a symmetric encryption key rotates, at a time that is a number`)
  }
  const isRight = pair ? importedPair(keySpec) !== undefined : materials.every(({ length }) => length === materialBytes)
  const most = isSymmetric(keySpec) ? MAX_VERSIONS : 1
  if (!isRight || materials.length < 1 || materials.length > most) throw wrongMaterial(keyId, keySpec)
}

/** The public key of a key that is a pair, as its private key has it. */
async function publicKeyOf(
  context: ActionContext,
  { keyId, materials: [privateKey] }: SeededKey,
  keySpec: string,
): Promise<Uint8Array | undefined> {
  const pair = importedPair(keySpec)
  if (!pair || !privateKey) return undefined
  const publicKey = await context.outside(() => supported(provenPublicKey(pair, privateKey)))
  if (!publicKey) throw wrongMaterial(keyId, keySpec)
  return publicKey
}

function wrongMaterial(keyId: string, keySpec: string): KmsError {
  return invalid(`the material of key ${keyId} is not that of a ${keySpec} key`)
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}
