import { describe, expect, it } from 'vitest'
import {
  authorise,
  defaultKeyPolicy,
  grantMatches,
  isGrantPrincipal,
  isNarrowerGrant,
  kmsPermissions,
  mayRetireGrant,
  parsePolicy,
  type Authority,
  type Grant,
  type GrantConstraints,
  type PolicyDocument,
  type Principal,
} from '../../kms/policy/index.ts'
import { ACCOUNT, ALICE, BOB, IDS, OTHER_ACCOUNT, policyText, request, root, statement, user } from './policy-setup.ts'

const CAROL = user('carol', { account: OTHER_ACCOUNT })

function grant(options: Partial<Grant> = {}): Grant {
  return { grantId: 'g1', grantee: { arn: ALICE.arn, id: ALICE.id }, operations: ['Decrypt'], ...options }
}

const to = (principal: Principal): Grant['grantee'] => ({ arn: principal.arn, id: principal.id })

describe('constraints', () => {
  const IT = { Department: 'IT' }
  const PURPOSE = { Department: 'IT', Purpose: 'Test' }

  it.each<[GrantConstraints | undefined, Record<string, string> | undefined, boolean]>([
    [undefined, undefined, true],
    [undefined, IT, true],
    [{}, IT, true],
    [{ EncryptionContextEquals: IT }, IT, true],
    [{ EncryptionContextEquals: IT }, PURPOSE, false],
    [{ EncryptionContextEquals: IT }, undefined, false],
    [{ EncryptionContextEquals: PURPOSE }, { Purpose: 'Test', Department: 'IT' }, true],
    [{ EncryptionContextEquals: PURPOSE }, IT, false],
    [{ EncryptionContextEquals: IT }, { Department: 'it' }, false],
    [{ EncryptionContextEquals: IT }, { department: 'IT' }, false],
    [{ EncryptionContextEquals: {} }, IT, false],
    [{ EncryptionContextEquals: {} }, undefined, true],
    [{ EncryptionContextEquals: { toString: 'x' } }, { a: 'x' }, false],
    [{ EncryptionContextSubset: IT }, IT, true],
    [{ EncryptionContextSubset: IT }, PURPOSE, true],
    [{ EncryptionContextSubset: IT }, undefined, false],
    [{ EncryptionContextSubset: PURPOSE }, IT, false],
    [{ EncryptionContextSubset: IT }, { department: 'IT' }, false],
    [{ EncryptionContextSubset: IT }, { Department: 'it' }, false],
    [{ EncryptionContextSubset: {} }, undefined, true],
    [{ EncryptionContextEquals: IT, EncryptionContextSubset: IT }, IT, true],
    [{ EncryptionContextEquals: IT, EncryptionContextSubset: PURPOSE }, IT, false],
  ])('%j of %j: %s', (constraints, encryptionContext, matches) => {
    const asked = request(encryptionContext ? { encryptionContext } : {})
    expect(grantMatches(grant({ constraints }), asked)).toBe(matches ? 'caller' : 'nobody')
  })

  it('that name __proto__ do', () => {
    const constraints = JSON.parse('{"EncryptionContextSubset":{"__proto__":"x"}}') as GrantConstraints
    const encryptionContext = JSON.parse('{"__proto__":"x"}') as Record<string, string>
    expect(grantMatches(grant({ constraints }), request({ encryptionContext }))).toBe('caller')
    expect(grantMatches(grant({ constraints }), request({ encryptionContext: {} }))).toBe('nobody')
  })

  it.each(['DescribeKey', 'RetireGrant', 'CreateGrant'])('do not limit %s', (operation) => {
    const limited = grant({ operations: [operation], constraints: { EncryptionContextEquals: IT } })
    expect(grantMatches(limited, request({ action: `kms:${operation}` }))).toBe('caller')
  })

  it.each(['Sign', 'GenerateMac', 'GetPublicKey'])(
    'leave nothing of %s, which has no encryption context',
    (operation) => {
      const limited = grant({ operations: [operation], constraints: { EncryptionContextSubset: IT } })
      expect(grantMatches(limited, request({ action: `kms:${operation}`, encryptionContext: IT }))).toBe('nobody')
    },
  )
})

