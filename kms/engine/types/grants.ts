import type { EncryptionContext } from '../../../src/index.ts'
import type { KeyIdInput, PageInput, PageOutput } from './keys.ts'

export interface GrantConstraints {
  /** The encryption context must be exactly this. */
  readonly EncryptionContextEquals?: EncryptionContext | undefined
  /** The encryption context must have at least these pairs. */
  readonly EncryptionContextSubset?: EncryptionContext | undefined
}

export interface CreateGrantInput extends KeyIdInput {
  /** ARN of a user, role, session or account, or a service. */
  readonly GranteePrincipal: string
  readonly RetiringPrincipal?: string | undefined
  /** Such as `Decrypt` and `ReEncryptFrom`. */
  readonly Operations: readonly string[]
  readonly Constraints?: GrantConstraints | undefined
  readonly GrantTokens?: readonly string[] | undefined
  /** A second call with the same name and parameters makes no second grant. */
  readonly Name?: string | undefined
  readonly DryRun?: boolean | undefined
}

export interface CreateGrantOutput {
  readonly GrantToken: string
  readonly GrantId: string
}

export interface GrantListEntry {
  /** ARN. */
  readonly KeyId: string
  readonly GrantId: string
  /** Empty if it has none. */
  readonly Name: string
  readonly CreationDate: Date
  readonly GranteePrincipal: string
  readonly RetiringPrincipal?: string
  readonly IssuingAccount: string
  readonly Operations: readonly string[]
  readonly Constraints?: GrantConstraints
}

export interface ListGrantsInput extends KeyIdInput, PageInput {
  readonly GrantId?: string | undefined
  readonly GranteePrincipal?: string | undefined
}

export interface ListRetirableGrantsInput extends PageInput {
  readonly RetiringPrincipal: string
}

export interface ListGrantsOutput extends PageOutput {
  readonly Grants: readonly GrantListEntry[]
}

export interface RetireGrantInput {
  /** Or else KeyId (an ARN) and GrantId. */
  readonly GrantToken?: string | undefined
  readonly KeyId?: string | undefined
  readonly GrantId?: string | undefined
  readonly DryRun?: boolean | undefined
}

export interface RevokeGrantInput extends KeyIdInput {
  readonly GrantId: string
  readonly DryRun?: boolean | undefined
}

export interface GetKeyPolicyInput extends KeyIdInput {
  /** `default`. */
  readonly PolicyName?: string | undefined
}

export interface GetKeyPolicyOutput {
  readonly Policy: string
  readonly PolicyName: string
}

export interface PutKeyPolicyInput extends GetKeyPolicyInput {
  /** JSON, at most 32768 bytes. */
  readonly Policy: string
  readonly BypassPolicyLockoutSafetyCheck?: boolean | undefined
}

export interface ListKeyPoliciesInput extends KeyIdInput, PageInput {}

export interface ListKeyPoliciesOutput extends PageOutput {
  readonly PolicyNames: readonly string[]
}
