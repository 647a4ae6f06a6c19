import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { aliasArn, parseKeyReference } from './arn.ts'
import { authorise, authoriseKey } from './authorise.ts'
import { assertKeyState } from './key-state.ts'
import { findKey, type FoundKey } from './lookup.ts'
import type { KeyRecord } from './records.ts'

const MAX_ALIASES_OF_KEY = 50

/** @throws KmsError `ValidationException`, `InvalidAliasNameException`, `NotAuthorizedException` */
export function assertAliasName(name: string): void {
  if (!name.startsWith('alias/')) {
    throw new KmsError('ValidationException', 'Alias must start with the prefix "alias/".')
  }
  if (name === 'alias/') throw new KmsError('InvalidAliasNameException', 'An alias needs a name after "alias/".')
  if (name.startsWith('alias/aws/')) {
    throw new KmsError('NotAuthorizedException', 'Aliases that begin with "alias/aws/" are reserved.')
  }
}

/** The key that an alias is to point to: named by key id or key ARN, and in a state to be labelled. */
export async function findTarget(context: ActionContext, aliasName: string, target: string): Promise<FoundKey> {
  const reference = parseKeyReference(target, context.scope)
  if ('aliasName' in reference) throw new KmsError('ValidationException', 'Aliases must refer to keys. Not aliases')
  await authorise(context, aliasArn(context.scope, aliasName))
  const found = await findKey(context, reference.keyId)
  await authoriseKey(context, found.record, found.arn)
  assertKeyState(found.record.state, 'labelling', found.arn)
  return found
}

/** The key with one alias more. @throws KmsError `LimitExceededException` */
export function withAlias(key: KeyRecord, aliasName: string): KeyRecord {
  if (key.aliases.length >= MAX_ALIASES_OF_KEY) {
    throw new KmsError('LimitExceededException', `The key has ${String(MAX_ALIASES_OF_KEY)} aliases already.`)
  }
  return { ...key, aliases: [...key.aliases, aliasName].sort() }
}

/** The key with one alias less. */
export function withoutAlias(key: KeyRecord, aliasName: string): KeyRecord {
  return { ...key, aliases: key.aliases.filter((name) => name !== aliasName) }
}
