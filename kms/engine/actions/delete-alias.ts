import type { Action } from '../action.ts'
import { assertAliasName, withoutAlias } from '../alias.ts'
import { aliasArn } from '../arn.ts'
import { authorise, authoriseKey } from '../authorise.ts'
import { findAlias, findKey, updateKey } from '../lookup.ts'
import type { DeleteAliasInput } from '../types.ts'

/** DeleteAlias: takes the name away; the key stays as it is. */
export const deleteAlias: Action<DeleteAliasInput, undefined> = {
  shape: 'DeleteAliasRequest',
  mode: 'write',
  async act(context, { AliasName }) {
    assertAliasName(AliasName)
    await authorise(context, aliasArn(context.scope, AliasName))
    const alias = await findAlias(context, AliasName)
    const { stored, record, arn } = await findKey(context, alias.record.targetKeyId)
    await authoriseKey(context, record, arn)
    await updateKey(context, stored, withoutAlias(record, AliasName))
    await context.records.delete('alias', alias.row.id)
    return undefined
  },
}
