import { describe, expect, it } from 'vitest'
import { decryptionKey, encryptionKey } from '../../src/cache-key.ts'
import {
  algorithmSuites,
  cachingMaterials,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  inspect,
  materialsCache,
  requiredContextMaterials,
} from '../../src/index.ts'
import type { CommitmentPolicy, EncryptOptions, MaterialsManager } from '../../src/index.ts'
import { isWiped, setUp } from './src-caching-setup.ts'
import { aes, plaintext } from './src-setup.ts'

const A: EncryptOptions = { encryptionContext: { tenant: 'a' } }

describe('a data key', () => {
  it('is made once for many messages, each of which has a message key of its own', async () => {
    const { keyring, materials } = setUp()
    const messages = [await encrypt(materials, plaintext, A), await encrypt(materials, plaintext, A)]
    messages.push(encryptSync(materials, plaintext, A))
    expect(keyring.wraps).toBe(1)
    const headers = messages.map((message) => inspect(message))
    expect(new Set(headers.map(({ messageId }) => messageId.join())).size).toBe(3)
    expect(new Set(headers.map(({ commitment }) => commitment?.join())).size).toBe(3)
    expect(headers[1]?.encryptedDataKeys).toEqual(headers[0]?.encryptedDataKeys)
    for (const message of messages) {
      expect((await decrypt(materials, message, A)).plaintext).toEqual(plaintext)
      expect(decryptSync(materials, message, A).plaintext).toEqual(plaintext)
      expect(decryptSync(aes, message, A).plaintext).toEqual(plaintext)
    }
    expect(keyring.unwraps).toBe(1)
  })

  it('is told apart by context and suite', async () => {
    const { keyring, materials } = setUp()
    const contexts = [{}, { a: 'b' }, { b: 'a' }, { ab: '' }, { a: 'b', '': '' }, { a: '', b: '' }, { a: '1:b' }]
    for (const encryptionContext of contexts) {
      for (const algorithmSuite of [0x0478, 0x0578] as const) {
        await encrypt(materials, plaintext, { encryptionContext, algorithmSuite })
      }
    }
    expect(keyring.wraps).toBe(2 * contexts.length)
    await encrypt(materials, plaintext, { encryptionContext: { b: '', a: '' } })
    expect(keyring.wraps).toBe(2 * contexts.length)
  })

  it.each(algorithmSuites)('of $name is cached only if message keys are derived', async ({ id, kdf, isCommitting }) => {
    const { keyring, materials } = setUp()
    const commitmentPolicy: CommitmentPolicy = isCommitting
      ? 'require-encrypt-require-decrypt'
      : 'forbid-encrypt-allow-decrypt'
    const options = { algorithmSuite: id, commitmentPolicy, ...A }
    const first = await encrypt(materials, plaintext, options)
    const second = await encrypt(materials, plaintext, options)
    const calls = kdf === 'identity' ? 2 : 1
    expect(keyring.wraps).toBe(calls)
    for (let i = 0; i < 2; i++) {
      for (const message of [first, second]) {
        expect((await decrypt(materials, message, { commitmentPolicy })).plaintext).toEqual(plaintext)
      }
    }
    expect(keyring.unwraps).toBe(kdf === 'identity' ? 4 : 1)
    if (kdf === 'identity') {
      expect(() => encryptSync(materials, plaintext, options)).toThrow(
        expect.objectContaining({ code: 'ERR_WAXSEAL_UNSUPPORTED' }),
      )
    }
  })

  it('of a signed suite comes with its signing key', async () => {
    const { materials } = setUp()
    const options = { algorithmSuite: 0x0578, ...A } as const
    const keys = await Promise.all([1, 2].map(() => encrypt(materials, plaintext, options)))
    const [first, second] = keys.map((message) => inspect(message).encryptionContext['aws-crypto-public-key'])
    expect(first).toBeDefined()
    expect(second).toBe(first)
    for (const message of keys) expect((await decrypt(aes, message, A)).plaintext).toEqual(plaintext)
  })

  it('is not used by a message whose length is not known', async () => {
    const { keyring, materials } = setUp()
    const request = {
      suite: inspect(encryptSync(aes, plaintext)).algorithmSuite,
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
      random: (length: number) => new Uint8Array(length).fill(1),
      signal: undefined,
    }
    for (const plaintextLength of [undefined, undefined, 5, 5]) {
      const given = await materials.encryptionMaterials({ ...request, plaintextLength })
      given.dispose()
    }
    expect(keyring.wraps).toBe(3)
  })

  it('cannot be changed by who uses it', async () => {
    const { materials } = setUp()
    const request = {
      suite: inspect(encryptSync(aes, plaintext)).algorithmSuite,
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
      plaintextLength: 5,
      random: (length: number) => new Uint8Array(length).fill(1),
      signal: undefined,
    }
    const given = await materials.encryptionMaterials(request)
    expect(() => {
      given.setDataKey(new Uint8Array(32).fill(1))
    }).toThrow(TypeError)
    const encryptedDataKey = { providerId: 'x', providerInfo: plaintext, ciphertext: plaintext }
    expect(() => {
      given.addEncryptedDataKey(encryptedDataKey)
    }).toThrow(TypeError)
    given.dispose()
    given.dispose()
    expect(given.dataKey).toBeUndefined()
    const again = materials.encryptionMaterialsSync(request)
    expect(isWiped(again.dataKey)).toBe(false)
  })
})

