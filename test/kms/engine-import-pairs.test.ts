import { createPrivateKey, createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { keyPairs as webKeyPairs } from '../../bindings/key-pairs.web.ts'
import type { KeyPairSpec } from '../../bindings/key-pairs.ts'
import { keyPairs } from '#key-pairs'
import type { Engine } from '../../kms/engine/index.ts'
import { memoryEngine, newKey, refused } from './engine-setup.ts'
import { importMaterial, NEVER, reuseWrappingKeys, wrapFor, type Wrapping } from './import-setup.ts'

const message = Uint8Array.of(1, 2, 3)
const KEY_WRAP: Wrapping = { algorithm: 'RSA_AES_KEY_WRAP_SHA_256' }

interface Kind {
  readonly spec: KeyPairSpec
  readonly algorithm: string
  readonly hash: string | null
  readonly make: () => KeyObject
}

const ec = (namedCurve: string) => () => generateKeyPairSync('ec', { namedCurve }).privateKey
const rsa = (modulusLength: number) => () => generateKeyPairSync('rsa', { modulusLength }).privateKey

const KINDS: readonly Kind[] = [
  { spec: 'RSA_2048', algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', hash: 'sha256', make: rsa(2048) },
  { spec: 'RSA_3072', algorithm: 'RSASSA_PKCS1_V1_5_SHA_384', hash: 'sha384', make: rsa(3072) },
  { spec: 'ECC_NIST_P256', algorithm: 'ECDSA_SHA_256', hash: 'sha256', make: ec('P-256') },
  { spec: 'ECC_NIST_P384', algorithm: 'ECDSA_SHA_384', hash: 'sha384', make: ec('P-384') },
  { spec: 'ECC_NIST_P521', algorithm: 'ECDSA_SHA_512', hash: 'sha512', make: ec('P-521') },
  { spec: 'ECC_SECG_P256K1', algorithm: 'ECDSA_SHA_256', hash: 'sha256', make: ec('secp256k1') },
  {
    spec: 'ECC_NIST_EDWARDS25519',
    algorithm: 'ED25519_SHA_512',
    hash: null,
    make: () => generateKeyPairSync('ed25519').privateKey,
  },
]

const pkcs8 = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }))
const spki = (key: KeyObject): Uint8Array =>
  new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' }))

let engine: Engine

beforeAll(() => {
  reuseWrappingKeys()
})

beforeEach(async () => {
  engine = await memoryEngine()
})

