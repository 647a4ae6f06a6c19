import { describe, expect, it } from 'vitest'
import {
  createFieldSession,
  createFieldSessionSync,
  FIELD_OVERHEAD_BYTES,
  openFieldSession,
  openFieldSessionSync,
} from '../../src/field-session.ts'
import type { FieldSession, FieldSessionOptions, OpenFieldSessionOptions } from '../../src/field-session.ts'
import {
  cachingMaterials,
  decryptSync,
  encryptSync,
  inspect,
  multiKeyring,
  rawAesKeyring,
  requiredContextMaterials,
} from '../../src/index.ts'
import type { Keyring } from '../../src/index.ts'

const keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
const later: Keyring = { wrap: (materials) => keyring.wrap(materials), unwrap: (...args) => keyring.unwrap(...args) }
const encryptionContext = { tenant: 'a', purpose: 'test' }
const plaintext = new Uint8Array(100).map((_, i) => i)
const code = (name: string): unknown => expect.objectContaining({ code: `ERR_WAXSEAL_${name}` })
const PLACE = ['email', 'user/1'] as const

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice()
  changed[at]! ^= 1
  return changed
}

describe('a field session', () => {
  it.each([
    ['at once', keyring],
    ['later', later],
  ])('writes and reads values, made %s', async (_, source) => {
    const isNow = source === keyring
    const session = isNow
      ? createFieldSessionSync(source, { encryptionContext })
      : await createFieldSession(source, { encryptionContext })
    const reader = isNow ? openFieldSessionSync(source, session.header) : await openFieldSession(source, session.header)
    expect({ ...session.encryptionContext }).toEqual(encryptionContext)
    expect({ ...reader.encryptionContext }).toEqual(encryptionContext)
    for (const length of [0, 1, 16, 64, 65, 70_000, 400_000]) {
      const text = new Uint8Array(length).fill(length & 0xff)
      const value = session.encrypt(...PLACE, text)
      expect(value).toHaveLength(length + FIELD_OVERHEAD_BYTES)
      for (const from of [session, reader]) {
        expect(Buffer.compare(from.decrypt(...PLACE, value), text)).toBe(0)
        const output = new Uint8Array(length + 3).fill(9)
        expect(from.decryptInto(...PLACE, value, output)).toBe(length)
        expect(Buffer.compare(output.subarray(0, length), text)).toBe(0)
        expect(output.subarray(length)).toEqual(Uint8Array.of(9, 9, 9))
      }
      const output = new Uint8Array(length + FIELD_OVERHEAD_BYTES + 1)
      expect(session.encryptInto(...PLACE, text, output)).toBe(length + FIELD_OVERHEAD_BYTES)
      expect(Buffer.compare(reader.decrypt(...PLACE, output.subarray(0, -1)), text)).toBe(0)
    }
  })

  it('answers fresh bytes, and never twice the same', () => {
    const session = createFieldSessionSync(keyring)
    const values = [1, 2, 3].map(() => session.encrypt(...PLACE, plaintext))
    expect(values.map((value) => [...value.subarray(0, 5)])).toEqual([
      [1, 0, 0, 0, 1],
      [1, 0, 0, 0, 2],
      [1, 0, 0, 0, 3],
    ])
    for (const value of values) expect([value.byteOffset, value.buffer.byteLength]).toEqual([0, value.length])
    const other = createFieldSessionSync(keyring)
    expect(other.header).not.toEqual(session.header)
    expect(other.encrypt(...PLACE, plaintext)).not.toEqual(values[0])
  })

  it('binds each value to its session, field, record, counter and bytes', () => {
    const session = createFieldSessionSync(keyring)
    const reader = openFieldSessionSync(keyring, session.header)
    session.encrypt('a', 'bc', plaintext)
    const value = session.encrypt('a', 'bc', plaintext)
    for (const [field, record] of [
      ['ab', 'c'],
      ['a', 'bd'],
      ['b', 'bc'],
      ['a', 'b'],
      ['ä', 'bc'],
      ['a', 'bc\0'],
    ] as const) {
      expect(() => reader.decrypt(field, record, value)).toThrow(code('AUTHENTICATION'))
    }
    for (let at = 0; at < value.length; at++) {
      const output = new Uint8Array(100).fill(5)
      expect(() => reader.decryptInto('a', 'bc', flipped(value, at), output)).toThrow(
        code(at === 0 ? 'FORMAT' : 'AUTHENTICATION'),
      )
      expect(output.every((byte) => byte === 5)).toBe(true)
    }
    const foreign = createFieldSessionSync(keyring)
    expect(() => foreign.decrypt('a', 'bc', value)).toThrow(code('AUTHENTICATION'))
    for (const length of [0, 1, 5, 20]) {
      expect(() => reader.decrypt('a', 'bc', value.subarray(0, length))).toThrow(code('FORMAT'))
    }
    expect(() => reader.decrypt('a', 'bc', value.subarray(0, -1))).toThrow(code('AUTHENTICATION'))
    const zero = value.slice()
    zero.fill(0, 1, 5)
    expect(() => reader.decrypt('a', 'bc', zero)).toThrow(code('FORMAT'))
  })

  it('tells names apart that are long, equal in part or not ASCII', () => {
    const session = createFieldSessionSync(keyring)
    const names = ['a', 'aa', 'é', 'e\u0301', '\ufeffa', 'x'.repeat(600), 'x'.repeat(601), '🔒']
    const places = names.flatMap((field) => names.map((record) => [field, record] as const))
    const values = places.map((place) => session.encrypt(...place, Uint8Array.of(1)))
    values.forEach((value, i) => {
      places.forEach((place, j) => {
        if (i === j) expect(session.decrypt(...place, value)).toEqual(Uint8Array.of(1))
        else expect(() => session.decrypt(...place, value)).toThrow(code('AUTHENTICATION'))
      })
    })
  })

  it('stops hard at its limits', () => {
    const values = createFieldSessionSync(keyring, { maxValues: 2 })
    const first = values.encrypt(...PLACE, plaintext)
    values.encrypt(...PLACE, plaintext)
    const output = new Uint8Array(200)
    expect(() => values.encrypt(...PLACE, plaintext)).toThrow(code('LIMIT'))
    expect(() => values.encryptInto(...PLACE, new Uint8Array(0), output)).toThrow(code('LIMIT'))
    expect(output.every((byte) => byte === 0)).toBe(true)
    expect(values.decrypt(...PLACE, first)).toEqual(plaintext)
    const bytes = createFieldSessionSync(keyring, { maxBytes: 150 })
    bytes.encrypt(...PLACE, plaintext)
    expect(() => bytes.encrypt(...PLACE, plaintext)).toThrow(code('LIMIT'))
    bytes.encrypt(...PLACE, plaintext.subarray(0, 50))
    expect(() => bytes.encrypt(...PLACE, Uint8Array.of(1))).toThrow(code('LIMIT'))
  })

  it('is gone once it is disposed', () => {
    const session = createFieldSessionSync(keyring)
    const reader = openFieldSessionSync(keyring, session.header)
    const value = session.encrypt(...PLACE, plaintext)
    for (const closed of [session, reader]) {
      closed.dispose()
      closed.dispose()
      expect(() => closed.decrypt(...PLACE, value)).toThrow(code('DISPOSED'))
      expect(() => closed.decryptInto(...PLACE, value, new Uint8Array(100))).toThrow(code('DISPOSED'))
    }
    expect(() => session.encrypt(...PLACE, plaintext)).toThrow(code('DISPOSED'))
    expect(() => session.encryptInto(...PLACE, plaintext, new Uint8Array(200))).toThrow(code('DISPOSED'))
  })

  it('cannot be cloned, and shows no key', () => {
    const session = createFieldSessionSync(keyring)
    expect(() => structuredClone(session)).toThrow()
    expect(Object.keys(JSON.parse(JSON.stringify(session)) as object).sort()).toEqual(['encryptionContext', 'header'])
  })

  it('keeps to its own header when the caller changes his', () => {
    const session = createFieldSessionSync(keyring)
    const header = session.header.slice()
    const value = session.encrypt(...PLACE, plaintext)
    session.header.fill(0)
    expect(openFieldSessionSync(keyring, header).decrypt(...PLACE, value)).toEqual(plaintext)
  })
})

