import { createDecipheriv } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ActionInput, Engine, Principal } from '../../kms/engine/index.ts'
import type { KmsExceptionName } from '../../kms/errors.ts'
import type { StoreFault } from '../../kms/key-stores/key-store.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ACCOUNT, ARN_PREFIX, newKey, NOW, refused } from './engine-setup.ts'
import { connected, EXTERNAL_STORE, HSM_STORE, newStores, type Stores } from './key-store-setup.ts'
import { CLUSTER } from './memory-hsm.ts'
import { failure } from './xks-proxy.ts'

const EncryptionContext = { tenant: 'a' }
const Plaintext = new TextEncoder().encode('a secret plaintext')

let now: number
let stores: Stores
let engine: Engine
let externalStore: string
let hsmStore: string

beforeEach(async () => {
  now = NOW
  stores = await newStores({ clock: () => now })
  ;({ engine } = stores)
  externalStore = await connected(engine, EXTERNAL_STORE)
  hsmStore = await connected(engine, HSM_STORE)
  stores.proxy.asked.length = 0
})

type Kind = 'external' | 'hsm'
const KINDS: readonly Kind[] = ['external', 'hsm']

function inputOf(kind: Kind): ActionInput<'CreateKey'> {
  if (kind === 'hsm') return { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: hsmStore }
  return { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId: externalStore, XksKeyId: 'key-1' }
}

async function create(kind: Kind, input: ActionInput<'CreateKey'> = {}): Promise<string> {
  return (await engine.call('CreateKey', { ...inputOf(kind), ...input })).KeyMetadata.KeyId
}

function storeOf(kind: Kind): string {
  return kind === 'hsm' ? hsmStore : externalStore
}

/** How often a store was asked to encrypt or decrypt with a key. */
function uses(): number {
  return stores.proxy.asked.filter(({ path }) => path.endsWith('crypt')).length
}

async function newUser(): Promise<Principal> {
  const { Arn: arn, UserId: id } = (await engine.iam('CreateUser', { UserName: 'alice' })).User
  return { account: ACCOUNT, arn, id, type: 'User', tags: {} }
}

