import type { ResourcePattern } from './arn-pattern.ts'
import type { Condition } from './condition.ts'
import type { Glob } from './glob.ts'
import type { PolicyPrincipal } from './principals.ts'

/** The policy of a key, which says who may use it; or of an identity, which says what it may use. */
export type PolicyKind = 'key' | 'identity'

/** Members of an element, or of its opposite (`NotAction`). */
export interface Matcher<T> {
  readonly members: readonly T[]
  readonly isNot: boolean
}

export interface ActionPattern {
  /** As it was given. */
  readonly text: string
  /** Of lower-case names. */
  readonly glob: Glob
}

/** A statement of a policy, ready to be evaluated. */
export interface Statement {
  readonly sid: string | undefined
  readonly effect: 'Allow' | 'Deny'
  /** Absent in policies of identities. */
  readonly principals: Matcher<PolicyPrincipal> | undefined
  readonly actions: Matcher<ActionPattern>
  readonly resources: Matcher<ResourcePattern>
  readonly conditions: readonly Condition[]
}

/** A policy document that was checked. */
export interface PolicyDocument {
  readonly kind: PolicyKind
  /** As it was given. */
  readonly text: string
  readonly id: string | undefined
  readonly statements: readonly Statement[]
}

/** ARNs of the users, roles and sessions that a policy names: whoever puts it stores the unique ids that they have. */
export function namedPrincipals({ statements }: PolicyDocument): readonly string[] {
  const arns = statements.flatMap(({ principals }) =>
    (principals?.members ?? []).flatMap((principal) => (principal.kind === 'arn' ? [principal.arn] : [])),
  )
  return [...new Set(arns)]
}
