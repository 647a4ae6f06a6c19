import { describe, expect, it } from 'vitest'
import { serializeHeader } from '../../bindings/message.ts'
import {
  algorithmSuite,
  createEncryptionMaterials,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  FormatError,
  inspect,
  rawAesKeyring,
} from '../../src/index.ts'
import type { EncryptionContext, Keyring } from '../../src/index.ts'

const keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
const plaintext = Uint8Array.of(1, 2, 3)

function roundTrip(encryptionContext: EncryptionContext): EncryptionContext {
  return decryptSync(keyring, encryptSync(keyring, plaintext, { encryptionContext })).header.encryptionContext
}

/** What a caller in JavaScript could pass. */
function wrongContext(value: unknown): { encryptionContext: EncryptionContext } {
  return { encryptionContext: value as EncryptionContext }
}

describe('encryption context', () => {
  it('is written in the order of its UTF-8 bytes, not of UTF-16 code units', () => {
    const keys = ['z', '\u{1f600}', '\uff5e', '', 'a', 'ab']
    const message = encryptSync(keyring, plaintext, {
      encryptionContext: Object.fromEntries(keys.map((key) => [key, 'v'])),
    })
    expect(Object.keys(inspect(message).encryptionContext)).toEqual(['', 'a', 'ab', 'z', '\uff5e', '\u{1f600}'])
    expect(decryptSync(keyring, message).plaintext).toEqual(plaintext)
  })

  it('keeps a byte order mark, and takes keys that differ in one only for two', () => {
    const context = { '\ufeffa': '\ufeff', a: '' }
    expect({ ...roundTrip(context) }).toEqual(context)
  })

  it('takes __proto__ for a key like any other, and answers no prototype', () => {
    const context = JSON.parse('{"__proto__":"own","constructor":"too"}') as EncryptionContext
    const header = roundTrip(context)
    expect(Object.getPrototypeOf(header)).toBeNull()
    expect(Object.entries(header)).toEqual([
      ['__proto__', 'own'],
      ['constructor', 'too'],
    ])
    expect(roundTrip({})).not.toHaveProperty('toString')
    const required = { encryptionContext: context, requiredEncryptionContextKeys: ['__proto__'] }
    const message = encryptSync(keyring, plaintext, required)
    expect(Object.keys(inspect(message).encryptionContext)).toEqual(['constructor'])
    expect(decryptSync(keyring, message, required).plaintext).toEqual(plaintext)
  })

  it('does not find inherited pairs in a message', () => {
    const message = encryptSync(keyring, plaintext)
    expect(() => decryptSync(keyring, message, { encryptionContext: { toString: 'x' } })).toThrow(
      expect.objectContaining({ code: 'ERR_WAXSEAL_ENCRYPTION_CONTEXT' }),
    )
  })

  it('takes own keys only', () => {
    const inherited = Object.create({ tenant: 'a' }) as EncryptionContext
    expect(() => encryptSync(keyring, plaintext, { encryptionContext: inherited })).toThrow(TypeError)
    const hidden = Object.defineProperty({ shown: '1' }, 'hidden', { value: '2' })
    expect({ ...roundTrip(hidden) }).toEqual({ shown: '1' })
  })

  it.each([
    ['a Map', new Map([['tenant', 'a']])],
    ['an array', ['tenant']],
    ['a string', 'tenant=a'],
    ['null', null],
    ['a number as value', { tenant: 1 }],
    ['a value left out', { tenant: undefined }],
    ['a lone surrogate as key', { '\ud83d': 'a' }],
    ['a lone surrogate as value', { tenant: '\udd12\ud83d' }],
  ])('refuses %s', (_, context) => {
    expect(() => encryptSync(keyring, plaintext, wrongContext(context))).toThrow(TypeError)
    const message = encryptSync(keyring, plaintext)
    expect(() => decryptSync(keyring, message, wrongContext(context))).toThrow(TypeError)
  })

  it('refuses reserved keys on encryption', () => {
    for (const key of ['aws-crypto-public-key', 'aws-crypto-', 'aws-crypto-x']) {
      expect(() => encryptSync(keyring, plaintext, { encryptionContext: { [key]: '' } })).toThrow(TypeError)
    }
    expect({ ...roundTrip({ 'aws-crypto': '', 'AWS-crypto-x': '' }) }).toEqual({ 'aws-crypto': '', 'AWS-crypto-x': '' })
  })

  it('holds 65,535 bytes with count and lengths, and no more', () => {
    const longest = { k: 'v'.repeat(65_535 - 2 - 4 - 1) }
    expect(roundTrip(longest).k).toBe(longest.k)
    expect(() => roundTrip({ k: `${longest.k}v` })).toThrow(RangeError)
    expect(() => roundTrip({ [`k`.repeat(65_536)]: '' })).toThrow(RangeError)
    const message = encryptSync(keyring, plaintext, { encryptionContext: longest })
    const options = { encryptionContext: { a: '' }, requiredEncryptionContextKeys: ['a'] }
    expect(() => decryptSync(keyring, message, options)).toThrow(RangeError)
  })

  it.each([
    ['a key twice', [bytes('a'), bytes('1'), bytes('a'), bytes('2')]],
    ['a key that is not UTF-8', [Uint8Array.of(0xff), bytes('1')]],
    ['a value that is not UTF-8', [bytes('a'), Uint8Array.of(0xc0, 0x80)]],
    ['an encoded surrogate', [bytes('a'), Uint8Array.of(0xed, 0xa0, 0x80)]],
  ])('refuses a header with %s', (_, parts) => {
    const context = Array.from({ length: parts.length / 2 }, (__, i) => [parts[2 * i]!, parts[2 * i + 1]!] as const)
    const suite = algorithmSuite(0x0478)
    const edk = { providerId: 'test', providerInfo: bytes('k1'), ciphertext: new Uint8Array(48) }
    const zeros = new Uint8Array(32)
    const fields = { suite, messageId: zeros, context, encryptedDataKeys: [edk], frameLength: 1, commitment: zeros }
    const message = Buffer.concat([serializeHeader(fields), new Uint8Array(100)])
    expect(() => decryptSync(keyring, message)).toThrow(FormatError)
    expect(() => inspect(message)).toThrow(FormatError)
  })
})

