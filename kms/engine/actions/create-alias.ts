import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { assertAliasName, findTarget, withAlias } from '../alias.ts'
import { aliasArn, rowId } from '../arn.ts'
import { updateKey } from '../lookup.ts'
import type { CreateAliasInput } from '../types.ts'

/** CreateAlias: a name for a key, unique in the account and Region. */
export const createAlias: Action<CreateAliasInput, undefined> = {
  shape: 'CreateAliasRequest',
  mode: 'write',
  async act(context, { AliasName, TargetKeyId }) {
    const { scope, records, now } = context
    assertAliasName(AliasName)
    const { stored, record } = await findTarget(context, AliasName, TargetKeyId)
    const id = rowId(scope, AliasName)
    if (await records.get('alias', id)) {
      throw new KmsError(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(scope, AliasName)} already exists`,
      )
    }
    await updateKey(context, stored, withAlias(record, AliasName))
    const alias = { name: AliasName, targetKeyId: record.keyId, created: now, updated: now }
    await records.put('alias', id, alias, undefined, stored.row.id)
    return undefined
  },
}
