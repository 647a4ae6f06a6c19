import { beforeEach, describe, expect, it } from 'vitest'
import { type ActionInput, type ActionName, type Engine } from '../../kms/engine/index.ts'
import type { KmsExceptionName } from '../../kms/errors.ts'
import type { StoreFault } from '../../kms/key-stores/key-store.ts'
import { NOW, openEngine, refused } from './engine-setup.ts'
import { connected, entryOf, EXTERNAL_STORE, HSM_STORE, meanwhile, newStores, type Stores } from './key-store-setup.ts'
import { CLUSTER, OTHER_CLUSTER } from './memory-hsm.ts'
import { ENDPOINT, failure, PATH, SECRET_ACCESS_KEY } from './xks-proxy.ts'

let stores: Stores
let engine: Engine

beforeEach(async () => {
  stores = await newStores()
  ;({ engine } = stores)
})

const create = (input: object): Promise<{ readonly CustomKeyStoreId: string }> =>
  engine.call('CreateCustomKeyStore', input as ActionInput<'CreateCustomKeyStore'>)
const onStore = (action: ActionName, CustomKeyStoreId: string, input: object = {}): Promise<unknown> =>
  engine.call(action, { CustomKeyStoreId, ...input })

describe('the connection', () => {
  it('is made, ended and made again', async () => {
    const id = await connected(engine, EXTERNAL_STORE)
    expect((await entryOf(engine, id)).ConnectionState).toBe('CONNECTED')
    await onStore('ConnectCustomKeyStore', id)
    expect(stores.proxy.asked).toHaveLength(2)
    await onStore('DisconnectCustomKeyStore', id)
    expect((await entryOf(engine, id)).ConnectionState).toBe('DISCONNECTED')
    await refused(onStore('DisconnectCustomKeyStore', id), 'CustomKeyStoreInvalidStateException')
    await onStore('ConnectCustomKeyStore', id)
    expect((await entryOf(engine, id)).ConnectionState).toBe('CONNECTED')
  })

  it.each<[string, number, string]>([
    ['AuthenticationFailedException', 401, 'XKS_PROXY_ACCESS_DENIED'],
    ['InvalidUriPathException', 404, 'XKS_PROXY_INVALID_CONFIGURATION'],
    ['DependencyTimeoutException', 503, 'XKS_PROXY_TIMED_OUT'],
    ['ThrottlingException', 429, 'XKS_PROXY_NOT_REACHABLE'],
    ['InternalException', 500, 'XKS_PROXY_INVALID_RESPONSE'],
  ])('fails for a proxy that answers %s (%i): %s', async (name, status, code) => {
    const { CustomKeyStoreId: id } = await create(EXTERNAL_STORE)
    stores.proxy.intercept = () => failure(status, name)
    await onStore('ConnectCustomKeyStore', id)
    expect(await entryOf(engine, id)).toMatchObject({ ConnectionState: 'FAILED', ConnectionErrorCode: code })
    await refused(onStore('ConnectCustomKeyStore', id), 'CustomKeyStoreInvalidStateException', /FAILED/)
    await refused(onStore('DeleteCustomKeyStore', id), 'CustomKeyStoreInvalidStateException')
    await onStore('DisconnectCustomKeyStore', id)
    expect(await entryOf(engine, id)).not.toHaveProperty('ConnectionErrorCode')
    stores.proxy.intercept = (answer) => answer
    await onStore('ConnectCustomKeyStore', id)
    expect((await entryOf(engine, id)).ConnectionState).toBe('CONNECTED')
  })

  it('fails for a wrong PIN, which can be changed then', async () => {
    const { CustomKeyStoreId: id } = await create({ ...HSM_STORE, KeyStorePassword: 'another one' })
    await onStore('ConnectCustomKeyStore', id)
    const failed = { ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' }
    expect(await entryOf(engine, id)).toMatchObject(failed)
    const change = { KeyStorePassword: HSM_STORE.KeyStorePassword }
    await refused(onStore('UpdateCustomKeyStore', id, change), 'CustomKeyStoreInvalidStateException')
    await onStore('DisconnectCustomKeyStore', id)
    await onStore('UpdateCustomKeyStore', id, change)
    await onStore('ConnectCustomKeyStore', id)
    expect((await entryOf(engine, id)).ConnectionState).toBe('CONNECTED')
    await onStore('DisconnectCustomKeyStore', id)
    expect(stores.hsm.isConnected).toBe(false)
  })

  it.each<[StoreFault, KmsExceptionName]>([
    ['hsmAbsent', 'CloudHsmClusterNotActiveException'],
    ['hsmUnsuitable', 'CloudHsmClusterInvalidConfigurationException'],
  ])('is refused for a module that is %s: %s', async (fault, exception) => {
    const { CustomKeyStoreId: id } = await create(HSM_STORE)
    stores.hsm.fault = fault
    await refused(onStore('ConnectCustomKeyStore', id), exception)
    expect((await entryOf(engine, id)).ConnectionState).toBe('DISCONNECTED')
  })

  it('is made with what was checked, though that changes meanwhile', async () => {
    const { CustomKeyStoreId: id } = await create(EXTERNAL_STORE)
    const RawSecretAccessKey = 'another/secret'.repeat(4)
    const credential = { AccessKeyId: 'B'.repeat(20), RawSecretAccessKey }
    stores.proxy.credentials.set(credential.AccessKeyId, RawSecretAccessKey)
    meanwhile(stores, async () => {
      await onStore('UpdateCustomKeyStore', id, { XksProxyAuthenticationCredential: credential })
      stores.proxy.credentials.delete(credential.AccessKeyId)
    })
    await onStore('ConnectCustomKeyStore', id)
    const failed = { ConnectionState: 'FAILED', ConnectionErrorCode: 'XKS_PROXY_ACCESS_DENIED' }
    expect(await entryOf(engine, id)).toMatchObject(failed)
  })

  it('is made with the PIN that was checked', async () => {
    const { CustomKeyStoreId: id } = await create(HSM_STORE)
    let count = 0
    stores.hsm.during = async () => {
      // The first work tests the module, the second one the PIN.
      if (++count === 2) await onStore('UpdateCustomKeyStore', id, { KeyStorePassword: 'another one' })
      if (count > 2) stores.hsm.isConnected = false
    }
    await onStore('ConnectCustomKeyStore', id)
    const failed = { ConnectionState: 'FAILED', ConnectionErrorCode: 'INVALID_CREDENTIALS' }
    expect(await entryOf(engine, id)).toMatchObject(failed)
  })

  it('ends for a module that is not set up any more', async () => {
    const id = await connected(engine, HSM_STORE)
    const other = await openEngine(stores.store)
    await refused(
      other.call('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: id }),
      'CloudHsmClusterNotFoundException',
    )
    await other.call('DisconnectCustomKeyStore', { CustomKeyStoreId: id })
    await other.call('DeleteCustomKeyStore', { CustomKeyStoreId: id })
  })
})

describe('UpdateCustomKeyStore', () => {
  it('renames a store', async () => {
    const id = await connected(engine, EXTERNAL_STORE)
    await create(HSM_STORE)
    await onStore('UpdateCustomKeyStore', id, { NewCustomKeyStoreName: 'renamed' })
    expect((await entryOf(engine, id)).CustomKeyStoreName).toBe('renamed')
    await onStore('UpdateCustomKeyStore', id, { NewCustomKeyStoreName: 'renamed' })
    const taken = { NewCustomKeyStoreName: 'module' }
    await refused(onStore('UpdateCustomKeyStore', id, taken), 'CustomKeyStoreNameInUseException')
    await refused(onStore('UpdateCustomKeyStore', id), 'ValidationException', 'This request changes nothing.')
    await refused(onStore('UpdateCustomKeyStore', 'cks-1', taken), 'CustomKeyStoreNotFoundException')
  })

  it('changes the credential of a store in use, if the proxy accepts it', async () => {
    const id = await connected(engine, EXTERNAL_STORE)
    const RawSecretAccessKey = 'another/secret'.repeat(4)
    const credential = { AccessKeyId: 'B'.repeat(20), RawSecretAccessKey }
    const change = { XksProxyAuthenticationCredential: credential }
    await refused(onStore('UpdateCustomKeyStore', id, change), 'XksProxyIncorrectAuthenticationCredentialException')
    stores.proxy.credentials.set(credential.AccessKeyId, RawSecretAccessKey)
    await onStore('UpdateCustomKeyStore', id, change)
    stores.proxy.credentials.delete(EXTERNAL_STORE.XksProxyAuthenticationCredential!.AccessKeyId)
    await engine.call('CreateKey', { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId: id, XksKeyId: 'key-1' })
  })

  it('puts nothing together of which the proxy was not asked', async () => {
    const id = await connected(engine, EXTERNAL_STORE)
    const RawSecretAccessKey = 'another/secret'.repeat(4)
    const credential = { ...EXTERNAL_STORE.XksProxyAuthenticationCredential!, RawSecretAccessKey }
    const { proxy } = stores
    meanwhile(stores, async () => {
      proxy.credentials.set(credential.AccessKeyId, RawSecretAccessKey)
      await onStore('UpdateCustomKeyStore', id, { XksProxyAuthenticationCredential: credential })
      proxy.credentials.set(credential.AccessKeyId, SECRET_ACCESS_KEY)
    })
    const change = { XksProxyUriPath: '/tenant_2/kms/xks/v1' }
    await refused(onStore('UpdateCustomKeyStore', id, change), 'XksProxyIncorrectAuthenticationCredentialException')
    expect(await entryOf(engine, id)).toMatchObject({ XksProxyConfiguration: { UriPath: PATH } })
  })

  it('changes the place of a store that is not in use', async () => {
    const id = await connected(engine, EXTERNAL_STORE)
    const change = { XksProxyUriEndpoint: 'https://other.example.test' }
    await refused(onStore('UpdateCustomKeyStore', id, change), 'CustomKeyStoreInvalidStateException')
    await onStore('DisconnectCustomKeyStore', id)
    await onStore('UpdateCustomKeyStore', id, change)
    expect(stores.proxy.asked.at(-1).headers.host).toBe('other.example.test')
    expect((await entryOf(engine, id)).XksProxyConfiguration).toMatchObject({
      UriEndpoint: 'https://other.example.test',
      UriPath: PATH,
    })
    await create({ ...EXTERNAL_STORE, CustomKeyStoreName: 'second' })
    await refused(onStore('UpdateCustomKeyStore', id, { XksProxyUriEndpoint: ENDPOINT }), 'XksProxyUriInUseException')
  })

  it('refuses what is of the other type, and another module', async () => {
    const external = (await create(EXTERNAL_STORE)).CustomKeyStoreId
    const hsm = (await create(HSM_STORE)).CustomKeyStoreId
    const update = (id: string, input: object): Promise<unknown> => onStore('UpdateCustomKeyStore', id, input)
    await refused(update(external, { KeyStorePassword: '12345678' }), 'ValidationException')
    await refused(update(hsm, { XksProxyUriPath: PATH }), 'ValidationException')
    await update(hsm, { CloudHsmClusterId: CLUSTER })
    await refused(update(hsm, { CloudHsmClusterId: 'cluster-aaaaaaaaaaa' }), 'CloudHsmClusterNotFoundException')
    await refused(update(hsm, { CloudHsmClusterId: OTHER_CLUSTER }), 'CloudHsmClusterNotRelatedException')
  })
})

describe('DeleteCustomKeyStore', () => {
  it('wants the store disconnected and empty', async () => {
    let now = NOW
    stores = await newStores({ clock: () => now })
    ;({ engine } = stores)
    const id = await connected(engine, EXTERNAL_STORE)
    const Origin = 'EXTERNAL_KEY_STORE'
    const made = await engine.call('CreateKey', { Origin, CustomKeyStoreId: id, XksKeyId: 'key-1' })
    const { KeyId } = made.KeyMetadata
    await refused(onStore('DeleteCustomKeyStore', id), 'CustomKeyStoreInvalidStateException')
    await onStore('DisconnectCustomKeyStore', id)
    await refused(onStore('DeleteCustomKeyStore', id), 'CustomKeyStoreHasCMKsException')
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    await refused(onStore('DeleteCustomKeyStore', id), 'CustomKeyStoreHasCMKsException')
    now += 8 * 86_400_000
    await onStore('DeleteCustomKeyStore', id)
    await refused(onStore('ConnectCustomKeyStore', id), 'CustomKeyStoreNotFoundException')
    await refused(onStore('DeleteCustomKeyStore', id), 'CustomKeyStoreNotFoundException')
    await create(EXTERNAL_STORE)
  })
})
