import { randomBytes } from 'node:crypto'
import type { CreateCustomKeyStoreCommandInput, KMS } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DECLARED } from '../kms/declared-errors.ts'
import { EXTERNAL_STORE } from '../kms/key-store-setup.ts'
import { wrap } from '../kms/wrap-material.ts'
import { PATH } from '../kms/xks-proxy.ts'
import { describeKeySpecs } from './sdk-key-specs.ts'
import { bytes, PLAINTEXT, serveSdk, type Served } from './sdk-setup.ts'

// Every group of actions, by the real AWS SDK against `waxseal serve`; what comes out of it is checked by node:crypto.

const ALICE = 'arn:aws:iam::000000000000:user/alice'

let served: Served
let kms: KMS
let elsewhere: KMS
let newKey: Served['newKey']

beforeAll(async () => {
  served = await serveSdk()
  ;({ kms, elsewhere, newKey } = served)
})

afterAll(() => served.stop())

describeKeySpecs(() => served)

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
    expect(served.proxy.asked.map(({ path }) => path.split('/').pop())).toEqual(
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
    served.proxy.intercept = (answer, path) =>
      path.startsWith('/other') ? { status: 200, body: served.proxy.health } : answer
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
    const alice = await served.newUser('alice')
    const KeyId = await newKey()
    const denied = { name: 'AccessDeniedException' }
    const encrypt = (tenant: string) => alice.encrypt({ KeyId, Plaintext: PLAINTEXT, EncryptionContext: { tenant } })
    await expect(encrypt('a')).rejects.toMatchObject(denied)

    const Constraints = { EncryptionContextSubset: { tenant: 'a' } }
    const Operations = ['Encrypt' as const]
    const grant = { KeyId, GranteePrincipal: ALICE, RetiringPrincipal: ALICE, Operations, Constraints }
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
  expect([...served.called].sort()).toEqual(Object.keys(DECLARED).sort())
})