describe('the header of a session', () => {
  const session = createFieldSessionSync(keyring, { encryptionContext })

  it('does not open with a bit flipped, cut, extended or of anything else', () => {
    for (let at = 0; at < session.header.length; at++) {
      expect(() => openFieldSessionSync(keyring, flipped(session.header, at))).toThrow()
      expect(() => openFieldSessionSync(keyring, session.header.subarray(0, at))).toThrow()
    }
    const longer = Uint8Array.of(...session.header, 0)
    const message = encryptSync(keyring, plaintext)
    for (const wrong of [longer, message, Uint8Array.of(...session.header.subarray(0, 4), ...message)]) {
      expect(() => openFieldSessionSync(keyring, wrong)).toThrow(code('FORMAT'))
    }
    expect(() => openFieldSessionSync(keyring, 'wfs' as unknown as Uint8Array)).toThrow(TypeError)
  })

  it('is no message, even without its mark', () => {
    const rest = session.header.slice(4)
    expect(() => inspect(session.header)).toThrow(code('FORMAT'))
    expect(() => decryptSync(keyring, rest)).toThrow(code('AUTHENTICATION'))
  })

  it('does not open with another key, nor without one', () => {
    const other = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32) })
    expect(() => openFieldSessionSync(other, session.header)).toThrow(code('AUTHENTICATION'))
    const stranger = rawAesKeyring({ namespace: 'test', name: 'k2', wrappingKey: new Uint8Array(32) })
    expect(() => openFieldSessionSync(stranger, session.header)).toThrow(code('KEY_UNAVAILABLE'))
  })

  it('must hold the pairs that are expected', () => {
    const open = (options: OpenFieldSessionOptions): unknown => openFieldSessionSync(keyring, session.header, options)
    expect(open({ encryptionContext: { tenant: 'a' } })).toBeDefined()
    expect(() => open({ encryptionContext: { tenant: 'b' } })).toThrow(code('ENCRYPTION_CONTEXT'))
    expect(() => open({ encryptionContext: { other: '' } })).toThrow(code('ENCRYPTION_CONTEXT'))
  })

  it.each<[string, FieldSessionOptions]>([
    ['options', { requiredEncryptionContextKeys: ['tenant'] }],
    ['materials', {}],
  ])('leaves out pairs that the %s require', (by, options) => {
    const required = requiredContextMaterials({ keyring, requiredEncryptionContextKeys: ['tenant'] })
    const source = by === 'materials' ? required : keyring
    const made = createFieldSessionSync(source, { ...options, encryptionContext })
    expect({ ...made.encryptionContext }).toEqual({ purpose: 'test' })
    expect(Buffer.from(made.header).includes('tenant')).toBe(false)
    const value = made.encrypt(...PLACE, plaintext)
    const given = { ...options, encryptionContext: { tenant: 'a' } }
    expect(openFieldSessionSync(source, made.header, given).decrypt(...PLACE, value)).toEqual(plaintext)
    const wrong = { ...options, encryptionContext: { tenant: 'b' } }
    expect(() => openFieldSessionSync(source, made.header, wrong)).toThrow(code('AUTHENTICATION'))
    expect(() => openFieldSessionSync(keyring, made.header)).toThrow(code('AUTHENTICATION'))
  })

  it('may have several keys, within the limit', () => {
    const many = multiKeyring({ children: Array.from({ length: 65 }, () => keyring) })
    const { header } = createFieldSessionSync(many)
    expect(() => openFieldSessionSync(keyring, header)).toThrow(code('LIMIT'))
    expect(openFieldSessionSync(keyring, header, { maxEncryptedDataKeys: 65 })).toBeDefined()
    expect(() => createFieldSessionSync(many, { maxEncryptedDataKeys: 64 })).toThrow(code('LIMIT'))
  })
})