describe('what a caller changes after the call', () => {
  it('is not written', async () => {
    const encryptionContext: Record<string, string> = { tenant: 'a' }
    const options = { encryptionContext, requiredEncryptionContextKeys: ['tenant'], frameLength: 2 }
    const pending = encrypt(keyring, plaintext, options)
    encryptionContext.tenant = 'b'
    encryptionContext.other = 'c'
    options.requiredEncryptionContextKeys.length = 0
    options.frameLength = 1
    const message = await pending
    expect(inspect(message)).toMatchObject({ encryptionContext: {}, frameLength: 2 })
    const asked = { encryptionContext: { tenant: 'a' }, requiredEncryptionContextKeys: ['tenant'] }
    expect(decryptSync(keyring, message, asked).plaintext).toEqual(plaintext)
  })

  it('does not change what is compared', async () => {
    const message = encryptSync(keyring, plaintext, { encryptionContext: { tenant: 'a' } })
    const encryptionContext: Record<string, string> = { tenant: 'b' }
    const pending = decrypt(keyring, message, { encryptionContext })
    encryptionContext.tenant = 'a'
    await expect(pending).rejects.toMatchObject({ code: 'ERR_WAXSEAL_ENCRYPTION_CONTEXT' })
  })

  it.each([Uint8Array, Buffer])('does not change the header that is read (%o)', async (type) => {
    const context = { tenant: 'a' }
    const message = type.from(encryptSync(keyring, plaintext, { encryptionContext: context }))
    const headerBytes = inspect(message).byteLength
    const meddler: Keyring = {
      wrap: (materials) => keyring.wrap(materials),
      unwrap: async (materials, encryptedDataKeys) => {
        message.fill(0, 0, headerBytes)
        return keyring.unwrap(materials, encryptedDataKeys)
      },
    }
    const result = await decrypt(meddler, message, { encryptionContext: context })
    expect(result.plaintext).toEqual(plaintext)
    expect(result.header.encryptionContext).toEqual(Object.assign(Object.create(null) as object, context))
  })
})

describe('materials', () => {
  it('bind the sorted context to wrapping keys, as count and entries, and nothing for no pair', () => {
    const request = {
      suite: algorithmSuite(0x0478),
      requiredEncryptionContextKeys: [],
      plaintextLength: 0,
      random: () => new Uint8Array(0),
      signal: undefined,
    }
    const of = (encryptionContext: EncryptionContext): Uint8Array =>
      createEncryptionMaterials({ ...request, encryptionContext }).serializedContext
    expect(of({})).toEqual(new Uint8Array(0))
    expect(of({ b: '2', a: '' })).toEqual(Uint8Array.of(0, 2, 0, 1, 97, 0, 0, 0, 1, 98, 0, 1, 50))
  })
})

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}
