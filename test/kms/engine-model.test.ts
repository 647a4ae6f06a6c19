import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SHAPES, type Shape, type ShapeName } from '../../kms/engine/model.ts'

/** A shape as the public service model of AWS KMS writes it. */
interface ModelShape {
  readonly type: string
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
  readonly sensitive?: boolean
  readonly required?: readonly string[]
  readonly members?: Readonly<Record<string, { readonly shape: string }>>
  readonly member?: { readonly shape: string }
  readonly key?: { readonly shape: string }
  readonly value?: { readonly shape: string }
}

interface ServiceModel {
  readonly operations: Readonly<Record<string, { readonly input?: { readonly shape: string } }>>
  readonly shapes: Readonly<Record<string, ModelShape>>
}

const ACTIONS = Object.keys(SHAPES).flatMap((name) => (name.endsWith('Request') ? [name.slice(0, -7)] : []))

const names = Object.keys(SHAPES) as ShapeName[]

function membersOf(shape: Shape): readonly string[] {
  if (shape.type === 'structure') return Object.values(shape.fields)
  return shape.type === 'list' ? [shape.of] : []
}

describe('the model', () => {
  it('holds every shape that it names, and none that nobody names', () => {
    const named = names.flatMap((name) => membersOf(SHAPES[name]))
    const ofMap = ['EncryptionContextKey', 'EncryptionContextValue']
    const inputs = ACTIONS.map((action) => `${action}Request`)
    expect([...new Set([...named, ...ofMap, ...inputs])].sort()).toEqual([...names].sort())
  })

  it('requires only what it knows', () => {
    for (const name of names) {
      const shape = SHAPES[name]
      if (shape.type === 'structure')
        expect(Object.keys(shape.fields)).toEqual(expect.arrayContaining([...shape.required]))
    }
  })

  it('has patterns that compile', () => {
    const patterns = names.flatMap((name) => {
      const shape = SHAPES[name]
      return shape.type === 'string' && shape.pattern !== undefined ? [shape.pattern] : []
    })
    expect(patterns.map((pattern) => new RegExp(pattern).source)).toHaveLength(17)
  })
})

/** ML-KEM came after that model. */
const NEWER_ACTIONS = ['Encapsulate', 'Decapsulate']
const NEWER_SHAPES = ['EncapsulationAlgorithmSpec', 'EncapsulateRequest', 'DecapsulateRequest']
const NEWER_MEMBERS = [...NEWER_ACTIONS, 'ENCAPSULATE_DECAPSULATE', 'ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024']

/** The public service model, where it lies beside the repository. */
const file = new URL('../../../shared/kms/service-model.json', import.meta.url)

if (existsSync(file)) {
  const model = JSON.parse(readFileSync(file, 'utf8')) as ServiceModel

  describe('the public service model', () => {
    it.each(ACTIONS.filter((action) => !NEWER_ACTIONS.includes(action)))('names the input of %s so', (action) => {
      expect(model.operations[action]?.input?.shape).toBe(`${action}Request`)
    })

    it.each(names.filter((name) => !NEWER_SHAPES.includes(name)))('has %s with the same constraints', (name) => {
      const theirs = model.shapes[name]
      expect(comparable(SHAPES[name])).toEqual(theirs && ofModel(theirs))
    })

    it('has nothing of what is said to be newer', () => {
      expect(Object.keys(model.operations)).not.toEqual(expect.arrayContaining(NEWER_ACTIONS))
      expect(NEWER_SHAPES.filter((name) => name in model.shapes)).toEqual([])
      expect(NEWER_MEMBERS.filter((member) => JSON.stringify(model).includes(`"${member}"`))).toEqual([])
    })
  })
}

function comparable(shape: Shape): object {
  switch (shape.type) {
    case 'string': {
      const { members, ...rest } = shape
      if (members === undefined) return rest
      return { ...rest, enum: members.filter((member) => !NEWER_MEMBERS.includes(member)) }
    }
    case 'list': {
      const { of, ...rest } = shape
      return { ...rest, member: of }
    }
    case 'map':
      return { type: 'map', key: 'EncryptionContextKey', value: 'EncryptionContextValue' }
    default:
      return shape
  }
}

function ofModel({ type, min, max, pattern, enum: values, sensitive, ...shape }: ModelShape): object {
  const constraints = Object.fromEntries(
    Object.entries({ min, max, pattern, enum: values, isSecret: sensitive }).filter(([, value]) => value !== undefined),
  )
  const { required = [], members, member, key, value } = shape
  const fields = Object.entries(members ?? {}).map(([name, { shape: target }]) => [name, target])
  return {
    type,
    ...constraints,
    ...(type === 'structure' && { required, fields: Object.fromEntries(fields) as unknown }),
    ...(type === 'list' && { member: member?.shape }),
    ...(type === 'map' && { key: key?.shape, value: value?.shape }),
  }
}
