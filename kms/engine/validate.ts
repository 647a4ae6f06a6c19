import { KmsError } from '../errors.ts'
import { SHAPES, type Shape, type ShapeName } from './model.ts'

/**
 * Checks an input against its shape in the service model and answers a copy of it, one level deep, with null prototype
 * and without undefined members.
 *
 * @throws KmsError `ValidationException` with all broken constraints, in the words of AWS
 * @throws KmsError `UnsupportedOperationException` for a member that the model does not know
 * @throws TypeError for a value of the wrong JavaScript type
 */
export function validate(shapeName: ShapeName, input: object): Record<string, unknown> {
  const faults: string[] = []
  const copy = checkStructure(shapeName, input, '', faults)
  if (faults.length > 0) {
    const count = `${String(faults.length)} validation error${faults.length === 1 ? '' : 's'} detected`
    throw new KmsError('ValidationException', `${count}: ${faults.join('; ')}`)
  }
  return copy
}

function checkStructure(shapeName: ShapeName, input: object, path: string, faults: string[]): Record<string, unknown> {
  const shape = SHAPES[shapeName]
  if (shape.type !== 'structure') throw new TypeError(`${shapeName} is no structure`)
  const copy = Object.create(null) as Record<string, unknown>
  for (const [name, value] of Object.entries(input)) {
    if (value === undefined) continue
    const member = Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined
    if (member === undefined) {
      throw new KmsError('UnsupportedOperationException', `${name} is not a parameter that this KMS knows`)
    }
    copy[name] = value as unknown
    check(member, value as unknown, path + lowerCamelCase(name), faults)
  }
  for (const name of shape.required) {
    if (copy[name] === undefined || copy[name] === null) {
      faults.push(`Value at '${path}${lowerCamelCase(name)}' failed to satisfy constraint: Member must not be null`)
    }
  }
  return copy
}

function lowerCamelCase(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

function check(shapeName: ShapeName, value: unknown, path: string, faults: string[]): void {
  const shape = SHAPES[shapeName]
  if (value === null) return
  switch (shape.type) {
    case 'string':
      return checkString(shape, assertType(value, 'string', path), path, faults)
    case 'integer':
      return checkInteger(shape, assertType(value, 'number', path), path, faults)
    case 'boolean':
      assertType(value, 'boolean', path)
      return
    case 'blob':
      return checkBlob(shape, value, path, faults)
    case 'list':
      return checkList(shape, value, path, faults)
    case 'structure':
      checkStructure(shapeName, assertObject(value, path), `${path}.`, faults)
      return
    case 'map':
      assertObject(value, path)
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
  if (typeof value !== 'object' || value === null) throw new TypeError(`${path} must be an object`)
  return value
}

function fault(value: string, path: string, constraint: string): string {
  return `Value '${value}' at '${path}' failed to satisfy constraint: ${constraint}`
}

function checkString(shape: Shape & { type: 'string' }, value: string, path: string, faults: string[]): void {
  const { min, max, pattern, members } = shape
  if (min !== undefined && value.length < min) {
    faults.push(fault(value, path, `Member must have length greater than or equal to ${String(min)}`))
  }
  if (max !== undefined && value.length > max) {
    faults.push(fault(value, path, `Member must have length less than or equal to ${String(max)}`))
  }
  if (pattern !== undefined && !new RegExp(`^(?:${pattern})$`, 's').test(value)) {
    faults.push(fault(value, path, `Member must satisfy regular expression pattern: ${pattern}`))
  }
  if (members !== undefined && !members.includes(value)) {
    faults.push(fault(value, path, `Member must satisfy enum value set: [${members.join(', ')}]`))
  }
}

function checkInteger(shape: Shape & { type: 'integer' }, value: number, path: string, faults: string[]): void {
  const { min, max } = shape
  if (!Number.isInteger(value)) throw new TypeError(`${path} must be an integer`)
  if (min !== undefined && value < min) {
    faults.push(fault(String(value), path, `Member must have value greater than or equal to ${String(min)}`))
  }
  if (max !== undefined && value > max) {
    faults.push(fault(String(value), path, `Member must have value less than or equal to ${String(max)}`))
  }
}

/** The value of a blob is never part of a message: it may be secret. */
function checkBlob(shape: Shape & { type: 'blob' }, value: unknown, path: string, faults: string[]): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${path} must be a Uint8Array`)
  const { min, max } = shape
  const start = `Value at '${path}' failed to satisfy constraint: Member must have length`
  if (min !== undefined && value.length < min) faults.push(`${start} greater than or equal to ${String(min)}`)
  if (max !== undefined && value.length > max) faults.push(`${start} less than or equal to ${String(max)}`)
}

function checkList(shape: Shape & { type: 'list' }, value: unknown, path: string, faults: string[]): void {
  if (!Array.isArray(value)) throw new TypeError(`${path} must be an array`)
  if (shape.max !== undefined && value.length > shape.max) {
    faults.push(
      `Value at '${path}' failed to satisfy constraint: Member must have length less than or equal to ${String(shape.max)}`,
    )
  }
  value.forEach((member: unknown, index) => {
    check(shape.of, member, `${path}.${String(index + 1)}.member`, faults)
  })
}
