import { AuthenticationError } from '../../bindings/errors.ts'
import { canonicalContext, snapshotContext } from '../../src/context.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { aliasArn, keyArn, parseKeyReference, rowId } from './arn.ts'
import { fromHex, toHex } from './bytes.ts'
import { tampered, type KeyRecord, type Stored } from './records.ts'
import type { CryptographicInput } from './types.ts'

/** The only algorithm of symmetric keys. */
export const SYMMETRIC_DEFAULT = 'SYMMETRIC_DEFAULT'

/** @throws KmsError `NotFoundException` */
export async function findKey(context: ActionContext, keyId: string): Promise<Stored<KeyRecord>> {
  const found = await context.records.get('key', rowId(context.scope, keyId))
  if (!found) throw new KmsError('NotFoundException', `Key '${keyArn(context.scope, keyId)}' does not exist`)
  return found
}

/**
 * Finds the key that a `KeyId` parameter names.
 *
 * @throws KmsError `NotFoundException`, `InvalidArnException`
 */
export async function resolveKey(context: ActionContext, text: string): Promise<Stored<KeyRecord>> {
  const reference = parseKeyReference(text, context.scope)
  if ('keyId' in reference) return findKey(context, reference.keyId)
  const { aliasName } = reference
  const id = rowId(context.scope, aliasName)
  const alias = await context.records.get('alias', id)
  if (!alias) throw new KmsError('NotFoundException', `Alias ${aliasArn(context.scope, aliasName)} is not found.`)
  const key = await findKey(context, alias.record.targetKeyId)
  if (!key.record.aliases.includes(aliasName)) throw tampered('alias', id)
  return key
}

/** Names a secret for its sealing: what it is and whose. */
export function materialDescription(
  context: ActionContext,
  rootKeyId: string,
  { keyId, keySpec, keyUsage, origin }: KeyRecord,
  materialId: string,
): readonly string[] {
  const { account, region } = context.scope
  return ['material', account, region, keyId, materialId, keySpec, keyUsage, origin, rootKeyId]
}

/** Unseals a key's material for one use; undefined if the key has none of that id. The caller wipes it. */
export async function unsealMaterial(
  context: ActionContext,
  key: KeyRecord,
  materialId: string,
): Promise<Uint8Array | undefined> {
  const known = key.materials.find(({ id }) => id === materialId)
  if (!known) return undefined
  const id = rowId(context.scope, key.keyId, materialId)
  const stored = await context.records.get('material', id)
  if (!stored || toHex(stored.row.mac) !== known.mac) throw tampered('material', id)
  const { rootKeyId } = await readRoot(context)
  try {
    return context.keys.unseal(
      fromHex(stored.record.sealed),
      ...materialDescription(context, rootKeyId, key, materialId),
    )
  } catch (error) {
    if (error instanceof AuthenticationError) throw tampered('material', id)
    throw error
  }
}

/** Id of the row that says which root key this database is under. */
export const ROOT_ROW = 'root'

export async function readRoot(context: ActionContext): Promise<{ readonly rootKeyId: string }> {
  const root = await context.records.get('meta', ROOT_ROW)
  if (!root || !('rootKeyId' in root.record)) throw tampered('meta', ROOT_ROW)
  return root.record
}

/** The encryption context as it is authenticated. @throws KmsError `ValidationException` */
export function authenticatedContext(context: CryptographicInput['EncryptionContext']): Uint8Array {
  try {
    return canonicalContext(snapshotContext(context ?? undefined))
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) {
      throw new KmsError('ValidationException', `The encryption context is not valid: ${cause.message}`, { cause })
    }
    throw cause
  }
}

/** There are no grants in this KMS yet, so there is no token of one. */
export function assertNoGrantTokens(tokens: readonly string[] | undefined): void {
  if (tokens && tokens.length > 0) {
    throw new KmsError('InvalidGrantTokenException', 'The grant token is not one of this KMS.')
  }
}

/** @throws KmsError `InvalidKeyUsageException` */
export function assertAlgorithm(algorithm: string | undefined, { keySpec }: KeyRecord): void {
  if ((algorithm ?? SYMMETRIC_DEFAULT) !== SYMMETRIC_DEFAULT) {
    throw new KmsError('InvalidKeyUsageException', `Algorithm ${algorithm} is incompatible with key spec ${keySpec}.`)
  }
}

/** The end of a dry run that would have succeeded. */
export function endDryRun(isDryRun: boolean | undefined): void {
  if (isDryRun) {
    throw new KmsError('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.')
  }
}
