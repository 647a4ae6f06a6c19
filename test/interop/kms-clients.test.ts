import { buildClient, CommitmentPolicy, getClient, KmsKeyringNode, type KeyringNode } from '@aws-crypto/client-node'
import { KMS } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../kms/engine/index.ts'
import { kmsKeyring } from '../../kms/index.ts'
import { kmsEcdhKeyring } from '../../kms/kms-ecdh-keyring.ts'
import { kmsRsaKeyring } from '../../kms/kms-rsa-keyring.ts'
import { awsKms } from '../../kms/providers/aws.ts'
import { createKmsServer, rootCredential } from '../../kms/server/index.ts'
import { listen, type NodeListener } from '../../kms/server/listen.node.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { decrypt, encrypt } from '../../src/index.ts'
import { rawEcdhKeyring } from '../../src/keyrings/raw-ecdh.ts'

const REGION = 'eu-central-1'
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const PLAINTEXT = new TextEncoder().encode('a message for several readers')
const CONTEXT = { tenant: 'a', 'name \u00e9': '\u{1f600}' }

let engine: Engine
let listener: NodeListener
let sdk: KMS

/** The real clients, unmodified but for endpoint and credentials, against a server on loopback. */
beforeAll(async () => {
  engine = await createEngine({
    store: memoryStore(),
    rootKey: crypto.getRandomValues(new Uint8Array(32)),
    region: REGION,
  })
  listener = await listen({ server: createKmsServer({ engine, credentials: rootCredential(CREDENTIALS) }), port: 0 })
  sdk = new KMS({ region: REGION, endpoint: listener.url, credentials: CREDENTIALS })
})

afterAll(async () => {
  sdk.destroy()
  await listener.close()
  await engine.close()
})

