import { assertBytes } from '../../bindings/bytes.ts'
import { KmsError } from '../errors.ts'
import { SHAPES, type Shape, type ShapeName } from './model.ts'

/**
 * Checks an input against its shape in the service model and answers a copy of it, so that nothing that the caller does
 * later changes a call that waits for its turn. Members that are null count as absent, as in the JSON of the protocol.
 * The copied bytes may be secret: whoever calls this wipes them.
 *
 * @throws KmsError `ValidationException` with all broken constraints, in the words of AWS
 * @throws KmsError `UnsupportedOperationException` for a member that the model does not know
 * @throws TypeError for a value of the wrong JavaScript type
 */
export function validate(shapeName: ShapeName, input: unknown): Record<string, unknown> {
  const faults: string[] = []
  const copy = checkStructure(shapeName, assertObject(input, 'the input'), '', faults)
  if (faults.length > 0) {
    const count = `${String(faults.length)} validation error${faults.length === 1 ? '' : 's'} detected`
    throw new KmsError('ValidationException', `${count}: ${faults.join('; ')}`)
  }
  for (const [name, value] of Object.entries(copy)) {
    if (ArrayBuffer.isView(value)) copy[name] = Uint8Array.from(value as Uint8Array)
  }
  return copy
}

function checkStructure(shapeName: ShapeName, input: object, path: string, faults: string[]): Record<string, unknown> {
  const shape = SHAPES[shapeName]
  if (shape.type !== 'structure') throw new TypeError(`${shapeName} is no structure`)
  const copy = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(input) as [string, unknown][]) {
    if (value === undefined || value === null) continue
    const member = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined
    if (member === undefined) {
      throw new KmsError('UnsupportedOperationException', `${name} is not a parameter that this KMS knows`)
    }
    copy[name] = check(member, value, path + lowerCamelCase(name), faults)
  }
  for (const name of shape.required) {
    if (copy[name] === undefined) faults.push(notNull(path + lowerCamelCase(name)))
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
      return checkList(shape, value, path, faults)
    case 'structure':
      return checkStructure(shapeName, assertObject(value, path), `${path}.`, faults)
    case 'map':
      return checkMap(assertObject(value, path), path)
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
  const said = value === undefined ? 'Value' : `Value '${value}'`
  return `${said} at '${path}' failed to satisfy constraint: ${constraint}`
}

function checkString(shape: Shape & { type: 'string' }, value: string, path: string, faults: string[]): string {
  const { min, max, pattern, members, isSecret } = shape
  const fault = (constraint: string): string => faultOf(isSecret === true ? undefined : value, path, constraint)
  if (min !== undefined && value.length < min) {
    faults.push(fault(`Member must have length greater than or equal to ${String(min)}`))
  }
  if (max !== undefined && value.length > max) {
    faults.push(fault(`Member must have length less than or equal to ${String(max)}`))
  }
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 's').test(value)) {
    faults.push(fault(`Member must satisfy regular expression pattern: ${pattern}`))
  }
  if (members !== undefined && !members.includes(value)) {
    faults.push(fault(`Member must satisfy enum value set: [${members.join(', ')}]`))
  }
  return value
}

function checkInteger(shape: Shape & { type: 'integer' }, value: number, path: string, faults: string[]): number {
  const { min, max } = shape
  if (!Number.isInteger(value)) throw new TypeError(`${path} must be an integer`)
  if (min !== undefined && value < min) {
    faults.push(faultOf(String(value), path, `Member must have value greater than or equal to ${String(min)}`))
  }
  if (max !== undefined && value > max) {
    faults.push(faultOf(String(value), path, `Member must have value less than or equal to ${String(max)}`))
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
  if (min !== undefined && value.length < min) faults.push(`${start} greater than or equal to ${String(min)}`)
  if (max !== undefined && value.length > max) faults.push(`${start} less than or equal to ${String(max)}`)
  return value
}

function checkList(shape: Shape & { type: 'list' }, value: unknown, path: string, faults: string[]): unknown[] {
  if (!Array.isArray(value)) throw new TypeError(`${path} must be an array`)
  const { max } = shape
  if (max !== undefined && value.length > max) {
    faults.push(
      `Value at '${path}' failed to satisfy constraint: Member must have length less than or equal to ${String(max)}`,
    )
  }
  return value.map((member: unknown, index) => {
    const memberPath = `${path}.${String(index + 1)}.member`
    if (member !== undefined && member !== null) return check(shape.of, member, memberPath, faults)
    faults.push(notNull(memberPath))
    return member
  })
}

/** The only map is the encryption context: strings, without constraints in the model. */
function checkMap(value: object, path: string): Readonly<Record<string, string>> {
  const copy = Object.create(null) as Record<string, string>
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    copy[name] = assertType(member, 'string', `each value of ${path}`)
  }
  return copy
}