describe('CreateKey', () => {
  it('makes a KMS key of an external key, once that was looked at', async () => {
    const { KeyMetadata } = await engine.call('CreateKey', inputOf('external'))
    expect(KeyMetadata).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      Origin: 'EXTERNAL_KEY_STORE',
      CustomKeyStoreId: externalStore,
      XksKeyConfiguration: { Id: 'key-1' },
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    })
    expect(KeyMetadata).not.toHaveProperty('CurrentKeyMaterialId')
    expect(KeyMetadata).not.toHaveProperty('CloudHsmClusterId')
    expect((await engine.call('DescribeKey', { KeyId: KeyMetadata.KeyId })).KeyMetadata).toEqual(KeyMetadata)
    expect(stores.proxy.asked.map(({ path }) => path.slice(-19))).toEqual(['/keys/key-1/metadata'.slice(-19)])
    expect(stores.proxy.asked[0]?.body.requestMetadata).not.toHaveProperty('kmsKeyArn')
  })

  it('makes one in the module, under the id of the KMS key', async () => {
    const { KeyMetadata } = await engine.call('CreateKey', inputOf('hsm'))
    const expected = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: hsmStore, CloudHsmClusterId: CLUSTER }
    expect(KeyMetadata).toMatchObject(expected)
    expect(KeyMetadata).not.toHaveProperty('CurrentKeyMaterialId')
    expect([...stores.hsm.keys.keys()]).toEqual([KeyMetadata.KeyId])
    expect(await engine.call('ListKeys', {})).toMatchObject({ Keys: [{ KeyId: KeyMetadata.KeyId }] })
  })

  it.each<[string, object, KmsExceptionName]>([
    ['no store', { Origin: 'AWS_CLOUDHSM' }, 'ValidationException'],
    ['a store for keys of the engine', { CustomKeyStoreId: 'cks-1' }, 'ValidationException'],
    ['an external key for keys of the engine', { XksKeyId: 'key-1' }, 'ValidationException'],
    ['no such store', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1' }, 'CustomKeyStoreNotFoundException'],
  ])('refuses %s', async (_, input, exception) => {
    await refused(engine.call('CreateKey', input), exception)
  })

  it('refuses what a store cannot hold, and what is of the other type', async () => {
    const other = { ...inputOf('hsm'), CustomKeyStoreId: externalStore }
    await refused(engine.call('CreateKey', other), 'ValidationException', /is EXTERNAL_KEY_STORE, not AWS_CLOUDHSM/)
    await refused(engine.call('CreateKey', { ...inputOf('hsm'), XksKeyId: 'key-1' }), 'ValidationException')
    // Neither names a key: in the URL of a request to the proxy they are other folders.
    for (const XksKeyId of ['.', '..']) {
      await refused(engine.call('CreateKey', { ...inputOf('external'), XksKeyId }), 'ValidationException')
    }
    expect(stores.proxy.asked).toEqual([])
    await refused(engine.call('CreateKey', { ...inputOf('external'), XksKeyId: undefined }), 'ValidationException')
    const rsa = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }
    await refused(engine.call('CreateKey', { ...inputOf('hsm'), ...rsa }), 'UnsupportedOperationException')
    await refused(engine.call('CreateKey', { ...inputOf('hsm'), MultiRegion: true }), 'UnsupportedOperationException')
    await refused(engine.call('CreateKey', { ...inputOf('hsm'), KeyUsage: 'SIGN_VERIFY' }), 'ValidationException')
    expect(stores.hsm.keys.size).toBe(0)
  })

  it('refuses an external key that is another KMS key, until that has ended', async () => {
    const KeyId = await create('external')
    await refused(engine.call('CreateKey', inputOf('external')), 'XksKeyAlreadyInUseException')
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    now += 8 * 86_400_000
    await create('external')
  })

  it.each<[string, (proxy: Stores['proxy']) => void, KmsExceptionName]>([
    ['is not there', ({ keys }) => keys.clear(), 'XksKeyNotFoundException'],
    ['is disabled', ({ keys }) => (keys.get('key-1')!.isEnabled = false), 'XksKeyInvalidConfigurationException'],
    ['cannot decrypt', ({ keys }) => (keys.get('key-1')!.usage = ['ENCRYPT']), 'XksKeyInvalidConfigurationException'],
    ['is of 128 bits', ({ keys }) => (keys.get('key-1')!.spec = 'AES_128'), 'XksKeyInvalidConfigurationException'],
    [
      'is denied',
      (proxy) => (proxy.intercept = () => failure(403, 'AccessDeniedException')),
      'KMSInvalidStateException',
    ],
    [
      'is of a proxy that fails',
      (proxy) => (proxy.intercept = () => failure(500, 'InternalException')),
      'CustomKeyStoreInvalidStateException',
    ],
  ])('refuses an external key that %s, and nothing is left', async (_, change, exception) => {
    change(stores.proxy)
    await refused(engine.call('CreateKey', inputOf('external')), exception)
    expect((await engine.call('ListKeys', {})).Keys).toEqual([])
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: externalStore })
    await engine.call('DeleteCustomKeyStore', { CustomKeyStoreId: externalStore })
  })

  it.each(KINDS)('refuses a policy that is refused before it asks the %s store', async (kind) => {
    await refused(engine.call('CreateKey', { ...inputOf(kind), Policy: '{}' }), 'MalformedPolicyDocumentException')
    expect(stores.proxy.asked).toEqual([])
    expect(stores.hsm.keys.size).toBe(0)
  })

  it.each(KINDS)('refuses an %s store that is not connected', async (kind) => {
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: storeOf(kind) })
    await refused(engine.call('CreateKey', inputOf(kind)), 'CustomKeyStoreInvalidStateException')
  })

  it('of two at once for one external key makes one', async () => {
    const calls = [1, 2, 3].map(() => engine.call('CreateKey', inputOf('external')))
    const outcomes = (await Promise.allSettled(calls)).map(({ status }) => status)
    expect(outcomes.sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect((await engine.call('ListKeys', {})).Keys).toHaveLength(1)
  })
})

