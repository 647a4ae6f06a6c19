import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  randomBytes,
  verify,
  type KeyObject,
  type VerifyKeyObjectInput,
} from 'node:crypto'
import type {
  CreateCustomKeyStoreCommandInput,
  KeySpec,
  KeyUsageType,
  KMS,
  MacAlgorithmSpec,
  SigningAlgorithmSpec,
} from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js'
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { DECLARED } from '../kms/declared-errors.ts'
import { EXTERNAL_STORE } from '../kms/key-store-setup.ts'
import { wrap } from '../kms/wrap-material.ts'
import { PATH } from '../kms/xks-proxy.ts'
import { client, rootCredentials, serve, type Running } from './server.ts'
import { Shell, succeeded } from './shell.ts'
import { startProxy } from './xks-network.ts'

// Every group of actions, by the real AWS SDK against `waxseal serve`; what comes out of it is checked by node:crypto.

const shell = new Shell()
const called = new Set<string>()
const PLAINTEXT = new TextEncoder().encode('a plaintext of several words')
const DIGESTS = { SHA_256: 'sha256', SHA_384: 'sha384', SHA_512: 'sha512' } as const
const ALICE = 'arn:aws:iam::000000000000:user/alice'

let server: Running
let kms: KMS
/** The same server in another Region. */
let elsewhere: KMS
let network: Awaited<ReturnType<typeof startProxy>>

beforeAll(async () => {
  network = await startProxy(shell, 'us-east-1')
  network.proxy.addKey('key-1')
  server = await serve(shell, '--region', 'us-east-1', '--region', 'eu-west-1')
  kms = watched(client(server.url, rootCredentials(shell)))
  elsewhere = watched(client(server.url, rootCredentials(shell), 'eu-west-1'))
})

afterAll(async () => {
  kms.destroy()
  elsewhere.destroy()
  succeeded(await server.stop())
  network.stop()
  shell.remove()
})

/** Notes the actions that went well. */
function watched(client: KMS): KMS {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (input) => {
        const result = await next(input)
        called.add(commandName.replace(/Command$/, ''))
        return result
      },
    { step: 'initialize' },
  )
  return client
}

async function newKey(KeySpec: KeySpec = 'SYMMETRIC_DEFAULT', KeyUsage?: KeyUsageType): Promise<string> {
  const { KeyMetadata } = await kms.createKey({ KeySpec, KeyUsage: KeyUsage ?? 'ENCRYPT_DECRYPT' })
  return KeyMetadata?.KeyId ?? ''
}

async function publicKeyOf(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await kms.getPublicKey({ KeyId })
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: 'der', type: 'spki' })
}

const bytes = (value: Uint8Array | undefined): Buffer => Buffer.from(value ?? [])

describe('asymmetric encryption', () => {
  it.each([
    ['RSAES_OAEP_SHA_1', 'sha1'],
    ['RSAES_OAEP_SHA_256', 'sha256'],
  ] as const)(
    '%s: what was encrypted offline decrypts, and the ciphertext is the raw block',
    async (algorithm, oaepHash) => {
      const KeyId = await newKey('RSA_2048')
      const key = await publicKeyOf(KeyId)
      const CiphertextBlob = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, PLAINTEXT)
      const opened = await kms.decrypt({ KeyId, CiphertextBlob, EncryptionAlgorithm: algorithm })
      expect(bytes(opened.Plaintext)).toEqual(Buffer.from(PLAINTEXT))
      const sealed = await kms.encrypt({ KeyId, Plaintext: PLAINTEXT, EncryptionAlgorithm: algorithm })
      expect(sealed.CiphertextBlob).toHaveLength(256)
    },
  )
})

