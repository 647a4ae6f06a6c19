import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { aliasArn, keyArn, parseKeyId, parseKeyReference, rowId, type Scope } from './arn.ts'
import { authoriseKey, type Access } from './authorise.ts'
import { asItsStoreIs } from './custom-key-stores.ts'
import { tampered, type AliasRecord, type KeyRecord, type Stored } from './records.ts'
import { dueAt } from './schedule.ts'

export { updateKey } from './update-key.ts'

/** A key that was found, and that the caller may use as he wants to. */
export interface FoundKey {
  readonly stored: Stored<KeyRecord>
  /** As stored, but for the state of a key whose custom key store is not connected. */
  readonly record: KeyRecord
  readonly arn: string
}

/** Thrown where a key is met whose time has come: what is due is done first, then the action begins anew. */
export class DueFirst extends Error {
  readonly scope: Scope
  readonly keyId: string

  constructor(scope: Scope, keyId: string) {
    super('a key is due')
    this.scope = scope
    this.keyId = keyId
  }
}

/** Finds the key of an id. @throws KmsError `NotFoundException` */
export async function findKey(context: ActionContext, keyId: string): Promise<FoundKey> {
  const arn = keyArn(context.scope, keyId)
  const stored = await context.records.get('key', rowId(context.scope, keyId))
  if (!stored) throw new KmsError('NotFoundException', `Key '${arn}' does not exist`)
  const due = dueAt(stored.record)
  if (due !== undefined && due <= context.now) throw new DueFirst(context.scope, keyId)
  context.trail.touch(arn)
  return { stored, record: await asItsStoreIs(context, stored.record), arn }
}

/** Finds an alias. @throws KmsError `NotFoundException` */
export async function findAlias(context: ActionContext, aliasName: string): Promise<Stored<AliasRecord>> {
  const alias = await context.records.get('alias', rowId(context.scope, aliasName))
  if (alias) return alias
  throw new KmsError('NotFoundException', `Alias ${aliasArn(context.scope, aliasName)} is not found.`)
}

/**
 * Finds the key that a parameter names by key id, key ARN, alias name or alias ARN, if the caller may use it.
 *
 * @throws KmsError `NotFoundException`, `InvalidArnException`, `AccessDeniedException`
 */
export async function resolveKey(context: ActionContext, text: string, access?: Access): Promise<FoundKey> {
  const reference = parseKeyReference(text, context.scope)
  const found = await ('keyId' in reference ? findKey(context, reference.keyId) : findByAlias(context, reference))
  const requestAlias = 'aliasName' in reference ? reference.aliasName : undefined
  await authoriseKey(context, found.record, found.arn, { ...access, requestAlias })
  return found
}

/** As {@link resolveKey}, for parameters that take a key id or key ARN only. */
export async function resolveKeyId(context: ActionContext, text: string, access?: Access): Promise<FoundKey> {
  const found = await findKey(context, parseKeyId(text, context.scope))
  await authoriseKey(context, found.record, found.arn, access)
  return found
}

/** The id of the key that a parameter names, whether or not there is one. */
export async function locateKey(context: ActionContext, text: string): Promise<string> {
  const reference = parseKeyReference(text, context.scope)
  if ('keyId' in reference) return reference.keyId
  return (await findAlias(context, reference.aliasName)).record.targetKeyId
}

async function findByAlias(context: ActionContext, { aliasName }: { readonly aliasName: string }): Promise<FoundKey> {
  const { row, record } = await findAlias(context, aliasName)
  const found = await findKey(context, record.targetKeyId)
  if (!found.record.aliases.includes(aliasName)) throw tampered('alias', row.id)
  return found
}
