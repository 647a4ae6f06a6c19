import { constants, createHash, createHmac, createPublicKey, generateKeyPairSync, publicEncrypt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  createDecryptionMaterials,
  decrypt,
  decryptSync,
  DisposedError,
  encrypt,
  encryptSync,
  inspect,
  KeyUnavailableError,
  multiKeyring,
  rawAesKeyring,
  rawRsaKeyring,
  UnsupportedError,
} from '../../src/index.ts'
import type { EncryptedDataKey, Keyring, RsaKeyInput, RsaPadding } from '../../src/index.ts'
import { staticDataKeyKeyring } from '../../src/keyrings/static-data-key.ts'

const NAMES = { namespace: 'test', name: 'k1' }
const plaintext = Uint8Array.of(1, 2, 3)
const aes = rawAesKeyring({ ...NAMES, wrappingKey: new Uint8Array(32).fill(7) })
const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pkcs8 = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
const spki = pair.publicKey.export({ format: 'der', type: 'spki' })

function rsa(padding: RsaPadding, name = 'k1'): Keyring {
  return rawRsaKeyring({ namespace: 'test', name, padding, publicKey: spki, privateKey: pkcs8 })
}

/** Puts encrypted data keys of anybody's making before those of `inner`. */
function preceded(inner: Keyring, ...encryptedDataKeys: readonly EncryptedDataKey[]): Keyring {
  return {
    wrap: async (materials) => {
      for (const key of encryptedDataKeys) materials.addEncryptedDataKey(key)
      await inner.wrap(materials)
    },
    unwrap: (...args) => inner.unwrap(...args),
  }
}

function own(ciphertext: Uint8Array, providerInfo: Uint8Array = new TextEncoder().encode('k1')): EncryptedDataKey {
  return { providerId: 'test', providerInfo, ciphertext }
}

function pkcs1Encrypt(dataKey: Uint8Array): Uint8Array {
  return publicEncrypt({ key: pair.publicKey, padding: constants.RSA_PKCS1_PADDING }, dataKey)
}

async function failure(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (error: unknown) => error,
  )
}

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

  it('must be made and wrapped by the keyring', async () => {
    const idle: Keyring = { wrap: async () => undefined, unwrap: async () => undefined }
    await expect(encrypt(idle, plaintext)).rejects.toThrow(KeyUnavailableError)
    await expect(encrypt(multiKeyring({ generator: idle, children: [aes] }), plaintext)).rejects.toThrow(
      KeyUnavailableError,
    )
    const unwrapped: Keyring = {
      ...idle,
      wrap: async (materials) => {
        materials.setDataKey(new Uint8Array(32))
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

describe('raw RSA keyring', () => {
  const pems = {
    publicKey: pair.publicKey.export({ format: 'pem', type: 'spki' }) as string,
    privateKey: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }

  it.each<RsaPadding>(['pkcs1', 'oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'])(
    'wraps with %s',
    async (padding) => {
      for (const algorithmSuite of [0x0478, 0x0578] as const) {
        const message = encryptSync(rsa(padding), plaintext, { algorithmSuite })
        expect(decryptSync(rsa(padding), message).plaintext).toEqual(plaintext)
        expect((await decrypt(rsa(padding), await encrypt(rsa(padding), plaintext))).plaintext).toEqual(plaintext)
        const another = padding === 'oaep-sha1' ? 'oaep-sha256' : 'oaep-sha1'
        await expect(decrypt(rsa(another), message)).rejects.toThrow(AuthenticationError)
      }
    },
  )

  it('takes PEM, DER, KeyObject and CryptoKey', async () => {
    const subtle = globalThis.crypto.subtle
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const publicKey = await subtle.importKey('spki', spki, algorithm, true, ['encrypt'])
    const privateKey = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['decrypt'])
    const forms: { publicKey: RsaKeyInput; privateKey: RsaKeyInput }[] = [
      pems,
      { publicKey: new Uint8Array(spki), privateKey: new Uint8Array(pkcs8) },
      pair,
      { publicKey, privateKey },
    ]
    for (const keys of forms) {
      const keyring = rawRsaKeyring({ ...NAMES, padding: 'oaep-sha256', ...keys })
      expect(decryptSync(keyring, encryptSync(rsa('oaep-sha256'), plaintext)).plaintext).toEqual(plaintext)
      expect(decryptSync(rsa('oaep-sha256'), encryptSync(keyring, plaintext)).plaintext).toEqual(plaintext)
    }
  })

  it('refuses what is no RSA key of 2,048 bits', () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 })
    const base = { ...NAMES, padding: 'oaep-sha256' } as const
    const wrong: RsaKeyInput[] = [
      '',
      'k',
      new Uint8Array(9),
      pems.privateKey,
      ec.publicKey,
      pair.privateKey,
      {} as RsaKeyInput,
    ]
    for (const publicKey of wrong) expect(() => rawRsaKeyring({ ...base, publicKey })).toThrow(TypeError)
    for (const privateKey of [pems.publicKey, ec.privateKey, new Uint8Array(9)]) {
      expect(() => rawRsaKeyring({ ...base, privateKey })).toThrow(TypeError)
    }
    expect(() => rawRsaKeyring({ ...base, publicKey: weak.publicKey })).toThrow(RangeError)
    expect(() => rawRsaKeyring({ ...base, privateKey: weak.privateKey })).toThrow(RangeError)
    expect(() => rawRsaKeyring(base)).toThrow(TypeError)
    expect(() => rawRsaKeyring({ ...base, ...pems, padding: 'oaep' as RsaPadding })).toThrow(TypeError)
    expect(() => rawRsaKeyring({ ...base, ...pems, namespace: 'aws-kms' })).toThrow(RangeError)
  })

  it('encrypts with a public key only, decrypts with a private key only', async () => {
    const base = { ...NAMES, padding: 'oaep-sha256' } as const
    const writer = rawRsaKeyring({ ...base, publicKey: pems.publicKey })
    const reader = rawRsaKeyring({ ...base, privateKey: pems.privateKey })
    const message = encryptSync(writer, plaintext)
    expect(decryptSync(reader, message).plaintext).toEqual(plaintext)
    await expect(encrypt(reader, plaintext)).rejects.toThrow(UnsupportedError)
    await expect(decrypt(writer, message)).rejects.toThrow(KeyUnavailableError)
  })

  it('goes on after one bad encrypted data key of its own', async () => {
    const shortKey = publicEncrypt({ key: pair.publicKey, oaepHash: 'sha256' }, new Uint8Array(16))
    const bad = [new Uint8Array(0), new Uint8Array(256).fill(0xff), new Uint8Array(256).fill(1), shortKey]
    const message = await encrypt(preceded(rsa('oaep-sha256'), ...bad.map((key) => own(key))), plaintext)
    expect(decryptSync(rsa('oaep-sha256'), message).plaintext).toEqual(plaintext)
    expect((await decrypt(rsa('oaep-sha256'), message)).plaintext).toEqual(plaintext)
  })
})

