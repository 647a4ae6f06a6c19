import type { ActionInput } from '../../kms/engine/index.ts'
import type { StoreFault } from '../../kms/key-stores/key-store.ts'
import { connected, EXTERNAL_STORE, HSM_STORE, type Stores } from './key-store-setup.ts'
import { OTHER_CLUSTER } from './memory-hsm.ts'
import { failure, PATH } from './xks-proxy.ts'

// What provocations.ts needs of custom key stores.

type Input = Readonly<Record<string, unknown>>
type MakeInput = (subject: Stores) => Input | Promise<Input>

const NO_STORE = { CustomKeyStoreId: 'cks-none' }
const hsmKey = (CustomKeyStoreId: string): ActionInput<'CreateKey'> => ({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId })
const externalKey = (CustomKeyStoreId: string): ActionInput<'CreateKey'> => ({
  Origin: 'EXTERNAL_KEY_STORE',
  CustomKeyStoreId,
  XksKeyId: 'key-1',
})

const newStore: MakeInput = async ({ engine }) => ({
  ...(await engine.call('CreateCustomKeyStore', EXTERNAL_STORE)),
})
const newHsm: MakeInput = async ({ engine }) => ({
  ...(await engine.call('CreateCustomKeyStore', HSM_STORE)),
})
const connectedStore: MakeInput = async ({ engine }) => ({ CustomKeyStoreId: await connected(engine, EXTERNAL_STORE) })
const connectedHsm: MakeInput = async ({ engine }) => ({ CustomKeyStoreId: await connected(engine, HSM_STORE) })
const renamed: MakeInput = async (subject) => ({ ...(await newStore(subject)), NewCustomKeyStoreName: 'renamed' })

/** Inputs with which the actions on stores go well. */
export const STORE_INPUTS: Readonly<Record<string, MakeInput>> = {
  ConnectCustomKeyStore: newStore,
  CreateCustomKeyStore: () => ({ ...EXTERNAL_STORE }),
  DeleteCustomKeyStore: newStore,
  DescribeCustomKeyStores: () => ({}),
  DisconnectCustomKeyStore: connectedStore,
  UpdateCustomKeyStore: renamed,
}

/** Input of a call, before which the proxy begins to answer so. */
const answering =
  (make: MakeInput, status: number, name: string): MakeInput =>
  async (subject) => {
    const input = await make(subject)
    subject.proxy.intercept = () => failure(status, name)
    return input
  }

const failing =
  (make: MakeInput, fault: StoreFault): MakeInput =>
  async (subject) => {
    const input = await make(subject)
    subject.hsm.fault = fault
    return input
  }

const withChange =
  (make: MakeInput, change: Input): MakeInput =>
  async (subject) => ({ ...(await make(subject)), ...change })

/** What a proxy answers for CreateCustomKeyStore and UpdateCustomKeyStore to end so. */
function ofProxies(action: string, make: MakeInput): Readonly<Record<string, MakeInput>> {
  return {
    [`${action} XksProxyIncorrectAuthenticationCredential`]: answering(make, 401, 'AuthenticationFailedException'),
    [`${action} XksProxyInvalidConfiguration`]: answering(make, 404, 'InvalidUriPathException'),
    [`${action} XksProxyInvalidResponse`]: answering(make, 500, 'InternalException'),
    [`${action} XksProxyUriUnreachable`]: answering(make, 503, 'DependencyTimeoutException'),
    [`${action} XksProxyVpcEndpointServiceNotFound`]: withChange(make, {
      XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
    }),
  }
}

const createExternal: MakeInput = () => ({ ...EXTERNAL_STORE })
const createHsm: MakeInput = () => ({ ...HSM_STORE })
const moved = withChange(newStore, { XksProxyUriPath: PATH })
const sameHsm: MakeInput = async (subject) => ({
  ...(await newHsm(subject)),
  CloudHsmClusterId: HSM_STORE.CloudHsmClusterId,
})

/** A use of a key whose module fails. */
const unavailable =
  (make: (keyId: string, ciphertext: Uint8Array) => Input): MakeInput =>
  async (subject) => {
    const { engine, hsm } = subject
    const input = hsmKey(await connected(engine, HSM_STORE))
    const { KeyId } = (await engine.call('CreateKey', input)).KeyMetadata
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: Uint8Array.of(1) })
    hsm.fault = 'hsmFailed'
    return make(KeyId, CiphertextBlob)
  }

