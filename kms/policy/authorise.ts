import type { PolicyDocument } from './document.ts'
import { evaluate, type Decision } from './evaluate.ts'
import { grantMatches, retiringMatches, type Grant } from './grants.ts'
import { Meter, WorkLimitError } from './meter.ts'
import type { PrincipalIds } from './principals.ts'
import { Evaluation, type AccessRequest } from './request.ts'

/** The policy of the key that a request is for. */
export interface KeyPolicy {
  readonly document: PolicyDocument
  /** Of the principals that it names, as they were when it was put. */
  readonly ids: PrincipalIds
}

/** Everything that decides of a request. */
export interface Authority {
  /** Absent for what is on no key: aliases, and actions on no resource. */
  readonly keyPolicy?: KeyPolicy | undefined
  /** Of the caller. */
  readonly identityPolicies: readonly PolicyDocument[]
  /** Of the key. */
  readonly grants?: readonly Grant[] | undefined
}

/** What decided, or what was missing. */
export type DecidedBy = 'account-root' | 'key-policy' | 'identity-policy' | 'grant' | 'work-limit'

/** The answer to a request. */
export interface Outcome {
  readonly decision: Decision
  readonly by: DecidedBy
  /** The grants that allow it, if `by` is `grant`. */
  readonly grants: readonly Grant[]
}

/**
 * Decides of a request as AWS KMS does (AWS KMS Developer Guide, "Troubleshooting key access"):
 *
 * - A Deny in the key's policy or in one of the caller's wins over everything, grants included.
 * - A key's policy or grant that names the caller allows him; one that names his account allows its root, and everyone
 *   in it whom a policy of his own allows. Nobody has a permission on a key by himself, not even its owner.
 * - A caller of another account needs both: the key's policy or a grant, and a policy of his own (roots need none).
 * - Without a key, the caller's policies decide, and the account's root may do everything.
 */
export function authorise(request: AccessRequest, authority: Authority, meter: Meter = new Meter()): Outcome {
  try {
    const evaluation = new Evaluation(request, meter)
    return authority.keyPolicy
      ? decideOnKey(evaluation, authority, authority.keyPolicy)
      : decideWithoutKey(evaluation, authority)
  } catch (error) {
    if (error instanceof WorkLimitError) return outcome('explicit-deny', 'work-limit')
    throw error
  }
}

function outcome(decision: Decision, by: DecidedBy, grants: readonly Grant[] = []): Outcome {
  return { decision, by, grants }
}

function decideWithoutKey(evaluation: Evaluation, { identityPolicies }: Authority): Outcome {
  const { principal, resourceAccount } = evaluation.request
  const own = decideByIdentity(evaluation, identityPolicies)
  if (own === 'explicit-deny') return outcome(own, 'identity-policy')
  if (principal.account !== resourceAccount || principal.type === 'Anonymous') {
    return outcome('implicit-deny', 'identity-policy')
  }
  if (principal.type === 'Account') return outcome('allow', 'account-root')
  return outcome(own, 'identity-policy')
}

function decideOnKey(evaluation: Evaluation, authority: Authority, { document, ids }: KeyPolicy): Outcome {
  const { request } = evaluation
  const { principal } = request
  const byKey = evaluate(document, evaluation, ids)
  if (byKey === 'explicit-deny') return outcome(byKey, 'key-policy')
  const own = decideByIdentity(evaluation, authority.identityPolicies)
  if (own === 'explicit-deny') return outcome(own, 'identity-policy')
  const isRoot = principal.type === 'Account'
  const hasOwn = isRoot || own === 'allow'
  const isSameAccount = principal.account === request.resourceAccount && principal.type !== 'Anonymous'
  // A key's policy never allows RetireGrant; see mayRetireGrant.
  const isOfKey = request.action !== RETIRE
  if (isOfKey && byKey === 'allow' && (isSameAccount || hasOwn)) return outcome('allow', 'key-policy')
  if (isOfKey && byKey === 'delegated' && hasOwn) return outcome('allow', isRoot ? 'key-policy' : 'identity-policy')
  const grants = (authority.grants ?? []).filter((grant) => {
    evaluation.meter.spend(1)
    const reach = grantMatches(grant, request)
    return reach === 'account' ? hasOwn : reach === 'caller' && (isSameAccount || hasOwn)
  })
  if (grants.length > 0) return outcome('allow', 'grant', grants)
  return outcome('implicit-deny', byKey === 'implicit-deny' ? 'key-policy' : 'identity-policy')
}

function decideByIdentity(evaluation: Evaluation, policies: readonly PolicyDocument[]): Decision {
  const decisions = policies.map((policy) => evaluate(policy, evaluation))
  if (decisions.includes('explicit-deny')) return 'explicit-deny'
  return decisions.includes('allow') ? 'allow' : 'implicit-deny'
}

const RETIRE = 'kms:RetireGrant'

/**
 * Whether a caller may retire a grant (AWS KMS Developer Guide, "Retiring and revoking grants"): its retiring principal,
 * its grantee if it has the operation RetireGrant, and the account that the key is in, which may pass it on by policies
 * of identities. A Deny wins here too. `request` asks for `kms:RetireGrant`.
 */
export function mayRetireGrant(request: AccessRequest, grant: Grant, authority: Authority): boolean {
  const { principal, resourceAccount } = request
  if (authorise(request, { ...authority, grants: [] }).decision === 'explicit-deny') return false
  const reaches = [retiringMatches(grant, principal), grantMatches(grant, request)]
  if (reaches.includes('caller')) return true
  if (!reaches.includes('account') && principal.account !== resourceAccount) return false
  return principal.type === 'Account' || isAllowedByIdentity(request, authority.identityPolicies)
}

function isAllowedByIdentity(request: AccessRequest, policies: readonly PolicyDocument[]): boolean {
  const { decision } = authorise(
    { ...request, resourceAccount: request.principal.account },
    { identityPolicies: policies },
  )
  return decision === 'allow'
}

/**
 * The lock-out check of CreateKey and PutKeyPolicy: whether the caller could not put the key's policy again under this
 * one. `request` is the call that would set it.
 */
export function wouldLockOut(
  request: AccessRequest,
  authority: Pick<Required<Authority>, 'keyPolicy' | 'identityPolicies'>,
): boolean {
  const next = { ...request, action: 'kms:PutKeyPolicy' }
  return authorise(next, { ...authority, grants: [] }).decision !== 'allow'
}

/** What the lock-out check says on AWS. */
export const LOCK_OUT_MESSAGE = 'The new key policy will not allow you to update the key policy in the future.'

/** The message of AccessDeniedException. */
export function denialMessage({ principal, action, resource }: AccessRequest, { decision, by }: Outcome): string {
  const kind = by === 'key-policy' ? 'resource-based' : 'identity-based'
  const start = `User: ${principal.arn} is not authorized to perform: ${action} on resource: ${resource}`
  if (by === 'work-limit') return `${start} because its policies take too long to evaluate`
  if (decision === 'explicit-deny')
    return `${start} with an explicit deny in a ${kind} policy`.replace('a identity', 'an identity')
  return `${start} because no ${kind} policy allows the ${action} action`
}
