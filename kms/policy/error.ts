import { KmsError } from '../errors.ts'

/** Why a policy document is refused. */
export type PolicyFault =
  'too-large' | 'syntax' | 'element' | 'principal' | 'action' | 'resource' | 'condition' | 'overly-permissive'

/**
 * A policy document that is refused: `MalformedPolicyDocumentException`, or `LimitExceededException` if it is too large.
 * `reason` tells the faults apart.
 */
export class PolicyError extends KmsError {
  readonly reason: PolicyFault

  constructor(reason: PolicyFault, message: string) {
    super(reason === 'too-large' ? 'LimitExceededException' : 'MalformedPolicyDocumentException', message)
    this.reason = reason
  }
}
