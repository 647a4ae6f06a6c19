import { createHash, createHmac, createPublicKey, generateKeyPairSync, publicEncrypt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  createDecryptionMaterials,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  inspect,
  KeyUnavailableError,
  multiKeyring,
  rawRsaKeyring,
  UnsupportedError,
} from '../../src/index.ts'
import type { Keyring, RsaKeyInput, RsaPadding } from '../../src/index.ts'
import { pair, pkcs1Encrypt, pkcs8, rsa, spki } from './src-rsa-setup.ts'
import { NAMES, aes, failure, own, plaintext, preceded } from './src-setup.ts'

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
