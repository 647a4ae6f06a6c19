import { expect, it } from 'vitest'
import { PolicyReader } from '../../kms/policy/index.ts'
import { policyText, statement } from './policy-setup.ts'

const text = (sid: string): string => policyText(statement({ Sid: sid }))

it('reads the same text once, and forgets what was not read for long', () => {
  const reader = new PolicyReader(2 * text('a').length)
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

it('keeps nothing that it only checks', () => {
  const reader = new PolicyReader()
  const checked = reader.check(text('a'), 'key')
  expect(checked.text).toBe(text('a'))
  expect(reader.check(text('a'), 'key')).not.toBe(checked)
  const read = reader.read(text('a'), 'key')
  expect(reader.check(text('a'), 'key')).toBe(read)
  expect(() => reader.check('{}', 'key')).toThrow(/at least one statement/)
})

it('keeps fewer policies the larger they are, and hundreds of ordinary ones', () => {
  const countKept = (count: number, members: number): number => {
    const reader = new PolicyReader()
    const resources = Array.from({ length: members }, () => 'arn:*')
    const texts = Array.from({ length: count }, (_, i) =>
      policyText(statement({ Sid: String(i), Resource: resources })),
    )
    const documents = texts.map((policy) => reader.read(policy, 'key'))
    return documents.filter((document) => reader.check(document.text, 'key') === document).length
  }
  expect(countKept(1024, 1)).toBeGreaterThan(512)
  expect(countKept(12, 4000)).toBe(8)
})
