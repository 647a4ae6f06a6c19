import { KmsError } from '../../errors.ts'
import { isGrantPrincipal, isNarrowerGrant, type GrantPrincipal } from '../../policy/index.ts'
import type { Action, ActionContext } from '../action.ts'
import { parseKeyId } from '../arn.ts'
import { authoriseKey } from '../authorise.ts'
import { toHex } from '../bytes.ts'
import { endDryRun } from '../cryptography.ts'
import { grantableOperations } from '../grant-operations.ts'
import { newGrantToken } from '../grant-token.ts'
import { addGrant, eachGrant } from '../grants.ts'
import { principalId } from '../identities.ts'
import { assertKeyState } from '../key-state.ts'
import { isSymmetric } from '../key-spec.ts'
import { findKey } from '../lookup.ts'
import type { GrantRecord, KeyRecord } from '../records.ts'
import type { CreateGrantInput, CreateGrantOutput } from '../types.ts'

const GRANT_ID_BYTES = 32

/** Quotas of AWS KMS for a grant constraint. */
const MAX_PAIRS = 8
const MAX_VALUE_CHARACTERS = 384

/** CreateGrant: gives a principal permissions on a key. */
export const createGrant: Action<CreateGrantInput, CreateGrantOutput> = {
  shape: 'CreateGrantRequest',
  mode: 'write',
  async act(context, input) {
    const found = await findKey(context, parseKeyId(input.KeyId, context.scope))
    const { record, arn } = found
    const { grants: parents } = await authoriseKey(context, record, arn, { grantTokens: input.GrantTokens })
    assertKeyState(record.state, 'createGrant', arn)
    assertSuitable(record, input)
    const grant = await grantOf(context, record, input)
    if (parents.length > 0 && !parents.some((parent) => isNarrowerGrant(grant, parent))) {
      throw new KmsError(
        'AccessDeniedException',
        `User: ${context.caller.arn} can create no grant that is wider than the one that allows it to create grants`,
      )
    }
    endDryRun(input.DryRun)
    const existing = await sameGrant(context, record.keyId, grant)
    if (!existing) await addGrant(context, found, grant)
    const { grantId } = existing ?? grant
    return { GrantToken: newGrantToken(context, record.keyId, grantId), GrantId: grantId }
  },
}

function assertSuitable(key: KeyRecord, { Operations, Constraints }: CreateGrantInput): void {
  const allowed = grantableOperations(key)
  const wrong = Operations.filter((operation) => !allowed.includes(operation))
  if (Operations.length === 0) throw new KmsError('ValidationException', 'A grant needs an operation.')
  if (wrong.length > 0) {
    throw new KmsError(
      'ValidationException',
      `Grant operations ${wrong.join(', ')} are not supported by a key of spec ${key.keySpec} and usage ${key.keyUsage}.`,
    )
  }
  if (Constraints && Object.keys(Constraints).length > 0 && !isSymmetric(key.keySpec)) {
    throw new KmsError('ValidationException', 'Grant constraints are for symmetric encryption keys only.')
  }
  assertConstraint('EncryptionContextSubset', Constraints?.EncryptionContextSubset)
  assertConstraint('EncryptionContextEquals', Constraints?.EncryptionContextEquals)
}

/** A constraint without pairs would be one in name only. */
function assertConstraint(name: string, pairs: Readonly<Record<string, string>> | undefined): void {
  if (!pairs) return
  const values = Object.values(pairs)
  if (values.length === 0) throw new KmsError('ValidationException', `${name} needs an encryption context pair.`)
  if (values.length > MAX_PAIRS) {
    throw new KmsError('ValidationException', `${name} must have at most ${String(MAX_PAIRS)} pairs.`)
  }
  if (values.some((value) => value.length > MAX_VALUE_CHARACTERS)) {
    throw new KmsError(
      'ValidationException',
      `The values of ${name} must have at most ${String(MAX_VALUE_CHARACTERS)} characters.`,
    )
  }
}

async function grantOf(context: ActionContext, { keyId }: KeyRecord, input: CreateGrantInput): Promise<GrantRecord> {
  const { GranteePrincipal, RetiringPrincipal, Operations, Constraints, Name } = input
  return {
    grantId: toHex(context.random(GRANT_ID_BYTES)),
    keyId,
    created: context.now,
    grantee: await principal(context, GranteePrincipal),
    ...(RetiringPrincipal !== undefined && { retiring: await principal(context, RetiringPrincipal) }),
    operations: [...new Set(Operations)],
    ...(Constraints && Object.keys(Constraints).length > 0 && { constraints: Constraints }),
    ...(Name !== undefined && { name: Name }),
  }
}

/** A principal that this KMS does not know is taken: it may live elsewhere. One that is none is not. */
async function principal(context: ActionContext, arn: string): Promise<GrantPrincipal> {
  if (!isGrantPrincipal(arn)) throw new KmsError('InvalidArnException', `${arn} is not a principal.`)
  return { arn, id: await principalId(context, arn) }
}

/** The grant that a call with the same name and parameters made. */
async function sameGrant(context: ActionContext, keyId: string, grant: GrantRecord): Promise<GrantRecord | undefined> {
  if (grant.name === undefined) return undefined
  const parametersOf = ({ name, grantee, retiring, operations, constraints = {} }: GrantRecord): string => {
    const pairs = Object.entries(constraints)
      .map(([type, context]) => [
        type,
        ...Object.entries((context ?? {}) as Record<string, string>)
          .map((pair) => JSON.stringify(pair))
          .sort(),
      ])
      .sort()
    return JSON.stringify([name, grantee.arn, grantee.id, retiring?.arn, retiring?.id, [...operations].sort(), pairs])
  }
  const parameters = parametersOf(grant)
  for await (const other of eachGrant(context, keyId, [grant.grantee.arn])) {
    if (parametersOf(other) === parameters) return other
  }
  return undefined
}
