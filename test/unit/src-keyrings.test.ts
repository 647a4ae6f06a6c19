import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  decrypt,
  decryptSync,
  DisposedError,
  encrypt,
  encryptSync,
  inspect,
  KeyUnavailableError,
  multiKeyring,
  rawAesKeyring,
} from '../../src/index.ts'
import type { Keyring } from '../../src/index.ts'
import { staticDataKeyKeyring } from '../../src/keyrings/static-data-key.ts'
import { rsa } from './src-rsa-setup.ts'
import { NAMES, aes, failure, own, plaintext, preceded } from './src-setup.ts'

describe('raw AES keyring', () => {
  it('refuses names and keys that are none', () => {
    const wrappingKey = new Uint8Array(32)
    for (const length of [0, 15, 17, 31, 33, 64]) {
      expect(() => rawAesKeyring({ ...NAMES, wrappingKey: new Uint8Array(length) })).toThrow(RangeError)
    }
    for (const names of [{ name: '' }, { namespace: '' }, { namespace: 'aws-kms' }, { namespace: 'aws-kms-rsa' }]) {
      expect(() => rawAesKeyring({ ...NAMES, wrappingKey, ...names })).toThrow(RangeError)
    }
    expect(() => rawAesKeyring({ ...NAMES, wrappingKey, name: 'x'.repeat(65_536) })).toThrow(RangeError)
    expect(() => rawAesKeyring({ ...NAMES, wrappingKey, name: '\ud800' })).toThrow(TypeError)
    expect(() => rawAesKeyring({ ...NAMES, wrappingKey, namespace: 1 as unknown as string })).toThrow(TypeError)
    const shared = new Uint8Array(new SharedArrayBuffer(32))
    expect(() => rawAesKeyring({ ...NAMES, wrappingKey: shared })).toThrow(TypeError)
  })

  it('writes key name, lengths and IV as provider information', () => {
    const [key] = inspect(encryptSync(aes, plaintext)).encryptedDataKeys
    expect(key?.providerId).toBe('test')
    expect(Buffer.from(key?.providerInfo ?? []).toString('latin1', 0, 10)).toBe('k1\0\0\0\x80\0\0\0\x0c')
    expect(key?.providerInfo).toHaveLength(22)
    expect(key?.ciphertext).toHaveLength(48)
  })

  it('has nothing to do with the keys of others', async () => {
    const message = encryptSync(aes, plaintext)
    for (const names of [{ name: 'k2' }, { name: 'k' }, { namespace: 'tes' }]) {
      const other = rawAesKeyring({ ...NAMES, wrappingKey: new Uint8Array(32).fill(7), ...names })
      const error = await failure(decrypt(other, message))
      expect(error).toBeInstanceOf(KeyUnavailableError)
      expect(error).toHaveProperty('message', expect.stringContaining('"test"'))
    }
  })

  it('answers the one authentication error for another key of the same name', async () => {
    const other = rawAesKeyring({ ...NAMES, wrappingKey: new Uint8Array(32).fill(8) })
    const error = await failure(decrypt(other, encryptSync(aes, plaintext)))
    expect(error).toEqual(new AuthenticationError())
    expect(error).not.toHaveProperty('cause')
  })

  it('goes on after one bad encrypted data key of its own', async () => {
    const info = inspect(encryptSync(aes, plaintext)).encryptedDataKeys[0]?.providerInfo
    const bad = [own(new Uint8Array(48), info), own(new Uint8Array(0), info), own(new Uint8Array(99), info)]
    const message = await encrypt(preceded(aes, ...bad), plaintext)
    expect((await decrypt(aes, message)).plaintext).toEqual(plaintext)
    expect(decryptSync(aes, message).plaintext).toEqual(plaintext)
  })

  it('is of no use once it is disposed', async () => {
    const wrappingKey = new Uint8Array(16)
    const keyring = rawAesKeyring({ ...NAMES, wrappingKey })
    const message = encryptSync(keyring, plaintext)
    keyring.dispose()
    keyring.dispose()
    expect(() => encryptSync(keyring, plaintext)).toThrow(DisposedError)
    await expect(decrypt(keyring, message)).rejects.toThrow(KeyUnavailableError)
  })
})

