import { constants, createPrivateKey, generateKeyPairSync, privateDecrypt, publicEncrypt, webcrypto } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import * as node from '../../bindings/asymmetric.node.ts'
import * as web from '../../bindings/asymmetric.web.ts'
import type { Ecdsa, EcdsaCurve, OaepHash } from '../../bindings/asymmetric.ts'
import { Digest, sha256, sha384, sha512, type HashName } from '../../bindings/hash.ts'
import {
  createDecryptionMaterials,
  createEncryptionMaterials,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
} from '../../src/index.ts'
import { AuthenticationError, FormatError, rawAesKeyring, rawRsaKeyring, UnsupportedError } from '../../src/index.ts'
import type { MaterialsManager } from '../../src/index.ts'
import { patternBytes as pattern } from './core-data.ts'

// Everything below `#asymmetric` is the web variant here, and nothing of Node's is left to it but WebCrypto.
vi.mock('#asymmetric', () => import('../../bindings/asymmetric.web.ts'))

const CURVES: readonly EcdsaCurve[] = ['P-256', 'P-384']
const OAEP: readonly OaepHash[] = ['sha1', 'sha256', 'sha384', 'sha512']
const patternBytes = (length: number, seed = 0): Uint8Array<ArrayBuffer> => pattern(length, seed)
const keyring = rawAesKeyring({ namespace: 'app', name: 'k1', wrappingKey: patternBytes(32, 1) })

async function both(): Promise<readonly (readonly [string, Ecdsa, Ecdsa])[]> {
  const onNode = await node.ecdsa()
  const onWeb = await web.ecdsa()
  return [
    ['web to node:crypto', onWeb, onNode],
    ['node:crypto to web', onNode, onWeb],
    ['web to web', onWeb, onWeb],
  ]
}

describe('the digest in parts', () => {
  const digests = { sha256, sha384, sha512 }

  it.each(['sha256', 'sha384', 'sha512'] as const)('of %s is the digest of the whole', (hash: HashName) => {
    for (const lengths of [[], [0], [1], [127, 1], [128], [129, 127], [5, 200_000, 3], [63, 64, 65, 66_000, 0, 1]]) {
      const digest = new Digest(hash)
      const other = new Digest('sha256')
      const parts = lengths.map((length, i) => patternBytes(length, i))
      for (const part of parts) {
        digest.update(part)
        // another message in between
        other.update(part)
        sha512(part)
      }
      expect(digest.digest()).toEqual(digests[hash](Uint8Array.from(Buffer.concat(parts))))
    }
  })
})

describe.each(CURVES)('ECDSA over %s', (curve) => {
  it('is verified by the other implementation, whatever the parts', async () => {
    for (const [name, from, to] of await both()) {
      for (const lengths of [[0], [1, 2, 300], [70_000, 5]]) {
        const parts = lengths.map((length, i) => patternBytes(length, i))
        const signing = from.generateKey(curve)
        const signer = signing.createSigner()
        for (const part of parts) signer.update(part)
        const signature = signer.sign()
        const verifier = to.importPublicKey(curve, signing.publicKey)?.createVerifier()
        verifier?.update(Uint8Array.from(Buffer.concat(parts)))
        expect(verifier?.verify(signature), name).toBe(true)
      }
    }
  })

  it('verifies nothing else', async () => {
    for (const [name, from, to] of await both()) {
      const signing = from.generateKey(curve)
      const signer = signing.createSigner()
      signer.update(patternBytes(40))
      const signature = signer.sign()
      const verify = (data: Uint8Array, given: Uint8Array, ecdsa = to): unknown => {
        const verifier = ecdsa.importPublicKey(curve, signing.publicKey)?.createVerifier()
        verifier?.update(data)
        return verifier?.verify(given)
      }
      expect(verify(patternBytes(41), signature), name).toBe(false)
      expect(verify(patternBytes(40), new Uint8Array(0)), name).toBe(false)
      expect(verify(patternBytes(40), signature.subarray(1)), name).toBe(false)
      expect(verify(patternBytes(40), new Uint8Array([...signature, 0])), name).toBe(false)
      for (let i = 0; i < signature.length; i += 7) {
        const tampered = Uint8Array.from(signature)
        tampered[i] = (tampered[i] ?? 0) ^ 1
        expect(verify(patternBytes(40), tampered), `${name}, byte ${String(i)}`).toBe(false)
      }
    }
  })

  it('refuses a point that is none', async () => {
    const ecdsa = await web.ecdsa()
    const { publicKey } = ecdsa.generateKey(curve)
    expect(ecdsa.importPublicKey(curve, publicKey)).toBeDefined()
    const uncompressed = Uint8Array.from([4, ...publicKey.subarray(1), ...publicKey.subarray(1)])
    const outside = Uint8Array.from(publicKey).fill(0xff, 1)
    for (const point of [
      publicKey.subarray(1),
      new Uint8Array(publicKey.length),
      new Uint8Array(1),
      uncompressed,
      outside,
    ]) {
      expect(ecdsa.importPublicKey(curve, point)).toBeUndefined()
    }
  })
})