describe.each(KINDS)('a key in the %s store', (kind) => {
  let KeyId: string
  let arn: string

  beforeEach(async () => {
    KeyId = await create(kind)
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
    const other = kind === 'hsm' ? await create('external') : await create('hsm')
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
    const before = uses()
    await refused(engine.call('Encrypt', { KeyId, Plaintext, DryRun: true }), 'DryRunOperationException')
    await refused(
      engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_128', DryRun: true }),
      'DryRunOperationException',
    )
    expect(uses()).toBe(before)
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
    const CustomKeyStoreId = storeOf(kind)
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId })
    const before = uses()
    const state = async (): Promise<[string, boolean]> => {
      const { KeyState, Enabled } = (await engine.call('DescribeKey', { KeyId })).KeyMetadata
      return [KeyState, Enabled]
    }
    expect(await state()).toEqual(['Unavailable', false])
    const message = `${arn} is unavailable.`
    await refused(engine.call('Encrypt', { KeyId, Plaintext }), 'KMSInvalidStateException', message)
    await refused(engine.call('Decrypt', { CiphertextBlob, EncryptionContext }), 'KMSInvalidStateException', message)
    await refused(engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }), 'KMSInvalidStateException', message)
    expect(uses()).toBe(before)
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
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: storeOf(kind) })
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('PendingDeletion')
    await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId: storeOf(kind) })
    await engine.call('CancelKeyDeletion', { KeyId })
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Disabled')
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    now += 8 * 86_400_000
    await engine.runDueWork()
    await refused(engine.call('DescribeKey', { KeyId }), 'NotFoundException')
    expect(stores.hsm.keys.size).toBe(0)
    expect(stores.proxy.keys.size).toBe(1)
  })

  it('asks nothing for who may not use the key, and works for who may by policy or grant', async () => {
    const caller = await newUser()
    const before = uses()
    const use = (): Promise<unknown> => engine.call('Encrypt', { KeyId, Plaintext, EncryptionContext }, { caller })
    await refused(use(), 'AccessDeniedException')
    expect(uses()).toBe(before)
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
        ? { customKeyStoreId: hsmStore, clusterId: CLUSTER }
        : { customKeyStoreId: externalStore, xksKeyId: 'key-1' }
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

describe('an external key', () => {
  it('gets what the engine has encrypted already, and no context', async () => {
    const KeyId = await create('external')
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext, EncryptionContext })
    await engine.call('Decrypt', { CiphertextBlob, EncryptionContext })
    const asked = stores.proxy.asked.filter(({ path }) => path.endsWith('crypt'))
    const sent = Buffer.from(String(asked[0]?.body.plaintext), 'base64')
    expect(sent[0]).toBe(1)
    expect(sent.subarray(2, 38).toString()).toBe(KeyId)
    for (const { body } of asked) {
      expect(JSON.stringify(body)).not.toContain(Buffer.from(Plaintext).toString('base64').slice(0, 16))
      expect(Buffer.from(String(body.additionalAuthenticatedData), 'base64')).toHaveLength(2 + 36 + 32)
      expect(body.requestMetadata).toMatchObject({ kmsKeyArn: `${ARN_PREFIX}key/${KeyId}` })
    }
    expect(asked.map(({ body }) => (body.requestMetadata as { kmsOperation: string }).kmsOperation)).toEqual([
      'Encrypt',
      'Decrypt',
    ])
    // With the external key alone there is nothing but the engine's blob.
    const [ivBytes, blob] = [CiphertextBlob[38]!, Buffer.from(CiphertextBlob)]
    const iv = blob.subarray(39, 39 + ivBytes)
    const metadata = blob.subarray(40 + ivBytes, 40 + ivBytes + blob[39 + ivBytes]!)
    const rest = blob.subarray(40 + ivBytes + metadata.length)
    const aad = Buffer.from(String(asked[0]?.body.additionalAuthenticatedData), 'base64')
    const full = Buffer.concat([Buffer.of(0, aad.length), aad, Buffer.of(metadata.length), metadata])
    const decipher = createDecipheriv('aes-256-gcm', stores.proxy.keys.get('key-1')!.key, iv)
    decipher.setAAD(full).setAuthTag(rest.subarray(0, 16))
    expect(Buffer.concat([decipher.update(rest.subarray(16)), decipher.final()])).toEqual(sent)
  })

  it('takes a context of any length', async () => {
    const KeyId = await create('external')
    const long = { EncryptionContext: { a: 'x'.repeat(20_000) } }
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext, ...long })
    expect((await engine.call('Decrypt', { CiphertextBlob, ...long })).Plaintext).toEqual(Plaintext)
  })

  it('cannot make the engine answer another plaintext', async () => {
    const KeyId = await create('external')
    const one = await engine.call('Encrypt', { KeyId, Plaintext })
    stores.proxy.intercept = ({ status, body }, path) => {
      if (!path.endsWith('/decrypt')) return { status, body }
      const bytes = Buffer.from((body as { plaintext: string }).plaintext, 'base64')
      bytes[bytes.length - 20]! ^= 1
      return { status, body: { plaintext: bytes.toString('base64') } }
    }
    const { CiphertextBlob } = one
    await refused(engine.call('Decrypt', { CiphertextBlob }), 'KMSInvalidStateException', /not what was encrypted/)
    stores.proxy.intercept = ({ status, body }) => {
      const { length } = Buffer.from((body as { plaintext: string }).plaintext, 'base64')
      return { status, body: { plaintext: Buffer.alloc(length).toString('base64') } }
    }
    await refused(engine.call('Decrypt', { CiphertextBlob }), 'KMSInvalidStateException', /not what was encrypted/)
  })

  it.each<[string, number]>([
    ['ValidationException', 400],
    ['InvalidStateException', 400],
    ['InvalidKeyUsageException', 400],
    ['AuthenticationFailedException', 401],
    ['AccessDeniedException', 403],
    ['KeyNotFoundException', 404],
    ['InvalidUriPathException', 404],
    ['ThrottlingException', 429],
    ['InternalException', 500],
    ['UnsupportedOperationException', 501],
    ['DependencyTimeoutException', 503],
  ])('of a proxy that answers %s (%i): KMSInvalidStateException', async (name, status) => {
    const KeyId = await create('external')
    stores.proxy.intercept = () => failure(status, name)
    const message = /^(?!.*a text of the proxy).+\.$/
    await refused(engine.call('Encrypt', { KeyId, Plaintext }), 'KMSInvalidStateException', message)
    await refused(engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' }), 'KMSInvalidStateException', message)
    const { record } = (await engine.audit.list()).at(-1) ?? {}
    expect(record).toMatchObject({ eventName: 'GenerateDataKey', errorCode: 'KMSInvalidStateException' })
  })
})

