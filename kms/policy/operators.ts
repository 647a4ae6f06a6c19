import { matchPattern, readArnCondition } from './arn-pattern.ts'
import { PolicyError } from './error.ts'
import type { Evaluation } from './request.ts'
import { Pattern, readTemplate, textOf, type Language } from './template.ts'
import { truthOf, type Truth } from './truth.ts'
import { isInRange, readBase64, readBoolean, readDate, readIpAddress, readIpRange, readNumber } from './values.ts'

/** Compares one value of a request with the value of a policy that it was made from. */
export type ValueTest = (actual: string, evaluation: Evaluation) => Truth

/** Reads the value of a policy. @throws PolicyError if it is no value of the operator's kind */
type ValueReader = (text: string, language: Language) => ValueTest

/** A condition operator, without what its name may have around it. */
export interface Operator {
  readonly read: ValueReader
  /** Whether it holds if no value of the policy matches. */
  readonly isNegated: boolean
}

/** String operators in which wildcards are characters like any other. */
function stringEquals(fold: (text: string) => string): ValueReader {
  return (text, language) => {
    const parts = readTemplate(text, language)
    return (actual, evaluation) => {
      const expected = textOf(parts, evaluation)
      evaluation.meter.spend(actual.length + 1)
      return expected === undefined ? 'unsure' : truthOf(fold(expected) === fold(actual))
    }
  }
}

const stringLike: ValueReader = (text, language) => {
  const pattern = new Pattern(readTemplate(text, language))
  return (actual, evaluation) => matchPattern(pattern, actual, evaluation)
}

/** Operators without variables: both values are read in the same way, and a request's that cannot be is `unsure`. */
function comparing<Expected, Actual>(
  what: string,
  readExpected: (text: string) => Expected | undefined,
  readActual: (text: string) => Actual | undefined,
  compare: (actual: Actual, expected: Expected) => boolean,
): ValueReader {
  return (text) => {
    const expected = readExpected(text)
    if (expected === undefined) throw new PolicyError('condition', `'${text}' is no ${what}.`)
    return (actualText, evaluation) => {
      evaluation.meter.spend(actualText.length + 1)
      const actual = readActual(actualText)
      return actual === undefined ? 'unsure' : truthOf(compare(actual, expected))
    }
  }
}

type Comparison = (actual: number, expected: number) => boolean

function ordered(prefix: string, read: (compare: Comparison) => ValueReader): readonly (readonly [string, Operator])[] {
  const equals = read((actual, expected) => actual === expected)
  return [
    [`${prefix}Equals`, { read: equals, isNegated: false }],
    [`${prefix}NotEquals`, { read: equals, isNegated: true }],
    [`${prefix}LessThan`, { read: read((actual, expected) => actual < expected), isNegated: false }],
    [`${prefix}LessThanEquals`, { read: read((actual, expected) => actual <= expected), isNegated: false }],
    [`${prefix}GreaterThan`, { read: read((actual, expected) => actual > expected), isNegated: false }],
    [`${prefix}GreaterThanEquals`, { read: read((actual, expected) => actual >= expected), isNegated: false }],
  ]
}

function pair(positive: string, negative: string, read: ValueReader): readonly (readonly [string, Operator])[] {
  return [
    [positive, { read, isNegated: false }],
    [negative, { read, isNegated: true }],
  ]
}

const isSame = (actual: unknown, expected: unknown): boolean => actual === expected

/** IAM User Guide, "IAM JSON policy elements: Condition operators". Null is not here: it compares nothing. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map([
  ...pair(
    'StringEquals',
    'StringNotEquals',
    stringEquals((text) => text),
  ),
  ...pair(
    'StringEqualsIgnoreCase',
    'StringNotEqualsIgnoreCase',
    stringEquals((text) => text.toLowerCase()),
  ),
  ...pair('StringLike', 'StringNotLike', stringLike),
  ...ordered('Numeric', (compare) => comparing('number of up to 15 digits', readNumber, readNumber, compare)),
  ...ordered('Date', (compare) => comparing('date', readDate, readDate, compare)),
  ['Bool', { read: comparing('boolean', readBoolean, readBoolean, isSame), isNegated: false }],
  ['BinaryEquals', { read: comparing('base64', readBase64, readBase64, isSame), isNegated: false }],
  ...pair('IpAddress', 'NotIpAddress', comparing('IP address or range', readIpRange, readIpAddress, isInRange)),
  ...pair('ArnEquals', 'ArnNotEquals', readArnCondition),
  ...pair('ArnLike', 'ArnNotLike', readArnCondition),
])