describe('@aws-sdk/client-kms', () => {
  it('creates, names, lists and describes keys', async () => {
    const { KeyMetadata } = await sdk.createKey({ Description: 'première', Tags: [{ TagKey: 'a', TagValue: 'b' }] })
    const { KeyId = '', Arn = '' } = KeyMetadata ?? {}
    expect(KeyMetadata).toMatchObject({ KeyState: 'Enabled', Description: 'première', KeyManager: 'CUSTOMER' })
    expect(Math.abs((KeyMetadata?.CreationDate?.getTime() ?? 0) - Date.now())).toBeLessThan(600_000)
    await sdk.createAlias({ AliasName: 'alias/first', TargetKeyId: KeyId })
    expect((await sdk.describeKey({ KeyId: 'alias/first' })).KeyMetadata?.Arn).toBe(Arn)
    expect((await sdk.listAliases({ KeyId })).Aliases).toMatchObject([{ AliasName: 'alias/first', TargetKeyId: KeyId }])
    expect((await sdk.listKeys({ Limit: 1000 })).Keys).toContainEqual({ KeyId, KeyArn: Arn })
  })

  it('pages', async () => {
    for (let i = 0; i < 3; i++) await sdk.createKey({})
    const first = await sdk.listKeys({ Limit: 2 })
    const second = await sdk.listKeys({ Limit: 2, Marker: first.NextMarker })
    expect(first.Truncated).toBe(true)
    expect(new Set([...(first.Keys ?? []), ...(second.Keys ?? [])].map(({ KeyId }) => KeyId)).size).toBe(4)
  })

  it('encrypts, decrypts and makes data keys', async () => {
    const { KeyMetadata } = await sdk.createKey({})
    const KeyId = KeyMetadata?.KeyId
    const { CiphertextBlob } = await sdk.encrypt({ KeyId, Plaintext: PLAINTEXT, EncryptionContext: CONTEXT })
    const opened = await sdk.decrypt({ CiphertextBlob, EncryptionContext: CONTEXT })
    expect([opened.Plaintext, opened.KeyId]).toEqual([PLAINTEXT, KeyMetadata?.Arn])
    const dataKey = await sdk.generateDataKey({ KeyId, KeySpec: 'AES_256' })
    expect((await sdk.decrypt({ CiphertextBlob: dataKey.CiphertextBlob })).Plaintext).toEqual(dataKey.Plaintext)
    expect(await sdk.generateDataKeyWithoutPlaintext({ KeyId, NumberOfBytes: 64 })).not.toHaveProperty('Plaintext')
  })

  it('tags, disables, rotates and ends keys', async () => {
    const { KeyMetadata } = await sdk.createKey({})
    const KeyId = KeyMetadata?.KeyId
    await sdk.tagResource({ KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })
    expect((await sdk.listResourceTags({ KeyId })).Tags).toEqual([{ TagKey: 'a', TagValue: 'b' }])
    await sdk.disableKey({ KeyId })
    await expect(sdk.encrypt({ KeyId, Plaintext: PLAINTEXT })).rejects.toMatchObject({ name: 'DisabledException' })
    await sdk.enableKey({ KeyId })
    const before = await sdk.encrypt({ KeyId, Plaintext: PLAINTEXT })
    await sdk.enableKeyRotation({ KeyId, RotationPeriodInDays: 90 })
    const status = await sdk.getKeyRotationStatus({ KeyId })
    expect(status.NextRotationDate).toBeInstanceOf(Date)
    await sdk.rotateKeyOnDemand({ KeyId })
    expect((await sdk.listKeyRotations({ KeyId })).Rotations).toMatchObject([{ RotationType: 'ON_DEMAND' }])
    expect((await sdk.decrypt({ CiphertextBlob: before.CiphertextBlob })).Plaintext).toEqual(PLAINTEXT)
    const { DeletionDate } = await sdk.scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 })
    expect(DeletionDate).toBeInstanceOf(Date)
    await expect(sdk.encrypt({ KeyId, Plaintext: PLAINTEXT })).rejects.toMatchObject({
      name: 'KMSInvalidStateException',
    })
    await sdk.cancelKeyDeletion({ KeyId })
    expect((await sdk.describeKey({ KeyId })).KeyMetadata?.KeyState).toBe('Disabled')
  })

  it('re-encrypts, and draws random bytes', async () => {
    const [source, destination] = [await sdk.createKey({}), await sdk.createKey({})]
    const sealed = await sdk.encrypt({ KeyId: source.KeyMetadata?.KeyId, Plaintext: PLAINTEXT })
    const DestinationKeyId = destination.KeyMetadata?.KeyId
    const moved = await sdk.reEncrypt({ CiphertextBlob: sealed.CiphertextBlob, DestinationKeyId })
    const opened = await sdk.decrypt({ CiphertextBlob: moved.CiphertextBlob })
    expect([opened.Plaintext, opened.KeyId]).toEqual([PLAINTEXT, destination.KeyMetadata?.Arn])
    expect((await sdk.generateRandom({ NumberOfBytes: 33 })).Plaintext).toHaveLength(33)
  })

  it('sees the exceptions that it knows', async () => {
    const { KeyMetadata } = await sdk.createKey({})
    const KeyId = KeyMetadata?.KeyId
    const { CiphertextBlob } = await sdk.encrypt({ KeyId, Plaintext: PLAINTEXT, EncryptionContext: CONTEXT })
    await expect(sdk.decrypt({ CiphertextBlob })).rejects.toMatchObject({
      name: 'InvalidCiphertextException',
      $fault: 'client',
    })
    await expect(sdk.describeKey({ KeyId: 'alias/none' })).rejects.toMatchObject({
      name: 'NotFoundException',
      message: `Alias arn:aws:kms:${REGION}:000000000000:alias/none is not found.`,
      $metadata: { httpStatusCode: 400, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, attempts: 1 },
    })
    await expect(sdk.encrypt({ KeyId, Plaintext: PLAINTEXT, DryRun: true })).rejects.toMatchObject({
      name: 'DryRunOperationException',
    })
    await expect(sdk.encrypt({ KeyId, Plaintext: new Uint8Array(4097) })).rejects.toMatchObject({
      name: 'ValidationException',
    })
  })

  it('is refused with another secret, another Region or a session token', async () => {
    const client = (options: object): KMS =>
      new KMS({ region: REGION, endpoint: listener.url, credentials: CREDENTIALS, maxAttempts: 1, ...options })
    const attempt = (options: object): Promise<unknown> => client(options).listKeys({})
    await expect(attempt({ credentials: { ...CREDENTIALS, secretAccessKey: 'x' } })).rejects.toMatchObject({
      name: 'InvalidSignatureException',
    })
    await expect(attempt({ credentials: { ...CREDENTIALS, accessKeyId: 'x' } })).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    })
    await expect(attempt({ credentials: { ...CREDENTIALS, sessionToken: 'x' } })).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    })
    await expect(attempt({ region: 'us-east-1' })).rejects.toMatchObject({ name: 'InvalidSignatureException' })
  })
})

