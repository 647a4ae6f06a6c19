import { fromBase64, toBase64 } from '../base64.ts'
import { SHAPES, type Shape, type ShapeName } from '../engine/model.ts'
import { Refusal } from './refusal.ts'

// AWS JSON 1.1: bytes are base64, times are seconds since 1970.

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Name of the input shape of an action, if the service has such an action. */
export function inputShape(action: string): ShapeName | undefined {
  const name = `${action}Request`
  return Object.hasOwn(SHAPES, name) ? (name as ShapeName) : undefined
}

/**
 * Reads the body of a request into the input of an action: what JSON has no type for gets the type of its shape. Members
 * that the shape does not know are passed on as they are.
 *
 * @throws Refusal `SerializationException` for what is not JSON, or of another type than the shape says
 */
export function readInput(shapeName: ShapeName, body: Uint8Array): Record<string, unknown> {
  let json: unknown
  try {
    json = JSON.parse(DECODER.decode(body))
  } catch {
    throw new Refusal('SerializationException', 'The body is not JSON in UTF-8.')
  }
  return decode(shapeName, json) as Record<string, unknown>
}

function decode(shapeName: ShapeName, value: unknown): unknown {
  const shape: Shape = SHAPES[shapeName]
  switch (shape.type) {
    case 'structure':
      return decodeMembers(object(value), (name) =>
        Object.hasOwn(shape.fields, name) ? shape.fields[name] : undefined,
      )
    case 'map':
      return decodeMembers(object(value), () => 'EncryptionContextValue')
    case 'list':
      if (!Array.isArray(value)) throw unexpected(value, 'List')
      return value.map((member: unknown) => (member === null ? null : decode(shape.of, member)))
    case 'blob':
      return bytes(value)
    case 'string':
      if (typeof value !== 'string') throw unexpected(value, 'String')
      return value
    case 'integer':
      if (!Number.isSafeInteger(value)) throw unexpected(value, 'Integer')
      return value
    case 'boolean':
      if (typeof value !== 'boolean') throw unexpected(value, 'Boolean')
      return value
    case 'timestamp':
      return time(value)
  }
}

function decodeMembers(value: object, shapeOf: (name: string) => ShapeName | undefined): Record<string, unknown> {
  const members = Object.create(null) as Record<string, unknown>
  for (const [name, member] of Object.entries(value) as [string, unknown][]) {
    const shape = member === null ? undefined : shapeOf(name)
    members[name] = shape === undefined ? member : decode(shape, member)
  }
  return members
}

function object(value: unknown): object {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unexpected(value, 'Structure or Map')
  return value
}

function time(value: unknown): Date {
  const date = typeof value === 'number' ? new Date(value * 1000) : undefined
  if (date === undefined || Number.isNaN(date.getTime())) throw unexpected(value, 'Timestamp')
  return date
}

function bytes(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw unexpected(value, 'Blob')
  const decoded = fromBase64(value)
  if (!decoded) throw new Refusal('SerializationException', 'A blob must be base64, padded.')
  return decoded
}

/** The value itself stays out of the message: it may be secret. */
function unexpected(value: unknown, wanted: string): Refusal {
  const type = value === null ? 'NULL' : Array.isArray(value) ? 'LIST' : typeof value
  return new Refusal('SerializationException', `${type.toUpperCase()}_VALUE cannot be converted to ${wanted}`)
}

/** Writes the output of an action, and wipes the bytes in it. An action without output has an empty body. */
export function writeOutput(output: unknown): string {
  return output === undefined ? '' : JSON.stringify(encode(output))
}

function encode(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) {
    const text = toBase64(value)
    value.fill(0)
    return text
  }
  if (value instanceof Date) return value.getTime() / 1000
  if (Array.isArray(value)) return value.map(encode)
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, encode(member)]))
}

/** Wipes the bytes among the members of an input: nothing that lies deeper is secret. */
export function wipeInput(input: Readonly<Record<string, unknown>>): void {
  for (const member of Object.values(input)) if (member instanceof Uint8Array) member.fill(0)
}
