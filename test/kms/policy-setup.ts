import { expect } from 'vitest'
import {
  evaluate,
  parsePolicy,
  PolicyError,
  type AccessRequest,
  type KeyPolicyDecision,
  type PolicyFault,
  type PolicyKind,
  type Principal,
  type PrincipalIds,
} from '../../kms/policy/index.ts'

export const ACCOUNT = '111122223333'
export const OTHER_ACCOUNT = '444455556666'
export const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

export function user(
  name: string,
  options: { readonly account?: string; readonly id?: string; readonly tags?: Readonly<Record<string, string>> } = {},
): Principal {
  const { account = ACCOUNT, id = `AIDA${name}`, tags = {} } = options
  return { account, arn: `arn:aws:iam::${account}:user/${name}`, id, type: 'User', tags }
}

export function root(account: string = ACCOUNT): Principal {
  return { account, arn: `arn:aws:iam::${account}:root`, id: account, type: 'Account', tags: {} }
}

export const ALICE: Principal = user('alice')
export const BOB: Principal = user('bob')

/** Every user has the id that `user` gives by default. */
export const IDS: PrincipalIds = (arn) => {
  const name = /:user\/(\w+)$/.exec(arn)?.[1]
  return name === undefined ? undefined : `AIDA${name}`
}

export interface RequestOptions {
  readonly principal?: Principal
  readonly action?: string
  readonly resource?: string
  readonly context?: Readonly<Record<string, string | readonly string[]>>
  readonly encryptionContext?: Readonly<Record<string, string>>
}

export function request(options: RequestOptions = {}): AccessRequest {
  const { principal = ALICE, action = 'kms:Decrypt', resource = KEY, context = {}, encryptionContext } = options
  const values = Object.entries(context).map(([name, value]) => [name, [value].flat()] as const)
  return { principal, action, resource, resourceAccount: ACCOUNT, context: new Map(values), encryptionContext }
}

export type StatementJson = Readonly<Record<string, unknown>>

/** A statement of a key's policy that allows everyone everything, but for what is given; undefined takes an element away. */
export function statement(elements: StatementJson = {}): StatementJson {
  return { Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*', ...elements }
}

export function policyText(...statements: readonly StatementJson[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

/** What a key's policy with these statements says. */
export function decide(
  statements: readonly StatementJson[],
  options?: RequestOptions,
  ids: PrincipalIds = IDS,
): KeyPolicyDecision {
  return evaluate(parsePolicy(policyText(...statements), 'key'), request(options), ids)
}

/** What becomes of a request if a condition decides: once of an Allow, and once of a Deny beside an Allow. */
export function decideBoth(
  condition: unknown,
  options?: RequestOptions,
): readonly [KeyPolicyDecision, KeyPolicyDecision] {
  const allow = decide([statement({ Condition: condition })], options)
  const deny = decide([statement(), statement({ Effect: 'Deny', Condition: condition })], options)
  return [allow, deny]
}

/** What {@link decideBoth} answers for a condition that holds, does not, or is not to be decided. */
export const OUTCOMES = {
  yes: ['allow', 'explicit-deny'],
  no: ['implicit-deny', 'allow'],
  unsure: ['implicit-deny', 'explicit-deny'],
} as const

export function refuses(text: string, reason: PolicyFault, message: RegExp | string, kind: PolicyKind = 'key'): void {
  let error: unknown
  try {
    parsePolicy(text, kind)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toBeInstanceOf(PolicyError)
  const { name, reason: found, message: text_ } = error as PolicyError
  expect(text_).toMatch(message)
  expect(found).toBe(reason)
  expect(name).toBe(reason === 'too-large' ? 'LimitExceededException' : 'MalformedPolicyDocumentException')
}