describe('messages under one key of the server', () => {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
  let generatorKeyId: string

  beforeAll(async () => {
    generatorKeyId = (await engine.call('CreateKey', {})).KeyMetadata.Arn
  })

  const theirs = (): KeyringNode => {
    // Its types are of an SDK whose members were never undefined.
    const clientProvider = getClient(KMS as never, { endpoint: listener.url, credentials: CREDENTIALS })
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the SDK makes the class from another one at run time, so that its type does not name its constructor
    return new KmsKeyringNode({ clientProvider, generatorKeyId })
  }
  const ours = {
    'over fetch': () => awsKms({ region: REGION, endpoint: listener.url, credentials: CREDENTIALS }),
    'over the SDK': () => awsKms({ client: sdk }),
  }

  it.each(Object.keys(ours) as (keyof typeof ours)[])(
    '@aws-crypto/client-node writes, waxseal reads %s',
    async (way) => {
      const { result } = await client.encrypt(theirs(), Buffer.from(PLAINTEXT), { encryptionContext: CONTEXT })
      const message = new Uint8Array(result)
      const strict = kmsKeyring({ provider: ours[way](), keyIds: [generatorKeyId] })
      expect(await decrypt(strict, message, { encryptionContext: CONTEXT })).toMatchObject({ plaintext: PLAINTEXT })
      const discovery = kmsKeyring({
        provider: ours[way](),
        discovery: { partition: 'aws', accounts: ['000000000000'] },
      })
      expect(await decrypt(discovery, message)).toMatchObject({ plaintext: PLAINTEXT })
    },
  )

  it.each(Object.keys(ours) as (keyof typeof ours)[])(
    'waxseal writes %s, @aws-crypto/client-node reads',
    async (way) => {
      const keyring = kmsKeyring({ provider: ours[way](), generatorKeyId })
      for (const algorithmSuite of [0x0478, 0x0578] as const) {
        const message = await encrypt(keyring, PLAINTEXT, { encryptionContext: CONTEXT, algorithmSuite })
        const { plaintext, messageHeader } = await client.decrypt(theirs(), Buffer.from(message))
        expect(new Uint8Array(plaintext)).toEqual(PLAINTEXT)
        expect(messageHeader.encryptionContext).toMatchObject(CONTEXT)
      }
    },
  )
})

describe('keyrings over key pairs of the server', () => {
  const providers = {
    'over fetch': () => awsKms({ region: REGION, endpoint: listener.url, credentials: CREDENTIALS }),
    'over the SDK': () => awsKms({ client: sdk }),
  }

  it.each(Object.keys(providers) as (keyof typeof providers)[])('RSA, %s', async (way) => {
    const { KeyMetadata } = await sdk.createKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
    const { Arn: keyId = '' } = KeyMetadata ?? {}
    const { PublicKey: publicKey } = await sdk.getPublicKey({ KeyId: keyId })
    const keyring = kmsRsaKeyring({ keyId, algorithm: 'RSAES_OAEP_SHA_256', publicKey, provider: providers[way]() })
    const message = await encrypt(keyring, PLAINTEXT, { encryptionContext: CONTEXT })
    expect(await decrypt(keyring, message, { encryptionContext: CONTEXT })).toMatchObject({ plaintext: PLAINTEXT })
  })

  it.each(Object.keys(providers) as (keyof typeof providers)[])('ECDH, %s', async (way) => {
    const { KeyMetadata } = await sdk.createKey({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' })
    const { KeyId: recipientKeyId = '' } = KeyMetadata ?? {}
    const { PublicKey } = await sdk.getPublicKey({ KeyId: recipientKeyId })
    const reader = kmsEcdhKeyring({
      schema: 'KmsPublicKeyDiscovery',
      curve: 'P-384',
      provider: providers[way](),
      recipientKeyId,
    })
    const writer = rawEcdhKeyring({
      schema: 'EphemeralPrivateKeyToStaticPublicKey',
      curve: 'P-384',
      recipientPublicKey: PublicKey ?? '',
    })
    const message = await encrypt(writer, PLAINTEXT, { encryptionContext: CONTEXT })
    expect(await decrypt(reader, message)).toMatchObject({ plaintext: PLAINTEXT })
  })
})
