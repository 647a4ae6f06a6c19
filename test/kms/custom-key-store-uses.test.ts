import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Principal } from '../../kms/engine/index.ts'
import { ACCOUNT, ARN_PREFIX, newKey, refused } from './engine-setup.ts'
import { KINDS, openConnectedStores, type ConnectedStores } from './key-store-setup.ts'
import { DAY } from './one-key-setup.ts'
import { CLUSTER } from './memory-hsm.ts'

const EncryptionContext = { tenant: 'a' }
const Plaintext = new TextEncoder().encode('a secret plaintext')

let stores: ConnectedStores
let engine: Engine

beforeEach(async () => {
  stores = await openConnectedStores()
  ;({ engine } = stores)
})

async function newUser(): Promise<Principal> {
  const { Arn: arn, UserId: id } = (await engine.iam('CreateUser', { UserName: 'alice' })).User
  return { account: ACCOUNT, arn, id, type: 'User', tags: {} }
}

describe.each(KINDS)('a key in the %s store', (kind) => {
  let KeyId: string
  let arn: string

  beforeEach(async () => {
    KeyId = await stores.create(kind)
    arn = `${ARN_PREFIX}key/${KeyId}`
  })

  const encrypt = async (): Promise<Uint8Array> =>
    (await engine.call('Encrypt', { KeyId, Plaintext, EncryptionContext })).CiphertextBlob

  it.each([1, 4096])('encrypts and decrypts %i bytes', async (length) => {
    const long = new Uint8Array(length).fill(7)
    const { CiphertextBlob, ...rest } = await engine.call('Encrypt', { KeyId, Plaintext: long, EncryptionContext })
    expect(rest).toEqual({ KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
    expect(CiphertextBlob.length).toBeLessThanOrEqual(6144)
    const answer = { Plaintext: long, KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' }
    expect(await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })).toEqual(answer)
    expect(await engine.call('Decrypt', { CiphertextBlob, EncryptionContext, KeyId })).toEqual(answer)
  })

  it('makes data keys that decrypt, each another one', async () => {
    const calls = [1, 2, 3].map(() => engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext }))
    const made = await Promise.all(calls)
    for (const { CiphertextBlob, Plaintext: dataKey, ...rest } of made) {
      expect(rest).toEqual({ KeyId: arn })
      expect(dataKey).toHaveLength(32)
      const answer = await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })
      expect(answer.Plaintext).toEqual(dataKey)
    }
    expect(new Set(made.map(({ Plaintext: key }) => Buffer.from(key).toString('hex'))).size).toBe(3)
    const zero = Buffer.alloc(32).toString('hex')
    expect(made.map(({ Plaintext: key }) => Buffer.from(key).toString('hex'))).not.toContain(zero)
    const input = { KeyId, NumberOfBytes: 100, EncryptionContext }
    const { CiphertextBlob, ...rest } = await engine.call('GenerateDataKeyWithoutPlaintext', input)
    expect(rest).toEqual({ KeyId: arn })
    const hidden = (await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })).Plaintext
    expect(hidden).toHaveLength(100)
    expect(hidden.every((byte) => byte === 0)).toBe(false)
  })

  it('decrypts in an engine that was opened later', async () => {
    const CiphertextBlob = await encrypt()
    await stores.hsm.disconnect()
    const later = await stores.open()
    expect((await later.call('Decrypt', { CiphertextBlob, EncryptionContext })).Plaintext).toEqual(Plaintext)
  })

  it('refuses another context, and every changed byte', async () => {
    const exception = kind === 'external' ? 'KMSInvalidStateException' : 'InvalidCiphertextException'
    const message = kind === 'external' ? /^(?!.*a text of the proxy)/ : ''
    const CiphertextBlob = await encrypt()
    for (const context of [{}, { tenant: 'b' }, { Tenant: 'a' }, { tenant: 'a', b: '' }]) {
      await refused(engine.call('Decrypt', { CiphertextBlob, EncryptionContext: context }), exception, message)
    }
    for (const index of [39, 45, CiphertextBlob.length - 1]) {
      const changed = CiphertextBlob.slice()
      changed[index]! ^= 1
      const error: unknown = await engine
        .call('Decrypt', { CiphertextBlob: changed, EncryptionContext })
        .catch((reason: unknown) => reason)
      expect(['KMSInvalidStateException', 'InvalidCiphertextException']).toContain((error as Error).name)
    }
    for (let length = 1; length < 60; length++) {
      const cut = CiphertextBlob.slice(0, length)
      await refused(
        engine.call('Decrypt', { CiphertextBlob: cut, EncryptionContext }),
        'InvalidCiphertextException',
        '',
      )
    }
  })

  it('re-encrypts from and to every other kind of key', async () => {
    const own = await newKey(engine)
    const rsa = (await engine.call('CreateKey', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })).KeyMetadata.KeyId
    const other = kind === 'hsm' ? await stores.create('external') : await stores.create('hsm')
    const blob = await encrypt()
    for (const DestinationKeyId of [own, other, KeyId]) {
      const there = await engine.call('ReEncrypt', {
        CiphertextBlob: blob,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId,
        DestinationEncryptionContext: { moved: 'yes' },
      })
      expect(there.KeyId).toBe(`${ARN_PREFIX}key/${DestinationKeyId}`)
      const back = await engine.call('ReEncrypt', {
        CiphertextBlob: there.CiphertextBlob,
        SourceEncryptionContext: { moved: 'yes' },
        DestinationKeyId: KeyId,
      })
      expect((await engine.call('Decrypt', { CiphertextBlob: back.CiphertextBlob })).Plaintext).toEqual(Plaintext)
    }
    const algorithm = 'RSAES_OAEP_SHA_256'
    const toRsa = await engine.call('ReEncrypt', {
      CiphertextBlob: blob,
      SourceEncryptionContext: EncryptionContext,
      DestinationKeyId: rsa,
      DestinationEncryptionAlgorithm: algorithm,
    })
    const fromRsa = await engine.call('ReEncrypt', {
      CiphertextBlob: toRsa.CiphertextBlob,
      SourceKeyId: rsa,
      SourceEncryptionAlgorithm: algorithm,
      DestinationKeyId: KeyId,
    })
    expect((await engine.call('Decrypt', { CiphertextBlob: fromRsa.CiphertextBlob })).Plaintext).toEqual(Plaintext)
  })

  it('refuses the blobs of other keys', async () => {
    const own = await newKey(engine)
    const ofOwn = (await engine.call('Encrypt', { KeyId: own, Plaintext })).CiphertextBlob
    await refused(engine.call('Decrypt', { CiphertextBlob: ofOwn, KeyId }), 'IncorrectKeyException')
    const blob = await encrypt()
    const moved = blob.slice()
    moved.set(new TextEncoder().encode(own), 2)
    await refused(
      engine.call('Decrypt', { CiphertextBlob: moved, EncryptionContext }),
      'InvalidCiphertextException',
      '',
    )
    const engineBlob = ofOwn.slice()
    engineBlob.set(new TextEncoder().encode(KeyId), 2)
    await refused(engine.call('Decrypt', { CiphertextBlob: engineBlob }), 'InvalidCiphertextException', '')
  })

  it('does nothing outside in a dry run', async () => {
    const CiphertextBlob = await encrypt()
    const before = stores.uses()
    await refused(engine.call('Encrypt', { KeyId, Plaintext, DryRun: true }), 'DryRunOperationException')
    await refused(
      engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_128', DryRun: true }),
      'DryRunOperationException',
    )
    expect(stores.uses()).toBe(before)
    await refused(
      engine.call('Decrypt', { CiphertextBlob, EncryptionContext, DryRun: true }),
      'DryRunOperationException',
    )
  })

  it('wraps no key pairs, and has no rotation', async () => {
    const KeyPairSpec = 'ECC_NIST_P256'
    await refused(engine.call('GenerateDataKeyPair', { KeyId, KeyPairSpec }), 'UnsupportedOperationException')
    await refused(engine.call('EnableKeyRotation', { KeyId }), 'UnsupportedOperationException')
    await refused(engine.call('RotateKeyOnDemand', { KeyId }), 'UnsupportedOperationException')
    expect(await engine.call('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  })

  it('is unavailable while its store is not connected', async () => {
    const CiphertextBlob = await encrypt()
    const CustomKeyStoreId = stores.storeOf(kind)
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId })
    const before = stores.uses()
    const state = async (): Promise<[string, boolean]> => {
      const { KeyState, Enabled } = (await engine.call('DescribeKey', { KeyId })).KeyMetadata
      return [KeyState, Enabled]
    }
    expect(await state()).toEqual(['Unavailable', false])
    const message = `${arn} is unavailable.`
    await refused(engine.call('Encrypt', { KeyId, Plaintext }), 'KMSInvalidStateException', message)
    await refused(engine.call('Decrypt', { CiphertextBlob, EncryptionContext }), 'KMSInvalidStateException', message)
    await refused(engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }), 'KMSInvalidStateException', message)
    expect(stores.uses()).toBe(before)
    await engine.call('TagResource', { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] })
    await engine.call('CreateGrant', {
      KeyId,
      GranteePrincipal: `arn:aws:iam::${ACCOUNT}:user/bob`,
      Operations: ['Decrypt'],
    })
    await engine.call('UpdateKeyDescription', { KeyId, Description: 'changed' })
    expect(await state()).toEqual(['Unavailable', false])
    await engine.call('DisableKey', { KeyId })
    expect(await state()).toEqual(['Unavailable', false])
    await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId })
    expect(await state()).toEqual(['Disabled', false])
    await refused(engine.call('Decrypt', { CiphertextBlob, EncryptionContext }), 'DisabledException')
    await engine.call('EnableKey', { KeyId })
    expect((await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })).Plaintext).toEqual(Plaintext)
  })

  it('ends, and can be kept from it', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: stores.storeOf(kind) })
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('PendingDeletion')
    await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId: stores.storeOf(kind) })
    await engine.call('CancelKeyDeletion', { KeyId })
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Disabled')
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    stores.now += 8 * DAY
    await engine.runDueWork()
    await refused(engine.call('DescribeKey', { KeyId }), 'NotFoundException')
    expect(stores.hsm.keys.size).toBe(0)
    expect(stores.proxy.keys.size).toBe(1)
  })

  it('asks nothing for who may not use the key, and works for who may by policy or grant', async () => {
    const caller = await newUser()
    const before = stores.uses()
    const use = (): Promise<unknown> => engine.call('Encrypt', { KeyId, Plaintext, EncryptionContext }, { caller })
    await refused(use(), 'AccessDeniedException')
    expect(stores.uses()).toBe(before)
    const Constraints = { EncryptionContextEquals: EncryptionContext }
    const grant = { KeyId, GranteePrincipal: caller.arn, Operations: ['Encrypt'], Constraints }
    const { GrantId } = await engine.call('CreateGrant', grant)
    await use()
    await refused(engine.call('Encrypt', { KeyId, Plaintext }, { caller }), 'AccessDeniedException')
    await engine.call('RevokeGrant', { KeyId, GrantId })
    await refused(use(), 'AccessDeniedException')
  })

  it('leaves records that say where the key is, and nothing secret', async () => {
    const made = await engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext })
    const records = (await engine.audit.list()).map(({ record }) => record)
    const place =
      kind === 'hsm'
        ? { customKeyStoreId: stores.storeOf('hsm'), clusterId: CLUSTER }
        : { customKeyStoreId: stores.storeOf('external'), xksKeyId: 'key-1' }
    expect(records.at(-1)).toMatchObject({ eventName: 'GenerateDataKey', additionalEventData: place })
    expect(records.at(-2)).toMatchObject({ eventName: 'CreateKey', additionalEventData: place })
    expect(records.at(-1).resources.map(({ ARN }) => ARN)).toEqual([arn])
    expect(records.at(-1).additionalEventData).toEqual(place)
    expect(JSON.stringify(records)).not.toContain(Buffer.from(made.Plaintext).toString('base64'))
    expect(await engine.call('GetKeyLastUsage', { KeyId })).toMatchObject({
      KeyLastUsage: { Operation: 'GenerateDataKey', KmsRequestId: records.at(-1).requestID },
    })
  })
})
