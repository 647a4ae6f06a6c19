import { describe, expect, it } from 'vitest'
import {
  createEncryptionMaterials,
  decrypt,
  decryptSync,
  defaultMaterials,
  encrypt,
  encryptSync,
  inspect,
  rawAesKeyring,
  requiredContextMaterials,
  UnsupportedError,
} from '../../src/index.ts'
import type { EncryptionContext, Keyring, MaterialsManager, RequiredContextMaterialsOptions } from '../../src/index.ts'

const keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
const plaintext = Uint8Array.of(1, 2, 3)
const encryptionContext: EncryptionContext = { tenant: 'a', purpose: 'test' }
const requiredEncryptionContextKeys = ['tenant']
const materials = requiredContextMaterials({ keyring, requiredEncryptionContextKeys })

describe('requiredContextMaterials', () => {
  it.each(['later', 'at once'])('keeps its pairs out of messages and wants them again, %s', async (when) => {
    const isNow = when === 'at once'
    const message = isNow
      ? encryptSync(materials, plaintext, { encryptionContext })
      : await encrypt(materials, plaintext, { encryptionContext })
    expect({ ...inspect(message).encryptionContext }).toEqual({ purpose: 'test' })
    const options = { encryptionContext: { tenant: 'a' } }
    const opened = isNow ? decryptSync(materials, message, options) : await decrypt(materials, message, options)
    expect(opened.plaintext).toEqual(plaintext)
    const wrong = decrypt(materials, message, { encryptionContext: { tenant: 'b' } })
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_WAXSEAL_AUTHENTICATION' })
    await expect(decrypt(materials, message)).rejects.toThrow(TypeError)
    expect(() => decryptSync(materials, message, { encryptionContext: { purpose: 'test' } })).toThrow(TypeError)
  })

  it('refuses messages without its pairs before its keyring is asked', async () => {
    let calls = 0
    const asked: Keyring = {
      wrap: async () => void (calls += 1),
      unwrap: async () => void (calls += 1),
    }
    const source = requiredContextMaterials({ keyring: asked, requiredEncryptionContextKeys })
    await expect(encrypt(source, plaintext)).rejects.toThrow(TypeError)
    await expect(encrypt(source, plaintext, { encryptionContext: { Tenant: 'a' } })).rejects.toThrow(TypeError)
    expect(calls).toBe(0)
    await expect(encrypt(source, plaintext, { encryptionContext })).rejects.toThrow()
    expect(calls).toBe(1)
    expect(() => encryptSync(source, plaintext, { encryptionContext })).toThrow(UnsupportedError)
    expect(() => decryptSync(source, new Uint8Array(0))).toThrow(UnsupportedError)
  })

  it('reads what options required, and the other way about', async () => {
    const byOption = encryptSync(keyring, plaintext, { encryptionContext, requiredEncryptionContextKeys })
    expect((await decrypt(materials, byOption, { encryptionContext })).plaintext).toEqual(plaintext)
    const byManager = encryptSync(materials, plaintext, { encryptionContext })
    const options = { encryptionContext, requiredEncryptionContextKeys }
    expect((await decrypt(keyring, byManager, options)).plaintext).toEqual(plaintext)
  })

  it('reads messages that store the pair, if its value is the one given', async () => {
    const stored = encryptSync(keyring, plaintext, { encryptionContext })
    expect(decryptSync(materials, stored, { encryptionContext: { tenant: 'a' } }).plaintext).toEqual(plaintext)
    const wrong = decrypt(materials, stored, { encryptionContext: { tenant: 'b' } })
    await expect(wrong).rejects.toMatchObject({ code: 'ERR_WAXSEAL_ENCRYPTION_CONTEXT' })
  })

  it('adds its keys to those of the options and of the manager inside', () => {
    const both = requiredContextMaterials({ materials, requiredEncryptionContextKeys: ['purpose'] })
    expect(both.requiredEncryptionContextKeys).toEqual(['tenant', 'purpose'])
    const message = encryptSync(both, plaintext, { encryptionContext })
    expect(Object.keys(inspect(message).encryptionContext)).toEqual([])
    expect(decryptSync(both, message, { encryptionContext }).plaintext).toEqual(plaintext)
    const more = { encryptionContext: { ...encryptionContext, more: '' }, requiredEncryptionContextKeys: ['more'] }
    expect(Object.keys(inspect(encryptSync(materials, plaintext, more)).encryptionContext)).toEqual(['purpose'])
  })

  it('refuses to work behind a manager that does not pass its keys on', async () => {
    const outer: MaterialsManager = {
      encryptionMaterials: (request) => materials.encryptionMaterials(request),
      decryptionMaterials: (request) => materials.decryptionMaterials(request),
    }
    const message = encryptSync(materials, plaintext, { encryptionContext })
    await expect(encrypt(outer, plaintext, { encryptionContext })).rejects.toThrow(TypeError)
    await expect(decrypt(outer, message, { encryptionContext })).rejects.toThrow()
  })

  it('refuses materials that lost a pair, and disposes of them', async () => {
    const inner = defaultMaterials(keyring)
    let disposals = 0
    const losing: MaterialsManager = {
      ...inner,
      encryptionMaterials: async (request) => {
        const empty = createEncryptionMaterials({ ...request, encryptionContext: {} })
        return Object.assign(empty, { dispose: () => void (disposals += 1) })
      },
      decryptionMaterials: (request) => inner.decryptionMaterials(request),
    }
    const source = requiredContextMaterials({ materials: losing, requiredEncryptionContextKeys })
    await expect(encrypt(source, plaintext, { encryptionContext })).rejects.toThrow(TypeError)
    expect(disposals).toBe(1)
  })

  it.each<[string, object]>([
    ['no keys', { keyring, requiredEncryptionContextKeys: [] }],
    ['no list of keys', { keyring }],
    ['a string for a list', { keyring, requiredEncryptionContextKeys: 'tenant' }],
    ['a reserved key', { keyring, requiredEncryptionContextKeys: ['aws-crypto-public-key'] }],
    ['no keyring and no materials', { requiredEncryptionContextKeys }],
    ['both', { keyring, materials, requiredEncryptionContextKeys }],
    ['something else', { keyring: {}, requiredEncryptionContextKeys }],
  ])('is not made with %s', (_, options) => {
    expect(() => requiredContextMaterials(options as RequiredContextMaterialsOptions)).toThrow(TypeError)
  })
})
