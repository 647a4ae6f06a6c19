import { assertBytes } from '../../bindings/bytes.ts'
import { KmsError } from '../errors.ts'
import { SHAPES, type Shape, type ShapeName } from './model.ts'
import { MAX_TAGS, tooManyTags } from './tags.ts'

/** Broken constraints that are told at most: a list can break one with each of its members. */
const MAX_FAULTS = 10
/** Characters of a value or name that are said at most. */
const MAX_SAID = 256

/** Most members of the lists for which the model has no maximum: every operation once, what a key can have of tags. */
const MAX_MEMBERS: Readonly<Partial<Record<ShapeName, number>>> = {
  GrantOperationList: membersOf('GrantOperation'),
  DryRunModifierList: membersOf('DryRunModifierType'),
  TagList: MAX_TAGS,
  TagKeyList: MAX_TAGS,
}

function membersOf(shapeName: ShapeName): number {
  const shape = SHAPES[shapeName]
  return shape.type === 'string' ? (shape.members ?? []).length : 0
}

/**
 * Checks an input against its shape in the service model and answers a copy of it, so that nothing that the caller does
 * later changes a call that waits for its turn. Members that are null count as absent, as in the JSON of the protocol.
 * The copied bytes may be secret: whoever calls this wipes them.
 *
 * @throws KmsError `ValidationException` with the broken constraints, the first ten of them, in the words of AWS
 * @throws KmsError `TagException` for more tags than a key can have
 * @throws KmsError `UnsupportedOperationException` for a member that the model does not know
 * @throws TypeError for a value of the wrong JavaScript type
 */
export function validate(shapeName: ShapeName, input: unknown): Record<string, unknown> {
  const faults: string[] = []
  const copy = checkStructure(shapeName, assertObject(input, 'the input'), '', faults)
  if (faults.length > 0) throw broken(faults)
  for (const [name, value] of Object.entries(copy)) {
    if (ArrayBuffer.isView(value)) copy[name] = Uint8Array.from(value as Uint8Array)
  }
  return copy
}

function broken(faults: readonly string[]): KmsError {
  const count = `${String(faults.length)} validation error${faults.length === 1 ? '' : 's'} detected`
  return new KmsError('ValidationException', `${count}: ${faults.join('; ')}`)
}

/** @throws KmsError `ValidationException` once there are enough faults */
function add(faults: string[], fault: string): void {
  faults.push(fault)
  if (faults.length >= MAX_FAULTS) throw broken(faults)
}

function said(text: string): string {
  return text.length > MAX_SAID ? `${text.slice(0, MAX_SAID)}…` : text
}

function checkStructure(shapeName: ShapeName, input: object, path: string, faults: string[]): Record<string, unknown> {
  const shape = SHAPES[shapeName]
  if (shape.type !== 'structure') throw new TypeError(`${shapeName} is no structure`)
  const copy = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(input) as [string, unknown][]) {
    if (value === undefined || value === null) continue
    const member = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined
    if (member === undefined) {
      throw new KmsError('UnsupportedOperationException', `${said(name)} is not a parameter that this KMS knows`)
    }
    copy[name] = check(member, value, path + lowerCamelCase(name), faults)
  }
  for (const name of shape.required) {
    if (copy[name] === undefined) add(faults, notNull(path + lowerCamelCase(name)))
  }
  return copy
}

function notNull(path: string): string {
  return `Value null at '${path}' failed to satisfy constraint: Member must not be null`
}

function lowerCamelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

/** Answers a copy of `value`; of bytes, `value` itself. */
function check(shapeName: ShapeName, value: unknown, path: string, faults: string[]): unknown {
  const shape = SHAPES[shapeName]
  switch (shape.type) {
    case 'string':
      return checkString(shape, assertType(value, 'string', path), path, faults)
    case 'integer':
      return checkInteger(shape, assertType(value, 'number', path), path, faults)
    case 'boolean':
      return assertType(value, 'boolean', path)
    case 'timestamp':
      return checkTimestamp(value, path)
    case 'blob':
      return checkBlob(shape, value, path, faults)
    case 'list':
      return checkList({ ...shape, max: shape.max ?? MAX_MEMBERS[shapeName] ?? Infinity }, value, path, faults)
    case 'structure':
      return checkStructure(shapeName, assertObject(value, path), `${path}.`, faults)
    case 'map':
      return checkMap(assertObject(value, path), path, faults)
  }
}

