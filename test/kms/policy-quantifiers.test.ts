import { describe, expect, it } from 'vitest'
import { decide, decideBoth, OUTCOMES, statement, user, type RequestOptions } from './policy-setup.ts'

/** No value, one that matches, one that does not, several. */
const VALUES = {
  none: [],
  match: ['a'],
  other: ['x'],
  matches: ['a', 'b'],
  mixed: ['a', 'x'],
  others: ['x', 'y'],
} as const

type Situation = keyof typeof VALUES
type Outcome = keyof typeof OUTCOMES

/** What each operator makes of each situation, as the IAM User Guide has it. */
const TABLE: readonly (readonly [operator: string, outcomes: Readonly<Record<Situation, Outcome>>])[] = [
  ['StringEquals', { none: 'no', match: 'yes', other: 'no', matches: 'unsure', mixed: 'unsure', others: 'unsure' }],
  [
    'StringEqualsIfExists',
    { none: 'yes', match: 'yes', other: 'no', matches: 'unsure', mixed: 'unsure', others: 'unsure' },
  ],
  ['StringNotEquals', { none: 'yes', match: 'no', other: 'yes', matches: 'unsure', mixed: 'unsure', others: 'unsure' }],
  [
    'StringNotEqualsIfExists',
    { none: 'yes', match: 'no', other: 'yes', matches: 'unsure', mixed: 'unsure', others: 'unsure' },
  ],
  ['ForAllValues:StringEquals', { none: 'yes', match: 'yes', other: 'no', matches: 'yes', mixed: 'no', others: 'no' }],
  [
    'ForAllValues:StringEqualsIfExists',
    { none: 'yes', match: 'yes', other: 'no', matches: 'yes', mixed: 'no', others: 'no' },
  ],
  [
    'ForAllValues:StringNotEquals',
    { none: 'yes', match: 'no', other: 'yes', matches: 'no', mixed: 'no', others: 'yes' },
  ],
  [
    'ForAllValues:StringNotEqualsIfExists',
    { none: 'yes', match: 'no', other: 'yes', matches: 'no', mixed: 'no', others: 'yes' },
  ],
  ['ForAnyValue:StringEquals', { none: 'no', match: 'yes', other: 'no', matches: 'yes', mixed: 'yes', others: 'no' }],
  [
    'ForAnyValue:StringEqualsIfExists',
    { none: 'unsure', match: 'yes', other: 'no', matches: 'yes', mixed: 'yes', others: 'no' },
  ],
  [
    'ForAnyValue:StringNotEquals',
    { none: 'no', match: 'no', other: 'yes', matches: 'no', mixed: 'yes', others: 'yes' },
  ],
  [
    'ForAnyValue:StringNotEqualsIfExists',
    { none: 'unsure', match: 'no', other: 'yes', matches: 'no', mixed: 'yes', others: 'yes' },
  ],
]

describe.each(TABLE)('%s', (operator, outcomes) => {
  it.each(Object.entries(outcomes) as [Situation, Outcome][])('of %s: %s', (situation, outcome) => {
    const condition = { [operator]: { 'aws:TagKeys': ['a', 'b'] } }
    expect(decideBoth(condition, { context: { 'aws:TagKeys': VALUES[situation] } })).toEqual(OUTCOMES[outcome])
  })
})

