import { beforeAll, describe, expect, it } from 'vitest'
import { ACTION_NAMES } from '../../kms/engine/actions.ts'
import type { ActionName, Engine } from '../../kms/engine/index.ts'
import { SHAPES, type Shape, type ShapeName } from '../../kms/engine/model.ts'
import { KmsError } from '../../kms/errors.ts'
import { memoryEngine, refused } from './engine-setup.ts'

// Walks the service model: every action of it, and every constraint of each input.

let engine: Engine

beforeAll(async () => {
  engine = await memoryEngine()
})

const call = (action: string, input: object): Promise<unknown> => engine.call(action as ActionName, input)

const ACTIONS = Object.keys(SHAPES).flatMap((name) => (name.endsWith('Request') ? [name.slice(0, -7)] : []))

describe('the service model', () => {
  it('has the actions that are here, and no other', () => {
    expect([...ACTION_NAMES].sort()).toEqual([...ACTIONS].sort())
  })
})

interface Broken {
  readonly value: unknown
  /** What follows `failed to satisfy constraint: `. */
  readonly constraint: string
  readonly path: string
}

const lowerCamelCase = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1)

/** Something that the shape allows. */
function valid(name: ShapeName): unknown {
  const shape = SHAPES[name]
  switch (shape.type) {
    case 'string': {
      if (shape.members) return shape.members[0]
      const pattern = new RegExp(`^(?:${shape.pattern ?? '.*'})$`, 's')
      const samples = ['a', '0', 'https://a.b', '/kms/xks/v1', 'AA', 'us-east-1', 'cluster-']
      const padded = samples.flatMap((text) => [text, text.padEnd(shape.min ?? 1, text.slice(-1) || 'a')])
      return padded.find((text) => pattern.test(text) && text.length >= (shape.min ?? 0)) ?? 'a'
    }
    case 'blob':
      return new Uint8Array(shape.min ?? 1)
    case 'integer':
      return shape.min ?? 1
    case 'boolean':
      return false
    case 'timestamp':
      return new Date(0)
    case 'list':
      return []
    case 'map':
      return {}
    case 'structure':
      return Object.fromEntries(shape.required.map((member) => [member, valid(shape.fields[member]!)]))
  }
}

/** Every way to break the constraints of a shape, with those of what is in it. */
function broken(name: ShapeName, path: string): readonly Broken[] {
  const shape = SHAPES[name]
  if (shape.type === 'structure') return brokenMembers(shape, path)
  if (shape.type === 'list') {
    const members = broken(shape.of, `${path}.1.member`).map((one) => ({ ...one, value: [one.value] }))
    const { max } = shape
    if (max === undefined) return members
    const value = Array.from({ length: max + 1 }, () => valid(shape.of))
    return [...members, { value, path, constraint: `Member must have length less than or equal to ${String(max)}` }]
  }
  if (shape.type === 'integer') return brokenRange(shape, (value) => value, 'value', path)
  if (shape.type === 'blob') return brokenRange(shape, (length) => new Uint8Array(length), 'length', path)
  if (shape.type !== 'string') return []
  const lengths = brokenRange(shape, (length) => 'a'.repeat(length), 'length', path)
  const { pattern, members } = shape
  if (members) {
    return [{ value: 'NO_MEMBER', path, constraint: `Member must satisfy enum value set: [${members.join(', ')}]` }]
  }
  if (pattern === undefined) return lengths
  const value = '\u20ac'.repeat(Math.max(shape.min ?? 1, 1))
  return [...lengths, { value, path, constraint: `Member must satisfy regular expression pattern: ${pattern}` }]
}

function brokenRange(
  { min, max }: { readonly min?: number; readonly max?: number },
  make: (size: number) => unknown,
  kind: 'length' | 'value',
  path: string,
): readonly Broken[] {
  const constraint = (text: string, limit: number): string =>
    `Member must have ${kind} ${text} than or equal to ${String(limit)}`
  return [
    ...(min !== undefined && min > 0 ? [{ value: make(min - 1), path, constraint: constraint('greater', min) }] : []),
    ...(max !== undefined ? [{ value: make(max + 1), path, constraint: constraint('less', max) }] : []),
  ]
}

function brokenMembers(shape: Shape & { readonly type: 'structure' }, path: string): readonly Broken[] {
  const whole = Object.fromEntries(shape.required.map((member) => [member, valid(shape.fields[member]!)]))
  const start = path === '' ? '' : `${path}.`
  const absent = shape.required.map((member) => ({
    value: { ...whole, [member]: undefined },
    path: start + lowerCamelCase(member),
    constraint: 'Member must not be null',
  }))
  const members = Object.entries(shape.fields).flatMap(([member, target]) =>
    broken(target, start + lowerCamelCase(member)).map((one) => ({ ...one, value: { ...whole, [member]: one.value } })),
  )
  return [...absent, ...members]
}

describe.each(ACTION_NAMES)('%s', (action) => {
  const cases = broken(`${action}Request` as ShapeName, '')

  it('refuses every broken constraint of its input, and says which', async () => {
    const outcomes = await Promise.all(
      cases.map(async ({ value }) => call(action, value as object).catch((error: unknown) => error)),
    )
    for (const [index, error] of outcomes.entries()) {
      const { path, constraint } = cases[index]!
      expect(error, `${path}: ${constraint}`).toBeInstanceOf(KmsError)
      const { name, message } = error as KmsError
      expect(name, `${path}: ${constraint}`).toBe('ValidationException')
      expect(message).toMatch(/^\d+ validation errors? detected: Value /)
      expect(message).toContain(`at '${path}' failed to satisfy constraint: ${constraint}`)
    }
  })

  it('refuses a member that the model does not have', async () => {
    await refused(call(action, { NoMember: 1 }), 'UnsupportedOperationException', /^NoMember is not a parameter/)
  })
})

it('breaks hundreds of constraints', () => {
  const count = ACTION_NAMES.reduce((sum, action) => sum + broken(`${action}Request` as ShapeName, '').length, 0)
  expect(count).toBeGreaterThan(300)
})
