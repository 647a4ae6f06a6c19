import type { ActionPattern, Matcher, PolicyDocument, Statement } from './document.ts'
import { exceptsCaller, namesAccount, namesCaller, type PrincipalIds, type PrincipalReach } from './principals.ts'
import { Evaluation, type AccessRequest, type Principal } from './request.ts'
import { allOf, anyOf, not, truthOf, type Truth } from './truth.ts'

/** What one document says of a request: no Allow that applies is an implicit deny. */
export type Decision = 'allow' | 'explicit-deny' | 'implicit-deny'

/** Of a key's policy also: it allows the caller's account, which may pass the permission on by policies of identities. */
export type KeyPolicyDecision = Decision | 'delegated'

/** No principal was known when the policy was put. */
const NOBODY: PrincipalIds = () => undefined

/**
 * Evaluates one document alone. An explicit deny wins over everything, an allow over nothing said.
 *
 * @param ids of the principals that the policy names, as they were when it was put
 */
export function evaluate(
  document: PolicyDocument,
  request: AccessRequest | Evaluation,
  ids: PrincipalIds = NOBODY,
): KeyPolicyDecision {
  const evaluation = request instanceof Evaluation ? request : new Evaluation(request)
  let decision: KeyPolicyDecision = 'implicit-deny'
  for (const statement of document.statements) {
    evaluation.meter.spend(1)
    if (decision === 'allow' && statement.effect === 'Allow') continue
    const reach = reachOf(statement, evaluation.request.principal, ids)
    if (reach === 'nobody') continue
    const truth = applies(statement, evaluation)
    if (statement.effect === 'Deny') {
      if (truth !== 'no') return 'explicit-deny'
    } else if (truth === 'yes') {
      decision = reach === 'account' ? 'delegated' : 'allow'
    }
  }
  return decision
}

function reachOf({ effect, principals }: Statement, caller: Principal, ids: PrincipalIds): PrincipalReach {
  if (!principals) return 'caller'
  const isAccount = namesAccount(principals.members, caller)
  if (principals.isNot) return isExcepted(principals, caller, ids, isAccount) ? 'nobody' : 'caller'
  if (namesCaller(principals.members, caller, ids, effect)) return 'caller'
  if (!isAccount) return 'nobody'
  // An account that is denied is denied in all of its identities. One that is allowed acts by itself as its root only.
  return effect === 'Deny' || caller.type === 'Account' ? 'caller' : 'account'
}

/**
 * IAM User Guide, "NotPrincipal": a caller is excepted only if both he and his account are listed.
 */
function isExcepted(
  { members }: NonNullable<Statement['principals']>,
  caller: Principal,
  ids: PrincipalIds,
  isAccount: boolean,
): boolean {
  return isAccount && (caller.type === 'Account' || exceptsCaller(members, caller, ids))
}

function applies({ actions, resources, conditions }: Statement, evaluation: Evaluation): Truth {
  const { action, resource } = evaluation.request
  const isAction = matchAction(actions, action.toLowerCase(), evaluation)
  if (isAction === 'no') return 'no'
  const isResource = matchElement(resources, (pattern) => pattern.matches(resource, evaluation))
  if (isResource === 'no') return 'no'
  const holds = allOf(conditions, ({ test }) => test(evaluation))
  return allOf([isResource, holds], (truth) => truth)
}

function matchAction(actions: Matcher<ActionPattern>, action: string, { meter }: Evaluation): Truth {
  return matchElement(actions, ({ glob }) => truthOf(glob.matches(action, meter)))
}

/** An element that is not there matches nothing. */
function matchElement<T>({ members, isNot }: Matcher<T>, test: (member: T) => Truth): Truth {
  if (members.length === 0) return 'no'
  const truth = anyOf(members, test)
  return isNot ? not(truth) : truth
}