describe('a key in a hardware security module', () => {
  it.each<[StoreFault, KmsExceptionName]>([
    ['hsmFailed', 'KeyUnavailableException'],
    ['hsmAbsent', 'KMSInvalidStateException'],
    ['hsmLockedOut', 'KMSInvalidStateException'],
  ])('of a module that is %s: %s', async (fault, exception) => {
    const KeyId = await create('hsm')
    stores.hsm.fault = fault
    await refused(engine.call('Encrypt', { KeyId, Plaintext }), exception)
    await refused(engine.call('CreateKey', inputOf('hsm')), 'CustomKeyStoreInvalidStateException')
  })

  it('that was destroyed there', async () => {
    const KeyId = await create('hsm')
    stores.hsm.keys.clear()
    await refused(engine.call('Encrypt', { KeyId, Plaintext }), 'KMSInvalidStateException', /not in its hardware/)
  })
})

describe('GenerateRandom', () => {
  it('takes the bytes from a module, not from a proxy', async () => {
    const random = (CustomKeyStoreId: string): Promise<{ readonly Plaintext: Uint8Array }> =>
      engine.call('GenerateRandom', { NumberOfBytes: 100, CustomKeyStoreId })
    expect((await random(hsmStore)).Plaintext).toHaveLength(100)
    await refused(random(externalStore), 'UnsupportedOperationException')
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: hsmStore })
    await refused(random(hsmStore), 'CustomKeyStoreInvalidStateException')
  })
})

