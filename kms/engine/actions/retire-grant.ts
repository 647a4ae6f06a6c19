import { KmsError } from '../../errors.ts'
import { mayRetireGrant } from '../../policy/index.ts'
import type { Action, ActionContext } from '../action.ts'
import { parseKeyId } from '../arn.ts'
import { authorityOn, keyRequest } from '../authorise.ts'
import { endDryRun } from '../cryptography.ts'
import { readGrantToken } from '../grant-token.ts'
import { findGrant, removeGrant } from '../grants.ts'
import { findKey, resolveKeyId } from '../lookup.ts'
import type { RetireGrantInput, RevokeGrantInput } from '../types.ts'

/** RetireGrant: ends a grant on behalf of those that it is for. */
export const retireGrant: Action<RetireGrantInput, undefined> = {
  shape: 'RetireGrantRequest',
  mode: 'write',
  async act(context, input) {
    const { keyId, grantId } = grantNameOf(context, input)
    const found = await findKey(context, keyId)
    const { record: grant } = await findGrant(context, keyId, grantId)
    const request = keyRequest(context, found.record, found.arn, {})
    if (!mayRetireGrant(request, grant, await authorityOn(context, found.record))) {
      throw new KmsError(
        'AccessDeniedException',
        `User: ${context.caller.arn} is not authorized to perform: kms:RetireGrant on resource: ${found.arn}`,
      )
    }
    endDryRun(input.DryRun)
    await removeGrant(context, found, grantId)
    return undefined
  },
}

/** By token, or by the ARN of the key and the id. */
function grantNameOf(
  context: ActionContext,
  { GrantToken, KeyId, GrantId }: RetireGrantInput,
): { readonly keyId: string; readonly grantId: string } {
  if (GrantToken !== undefined && KeyId === undefined && GrantId === undefined) {
    const name = readGrantToken(context, GrantToken)
    if (name.region !== context.scope.region) {
      throw new KmsError('InvalidGrantTokenException', 'The grant token is of another Region.')
    }
    return name
  }
  if (GrantToken !== undefined || KeyId === undefined || GrantId === undefined) {
    throw new KmsError('ValidationException', 'Specify a grant token, or a key ARN and a grant ID.')
  }
  if (!KeyId.startsWith('arn:')) throw new KmsError('InvalidArnException', `Invalid arn ${KeyId}`)
  return { keyId: parseKeyId(KeyId, context.scope), grantId: GrantId }
}

/** RevokeGrant: ends a grant on behalf of those who manage the key. */
export const revokeGrant: Action<RevokeGrantInput, undefined> = {
  shape: 'RevokeGrantRequest',
  mode: 'write',
  async act(context, { KeyId, GrantId, DryRun }) {
    const found = await resolveKeyId(context, KeyId)
    await findGrant(context, found.record.keyId, GrantId)
    endDryRun(DryRun)
    await removeGrant(context, found, GrantId)
    return undefined
  },
}