const SIGNATURES: readonly (readonly [KeySpec, readonly SigningAlgorithmSpec[]])[] = [
  [
    'RSA_2048',
    [
      'RSASSA_PSS_SHA_256',
      'RSASSA_PSS_SHA_384',
      'RSASSA_PSS_SHA_512',
      'RSASSA_PKCS1_V1_5_SHA_256',
      'RSASSA_PKCS1_V1_5_SHA_384',
      'RSASSA_PKCS1_V1_5_SHA_512',
    ],
  ],
  ['RSA_3072', ['RSASSA_PSS_SHA_256']],
  ['RSA_4096', ['RSASSA_PKCS1_V1_5_SHA_512']],
  ['ECC_NIST_P256', ['ECDSA_SHA_256']],
  ['ECC_NIST_P384', ['ECDSA_SHA_384']],
  ['ECC_NIST_P521', ['ECDSA_SHA_512']],
  ['ECC_SECG_P256K1', ['ECDSA_SHA_256']],
  ['ECC_NIST_EDWARDS25519', ['ED25519_SHA_512']],
]

/** Judged by node:crypto, over the downloaded public key. */
function isSignature(algorithm: string, key: KeyObject, signature: Buffer): boolean {
  if (algorithm.startsWith('ED25519')) return verify(null, PLAINTEXT, key, signature)
  const digest = DIGESTS[algorithm.slice(-7) as keyof typeof DIGESTS]
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  const options: VerifyKeyObjectInput = algorithm.startsWith('RSASSA_PSS') ? { key, padding, saltLength } : { key }
  return verify(digest, PLAINTEXT, options, signature)
}

describe('signatures', () => {
  it.each(SIGNATURES)('of %s by %j verify outside', async (KeySpec, algorithms) => {
    const KeyId = await newKey(KeySpec, 'SIGN_VERIFY')
    const key = await publicKeyOf(KeyId)
    for (const SigningAlgorithm of algorithms) {
      const raw = await kms.sign({ KeyId, Message: PLAINTEXT, SigningAlgorithm })
      expect(isSignature(SigningAlgorithm, key, bytes(raw.Signature))).toBe(true)
      const checked = await kms.verify({ KeyId, Message: PLAINTEXT, SigningAlgorithm, Signature: raw.Signature })
      expect(checked.SignatureValid).toBe(true)
      if (SigningAlgorithm === 'ED25519_SHA_512') continue
      const digest = DIGESTS[SigningAlgorithm.slice(-7) as keyof typeof DIGESTS]
      const Message = createHash(digest).update(PLAINTEXT).digest()
      const signed = await kms.sign({ KeyId, Message, MessageType: 'DIGEST', SigningAlgorithm })
      expect(isSignature(SigningAlgorithm, key, bytes(signed.Signature))).toBe(true)
    }
    const [SigningAlgorithm] = algorithms
    await expect(
      kms.verify({ KeyId, Message: PLAINTEXT, SigningAlgorithm, Signature: Buffer.alloc(64) }),
    ).rejects.toMatchObject({ name: 'KMSInvalidSignatureException' })
  })
})

describe('MACs', () => {
  it.each([224, 256, 384, 512] as const)('of HMAC_%d verify, and those of others do not', async (bits) => {
    const KeyId = await newKey(`HMAC_${bits}`, 'GENERATE_VERIFY_MAC')
    const MacAlgorithm: MacAlgorithmSpec = `HMAC_SHA_${bits}`
    const { Mac } = await kms.generateMac({ KeyId, Message: PLAINTEXT, MacAlgorithm })
    expect(Mac).toHaveLength(bits / 8)
    expect((await kms.verifyMac({ KeyId, Message: PLAINTEXT, MacAlgorithm, Mac })).MacValid).toBe(true)
    const forged = createHmac(`sha${bits}`, 'another key').update(PLAINTEXT).digest()
    await expect(kms.verifyMac({ KeyId, Message: PLAINTEXT, MacAlgorithm, Mac: forged })).rejects.toMatchObject({
      name: 'KMSInvalidMacException',
    })
  })
})

describe('shared secrets', () => {
  it.each([
    ['ECC_NIST_P256', 'prime256v1'],
    ['ECC_NIST_P384', 'secp384r1'],
    ['ECC_NIST_P521', 'secp521r1'],
  ] as const)('of %s are those that the other side derives', async (KeySpec, namedCurve) => {
    const KeyId = await newKey(KeySpec, 'KEY_AGREEMENT')
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
    const PublicKey = publicKey.export({ format: 'der', type: 'spki' })
    const { SharedSecret } = await kms.deriveSharedSecret({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey })
    expect(bytes(SharedSecret)).toEqual(diffieHellman({ privateKey, publicKey: await publicKeyOf(KeyId) }))
  })
})

