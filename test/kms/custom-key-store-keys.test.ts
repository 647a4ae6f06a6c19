import { createDecipheriv } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import type { KmsExceptionName } from '../../kms/errors.ts'
import type { StoreFault } from '../../kms/key-stores/key-store.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ARN_PREFIX, newKey, NOW, refused } from './engine-setup.ts'
import {
  connected,
  HSM_STORE,
  KINDS,
  newStores,
  openConnectedStores,
  type ConnectedStores,
  type Stores,
} from './key-store-setup.ts'
import { DAY } from './one-key-setup.ts'
import { CLUSTER } from './memory-hsm.ts'
import { failure } from './xks-proxy.ts'

const EncryptionContext = { tenant: 'a' }
const Plaintext = new TextEncoder().encode('a secret plaintext')

let stores: ConnectedStores
let engine: Engine

beforeEach(async () => {
  stores = await openConnectedStores()
  ;({ engine } = stores)
})

describe('CreateKey', () => {
  it('makes a KMS key of an external key, once that was looked at', async () => {
    const { KeyMetadata } = await engine.call('CreateKey', stores.inputOf('external'))
    expect(KeyMetadata).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      Origin: 'EXTERNAL_KEY_STORE',
      CustomKeyStoreId: stores.storeOf('external'),
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
    const { KeyMetadata } = await engine.call('CreateKey', stores.inputOf('hsm'))
    const expected = { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: stores.storeOf('hsm'), CloudHsmClusterId: CLUSTER }
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
    const other = { ...stores.inputOf('hsm'), CustomKeyStoreId: stores.storeOf('external') }
    await refused(engine.call('CreateKey', other), 'ValidationException', /is EXTERNAL_KEY_STORE, not AWS_CLOUDHSM/)
    await refused(engine.call('CreateKey', { ...stores.inputOf('hsm'), XksKeyId: 'key-1' }), 'ValidationException')
    // Neither names a key: in the URL of a request to the proxy they are other folders.
    for (const XksKeyId of ['.', '..']) {
      await refused(engine.call('CreateKey', { ...stores.inputOf('external'), XksKeyId }), 'ValidationException')
    }
    expect(stores.proxy.asked).toEqual([])
    await refused(
      engine.call('CreateKey', { ...stores.inputOf('external'), XksKeyId: undefined }),
      'ValidationException',
    )
    const rsa = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' }
    await refused(engine.call('CreateKey', { ...stores.inputOf('hsm'), ...rsa }), 'UnsupportedOperationException')
    await refused(
      engine.call('CreateKey', { ...stores.inputOf('hsm'), MultiRegion: true }),
      'UnsupportedOperationException',
    )
    await refused(
      engine.call('CreateKey', { ...stores.inputOf('hsm'), KeyUsage: 'SIGN_VERIFY' }),
      'ValidationException',
    )
    expect(stores.hsm.keys.size).toBe(0)
  })

  it('refuses an external key that is another KMS key, until that has ended', async () => {
    const KeyId = await stores.create('external')
    await refused(engine.call('CreateKey', stores.inputOf('external')), 'XksKeyAlreadyInUseException')
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    stores.now += 8 * DAY
    await stores.create('external')
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
    await refused(engine.call('CreateKey', stores.inputOf('external')), exception)
    expect((await engine.call('ListKeys', {})).Keys).toEqual([])
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: stores.storeOf('external') })
    await engine.call('DeleteCustomKeyStore', { CustomKeyStoreId: stores.storeOf('external') })
  })

  it.each(KINDS)('refuses a policy that is refused before it asks the %s store', async (kind) => {
    await refused(
      engine.call('CreateKey', { ...stores.inputOf(kind), Policy: '{}' }),
      'MalformedPolicyDocumentException',
    )
    expect(stores.proxy.asked).toEqual([])
    expect(stores.hsm.keys.size).toBe(0)
  })

  it.each(KINDS)('refuses an %s store that is not connected', async (kind) => {
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: stores.storeOf(kind) })
    await refused(engine.call('CreateKey', stores.inputOf(kind)), 'CustomKeyStoreInvalidStateException')
  })

  it('of two at once for one external key makes one', async () => {
    const calls = [1, 2, 3].map(() => engine.call('CreateKey', stores.inputOf('external')))
    const outcomes = (await Promise.allSettled(calls)).map(({ status }) => status)
    expect(outcomes.sort()).toEqual(['fulfilled', 'rejected', 'rejected'])
    expect((await engine.call('ListKeys', {})).Keys).toHaveLength(1)
  })
})

describe('an external key', () => {
  it('gets what the engine has encrypted already, and no context', async () => {
    const KeyId = await stores.create('external')
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
    const KeyId = await stores.create('external')
    const long = { EncryptionContext: { a: 'x'.repeat(20_000) } }
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext, ...long })
    expect((await engine.call('Decrypt', { CiphertextBlob, ...long })).Plaintext).toEqual(Plaintext)
  })

  it('cannot make the engine answer another plaintext', async () => {
    const KeyId = await stores.create('external')
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
    const KeyId = await stores.create('external')
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
    const KeyId = await stores.create('hsm')
    stores.hsm.fault = fault
    await refused(engine.call('Encrypt', { KeyId, Plaintext }), exception)
    await refused(engine.call('CreateKey', stores.inputOf('hsm')), 'CustomKeyStoreInvalidStateException')
  })

  it('that was destroyed there', async () => {
    const KeyId = await stores.create('hsm')
    stores.hsm.keys.clear()
    await refused(engine.call('Encrypt', { KeyId, Plaintext }), 'KMSInvalidStateException', /not in its hardware/)
  })
})

describe('GenerateRandom', () => {
  it('takes the bytes from a module, not from a proxy', async () => {
    const random = (CustomKeyStoreId: string): Promise<{ readonly Plaintext: Uint8Array }> =>
      engine.call('GenerateRandom', { NumberOfBytes: 100, CustomKeyStoreId })
    expect((await random(stores.storeOf('hsm'))).Plaintext).toHaveLength(100)
    await refused(random(stores.storeOf('external')), 'UnsupportedOperationException')
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: stores.storeOf('hsm') })
    await refused(random(stores.storeOf('hsm')), 'CustomKeyStoreInvalidStateException')
  })
})

describe('while a store works', () => {
  it('other calls go on', async () => {
    const KeyId = await stores.create('hsm')
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
      () => engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId: stores.storeOf('hsm') }),
      'KMSInvalidStateException',
    ],
  ])('and %s, nothing is answered', async (_, change, exception) => {
    const KeyId = await stores.create('hsm')
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
    const [first, second] = [await stores.create('hsm'), await stores.create('hsm')]
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
  let now = NOW
  const { engine, hsm } = await newStores({ clock: () => now }, failing)
  const CustomKeyStoreId = await connected(engine, HSM_STORE)
  const KeyId = await newKey(engine, { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  expect([hsm.keys.size, purges]).toEqual([1, 0])
  now += 8 * DAY
  engine.confirmTime()
  await engine.call('ListKeys', {})
  expect([hsm.keys.size, purges]).toEqual([0, 1])
  await engine.call('ListKeys', {})
  await engine.call('ListKeys', {})
  expect(purges).toBe(2)
})