describe('a grant', () => {
  it('is for its operations', () => {
    const several = grant({ operations: ['Encrypt', 'ReEncryptFrom'] })
    const allowed = kmsPermissions().filter((action) => grantMatches(several, request({ action })) === 'caller')
    expect(allowed).toEqual(['kms:Encrypt', 'kms:ReEncryptFrom'])
    expect(grantMatches(several, request({ action: 'Encrypt' }))).toBe('nobody')
  })

  it.each<[string, Grant['grantee'], Principal, string]>([
    ['its grantee', to(ALICE), ALICE, 'caller'],
    ['another', to(ALICE), BOB, 'nobody'],
    ['the root of its grantee', to(ALICE), root(), 'nobody'],
    ['who was created again', to(ALICE), user('alice', { id: 'AIDAANOTHER' }), 'nobody'],
    ['who was created after it', { arn: ALICE.arn, id: undefined }, ALICE, 'nobody'],
    ['the root of an account', { arn: `arn:aws:iam::${ACCOUNT}:root`, id: undefined }, root(), 'caller'],
    ['a user of an account', { arn: `arn:aws:iam::${ACCOUNT}:root`, id: undefined }, ALICE, 'account'],
    ['a user of another account', { arn: `arn:aws:iam::${ACCOUNT}:root`, id: undefined }, CAROL, 'nobody'],
    ['nobody, of a service', { arn: 'dynamodb.amazonaws.com', id: undefined }, ALICE, 'nobody'],
    ['nobody, of everyone', { arn: '*', id: undefined }, ALICE, 'nobody'],
  ])('is for %s', (_name, grantee, principal, reach) => {
    expect(grantMatches(grant({ grantee }), request({ principal }))).toBe(reach)
  })

  it.each<[string, boolean]>([
    [ALICE.arn, true],
    [`arn:aws:iam::${ACCOUNT}:root`, true],
    [ACCOUNT, true],
    ['arn:aws:sts::111122223333:assumed-role/Admin/session', true],
    ['dynamodb.us-west-2.amazonaws.com', true],
    ['*', false],
    ['arn:aws:iam::111122223333:user/*', false],
    ['arn:aws:iam::111122223333:group/a', false],
    ['alice', false],
    ['', false],
  ])('may name %s: %s', (name, isPrincipal) => {
    expect(isGrantPrincipal(name)).toBe(isPrincipal)
  })
})

describe('grants with policies', () => {
  const DEFAULT = parsePolicy(defaultKeyPolicy('aws', ACCOUNT), 'key')
  const SILENT = parsePolicy(policyText(statement({ Principal: { AWS: BOB.arn } })), 'key')
  const DENIED = parsePolicy(policyText(statement({ Effect: 'Deny', Action: 'kms:Decrypt' })), 'key')
  const own = (Effect: string): PolicyDocument =>
    parsePolicy(policyText({ Effect, Action: 'kms:*', Resource: '*' }), 'identity')
  const on = (
    document: PolicyDocument,
    grants: readonly Grant[],
    identityPolicies: readonly PolicyDocument[] = [],
  ): Authority => ({
    keyPolicy: { document, ids: IDS },
    identityPolicies,
    grants,
  })

  it('allow what policies are silent about, and say which grant did', () => {
    const grants = [grant({ grantId: 'g0', operations: ['Encrypt'] }), grant(), grant({ grantId: 'g2' })]
    const outcome = authorise(request(), on(SILENT, grants))
    expect(outcome).toEqual({ decision: 'allow', by: 'grant', grants: grants.slice(1) })
    expect(authorise(request(), on(DEFAULT, [])).decision).toBe('implicit-deny')
    expect(authorise(request({ principal: root() }), on(SILENT, grants)).decision).toBe('implicit-deny')
  })

  it('lose to every Deny', () => {
    expect(authorise(request(), on(DENIED, [grant()])).by).toBe('key-policy')
    expect(authorise(request(), on(SILENT, [grant()], [own('Deny')])).by).toBe('identity-policy')
  })

  it('to another account, or to an account, need a policy of the caller as well', () => {
    const asked = request({ principal: CAROL })
    const crossed = grant({ grantee: to(CAROL) })
    expect(authorise(asked, on(DEFAULT, [crossed])).decision).toBe('implicit-deny')
    expect(authorise(asked, on(DEFAULT, [crossed], [own('Allow')])).decision).toBe('allow')
    const account = grant({ grantee: { arn: `arn:aws:iam::${OTHER_ACCOUNT}:root`, id: undefined } })
    expect(authorise(asked, on(DEFAULT, [account])).decision).toBe('implicit-deny')
    expect(authorise(asked, on(DEFAULT, [account], [own('Allow')])).decision).toBe('allow')
    expect(authorise(request({ principal: root(OTHER_ACCOUNT) }), on(DEFAULT, [account])).decision).toBe('allow')
  })

  describe('to retire', () => {
    const RETIRE = { action: 'kms:RetireGrant' }
    const EVERYONE = parsePolicy(policyText(statement()), 'key')
    const NO_RETIRE = parsePolicy(policyText(statement({ Effect: 'Deny', Action: 'kms:RetireGrant' })), 'key')
    const retiring = grant({ retiring: to(BOB) })
    const may = (principal: Principal, target: Grant, authority: Authority): boolean =>
      mayRetireGrant(request({ ...RETIRE, principal }), target, authority)

    it('is for the retiring principal, and for a grantee who has the operation', () => {
      expect(may(BOB, retiring, on(SILENT, []))).toBe(true)
      expect(may(ALICE, retiring, on(SILENT, []))).toBe(false)
      expect(may(ALICE, grant({ operations: ['RetireGrant'] }), on(SILENT, []))).toBe(true)
      expect(may(user('bob', { id: 'AIDAANOTHER' }), retiring, on(SILENT, []))).toBe(false)
      expect(may(CAROL, grant({ retiring: to(CAROL) }), on(SILENT, []))).toBe(true)
      expect(
        may(CAROL, grant({ retiring: { arn: `arn:aws:iam::${OTHER_ACCOUNT}:root`, id: undefined } }), on(SILENT, [])),
      ).toBe(false)
      const account = grant({ retiring: { arn: `arn:aws:iam::${OTHER_ACCOUNT}:root`, id: undefined } })
      expect(may(CAROL, account, on(SILENT, [], [own('Allow')]))).toBe(true)
    })

    it('is for the account of the key, which passes it on', () => {
      expect(may(root(), retiring, on(SILENT, []))).toBe(true)
      expect(may(root(OTHER_ACCOUNT), retiring, on(SILENT, []))).toBe(false)
      expect(may(ALICE, retiring, on(SILENT, [], [own('Allow')]))).toBe(true)
      expect(may(CAROL, retiring, on(SILENT, [], [own('Allow')]))).toBe(false)
    })

    it("is not for whom a key's policy allows it, and not for whom one denies it", () => {
      expect(may(ALICE, retiring, on(EVERYONE, []))).toBe(false)
      expect(authorise(request(RETIRE), on(EVERYONE, [])).decision).toBe('implicit-deny')
      expect(may(BOB, retiring, on(NO_RETIRE, []))).toBe(false)
      expect(may(root(), retiring, on(NO_RETIRE, []))).toBe(false)
      expect(may(BOB, retiring, on(SILENT, [], [own('Deny')]))).toBe(false)
    })
  })
})