describe('data keys', () => {
  it('are wiped when the message is done, and when it failed', async () => {
    const seen: Uint8Array[] = []
    const watching: Keyring = {
      wrap: async (materials) => {
        await aes.wrap(materials)
        seen.push(materials.dataKey!)
      },
      unwrap: async (...args) => {
        const dataKey = await aes.unwrap(...args)
        seen.push(dataKey!)
        return dataKey
      },
    }
    const message = await encrypt(watching, plaintext)
    await decrypt(watching, message)
    const broken = message.slice()
    broken[broken.length - 1]! ^= 1
    await expect(decrypt(watching, broken)).rejects.toThrow(AuthenticationError)
    await expect(decrypt(watching, message, { encryptionContext: { a: 'b' } })).rejects.toThrow()
    const failing: Keyring = { wrap: () => Promise.reject(new Error('down')), unwrap: async () => undefined }
    await expect(encrypt(multiKeyring({ children: [watching, failing] }), plaintext)).rejects.toThrow('down')
    expect(seen).toHaveLength(5)
    for (const dataKey of seen) expect(dataKey).toEqual(new Uint8Array(32))
  })

  it('of the wrong length are refused', async () => {
    const short: Keyring = { wrap: (materials) => aes.wrap(materials), unwrap: async () => new Uint8Array(16) }
    await expect(decrypt(short, encryptSync(aes, plaintext))).rejects.toThrow(KeyUnavailableError)
    const error = await failure(decrypt(staticDataKeyKeyring(new Uint8Array(16)), encryptSync(aes, plaintext)))
    expect(error).toBeInstanceOf(KeyUnavailableError)
  })

  it('are no zeros, which is what a keyring would hand out the second time', async () => {
    const dataKey = new Uint8Array(32).fill(7)
    const careless: Keyring = {
      wrap: (materials) => {
        materials.setDataKey(dataKey)
        return aes.wrap(materials)
      },
      unwrap: () => dataKey,
    }
    const message = await encrypt(careless, plaintext)
    await expect(encrypt(careless, plaintext)).rejects.toThrow(RangeError)
    await expect(decrypt(careless, message)).rejects.toThrow(AuthenticationError)
  })

  it('may be looked for in another order, which the header does not show', async () => {
    const other = rawAesKeyring({ ...NAMES, name: 'k2', wrappingKey: new Uint8Array(32) })
    const message = await encrypt(multiKeyring({ generator: aes, children: [other] }), plaintext)
    const reversing: Keyring = {
      wrap: () => undefined,
      unwrap: (materials, encryptedDataKeys) => {
        ;(encryptedDataKeys as unknown[]).reverse()
        return aes.unwrap(materials, encryptedDataKeys)
      },
    }
    const { header } = await decrypt(reversing, message)
    expect(header.encryptedDataKeys).toEqual(inspect(message).encryptedDataKeys)
  })

  it('must be made and wrapped by the keyring', async () => {
    const idle: Keyring = { wrap: async () => undefined, unwrap: async () => undefined }
    await expect(encrypt(idle, plaintext)).rejects.toThrow(KeyUnavailableError)
    await expect(encrypt(multiKeyring({ generator: idle, children: [aes] }), plaintext)).rejects.toThrow(
      KeyUnavailableError,
    )
    const unwrapped: Keyring = {
      ...idle,
      wrap: async (materials) => {
        materials.setDataKey(new Uint8Array(32).fill(1))
      },
    }
    await expect(encrypt(unwrapped, plaintext)).rejects.toThrow(KeyUnavailableError)
  })
})

describe('multi-keyring', () => {
  const failing = (why: string): Keyring => ({
    wrap: () => Promise.reject(new Error(why)),
    unwrap: () => Promise.reject(new Error(why)),
  })

  it('needs keyrings', () => {
    expect(() => multiKeyring({})).toThrow(TypeError)
    expect(() => multiKeyring({ children: [] })).toThrow(TypeError)
    expect(() => multiKeyring({ children: [undefined as unknown as Keyring] })).toThrow(TypeError)
  })

  it('wraps one data key under each, any of which opens the message', async () => {
    const other = rawAesKeyring({ ...NAMES, name: 'k2', wrappingKey: new Uint8Array(16) })
    const all = multiKeyring({ generator: aes, children: [other, multiKeyring({ children: [rsa('oaep-sha256')] })] })
    const message = encryptSync(all, plaintext)
    expect(inspect(message).encryptedDataKeys).toHaveLength(3)
    for (const keyring of [all, aes, other, rsa('oaep-sha256')]) {
      expect((await decrypt(keyring, message)).plaintext).toEqual(plaintext)
    }
  })

  it('fails to encrypt when one of them fails', async () => {
    await expect(encrypt(multiKeyring({ generator: aes, children: [failing('down')] }), plaintext)).rejects.toThrow(
      'down',
    )
  })

  it('asks the next when one fails, and lists the reason of each when none opens', async () => {
    const message = encryptSync(aes, plaintext)
    expect((await decrypt(multiKeyring({ children: [failing('a'), aes] }), message)).plaintext).toEqual(plaintext)
    const stranger = rawAesKeyring({ ...NAMES, wrappingKey: new Uint8Array(32) })
    const error = await failure(decrypt(multiKeyring({ children: [failing('a'), stranger, failing('b')] }), message))
    expect(error).toBeInstanceOf(KeyUnavailableError)
    expect((error as KeyUnavailableError).errors.map(String)).toEqual([
      'Error: a',
      'KeyUnavailableError: raw AES keyring test/k1: its encrypted data key did not open',
      'Error: b',
    ])
  })
})