describe('materials of a session', () => {
  it('may come from a cache, of which its bytes are reserved', async () => {
    let calls = 0
    const counting: Keyring = {
      wrap: (materials) => {
        calls += 1
        return keyring.wrap(materials)
      },
      unwrap: (...args) => {
        calls += 1
        return keyring.unwrap(...args)
      },
    }
    const materials = cachingMaterials({ keyring: counting, maxAge: 100, maxBytes: 1000 })
    const sessions: FieldSession[] = []
    for (let i = 0; i < 3; i++) sessions.push(await createFieldSession(materials, { maxBytes: 400 }))
    expect(calls).toBe(2)
    const values = sessions.map((session) => session.encrypt(...PLACE, plaintext))
    materials.clear()
    calls = 0
    for (const [i, { header }] of sessions.slice(0, 2).entries()) {
      const reader = await openFieldSession(materials, header)
      expect(reader.decrypt(...PLACE, values[i]!)).toEqual(plaintext)
      expect(() => reader.decrypt(...PLACE, values[1 - i]!)).toThrow(code('AUTHENTICATION'))
    }
    expect(calls).toBe(1)
    expect(openFieldSessionSync(materials, sessions[0]!.header)).toBeDefined()
  })

  it('are wiped when the session stands, and when it does not', async () => {
    const taken: Uint8Array[] = []
    const watching: Keyring = {
      wrap: async (materials) => {
        await keyring.wrap(materials)
        taken.push(materials.dataKey!)
      },
      unwrap: async (materials, encryptedDataKeys) => {
        const dataKey = await keyring.unwrap(materials, encryptedDataKeys)
        taken.push(dataKey!)
        return dataKey
      },
    }
    const { header } = await createFieldSession(watching)
    await openFieldSession(watching, header)
    await expect(openFieldSession(watching, flipped(header, header.length - 1))).rejects.toThrow(code('AUTHENTICATION'))
    expect(taken).toHaveLength(3)
    expect(taken.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true)
  })

  it('are not asked for by a signal that is aborted', async () => {
    const reason = new RangeError('no longer wanted')
    const signal = AbortSignal.abort(reason)
    await expect(createFieldSession(keyring, { signal })).rejects.toBe(reason)
    const { header } = createFieldSessionSync(keyring)
    await expect(openFieldSession(keyring, header, { signal })).rejects.toBe(reason)
  })

  it('cannot be waited for by the synchronous calls', () => {
    const { header } = createFieldSessionSync(keyring)
    expect(() => createFieldSessionSync(later)).toThrow(code('UNSUPPORTED'))
    expect(() => openFieldSessionSync(later, header)).toThrow(code('UNSUPPORTED'))
  })
})