describe('data key pairs', () => {
  it.each([
    'RSA_2048',
    'ECC_NIST_P256',
    'ECC_NIST_P384',
    'ECC_NIST_P521',
    'ECC_SECG_P256K1',
    'ECC_NIST_EDWARDS25519',
  ] as const)('%s: both halves belong together, and the private one decrypts', async (KeyPairSpec) => {
    const KeyId = await newKey()
    const EncryptionContext = { pair: KeyPairSpec }
    const pair = await kms.generateDataKeyPair({ KeyId, KeyPairSpec, EncryptionContext })
    const key = createPrivateKey({ key: bytes(pair.PrivateKeyPlaintext), format: 'der', type: 'pkcs8' })
    expect(createPublicKey(key).export({ format: 'der', type: 'spki' })).toEqual(bytes(pair.PublicKey))
    const opened = await kms.decrypt({ CiphertextBlob: pair.PrivateKeyCiphertextBlob, EncryptionContext })
    expect(opened.Plaintext).toEqual(pair.PrivateKeyPlaintext)
    const sealed = await kms.generateDataKeyPairWithoutPlaintext({ KeyId, KeyPairSpec, EncryptionContext })
    expect(sealed).not.toHaveProperty('PrivateKeyPlaintext')
    const other = await kms.decrypt({ CiphertextBlob: sealed.PrivateKeyCiphertextBlob, EncryptionContext })
    const otherKey = createPrivateKey({ key: bytes(other.Plaintext), format: 'der', type: 'pkcs8' })
    expect(createPublicKey(otherKey).export({ format: 'der', type: 'spki' })).toEqual(bytes(sealed.PublicKey))
  })
})

describe('post-quantum keys', () => {
  it.each([
    ['ML_DSA_44', ml_dsa44],
    ['ML_DSA_65', ml_dsa65],
    ['ML_DSA_87', ml_dsa87],
  ] as const)('%s: a signature verifies outside', async (KeySpec, scheme) => {
    const KeyId = await newKey(KeySpec, 'SIGN_VERIFY')
    const { PublicKey } = await kms.getPublicKey({ KeyId })
    const input = { KeyId, Message: PLAINTEXT, SigningAlgorithm: 'ML_DSA_SHAKE_256' as const }
    const { Signature } = await kms.sign(input)
    // The key is what SubjectPublicKeyInfo ends with.
    const key = new Uint8Array(bytes(PublicKey)).subarray(-scheme.lengths.publicKey!)
    expect(scheme.verify(new Uint8Array(bytes(Signature)), PLAINTEXT, key)).toBe(true)
    expect((await kms.verify({ ...input, Signature })).SignatureValid).toBe(true)
  })

  it.each([
    ['ML_KEM_512', ml_kem512],
    ['ML_KEM_768', ml_kem768],
    ['ML_KEM_1024', ml_kem1024],
  ] as const)('%s: a secret that was made outside comes out, and one that was made here', async (KeySpec, scheme) => {
    const KeyId = await newKey(KeySpec, 'ENCAPSULATE_DECAPSULATE')
    const { PublicKey } = await kms.getPublicKey({ KeyId })
    const { cipherText, sharedSecret } = scheme.encapsulate(
      new Uint8Array(bytes(PublicKey)).subarray(-scheme.lengths.publicKey!),
    )
    const input = { KeyId, EncapsulationAlgorithm: 'ML_KEM' as const }
    const opened = await kms.decapsulate({ ...input, SharedSecretCiphertextBlob: cipherText })
    expect(bytes(opened.SharedSecret)).toEqual(Buffer.from(sharedSecret))
    const { SharedSecret, SharedSecretCiphertextBlob } = await kms.encapsulate(input)
    expect((await kms.decapsulate({ ...input, SharedSecretCiphertextBlob })).SharedSecret).toEqual(SharedSecret)
  })
})

