import { PolicyError, type PolicyFault } from './error.ts'
import type { Json, JsonObject } from './json.ts'

export function fail(reason: PolicyFault, message: string): never {
  throw new PolicyError(reason, message)
}

export function isObject(json: Json | undefined): json is JsonObject {
  return json instanceof Map
}

/** A member that is a string if it is there. @throws PolicyError */
export function optionalString(json: JsonObject, name: string): string | undefined {
  const value = json.get(name)
  if (value !== undefined && typeof value !== 'string') fail('element', `${name} must be a string.`)
  return value
}

function listOf(json: Json, what: string): readonly Json[] {
  const list = Array.isArray(json) ? (json as readonly Json[]) : [json]
  if (list.length === 0) fail('element', `The list of ${what} is empty.`)
  return list
}

/** One string or a list of them. @throws PolicyError */
export function stringsOf(json: Json, what: string): readonly string[] {
  return listOf(json, what).map((member) => {
    if (typeof member !== 'string') fail('element', `${what} must hold strings.`)
    return member
  })
}

/** As {@link stringsOf}, with numbers and booleans as they are written. @throws PolicyError */
export function scalarsOf(json: Json, what: string): readonly string[] {
  return listOf(json, what).map((member) => {
    if (typeof member === 'string') return member
    if (typeof member === 'boolean') return String(member)
    if (typeof member === 'object' && member !== null && 'digits' in member) return member.digits
    return fail('element', `The values of ${what} must be strings, numbers or booleans.`)
  })
}
