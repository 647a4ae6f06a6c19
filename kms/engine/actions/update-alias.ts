import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { assertAliasName, findTarget, withAlias, withoutAlias } from '../alias.ts'
import { authoriseKey } from '../authorise.ts'
import { findAlias, findKey, updateKey } from '../lookup.ts'
import type { KeyRecord } from '../records.ts'
import type { CreateAliasInput } from '../types.ts'

/** UpdateAlias: lets an alias point to another key of the same type and usage. */
export const updateAlias: Action<CreateAliasInput, undefined> = {
  shape: 'UpdateAliasRequest',
  mode: 'write',
  async act(context, { AliasName, TargetKeyId }) {
    const { records, now } = context
    assertAliasName(AliasName)
    const target = await findTarget(context, AliasName, TargetKeyId)
    const alias = await findAlias(context, AliasName)
    const current = await findKey(context, alias.record.targetKeyId)
    await authoriseKey(context, current.record, current.arn)
    assertSameKind(current.record, target.record)
    const { keyId } = target.record
    if (keyId !== current.record.keyId) {
      await updateKey(context, current.stored, withoutAlias(current.record, AliasName))
      await updateKey(context, target.stored, withAlias(target.record, AliasName))
    }
    const record = { ...alias.record, targetKeyId: keyId, updated: now }
    await records.put('alias', alias.row.id, record, alias, target.stored.row.id)
    return undefined
  },
}

function assertSameKind(current: KeyRecord, target: KeyRecord): void {
  const typeOf = ({ publicKey, keyUsage }: KeyRecord): string => {
    return `${publicKey === undefined ? 'symmetric' : 'asymmetric'} ${keyUsage}`
  }
  if (typeOf(current) === typeOf(target)) return
  throw new KmsError(
    'ValidationException',
    `The alias points to a key of type and usage ${typeOf(current)}, not ${typeOf(target)}.`,
  )
}
