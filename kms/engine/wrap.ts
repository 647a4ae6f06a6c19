import type { ActionContext } from './action.ts'
import { keyArn } from './arn.ts'
import { sealBlob } from './blob.ts'
import { assertKeyState } from './key-state.ts'
import {
  assertAlgorithm,
  assertNoGrantTokens,
  authenticatedContext,
  endDryRun,
  resolveKey,
  unsealMaterial,
} from './lookup.ts'
import { tampered, type KeyRecord } from './records.ts'
import type { CryptographicInput } from './types.ts'

const SALT_BYTES = 32

/** A key that may encrypt, with its request's context. */
export interface Wrapping {
  readonly key: KeyRecord
  readonly arn: string
  readonly context: Uint8Array
}

/** What every encrypting action checks first, in this order. Ends a dry run. */
export async function prepareWrapping(
  context: ActionContext,
  input: CryptographicInput & { readonly KeyId: string; readonly EncryptionAlgorithm?: string | undefined },
): Promise<Wrapping> {
  assertNoGrantTokens(input.GrantTokens)
  const serialized = authenticatedContext(input.EncryptionContext)
  const { record } = await resolveKey(context, input.KeyId)
  const arn = keyArn(context.scope, record.keyId)
  assertKeyState(record.state, 'cryptography', arn)
  assertAlgorithm(input.EncryptionAlgorithm, record)
  endDryRun(input.DryRun)
  return { key: record, arn, context: serialized }
}

/** Encrypts under the key's current material. */
export async function wrapUnder(
  context: ActionContext,
  { key, context: serialized }: Wrapping,
  plaintext: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const material = await unsealMaterial(context, key, key.currentMaterial)
  if (!material) throw tampered('key', key.keyId)
  try {
    const name = { keyId: key.keyId, materialId: key.currentMaterial }
    return sealBlob(name, material, context.random(SALT_BYTES), plaintext, serialized)
  } finally {
    material.fill(0)
  }
}
