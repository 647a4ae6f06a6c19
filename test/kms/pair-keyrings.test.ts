import { constants, createHash, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { kmsEcdhKeyring, type EcdhCurve, type KmsPairProvider } from '../../kms/kms-ecdh-keyring.ts'
import { kmsRsaKeyring, type KmsRsaAlgorithm } from '../../kms/kms-rsa-keyring.ts'
import { engineProvider } from '../../kms/providers/local.ts'
import {
  decrypt,
  encrypt,
  inspect,
  multiKeyring,
  rawAesKeyring,
  type EncryptedDataKey,
  type Keyring,
} from '../../src/index.ts'
import { rawEcdhKeyring } from '../../src/keyrings/raw-ecdh.ts'
import { memoryEngine } from './engine-setup.ts'
import { failure, plaintext, preceded } from '../unit/src-setup.ts'

const CONTEXT = { tenant: 'a', purpose: 'ü' }
/** The context as it is serialised: count, then each key and value with its length, sorted. */
const SERIALIZED_CONTEXT = '00020007707572706f73650002c3bc000674656e616e740001' + '61'
const ALGORITHMS: readonly KmsRsaAlgorithm[] = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']
const CURVES: readonly EcdhCurve[] = ['P-256', 'P-384', 'P-521']

let engine: Engine
let provider: KmsPairProvider

interface Pair {
  readonly arn: string
  readonly publicKey: Uint8Array
}

async function newPair(KeySpec: string, KeyUsage: string): Promise<Pair> {
  const { Arn, KeyId } = (await engine.call('CreateKey', { KeySpec, KeyUsage })).KeyMetadata
  return { arn: Arn, publicKey: (await engine.call('GetPublicKey', { KeyId })).PublicKey }
}

beforeAll(async () => {
  engine = await memoryEngine()
  provider = engineProvider(engine)
})

/** What a decryption fails with: the errors of its keyrings. */
async function reasonOf(keyring: Keyring, message: Uint8Array): Promise<unknown> {
  return failure(decrypt(keyring, message))
}

describe.each(ALGORITHMS)('kmsRsaKeyring with %s', (algorithm) => {
  let key: Pair

  beforeAll(async () => {
    key = await newPair('RSA_2048', 'ENCRYPT_DECRYPT')
  })

  it('writes the digest of the context before the data key, under OAEP', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const keyring = kmsRsaKeyring({ keyId: key.arn, algorithm, publicKey })
    const message = await encrypt(keyring, plaintext, { encryptionContext: CONTEXT })
    const [encryptedDataKey] = inspect(message).encryptedDataKeys
    expect(encryptedDataKey?.providerId).toBe('aws-kms-rsa')
    expect(new TextDecoder().decode(encryptedDataKey?.providerInfo)).toBe(key.arn)
    const oaepHash = algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256'
    const options = { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }
    const opened = privateDecrypt(options, encryptedDataKey?.ciphertext ?? new Uint8Array(0))
    expect(opened.length).toBe(48 + 32)
    const digest = createHash('sha384').update(Buffer.from(SERIALIZED_CONTEXT, 'hex')).digest('hex')
    expect(opened.subarray(0, 48).toString('hex')).toBe(digest)
  })

  it('decrypts by the service, with one of the two or with both', async () => {
    const { arn, publicKey } = key
    const writer = kmsRsaKeyring({ keyId: arn, algorithm, publicKey })
    const reader = kmsRsaKeyring({ keyId: arn, algorithm, provider })
    for (const encryptionContext of [{}, CONTEXT]) {
      const message = await encrypt(writer, plaintext, { encryptionContext })
      expect((await decrypt(reader, message)).plaintext).toEqual(plaintext)
    }
    expect(await failure(encrypt(reader, plaintext))).toMatchObject({ code: 'ERR_WAXSEAL_UNSUPPORTED' })
    expect(await reasonOf(writer, await encrypt(writer, plaintext))).toMatchObject({
      code: 'ERR_WAXSEAL_KEY_UNAVAILABLE',
    })
  })

  it('neither wraps nor asks the service for a suite with a signature', async () => {
    const { arn, publicKey } = key
    const keyring = kmsRsaKeyring({
      keyId: arn,
      algorithm,
      publicKey,
      provider: { decryptRsa: () => expect.unreachable() },
    })
    const signed = { algorithmSuite: 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY-ECDSA-P384' } as const
    expect(await failure(encrypt(keyring, plaintext, signed))).toMatchObject({ code: 'ERR_WAXSEAL_UNSUPPORTED' })
    const raw = rawAesKeyring({ namespace: 'a', name: 'b', wrappingKey: new Uint8Array(32) })
    expect(
      await failure(encrypt(multiKeyring({ generator: raw, children: [keyring] }), plaintext, signed)),
    ).toMatchObject({ code: 'ERR_WAXSEAL_UNSUPPORTED' })
    const [encryptedDataKey] = inspect(await encrypt(keyring, plaintext)).encryptedDataKeys
    const message = await encrypt(preceded(raw, encryptedDataKey!), plaintext, signed)
    expect(await reasonOf(keyring, message)).toMatchObject({ errors: [{ code: 'ERR_WAXSEAL_UNSUPPORTED' }] })
    expect((await decrypt(multiKeyring({ generator: keyring, children: [raw] }), message)).plaintext).toEqual(plaintext)
  })

  it('opens nothing that was wrapped for another context, with another padding, or under another key', async () => {
    const { arn, publicKey } = key
    const keyring = kmsRsaKeyring({ keyId: arn, algorithm, provider, publicKey })
    const [encryptedDataKey] = inspect(
      await encrypt(keyring, plaintext, { encryptionContext: CONTEXT }),
    ).encryptedDataKeys
    const transplanted = preceded({ wrap: () => undefined, unwrap: () => undefined }, encryptedDataKey!)
    const moved: Keyring = {
      wrap: async (materials) => {
        materials.setDataKey(new Uint8Array(materials.suite.keyBytes).fill(1))
        await transplanted.wrap(materials)
      },
      unwrap: () => undefined,
    }
    const message = await encrypt(moved, plaintext, { encryptionContext: { tenant: 'b' } })
    expect(await reasonOf(keyring, message)).toMatchObject({ code: 'ERR_WAXSEAL_AUTHENTICATION' })
    const good = await encrypt(keyring, plaintext)
    const other = ALGORITHMS.find((name) => name !== algorithm)!
    const wrongPadding = kmsRsaKeyring({ keyId: arn, algorithm: other, provider })
    expect(await reasonOf(wrongPadding, good)).toMatchObject({ code: 'ERR_WAXSEAL_AUTHENTICATION' })
    const elsewhere = await newPair('RSA_2048', 'ENCRYPT_DECRYPT')
    const stranger = kmsRsaKeyring({ keyId: elsewhere.arn, algorithm, provider })
    expect(await reasonOf(stranger, good)).toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE' })
  })

  it('goes on after an encrypted data key that does not open', async () => {
    const { arn, publicKey } = key
    const keyring = kmsRsaKeyring({ keyId: arn, algorithm, provider, publicKey })
    const providerInfo = new TextEncoder().encode(arn)
    const noArn = new TextEncoder().encode('alias/x')
    const message = await encrypt(
      preceded(
        keyring,
        { providerId: 'aws-kms-rsa', providerInfo: noArn, ciphertext: new Uint8Array(256) },
        { providerId: 'aws-kms-rsa', providerInfo, ciphertext: new Uint8Array(256) },
        { providerId: 'aws-kms-rsa', providerInfo, ciphertext: new Uint8Array(3) },
      ),
      plaintext,
    )
    expect((await decrypt(keyring, message)).plaintext).toEqual(plaintext)
  })

  it('takes a Buffer for an answer', async () => {
    const { arn, publicKey } = key
    const decryptRsa: typeof provider.decryptRsa = async (request) => {
      const answer = await provider.decryptRsa(request)
      return { ...answer, plaintext: Buffer.from(answer.plaintext) }
    }
    const keyring = kmsRsaKeyring({ keyId: arn, algorithm, publicKey, provider: { decryptRsa } })
    expect((await decrypt(keyring, await encrypt(keyring, plaintext))).plaintext).toEqual(plaintext)
  })

  it('refuses the answers of a service that are not what was asked for, and wipes them', async () => {
    const { arn, publicKey } = key
    const message = await encrypt(kmsRsaKeyring({ keyId: arn, algorithm, publicKey }), plaintext)
    const answered: Uint8Array[] = []
    const answering = (answer: Partial<{ keyId: string; plaintext: Uint8Array }>): Keyring =>
      kmsRsaKeyring({
        keyId: arn,
        algorithm,
        provider: {
          decryptRsa: async (request) => {
            const right = await provider.decryptRsa(request)
            answered.push(answer.plaintext ?? right.plaintext)
            return { ...right, ...answer }
          },
        },
      })
    for (const answer of [
      { keyId: arn.replace('1', '2') },
      { plaintext: new Uint8Array(0) },
      { plaintext: new Uint8Array(79).fill(1) },
      { plaintext: Buffer.alloc(80, 1) },
    ]) {
      expect(await failure(decrypt(answering(answer), message))).toBeInstanceOf(Error)
    }
    expect((await decrypt(answering({}), message)).plaintext).toEqual(plaintext)
    expect(answered.length).toBe(5)
    expect(answered.every((bytes) => bytes.every((byte) => byte === 0))).toBe(true)
  })
})

it('kmsRsaKeyring refuses options that are none', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
  const keyId = 'arn:aws:kms:us-east-1:000000000000:key/00000000-0000-4000-8000-000000000000'
  const algorithm = 'RSAES_OAEP_SHA_256'
  for (const wrong of ['alias/x', 'arn:aws:kms:us-east-1:000000000000:alias/x', '', 'x']) {
    expect(() => kmsRsaKeyring({ keyId: wrong, algorithm, publicKey })).toThrow(TypeError)
  }
  for (const wrong of ['RSAES_PKCS1_V1_5', 'toString', '']) {
    expect(() => kmsRsaKeyring({ keyId, algorithm: wrong as KmsRsaAlgorithm, publicKey })).toThrow(TypeError)
  }
  expect(() => kmsRsaKeyring({ keyId, algorithm })).toThrow(TypeError)
  expect(() => kmsRsaKeyring({ keyId, algorithm, provider: {} as never })).toThrow(TypeError)
  expect(() => kmsRsaKeyring({ keyId, algorithm, publicKey: small })).toThrow(RangeError)
})

