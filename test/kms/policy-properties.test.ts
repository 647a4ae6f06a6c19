import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { globOf } from '../../kms/policy/glob.ts'
import {
  authorise,
  evaluate,
  parsePolicy,
  type AccessRequest,
  type Grant,
  type KeyPolicyDecision,
  type Principal,
  type PrincipalIds,
} from '../../kms/policy/index.ts'
import { Meter } from '../../kms/policy/meter.ts'
import { modelDecision, type ModelStatement } from './policy-model.ts'
import { ACCOUNT, ALICE, BOB, IDS, KEY, OTHER_ACCOUNT, policyText, root, user } from './policy-setup.ts'

const CAROL = user('carol', { account: OTHER_ACCOUNT })
const GHOST = 'arn:aws:iam::111122223333:user/ghost'

/** Nobody was the ghost when the policy was put. */
const ids: PrincipalIds = (arn) => (arn === GHOST ? undefined : IDS(arn))

/** Values of all kinds, so that operators meet what they cannot read. */
const VALUES = ['a', 'A', 'ab', '', '*', '10', '9.5', 'true', 'false', '2026', '2026-01-01T00:00:01Z', '10.1.2.3',
  '10.1.3.3', 'arn:aws:iam::111122223333:user/alice', 'arn:aws:iam::444455556666:role/a:b', 'alice'] as const // prettier-ignore

/** What the values of a policy are drawn from, for each family of operators. */
const FAMILIES: readonly (readonly [operators: readonly string[], values: readonly unknown[]])[] = [
  [
    ['StringEquals', 'StringNotEquals', 'StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
    ['a', 'A', 'AB', '', '*', 'a*', 10, true, '${aws:username}', '${aws:PrincipalTag/team}'],
  ],
  [
    ['StringLike', 'StringNotLike'],
    ['a', 'a*', '*b', '?', '*', '', 'arn:*:user/*', '${aws:PrincipalTag/team}', '*${aws:username}', '${aws:username}*'],
  ],
  [
    ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].map((n) => `Numeric${n}`),
    [10, '10.0', '9', '2026', 9.5],
  ],
  [
    ['Equals', 'NotEquals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'].map((n) => `Date${n}`),
    ['2026-01-01T00:00:01Z', '2026-01-01', '1767225601', '2025-12'],
  ],
  [['Bool'], ['true', false]],
  [
    ['IpAddress', 'NotIpAddress'],
    ['10.1.2.0/24', '10.1.3.3', '10.0.0.0/8', '11.0.0.0/8', '0.0.0.0/0', '10.1.2.3/31'],
  ],
  [
    ['ArnEquals', 'ArnNotEquals', 'ArnLike', 'ArnNotLike'],
    [
      'arn:aws:iam::*:user/*',
      'arn:aws:iam::111122223333:user/${aws:username}',
      'arn:*:iam::4*:role/?:b',
      'arn:aws:iam::*:*',
      'arn:aws:iam::${aws:PrincipalTag/team}:*',
    ],
  ],
]

const KEYS = [
  'aws:UserAgent',
  'AWS:useragent',
  'aws:TagKeys',
  'kms:EncryptionContextKeys',
  'kms:EncryptionContext:App',
  'kms:EncryptionContext:other',
  'aws:PrincipalTag/team',
  'aws:ResourceTag/App',
  'kms:GranteePrincipal',
]

const operatorArbitrary = fc.constantFrom(...FAMILIES).chain(([operators, values]) =>
  fc.record({
    set: fc.constantFrom('', '', 'ForAllValues:', 'ForAnyValue:'),
    name: fc.constantFrom(...operators),
    suffix: fc.constantFrom('', '', 'IfExists'),
    values: fc.oneof(fc.constantFrom(...values), fc.array(fc.constantFrom(...values), { minLength: 1, maxLength: 3 })),
  }),
)

/** One operator with one key, or Null. */
const conditionArbitrary: fc.Arbitrary<Record<string, Record<string, unknown>>> = fc.oneof(
  { arbitrary: fc.tuple(operatorArbitrary, fc.constantFrom(...KEYS)).map(([{ set, name, suffix, values }, key]) => {
      // What would be refused as overly permissive asks for another key.
      const isRefused = set === 'ForAllValues:' && key.startsWith('kms:EncryptionContext:')
      return { [set + name + suffix]: { [isRefused ? 'aws:TagKeys' : key]: values } }
    }), weight: 6 }, // prettier-ignore
  {
    arbitrary: fc
      .tuple(fc.constantFrom('true', 'false'), fc.constantFrom(...KEYS))
      .map(([value, key]) => ({ Null: { [key]: value } })),
    weight: 1,
  },
)

const conditionsArbitrary = fc
  .array(conditionArbitrary, { maxLength: 3 })
  .map((some) => Object.assign({}, ...some) as Record<string, Record<string, unknown>>)

