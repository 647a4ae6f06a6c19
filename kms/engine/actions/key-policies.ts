import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { POLICY_NAME, readPolicy, writePolicy } from '../key-policy.ts'
import { resolveKeyId } from '../lookup.ts'
import { pageOf } from '../paging.ts'
import type {
  GetKeyPolicyInput,
  GetKeyPolicyOutput,
  ListKeyPoliciesInput,
  ListKeyPoliciesOutput,
  PutKeyPolicyInput,
} from '../types.ts'

const DEFAULT_LIMIT = 100

/** GetKeyPolicy: the policy of a key, as it was put. */
export const getKeyPolicy: Action<GetKeyPolicyInput, GetKeyPolicyOutput> = {
  shape: 'GetKeyPolicyRequest',
  mode: 'read',
  async act(context, { KeyId, PolicyName = POLICY_NAME }) {
    const { record } = await resolveKeyId(context, KeyId)
    assertPolicyName(PolicyName)
    const policy = await readPolicy(context, record.keyId)
    return { Policy: policy.record.text, PolicyName: POLICY_NAME }
  },
}

/** PutKeyPolicy: another policy for a key, from now on. */
export const putKeyPolicy: Action<PutKeyPolicyInput, undefined> = {
  shape: 'PutKeyPolicyRequest',
  mode: 'write',
  async act(context, { KeyId, PolicyName = POLICY_NAME, Policy, BypassPolicyLockoutSafetyCheck }) {
    const { record } = await resolveKeyId(context, KeyId)
    assertPolicyName(PolicyName)
    await writePolicy(context, record, { text: Policy, bypassesLockoutCheck: BypassPolicyLockoutSafetyCheck })
    return undefined
  },
}

/** ListKeyPolicies: the name of the only policy. */
export const listKeyPolicies: Action<ListKeyPoliciesInput, ListKeyPoliciesOutput> = {
  shape: 'ListKeyPoliciesRequest',
  mode: 'read',
  async act(context, { KeyId, Limit = DEFAULT_LIMIT, Marker }) {
    await resolveKeyId(context, KeyId)
    const isId = (text: string): boolean => text === POLICY_NAME
    const page = pageOf([{ id: POLICY_NAME }], { limit: Limit, marker: Marker, isId })
    return { PolicyNames: page.items.map(({ id }) => id), ...page.output }
  },
}

function assertPolicyName(name: string): void {
  if (name !== POLICY_NAME) throw new KmsError('NotFoundException', 'No such policy exists')
}