describe.each(CURVES)('kmsEcdhKeyring on %s', (curve) => {
  const keySpec = `ECC_NIST_${curve.replace('-', '')}`
  let alice: Pair
  let bob: Pair
  const raw = generateKeyPairSync('ec', { namedCurve: curve })

  beforeAll(async () => {
    alice = await newPair(keySpec, 'KEY_AGREEMENT')
    bob = await newPair(keySpec, 'KEY_AGREEMENT')
  })

  const staticKeyring = (own: Pair, other: Uint8Array | typeof raw.publicKey): Keyring =>
    kmsEcdhKeyring({
      schema: 'KmsPrivateKeyToStaticPublicKey',
      curve,
      provider,
      senderKeyId: own.arn,
      recipientPublicKey: other,
    })
  const discovery = (own: Pair, recipientPublicKey?: Uint8Array): Keyring =>
    kmsEcdhKeyring({ schema: 'KmsPublicKeyDiscovery', curve, provider, recipientKeyId: own.arn, recipientPublicKey })

  it('is read by either party, and by discovery', async () => {
    const message = await encrypt(staticKeyring(alice, bob.publicKey), plaintext, { encryptionContext: CONTEXT })
    expect(inspect(message).encryptedDataKeys[0]?.providerId).toBe('aws-kms-ecdh')
    for (const reader of [
      staticKeyring(alice, bob.publicKey),
      staticKeyring(bob, alice.publicKey),
      discovery(bob),
      discovery(bob, bob.publicKey),
    ]) {
      expect((await decrypt(reader, message)).plaintext).toEqual(plaintext)
    }
    expect(await reasonOf(discovery(alice), message)).toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE' })
    expect(await failure(encrypt(discovery(bob), plaintext))).toMatchObject({ code: 'ERR_WAXSEAL_UNSUPPORTED' })
  })

  it('reads what a raw ECDH keyring writes, and the reverse', async () => {
    const schema = 'RawPrivateKeyToStaticPublicKey'
    const theirs = rawEcdhKeyring({
      schema,
      curve,
      senderPrivateKey: raw.privateKey,
      recipientPublicKey: alice.publicKey,
    })
    const ours = staticKeyring(alice, raw.publicKey)
    expect((await decrypt(ours, await encrypt(theirs, plaintext))).plaintext).toEqual(plaintext)
    expect((await decrypt(theirs, await encrypt(ours, plaintext))).plaintext).toEqual(plaintext)
    const ephemeral = rawEcdhKeyring({
      schema: 'EphemeralPrivateKeyToStaticPublicKey',
      curve,
      recipientPublicKey: alice.publicKey,
    })
    const sealed = await encrypt(ephemeral, plaintext, { encryptionContext: CONTEXT })
    expect((await decrypt(discovery(alice), sealed)).plaintext).toEqual(plaintext)
  })

  it('refuses a key of another curve or usage, and asks again after a failure', async () => {
    const other = await newPair(curve === 'P-256' ? 'ECC_NIST_P384' : 'ECC_NIST_P256', 'KEY_AGREEMENT')
    const signing = await newPair(keySpec, 'SIGN_VERIFY')
    for (const wrong of [other, signing]) {
      expect(await failure(encrypt(staticKeyring(wrong, bob.publicKey), plaintext))).toMatchObject({
        code: 'ERR_WAXSEAL_KEY_UNAVAILABLE',
      })
    }
    expect(() => staticKeyring(alice, other.publicKey)).toThrow(TypeError)
    let isDown = true
    const flaky: KmsPairProvider = {
      ...provider,
      getPublicKey: (request) => (isDown ? Promise.reject(new Error('down')) : provider.getPublicKey(request)),
    }
    const keyring = kmsEcdhKeyring({
      schema: 'KmsPublicKeyDiscovery',
      curve,
      provider: flaky,
      recipientKeyId: bob.arn,
    })
    const message = await encrypt(staticKeyring(alice, bob.publicKey), plaintext)
    expect(await reasonOf(keyring, message)).toBeInstanceOf(Error)
    isDown = false
    expect((await decrypt(keyring, message)).plaintext).toEqual(plaintext)
  })

  it('refuses changed bytes, points that are none, and answers that are not what was asked for', async () => {
    const writer = staticKeyring(alice, bob.publicKey)
    const message = await encrypt(writer, plaintext, { encryptionContext: CONTEXT })
    const [encryptedDataKey] = inspect(message).encryptedDataKeys
    const changed = { ...encryptedDataKey!, ciphertext: encryptedDataKey!.ciphertext.slice() }
    changed.ciphertext[70]! ^= 1
    const only = (key: EncryptedDataKey): Keyring => ({
      wrap: (materials) => {
        materials.setDataKey(new Uint8Array(materials.suite.keyBytes).fill(1))
        materials.addEncryptedDataKey(key)
      },
      unwrap: () => undefined,
    })
    const context = { encryptionContext: CONTEXT }
    const reader = discovery(bob)
    expect(await reasonOf(reader, await encrypt(only(changed), plaintext, context))).toMatchObject({
      code: 'ERR_WAXSEAL_AUTHENTICATION',
    })
    expect(await reasonOf(reader, await encrypt(only(encryptedDataKey!), plaintext, {}))).toMatchObject({
      code: 'ERR_WAXSEAL_AUTHENTICATION',
    })
    const noPoint = { ...encryptedDataKey!, providerInfo: encryptedDataKey!.providerInfo.slice() }
    // The sender is behind the recipient; among all x some are of no point.
    noPoint.providerInfo.fill(0xff, -16)
    expect(await reasonOf(reader, await encrypt(only(noPoint), plaintext, context))).toBeInstanceOf(Error)
    const answering = (answer: object): Keyring =>
      kmsEcdhKeyring({
        schema: 'KmsPublicKeyDiscovery',
        curve,
        recipientKeyId: bob.arn,
        provider: {
          ...provider,
          deriveSharedSecret: async (request) => ({ ...(await provider.deriveSharedSecret(request)), ...answer }),
        },
      })
    for (const answer of [{ keyId: alice.arn }, { sharedSecret: new Uint8Array(3) }]) {
      expect(await reasonOf(answering(answer), message)).toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE' })
    }
    expect((await decrypt(answering({}), message)).plaintext).toEqual(plaintext)
  })
})

it('kmsEcdhKeyring refuses options that are none', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const good = {
    schema: 'KmsPrivateKeyToStaticPublicKey',
    curve: 'P-256',
    provider,
    senderKeyId: 'alias/x',
    recipientPublicKey: publicKey,
  } as const
  expect(() => kmsEcdhKeyring(good)).not.toThrow()
  for (const wrong of [
    { schema: 'PublicKeyDiscovery' },
    { curve: 'P-224' },
    { curve: 'toString' },
    { provider: {} },
    { senderKeyId: '' },
    { senderKeyId: undefined },
    { recipientPublicKey: 'x' },
    { senderPublicKey: new Uint8Array(3) },
  ]) {
    expect(() => kmsEcdhKeyring({ ...good, ...wrong } as never), JSON.stringify(wrong)).toThrow(TypeError)
  }
})
