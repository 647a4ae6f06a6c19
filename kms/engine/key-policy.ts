import { KmsError } from '../errors.ts'
import {
  accessRequest,
  defaultKeyPolicy,
  LOCK_OUT_MESSAGE,
  namedPrincipals,
  wouldLockOut,
  type KeyPolicy,
  type PolicyDocument,
} from '../policy/index.ts'
import { callFacts, identityPoliciesOf, keyFacts } from './access-facts.ts'
import type { ActionContext } from './action.ts'
import { keyArn, rowId, type Scope } from './arn.ts'
import { principalId } from './identities.ts'
import { tampered, type KeyRecord, type PolicyRecord, type Stored } from './records.ts'

/** The name of the only policy of a key. */
export const POLICY_NAME = 'default'

/** Id of the row of a key's policy. */
export function policyRow(scope: Scope, keyId: string): string {
  return rowId(scope, keyId, POLICY_NAME)
}

/** The policy of a key; every key has one. */
export async function readPolicy(
  { scope, records }: Pick<ActionContext, 'scope' | 'records'>,
  keyId: string,
): Promise<Stored<PolicyRecord>> {
  const id = policyRow(scope, keyId)
  const stored = await records.get('policy', id)
  if (!stored) throw tampered('policy', id)
  return stored
}

/** The policy of a key, as it is evaluated. */
export async function keyPolicyOf(context: ActionContext, keyId: string): Promise<KeyPolicy> {
  const { text, ids } = (await readPolicy(context, keyId)).record
  return evaluated(context.policies.read(text, 'key'), ids)
}

function evaluated(document: PolicyDocument, ids: PolicyRecord['ids']): KeyPolicy {
  return { document, ids: (arn) => (Object.hasOwn(ids, arn) ? ids[arn] : undefined) }
}

/** A new policy of a key. */
export interface NewPolicy {
  /** Default: the one that lets the account manage the key by policies of identities. */
  readonly text: string | undefined
  readonly bypassesLockoutCheck: boolean | undefined
}

/**
 * Puts the policy of a key that is there, or is about to be.
 *
 * @throws PolicyError if the text is refused
 * @throws KmsError `MalformedPolicyDocumentException` if the caller could not change it again, unless he says he knows
 */
export async function writePolicy(context: ActionContext, key: KeyRecord, policy: NewPolicy): Promise<void> {
  const { scope, records, policies } = context
  const text = policy.text ?? defaultKeyPolicy(scope.partition, scope.account)
  const document = policies.check(text, 'key')
  const ids: Record<string, string> = {}
  for (const arn of namedPrincipals(document)) {
    const id = await principalId(context, arn)
    if (id !== undefined) ids[arn] = id
  }
  if (policy.bypassesLockoutCheck !== true) await assertNoLockOut(context, key, evaluated(document, ids))
  const id = policyRow(scope, key.keyId)
  await records.put('policy', id, { text, ids }, await records.get('policy', id), rowId(scope, key.keyId))
}

async function assertNoLockOut(context: ActionContext, key: KeyRecord, keyPolicy: KeyPolicy): Promise<void> {
  const request = accessRequest({
    ...callFacts(context),
    permission: 'PutKeyPolicy',
    resource: keyArn(context.scope, key.keyId),
    key: keyFacts(key),
  })
  const identityPolicies = await identityPoliciesOf(context)
  if (!wouldLockOut(request, { keyPolicy, identityPolicies })) return
  throw new KmsError('MalformedPolicyDocumentException', LOCK_OUT_MESSAGE)
}
