import { afterEach, describe, expect, it, vi } from 'vitest'
import { createFieldSessionSync, openFieldSessionSync } from '../../src/field-session.ts'
import { rawAesKeyring } from '../../src/index.ts'
import { FIELD_SESSIONS, type FieldSessionVector } from '../conformance/field-vectors.ts'
import { referenceHeader, referenceValue, type SessionInput } from './field-session-reference.ts'

const NAMES = { namespace: 'fields', name: 'k1' }

function bytes(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (seed * 31 + i * 7 + (i >> 3)) & 0xff))
}

const VALUES = [
  { counter: 1, field: 'email', record: 'user/1', plaintext: Buffer.from('ada@example.org') },
  { counter: 2, field: 'email', record: 'user/1', plaintext: Buffer.alloc(0) },
  { counter: 3, field: '名前', record: '👩‍💻', plaintext: bytes(64, 3) },
  { counter: 0x01020304, field: 'f'.repeat(300), record: 'r'.repeat(300), plaintext: bytes(129, 4) },
  { counter: 0xffffffff, field: 'last', record: 'one', plaintext: bytes(1, 5) },
]

/** The bytes that one draw gives, in the order in which a session takes them. */
const DRAW = bytes(320, 9)

function sessionOf(stored: SessionInput['stored'], required: SessionInput['required'] = []): SessionInput {
  const [dataKey, wrappingIv, id] = [DRAW.subarray(0, 32), DRAW.subarray(32, 44), DRAW.subarray(44, 76)]
  return { ...NAMES, wrappingKey: bytes(32, 1), dataKey, wrappingIv, id, stored, required }
}

const SESSIONS: Readonly<Record<string, SessionInput>> = {
  'no context': sessionOf([]),
  'a context': sessionOf([
    ['tenant', 'a'],
    ['～', ''],
    ['🔒', 'beyond the BMP'],
  ]),
  'a required pair': sessionOf([['purpose', 'test']], [['tenant', 'a']]),
}

/** What the committed vectors must be. */
function generate(): FieldSessionVector[] {
  return Object.entries(SESSIONS).map(([what, session]) => ({
    ...NAMES,
    what,
    wrappingKey: session.wrappingKey.toString('hex'),
    encryptionContext: Object.fromEntries([...session.stored, ...session.required]),
    requiredEncryptionContextKeys: session.required.map(([key]) => key),
    header: referenceHeader(session).toString('hex'),
    values: VALUES.map((value) => ({
      field: value.field,
      record: value.record,
      plaintext: value.plaintext.toString('hex'),
      value: referenceValue(session, value).toString('hex'),
    })),
  }))
}

afterEach(() => {
  vi.restoreAllMocks()
})

it('the committed vectors are what the construction gives with node:crypto alone', () => {
  expect(FIELD_SESSIONS).toEqual(generate())
})

describe.each(FIELD_SESSIONS)('a session with $what', (vector) => {
  const wrappingKey = Uint8Array.from(Buffer.from(vector.wrappingKey, 'hex'))
  const keyring = rawAesKeyring({ ...NAMES, wrappingKey })
  const { encryptionContext, requiredEncryptionContextKeys } = vector
  const options = { encryptionContext, requiredEncryptionContextKeys }

  it('is opened', () => {
    const reader = openFieldSessionSync(keyring, Buffer.from(vector.header, 'hex'), options)
    for (const { field, record, plaintext, value } of vector.values) {
      const opened = reader.decrypt(field, record, Buffer.from(value, 'hex'))
      expect(Buffer.from(opened).toString('hex')).toBe(plaintext)
    }
  })

  it('is written to the byte', () => {
    vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation((array) => {
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength).set(DRAW)
      return array
    })
    const session = createFieldSessionSync(keyring, options)
    expect(Buffer.from(session.header).toString('hex')).toBe(vector.header)
    for (const { field, record, plaintext, value } of vector.values.slice(0, 3)) {
      const sealed = session.encrypt(field, record, Buffer.from(plaintext, 'hex'))
      expect(Buffer.from(sealed).toString('hex')).toBe(value)
    }
  })
})
