import { describe, expect, it } from 'vitest'
import { globOf } from '../../kms/policy/glob.ts'
import { authorise, denialMessage, parsePolicy, type Outcome } from '../../kms/policy/index.ts'
import { Meter, WorkLimitError } from '../../kms/policy/meter.ts'
import {
  IDS,
  policyText,
  refuses,
  request,
  root,
  statement,
  type RequestOptions,
  type StatementJson,
} from './policy-setup.ts'

const BUDGET = 4_000_000
const LONG = 8192

/** Answers what became of the request, and what it took. */
function decideAndCount(statements: readonly StatementJson[], options: RequestOptions = {}): [Outcome, number] {
  const document = parsePolicy(policyText(...statements), 'key')
  const meter = new Meter()
  const outcome = authorise(request(options), { keyPolicy: { document, ids: IDS }, identityPolicies: [] }, meter)
  return [outcome, meter.steps]
}

describe('a glob that makes matchers go back', () => {
  const steps = (pattern: string, text: string): number => {
    const meter = new Meter(Infinity)
    globOf(pattern).matches(text, meter)
    return meter.steps
  }

  it.each([
    ['many stars', `${'*a'.repeat(4000)}b`, 'a'.repeat(LONG)],
    ['many stars and no end', `${'*a'.repeat(4000)}*b*`, 'a'.repeat(LONG)],
    ['a run of stars', `${'*'.repeat(LONG)}b`, 'a'.repeat(LONG)],
    ['almost, at each place', `*${'a'.repeat(30)}b*`, 'a'.repeat(LONG)],
    ['any, at each place', `*${'?'.repeat(30)}b*`, 'a'.repeat(LONG)],
    ['stars and any', '*?'.repeat(4000), 'a'.repeat(LONG)],
  ])('takes time in proportion to pattern and text: %s', (_, pattern, text) => {
    expect(steps(pattern, text)).toBeLessThanOrEqual(2 * pattern.length + text.length + 2)
  })

  it.each([64, 1000, 4000])('takes a word more for 32 characters more: %i', (length) => {
    const words = Math.ceil((length + 1) / 32)
    const codes = length + 1
    // Two code units occur in each, and the text.
    expect(steps(`*${'a'.repeat(length)}b*`, 'a'.repeat(LONG))).toBe(LONG * words + codes + 2 * words + 1)
    expect(steps(`*${'a?'.repeat(length / 2)}b*`, 'a'.repeat(LONG))).toBe(LONG * words + codes + 3 * words + 1)
  })

  it('pays for all that is to be found before it is prepared', () => {
    const distinct = Array.from({ length: 20_000 }, (_, i) => String.fromCharCode(0x4e00 + i)).join('')
    const meter = new Meter()
    expect(() => globOf(`*${distinct}*`).matches(distinct, meter)).toThrow(WorkLimitError)
    expect(meter.steps).toBe(1 + 20_000 + 20_000 * 625)
  })

  it('looks for nothing that is longer than the text', () => {
    expect(steps(`*${'ab'.repeat(LONG)}*`, 'ab')).toBe(1)
    expect(steps('a*bcd*e', 'abce')).toBe(3)
  })
})

describe('a policy that takes long', () => {
  it.each(['Allow', 'Deny'])('denies when the budget is spent: %s', (Effect) => {
    const values = Array.from({ length: 3000 }, (_, i) => `*a${String(i)}*`)
    const statements = [
      statement(),
      statement({ Effect, Condition: { StringNotLike: { 'kms:EncryptionContext:x': values } } }),
    ]
    const [outcome, steps] = decideAndCount(Effect === 'Allow' ? statements.slice(1) : statements, {
      encryptionContext: { x: 'a'.repeat(LONG) },
    })
    expect(outcome).toEqual({ decision: 'explicit-deny', by: 'work-limit', grants: [] })
    expect(steps).toBeLessThanOrEqual(BUDGET + LONG)
    expect(denialMessage(request(), outcome)).toMatch(/because its policies take too long to evaluate$/)
  })

  it('is stopped in the middle of a glob', () => {
    const meter = new Meter(1000)
    expect(() => globOf('*ab*').matches('a'.repeat(LONG), meter)).toThrow(WorkLimitError)
    expect(meter.steps).toBe(1001)
  })

  it('has a budget for all policies together', () => {
    const Condition = { StringLike: { 'aws:UserAgent': Array.from({ length: 2000 }, () => '*ab*') } }
    const identity = parsePolicy(policyText({ Effect: 'Allow', Action: '*', Resource: '*', Condition }), 'identity')
    const [key] = [parsePolicy(policyText(statement()), 'key')]
    const meter = new Meter()
    const asked = request({ context: { 'aws:UserAgent': 'a'.repeat(600) } })
    const authority = {
      keyPolicy: { document: key, ids: IDS },
      identityPolicies: [identity, identity, identity, identity],
    }
    expect(authorise(asked, authority, meter).by).toBe('work-limit')
    expect(meter.steps).toBeLessThanOrEqual(BUDGET + LONG)
  })
})

