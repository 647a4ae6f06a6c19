import { describe, expect, it } from 'vitest'
import {
  authorise,
  defaultKeyPolicy,
  denialMessage,
  LOCK_OUT_MESSAGE,
  parsePolicy,
  wouldLockOut,
  type Authority,
  type Outcome,
  type PolicyDocument,
  type Principal,
  type PrincipalIds,
} from '../../kms/policy/index.ts'
import {
  ACCOUNT,
  ALICE,
  BOB,
  decide,
  IDS,
  KEY,
  OTHER_ACCOUNT,
  policyText,
  request,
  root,
  statement,
  user,
  type RequestOptions,
  type StatementJson,
} from './policy-setup.ts'

const ALICE_ARN = ALICE.arn
const ANONYMOUS: Principal = { account: '', arn: '', id: '', type: 'Anonymous', tags: {} }
const DEFAULT: PolicyDocument = parsePolicy(defaultKeyPolicy('aws', ACCOUNT), 'key')

const keyPolicy = (...statements: readonly StatementJson[]): PolicyDocument =>
  parsePolicy(policyText(...statements), 'key')

function identityPolicy(elements: StatementJson = {}): PolicyDocument {
  return parsePolicy(policyText({ Effect: 'Allow', Action: 'kms:*', Resource: '*', ...elements }), 'identity')
}

function decideOn(
  document: PolicyDocument,
  options: RequestOptions = {},
  authority: Partial<Authority> = {},
  ids: PrincipalIds = IDS,
): Outcome {
  return authorise(request(options), { keyPolicy: { document, ids }, identityPolicies: [], ...authority })
}

describe('actions', () => {
  it.each<[StatementJson, string, boolean]>([
    [{ Action: 'kms:Decrypt' }, 'kms:Decrypt', true],
    [{ Action: 'KMS:decrypt' }, 'kms:Decrypt', true],
    [{ Action: 'kms:Decrypt' }, 'kms:Encrypt', false],
    [{ Action: ['kms:Encrypt', 'kms:Decrypt'] }, 'kms:Decrypt', true],
    [{ Action: '*' }, 'kms:Decrypt', true],
    [{ Action: 'kms:*' }, 'kms:Decrypt', true],
    [{ Action: 'kms:De*' }, 'kms:DeleteAlias', true],
    [{ Action: 'kms:De*' }, 'kms:Encrypt', false],
    [{ Action: 'kms:?ecrypt' }, 'kms:Decrypt', true],
    [{ Action: 'kms:ReEncrypt*' }, 'kms:ReEncryptTo', true],
    [{ Action: 'kms:GenerateDataKey' }, 'kms:GenerateDataKeyPair', false],
    [{ Action: 's3:*' }, 'kms:Decrypt', false],
    [{ Action: undefined, NotAction: 'kms:Decrypt' }, 'kms:Decrypt', false],
    [{ Action: undefined, NotAction: 'kms:Decrypt' }, 'kms:Encrypt', true],
    [{ Action: undefined, NotAction: ['kms:D*', 'kms:E*'] }, 'kms:Encrypt', false],
    [{ Action: undefined }, 'kms:Decrypt', false],
    [{ Resource: undefined }, 'kms:Decrypt', false],
  ])('%j allows %s: %s', (elements, action, isAllowed) => {
    expect(decide([statement(elements)], { action })).toBe(isAllowed ? 'allow' : 'implicit-deny')
  })
})