const newPair = (KeySpec: string) => newKey(engine, { KeySpec, KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' })

describe.each(KINDS)('a private key for $spec', ({ spec, algorithm, hash, make }) => {
  it('signs, and its public key is the one that it had', async () => {
    const key = make()
    const KeyId = await newPair(spec)
    await refused(engine.call('GetPublicKey', { KeyId }), 'KMSInvalidStateException', /is pending import\.$/)
    await importMaterial(engine, KeyId, pkcs8(key), NEVER, KEY_WRAP)
    expect((await engine.call('GetPublicKey', { KeyId })).PublicKey).toEqual(spki(key))
    const sign = () => engine.call('Sign', { KeyId, Message: message, SigningAlgorithm: algorithm })
    const { Signature } = await sign()
    expect(verify(hash, message, createPublicKey(key), Signature)).toBe(true)

    await engine.call('DeleteImportedKeyMaterial', { KeyId })
    await refused(sign(), 'KMSInvalidStateException', /is pending import\.$/)
    await refused(importMaterial(engine, KeyId, pkcs8(make()), NEVER, KEY_WRAP), 'IncorrectKeyMaterialException')
    await importMaterial(engine, KeyId, pkcs8(key), NEVER, KEY_WRAP)
    await sign()
    const metadata = (await engine.call('DescribeKey', { KeyId })).KeyMetadata
    expect(metadata).toMatchObject({ KeyState: 'Enabled', ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' })
    expect(metadata).not.toHaveProperty('CurrentKeyMaterialId')
  })

  it('has the same public key in every runtime, and is none of another spec', async () => {
    const key = make()
    for (const runtime of [keyPairs, webKeyPairs]) {
      expect(await runtime.publicKeyOf(spec, pkcs8(key))).toEqual(spki(key))
      for (const other of KINDS) {
        if (other.spec !== spec) expect(await runtime.publicKeyOf(other.spec, pkcs8(key))).toBeUndefined()
      }
      expect(await runtime.publicKeyOf(spec, pkcs8(key).subarray(0, -1))).toBeUndefined()
      expect(await runtime.publicKeyOf(spec, Uint8Array.from([...pkcs8(key), 0]))).toBeUndefined()
      expect(await runtime.publicKeyOf(spec, spki(key))).toBeUndefined()
      expect(await runtime.publicKeyOf(spec, new Uint8Array(0))).toBeUndefined()
    }
  })
})

describe('a private key', () => {
  it('of another spec, or of numbers that do not fit together, is refused', async () => {
    const p256 = await newPair('ECC_NIST_P256')
    const other = [ec('P-384')(), ec('secp256k1')(), generateKeyPairSync('ed25519').privateKey, rsa(2048)()]
    for (const key of other) {
      await refused(importMaterial(engine, p256, pkcs8(key), NEVER, KEY_WRAP), 'IncorrectKeyMaterialException')
    }
    const { d = '' } = ec('P-256')().export({ format: 'jwk' })
    const jwk = { ...ec('P-256')().export({ format: 'jwk' }), d }
    const foreign = createPrivateKey({ key: jwk, format: 'jwk' })
    await refused(importMaterial(engine, p256, pkcs8(foreign), NEVER, KEY_WRAP), 'IncorrectKeyMaterialException')
    const rsa2048 = await newPair('RSA_2048')
    const bad = pkcs8(rsa(2048)())
    // A byte of the modulus: of another number alone OpenSSL would make do with the rest.
    bad[60]! ^= 1
    await refused(importMaterial(engine, rsa2048, bad, NEVER, KEY_WRAP), 'IncorrectKeyMaterialException')
    const KeyMetadata = (await engine.call('DescribeKey', { KeyId: p256 })).KeyMetadata
    expect(KeyMetadata.KeyState).toBe('PendingImport')
  })

  it('is wrapped by RSAES-OAEP alone if it is short enough', async () => {
    for (const [spec, keySpec] of [
      ['ECC_NIST_P256', 'RSA_2048'],
      ['ECC_NIST_P384', 'RSA_2048'],
      ['ECC_NIST_P521', 'RSA_3072'],
    ] as const) {
      const KeyId = await newPair(spec)
      const { make } = KINDS.find((kind) => kind.spec === spec)!
      await importMaterial(engine, KeyId, pkcs8(make()), NEVER, { keySpec })
    }
    for (const [spec, keySpec] of [
      ['ECC_NIST_P521', 'RSA_2048'],
      ['RSA_2048', 'RSA_4096'],
    ] as const) {
      const KeyId = await newPair(spec)
      const input = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: keySpec }
      const message = `Key material of spec ${spec} cannot be wrapped by RSAES_OAEP_SHA_256 with ${keySpec}.`
      await refused(engine.call('GetParametersForImport', input), 'UnsupportedOperationException', message)
    }
  })

  it('agrees on secrets if its key is for that', async () => {
    const kind = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }
    const KeyId = await newKey(engine, { ...kind, Origin: 'EXTERNAL' })
    await importMaterial(engine, KeyId, pkcs8(ec('P-256')()), NEVER, { algorithm: 'RSA_AES_KEY_WRAP_SHA_1' })
    const peer = await newKey(engine, kind)
    const derive = async (own: string, other: string): Promise<object> => {
      const { PublicKey } = await engine.call('GetPublicKey', { KeyId: other })
      return engine.call('DeriveSharedSecret', { KeyId: own, KeyAgreementAlgorithm: 'ECDH', PublicKey })
    }
    const [mine, theirs] = [await derive(KeyId, peer), await derive(peer, KeyId)] as { SharedSecret?: Uint8Array }[]
    expect(mine?.SharedSecret).toEqual(theirs?.SharedSecret)
    expect(mine).toMatchObject({ KeyOrigin: 'EXTERNAL' })
  })

  it('wrapped under no AES key, or cut off, is an invalid ciphertext', async () => {
    const KeyId = await newPair('ECC_NIST_P256')
    const wrapped = await wrapFor(engine, KeyId, pkcs8(ec('P-256')()), KEY_WRAP)
    const changed = wrapped.EncryptedKeyMaterial.slice()
    changed[changed.length - 1]! ^= 1
    for (const EncryptedKeyMaterial of [
      changed,
      wrapped.EncryptedKeyMaterial.subarray(0, 256),
      wrapped.EncryptedKeyMaterial.subarray(0, -1),
      wrapped.EncryptedKeyMaterial.subarray(0, -8),
    ]) {
      const importing = engine.call('ImportKeyMaterial', { ...wrapped, ...NEVER, EncryptedKeyMaterial })
      await refused(importing, 'InvalidCiphertextException', '')
    }
  })
})
