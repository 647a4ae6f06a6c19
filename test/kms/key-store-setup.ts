import type { ActionInput, Engine, EngineOptions } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { NOW, openEngine } from './engine-setup.ts'
import { CLUSTER, MemoryHsm, OTHER_CLUSTER, PIN } from './memory-hsm.ts'
import { ACCESS_KEY_ID, ENDPOINT, PATH, SECRET_ACCESS_KEY, XksProxy } from './xks-proxy.ts'

export const ANCHOR = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'

export const EXTERNAL_STORE: ActionInput<'CreateCustomKeyStore'> = {
  CustomKeyStoreName: 'external',
  CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
  XksProxyConnectivity: 'PUBLIC_ENDPOINT',
  XksProxyUriEndpoint: ENDPOINT,
  XksProxyUriPath: PATH,
  XksProxyAuthenticationCredential: { AccessKeyId: ACCESS_KEY_ID, RawSecretAccessKey: SECRET_ACCESS_KEY },
}

export const HSM_STORE: ActionInput<'CreateCustomKeyStore'> = {
  CustomKeyStoreName: 'module',
  CloudHsmClusterId: CLUSTER,
  TrustAnchorCertificate: ANCHOR,
  KeyStorePassword: PIN,
}

/** An engine with a proxy and a module that it may use, and a store of each kind, connected. */
export interface Stores {
  readonly store: Store
  readonly engine: Engine
  readonly proxy: XksProxy
  readonly hsm: MemoryHsm
  /** Opens another engine on the same rows. */
  readonly open: () => Promise<Engine>
}

export async function newStores(
  options: Partial<EngineOptions> = {},
  store: Store = memoryStore(),
  { proxy, hsm }: Pick<Stores, 'proxy' | 'hsm'> = { proxy: new XksProxy(), hsm: new MemoryHsm() },
): Promise<Stores> {
  proxy.clock = () => (options.clock ?? (() => NOW))()
  if (proxy.keys.size === 0) proxy.addKey('key-1')
  const open = (): Promise<Engine> =>
    openEngine(store, {
      keyStores: { hsmClusters: { [CLUSTER]: hsm, [OTHER_CLUSTER]: hsm }, fetch: proxy.fetch, timeout: 20_000 },
      ...options,
    })
  return { store, engine: await open(), proxy, hsm, open }
}

/** Makes a store and connects it; answers its id. */
export async function connected(engine: Engine, input: ActionInput<'CreateCustomKeyStore'>): Promise<string> {
  const { CustomKeyStoreId } = await engine.call('CreateCustomKeyStore', input)
  await engine.call('ConnectCustomKeyStore', { CustomKeyStoreId })
  return CustomKeyStoreId
}

/** The only entry of a store in DescribeCustomKeyStores. */
export async function entryOf(engine: Engine, CustomKeyStoreId: string): Promise<Readonly<Record<string, unknown>>> {
  const { CustomKeyStores } = await engine.call('DescribeCustomKeyStores', { CustomKeyStoreId })
  return { ...CustomKeyStores[0] }
}
