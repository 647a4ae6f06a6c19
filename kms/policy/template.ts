import { findConditionKey } from './condition-keys.ts'
import { PolicyError } from './error.ts'
import { Glob, type GlobPart } from './glob.ts'
import type { Evaluation } from './request.ts'

/** `${name}` or `${name, 'default'}`, in a text with literals and wildcards around it. */
interface Variable {
  /** Lower case. */
  readonly key: string
  readonly isFilled: boolean
  readonly fallback: string | undefined
}

/** Part of a text of a policy. */
export type TemplatePart = GlobPart | { readonly variable: Variable }

/** How the text around is to be read. */
export interface Language {
  /** Whether `${…}` is a variable: since version 2012-10-17 of the policy language. */
  readonly hasVariables: boolean
}

/**
 * Reads a text with wildcards and variables. `${*}`, `${?}` and `${$}` are these characters themselves.
 *
 * @throws PolicyError for a variable that does not end, or that is no condition key with one value
 */
export function readTemplate(text: string, language: Language): readonly TemplatePart[] {
  const parts: TemplatePart[] = []
  let from = 0
  const addText = (to: number): void => {
    if (to > from) parts.push({ text: text.slice(from, to) })
  }
  for (let at = 0; at < text.length; at++) {
    const isVariable = language.hasVariables && text.startsWith('${', at)
    const character = text.charAt(at)
    if (!isVariable && character !== '*' && character !== '?') continue
    addText(at)
    if (isVariable) {
      const end = text.indexOf('}', at)
      if (end < 0) throw new PolicyError('element', `The variable at the end of '${text}' does not end.`)
      parts.push(readVariable(text.slice(at + 2, end)))
      at = end
    } else {
      parts.push(character === '*' ? 'many' : 'one')
    }
    from = at + 1
  }
  addText(text.length)
  return parts
}

function readVariable(text: string): TemplatePart {
  if (text === '*' || text === '?' || text === '$') return { text }
  const [, name = '', fallback] = /^([^,']+)(?:, '([^']*)')?$/.exec(text) ?? []
  const key = findConditionKey(name)
  if (!key || key.isMany) throw new PolicyError('element', `\${${text}} is no policy variable.`)
  return { variable: { key: key.name, isFilled: key.from !== 'nobody', fallback } }
}

/** Whether a part is a variable whose value nobody says. */
export function hasUnfilledVariable(parts: readonly TemplatePart[]): boolean {
  return parts.some((part) => typeof part === 'object' && 'variable' in part && !part.variable.isFilled)
}

/** A text in which wildcards are characters like any other, with its variables replaced; undefined if one has no value. */
export function textOf(parts: readonly TemplatePart[], evaluation: Evaluation): string | undefined {
  let text = ''
  evaluation.meter.spend(parts.length)
  for (const part of parts) {
    const literal = part === 'many' ? '*' : part === 'one' ? '?' : literalOf(part, evaluation)
    if (literal === undefined) return undefined
    text += literal
  }
  return text
}

/** A pattern in which wildcards count, but not those in the values of variables. */
export class Pattern {
  readonly #parts: readonly TemplatePart[]
  readonly #glob: Glob | undefined

  constructor(parts: readonly TemplatePart[]) {
    this.#parts = parts
    const isFixed = (part: TemplatePart): part is GlobPart => typeof part === 'string' || 'text' in part
    this.#glob = parts.every(isFixed) ? new Glob(parts) : undefined
  }

  /** The pattern for this request; undefined if a variable has no value. */
  globFor(evaluation: Evaluation): Glob | undefined {
    if (this.#glob) return this.#glob
    const parts: GlobPart[] = []
    evaluation.meter.spend(this.#parts.length)
    for (const part of this.#parts) {
      const literal = typeof part === 'string' ? part : literalOf(part, evaluation)
      if (literal === undefined) return undefined
      parts.push(typeof part === 'string' ? part : { text: literal })
    }
    return new Glob(parts)
  }
}

function literalOf(part: Exclude<TemplatePart, string>, evaluation: Evaluation): string | undefined {
  if ('text' in part) {
    evaluation.meter.spend(part.text.length)
    return part.text
  }
  const values = evaluation.valuesOf(part.variable.key)
  if (values === 'several keys') return undefined
  const value = values[0] ?? part.variable.fallback
  evaluation.meter.spend(value?.length ?? 0)
  return value
}
