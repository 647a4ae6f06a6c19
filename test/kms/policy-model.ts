import type { AccessRequest, KeyPolicyDecision, Principal, PrincipalIds } from '../../kms/policy/index.ts'

// The rules once more, as short as they can be said and as slow as they like: on plain JSON, with regular expressions,
// and with the set of answers that are possible in the place of a third truth value.

type Possible = readonly boolean[]
const YES: Possible = [true]
const NO: Possible = [false]
const EITHER: Possible = [true, false]

export interface ModelStatement {
  readonly Effect: string
  readonly Principal?: unknown
  readonly NotPrincipal?: unknown
  readonly Action?: unknown
  readonly NotAction?: unknown
  readonly Resource?: unknown
  readonly NotResource?: unknown
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

const list = (value: unknown): readonly string[] => (value === undefined ? [] : [value].flat().map(String))
const one = (value: boolean): Possible => (value ? YES : NO)

/** All answers of a function of several answers. */
function combine(all: readonly Possible[], of: (values: readonly boolean[]) => boolean): Possible {
  const worlds = all.reduce<readonly (readonly boolean[])[]>(
    (some, possible) => some.flatMap((world) => possible.map((value) => [...world, value])),
    [[]],
  )
  return [...new Set(worlds.map(of))]
}

const and = (all: readonly Possible[]): Possible => combine(all, (values) => values.every(Boolean))
const or = (all: readonly Possible[]): Possible => combine(all, (values) => values.some(Boolean))
const negate = (possible: Possible): Possible => possible.map((value) => !value)

function like(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]')
  return new RegExp(`^${source}$`).test(text)
}

/** Values of a key; undefined if the request has several keys of that name. */
function lookUp(name: string, request: AccessRequest): readonly string[] | undefined {
  const { principal, context, encryptionContext = {} } = request
  const pairs: (readonly [string, readonly string[]])[] = [
    ...context,
    ['aws:username', principal.type === 'User' ? [principal.arn.split('/').pop() ?? ''] : []],
    ...Object.entries(principal.tags).map(([tag, value]) => [`aws:PrincipalTag/${tag}`, [value]] as const),
    ...Object.entries(encryptionContext).map(([key, value]) => [`kms:EncryptionContext:${key}`, [value]] as const),
    ['kms:EncryptionContextKeys', Object.keys(encryptionContext)],
  ]
  const found = pairs.filter(([key, values]) => key.toLowerCase() === name.toLowerCase() && values.length > 0)
  return found.length > 1 ? undefined : (found[0]?.[1] ?? [])
}

/** A text with its variables replaced, wildcards of their values made harmless; undefined if one has no value. */
function substitute(text: string, request: AccessRequest, isPattern: boolean): string | undefined {
  const missing: string[] = []
  const result = text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    const value = lookUp(name, request)?.[0]
    if (value === undefined) missing.push(name)
    return isPattern ? harmless(value ?? '') : (value ?? '')
  })
  return missing.length > 0 ? undefined : result
}

/** Other characters for those that mean something in patterns. */
function harmless(text: string): string {
  return text.replaceAll('*', '\uE000').replaceAll('?', '\uE001').replaceAll(':', '\uE002')
}

function compare(operator: string, expected: string, actual: string, request: AccessRequest): Possible {
  const [, family = '', how = ''] = /^(String|Numeric|Date|Bool|IpAddress|Arn)(.*)$/.exec(operator) ?? []
  if (family === 'String' || family === 'Arn') {
    const text = substitute(expected, request, family === 'Arn' || how === 'Like')
    if (text === undefined) return EITHER
    if (family === 'Arn') return arn(text, actual)
    if (how === 'Like') return one(like(text.replaceAll(':', '\uE002'), harmless(actual)))
    return one(how === 'Equals' ? text === actual : text.toLowerCase() === actual.toLowerCase())
  }
  if (family === 'Bool') return /^(?:true|false)$/.test(actual) ? one(actual === expected) : EITHER
  if (family === 'IpAddress') {
    const [network = '', bits = '32'] = expected.split('/')
    if (!/^\d+\.\d+\.\d+\.\d+$/.test(actual)) return EITHER
    const toBits = (ip: string): string =>
      ip
        .split('.')
        .map((byte) => Number(byte).toString(2).padStart(8, '0'))
        .join('')
    return one(toBits(network).slice(0, Number(bits)) === toBits(actual).slice(0, Number(bits)))
  }
  const toNumber = (text: string): number =>
    /^-?[\d.]+$/.test(text) && !(family === 'Date' && text.length === 4)
      ? Number(text)
      : family === 'Date'
        ? Date.parse(text) / 1000
        : NaN
  const difference = toNumber(actual) - toNumber(expected)
  if (Number.isNaN(difference)) return EITHER
  const isLess = how.startsWith('LessThan') && difference < 0
  const isMore = how.startsWith('GreaterThan') && difference > 0
  return one(isLess || isMore || (how.endsWith('Equals') && difference === 0))
}

