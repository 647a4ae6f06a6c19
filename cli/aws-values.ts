import { InvalidArgumentError } from 'commander'
import { jsonOf } from './failure.ts'

// Values as the AWS CLI takes them: text, `file://` for the text of a file, JSON, and the shorthand `Name=value,…`.

const FIELD = /(\w+)=("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:[^,\\"']|\\.)(?:[^,\\]|\\.)*|)(?:,(?=.)|$)/sy

/**
 * A parser of structures, one a value, or a JSON list of them: `Key=team,Value=payroll`. A value with a comma is quoted,
 * or has a backslash before it.
 */
export function structures(
  ...members: readonly string[]
): (text: string, previous: readonly object[] | undefined) => readonly object[] {
  return (text, previous = []) => {
    const given = /^\s*[[{]/.test(text) ? json(text) : shorthand(text)
    const list: unknown[] = Array.isArray(given) ? given : [given]
    for (const value of list) assertStructure(value, members)
    return [...previous, ...(list as object[])]
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw new InvalidArgumentError('it is not JSON')
  }
}

function shorthand(text: string): Record<string, string> {
  const fields: [string, string][] = []
  for (FIELD.lastIndex = 0; FIELD.lastIndex < text.length;) {
    const [, name, value] = FIELD.exec(text) ?? []
    if (name === undefined || value === undefined) throw new InvalidArgumentError('it must be Name=value,Name=value')
    const bare = /^(["']).*\1$/s.test(value) ? value.slice(1, -1) : value
    fields.push([name, bare.replaceAll(/\\(.)/gs, '$1')])
  }
  if (new Set(fields.map(([name]) => name)).size !== fields.length) {
    throw new InvalidArgumentError('a name is given twice')
  }
  return Object.fromEntries(fields)
}

function assertStructure(value: unknown, members: readonly string[]): void {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : []
  const isWhole = names.length === members.length && members.every((name) => names.includes(name))
  if (isWhole && Object.values(value as object).every((member) => typeof member === 'string')) return
  throw new InvalidArgumentError(`it must be ${members.map((name) => `${name}=…`).join(',')}`)
}

/** Parses a value that is an object in JSON. */
export function jsonObject(text: string): object {
  const value = json(text)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new InvalidArgumentError('it must be an object in JSON')
}

/** A parser for an option that takes several texts. */
export function texts(text: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), text]
}

/** A time as the AWS CLI prints it: ISO 8601 in UTC, with six digits of fraction unless they are all zero. */
function isoTime(time: Date): string {
  const [seconds = '', milliseconds = ''] = time.toISOString().replace('Z', '').split('.')
  return `${seconds}${milliseconds === '000' ? '' : `.${milliseconds}000`}+00:00`
}

/** The answer of an action as the AWS CLI prints it: JSON, times in ISO 8601, bytes in base64. */
export function answerText(answer: unknown): string {
  return jsonOf(printable(answer), 4)
}

function printable(value: unknown): unknown {
  if (value instanceof Date) return isoTime(value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  if (Array.isArray(value)) return value.map(printable)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, printable(member)]))
}