describe.each([0x0214, 0x0346, 0x0378, 0x0578] as const)('messages of suite %i', (algorithmSuite) => {
  const policy = algorithmSuite === 0x0578 ? {} : { commitmentPolicy: 'forbid-encrypt-allow-decrypt' as const }
  const readPolicy = algorithmSuite === 0x0578 ? {} : { commitmentPolicy: 'require-encrypt-allow-decrypt' as const }
  const plaintext = patternBytes(10_000)

  it('are read by node:crypto', async () => {
    const message = await encrypt(keyring, plaintext, { algorithmSuite, ...policy })
    expect((await decrypt(await onNode(), message, readPolicy)).plaintext).toEqual(plaintext)
    expect((await decrypt(keyring, message, readPolicy)).plaintext).toEqual(plaintext)
  })

  it('are read when node:crypto signed them', async () => {
    const message = await encrypt(await onNode(), plaintext, { algorithmSuite, ...policy })
    expect((await decrypt(keyring, message, readPolicy)).plaintext).toEqual(plaintext)
  })

  it('are not read with another signature', async () => {
    const message = await encrypt(keyring, plaintext, { algorithmSuite, ...policy })
    message[message.length - 1] = (message[message.length - 1] ?? 0) ^ 1
    await expect(decrypt(keyring, message, readPolicy)).rejects.toThrow(AuthenticationError)
    await expect(decrypt(keyring, message.subarray(0, -1), readPolicy)).rejects.toThrow(FormatError)
  })

  it('are asynchronous', () => {
    expect(() => encryptSync(keyring, plaintext, { algorithmSuite, ...policy })).toThrow(UnsupportedError)
  })
})

/** Materials whose signing keys are those of node:crypto. */
async function onNode(): Promise<MaterialsManager> {
  const ecdsa = await node.ecdsa()
  return {
    encryptionMaterials: async (request) => {
      const curve = request.suite.signatureCurve
      const materials = createEncryptionMaterials(request, curve && ecdsa.generateKey(curve))
      await keyring.wrap(materials)
      return materials
    },
    decryptionMaterials: async (request) => {
      const point = Buffer.from(request.encryptionContext['aws-crypto-public-key'] ?? '', 'base64')
      const curve = request.suite.signatureCurve
      const materials = createDecryptionMaterials(request, curve && ecdsa.importPublicKey(curve, point))
      materials.setDataKey((await keyring.unwrap(materials, request.encryptedDataKeys)) ?? new Uint8Array(0))
      return materials
    },
  }
}

it('reads no signed message synchronously', async () => {
  const message = await encrypt(keyring, patternBytes(1), { algorithmSuite: 0x0578 })
  expect(() => decryptSync(keyring, message)).toThrow(UnsupportedError)
})

