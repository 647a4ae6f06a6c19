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
import { CLUSTER, PIN } from './memory-hsm.ts'
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
