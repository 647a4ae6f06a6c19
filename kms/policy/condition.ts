import { findConditionKey, type ConditionKey } from './condition-keys.ts'
import { PolicyError } from './error.ts'
import type { Json } from './json.ts'
import { isObject, scalarsOf } from './members.ts'
import { OPERATORS, type ValueTest } from './operators.ts'
import type { Evaluation } from './request.ts'
import { hasUnfilledVariable, readTemplate, type Language } from './template.ts'
import { allOf, anyOf, not, truthOf, type Truth } from './truth.ts'
import { readBoolean } from './values.ts'

/** One line of a condition block: an operator, a key, and the values. */
export interface Condition {
  readonly test: (evaluation: Evaluation) => Truth
  /** The condition key. */
  readonly key: string
  /** Whether it asks for something that this engine never says. */
  readonly isUnfilled: boolean
}

/** How an operator treats a key with several values, or with none. */
interface Quantifier {
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined
  readonly ifExists: boolean
}

/**
 * Reads a condition block; all of its conditions must hold.
 *
 * @throws PolicyError
 */
export function readConditions(block: Json, language: Language): readonly Condition[] {
  if (!isObject(block)) throw new PolicyError('condition', 'Condition must be an object of operators.')
  return [...block].flatMap(([operatorName, keys]) => {
    if (!isObject(keys) || keys.size === 0) {
      throw new PolicyError('condition', `${operatorName} must be an object with one condition key or more.`)
    }
    const seen = new Set<string>()
    return [...keys].map(([name, json]) => {
      const key = readKey(name)
      if (seen.has(key.name)) throw new PolicyError('condition', `${operatorName} has the key ${name} twice.`)
      seen.add(key.name)
      return readCondition(operatorName, key, scalarsOf(json, `the condition key ${name}`), language)
    })
  })
}

function readKey(name: string): ConditionKey {
  const key = findConditionKey(name)
  if (!key) throw new PolicyError('condition', `There is no condition key '${name}'.`)
  return key
}

function readCondition(
  operatorName: string,
  key: ConditionKey,
  values: readonly string[],
  language: Language,
): Condition {
  if (operatorName === 'Null') return { test: readNull(key, values), key: key.name, isUnfilled: key.from === 'nobody' }
  const [, set, name = '', ifExists] = /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/s.exec(operatorName) ?? []
  const operator = OPERATORS.get(name)
  if (!operator) throw new PolicyError('condition', `There is no condition operator '${operatorName}'.`)
  const quantifier: Quantifier = { set: set as Quantifier['set'], ifExists: ifExists !== undefined }
  assertNotOverlyPermissive(key, quantifier)
  const tests = values.map((value) => operator.read(value, language))
  const testValue = (actual: string, evaluation: Evaluation): Truth => {
    const truth = anyOf<ValueTest>(tests, (test) => test(actual, evaluation))
    return operator.isNegated ? not(truth) : truth
  }
  return {
    test: (evaluation) => {
      evaluation.meter.spend(1)
      return quantify(evaluation.valuesOf(key.name), testValue, evaluation, quantifier, operator.isNegated)
    },
    key: key.name,
    isUnfilled: key.from === 'nobody' || values.some((value) => hasUnfilledVariable(readTemplate(value, language))),
  }
}

/** AWS KMS Developer Guide, "Using set operators with condition keys". */
function assertNotOverlyPermissive({ name }: ConditionKey, { set }: Quantifier): void {
  const what = name.startsWith('kms:encryptioncontext:')
    ? 'encryption context'
    : name.startsWith('aws:requesttag/')
      ? 'tag'
      : undefined
  if (set !== 'ForAllValues' || what === undefined) return
  throw new PolicyError(
    'overly-permissive',
    'OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches ' +
      `requests without the specified ${what} or with an unspecified ${what}. To fix, remove ForAllValues.`,
  )
}

function readNull(key: ConditionKey, values: readonly string[]): Condition['test'] {
  const expected = values.map((value) => {
    const isAbsent = readBoolean(value)
    if (isAbsent === undefined) throw new PolicyError('condition', `'${value}' is no boolean.`)
    return isAbsent
  })
  return (evaluation) => {
    evaluation.meter.spend(1)
    const actual = evaluation.valuesOf(key.name)
    return actual === 'several keys' ? 'unsure' : truthOf(expected.includes(actual.length === 0))
  }
}

/** IAM User Guide, "Set operators for multivalued context keys" and "…IfExists condition operators". */
function quantify(
  actual: ReturnType<Evaluation['valuesOf']>,
  test: (value: string, evaluation: Evaluation) => Truth,
  evaluation: Evaluation,
  { set, ifExists }: Quantifier,
  isNegated: boolean,
): Truth {
  if (actual === 'several keys') return 'unsure'
  const testOne = (value: string): Truth => test(value, evaluation)
  switch (set) {
    case 'ForAllValues':
      return allOf(actual, testOne)
    case 'ForAnyValue':
      // Without values, IfExists makes a condition true, and ForAnyValue makes it false.
      return actual.length === 0 && ifExists ? 'unsure' : anyOf(actual, testOne)
    case undefined: {
      const [value, ...more] = actual
      if (value === undefined) return truthOf(ifExists || isNegated)
      // Several values without a set operator: not defined.
      return more.length > 0 ? 'unsure' : testOne(value)
    }
  }
}