describe('resources', () => {
  const ALIAS = `arn:aws:kms:us-east-1:${ACCOUNT}:alias/a:b/c`

  it.each<[string, string, 'yes' | 'no' | 'unsure']>([
    ['*', KEY, 'yes'],
    ['*', '*', 'yes'],
    [KEY, KEY, 'yes'],
    [KEY, `${KEY}0`, 'no'],
    [KEY, '*', 'no'],
    [KEY.toUpperCase().replace('ARN', 'arn'), KEY, 'no'],
    [`arn:aws:kms:*:${ACCOUNT}:key/*`, KEY, 'yes'],
    [`arn:aws:kms:us-*-1:${ACCOUNT}:key/*`, KEY, 'yes'],
    [`arn:*:kms:*:*:*`, KEY, 'yes'],
    [`arn:aws:kms:us-east-?:*:key/????????-*`, KEY, 'yes'],
    [`arn:aws:kms:us-east-1:${OTHER_ACCOUNT}:key/*`, KEY, 'no'],
    ['arn:aws:s3:::*', KEY, 'no'],
    // Missing fields are wildcards.
    ['arn:aws:kms', KEY, 'yes'],
    ['arn:aws:kms:us-east-1', KEY, 'yes'],
    ['arn:aws:kms:us-east-2', KEY, 'no'],
    [`arn:aws:kms:us-east-1:${ACCOUNT}:alias/a:*`, ALIAS, 'yes'],
    [`arn:aws:kms:us-east-1:${ACCOUNT}:alias/*c`, ALIAS, 'yes'],
    [`arn:aws:kms:us-east-1:${ACCOUNT}:key/\${aws:username}`, KEY, 'no'],
    [`arn:aws:kms:us-east-1:${ACCOUNT}:alias/\${aws:username}`, `arn:aws:kms:us-east-1:${ACCOUNT}:alias/alice`, 'yes'],
    [
      `arn:aws:kms:us-east-1:${ACCOUNT}:alias/\${aws:username}*`,
      `arn:aws:kms:us-east-1:${ACCOUNT}:alias/alices`,
      'yes',
    ],
    [`arn:aws:kms:us-east-1:${ACCOUNT}:key/\${aws:PrincipalTag/key}`, KEY, 'unsure'],
    // A wildcard that would stand for a colon between fields.
    ['arn:aws:kms:*:key/*', KEY, 'unsure'],
    ['arn:aws:kms:*/1234abcd*', KEY, 'unsure'],
    [`arn:aws:kms:u*-1:${ACCOUNT}:alias/evil`, `arn:aws:kms:us-west-2:9:alias/x-1:${ACCOUNT}:alias/evil`, 'unsure'],
  ])('%s of %s: %s', (pattern, resource, truth) => {
    const [deny, isNot] = [{ Effect: 'Deny' }, { Resource: undefined, NotResource: pattern }]
    expect(decide([statement({ Resource: pattern })], { resource })).toBe(truth === 'yes' ? 'allow' : 'implicit-deny')
    expect(decide([statement(), statement({ ...deny, Resource: pattern })], { resource })).toBe(
      truth === 'no' ? 'allow' : 'explicit-deny',
    )
    expect(decide([statement(isNot)], { resource })).toBe(truth === 'no' ? 'allow' : 'implicit-deny')
    if (pattern === '*') return
    expect(decide([statement(), statement({ ...deny, ...isNot })], { resource })).toBe(
      truth === 'yes' ? 'allow' : 'explicit-deny',
    )
  })
})

