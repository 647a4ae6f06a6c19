import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { aliasArn, keyArn, parseKeyReference, rowId } from '../arn.ts'
import { assertKeyState } from '../key-state.ts'
import { findKey } from '../lookup.ts'
import type { CreateAliasInput } from '../types.ts'

const MAX_ALIASES_OF_KEY = 50

/** CreateAlias: a name for a key, unique in the account and Region. */
export const createAlias: Action<CreateAliasInput, undefined> = {
  shape: 'CreateAliasRequest',
  mode: 'write',
  async act(context, { AliasName, TargetKeyId }) {
    const { scope, records, now } = context
    assertAliasName(AliasName)
    const target = parseKeyReference(TargetKeyId, scope)
    if ('aliasName' in target) throw new KmsError('ValidationException', 'Aliases must refer to keys. Not aliases')
    const key = await findKey(context, target.keyId)
    const { keyId, state, aliases } = key.record
    assertKeyState(state, 'alias', keyArn(scope, keyId))
    const id = rowId(scope, AliasName)
    if (await records.get('alias', id)) {
      throw new KmsError(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(scope, AliasName)} already exists`,
      )
    }
    if (aliases.length >= MAX_ALIASES_OF_KEY) {
      throw new KmsError('LimitExceededException', `The key has ${String(MAX_ALIASES_OF_KEY)} aliases already.`)
    }
    const keyRow = rowId(scope, keyId)
    const record = { name: AliasName, targetKeyId: keyId, created: now, updated: now }
    await records.put('alias', id, record, undefined, keyRow)
    await records.put('key', keyRow, { ...key.record, aliases: [...aliases, AliasName].sort() }, key)
    return undefined
  },
}

function assertAliasName(name: string): void {
  if (!name.startsWith('alias/')) {
    throw new KmsError('ValidationException', 'Alias must start with the prefix "alias/".')
  }
  if (name === 'alias/') throw new KmsError('InvalidAliasNameException', 'An alias needs a name after "alias/".')
  if (name.startsWith('alias/aws/')) {
    throw new KmsError('NotAuthorizedException', 'Aliases that begin with "alias/aws/" are reserved.')
  }
}
