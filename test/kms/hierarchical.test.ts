import { createCipheriv, createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { branchKeyCache, memoryBranchKeys, staticBranchKeys } from '../../kms/hierarchical/index.ts'
import {
  AuthenticationError,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  FormatError,
  inspect,
  KeyUnavailableError,
  UnsupportedError,
  type Keyring,
} from '../../src/index.ts'
import { plaintext, preceded } from '../unit/src-setup.ts'
import { BRANCH_KEY, newHierarchy, VERSION, type Hierarchy } from './hierarchical-setup.ts'
import { arns, spied } from './keyring-setup.ts'

const VERSION_BYTES = Buffer.from(VERSION.replaceAll('-', ''), 'hex')

let hierarchy: Hierarchy
let store: Hierarchy['store']
let keyringOf: Hierarchy['keyringOf']

beforeEach(() => {
  hierarchy = newHierarchy()
  ;({ store, keyringOf } = hierarchy)
})

/** A data key as the keyring wraps it under {@link BRANCH_KEY} for the context a=b, by node:crypto. */
function wrapped(dataKey: Uint8Array): Buffer {
  const [salt, iv] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)]
  const [counter, length] = [Buffer.from('00000001', 'hex'), Buffer.from('00000100', 'hex')]
  const input = Buffer.concat([counter, Buffer.from('aws-kms-hierarchy\0'), salt, length])
  const cipher = createCipheriv('aes-256-gcm', createHmac('sha256', BRANCH_KEY).update(input).digest(), iv)
  const context = Buffer.from('0001000161000162', 'hex')
  cipher.setAAD(Buffer.concat([Buffer.from('aws-kms-hierarchyb1'), VERSION_BYTES, context]))
  return Buffer.concat([salt, iv, VERSION_BYTES, cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
}

describe('what a hierarchical keyring writes', () => {
  it('is what the specification says', async () => {
    const branchKeyStore = staticBranchKeys({ branchKeyId: 'b1', version: VERSION, branchKey: BRANCH_KEY })
    const keyring = keyringOf({ branchKeyStore })
    const [key] = inspect(await encrypt(keyring, plaintext, { encryptionContext: { a: 'b' } })).encryptedDataKeys
    expect(key?.providerId).toBe('aws-kms-hierarchy')
    expect(Buffer.from(key!.providerInfo).toString()).toBe('b1')
    const ciphertext = Buffer.from(key!.ciphertext)
    expect(ciphertext).toHaveLength(16 + 12 + 16 + 32 + 16)
    expect(ciphertext.subarray(28, 44)).toEqual(VERSION_BYTES)
    const dataKey = Buffer.alloc(32, 3)
    let opened: Uint8Array | undefined
    const noting = preceded(keyring, {
      providerId: 'aws-kms-hierarchy',
      providerInfo: Buffer.from('b1'),
      ciphertext: wrapped(dataKey),
    })
    const spying: Keyring = {
      wrap: (materials) => noting.wrap(materials),
      unwrap: async (materials, keys) => {
        const unwrapped = await keyring.unwrap(materials, keys)
        opened = unwrapped?.slice()
        return unwrapped
      },
    }
    const ofBoth = await encrypt(spying, plaintext, { encryptionContext: { a: 'b' } })
    // Another data key than the message's: it is unwrapped, and does not authenticate the header.
    await expect(decrypt(spying, ofBoth)).rejects.toBeInstanceOf(AuthenticationError)
    expect(opened).toEqual(new Uint8Array(dataKey))
  })

  it('is bound to the encryption context, and never wrapped twice in the same way', async () => {
    const keyring = keyringOf()
    const [one, two] = [await encrypt(keyring, plaintext), encryptSync(keyring, plaintext)]
    const salts = [one, two].map((message) => inspect(message).encryptedDataKeys[0]!.ciphertext.slice(0, 28))
    expect(salts[0]).not.toEqual(salts[1])
    const options = { encryptionContext: { a: 'b' }, requiredEncryptionContextKeys: ['a'] }
    const message = await encrypt(keyring, plaintext, options)
    const other = { encryptionContext: { a: 'c' }, requiredEncryptionContextKeys: ['a'] }
    await expect(decrypt(keyring, message, other)).rejects.toBeInstanceOf(AuthenticationError)
  })
})

describe('a message', () => {
  it('opens with old versions of its branch key', async () => {
    const branchKeyStore = memoryBranchKeys({ name: 'versions', provider: spied().provider, keyArn: arns[0] })
    const branchKeyId = await branchKeyStore.createKey()
    const keyring = keyringOf({ branchKeyStore, branchKeyId })
    const old = await encrypt(keyring, plaintext)
    const version = await branchKeyStore.versionKey({ branchKeyId })
    hierarchy.now += 60_001
    const message = await encrypt(keyring, plaintext)
    expect(Buffer.from(inspect(message).encryptedDataKeys[0]!.ciphertext.slice(28, 44)).toString('hex')).toBe(
      version.replaceAll('-', ''),
    )
    for (const each of [old, message]) expect((await decrypt(keyring, each)).plaintext).toEqual(plaintext)
    for (const each of [old, message]) expect(decryptSync(keyring, each).plaintext).toEqual(plaintext)
  })

  it('of a branch key that is not in the cache needs waiting', async () => {
    const message = await encrypt(keyringOf(), plaintext)
    const cold = keyringOf()
    expect(() => encryptSync(cold, plaintext)).toThrow(UnsupportedError)
    expect(() => decryptSync(cold, message)).toThrow(KeyUnavailableError)
    await decrypt(cold, message)
    expect(decryptSync(cold, message).plaintext).toEqual(plaintext)
    // What is active is not known from a version that was decrypted with.
    expect(() => encryptSync(cold, plaintext)).toThrow(UnsupportedError)
  })

  it('is left to others when its branch key is another', async () => {
    const message = await encrypt(keyringOf(), plaintext)
    const other = decrypt(keyringOf({ branchKeyIdSupplier: () => 'b2' }), message)
    await expect(other).rejects.toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE', errors: [] })
  })

  it('opens although an encrypted data key before its own is broken', async () => {
    const providerInfo = Buffer.from('b1')
    const broken = [new Uint8Array(0), new Uint8Array(92), new Uint8Array(91)].map((ciphertext) => ({
      providerId: 'aws-kms-hierarchy',
      providerInfo,
      ciphertext,
    }))
    const keyring = keyringOf()
    const message = await encrypt(preceded(keyring, ...broken), plaintext)
    for (const reader of [keyring, keyringOf()]) expect((await decrypt(reader, message)).plaintext).toEqual(plaintext)
    const short = preceded(keyring, broken[2]!)
    const firstOnly: Keyring = {
      wrap: (materials) => short.wrap(materials),
      unwrap: (materials, keys) => keyring.unwrap(materials, keys.slice(0, 1)),
    }
    const error = decrypt(firstOnly, await encrypt(firstOnly, plaintext))
    await expect(error).rejects.toMatchObject({ errors: [expect.any(FormatError) as unknown] })
  })
})

describe('what is no hierarchical keyring', () => {
  it('is refused', () => {
    const make = (options: object) => () => keyringOf(options)
    for (const ttl of [0, -1, NaN, '60', undefined]) expect(make({ ttl })).toThrow(RangeError)
    expect(make({ branchKeyId: undefined })).toThrow('either branchKeyId or')
    expect(make({ branchKeyIdSupplier: () => 'b', branchKeyId: 'b' })).toThrow('either branchKeyId or')
    expect(make({ branchKeyIdSupplier: 'b' })).toThrow(TypeError)
    for (const branchKeyId of ['', 'a\0b', 'x'.repeat(40_000)]) expect(make({ branchKeyId })).toThrow(RangeError)
    for (const partition of ['', 'a\0b']) expect(make({ partition })).toThrow(RangeError)
    for (const partition of [5, '\ud800']) expect(make({ partition })).toThrow(TypeError)
    expect(make({ branchKeyStore: {} })).toThrow(TypeError)
    expect(make({ cache: { size: 0, dispose: () => undefined } })).toThrow(TypeError)
    for (const capacity of [0, 1.5, -1, NaN]) expect(() => branchKeyCache({ capacity })).toThrow(RangeError)
    expect(() => branchKeyCache({ clock: 5 as never })).toThrow(TypeError)
  })

  it('is refused when a supplier names no branch key', async () => {
    for (const supplied of [undefined, 5, '', 'a\0']) {
      const keyring = keyringOf({ branchKeyIdSupplier: () => supplied as string })
      await expect(encrypt(keyring, plaintext)).rejects.toThrow('branchKeyIdSupplier')
    }
    expect(store.calls).toEqual([])
  })

  it('is refused when a store answers something else', async () => {
    for (const answer of [
      { branchKeyId: 'b2' },
      { version: 'E9CE18A3-EDB5-4272-9F86-1CACB7997FF6' },
      { version: '' },
      { branchKey: new Uint8Array(31) },
      { branchKey: 'key' as never },
    ]) {
      store.answer = answer
      await expect(encrypt(keyringOf(), plaintext)).rejects.toBeInstanceOf(KeyUnavailableError)
    }
    store.answer = {}
    const message = await encrypt(keyringOf(), plaintext)
    store.answer = { version: 'e9ce18a3-edb5-4272-9f86-1cacb7997ff6' }
    await expect(decrypt(keyringOf(), message)).rejects.toBeInstanceOf(KeyUnavailableError)
  })
})
