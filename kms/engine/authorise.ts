import { KmsError } from '../errors.ts'
import {
  accessRequest,
  authorise as decide,
  denialMessage,
  grantMatches,
  type AccessRequest,
  type Authority,
  type Grant,
  type Outcome,
} from '../policy/index.ts'
import { callFacts, identityPoliciesOf, keyFacts } from './access-facts.ts'
import type { ActionContext } from './action.ts'
import { keyArn } from './arn.ts'
import { assertGrantTokens } from './grant-token.ts'
import { grantsFor } from './grants.ts'
import { keyPolicyOf } from './key-policy.ts'
import type { KeyRecord } from './records.ts'

/** What a call wants to do, as policies and grants see it. */
export interface Access {
  /** Without `kms:`; default the action's name. */
  readonly permission?: string | undefined
  readonly grantTokens?: readonly string[] | undefined
  /** The alias by which the request names the key. */
  readonly requestAlias?: string | undefined
  /** Of ReEncrypt: whether both keys are the same. */
  readonly isSameKey?: boolean | undefined
}

/**
 * Whether the caller may do this to a key; answers by which authority.
 *
 * @throws KmsError `AccessDeniedException`, `InvalidGrantTokenException`
 */
export async function authoriseKey(
  context: ActionContext,
  key: KeyRecord,
  arn: string,
  access: Access = {},
): Promise<Outcome> {
  assertGrantTokens(context, access.grantTokens)
  const request = keyRequest(context, key, arn, access)
  const authority = await authorityOn(context, key)
  const outcome = decide(request, authority)
  if (outcome.decision !== 'implicit-deny' || key.grants === 0) return allowed(request, outcome)
  return allowed(request, (await decideByGrants(context, key, request, authority)) ?? outcome)
}

/**
 * A grant to the caller, or one to his account, allows what any other of its kind does: each kind is decided once. Whoever
 * passes on what a grant allows him needs all that do. Undefined if no grant matches.
 */
async function decideByGrants(
  context: ActionContext,
  key: KeyRecord,
  request: AccessRequest,
  authority: Authority,
): Promise<Outcome | undefined> {
  const needsAll = request.action === 'kms:CreateGrant'
  const matching = new Map<string, Grant>()
  let outcome: Outcome | undefined
  for await (const grant of grantsFor(context, key)) {
    const reach = grantMatches(grant, request)
    const name = needsAll ? grant.grantId : reach
    if (reach === 'nobody' || matching.has(name)) continue
    matching.set(name, grant)
    if (needsAll) continue
    outcome = decide(request, { ...authority, grants: [grant] })
    if (outcome.decision === 'allow') return outcome
  }
  return needsAll && matching.size > 0 ? decide(request, { ...authority, grants: [...matching.values()] }) : outcome
}

/**
 * Whether the caller may do this on no key: to an alias (its ARN), or at all (`*`).
 *
 * @throws KmsError `AccessDeniedException`
 */
export async function authorise(context: ActionContext, resource: string): Promise<void> {
  const request = accessRequest({ ...callFacts(context), permission: context.action, resource })
  allowed(request, decide(request, { identityPolicies: await identityPoliciesOf(context) }))
}

/** A key that is not there yet, as far as policies see it. */
export type NewKey = Pick<KeyRecord, 'keyId' | 'keySpec' | 'keyUsage' | 'origin' | 'multiRegion' | 'tags'>

/**
 * Whether the caller may create a key, by an action that is not CreateKey.
 *
 * @throws KmsError `AccessDeniedException`
 */
export async function authoriseCreation(context: ActionContext, newKey: NewKey): Promise<void> {
  await authoriseNew(context, newKey, 'CreateKey', '*')
}

/**
 * Whether the caller may give a key its tags as he creates it: "the principal must have permission in an IAM policy that
 * isn't restricted to particular KMS keys" (AWS KMS Developer Guide, "Controlling access to tags").
 *
 * @throws KmsError `AccessDeniedException`
 */
export async function authoriseTags(context: ActionContext, newKey: NewKey): Promise<void> {
  if (newKey.tags.length === 0) return
  await authoriseNew(context, newKey, 'TagResource', keyArn(context.scope, newKey.keyId))
}

/** The caller's policies decide: the key has none, and neither tags nor aliases. */
async function authoriseNew(
  context: ActionContext,
  newKey: NewKey,
  permission: string,
  resource: string,
): Promise<void> {
  const key = keyFacts({ ...newKey, tags: [], aliases: [] })
  const request = accessRequest({ ...callFacts(context), permission, resource, key })
  allowed(request, decide(request, { identityPolicies: await identityPoliciesOf(context) }))
}

/** The request for a permission on a key. */
export function keyRequest(context: ActionContext, key: KeyRecord, arn: string, access: Access): AccessRequest {
  const { permission = context.action, requestAlias, isSameKey } = access
  return accessRequest({
    ...callFacts(context),
    permission,
    resource: arn,
    key: keyFacts(key),
    requestAlias,
    isSameKey,
  })
}

/** What decides of a key, but for its grants. */
export async function authorityOn(
  context: ActionContext,
  { keyId }: KeyRecord,
): Promise<Required<Omit<Authority, 'grants'>>> {
  return { keyPolicy: await keyPolicyOf(context, keyId), identityPolicies: await identityPoliciesOf(context) }
}

function allowed(request: AccessRequest, outcome: Outcome): Outcome {
  if (outcome.decision === 'allow') return outcome
  throw new KmsError('AccessDeniedException', denialMessage(request, outcome))
}