describe('while a store works', () => {
  it('other calls go on', async () => {
    const KeyId = await create('hsm')
    const own = await newKey(engine)
    let seen = 0
    stores.hsm.during = async () => {
      await engine.call('Encrypt', { KeyId: own, Plaintext })
      seen++
    }
    await engine.call('Encrypt', { KeyId, Plaintext })
    expect(seen).toBe(1)
  })

  it.each<[string, (KeyId: string) => Promise<unknown>, KmsExceptionName]>([
    ['the key is disabled', (KeyId) => engine.call('DisableKey', { KeyId }), 'DisabledException'],
    [
      'the store is disconnected',
      () => engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: hsmStore }),
      'KMSInvalidStateException',
    ],
  ])('and %s, nothing is answered', async (_, change, exception) => {
    const KeyId = await create('hsm')
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext })
    let isDone = false
    stores.hsm.during = async () => {
      if (isDone) return
      isDone = true
      await change(KeyId)
    }
    await refused(engine.call('Decrypt', { CiphertextBlob }), exception)
    const { record } = (await engine.audit.list()).at(-1) ?? {}
    expect(record).toMatchObject({ eventName: 'Decrypt', errorCode: exception })
  })

  it('and an alias gets another target, it is done again there', async () => {
    const [first, second] = [await create('hsm'), await create('hsm')]
    await engine.call('CreateAlias', { AliasName: 'alias/used', TargetKeyId: first })
    let isDone = false
    stores.hsm.during = async () => {
      if (isDone) return
      isDone = true
      await engine.call('UpdateAlias', { AliasName: 'alias/used', TargetKeyId: second })
    }
    const made = await engine.call('GenerateDataKey', { KeyId: 'alias/used', KeySpec: 'AES_256' })
    expect(made.KeyId).toBe(`${ARN_PREFIX}key/${second}`)
    const answer = await engine.call('Decrypt', { CiphertextBlob: made.CiphertextBlob, KeyId: second })
    expect(answer.Plaintext).toEqual(made.Plaintext)
  })
})

it('destroys a key in a module though the database cannot be purged just now, which is tried again', async () => {
  let purges = 0
  const purge = (): Promise<void> => (++purges === 1 ? Promise.reject(new Error('no purge')) : Promise.resolve())
  const rows = memoryStore()
  const failing: Store = {
    transaction: (mode, work) => rows.transaction(mode, work),
    purge,
    close: () => rows.close(),
  }
  stores = await newStores({ clock: () => now }, failing)
  ;({ engine } = stores)
  const CustomKeyStoreId = await connected(engine, HSM_STORE)
  const KeyId = await newKey(engine, { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  expect([stores.hsm.keys.size, purges]).toEqual([1, 0])
  now += 8 * 86_400_000
  engine.confirmTime()
  await engine.call('ListKeys', {})
  expect([stores.hsm.keys.size, purges]).toEqual([0, 1])
  await engine.call('ListKeys', {})
  await engine.call('ListKeys', {})
  expect(purges).toBe(2)
})
