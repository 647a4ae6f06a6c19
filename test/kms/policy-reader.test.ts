import { expect, it } from 'vitest'
import { PolicyReader } from '../../kms/policy/index.ts'
import { policyText, statement } from './policy-setup.ts'

const text = (sid: string): string => policyText(statement({ Sid: sid }))

it('reads the same text once, and forgets what was not read for long', () => {
  const reader = new PolicyReader(2)
  const first = reader.read(text('a'), 'key')
  const second = reader.read(text('b'), 'key')
  expect(reader.read(text('a'), 'key')).toBe(first)
  expect(reader.read(text('c'), 'key').statements[0]?.sid).toBe('c')
  expect(reader.read(text('a'), 'key')).toBe(first)
  expect(reader.read(text('b'), 'key')).not.toBe(second)
  expect(reader.read(text('b'), 'key').text).toBe(text('b'))
})

it('keeps what a text is in another kind of policy apart, and nothing that is refused', () => {
  const reader = new PolicyReader()
  const refused = /must not name principals/
  reader.read(text('a'), 'key')
  expect(() => reader.read(text('a'), 'identity')).toThrow(refused)
  expect(() => reader.read(text('a'), 'identity')).toThrow(refused)
})
