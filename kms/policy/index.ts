export { accessRequest, type AccessFacts, type KeyFacts } from './access-request.ts'
export {
  authorise,
  denialMessage,
  LOCK_OUT_MESSAGE,
  mayRetireGrant,
  wouldLockOut,
  type Authority,
  type DecidedBy,
  type KeyPolicy,
  type Outcome,
} from './authorise.ts'
export { filledConditionKeys } from './condition-keys.ts'
export { defaultKeyPolicy } from './default-policy.ts'
export { namedPrincipals, type PolicyDocument, type PolicyKind } from './document.ts'
export { PolicyError, type PolicyFault } from './error.ts'
export { evaluate, type Decision, type KeyPolicyDecision } from './evaluate.ts'
export { grantMatches, isGrantPrincipal, isNarrowerGrant } from './grants.ts'
export type { Grant, GrantConstraints, GrantPrincipal } from './grants.ts'
export { parsePolicy } from './parse.ts'
export { PolicyReader } from './reader.ts'
export { kmsPermissions } from './permissions.ts'
export type { PrincipalIds, PrincipalReach } from './principals.ts'
export { arnsOf, type AccessRequest, type Principal } from './request.ts'