function arn(pattern: string, actual: string): Possible {
  const split = (text: string): readonly string[] => {
    const fields = text.split(':')
    return [...fields.slice(0, 5), fields.slice(5).join(':')]
  }
  if (actual.split(':').length < 6) return EITHER
  const fields = split(actual)
  return one(split(pattern).every((field, i) => like(field.replaceAll(':', '\uE002'), harmless(fields[i] ?? ''))))
}

function condition(fullName: string, key: string, expected: readonly string[], request: AccessRequest): Possible {
  const values = lookUp(key, request)
  if (!values) return EITHER
  if (fullName === 'Null') return one(expected.includes(String(values.length === 0)))
  const [set, rest] = fullName.includes(':') ? (fullName.split(':') as [string, string]) : ['', fullName]
  const isIfExists = rest.endsWith('IfExists')
  const name = rest.replace(/IfExists$/, '')
  const isNegated = name.includes('Not')
  const test = (value: string): Possible => {
    const some = or(expected.map((text) => compare(name.replace('Not', ''), text, value, request)))
    return isNegated ? negate(some) : some
  }
  if (set === 'ForAllValues') return and(values.map(test))
  if (set === 'ForAnyValue') return values.length === 0 && isIfExists ? EITHER : or(values.map(test))
  if (values.length === 0) return one(isIfExists || isNegated)
  return values.length > 1 ? EITHER : test(values[0] ?? '')
}

function resource(pattern: string, actual: string): Possible {
  if (pattern === '*') return YES
  const fields = pattern.split(':')
  const padded = [...fields, ...Array.from({ length: Math.max(0, 6 - fields.length) }, () => '*')].join(':')
  if (actual.split(':').length >= 6 && arn(padded, actual)[0] === true) return YES
  return like(pattern, actual) ? EITHER : NO
}

function reach(statement: ModelStatement, caller: Principal, ids: PrincipalIds): 'caller' | 'account' | 'nobody' {
  const { Effect, Principal, NotPrincipal } = statement
  if (Principal === undefined && NotPrincipal === undefined) return 'caller'
  const named = Principal ?? NotPrincipal
  const names = named === '*' ? ['*'] : list((named as { readonly AWS: unknown }).AWS)
  const isAccount = names.includes(caller.account) || names.includes(`arn:aws:iam::${caller.account}:root`)
  const isRoot = caller.type === 'Account'
  const isDenied = Effect === 'Deny' && NotPrincipal === undefined
  const isNamed = names.some((name) => {
    const id = ids(name)
    return name === '*' || (id === undefined ? isDenied && name === caller.arn && !isRoot : id === caller.id)
  })
  if (NotPrincipal !== undefined) return isAccount && (isRoot || isNamed) ? 'nobody' : 'caller'
  if (isNamed || (isAccount && (isDenied || isRoot))) return 'caller'
  return isAccount ? 'account' : 'nobody'
}

/** What a policy says of a request. */
export function modelDecision(
  statements: readonly ModelStatement[],
  request: AccessRequest,
  ids: PrincipalIds,
): KeyPolicyDecision {
  const matching = statements.map((statement) => {
    const { Action, NotAction, Resource, NotResource, Condition = {} } = statement
    const action = list(Action ?? NotAction).some((name) => like(name.toLowerCase(), request.action.toLowerCase()))
    const resources = or(list(Resource ?? NotResource).map((pattern) => resource(pattern, request.resource)))
    const conditions = Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => condition(operator, key, list(values), request)),
    )
    const answers = and([
      one(NotAction === undefined ? action : !action),
      NotResource === undefined ? resources : negate(resources),
      ...conditions,
    ])
    return { Effect: statement.Effect, reach: reach(statement, request.principal, ids), answers }
  })
  const reaching = matching.filter((statement) => statement.reach !== 'nobody')
  if (reaching.some(({ Effect, answers }) => Effect === 'Deny' && answers.includes(true))) return 'explicit-deny'
  const allowing = reaching.filter(({ Effect, answers }) => Effect === 'Allow' && !answers.includes(false))
  if (allowing.some((statement) => statement.reach === 'caller')) return 'allow'
  return allowing.length > 0 ? 'delegated' : 'implicit-deny'
}
