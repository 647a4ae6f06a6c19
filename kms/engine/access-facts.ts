import type { AccessFacts, KeyFacts, PolicyDocument } from '../policy/index.ts'
import type { ActionContext } from './action.ts'
import { findUserOf } from './identities.ts'
import type { KeyRecord } from './records.ts'

/** The policies of the caller: only of a user who is still the one that he was. */
export async function identityPoliciesOf(context: ActionContext): Promise<readonly PolicyDocument[]> {
  const user = await findUserOf(context, context.caller)
  return Object.values(user?.policies ?? {}).map((text) => context.policies.read(text, 'identity'))
}

/** What conditions know of the call. */
export function callFacts(context: ActionContext): Omit<AccessFacts, 'permission' | 'resource'> {
  const { caller, input, scope, now, request } = context
  const { sourceIp, isSecure = true, userAgent } = request
  return {
    principal: caller,
    resourceAccount: scope.account,
    input,
    now,
    region: scope.region,
    sourceIp,
    isSecure,
    userAgent,
  }
}

type SeenKey = Pick<KeyRecord, 'keySpec' | 'keyUsage' | 'origin' | 'tags' | 'aliases' | 'multiRegion'>

/** What conditions know of a key. */
export function keyFacts({ keySpec, keyUsage, origin, tags, aliases, multiRegion }: SeenKey): KeyFacts {
  return { keySpec, keyUsage, origin, tags, aliases, multiRegionKeyType: multiRegion?.type }
}