function assertType(value: unknown, type: 'string', path: string): string
function assertType(value: unknown, type: 'number', path: string): number
function assertType(value: unknown, type: 'boolean', path: string): boolean
function assertType(value: unknown, type: string, path: string): unknown {
  if (typeof value !== type) throw new TypeError(`${path} must be a ${type}`)
  return value
}

function assertObject(value: unknown, path: string): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError(`${path} must be an object`)
  return value
}

/** `value` is undefined if it must not be said. */
function faultOf(value: string | undefined, path: string, constraint: string): string {
  const start = value === undefined ? 'Value' : `Value '${said(value)}'`
  return `${start} at '${path}' failed to satisfy constraint: ${constraint}`
}

function checkString(shape: Shape & { type: 'string' }, value: string, path: string, faults: string[]): string {
  const { min, max, pattern, members, isSecret } = shape
  const fault = (constraint: string): string => faultOf(isSecret === true ? undefined : value, path, constraint)
  if (min !== undefined && value.length < min) {
    add(faults, fault(`Member must have length greater than or equal to ${String(min)}`))
  }
  if (max !== undefined && value.length > max) {
    add(faults, fault(`Member must have length less than or equal to ${String(max)}`))
  }
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 's').test(value)) {
    add(faults, fault(`Member must satisfy regular expression pattern: ${pattern}`))
  }
  if (members !== undefined && !members.includes(value)) {
    add(faults, fault(`Member must satisfy enum value set: [${members.join(', ')}]`))
  }
  return value
}

function checkInteger(shape: Shape & { type: 'integer' }, value: number, path: string, faults: string[]): number {
  const { min, max } = shape
  if (!Number.isInteger(value)) throw new TypeError(`${path} must be an integer`)
  if (min !== undefined && value < min) {
    add(faults, faultOf(String(value), path, `Member must have value greater than or equal to ${String(min)}`))
  }
  if (max !== undefined && value > max) {
    add(faults, faultOf(String(value), path, `Member must have value less than or equal to ${String(max)}`))
  }
  return value
}

function checkTimestamp(value: unknown, path: string): Date {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) throw new TypeError(`${path} must be a Date`)
  return new Date(value)
}

/** The value of a blob is never part of a message: it may be secret. */
function checkBlob(shape: Shape & { type: 'blob' }, value: unknown, path: string, faults: string[]): Uint8Array {
  assertBytes(value, path)
  const { min, max } = shape
  const start = `Value at '${path}' failed to satisfy constraint: Member must have length`
  if (min !== undefined && value.length < min) add(faults, `${start} greater than or equal to ${String(min)}`)
  if (max !== undefined && value.length > max) add(faults, `${start} less than or equal to ${String(max)}`)
  return value
}

function checkList(shape: Shape & { type: 'list' }, value: unknown, path: string, faults: string[]): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${path} must be an array`)
  const { of, max = Infinity } = shape
  if (value.length > max) {
    // AWS has an exception for these.
    if (of === 'Tag') throw tooManyTags()
    add(faults, faultOf(undefined, path, `Member must have length less than or equal to ${String(max)}`))
    return []
  }
  return value.map((member: unknown, index) => {
    const memberPath = `${path}.${String(index + 1)}.member`
    if (member !== undefined && member !== null) return check(of, member, memberPath, faults)
    add(faults, notNull(memberPath))
    return member
  })
}

/** The only map is the encryption context: strings, without constraints in the model. */
function checkMap(value: object, path: string, faults: string[]): Readonly<Record<string, string>> {
  const copy = Object.create(null) as Record<string, string>
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    if (member === undefined || member === null) add(faults, notNull(`${path}.${said(name)}.member`))
    else copy[name] = assertType(member, 'string', `each value of ${path}`)
  }
  return copy
}
