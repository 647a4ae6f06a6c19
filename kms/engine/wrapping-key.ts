import { AuthenticationError } from '../../bindings/errors.ts'
import type { ActionContext } from './action.ts'
import { rowId, type Scope } from './arn.ts'
import { fromHex, toHex } from './bytes.ts'
import { tampered } from './records.ts'
import { readRootKeyId } from './root.ts'

// Private keys that imported material is unwrapped with. Each lives for the day that its import token is valid.

type WrappingKeyContext = Pick<ActionContext, 'scope' | 'keys' | 'records'>

/** Which wrapping key of which KMS key. */
export interface WrappingKeyName {
  readonly keyId: string
  readonly id: string
}

/** Seals a private key into a row of its own. The caller wipes `privateKey`. */
export async function storeWrappingKey(
  context: WrappingKeyContext,
  name: WrappingKeyName,
  privateKey: Uint8Array,
): Promise<void> {
  const { scope, keys, records } = context
  const description = describeWrappingKey(scope, await readRootKeyId(records), name)
  const record = { ...name, sealed: toHex(keys.seal(privateKey, ...description)) }
  await records.put('import', wrappingKeyRow(scope, name), record, undefined, rowId(scope, name.keyId))
}

/** Unseals a private key for one use; undefined if there is none. The caller wipes it. */
export async function unsealWrappingKey(
  context: WrappingKeyContext,
  name: WrappingKeyName,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const { scope, keys, records } = context
  const row = wrappingKeyRow(scope, name)
  const stored = await records.get('import', row)
  if (!stored) return undefined
  const description = describeWrappingKey(scope, await readRootKeyId(records), name)
  try {
    return keys.unseal(fromHex(stored.record.sealed), ...description)
  } catch (error) {
    if (error instanceof AuthenticationError) throw tampered('import', row)
    throw error
  }
}

/** Deletes a private key for good. */
export async function deleteWrappingKey({ scope, records }: WrappingKeyContext, name: WrappingKeyName): Promise<void> {
  await records.delete('import', wrappingKeyRow(scope, name))
}

/** Names the secret for its sealing. */
export function describeWrappingKey(
  { account, region }: Pick<Scope, 'account' | 'region'>,
  rootKeyId: string,
  { keyId, id }: WrappingKeyName,
): readonly string[] {
  return ['wrapping key', account, region, keyId, id, rootKeyId]
}

function wrappingKeyRow(scope: Scope, { keyId, id }: WrappingKeyName): string {
  return rowId(scope, keyId, id)
}