describe('custom key stores', () => {
  it('keep a key behind an external key store proxy', async () => {
    const { CustomKeyStoreId } = await kms.createCustomKeyStore(EXTERNAL_STORE as CreateCustomKeyStoreCommandInput)
    await kms.connectCustomKeyStore({ CustomKeyStoreId })
    await kms.updateCustomKeyStore({ CustomKeyStoreId, NewCustomKeyStoreName: 'outside' })
    expect((await kms.describeCustomKeyStores({ CustomKeyStoreId })).CustomKeyStores).toMatchObject([
      { CustomKeyStoreName: 'outside', ConnectionState: 'CONNECTED' },
    ])
    const Origin = 'EXTERNAL_KEY_STORE'
    const { KeyMetadata } = await kms.createKey({ Origin, CustomKeyStoreId, XksKeyId: 'key-1' })
    const KeyId = KeyMetadata?.KeyId
    const made = await kms.generateDataKey({ KeyId, KeySpec: 'AES_256' })
    expect((await kms.decrypt({ CiphertextBlob: made.CiphertextBlob })).Plaintext).toEqual(made.Plaintext)
    expect(network.proxy.asked.map(({ path }) => path.split('/').pop())).toEqual(
      expect.arrayContaining(['health', 'metadata', 'encrypt', 'decrypt']),
    )
    await kms.disconnectCustomKeyStore({ CustomKeyStoreId })
    await expect(kms.generateDataKey({ KeyId, KeySpec: 'AES_256' })).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    })
    await expect(kms.deleteCustomKeyStore({ CustomKeyStoreId })).rejects.toMatchObject({
      name: 'CustomKeyStoreHasCMKsException',
    })
    const other = { ...EXTERNAL_STORE, CustomKeyStoreName: 'other', XksProxyUriPath: `/other${PATH}` }
    network.proxy.intercept = (answer, path) =>
      path.startsWith('/other') ? { status: 200, body: network.proxy.health } : answer
    const empty = await kms.createCustomKeyStore(other as CreateCustomKeyStoreCommandInput)
    await kms.deleteCustomKeyStore({ CustomKeyStoreId: empty.CustomKeyStoreId })
    expect((await kms.describeCustomKeyStores({})).CustomKeyStores).toHaveLength(1)
  })
})

describe('symmetric keys', () => {
  it('encrypt, re-encrypt, make data keys and random bytes', async () => {
    const [KeyId, DestinationKeyId] = [await newKey(), await newKey()]
    const SourceEncryptionContext = { tenant: 'a' }
    const { CiphertextBlob } = await kms.encrypt({
      KeyId,
      Plaintext: PLAINTEXT,
      EncryptionContext: SourceEncryptionContext,
    })
    const moved = await kms.reEncrypt({ CiphertextBlob, SourceEncryptionContext, DestinationKeyId })
    expect(bytes((await kms.decrypt({ CiphertextBlob: moved.CiphertextBlob })).Plaintext)).toEqual(
      Buffer.from(PLAINTEXT),
    )
    await expect(kms.decrypt({ CiphertextBlob })).rejects.toMatchObject({ name: 'InvalidCiphertextException' })
    const made = await kms.generateDataKey({ KeyId, KeySpec: 'AES_256' })
    expect((await kms.decrypt({ CiphertextBlob: made.CiphertextBlob })).Plaintext).toEqual(made.Plaintext)
    expect(await kms.generateDataKeyWithoutPlaintext({ KeyId, NumberOfBytes: 64 })).not.toHaveProperty('Plaintext')
    expect((await kms.generateRandom({ NumberOfBytes: 1024 })).Plaintext).toHaveLength(1024)
    expect((await kms.getKeyLastUsage({ KeyId })).KeyLastUsage).toMatchObject({
      Operation: 'GenerateDataKeyWithoutPlaintext',
    })
    await expect(kms.generateDataKey({ KeyId, KeySpec: 'AES_256', DryRun: true })).rejects.toMatchObject({
      name: 'DryRunOperationException',
    })
  })

  it('rotate, and what was encrypted before decrypts', async () => {
    const KeyId = await newKey()
    const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: PLAINTEXT })
    await kms.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 })
    expect(await kms.getKeyRotationStatus({ KeyId })).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: expect.any(Date) as unknown,
    })
    await kms.rotateKeyOnDemand({ KeyId })
    expect((await kms.listKeyRotations({ KeyId })).Rotations).toMatchObject([{ RotationType: 'ON_DEMAND' }])
    await kms.disableKeyRotation({ KeyId })
    expect(bytes((await kms.decrypt({ CiphertextBlob })).Plaintext)).toEqual(Buffer.from(PLAINTEXT))
  })
})

