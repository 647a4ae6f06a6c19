import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { rotateRootKey, type ActionInput, type ActionName, type Engine } from '../../kms/engine/index.ts'
import type { KmsExceptionName } from '../../kms/errors.ts'
import type { StoreFault } from '../../kms/key-stores/key-store.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { ACCOUNT, newFile, NOW, openEngine, refused, REGION, ROOT_KEY } from './engine-setup.ts'
import { ANCHOR, connected, entryOf, EXTERNAL_STORE, HSM_STORE, newStores, type Stores } from './key-store-setup.ts'
import { CLUSTER, OTHER_CLUSTER, PIN } from './memory-hsm.ts'
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

/** Does something else while the proxy is asked for the first time; whoever signs rightly hears that it is healthy. */
function meanwhile(work: () => Promise<void>): void {
  let isFirst = true
  stores.proxy.intercept = async ({ status, body }) => {
    if (isFirst) {
      isFirst = false
      await work()
    }
    return status === 401 ? Response.json(body, { status }) : Response.json(stores.proxy.health)
  }
}

describe('CreateCustomKeyStore', () => {
  it('makes an external key store, once its proxy has answered', async () => {
    const { CustomKeyStoreId } = await create(EXTERNAL_STORE)
    expect(CustomKeyStoreId).toMatch(/^cks-[0-9a-f]{17}$/)
    expect(stores.proxy.asked.map(({ path, body }) => [path, body.requestMetadata])).toEqual([
      [`${PATH}/health`, { kmsOperation: 'CreateCustomKeyStore', kmsRequestId: expect.any(String) as unknown }],
    ])
    expect(await entryOf(engine, CustomKeyStoreId)).toEqual({
      CustomKeyStoreId,
      CustomKeyStoreName: 'external',
      CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
      ConnectionState: 'DISCONNECTED',
      CreationDate: new Date(NOW),
      XksProxyConfiguration: {
        AccessKeyId: EXTERNAL_STORE.XksProxyAuthenticationCredential?.AccessKeyId,
        Connectivity: 'PUBLIC_ENDPOINT',
        UriEndpoint: ENDPOINT,
        UriPath: PATH,
      },
    })
  })

  it('makes one in a hardware security module that the administrator has set up', async () => {
    const { CustomKeyStoreId } = await create(HSM_STORE)
    expect(await entryOf(engine, CustomKeyStoreId)).toEqual({
      CustomKeyStoreId,
      CustomKeyStoreName: 'module',
      CustomKeyStoreType: 'AWS_CLOUDHSM',
      ConnectionState: 'DISCONNECTED',
      CreationDate: new Date(NOW),
      CloudHsmClusterId: CLUSTER,
      TrustAnchorCertificate: ANCHOR,
    })
  })

  it.each<[string, object, RegExp]>([
    ['no cluster', { ...HSM_STORE, CloudHsmClusterId: undefined }, /CloudHsmClusterId/],
    ['no PIN', { ...HSM_STORE, KeyStorePassword: undefined }, /KeyStorePassword/],
    ['no certificate', { ...HSM_STORE, TrustAnchorCertificate: undefined }, /TrustAnchorCertificate/],
    ['a proxy beside a cluster', { ...HSM_STORE, XksProxyUriPath: PATH }, /XksProxyUriPath/],
    ['no endpoint', { ...EXTERNAL_STORE, XksProxyUriEndpoint: undefined }, /XksProxyUriEndpoint/],
    ['no path', { ...EXTERNAL_STORE, XksProxyUriPath: undefined }, /XksProxyUriPath/],
    ['no connectivity', { ...EXTERNAL_STORE, XksProxyConnectivity: undefined }, /XksProxyConnectivity/],
    ['no credential', { ...EXTERNAL_STORE, XksProxyAuthenticationCredential: undefined }, /XksProxyAuthentication/],
    ['a PIN beside a proxy', { ...EXTERNAL_STORE, KeyStorePassword: '12345678' }, /KeyStorePassword/],
  ])('refuses %s', async (_, input, message) => {
    await refused(create(input), 'ValidationException', message)
    expect(stores.proxy.asked).toEqual([])
  })

  it('says nothing of a secret that is not in its form', async () => {
    const secret = 'no secret access key, but a secret'
    const credential = { AccessKeyId: 'lower', RawSecretAccessKey: secret }
    await refused(create({ ...EXTERNAL_STORE, XksProxyAuthenticationCredential: credential }), 'ValidationException')
    await refused(create({ ...HSM_STORE, KeyStorePassword: 'short!' }), 'ValidationException', /at 'keyStorePassword'/)
    const log = JSON.stringify(await engine.audit.list())
    expect(log).toMatch(/xksProxyAuthenticationCredential.rawSecretAccessKey/)
    expect(log).not.toContain(secret)
    expect(log).not.toContain('lower')
    expect(log).not.toContain('short!')
  })

  it.each([
    'https://localhost',
    'https://127.0.0.1',
    'https://10.1',
    'https://proxy',
    'https://a..b',
    'https://a.localhost',
    'https://-a.b',
  ])('refuses %s as the endpoint: it is no fully qualified name', async (XksProxyUriEndpoint) => {
    const input = { ...EXTERNAL_STORE, XksProxyUriEndpoint }
    await refused(create(input), 'XksProxyInvalidConfigurationException', /fully qualified/)
    expect(stores.proxy.asked).toEqual([])
  })

  it('refuses another version of the API, and a VPC endpoint service', async () => {
    const other = { ...EXTERNAL_STORE, XksProxyUriPath: '/kms/xks/v2' }
    await refused(create(other), 'XksProxyInvalidConfigurationException', /version 1/)
    const vpc = { ...EXTERNAL_STORE, XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE' }
    await refused(create(vpc), 'XksProxyVpcEndpointServiceNotFoundException')
  })

  it('refuses what another store has: name, proxy, module', async () => {
    await create(EXTERNAL_STORE)
    await create(HSM_STORE)
    await refused(create({ ...HSM_STORE, CustomKeyStoreName: 'external' }), 'CustomKeyStoreNameInUseException')
    await refused(create({ ...EXTERNAL_STORE, CustomKeyStoreName: 'b' }), 'XksProxyUriInUseException')
    await refused(create({ ...HSM_STORE, CustomKeyStoreName: 'b' }), 'CloudHsmClusterInUseException')
  })

  it('stops at ten', async () => {
    stores.proxy.intercept = () => ({ status: 200, body: stores.proxy.health })
    for (let count = 0; count < 10; count++) {
      const XksProxyUriPath = `/tenant-${String(count)}/kms/xks/v1`
      await create({ ...EXTERNAL_STORE, CustomKeyStoreName: String(count), XksProxyUriPath })
    }
    await refused(create(HSM_STORE), 'LimitExceededException')
    expect((await engine.call('DescribeCustomKeyStores', {})).CustomKeyStores).toHaveLength(10)
  })

  it.each<[string, number, KmsExceptionName]>([
    ['AuthenticationFailedException', 401, 'XksProxyIncorrectAuthenticationCredentialException'],
    ['InvalidUriPathException', 404, 'XksProxyInvalidConfigurationException'],
    ['ThrottlingException', 429, 'XksProxyUriUnreachableException'],
    ['DependencyTimeoutException', 503, 'XksProxyUriUnreachableException'],
    ['InternalException', 500, 'XksProxyInvalidResponseException'],
    ['ValidationException', 400, 'XksProxyInvalidResponseException'],
  ])('says of a proxy that answers %s (%i): %s', async (name, status, exception) => {
    stores.proxy.intercept = () => failure(status, name)
    await refused(create(EXTERNAL_STORE), exception, /^(?!.*a text of the proxy)/)
    expect((await engine.call('DescribeCustomKeyStores', {})).CustomKeyStores).toEqual([])
  })

  it.each<[StoreFault, KmsExceptionName]>([
    ['hsmAbsent', 'CloudHsmClusterNotActiveException'],
    ['hsmUnsuitable', 'CloudHsmClusterInvalidConfigurationException'],
  ])('says of a module that is %s: %s', async (fault, exception) => {
    stores.hsm.fault = fault
    await refused(create(HSM_STORE), exception)
  })

  it('refuses a module that is not set up, or of another trust anchor', async () => {
    const CloudHsmClusterId = 'cluster-aaaaaaaaaaa'
    await refused(create({ ...HSM_STORE, CloudHsmClusterId }), 'CloudHsmClusterNotFoundException')
    stores.hsm.trustAnchor = ANCHOR.replace('AAAA', 'BBBB')
    await refused(create(HSM_STORE), 'IncorrectTrustAnchorException')
    stores.hsm.trustAnchor = ANCHOR.trim()
    await create(HSM_STORE)
  })

  it('needs a permission, before anything is asked', async () => {
    const alice = await engine.iam('CreateUser', { UserName: 'alice' })
    const { Arn: arn, UserId: id } = alice.User
    const caller = { account: ACCOUNT, arn, id, type: 'User' as const, tags: {} }
    await refused(engine.call('CreateCustomKeyStore', EXTERNAL_STORE, { caller }), 'AccessDeniedException')
    for (const action of ['ConnectCustomKeyStore', 'DisconnectCustomKeyStore', 'DeleteCustomKeyStore'] as const) {
      await refused(engine.call(action, { CustomKeyStoreId: 'cks-1' }, { caller }), 'AccessDeniedException')
    }
    const change = { CustomKeyStoreId: 'cks-1', NewCustomKeyStoreName: 'b' }
    await refused(engine.call('UpdateCustomKeyStore', change, { caller }), 'AccessDeniedException')
    await refused(engine.call('DescribeCustomKeyStores', {}, { caller }), 'AccessDeniedException')
    expect(stores.proxy.asked).toEqual([])
  })
})

describe('DescribeCustomKeyStores', () => {
  it('answers pages, or the one of an id or a name', async () => {
    const ids = [(await create(EXTERNAL_STORE)).CustomKeyStoreId, (await create(HSM_STORE)).CustomKeyStoreId].sort()
    const first = await engine.call('DescribeCustomKeyStores', { Limit: 1 })
    expect(first.Truncated).toBe(true)
    const second = await engine.call('DescribeCustomKeyStores', { Marker: first.NextMarker })
    const pages = [...first.CustomKeyStores, ...second.CustomKeyStores]
    expect(pages.map(({ CustomKeyStoreId }) => CustomKeyStoreId)).toEqual(ids)
    const named = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreName: 'module' })
    expect(named.CustomKeyStores.map(({ CustomKeyStoreName }) => CustomKeyStoreName)).toEqual(['module'])
    const other = await stores.open()
    const elsewhere = await openEngine(memoryStore(), { regions: [REGION, 'us-east-1'] })
    expect(await elsewhere.call('DescribeCustomKeyStores', {}, { region: 'us-east-1' })).toEqual({
      CustomKeyStores: [],
      Truncated: false,
    })
    expect((await other.call('DescribeCustomKeyStores', {})).CustomKeyStores).toHaveLength(2)
  })

  it('says what it does not find', async () => {
    const find = (input: object): Promise<unknown> => engine.call('DescribeCustomKeyStores', input)
    await refused(find({ CustomKeyStoreId: 'cks-1' }), 'CustomKeyStoreNotFoundException')
    await refused(find({ CustomKeyStoreName: 'none' }), 'CustomKeyStoreNotFoundException')
    await refused(find({ Marker: 'none' }), 'InvalidMarkerException')
    await refused(find({ CustomKeyStoreId: 'a', CustomKeyStoreName: 'b' }), 'ValidationException')
  })
})

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
    meanwhile(async () => {
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
    meanwhile(async () => {
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

describe('the log of stores', () => {
  it('has every call, and no secret', async () => {
    const id = await connected(engine, EXTERNAL_STORE)
    await connected(engine, HSM_STORE)
    const records = (await engine.audit.list()).map(({ record }) => record)
    expect(records.map(({ eventName, readOnly, errorCode }) => [eventName, readOnly, errorCode])).toEqual([
      ['CreateCustomKeyStore', false, undefined],
      ['ConnectCustomKeyStore', false, undefined],
      ['CreateCustomKeyStore', false, undefined],
      ['ConnectCustomKeyStore', false, undefined],
    ])
    expect(records[0]?.requestParameters).toMatchObject({ customKeyStoreName: 'external', xksProxyUriPath: PATH })
    expect(records[0]?.responseElements).toEqual({ customKeyStoreId: id })
    const log = JSON.stringify(records)
    expect(log).not.toContain(SECRET_ACCESS_KEY)
    expect(log).not.toContain(HSM_STORE.KeyStorePassword)
    const asked = stores.proxy.asked.map(({ body }) => (body.requestMetadata as { kmsRequestId: string }).kmsRequestId)
    expect(asked).toEqual(records.slice(0, 2).map(({ requestID }) => requestID))
    await engine.audit.verify()
  })
})

describe('the files', () => {
  it('hold no secret of a store', async () => {
    const file = newFile()
    const own = await openEngine(await sqliteStore({ file }), {
      keyStores: { hsmClusters: { [CLUSTER]: stores.hsm }, fetch: stores.proxy.fetch, timeout: 20_000 },
    })
    await connected(own, EXTERNAL_STORE)
    const CustomKeyStoreId = await connected(own, HSM_STORE)
    await own.call('DisconnectCustomKeyStore', { CustomKeyStoreId })
    const KeyStorePassword = 'another PIN, then'
    await own.call('UpdateCustomKeyStore', { CustomKeyStoreId, KeyStorePassword })
    const search = (text: string): number => {
      const directory = dirname(file)
      const files = readdirSync(directory).map((name) => readFileSync(join(directory, name)))
      const [bytes, forms] = [Buffer.from(text), ['latin1', 'hex', 'base64', 'base64url'] as const]
      return files.filter((content) => forms.some((form) => content.includes(bytes.toString(form)))).length
    }
    expect(search('external')).toBeGreaterThan(0)
    for (const secret of [SECRET_ACCESS_KEY, PIN, KeyStorePassword]) expect(search(secret)).toBe(0)
    await own.close()
    for (const secret of [SECRET_ACCESS_KEY, PIN, KeyStorePassword]) expect(search(secret)).toBe(0)
  })

  it('stand under another root key with all that stores need', async () => {
    const external = await connected(engine, EXTERNAL_STORE)
    await connected(engine, HSM_STORE)
    const Origin = 'EXTERNAL_KEY_STORE'
    const made = await engine.call('CreateKey', { Origin, CustomKeyStoreId: external, XksKeyId: 'key-1' })
    const { KeyId } = made.KeyMetadata
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: Uint8Array.of(1, 2, 3) })
    const newRootKey = new Uint8Array(32).fill(9)
    await rotateRootKey({ store: stores.store, rootKey: ROOT_KEY, newRootKey: () => newRootKey })
    await stores.hsm.disconnect()
    const rotated = await newStores({ rootKey: newRootKey }, stores.store, stores)
    expect((await rotated.engine.call('Decrypt', { CiphertextBlob })).Plaintext).toEqual(Uint8Array.of(1, 2, 3))
    const Name = HSM_STORE.CustomKeyStoreName
    const found = await rotated.engine.call('DescribeCustomKeyStores', { CustomKeyStoreName: Name })
    const { CustomKeyStoreId } = found.CustomKeyStores[0]!
    await rotated.engine.call('CreateKey', { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })
  })

  it('refuse a store whose row was changed', async () => {
    const id = await connected(engine, EXTERNAL_STORE)
    await stores.store.transaction('write', async (rows) => {
      const [row] = await rows.list('keystore', { prefix: '', limit: 1 })
      if (row) await rows.put('keystore', { ...row, body: row.body.replace('xks.example', 'evil.example') })
    })
    await refused(onStore('DescribeCustomKeyStores', id), 'KMSInternalException', /not authentic/)
  })
})