/** Every operator has the same rules for a key that is not there. */
describe.each([
  ['String', 'a', ['Equals', 'EqualsIgnoreCase', 'Like'], ['NotEquals', 'NotEqualsIgnoreCase', 'NotLike']],
  ['Numeric', '1', ['Equals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'], ['NotEquals']],
  ['Date', '2026', ['Equals', 'LessThan', 'LessThanEquals', 'GreaterThan', 'GreaterThanEquals'], ['NotEquals']],
  ['Bool', 'true', [''], []],
  ['Binary', 'AA==', ['Equals'], []],
  ['', '10.0.0.0/8', ['IpAddress'], ['NotIpAddress']],
  ['Arn', 'arn:aws:iam::*:user/*', ['Equals', 'Like'], ['NotEquals', 'NotLike']],
])('%s operators of an absent key', (prefix, value, positive, negative) => {
  const names = [...positive.map((name) => [name, 'no'] as const), ...negative.map((name) => [name, 'yes'] as const)]

  it.each(names)('%s', (name, outcome) => {
    const of = (set: string, suffix: string): readonly string[] =>
      decideBoth({ [`${set}${prefix}${name}${suffix}`]: { 'aws:UserAgent': value } })
    expect(of('', '')).toEqual(OUTCOMES[outcome])
    expect(of('', 'IfExists')).toEqual(OUTCOMES.yes)
    expect(of('ForAllValues:', '')).toEqual(OUTCOMES.yes)
    expect(of('ForAllValues:', 'IfExists')).toEqual(OUTCOMES.yes)
    expect(of('ForAnyValue:', '')).toEqual(OUTCOMES.no)
    expect(of('ForAnyValue:', 'IfExists')).toEqual(OUTCOMES.unsure)
  })
})

describe('Null', () => {
  const withContext: RequestOptions = { encryptionContext: { a: '' } }

  it.each<[unknown, RequestOptions | undefined, Outcome]>([
    [true, undefined, 'yes'],
    ['true', undefined, 'yes'],
    ['false', undefined, 'no'],
    [false, withContext, 'yes'],
    [true, withContext, 'no'],
    [['true', 'false'], undefined, 'yes'],
    [['true', 'false'], withContext, 'yes'],
  ])('%j with %j: %s', (value, request, outcome) => {
    expect(decideBoth({ Null: { 'kms:EncryptionContextKeys': value } }, request)).toEqual(OUTCOMES[outcome])
    expect(decideBoth({ Null: { 'kms:EncryptionContext:a': value } }, request)).toEqual(OUTCOMES[outcome])
  })

  it('takes a key without values for absent', () => {
    expect(decideBoth({ Null: { 'aws:TagKeys': true } }, { context: { 'aws:TagKeys': [] } })).toEqual(OUTCOMES.yes)
  })
})

describe('several conditions', () => {
  const context = { 'aws:UserAgent': 'curl', 'aws:RequestedRegion': 'eu-west-1' }

  it.each<[unknown, Outcome]>([
    [{ StringEquals: { 'aws:UserAgent': 'curl', 'aws:RequestedRegion': 'eu-west-1' } }, 'yes'],
    [{ StringEquals: { 'aws:UserAgent': 'curl', 'aws:RequestedRegion': 'us-east-1' } }, 'no'],
    [{ StringEquals: { 'aws:UserAgent': 'curl' }, StringLike: { 'aws:RequestedRegion': 'eu-*' } }, 'yes'],
    [{ StringEquals: { 'aws:UserAgent': 'curl' }, StringLike: { 'aws:RequestedRegion': 'us-*' } }, 'no'],
    [{ NumericEquals: { 'aws:UserAgent': 1 }, StringLike: { 'aws:RequestedRegion': 'eu-*' } }, 'unsure'],
    [{ NumericEquals: { 'aws:UserAgent': 1 }, StringLike: { 'aws:RequestedRegion': 'us-*' } }, 'no'],
    [{}, 'yes'],
  ])('%j: %s', (condition, outcome) => {
    expect(decideBoth(condition, { context })).toEqual(OUTCOMES[outcome])
  })
})