describe('the life of a key', () => {
  it('has names, tags, a description, states and an end', async () => {
    const [KeyId, other] = [await newKey(), await newKey()]
    await kms.updateKeyDescription({ KeyId, Description: 'première' })
    await kms.tagResource({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })
    expect((await kms.listResourceTags({ KeyId })).Tags).toEqual([{ TagKey: 'a', TagValue: 'b' }])
    await kms.untagResource({ KeyId, TagKeys: ['a'] })
    await kms.createAlias({ AliasName: 'alias/life', TargetKeyId: KeyId })
    expect((await kms.describeKey({ KeyId: 'alias/life' })).KeyMetadata).toMatchObject({
      KeyId,
      Description: 'première',
    })
    await kms.updateAlias({ AliasName: 'alias/life', TargetKeyId: other })
    expect((await kms.listAliases({ KeyId: other })).Aliases).toMatchObject([{ AliasName: 'alias/life' }])
    await kms.deleteAlias({ AliasName: 'alias/life' })
    await kms.disableKey({ KeyId })
    await expect(kms.encrypt({ KeyId, Plaintext: PLAINTEXT })).rejects.toMatchObject({ name: 'DisabledException' })
    await kms.enableKey({ KeyId })
    expect((await kms.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 })).DeletionDate).toBeInstanceOf(Date)
    await expect(kms.encrypt({ KeyId, Plaintext: PLAINTEXT })).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
      message: expect.stringMatching(/ is pending deletion\.$/) as unknown,
    })
    await kms.cancelKeyDeletion({ KeyId })
    expect((await kms.describeKey({ KeyId })).KeyMetadata?.KeyState).toBe('Disabled')
    const { Keys = [] } = await kms.listKeys({ Limit: 1000 })
    expect(Keys.map((key) => key.KeyId)).toEqual(expect.arrayContaining([KeyId, other]))
  })
})

describe('policies and grants', () => {
  it('decide of a user, who was made while the server runs', async () => {
    const iam = async (...args: string[]): Promise<string> => {
      return succeeded(await shell.waxseal(['iam', ...args, '--kms', shell.path('data')]))
    }
    await iam('create-user', '--user-name', 'alice')
    const { AccessKey } = JSON.parse(await iam('create-access-key', '--user-name', 'alice')) as {
      AccessKey: { AccessKeyId: string; SecretAccessKey: string }
    }
    const alice = watched(
      client(server.url, {
        accessKeyId: AccessKey.AccessKeyId,
        secretAccessKey: AccessKey.SecretAccessKey,
      }),
    )
    const KeyId = await newKey()
    const denied = { name: 'AccessDeniedException' }
    const encrypt = (tenant: string) => alice.encrypt({ KeyId, Plaintext: PLAINTEXT, EncryptionContext: { tenant } })
    await expect(encrypt('a')).rejects.toMatchObject(denied)

    const Constraints = { EncryptionContextSubset: { tenant: 'a' } }
    const grant = {
      KeyId,
      GranteePrincipal: ALICE,
      RetiringPrincipal: ALICE,
      Operations: ['Encrypt' as const],
      Constraints,
    }
    const [first, second] = [await kms.createGrant(grant), await kms.createGrant(grant)]
    await encrypt('a')
    await expect(encrypt('b')).rejects.toMatchObject(denied)
    expect((await kms.listGrants({ KeyId })).Grants).toHaveLength(2)
    expect((await kms.listRetirableGrants({ RetiringPrincipal: ALICE })).Grants).toHaveLength(2)
    await alice.retireGrant({ GrantToken: first.GrantToken })
    await encrypt('a')
    await kms.revokeGrant({ KeyId, GrantId: second.GrantId })
    await expect(encrypt('a')).rejects.toMatchObject(denied)

    const { Policy = '' } = await kms.getKeyPolicy({ KeyId })
    const document = JSON.parse(Policy) as { Statement: object[] }
    const allow = { Effect: 'Allow', Principal: { AWS: ALICE }, Action: 'kms:Encrypt', Resource: '*' }
    document.Statement.push(allow)
    await kms.putKeyPolicy({ KeyId, Policy: JSON.stringify(document) })
    expect((await kms.listKeyPolicies({ KeyId })).PolicyNames).toEqual(['default'])
    await encrypt('b')
    document.Statement.push({ ...allow, Effect: 'Deny' })
    await kms.putKeyPolicy({ KeyId, Policy: JSON.stringify(document) })
    await expect(encrypt('b')).rejects.toMatchObject(denied)
    alice.destroy()
  })
})

