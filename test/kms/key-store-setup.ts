import type { ActionInput, Engine, EngineOptions } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { newKey, NOW, openEngine } from './engine-setup.ts'
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

/** Does something else while the proxy is asked for the first time; whoever signs rightly hears that it is healthy. */
export function meanwhile({ proxy }: Stores, work: () => Promise<void>): void {
  let isFirst = true
  proxy.intercept = async ({ status, body }) => {
    if (isFirst) {
      isFirst = false
      await work()
    }
    return status === 401 ? Response.json(body, { status }) : Response.json(proxy.health)
  }
}

export type Kind = 'external' | 'hsm'
export const KINDS: readonly Kind[] = ['external', 'hsm']

/** A KMS with a connected store of each kind, and a clock that the test sets. */
export interface ConnectedStores extends Stores {
  /** What the clock shows, in milliseconds. */
  now: number
  readonly storeOf: (kind: Kind) => string
  /** What CreateKey wants for a key in the store. */
  readonly inputOf: (kind: Kind) => ActionInput<'CreateKey'>
  /** Creates a key in the store; answers its id. */
  readonly create: (kind: Kind, input?: ActionInput<'CreateKey'>) => Promise<string>
  /** How often the proxy was asked to encrypt or decrypt. */
  readonly uses: () => number
}

export async function openConnectedStores(): Promise<ConnectedStores> {
  const clock = { now: NOW }
  const stores = await newStores({ clock: () => clock.now })
  const { engine, proxy } = stores
  const ids = { external: await connected(engine, EXTERNAL_STORE), hsm: await connected(engine, HSM_STORE) }
  proxy.asked.length = 0
  const inputOf = (kind: Kind): ActionInput<'CreateKey'> => {
    if (kind === 'hsm') return { Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: ids.hsm }
    return { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId: ids.external, XksKeyId: 'key-1' }
  }
  return Object.assign(clock, stores, {
    storeOf: (kind: Kind) => ids[kind],
    inputOf,
    create: (kind: Kind, input: ActionInput<'CreateKey'> = {}) => newKey(engine, { ...inputOf(kind), ...input }),
    uses: () => proxy.asked.filter(({ path }) => path.endsWith('crypt')).length,
  })
}