describe('partitions', () => {
  it('keep managers of one cache apart unless they are the same', async () => {
    const cache = materialsCache()
    const managers = [undefined, undefined, 'p', 'p', '', 'e1144'].map((partition) => setUp({ cache, partition }))
    for (const { materials } of managers) await encrypt(materials, plaintext, A)
    expect(managers.map(({ keyring }) => keyring.wraps)).toEqual([1, 1, 1, 0, 1, 1])
    expect(cache.size).toBe(5)
    managers[3]?.materials.clear()
    expect(cache.size).toBe(4)
    await encrypt(managers[2]!.materials, plaintext, A)
    expect(managers[2]?.keyring.wraps).toBe(2)
    cache.clear()
    expect(cache.size).toBe(0)
    expect(managers.flatMap(({ keyring }) => keyring.dataKeys).every(isWiped)).toBe(true)
  })

  it('hold each manager to its own limits', async () => {
    let now = 0
    const cache = materialsCache({ clock: () => now })
    const long = setUp({ cache, partition: 'p', gracePeriod: 0 })
    const short = setUp({ cache, partition: 'p', maxAge: 10, maxMessages: 2, gracePeriod: 0 })
    await encrypt(long.materials, plaintext, A)
    await encrypt(short.materials, plaintext, A)
    expect(short.keyring.wraps).toBe(0)
    await encrypt(short.materials, plaintext, A)
    expect(short.keyring.wraps).toBe(1)
    now = 9999
    await encrypt(long.materials, plaintext, A)
    expect(long.keyring.wraps).toBe(1)
    now = 10_000
    await encrypt(long.materials, plaintext, A)
    expect(long.keyring.wraps).toBe(2)
  })
})

describe('required pairs', () => {
  const required = { requiredEncryptionContextKeys: ['tenant'] }

  it('are checked on hits, whichever manager is outside', async () => {
    const { keyring, materials } = setUp()
    const outside = requiredContextMaterials({ materials, ...required })
    const within = cachingMaterials({ materials: requiredContextMaterials({ keyring, ...required }), maxAge: 100 })
    for (const source of [outside, within]) {
      const message = await encrypt(source, plaintext, A)
      expect(Object.keys(inspect(message).encryptionContext)).toEqual([])
      expect((await decrypt(source, message, A)).plaintext).toEqual(plaintext)
      await expect(encrypt(source, plaintext)).rejects.toThrow(TypeError)
      await expect(decrypt(source, message)).rejects.toThrow(TypeError)
      const wrong = decrypt(source, message, { encryptionContext: { tenant: 'b' } })
      await expect(wrong).rejects.toMatchObject({ code: 'ERR_WAXSEAL_AUTHENTICATION' })
      const stored = encryptSync(aes, plaintext, A)
      await expect(decrypt(source, stored)).rejects.toThrow(TypeError)
      expect((await decrypt(source, stored, A)).plaintext).toEqual(plaintext)
    }
  })

  it('do not pass with an entry that was made without requiring them', async () => {
    const inner = requiredContextMaterials({ keyring: aes, ...required })
    const blind: MaterialsManager = {
      encryptionMaterials: (request) => inner.encryptionMaterials(request),
      decryptionMaterials: (request) => inner.decryptionMaterials(request),
    }
    const materials = cachingMaterials({ materials: blind, maxAge: 100 })
    const message = await encrypt(materials, plaintext, { ...A, ...required })
    await expect(encrypt(materials, plaintext, A)).rejects.toThrow(TypeError)
    await decrypt(materials, message, { ...A, ...required })
    const stored = encryptSync(aes, plaintext, A)
    await decrypt(materials, stored, { ...A, ...required })
    await expect(decrypt(materials, stored, A)).rejects.toThrow(TypeError)
  })
})

describe('what is kept to decrypt', () => {
  it('does not open a message that was changed, nor one with other data keys', async () => {
    const { keyring, materials } = setUp()
    const message = encryptSync(aes, plaintext, A)
    await decrypt(materials, message)
    for (let at = 0; at < message.length; at++) {
      const changed = message.slice()
      changed[at]! ^= 1
      await expect(decrypt(materials, changed)).rejects.toThrow()
    }
    expect((await decrypt(materials, message)).plaintext).toEqual(plaintext)
    await decrypt(materials, encryptSync(aes, plaintext, A))
    expect(keyring.unwraps).toBeGreaterThan(1)
  })

  it('is found whatever the order of the encrypted data keys', () => {
    const [first, second] = ['a', 'b'].map((text) => {
      const bytes = new TextEncoder().encode(text)
      return { providerId: text, providerInfo: bytes, ciphertext: bytes }
    })
    const { algorithmSuite: suite } = inspect(encryptSync(aes, plaintext))
    const request = { suite, encryptionContext: {}, requiredEncryptionContextKeys: [], signal: undefined }
    const confirm = (): boolean => true
    const nameOf = (...encryptedDataKeys: NonNullable<typeof first>[]): string =>
      decryptionKey({ ...request, encryptedDataKeys, confirm })
    expect(nameOf(first!, second!)).toBe(nameOf(second!, first!))
    const all = [nameOf(first!), nameOf(second!), nameOf(first!, first!), nameOf(first!, second!), nameOf()]
    expect(new Set(all).size).toBe(all.length)
    const large = { ...first!, ciphertext: new Uint8Array(65_535) }
    const larger = { ...large, ciphertext: large.ciphertext.map((_, i) => (i === 65_534 ? 1 : 0)) }
    expect(nameOf(large)).not.toBe(nameOf(larger))
    expect(nameOf(...Array.from({ length: 64 }, () => large)).length).toBeLessThan(100)
    const random = (): Uint8Array<ArrayBuffer> => new Uint8Array(0)
    const long = { ...request, encryptionContext: { a: 'x'.repeat(60_000) }, plaintextLength: 0, random }
    expect(encryptionKey(long).length).toBeLessThan(100)
  })
})