describe('arguments', () => {
  const session = createFieldSessionSync(keyring)

  it.each<[string, object, typeof TypeError | typeof RangeError]>([
    ['maxValues 0', { maxValues: 0 }, RangeError],
    ['maxValues 2^32', { maxValues: 2 ** 32 }, RangeError],
    ['maxBytes 0', { maxBytes: 0 }, RangeError],
    ['maxBytes 2^40 + 1', { maxBytes: 2 ** 40 + 1 }, RangeError],
    ['a reserved key', { encryptionContext: { 'aws-crypto-x': '' } }, TypeError],
    ['a required key without its pair', { requiredEncryptionContextKeys: ['a'] }, TypeError],
    ['a signal that is none', { signal: {} }, TypeError],
  ])('%s is refused', (_, options, error) => {
    expect(() => createFieldSessionSync(keyring, options)).toThrow(error)
  })

  it('must be names and bytes', () => {
    const any = (value: unknown): never => value as never
    for (const name of [undefined, 5, null, Uint8Array.of(1)]) {
      expect(() => session.encrypt(any(name), 'r', plaintext)).toThrow(TypeError)
      expect(() => session.encrypt('f', any(name), plaintext)).toThrow(TypeError)
    }
    expect(() => session.encrypt('', 'r', plaintext)).toThrow(RangeError)
    expect(() => session.encrypt('f', '', plaintext)).toThrow(RangeError)
    expect(() => session.encrypt('x'.repeat(65_536), 'r', plaintext)).toThrow(RangeError)
    expect(() => session.encrypt('\ud800', 'r', plaintext)).toThrow(TypeError)
    for (const bytes of ['text', [1], new Uint8Array(new SharedArrayBuffer(4))]) {
      expect(() => session.encrypt(...PLACE, any(bytes))).toThrow(TypeError)
      expect(() => session.decrypt(...PLACE, any(bytes))).toThrow(TypeError)
    }
    expect(session.encrypt(...PLACE, plaintext)[4]).toBe(1)
  })

  it('must not overlap, and outputs must have the room', () => {
    const memory = new Uint8Array(400)
    const text = memory.subarray(100, 200)
    for (const start of [0, 100, 150, 199]) {
      expect(() => session.encryptInto(...PLACE, text, memory.subarray(start, start + 121))).toThrow(RangeError)
    }
    expect(session.encryptInto(...PLACE, text, memory.subarray(200, 321))).toBe(121)
    expect(() => session.encryptInto(...PLACE, text, new Uint8Array(120))).toThrow(RangeError)
    const value = memory.subarray(200, 321)
    for (const start of [101, 200, 205, 320]) {
      expect(() => session.decryptInto(...PLACE, value, memory.subarray(start))).toThrow(RangeError)
    }
    expect(() => session.decryptInto(...PLACE, value, new Uint8Array(99))).toThrow(RangeError)
    expect(session.decryptInto(...PLACE, value, memory.subarray(0, 100))).toBe(100)
  })
})
