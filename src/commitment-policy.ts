import { CommitmentPolicyError } from './errors.ts'
import type { AlgorithmSuite } from './suites.ts'
import { algorithmSuite } from './suites.ts'

/**
 * Which suites may be written and read, by whether they commit to the key.
 *
 * Source: aws-encryption-sdk-specification, framework/commitment-policy.md.
 */
export type CommitmentPolicy =
  'forbid-encrypt-allow-decrypt' | 'require-encrypt-allow-decrypt' | 'require-encrypt-require-decrypt'

const POLICIES: ReadonlySet<unknown> = new Set<CommitmentPolicy>([
  'forbid-encrypt-allow-decrypt',
  'require-encrypt-allow-decrypt',
  'require-encrypt-require-decrypt',
])

/** The policy given, or the default: commitment is required on both sides. Throws RangeError for an unknown one. */
export function commitmentPolicy(policy: CommitmentPolicy = 'require-encrypt-require-decrypt'): CommitmentPolicy {
  if (!POLICIES.has(policy)) throw new RangeError(`commitmentPolicy must be one of ${[...POLICIES].join(', ')}`)
  return policy
}

/** The suite that is written when none is asked for: unsigned, and committing unless the policy forbids it. */
export function defaultSuite(policy: CommitmentPolicy): AlgorithmSuite {
  return algorithmSuite(policy === 'forbid-encrypt-allow-decrypt' ? 0x0178 : 0x0478)
}

/** Throws CommitmentPolicyError when the policy does not let this suite be written. */
export function assertMayEncrypt(policy: CommitmentPolicy, suite: AlgorithmSuite): void {
  const mustCommit = policy !== 'forbid-encrypt-allow-decrypt'
  if (suite.isCommitting === mustCommit) return
  throw new CommitmentPolicyError(
    `commitment policy ${policy} does not encrypt with ${suite.name}, which ${mustCommit ? 'does not commit' : 'commits'} to its key`,
  )
}

/** Throws CommitmentPolicyError when the policy does not let this suite be read. */
export function assertMayDecrypt(policy: CommitmentPolicy, suite: AlgorithmSuite): void {
  if (suite.isCommitting || policy !== 'require-encrypt-require-decrypt') return
  throw new CommitmentPolicyError(
    `commitment policy ${policy} does not decrypt ${suite.name}, which does not commit to its key: ` +
      `pass commitmentPolicy 'require-encrypt-allow-decrypt' if you trust such messages`,
  )
}