describe('names of condition keys', () => {
  it('are compared without regard to case', () => {
    const context = { 'AWS:USERAGENT': 'curl' }
    expect(decideBoth({ StringEquals: { 'aws:userAgent': 'curl' } }, { context })).toEqual(OUTCOMES.yes)
    const encryptionContext = { AppName: 'x' }
    expect(decideBoth({ StringEquals: { 'kms:EncryptionContext:appname': 'x' } }, { encryptionContext })).toEqual(
      OUTCOMES.yes,
    )
  })

  it.each<[string, RequestOptions]>([
    ['kms:EncryptionContext:App', { encryptionContext: { app: 'x', App: 'x' } }],
    ['aws:ResourceTag/App', { context: { 'aws:ResourceTag/app': 'x', 'aws:ResourceTag/App': 'x' } }],
    ['aws:RequestTag/App', { context: { 'aws:RequestTag/app': 'x', 'aws:RequestTag/APP': 'x' } }],
    ['aws:PrincipalTag/App', { principal: user('x', { tags: { app: 'x', aPP: 'x' } }) }],
  ])('%s that comes twice in a request: Allow does not match and Deny does', (key, request) => {
    for (const operator of ['StringEquals', 'StringNotEquals', 'StringEqualsIfExists', 'ForAnyValue:StringLike']) {
      expect(decideBoth({ [operator]: { [key]: 'x' } }, request)).toEqual(OUTCOMES.unsure)
    }
    expect(decideBoth({ Null: { [key]: false } }, request)).toEqual(OUTCOMES.unsure)
    expect(decideBoth({ Null: { [`${key}s`]: true } }, request)).toEqual(OUTCOMES.yes)
  })

  it('that are legal and odd are names', () => {
    const encryptionContext = JSON.parse('{"__proto__":"x","constructor":"y","":"z"}') as Record<string, string>
    expect(decideBoth({ StringEquals: { 'kms:EncryptionContext:__proto__': 'x' } }, { encryptionContext })).toEqual(
      OUTCOMES.yes,
    )
    expect(decideBoth({ Null: { 'kms:EncryptionContext:toString': true } }, { encryptionContext })).toEqual(
      OUTCOMES.yes,
    )
    const keys = { 'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['__proto__', 'constructor', ''] } }
    expect(decideBoth(keys, { encryptionContext })).toEqual(OUTCOMES.yes)
  })
})

describe('what the principal and the encryption context say', () => {
  it('is not taken from the context', () => {
    const context = {
      'aws:PrincipalArn': 'arn:aws:iam::111122223333:user/bob',
      'aws:PrincipalTag/admin': 'true',
      'kms:EncryptionContext:app': 'x',
      'aws:PrincipalOrgID': 'o-1',
    }
    for (const key of ['aws:PrincipalTag/admin', 'kms:EncryptionContext:app', 'aws:PrincipalOrgID']) {
      const Condition = { StringEquals: { [key]: Object.values(context) } }
      expect(decide([statement({ Condition })], { context })).toBe('implicit-deny')
    }
    const like = { ArnEquals: { 'aws:PrincipalArn': 'arn:aws:iam::111122223333:user/alice' } }
    expect(decideBoth(like, { context })).toEqual(OUTCOMES.yes)
  })

  it.each([
    ['aws:PrincipalAccount', '111122223333'],
    ['kms:CallerAccount', '111122223333'],
    ['aws:PrincipalType', 'User'],
    ['aws:userid', 'AIDAalice'],
    ['aws:username', 'alice'],
    ['aws:ResourceAccount', '111122223333'],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:ViaAWSService', 'false'],
  ])('%s is %s', (key, value) => {
    expect(decideBoth({ StringEquals: { [key]: value } })).toEqual(OUTCOMES.yes)
  })

  it('says less of an anonymous caller', () => {
    const principal = { account: '', arn: '', id: '', type: 'Anonymous', tags: {} } as const
    for (const key of ['aws:PrincipalArn', 'aws:PrincipalAccount', 'kms:CallerAccount', 'aws:userid', 'aws:username']) {
      expect(decideBoth({ Null: { [key]: true } }, { principal })).toEqual(OUTCOMES.yes)
    }
    expect(decideBoth({ StringEquals: { 'aws:PrincipalType': 'Anonymous' } }, { principal })).toEqual(OUTCOMES.yes)
  })
})
