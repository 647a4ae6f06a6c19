import { PolicyError } from './error.ts'
import type { Evaluation } from './request.ts'
import { hasUnfilledVariable, Pattern, readTemplate, type Language, type TemplatePart } from './template.ts'
import { allOf, truthOf, type Truth } from './truth.ts'

/** An ARN is `arn:partition:service:region:account:resource`; colons of the resource are its own. */
const FIELDS = 6

/** Most fields of most patterns. */
const EVERY_FIELD = new Pattern(['many'])

function readField(parts: readonly TemplatePart[]): Pattern {
  return parts.every((part) => part === 'many') && parts.length > 0 ? EVERY_FIELD : new Pattern(parts)
}

/** Cuts a pattern at its colons; those inside a variable's name are none. */
function cut(parts: readonly TemplatePart[]): readonly (readonly TemplatePart[])[] {
  let field: TemplatePart[] = []
  const fields = [field]
  for (const part of parts) {
    if (typeof part === 'string' || !('text' in part)) {
      field.push(part)
      continue
    }
    const [first = '', ...rest] = splitFields(part.text, FIELDS - fields.length + 1)
    if (first !== '') field.push({ text: first })
    for (const text of rest) {
      field = text === '' ? [] : [{ text }]
      fields.push(field)
    }
  }
  return fields
}

function splitFields(text: string, count: number): readonly string[] {
  const fields = text.split(':')
  return fields.length <= count ? fields : [...fields.slice(0, count - 1), fields.slice(count - 1).join(':')]
}

/** Whether the six fields of an ARN match six patterns. */
function matchFields(patterns: readonly Pattern[], fields: readonly string[], evaluation: Evaluation): Truth {
  return allOf([...patterns.entries()], ([i, pattern]) => matchPattern(pattern, fields[i] ?? '', evaluation))
}

/** Whether a text matches a pattern; `unsure` if one of its variables has no value. */
export function matchPattern(pattern: Pattern, text: string, evaluation: Evaluation): Truth {
  const glob = pattern.globFor(evaluation)
  return glob ? truthOf(glob.matches(text, evaluation.meter)) : 'unsure'
}

/**
 * The value of an ARN condition operator: each of the six fields is matched by itself. `*` alone stands for every ARN.
 *
 * @throws PolicyError for a text with fewer fields, which would match nothing
 */
export function readArnCondition(text: string, language: Language): (actual: string, evaluation: Evaluation) => Truth {
  const parts = text === '*' ? readTemplate('*:*:*:*:*:*', language) : readTemplate(text, language)
  const fields = cut(parts)
  if (fields.length !== FIELDS) throw new PolicyError('condition', `'${text}' is no ARN with six fields.`)
  const patterns = fields.map(readField)
  return (actual, evaluation) => {
    evaluation.meter.spend(actual.length + 1)
    const actualFields = splitFields(actual, FIELDS)
    if (actualFields.length !== FIELDS) return 'unsure'
    // A variable without a value makes the whole condition one that nobody can decide.
    const hasValues = patterns.every((pattern) => pattern.globFor(evaluation) !== undefined)
    return hasValues ? matchFields(patterns, actualFields, evaluation) : 'unsure'
  }
}

/** A member of `Resource` or `NotResource`. */
export interface ResourcePattern {
  /** Whether it stands for every resource. */
  readonly isEvery: boolean
  /** Whether it has a variable whose value nobody says. */
  readonly isUnfilled: boolean
  matches(resource: string, evaluation: Evaluation): Truth
}

const EVERY_RESOURCE: ResourcePattern = { isEvery: true, isUnfilled: false, matches: () => 'yes' }

/**
 * Reads an ARN with wildcards. Fields that are missing at its end are `*`. A wildcard that would have to stand for a
 * colon between fields is the one case that the sources do not agree about: it is `unsure`.
 *
 * @throws PolicyError for what is neither an ARN nor `*`, and for a variable before the resource's field
 */
export function readResource(text: string, language: Language): ResourcePattern {
  if (text === '*') return EVERY_RESOURCE
  if (!text.startsWith('arn:')) throw new PolicyError('resource', `Resource '${text}' must be in ARN format or "*".`)
  const parts = readTemplate(text, language)
  const fields = cut(parts)
  const whole = new Pattern(parts)
  const isVariable = (part: TemplatePart): boolean => typeof part === 'object' && 'variable' in part
  if (fields.slice(0, FIELDS - 1).some((field) => field.some(isVariable))) {
    throw new PolicyError('resource', `Resource '${text}' has a variable before the resource's own part.`)
  }
  const patterns = Array.from({ length: FIELDS }, (_, i) => readField(fields[i] ?? ['many']))
  return {
    isEvery: false,
    isUnfilled: hasUnfilledVariable(parts),
    matches(resource, evaluation) {
      const actual = splitFields(resource, FIELDS)
      const truth = actual.length === FIELDS ? matchFields(patterns, actual, evaluation) : 'no'
      if (truth !== 'no') return truth
      return matchPattern(whole, resource, evaluation) === 'no' ? 'no' : 'unsure'
    },
  }
}
