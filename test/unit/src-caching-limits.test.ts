import { describe, expect, it } from 'vitest'
import {
  cachingMaterials,
  decrypt,
  defaultMaterials,
  encrypt,
  encryptSync,
  inspect,
  materialsCache,
} from '../../src/index.ts'
import type { CachingMaterialsOptions, EncryptOptions, MaterialsManager } from '../../src/index.ts'
import { isWiped, setUp, settled } from './src-caching-setup.ts'
import { aes, plaintext } from './src-setup.ts'

const A: EncryptOptions = { encryptionContext: { tenant: 'a' } }
const B: EncryptOptions = { encryptionContext: { tenant: 'b' } }

describe('the limits', () => {
  it('maxAge is an end, counted from before the request', async () => {
    const { keyring, materials, pass } = setUp({ gracePeriod: 0 })
    keyring.hold()
    const pending = encrypt(materials, plaintext, A)
    await settled()
    pass(60)
    keyring.release()
    await pending
    pass(39.999)
    const message = encryptSync(materials, plaintext, A)
    expect(keyring.wraps).toBe(1)
    pass(0.001)
    expect(() => encryptSync(materials, plaintext, A)).toThrow(
      expect.objectContaining({ code: 'ERR_WAXSEAL_UNSUPPORTED' }),
    )
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
    await decrypt(materials, message)
    pass(99.999)
    await decrypt(materials, message)
    expect(keyring.unwraps).toBe(1)
    pass(0.001)
    await decrypt(materials, message)
    expect(keyring.unwraps).toBe(2)
  })

  it('maxAge holds when the clock goes back or answers nonsense', async () => {
    let now = 1000
    const { keyring, materials } = setUp({ clock: () => now })
    for (const time of [1000, 999, NaN, NaN]) {
      now = time
      await encrypt(materials, plaintext, A)
    }
    expect(keyring.wraps).toBe(4)
  })

  it('maxMessages', async () => {
    const { keyring, materials } = setUp({ maxMessages: 3 })
    for (let i = 1; i <= 10; i++) {
      await encrypt(materials, plaintext, A)
      expect(keyring.wraps).toBe(Math.ceil(i / 3))
    }
  })

  it('maxMessages among those who wait together', async () => {
    const { keyring, materials } = setUp({ maxMessages: 3 })
    const messages = await Promise.all(Array.from({ length: 10 }, () => encrypt(materials, plaintext, A)))
    expect(keyring.wraps).toBe(4)
    const uses = new Map<string, number>()
    for (const message of messages) {
      const key = String(inspect(message).encryptedDataKeys[0]?.ciphertext)
      uses.set(key, (uses.get(key) ?? 0) + 1)
    }
    expect([...uses.values()].sort()).toEqual([1, 3, 3, 3])
  })

  it('maxBytes, and longer messages get a data key of their own', async () => {
    const { keyring, materials } = setUp({ maxBytes: 10 })
    const write = (length: number): Promise<Uint8Array> => encrypt(materials, new Uint8Array(length), A)
    await write(4)
    await write(6)
    await write(0)
    expect(keyring.wraps).toBe(1)
    await write(1)
    expect(keyring.wraps).toBe(2)
    await write(11)
    await write(11)
    expect(keyring.wraps).toBe(4)
    await write(9)
    expect(keyring.wraps).toBe(4)
    await write(1)
    expect(keyring.wraps).toBe(5)
    expect(() => encryptSync(materials, new Uint8Array(11), A)).toThrow(
      expect.objectContaining({ code: 'ERR_WAXSEAL_UNSUPPORTED' }),
    )
  })

  it('are reserved before use: a message that fails has used its share', async () => {
    const { keyring, materials } = setUp({ maxMessages: 2 })
    await encrypt(materials, plaintext, A)
    await expect(encrypt(materials, plaintext, { ...A, frameLength: 1, maxEncryptedDataKeys: 0 })).rejects.toThrow(
      RangeError,
    )
    const failing: MaterialsManager = {
      encryptionMaterials: async (request) => {
        const given = await materials.encryptionMaterials(request)
        given.dispose()
        return given
      },
      decryptionMaterials: (request) => materials.decryptionMaterials(request),
    }
    await expect(encrypt(failing, plaintext, A)).rejects.toThrow(TypeError)
    expect(keyring.wraps).toBe(1)
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
  })

  it('capacity is hard, and the least recently used entry goes', async () => {
    const cache = materialsCache({ capacity: 2 })
    const { keyring, materials } = setUp({ cache })
    const write = (tenant: string): Promise<Uint8Array> =>
      encrypt(materials, plaintext, { encryptionContext: { tenant } })
    await write('a')
    await write('b')
    await write('a')
    await write('c')
    expect(cache.size).toBe(2)
    expect(keyring.dataKeys.map(isWiped)).toEqual([false, true, false])
    await write('a')
    expect(keyring.wraps).toBe(3)
    await write('b')
    expect(keyring.wraps).toBe(4)
    expect(cache.size).toBe(2)
    await Promise.all(Array.from({ length: 50 }, (_, i) => write(String(i))))
    expect(cache.size).toBe(2)
    expect(keyring.dataKeys.map(isWiped).filter((wiped) => !wiped)).toHaveLength(2)
  })

  it('capacity may be nothing', async () => {
    const { keyring, materials } = setUp({ capacity: 0 })
    await encrypt(materials, plaintext, A)
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
    expect(keyring.dataKeys.every(isWiped)).toBe(true)
  })

  it('expired entries at the end of the row are wiped though nobody asks for them', async () => {
    const { keyring, materials, pass } = setUp()
    await encrypt(materials, plaintext, A)
    pass(101)
    await encrypt(materials, plaintext, B)
    expect(keyring.dataKeys.map(isWiped)).toEqual([true, false])
    pass(102)
    const short = encryptSync(cachingMaterials({ keyring: aes, maxAge: 1 }), plaintext, A)
    await decrypt(materials, short)
    expect(keyring.dataKeys.map(isWiped)).toEqual([true, true, false])
  })

  it.each<[string, object, typeof RangeError | typeof TypeError]>([
    ['no maxAge', { maxAge: undefined }, RangeError],
    ['maxAge 0', { maxAge: 0 }, RangeError],
    ['maxAge NaN', { maxAge: NaN }, RangeError],
    ['maxAge Infinity', { maxAge: Infinity }, RangeError],
    ['maxAge of a string', { maxAge: '100' }, RangeError],
    ['maxMessages 0', { maxMessages: 0 }, RangeError],
    ['maxMessages 2^32 + 1', { maxMessages: 2 ** 32 + 1 }, RangeError],
    ['maxBytes -1', { maxBytes: -1 }, RangeError],
    ['maxBytes 2^53', { maxBytes: 2 ** 53 }, RangeError],
    ['capacity -1', { capacity: -1 }, RangeError],
    ['capacity 2^24', { capacity: 2 ** 24 }, RangeError],
    ['capacity 1.5', { capacity: 1.5 }, RangeError],
    ['gracePeriod beyond maxAge', { gracePeriod: 101 }, RangeError],
    ['gracePeriod NaN', { gracePeriod: NaN }, RangeError],
    ['graceInterval 0', { graceInterval: 0 }, RangeError],
    ['inFlightTtl 0', { inFlightTtl: 0 }, RangeError],
    ['fanOut 0', { fanOut: 0 }, RangeError],
    ['a clock that is none', { clock: 5 }, TypeError],
    ['a partition that is no string', { partition: 5 }, TypeError],
    ['a partition without UTF-8', { partition: '\ud800' }, TypeError],
    ['a cache that is none', { cache: {} }, TypeError],
    ['a cache and its options', { cache: materialsCache(), capacity: 5 }, TypeError],
    ['a keyring and materials', { materials: defaultMaterials(aes) }, TypeError],
    ['neither', { keyring: undefined }, TypeError],
    ['something else', { keyring: {} }, TypeError],
  ])('refuses %s', (_, options, error) => {
    const wrong = { keyring: aes, maxAge: 100, ...options } as CachingMaterialsOptions
    expect(() => cachingMaterials(wrong)).toThrow(error)
  })

  it('refuses what are no options', () => {
    expect(() => cachingMaterials(null as unknown as CachingMaterialsOptions)).toThrow(TypeError)
    expect(() => cachingMaterials('x' as unknown as CachingMaterialsOptions)).toThrow(TypeError)
  })
})
