import { PolicyError } from './error.ts'
import type { Json } from './json.ts'
import { isObject, stringsOf } from './members.ts'
import { arnsOf, type Principal } from './request.ts'

/** A member of `Principal` or `NotPrincipal`. */
export type PolicyPrincipal =
  | { readonly kind: 'everyone' }
  | { readonly kind: 'account'; readonly account: string; readonly partition: string | undefined }
  /** A user, role or session. */
  | { readonly kind: 'arn'; readonly arn: string }
  /** What AWS shows of a principal that was deleted. */
  | { readonly kind: 'id'; readonly id: string }
  /** A service, or a user whom somebody else vouches for: there are none here. */
  | { readonly kind: 'elsewhere' }

/**
 * The unique id that a principal's ARN had when the policy was put; undefined if nobody had it.
 * {@link namedPrincipals} lists the ARNs that it is asked for.
 */
export type PrincipalIds = (arn: string) => string | undefined

const ACCOUNT = /^\d{12}$/
const ACCOUNT_ARN = /^arn:(aws[a-z-]*):iam::(\d{12}):root$/
const ARN =
  /^arn:aws[a-z-]*:(?:iam::\d{12}:(?:user|role)|sts::\d{12}:(?:assumed-role\/[\w+=,.@-]+|federated-user))\/[\w+=,.@/-]+$/
const ROLE = /^arn:[^:]+:(?:iam::\d{12}:role|sts::\d{12}:assumed-role)\//
const UNIQUE_ID = /^A[A-Z]{3}[A-Z0-9]{12,124}$/
const ELSEWHERE = /^[\w.:/-]+$/

/**
 * Reads `Principal` or `NotPrincipal`. Wildcards that stand for a part of a name are refused, and so are groups.
 *
 * @throws PolicyError
 */
export function readPrincipals(json: Json): readonly PolicyPrincipal[] {
  if (json === '*') return [{ kind: 'everyone' }]
  if (!isObject(json) || json.size === 0) throw invalid(typeof json === 'string' ? json : 'an empty Principal')
  return [...json].flatMap(([type, names]) => {
    switch (type) {
      case 'AWS':
        return stringsOf(names, 'Principal').map(readAwsPrincipal)
      case 'Service':
      case 'Federated':
        return stringsOf(names, 'Principal').map((name): PolicyPrincipal => {
          if (!ELSEWHERE.test(name)) throw invalid(name)
          return { kind: 'elsewhere' }
        })
      default:
        throw invalid(type)
    }
  })
}

function readAwsPrincipal(text: string): PolicyPrincipal {
  const principal = parseAwsPrincipal(text)
  if (!principal) throw invalid(text)
  return principal
}

function parseAwsPrincipal(text: string): PolicyPrincipal | undefined {
  if (text === '*') return { kind: 'everyone' }
  if (ACCOUNT.test(text)) return { kind: 'account', account: text, partition: undefined }
  const [, partition, account] = ACCOUNT_ARN.exec(text) ?? []
  if (account !== undefined) return { kind: 'account', account, partition }
  if (ARN.test(text)) return { kind: 'arn', arn: text }
  return UNIQUE_ID.test(text) ? { kind: 'id', id: text } : undefined
}

function invalid(name: string): PolicyError {
  return new PolicyError(
    'principal',
    `Policy contains a statement with one or more invalid principals. It is: ${JSON.stringify(name)}.`,
  )
}

/** Whether this is an account, user, role, session, or unique id. */
export function isPrincipal(text: string): boolean {
  return text !== '*' && parseAwsPrincipal(text) !== undefined
}

/** Whom something reaches of the caller: him, his account, which he is a part of, or nobody of them. */
export type PrincipalReach = 'caller' | 'account' | 'nobody'

/** Whom of the caller a single principal is that is allowed something. Nobody is everyone here. */
export function principalReach(text: string, caller: Principal, ids: PrincipalIds): PrincipalReach {
  const principal = parseAwsPrincipal(text)
  if (!principal || principal.kind === 'everyone') return 'nobody'
  if (namesCaller([principal], caller, ids, 'Allow')) return 'caller'
  if (!namesAccount([principal], caller)) return 'nobody'
  return caller.type === 'Account' ? 'caller' : 'account'
}

/** Whether one of the principals is the caller's account. */
export function namesAccount(principals: readonly PolicyPrincipal[], caller: Principal): boolean {
  return principals.some(
    (principal) =>
      principal.kind === 'account' &&
      caller.type !== 'Anonymous' &&
      principal.account === caller.account &&
      (principal.partition === undefined || principal.partition === caller.arn.split(':')[1]),
  )
}

/**
 * Whether one of the principals is the caller, or everyone. An ARN is the caller if it had his unique id when the policy
 * was put: a user who is created again under a name that a policy knows is another, and so is one who is created after
 * the policy named him. In a Deny such an unbound ARN stands for whoever has it now. Roles are made elsewhere, and are
 * known by their ARNs alone.
 */
export function namesCaller(
  principals: readonly PolicyPrincipal[],
  caller: Principal,
  ids: PrincipalIds,
  effect: 'Allow' | 'Deny',
): boolean {
  return principals.some((principal) => {
    switch (principal.kind) {
      case 'everyone':
        return true
      case 'id':
        return caller.type !== 'Anonymous' && (principal.id === caller.id || principal.id === roleId(caller))
      case 'arn': {
        if (caller.type === 'Anonymous') return false
        const id = ids(principal.arn)
        return id === undefined ? isUnbound(principal.arn, caller, effect) : id === caller.id
      }
      default:
        return false
    }
  })
}

/** Of `roleId:session`. */
function roleId({ type, id }: Principal): string | undefined {
  return type === 'Role' ? id.split(':')[0] : undefined
}

/** Whether an ARN that nobody of here had is what the caller is called by. */
function isUnbound(arn: string, caller: Principal, effect: 'Allow' | 'Deny'): boolean {
  const names = arnsOf(caller)
  if (effect === 'Allow') return caller.type === 'Role' && ROLE.test(arn) && names.includes(arn)
  // An account has one role of a name, whatever its path: it may be the session's.
  return names.includes(arn) || names.includes(arn.replace(/:role\/.*\//, ':role/'))
}

/**
 * Whether a `NotPrincipal` excepts the caller: of a session, both the session and its role must be listed (IAM User
 * Guide, "NotPrincipal"). An ARN that was bound to nobody when the policy was put excepts nobody of here.
 */
export function exceptsCaller(principals: readonly PolicyPrincipal[], caller: Principal, ids: PrincipalIds): boolean {
  if (caller.type !== 'Role') return namesCaller(principals, caller, ids, 'Allow')
  return arnsOf(caller).every((arn) =>
    principals.some((principal) => principal.kind === 'arn' && principal.arn === arn),
  )
}