describe('multi-Region keys', () => {
  it('are replicated, change their primary, and end in their order', async () => {
    const { KeyMetadata } = await kms.createKey({ MultiRegion: true })
    const KeyId = KeyMetadata?.KeyId ?? ''
    expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/)
    await expect(elsewhere.describeKey({ KeyId })).rejects.toMatchObject({ name: 'NotFoundException' })
    const replica = await kms.replicateKey({ KeyId, ReplicaRegion: 'eu-west-1', Description: 'elsewhere' })
    expect(replica.ReplicaKeyMetadata).toMatchObject({ KeyState: 'Creating', Enabled: false })
    const described = await elsewhere.describeKey({ KeyId })
    expect(described.KeyMetadata).toMatchObject({ KeyState: 'Enabled', Description: 'elsewhere' })

    const before = await kms.encrypt({ KeyId, Plaintext: PLAINTEXT })
    await kms.rotateKeyOnDemand({ KeyId })
    const after = await elsewhere.encrypt({ KeyId, Plaintext: PLAINTEXT })
    for (const one of [kms, elsewhere]) {
      for (const { CiphertextBlob } of [before, after]) {
        expect(bytes((await one.decrypt({ CiphertextBlob })).Plaintext)).toEqual(Buffer.from(PLAINTEXT))
      }
    }

    await kms.updatePrimaryRegion({ KeyId, PrimaryRegion: 'eu-west-1' })
    await expect(kms.replicateKey({ KeyId, ReplicaRegion: 'eu-west-1' })).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: `${KeyMetadata?.Arn ?? ''} is not a multi-region primary key.`,
    })
    const deletion = await elsewhere.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 })
    expect(deletion).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 7 })
    expect(deletion.DeletionDate).toBeUndefined()
    await elsewhere.cancelKeyDeletion({ KeyId })
  })
})

it('imported material is wrapped by node:crypto, deleted, and imported again', async () => {
  const { KeyMetadata } = await kms.createKey({ Origin: 'EXTERNAL' })
  const KeyId = KeyMetadata?.KeyId ?? ''
  const material = randomBytes(32)
  const importing = async (): Promise<void> => {
    const WrappingAlgorithm = 'RSAES_OAEP_SHA_256'
    const made = await kms.getParametersForImport({ KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' })
    const EncryptedKeyMaterial = wrap(bytes(made.PublicKey), WrappingAlgorithm, material)
    const ValidTo = new Date(Date.now() + 3_600_000)
    await kms.importKeyMaterial({ KeyId, ImportToken: made.ImportToken, EncryptedKeyMaterial, ValidTo })
  }
  await importing()
  const { CiphertextBlob } = await kms.encrypt({ KeyId, Plaintext: PLAINTEXT })
  await kms.deleteImportedKeyMaterial({ KeyId })
  await expect(kms.decrypt({ CiphertextBlob })).rejects.toMatchObject({ name: 'KMSInvalidStateException' })
  await importing()
  expect(bytes((await kms.decrypt({ CiphertextBlob })).Plaintext)).toEqual(Buffer.from(PLAINTEXT))
})

it('every action was called, and went well', () => {
  expect([...called].sort()).toEqual(Object.keys(DECLARED).sort())
})