describe('a grant that is made by the right of another', () => {
  const operations = ['Decrypt', 'Encrypt', 'CreateGrant']
  const A = { a: '1' }
  const AB = { a: '1', b: '2' }

  it.each<[readonly string[], boolean]>([
    [['Decrypt'], true],
    [['CreateGrant', 'Encrypt', 'Decrypt'], true],
    [['Decrypt', 'DescribeKey'], false],
    [['RetireGrant'], false],
  ])('with %j is no wider: %s', (some, isNarrower) => {
    expect(isNarrowerGrant({ operations: some }, { operations })).toBe(isNarrower)
  })

  it.each<[GrantConstraints | undefined, GrantConstraints | undefined, boolean]>([
    [undefined, undefined, true],
    [undefined, { EncryptionContextSubset: A }, true],
    [undefined, { EncryptionContextEquals: A }, true],
    [{ EncryptionContextSubset: A }, undefined, false],
    [{ EncryptionContextSubset: A }, { EncryptionContextSubset: A }, true],
    [{ EncryptionContextSubset: A }, { EncryptionContextSubset: AB }, true],
    [{ EncryptionContextSubset: AB }, { EncryptionContextSubset: A }, false],
    [{ EncryptionContextSubset: A }, { EncryptionContextSubset: { a: '2' } }, false],
    [{ EncryptionContextSubset: A }, { EncryptionContextEquals: A }, true],
    [{ EncryptionContextSubset: A }, { EncryptionContextEquals: AB }, true],
    [{ EncryptionContextSubset: AB }, { EncryptionContextEquals: A }, false],
    [{ EncryptionContextEquals: A }, { EncryptionContextEquals: A }, true],
    [{ EncryptionContextEquals: A }, { EncryptionContextEquals: AB }, false],
    [{ EncryptionContextEquals: A }, { EncryptionContextSubset: A }, false],
    [{ EncryptionContextEquals: A }, undefined, false],
    [{ EncryptionContextEquals: {} }, undefined, false],
  ])('of %j with %j is no wider: %s', (parent, child, isNarrower) => {
    const found = isNarrowerGrant({ operations, constraints: child }, { operations, constraints: parent })
    expect(found).toBe(isNarrower)
  })
})