const NAMES = ['*', ACCOUNT, ACCOUNT, `arn:aws:iam::${OTHER_ACCOUNT}:root`, ALICE.arn, BOB.arn, CAROL.arn, GHOST]
const ACTIONS = ['*', 'kms:*', 'kms:Decrypt', 'KMS:enc*', 'kms:?ecrypt', 'kms:CreateGrant']
const RESOURCES = [
  '*',
  KEY,
  `arn:aws:kms:*:${ACCOUNT}:key/*`,
  'arn:aws:kms:*:key/*',
  'arn:aws:kms:us-west-2',
  'arn:aws:kms',
]

function some<T>(values: readonly T[], without: readonly T[] = []): fc.Arbitrary<readonly T[]> {
  return fc.array(fc.constantFrom(...values.filter((value) => !without.includes(value))), {
    minLength: 1,
    maxLength: 3,
  })
}

/** An element, or its opposite if that is not refused. */
function element(name: string, values: readonly string[], isDeny: boolean): fc.Arbitrary<Record<string, unknown>> {
  return fc.oneof(
    { arbitrary: some(values).map((members) => ({ [name]: members })), weight: 3 },
    { arbitrary: some(values, isDeny ? ['*'] : []).map((members) => ({ [`Not${name}`]: members })), weight: 1 },
  )
}

function principals(isDeny: boolean): fc.Arbitrary<Record<string, unknown>> {
  const positive = fc
    .oneof(
      fc.constant('*'),
      some(NAMES).map((AWS) => ({ AWS })),
    )
    .map((Principal) => ({ Principal }))
  const negative = some(NAMES, ['*']).map((AWS) => ({ NotPrincipal: { AWS } }))
  return isDeny ? fc.oneof({ arbitrary: positive, weight: 2 }, { arbitrary: negative, weight: 1 }) : positive
}

function statementArbitrary(kind: 'key' | 'identity'): fc.Arbitrary<ModelStatement> {
  return fc.constantFrom('Allow', 'Allow', 'Deny').chain((Effect) => {
    const isDeny = Effect === 'Deny'
    return fc
      .tuple(
        kind === 'key' ? principals(isDeny) : fc.constant({}),
        element('Action', ACTIONS, isDeny),
        element('Resource', RESOURCES, isDeny),
        conditionsArbitrary,
      )
      .map(([who, actions, resources, Condition]) => ({ Effect, ...who, ...actions, ...resources, Condition }))
  })
}

const contextArbitrary = fc
  .record(
    {
      'aws:UserAgent': fc.constantFrom(...VALUES).map((value) => [value]),
      'aws:TagKeys': fc.array(fc.constantFrom(...VALUES), { maxLength: 3 }),
      'aws:ResourceTag/App': fc.constantFrom(...VALUES).map((value) => [value]),
      'aws:ResourceTag/app': fc.constantFrom(...VALUES).map((value) => [value]),
      'kms:GranteePrincipal': fc.constantFrom(...VALUES).map((value) => [value]),
    },
    { requiredKeys: [] },
  )
  .map((values) => new Map<string, readonly string[]>(Object.entries(values)))

const principalArbitrary: fc.Arbitrary<Principal> = fc.oneof(
  { arbitrary: fc.constantFrom(root(), root(OTHER_ACCOUNT)), weight: 1 },
  {
    arbitrary: fc
      .record({
        who: fc.constantFrom(ALICE, ALICE, BOB, CAROL, user('ghost'), user('alice', { id: 'AIDAANOTHER' })),
        tags: fc.dictionary(fc.constantFrom('team', 'Team'), fc.constantFrom(...VALUES), { maxKeys: 2 }),
      })
      .map(({ who, tags }) => ({ ...who, tags })),
    weight: 4,
  },
)

const requestArbitrary: fc.Arbitrary<AccessRequest> = fc.record({
  principal: principalArbitrary,
  action: fc.constantFrom('kms:Decrypt', 'kms:Decrypt', 'kms:Encrypt', 'kms:CreateGrant'),
  resource: fc.constantFrom(KEY, KEY, KEY, '*'),
  resourceAccount: fc.constant(ACCOUNT),
  context: contextArbitrary,
  encryptionContext: fc.option(
    fc.dictionary(fc.constantFrom('App', 'APP', 'other'), fc.constantFrom(...VALUES), { maxKeys: 3 }),
    { nil: undefined },
  ),
})

const text = (statements: readonly ModelStatement[]): string =>
  policyText(...(statements as readonly object[] as never[]))