export const STORE_PROVOCATIONS: Readonly<Record<string, MakeInput>> = {
  ...ofProxies('CreateCustomKeyStore', createExternal),
  ...ofProxies('UpdateCustomKeyStore', moved),
  'ConnectCustomKeyStore CloudHsmClusterInvalidConfiguration': failing(newHsm, 'hsmUnsuitable'),
  'ConnectCustomKeyStore CloudHsmClusterNotActive': failing(newHsm, 'hsmAbsent'),
  'ConnectCustomKeyStore CustomKeyStoreInvalidState': async (subject) => {
    const input = await subject.engine.call('CreateCustomKeyStore', EXTERNAL_STORE)
    subject.proxy.intercept = () => failure(500, 'InternalException')
    await subject.engine.call('ConnectCustomKeyStore', input)
    return { ...input }
  },
  'ConnectCustomKeyStore CustomKeyStoreNotFound': () => NO_STORE,
  'CreateCustomKeyStore CloudHsmClusterInUse': async (subject) => {
    await newHsm(subject)
    return { ...HSM_STORE, CustomKeyStoreName: 'second' }
  },
  'CreateCustomKeyStore CloudHsmClusterInvalidConfiguration': failing(createHsm, 'hsmUnsuitable'),
  'CreateCustomKeyStore CloudHsmClusterNotActive': failing(createHsm, 'hsmAbsent'),
  'CreateCustomKeyStore CloudHsmClusterNotFound': withChange(createHsm, { CloudHsmClusterId: 'cluster-aaaaaaaaaaa' }),
  'CreateCustomKeyStore CustomKeyStoreNameInUse': async (subject) => {
    await newStore(subject)
    return { ...EXTERNAL_STORE }
  },
  'CreateCustomKeyStore IncorrectTrustAnchor': ({ hsm }) => {
    hsm.trustAnchor = 'another'
    return { ...HSM_STORE }
  },
  'CreateCustomKeyStore LimitExceeded': async ({ engine, proxy }) => {
    proxy.intercept = () => ({ status: 200, body: proxy.health })
    for (let i = 0; i < 10; i++) {
      const XksProxyUriPath = `/tenant-${String(i)}/kms/xks/v1`
      await engine.call('CreateCustomKeyStore', { ...EXTERNAL_STORE, CustomKeyStoreName: String(i), XksProxyUriPath })
    }
    return { ...HSM_STORE }
  },
  'CreateCustomKeyStore XksProxyUriInUse': async (subject) => {
    await newStore(subject)
    return { ...EXTERNAL_STORE, CustomKeyStoreName: 'second' }
  },
  'CreateKey CloudHsmClusterInvalidConfiguration': async (subject) => {
    const input = hsmKey(await connected(subject.engine, HSM_STORE))
    subject.hsm.fault = 'hsmUnsuitable'
    return { ...input }
  },
  'CreateKey CustomKeyStoreInvalidState': async (subject) => ({ ...(await newHsm(subject)), Origin: 'AWS_CLOUDHSM' }),
  'CreateKey CustomKeyStoreNotFound': () => ({ ...NO_STORE, Origin: 'AWS_CLOUDHSM' }),
  'CreateKey XksKeyAlreadyInUse': async ({ engine }) => {
    const input = externalKey(await connected(engine, EXTERNAL_STORE))
    await engine.call('CreateKey', input)
    return { ...input }
  },
  'CreateKey XksKeyInvalidConfiguration': async ({ engine, proxy }) => {
    proxy.keys.get('key-1')!.isEnabled = false
    return { ...externalKey(await connected(engine, EXTERNAL_STORE)) }
  },
  'CreateKey XksKeyNotFound': async ({ engine, proxy }) => {
    proxy.keys.clear()
    return { ...externalKey(await connected(engine, EXTERNAL_STORE)) }
  },
  'Decrypt KeyUnavailable': unavailable((_, CiphertextBlob) => ({ CiphertextBlob })),
  'DeleteCustomKeyStore CustomKeyStoreHasCMKs': async ({ engine }) => {
    const CustomKeyStoreId = await connected(engine, EXTERNAL_STORE)
    await engine.call('CreateKey', externalKey(CustomKeyStoreId))
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId })
    return { CustomKeyStoreId }
  },
  'DeleteCustomKeyStore CustomKeyStoreInvalidState': connectedStore,
  'DeleteCustomKeyStore CustomKeyStoreNotFound': () => NO_STORE,
  'DescribeCustomKeyStores CustomKeyStoreNotFound': () => NO_STORE,
  'DisconnectCustomKeyStore CustomKeyStoreInvalidState': newStore,
  'DisconnectCustomKeyStore CustomKeyStoreNotFound': () => NO_STORE,
  'Encrypt KeyUnavailable': unavailable((KeyId) => ({ KeyId, Plaintext: Uint8Array.of(1) })),
  'GenerateDataKey KeyUnavailable': unavailable((KeyId) => ({ KeyId, KeySpec: 'AES_256' })),
  'GenerateDataKeyWithoutPlaintext KeyUnavailable': unavailable((KeyId) => ({ KeyId, KeySpec: 'AES_256' })),
  'GenerateRandom CustomKeyStoreInvalidState': withChange(newHsm, { NumberOfBytes: 1 }),
  'ReEncrypt KeyUnavailable': unavailable((DestinationKeyId, CiphertextBlob) => ({ DestinationKeyId, CiphertextBlob })),
  'UpdateCustomKeyStore CloudHsmClusterInvalidConfiguration': failing(sameHsm, 'hsmUnsuitable'),
  'UpdateCustomKeyStore CloudHsmClusterNotActive': failing(sameHsm, 'hsmAbsent'),
  'UpdateCustomKeyStore CloudHsmClusterNotFound': withChange(newHsm, { CloudHsmClusterId: 'cluster-aaaaaaaaaaa' }),
  'UpdateCustomKeyStore CloudHsmClusterNotRelated': withChange(newHsm, { CloudHsmClusterId: OTHER_CLUSTER }),
  'UpdateCustomKeyStore CustomKeyStoreInvalidState': withChange(connectedHsm, { NewCustomKeyStoreName: 'renamed' }),
  'UpdateCustomKeyStore CustomKeyStoreNameInUse': async (subject) => {
    await newHsm(subject)
    return { ...(await newStore(subject)), NewCustomKeyStoreName: HSM_STORE.CustomKeyStoreName }
  },
  'UpdateCustomKeyStore CustomKeyStoreNotFound': () => ({ ...NO_STORE, NewCustomKeyStoreName: 'renamed' }),
  'UpdateCustomKeyStore XksProxyUriInUse': async (subject) => {
    await newStore(subject)
    const other = { ...EXTERNAL_STORE, CustomKeyStoreName: 'second', XksProxyUriEndpoint: 'https://other.example.test' }
    const made = await subject.engine.call('CreateCustomKeyStore', other)
    return { ...made, XksProxyUriEndpoint: EXTERNAL_STORE.XksProxyUriEndpoint }
  },
}