describe('what costs a step at least', () => {
  const names = Array.from({ length: 5000 }, (_, i) => [i.toString(36), '']).concat([['long', 'x'.repeat(3000)]])
  const encryptionContext = Object.fromEntries(names) as Record<string, string>
  const key = 'kms:EncryptionContextKeys'

  it.each<[string, string, string | readonly string[]]>([
    ['no ARN', 'ArnLike', Array.from({ length: 2000 }, () => '*')],
    ['variables without a value', 'ArnLike', Array.from({ length: 700 }, () => 'arn:*:*:*:*:${aws:username}')],
    ['patterns without a value', 'StringLike', Array.from({ length: 800 }, () => '${aws:PrincipalTag/a}')],
    ['literal text', 'StringEqualsIgnoreCase', 'A'.repeat(30_000)],
    ['empty variables', 'StringEquals', "${kms:EncryptionContext:0, ''}".repeat(1000)],
    ['text of patterns', 'StringLike', '${kms:EncryptionContext:0}' + 'A'.repeat(30_000)],
  ])('%s', (_, operator, values) => {
    const Condition = { [`ForAnyValue:${operator}`]: { [key]: values } }
    const [outcome, steps] = decideAndCount([statement(), statement({ Effect: 'Deny', Condition })], {
      principal: root(),
      encryptionContext,
    })
    expect(outcome.by).toBe('work-limit')
    expect(steps).toBeLessThanOrEqual(BUDGET + 30_000)
  })

  it('values of the request that are put together to a long text', () => {
    const pattern = `*${'${kms:EncryptionContext:a}'.repeat(30)}*`
    const Condition = { StringLike: { 'kms:EncryptionContext:b': pattern } }
    const a = Array.from({ length: 1500 }, (_, i) => String.fromCharCode(0x4e00 + i)).join('')
    const statements = [statement(), statement({ Effect: 'Deny', Condition })]
    const [short, few] = decideAndCount(statements, { encryptionContext: { a, b: 'x' } })
    expect(short.decision).toBe('allow')
    expect(few).toBeLessThanOrEqual(31 * (a.length + 2) + 20)
    const [long, steps] = decideAndCount(statements, { encryptionContext: { a, b: 'x'.repeat(50_000) } })
    expect(long.by).toBe('work-limit')
    expect(steps).toBeLessThanOrEqual(BUDGET + 45_000)
  })
})

describe('a large policy within the limits', () => {
  it.each<[string, readonly StatementJson[], number]>([
    ['many actions', [statement({ Action: Array.from({ length: 2500 }, () => 'kms:X*') }), statement()], 2500 * 7 + 20],
    ['many statements', Array.from({ length: 380 }, () => statement({ Action: 'kms:X' })), 380 * 7],
    ['many principals', [statement({ Principal: { AWS: Array.from({ length: 2000 }, () => '444455556666') } })], 10],
    ['many resources', [statement({ Resource: Array.from({ length: 1500 }, () => 'arn:aws:kms:*:1:*') })], 1500 * 100],
    [
      'many values',
      [statement({ Condition: { StringEquals: { 'aws:UserAgent': Array.from({ length: 8000 }, () => '') } } })],
      8000 * 11 + 20,
    ],
    [
      'many variables',
      [statement({ Condition: { StringEquals: { 'aws:UserAgent': '${aws:username}'.repeat(2000) } } })],
      2000 * 10,
    ],
  ])('is decided in few steps: %s', (_, statements, limit) => {
    const [outcome, steps] = decideAndCount(statements, { context: { 'aws:UserAgent': 'user agent' } })
    expect(outcome.by).toBe('key-policy')
    expect(steps).toBeLessThanOrEqual(limit)
  })
})

describe('a document that makes readers recurse', () => {
  it.each(['[', '{"a":', '{"Statement":['])('is refused: %s', (nest) => {
    refuses(nest.repeat(Math.floor(32_000 / nest.length)), 'syntax', /nested too deeply/)
  })

  it('is refused in each element', () => {
    const deep: unknown = JSON.parse('['.repeat(20) + ']'.repeat(20))
    for (const name of ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition']) {
      refuses(policyText(statement({ [name]: deep })), 'syntax', /nested too deeply/)
    }
  })
})