describe('PKCS #1 v1.5', () => {
  const bad: Readonly<Record<string, Uint8Array>> = {
    'whose padding is wrong': new Uint8Array(256).fill(1),
    'whose key is too short': pkcs1Encrypt(new Uint8Array(16)),
    'whose key is too long': pkcs1Encrypt(new Uint8Array(33)),
    'with the key of another message': pkcs1Encrypt(new Uint8Array(32).fill(3)),
    'that is no number below the modulus': new Uint8Array(256).fill(0xff),
    'that is too short': new Uint8Array(255),
    'that is empty': new Uint8Array(0),
  }

  it.each(Object.keys(bad))('goes on after an encrypted data key %s', async (kind) => {
    const first = own(bad[kind]!)
    for (const algorithmSuite of [0x0478, 0x0178] as const) {
      const commitmentPolicy = algorithmSuite === 0x0178 ? 'forbid-encrypt-allow-decrypt' : undefined
      const options = { algorithmSuite, commitmentPolicy } as const
      const message = await encrypt(preceded(rsa('pkcs1'), first), plaintext, options)
      expect(decryptSync(rsa('pkcs1'), message, options).plaintext).toEqual(plaintext)
      expect((await decrypt(rsa('pkcs1'), message, options)).plaintext).toEqual(plaintext)
      const other = await encrypt(preceded(aes, first), plaintext, options)
      const both = multiKeyring({ children: [rsa('pkcs1'), aes] })
      expect(decryptSync(both, other, options).plaintext).toEqual(plaintext)
      expect((await decrypt(both, other, options)).plaintext).toEqual(plaintext)
    }
  })

  it.each(Object.keys(bad))('fails with the one error, and no reasons, over an encrypted data key %s', async (kind) => {
    const message = await encrypt(preceded(aes, own(bad[kind]!)), plaintext)
    const error = await failure(decrypt(rsa('pkcs1'), message))
    expect(error).toEqual(new AuthenticationError())
    expect(error).not.toHaveProperty('cause')
    expect(error).not.toHaveProperty('errors')
  })

  it('tells no reasons of other keyrings either once a candidate failed', async () => {
    const down: Keyring = { wrap: async () => undefined, unwrap: () => Promise.reject(new Error('down')) }
    const message = await encrypt(preceded(aes, own(bad['whose padding is wrong']!)), plaintext)
    const error = await failure(decrypt(multiKeyring({ children: [down, rsa('pkcs1')] }), message))
    expect(error).toEqual(new AuthenticationError())
    expect(error).not.toHaveProperty('errors')
  })

  it('has for every ciphertext one candidate, by implicit rejection where the padding is bad', () => {
    const rejectionKey = createHash('sha256').update(pkcs8).digest()
    const candidateOf = (ciphertext: Uint8Array): Uint8Array => {
      const candidates: Uint8Array[] = []
      const { algorithmSuite: suite, encryptionContext } = inspect(encryptSync(aes, plaintext))
      const confirm = (candidate: Uint8Array): boolean => candidates.push(candidate.slice()) < 0
      const request = {
        suite,
        encryptionContext,
        requiredEncryptionContextKeys: [],
        encryptedDataKeys: [own(ciphertext)],
        confirm,
        signal: undefined,
      }
      const materials = createDecryptionMaterials(request)
      expect(() => rsa('pkcs1').unwrapSync?.(materials, request.encryptedDataKeys)).toThrow(KeyUnavailableError)
      expect(candidates).toHaveLength(1)
      return candidates[0]!
    }
    for (const kind of ['whose padding is wrong', 'whose key is too short', 'whose key is too long']) {
      const rejected = createHmac('sha256', rejectionKey).update(bad[kind]!).digest()
      expect(candidateOf(bad[kind]!)).toEqual(new Uint8Array(rejected))
    }
    expect(candidateOf(bad['with the key of another message']!)).toEqual(new Uint8Array(32).fill(3))
  })

  it('is written as node:crypto writes it', () => {
    const message = encryptSync(rsa('pkcs1'), plaintext)
    const publicOnly = rawRsaKeyring({ ...NAMES, padding: 'pkcs1', publicKey: createPublicKey(pair.privateKey) })
    expect(inspect(message).encryptedDataKeys[0]?.ciphertext).toHaveLength(256)
    expect(decryptSync(rsa('pkcs1'), encryptSync(publicOnly, plaintext)).plaintext).toEqual(plaintext)
  })
})