describe('RSA', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const spki = pair.publicKey.export({ format: 'der', type: 'spki' })
  const pkcs8 = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
  const spkiPem = pair.publicKey.export({ format: 'pem', type: 'spki' }) as string
  const pkcs8Pem = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
  const data = patternBytes(32)

  it.each(OAEP)('with OAEP and %s is that of node:crypto', async (oaepHash) => {
    const padding = constants.RSA_PKCS1_OAEP_PADDING
    const ours = await web.rsaPublicKey(spkiPem).encrypt(oaepHash, data)
    expect(privateDecrypt({ key: pair.privateKey, padding, oaepHash }, ours)).toEqual(Buffer.from(data))
    const theirs = publicEncrypt({ key: pair.publicKey, padding, oaepHash }, data)
    const privateKey = web.rsaPrivateKey(pkcs8Pem)
    expect(privateKey.modulusBits).toBe(2048)
    expect(await privateKey.decryptOaep(oaepHash, theirs)).toEqual(data)
    theirs[5] = (theirs[5] ?? 0) ^ 1
    expect(await privateKey.decryptOaep(oaepHash, theirs)).toBeUndefined()
    expect(await privateKey.decryptOaep(oaepHash === 'sha1' ? 'sha256' : 'sha1', ours)).toBeUndefined()
  })

  it('takes PEM, DER, CryptoKeys and KeyObjects', async () => {
    const hash = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const { subtle } = webcrypto
    const publicKeys = [
      spkiPem,
      `a key\n${spkiPem.replaceAll('\n', '\r\n')}\n`,
      spki,
      Uint8Array.from(spki),
      pair.publicKey,
      await subtle.importKey('spki', spki, hash, false, ['encrypt']),
      await subtle.importKey('spki', spki, { name: 'RSA-OAEP', hash: 'SHA-1' }, true, ['encrypt']),
      await subtle.importKey('spki', spki, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['verify']),
    ]
    const privateKeys = [
      pkcs8Pem,
      pkcs8,
      Uint8Array.from(pkcs8),
      createPrivateKey(pkcs8Pem),
      await subtle.importKey('pkcs8', pkcs8, hash, false, ['decrypt']),
      await subtle.importKey('pkcs8', pkcs8, { name: 'RSA-OAEP', hash: 'SHA-512' }, true, ['decrypt']),
    ]
    for (const publicKey of publicKeys) {
      const sealed = await web.rsaPublicKey(publicKey).encrypt('sha256', data)
      for (const privateKey of privateKeys) {
        expect(await web.rsaPrivateKey(privateKey).decryptOaep('sha256', sealed)).toEqual(data)
      }
    }
    expect(Buffer.from(pkcs8)).toEqual(pair.privateKey.export({ format: 'der', type: 'pkcs8' }))
  })

  it('wraps data keys in messages', async () => {
    for (const padding of ['oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'] as const) {
      const rsa = rawRsaKeyring({ namespace: 'app', name: 'r1', padding, publicKey: spkiPem, privateKey: pkcs8Pem })
      const message = await encrypt(rsa, data)
      expect((await decrypt(rsa, message)).plaintext).toEqual(data)
      expect(() => encryptSync(rsa, data)).toThrow(UnsupportedError)
      expect(() => decryptSync(rsa, message)).toThrow(UnsupportedError)
      const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
      const wrong = rawRsaKeyring({ namespace: 'app', name: 'r1', padding, privateKey: other })
      await expect(decrypt(wrong, message)).rejects.toThrow(AuthenticationError)
    }
  })

  it('has no PKCS #1 v1.5', async () => {
    const names = { namespace: 'app', name: 'r1', padding: 'pkcs1' as const }
    expect(() => rawRsaKeyring({ ...names, publicKey: spkiPem })).toThrow(UnsupportedError)
    expect(() => rawRsaKeyring({ ...names, privateKey: pkcs8Pem })).toThrow(UnsupportedError)
    expect(web.rsaAbilities).toEqual({ isSynchronous: false, hasPkcs1: false, mayDropZeros: true })
    await expect(web.rsaPublicKey(spki).encrypt('pkcs1', data)).rejects.toThrow(UnsupportedError)
    expect(() => web.rsaPrivateKey(pkcs8).decryptRaw(data)).toThrow(UnsupportedError)
    expect(() => web.rsaPrivateKey(pkcs8).rejectionKey).toThrow(UnsupportedError)
  })

  it('refuses what is no RSA key of the kind, before any work', async () => {
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const aes = await webcrypto.subtle.importKey('raw', data, 'AES-GCM', true, ['encrypt'])
    const cut = Uint8Array.from(spki.subarray(0, -1))
    const longer = Uint8Array.from([...spki, 0])
    const wrong = [
      '',
      'x',
      pkcs8Pem,
      pkcs8,
      pair.privateKey,
      ec.publicKey,
      aes,
      cut,
      longer,
      new Uint8Array(0),
      7,
      null,
      {},
    ]
    for (const input of wrong as string[]) {
      expect(() => web.rsaPublicKey(input)).toThrow(TypeError)
      if (typeof input !== 'string' || input.length < 2) {
        expect(() => node.rsaPublicKey(input)).toThrow(TypeError)
      }
    }
    for (const input of [spkiPem, spki, pair.publicKey, ec.privateKey, aes, 7] as string[]) {
      expect(() => web.rsaPrivateKey(input)).toThrow(TypeError)
    }
    const short = generateKeyPairSync('rsa', { modulusLength: 1024 })
    expect(() => web.rsaPublicKey(short.publicKey)).toThrow(RangeError)
    expect(() => web.rsaPrivateKey(short.privateKey)).toThrow(RangeError)
  })

  it('refuses a CryptoKey that can neither be used nor exported', async () => {
    const algorithm = { name: 'RSA-OAEP', hash: 'SHA-256' }
    const locked = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['decrypt'])
    await expect(web.rsaPrivateKey(locked).decryptOaep('sha512', data)).rejects.toThrow(TypeError)
    const unwrapping = await webcrypto.subtle.importKey('pkcs8', pkcs8, algorithm, false, ['unwrapKey'])
    await expect(web.rsaPrivateKey(unwrapping).decryptOaep('sha256', data)).rejects.toThrow(TypeError)
  })

  it('says what is missing in a page without crypto.subtle', async () => {
    vi.stubGlobal('crypto', { getRandomValues: webcrypto.getRandomValues.bind(webcrypto) })
    try {
      await expect(web.rsaPublicKey(spki).encrypt('sha256', data)).rejects.toThrow(UnsupportedError)
    } finally {
      vi.unstubAllGlobals()
    }
  })
})
