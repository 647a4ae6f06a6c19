import { isPrincipal, principalReach, type PrincipalReach } from './principals.ts'
import type { AccessRequest, Principal } from './request.ts'

/** Pairs that the encryption context of a request must have: exactly these, or at least these. */
export interface GrantConstraints {
  readonly EncryptionContextEquals?: Readonly<Record<string, string>> | undefined
  readonly EncryptionContextSubset?: Readonly<Record<string, string>> | undefined
}

/** A principal of a grant, as it was named and the unique id that it had then; undefined if nobody had that name. */
export interface GrantPrincipal {
  readonly arn: string
  readonly id: string | undefined
}

/** What decides of a grant. A grant is for one key: whoever evaluates grants gives those of the key in question. */
export interface Grant {
  readonly grantId: string
  readonly grantee: GrantPrincipal
  readonly retiring?: GrantPrincipal | undefined
  /** Names as in the API, `ReEncryptFrom`. */
  readonly operations: readonly string[]
  readonly constraints?: GrantConstraints | undefined
}

/** Operations with an encryption context: those that constraints are about. */
const WITH_CONTEXT: ReadonlySet<string> = new Set([
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
])

/** Operations that constraints do not limit; CreateGrant is limited by {@link isNarrowerGrant}. */
const WITHOUT_CONTEXT: ReadonlySet<string> = new Set(['CreateGrant', 'DescribeKey', 'RetireGrant'])

/** Whether a grant can have this principal: an account, user, role or session, or a service. */
export function isGrantPrincipal(text: string): boolean {
  return isPrincipal(text) || /^[a-z0-9.-]+\.amazonaws\.com(?:\.cn)?$/.test(text)
}

/**
 * Whom a grant gives the permission of a request: the caller, his account (which passes it on by policies of identities),
 * or nobody of them.
 *
 * Encryption contexts are compared exactly, case of keys included (AWS KMS Developer Guide, "Using grant constraints").
 */
export function grantMatches(grant: Grant, request: AccessRequest): PrincipalReach {
  const operation = request.action.startsWith('kms:') ? request.action.slice('kms:'.length) : ''
  if (!grant.operations.includes(operation)) return 'nobody'
  if (!satisfies(grant.constraints, operation, request.encryptionContext ?? {})) return 'nobody'
  return reachOf(grant.grantee, request.principal)
}

/** Whom of the caller and his account a grant lets retire it. */
export function retiringMatches(grant: Grant, caller: Principal): PrincipalReach {
  return grant.retiring ? reachOf(grant.retiring, caller) : 'nobody'
}

function reachOf({ arn, id }: GrantPrincipal, caller: Principal): PrincipalReach {
  return principalReach(arn, caller, () => id)
}

function satisfies(
  constraints: GrantConstraints | undefined,
  operation: string,
  context: Readonly<Record<string, string>>,
): boolean {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints ?? {}
  if ((!equals && !subset) || WITHOUT_CONTEXT.has(operation)) return true
  if (!WITH_CONTEXT.has(operation)) return false
  return (!equals || isEqual(equals, context)) && (!subset || contains(context, subset))
}

function contains(pairs: Readonly<Record<string, string>>, part: Readonly<Record<string, string>>): boolean {
  return Object.entries(part).every(([key, value]) => Object.hasOwn(pairs, key) && pairs[key] === value)
}

function isEqual(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && contains(a, b)
}

/**
 * Whether a grant gives no more than the one that its maker has: some of the operations, under constraints that are as
 * strict (AWS KMS Developer Guide, "Granting CreateGrant permission").
 */
export function isNarrowerGrant(
  child: Pick<Grant, 'operations' | 'constraints'>,
  parent: Pick<Grant, 'operations' | 'constraints'>,
): boolean {
  if (!child.operations.every((operation) => parent.operations.includes(operation))) return false
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = parent.constraints ?? {}
  const { EncryptionContextEquals: childEquals, EncryptionContextSubset: childSubset } = child.constraints ?? {}
  if (equals && !(childEquals && isEqual(equals, childEquals))) return false
  return !subset || [childEquals, childSubset].some((pairs) => pairs !== undefined && contains(pairs, subset))
}
