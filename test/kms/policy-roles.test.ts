import { describe, expect, it } from 'vitest'
import type { Principal } from '../../kms/policy/index.ts'
import { PLAINTEXT } from './one-key-setup.ts'
import { ACCOUNT, ALICE, decide, OTHER_ACCOUNT, root, statement, type StatementJson } from './policy-setup.ts'
import { openTwoUsers } from './users-setup.ts'

function session(name: string, account: string = ACCOUNT): Principal {
  const arn = `arn:aws:sts::${account}:assumed-role/App/${name}`
  return { account, arn, id: `AROAEXAMPLEEXAMPLE22:${name}`, type: 'Role', tags: {} }
}

const S1 = session('s1')
const ROLE = `arn:aws:iam::${ACCOUNT}:role/App`
const ROLE_WITH_PATH = `arn:aws:iam::${ACCOUNT}:role/a/b/App`
const OTHERS = [
  `arn:aws:iam::${ACCOUNT}:role/app`,
  `arn:aws:iam::${ACCOUNT}:role/App/s1`,
  `arn:aws:iam::${ACCOUNT}:role/NotApp`,
  `arn:aws:iam::${ACCOUNT}:user/App`,
  `arn:aws:iam::${OTHER_ACCOUNT}:role/App`,
  `arn:aws-cn:iam::${ACCOUNT}:role/App`,
  session('s2').arn,
  'AROAEXAMPLEEXAMPLE33',
]
const CASES = [...[ROLE, S1.arn, 'AROAEXAMPLEEXAMPLE22'].map((name) => [name, true] as const), ...OTHERS.map((name) => [name, false] as const)] // prettier-ignore

const deny = (elements: StatementJson): readonly StatementJson[] => [
  statement(),
  statement({ Effect: 'Deny', ...elements }),
]

describe('a session of a role', () => {
  it.each(CASES)('is %s: %s', (name, isNamed) => {
    const Principal = { AWS: name }
    expect(decide([statement({ Principal })], { principal: S1 })).toBe(isNamed ? 'allow' : 'implicit-deny')
    expect(decide(deny({ Principal }), { principal: S1 })).toBe(isNamed ? 'explicit-deny' : 'allow')
  })

  it('may be one of a role with a path: it is denied, but not allowed', () => {
    const Principal = { AWS: ROLE_WITH_PATH }
    expect(decide([statement({ Principal })], { principal: S1 })).toBe('implicit-deny')
    expect(decide(deny({ Principal }), { principal: S1 })).toBe('explicit-deny')
  })

  it("has the role's ARN in conditions, and no user name", () => {
    const condition = (test: object, principal: Principal = S1): string =>
      decide([statement({ Condition: test })], { principal })
    expect(condition({ ArnEquals: { 'aws:PrincipalArn': ROLE } })).toBe('allow')
    expect(condition({ ArnLike: { 'aws:PrincipalArn': S1.arn } })).toBe('implicit-deny')
    expect(condition({ ArnLike: { 'aws:PrincipalArn': ALICE.arn } }, ALICE)).toBe('allow')
    expect(condition({ Null: { 'aws:username': true } })).toBe('allow')
    expect(condition({ StringEquals: { 'aws:userid': S1.id, 'aws:PrincipalType': 'AssumedRole' } })).toBe('allow')
  })

  it.each([
    [[ROLE, S1.arn, ACCOUNT], 'allow'],
    [[ROLE, ACCOUNT], 'explicit-deny'],
    [[S1.arn, ACCOUNT], 'explicit-deny'],
    [[ROLE_WITH_PATH, S1.arn, ACCOUNT], 'explicit-deny'],
    [[ROLE, S1.arn], 'explicit-deny'],
  ])('is excepted by %j: %s', (names, decision) => {
    const statements = deny({ Principal: undefined, NotPrincipal: { AWS: names } })
    expect(decide(statements, { principal: S1 })).toBe(decision)
    expect(decide(statements, { principal: session('s2') })).toBe('explicit-deny')
  })

  it('is nobody of another type', () => {
    const Principal = { AWS: ROLE }
    for (const principal of [{ ...S1, type: 'User' as const }, { ...S1, type: 'Anonymous' as const }, root()]) {
      expect(decide([statement({ Principal })], { principal })).toBe('implicit-deny')
    }
    const user = { ...S1, arn: ALICE.arn }
    expect(decide([statement({ Principal: { AWS: ALICE.arn } })], { principal: user }, () => undefined)).toBe(
      'implicit-deny',
    )
  })
})

it.each([S1.arn, ROLE])('is allowed, denied and given grants by the engine as %s', async (name) => {
  const { engine } = await openTwoUsers()
  const allow = statement({ Principal: { AWS: root().arn } })
  const newKey = async (...more: readonly StatementJson[]): Promise<string> => {
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow, ...more] })
    return (await engine.call('CreateKey', { Policy })).KeyMetadata.KeyId
  }
  const encrypt = async (KeyId: string): Promise<string> => {
    const call = engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT }, { caller: S1 })
    return call.then(
      () => 'allowed',
      (error: unknown) => (error as Error).name,
    )
  }
  const Principal = { AWS: name }
  expect(await encrypt(await newKey())).toBe('AccessDeniedException')
  expect(await encrypt(await newKey(statement({ Principal })))).toBe('allowed')
  expect(await encrypt(await newKey(statement(), statement({ Effect: 'Deny', Principal })))).toBe('AccessDeniedException') // prettier-ignore
  const KeyId = await newKey()
  const { GrantId } = await engine.call('CreateGrant', { KeyId, GranteePrincipal: name, Operations: ['Encrypt'] })
  expect(await encrypt(KeyId)).toBe('allowed')
  await engine.call('RevokeGrant', { KeyId, GrantId })
  expect(await encrypt(KeyId)).toBe('AccessDeniedException')
})