describe('principals of an Allow', () => {
  it.each<[unknown, Principal, string]>([
    ['*', ALICE, 'allow'],
    ['*', ANONYMOUS, 'allow'],
    [{ AWS: '*' }, ALICE, 'allow'],
    [{ AWS: ALICE_ARN }, ALICE, 'allow'],
    [{ AWS: ALICE_ARN }, BOB, 'implicit-deny'],
    [{ AWS: ALICE_ARN }, root(), 'implicit-deny'],
    [{ AWS: [BOB.arn, ALICE_ARN] }, ALICE, 'allow'],
    [{ AWS: ALICE_ARN.replace('alice', 'Alice') }, ALICE, 'implicit-deny'],
    [{ AWS: ACCOUNT }, root(), 'allow'],
    [{ AWS: ACCOUNT }, ALICE, 'delegated'],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:root` }, root(), 'allow'],
    [{ AWS: `arn:aws:iam::${ACCOUNT}:root` }, ALICE, 'delegated'],
    [{ AWS: `arn:aws-cn:iam::${ACCOUNT}:root` }, root(), 'implicit-deny'],
    [{ AWS: OTHER_ACCOUNT }, ALICE, 'implicit-deny'],
    [{ AWS: OTHER_ACCOUNT }, user('carol', { account: OTHER_ACCOUNT }), 'delegated'],
    [{ AWS: ACCOUNT }, ANONYMOUS, 'implicit-deny'],
    [{ AWS: 'AIDACKCEVSQ6C2EXAMPLE' }, user('eve', { id: 'AIDACKCEVSQ6C2EXAMPLE' }), 'allow'],
    [{ AWS: 'AIDACKCEVSQ6C2EXAMPLE' }, ALICE, 'implicit-deny'],
    [{ Service: 'logs.amazonaws.com' }, ALICE, 'implicit-deny'],
    [{ Federated: 'accounts.google.com' }, ALICE, 'implicit-deny'],
    [{ Service: 'logs.amazonaws.com', AWS: ALICE_ARN }, ALICE, 'allow'],
  ])('%j and %j: %s', (Principal, principal, decision) => {
    expect(decide([statement({ Principal })], { principal })).toBe(decision)
  })

  it('are who they were when the policy was put', () => {
    const statements = [statement({ Principal: { AWS: ALICE_ARN } })]
    const again = user('alice', { id: 'AIDAANOTHER' })
    expect(decide(statements, { principal: again })).toBe('implicit-deny')
    expect(decide(statements, { principal: again }, () => undefined)).toBe('implicit-deny')
    const renamed = { ...user('alicia', { id: ALICE.id }) }
    expect(decide(statements, { principal: renamed })).toBe('allow')
  })
})

describe('principals of a Deny', () => {
  const deny = (elements: StatementJson): readonly StatementJson[] => [
    statement(),
    statement({ Effect: 'Deny', ...elements }),
  ]

  it.each<[unknown, Principal, string]>([
    ['*', ALICE, 'explicit-deny'],
    [{ AWS: ALICE_ARN }, ALICE, 'explicit-deny'],
    [{ AWS: ALICE_ARN }, BOB, 'allow'],
    [{ AWS: ACCOUNT }, ALICE, 'explicit-deny'],
    [{ AWS: ACCOUNT }, root(), 'explicit-deny'],
    [{ AWS: OTHER_ACCOUNT }, ALICE, 'allow'],
    [{ Service: 'logs.amazonaws.com' }, ALICE, 'allow'],
  ])('%j and %j: %s', (Principal, principal, decision) => {
    expect(decide(deny({ Principal }), { principal })).toBe(decision)
  })

  it('that nobody was when the policy was put are whoever has the name', () => {
    const statements = deny({ Principal: { AWS: ALICE_ARN } })
    expect(decide(statements, { principal: ALICE }, () => undefined)).toBe('explicit-deny')
    expect(decide(statements, { principal: BOB }, () => undefined)).toBe('allow')
    expect(decide(statements, { principal: user('alice', { id: 'AIDAANOTHER' }) })).toBe('allow')
  })

  it.each<[readonly string[], Principal, string]>([
    [[ALICE_ARN, ACCOUNT], ALICE, 'allow'],
    [[ALICE_ARN, ACCOUNT], root(), 'allow'],
    [[ALICE_ARN, ACCOUNT], BOB, 'explicit-deny'],
    [[ALICE_ARN], ALICE, 'explicit-deny'],
    [[ACCOUNT], ALICE, 'explicit-deny'],
    [[ACCOUNT], root(OTHER_ACCOUNT), 'explicit-deny'],
    [[ALICE_ARN, ACCOUNT], user('alice', { id: 'AIDAANOTHER' }), 'explicit-deny'],
    [[ALICE_ARN, ACCOUNT], ANONYMOUS, 'explicit-deny'],
  ])('but %j, and %j: %s', (names, principal, decision) => {
    expect(decide(deny({ Principal: undefined, NotPrincipal: { AWS: names } }), { principal })).toBe(decision)
  })

  it('but nobody, as yet', () => {
    const statements = deny({ Principal: undefined, NotPrincipal: { AWS: [ALICE_ARN, ACCOUNT] } })
    expect(decide(statements, { principal: ALICE }, () => undefined)).toBe('explicit-deny')
  })
})

describe('a request on a key', () => {
  const ALLOW = identityPolicy()
  const DENY = identityPolicy({ Effect: 'Deny' })
  const CAROL = user('carol', { account: OTHER_ACCOUNT })
  const direct = keyPolicy(statement({ Principal: { AWS: [ALICE_ARN, CAROL.arn] } }))
  const delegated = keyPolicy(statement({ Principal: { AWS: [ACCOUNT, OTHER_ACCOUNT] } }))
  const silent = keyPolicy(statement({ Principal: { AWS: BOB.arn } }))
  const denied = keyPolicy(statement(), statement({ Effect: 'Deny', Principal: { AWS: [ACCOUNT, OTHER_ACCOUNT] } }))

  it.each<[string, PolicyDocument, Principal, readonly PolicyDocument[], string, string]>([
    ['the key names him', direct, ALICE, [], 'allow', 'key-policy'],
    ['the key names him', direct, ALICE, [ALLOW], 'allow', 'key-policy'],
    ['the key names him, his own denies', direct, ALICE, [ALLOW, DENY], 'explicit-deny', 'identity-policy'],
    ['the key names his account', delegated, ALICE, [], 'implicit-deny', 'identity-policy'],
    ['the key names his account, his own allows', delegated, ALICE, [ALLOW], 'allow', 'identity-policy'],
    ['the key names his account, his own denies', delegated, ALICE, [DENY, ALLOW], 'explicit-deny', 'identity-policy'],
    ['the key names the root', delegated, root(), [], 'allow', 'key-policy'],
    ['the key is silent, his own allows', silent, ALICE, [ALLOW], 'implicit-deny', 'key-policy'],
    ['the key is silent', silent, root(), [], 'implicit-deny', 'key-policy'],
    ['the key denies', denied, ALICE, [ALLOW], 'explicit-deny', 'key-policy'],
    ['the key denies', denied, root(), [], 'explicit-deny', 'key-policy'],
    ['other account, named', direct, CAROL, [], 'implicit-deny', 'identity-policy'],
    ['other account, named, his own allows', direct, CAROL, [ALLOW], 'allow', 'key-policy'],
    ['other account, delegated', delegated, CAROL, [], 'implicit-deny', 'identity-policy'],
    ['other account, delegated, his own allows', delegated, CAROL, [ALLOW], 'allow', 'identity-policy'],
    ['other account, his own allows', silent, CAROL, [ALLOW], 'implicit-deny', 'key-policy'],
    ['other root, delegated', delegated, root(OTHER_ACCOUNT), [], 'allow', 'key-policy'],
    ['other root, not named', silent, root(OTHER_ACCOUNT), [], 'implicit-deny', 'key-policy'],
    ['anonymous, everyone', keyPolicy(statement()), ANONYMOUS, [], 'implicit-deny', 'identity-policy'],
    ['default, root', DEFAULT, root(), [], 'allow', 'key-policy'],
    ['default', DEFAULT, ALICE, [], 'implicit-deny', 'identity-policy'],
    ['default, his own allows', DEFAULT, ALICE, [ALLOW], 'allow', 'identity-policy'],
    ['default, other root', DEFAULT, root(OTHER_ACCOUNT), [], 'implicit-deny', 'key-policy'],
  ])('%s', (_name, document, principal, identityPolicies, decision, by) => {
    expect(decideOn(document, { principal }, { identityPolicies })).toEqual({ decision, by, grants: [] })
  })

  it('is delegated in what the key allows only', () => {
    const document = keyPolicy(statement({ Principal: { AWS: ACCOUNT }, Action: 'kms:Encrypt' }))
    const authority = { identityPolicies: [ALLOW] }
    expect(decideOn(document, { action: 'kms:Encrypt' }, authority).decision).toBe('allow')
    expect(decideOn(document, { action: 'kms:Decrypt' }, authority).decision).toBe('implicit-deny')
  })

  it('is denied whatever the order of statements', () => {
    const statements = [statement(), statement({ Effect: 'Deny', Action: 'kms:Decrypt' })]
    for (const order of [statements, [...statements].reverse()]) {
      expect(decideOn(keyPolicy(...order)).decision).toBe('explicit-deny')
      expect(decideOn(keyPolicy(...order), { action: 'kms:Encrypt' }).decision).toBe('allow')
    }
  })
})

describe('a request on no key', () => {
  const options: RequestOptions = { action: 'kms:CreateKey', resource: '*' }
  const authority = (...identityPolicies: PolicyDocument[]): Authority => ({ identityPolicies })

  it.each<[string, Principal, readonly PolicyDocument[], string, string]>([
    ['of the root', root(), [], 'allow', 'account-root'],
    ['of a user', ALICE, [], 'implicit-deny', 'identity-policy'],
    ['of a user who is allowed', ALICE, [identityPolicy()], 'allow', 'identity-policy'],
    [
      'of a user with a Deny',
      ALICE,
      [identityPolicy(), identityPolicy({ Effect: 'Deny' })],
      'explicit-deny',
      'identity-policy',
    ],
    [
      'of another account',
      user('carol', { account: OTHER_ACCOUNT }),
      [identityPolicy()],
      'implicit-deny',
      'identity-policy',
    ],
    ['of another root', root(OTHER_ACCOUNT), [], 'implicit-deny', 'identity-policy'],
    ['of nobody', { ...ANONYMOUS, account: ACCOUNT }, [identityPolicy()], 'implicit-deny', 'identity-policy'],
  ])('%s', (_name, principal, policies, decision, by) => {
    expect(authorise(request({ ...options, principal }), authority(...policies))).toEqual({ decision, by, grants: [] })
  })

  it.each([
    ['kms:CreateKey', '*', 'implicit-deny'],
    ['kms:ListKeys', '*', 'implicit-deny'],
    ['kms:ListAliases', '*', 'implicit-deny'],
    ['kms:GenerateRandom', '*', 'implicit-deny'],
    ['kms:ListRetirableGrants', '*', 'implicit-deny'],
    ['kms:CreateAlias', `arn:aws:kms:us-east-1:${ACCOUNT}:alias/key/a`, 'implicit-deny'],
    ['kms:DescribeCustomKeyStores', '*', 'allow'],
    ['kms:CreateCustomKeyStore', '*', 'allow'],
    ['kms:CreateAlias', KEY, 'allow'],
    ['kms:Decrypt', KEY, 'allow'],
  ])('has kms:CallerAccount on a key or custom key store: %s on %s: %s', (action, resource, decision) => {
    const Condition = { StringEquals: { 'kms:CallerAccount': ACCOUNT } }
    const text = policyText(statement({ Principal: undefined, Condition }))
    const asked = request({ action, resource })
    expect(authorise(asked, { identityPolicies: [parsePolicy(text, 'identity')] }).decision).toBe(decision)
  })

  it('is on * or on an alias', () => {
    const alias = `arn:aws:kms:us-east-1:${ACCOUNT}:alias/a`
    const policy = identityPolicy({ Action: 'kms:CreateAlias', Resource: `arn:aws:kms:*:${ACCOUNT}:alias/*` })
    expect(authorise(request({ action: 'kms:CreateAlias', resource: alias }), authority(policy)).decision).toBe('allow')
    expect(authorise(request({ action: 'kms:CreateAlias', resource: KEY }), authority(policy)).decision).toBe(
      'implicit-deny',
    )
  })
})

describe('the lock-out check', () => {
  const put = request({ action: 'kms:CreateKey' })
  const check = (document: PolicyDocument, principal: Principal, ...identityPolicies: PolicyDocument[]): boolean =>
    wouldLockOut({ ...put, principal }, { keyPolicy: { document, ids: IDS }, identityPolicies })

  it('asks whether the caller could put the policy again', () => {
    expect(check(DEFAULT, root())).toBe(false)
    expect(check(DEFAULT, ALICE)).toBe(true)
    expect(check(DEFAULT, ALICE, identityPolicy())).toBe(false)
    expect(check(DEFAULT, ALICE, identityPolicy({ Action: 'kms:CreateKey' }))).toBe(true)
    expect(check(keyPolicy(statement({ Principal: { AWS: ALICE_ARN } })), ALICE)).toBe(false)
    expect(check(keyPolicy(statement({ Principal: { AWS: ALICE_ARN } })), root())).toBe(true)
    expect(check(keyPolicy(statement({ Action: 'kms:Decrypt' })), root())).toBe(true)
    const denied = [statement(), statement({ Effect: 'Deny', Action: 'kms:Put*' })]
    expect(check(keyPolicy(...denied), root())).toBe(true)
    expect(LOCK_OUT_MESSAGE).toBe('The new key policy will not allow you to update the key policy in the future.')
  })
})

describe('what a denial says', () => {
  const start = `User: ${ALICE_ARN} is not authorized to perform: kms:Decrypt on resource: ${KEY}`

  it.each<[PolicyDocument, readonly PolicyDocument[], string]>([
    [DEFAULT, [], `${start} because no identity-based policy allows the kms:Decrypt action`],
    [
      keyPolicy(statement({ Action: 'kms:Encrypt' })),
      [],
      `${start} because no resource-based policy allows the kms:Decrypt action`,
    ],
    [DEFAULT, [identityPolicy({ Effect: 'Deny' })], `${start} with an explicit deny in an identity-based policy`],
    [keyPolicy(statement({ Effect: 'Deny' })), [], `${start} with an explicit deny in a resource-based policy`],
  ])('%#', (document, identityPolicies, message) => {
    const outcome = decideOn(document, {}, { identityPolicies })
    expect(denialMessage(request(), outcome)).toBe(message)
  })
})