describe('a random policy', { timeout: 120_000 }, () => {
  it('of a key decides as the model does, and often enough in each way', () => {
    const counts = new Map<KeyPolicyDecision, number>()
    const statements = fc.array(statementArbitrary('key'), { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(statements, requestArbitrary, (policy, request) => {
        const decision = evaluate(parsePolicy(text(policy), 'key'), request, ids)
        counts.set(decision, (counts.get(decision) ?? 0) + 1)
        expect(decision).toBe(modelDecision(policy, request, ids))
      }),
      { seed: 27, numRuns: 2000 },
    )
    for (const decision of ['allow', 'delegated', 'explicit-deny', 'implicit-deny'] as const) {
      expect(counts.get(decision)).toBeGreaterThan(20)
    }
  })

  it('of one condition does, so that no other hides it', () => {
    const counts = { allow: 0, deny: 0 }
    fc.assert(
      fc.property(conditionArbitrary, requestArbitrary, (Condition, request) => {
        const allow = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }
        for (const policy of [[{ ...allow, Condition }], [allow, { ...allow, Effect: 'Deny', Condition }]]) {
          const decision = evaluate(parsePolicy(text(policy), 'key'), request, ids)
          expect(decision).toBe(modelDecision(policy, request, ids))
          if (decision === 'allow') counts.allow++
          if (decision === 'explicit-deny') counts.deny++
        }
      }),
      { seed: 28, numRuns: 3000 },
    )
    expect(Math.min(counts.allow, counts.deny)).toBeGreaterThan(1000)
  })

  it('of a key, with policies of the caller and grants, decides as KMS combines them', () => {
    const grants: readonly Grant[] = [ALICE, CAROL].map(({ arn, id }) => ({
      grantId: id,
      grantee: { arn, id },
      operations: ['Decrypt'],
    }))
    const byGrant = new Set<string>()
    fc.assert(
      fc.property(
        fc.array(statementArbitrary('key'), { minLength: 1, maxLength: 2 }),
        fc.array(fc.array(statementArbitrary('identity'), { minLength: 1, maxLength: 2 }), { maxLength: 2 }),
        fc.boolean(),
        requestArbitrary,
        (key, identity, hasGrants, request) => {
          const isRoot = request.principal.type === 'Account'
          const own = isRoot ? [] : identity
          const outcome = authorise(request, {
            keyPolicy: { document: parsePolicy(text(key), 'key'), ids },
            identityPolicies: own.map((policy) => parsePolicy(text(policy), 'identity')),
            grants: hasGrants ? grants : [],
          })
          if (outcome.by === 'grant') byGrant.add(request.principal.arn)
          const says = own.map((policy) => modelDecision(policy, request, ids))
          const isHome = request.principal.account === ACCOUNT
          const hasOwn = isRoot || says.includes('allow')
          const onKey = modelDecision(key, request, ids)
          const isGranted =
            hasGrants &&
            request.action === 'kms:Decrypt' &&
            grants.some(({ grantId }) => grantId === request.principal.id)
          const isDenied = onKey === 'explicit-deny' || says.includes('explicit-deny')
          const isAllowed =
            ((onKey === 'allow' || isGranted) && (isHome || hasOwn)) || (onKey === 'delegated' && hasOwn)
          expect(outcome.decision).toBe(isDenied ? 'explicit-deny' : isAllowed ? 'allow' : 'implicit-deny')
        },
      ),
      { seed: 29, numRuns: 1000 },
    )
    expect([...byGrant].sort()).toEqual([ALICE.arn, CAROL.arn])
  })

  it('says the same in every order of its statements, and allows no more with one Deny more', () => {
    const statements = fc.array(statementArbitrary('key'), { minLength: 1, maxLength: 3 })
    const deny = statementArbitrary('key').filter(({ Effect }) => Effect === 'Deny')
    fc.assert(
      fc.property(statements, deny, requestArbitrary, (policy, more, request) => {
        const says = (some: readonly ModelStatement[]): KeyPolicyDecision =>
          evaluate(parsePolicy(text(some), 'key'), request, ids)
        const decision = says(policy)
        expect(says([...policy].reverse())).toBe(decision)
        expect([decision, 'explicit-deny']).toContain(says([...policy, more]))
      }),
      { seed: 30, numRuns: 500 },
    )
  })
})

describe('a glob', { timeout: 120_000 }, () => {
  function expectLikeRegExp(pattern: string, subject: string): void {
    const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
    expect(globOf(pattern).matches(subject, new Meter())).toBe(expression.test(subject))
  }

  it('matches what a regular expression does', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 12 })
    const subject = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    fc.assert(fc.property(pattern, subject, expectLikeRegExp), { seed: 31, numRuns: 5000 })
  })

  it('does so with segments of more than one word', () => {
    const segment = fc.string({ unit: fc.constantFrom('a', 'a', 'a', 'b', '?'), minLength: 25, maxLength: 70 })
    const noise = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 40 })
    fc.assert(
      fc.property(segment, segment, noise, noise, noise, fc.nat(), (first, second, before, between, after, place) => {
        const plain = (part: string): string => part.replaceAll('?', 'b')
        const subject = before + plain(first) + between + plain(second) + after
        expectLikeRegExp(`*${first}*${second}*`, subject)
        const at = place % subject.length
        expectLikeRegExp(
          `*${first}*${second}*`,
          `${subject.slice(0, at)}${subject[at] === 'a' ? 'b' : 'a'}${subject.slice(at + 1)}`,
        )
      }),
      { seed: 32, numRuns: 1000 },
    )
  })
})
