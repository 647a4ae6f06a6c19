import { KmsError } from '../errors.ts'
import type { HsmCluster, KeyStore } from '../key-stores/key-store.ts'
import { xksProxy } from '../key-stores/xks-proxy.ts'
import type { Scope } from './arn.ts'
import type { ExternalStoreKind, KeyStoreRecord } from './record-types.ts'

/** Options of custom key stores. */
export interface KeyStoreOptions {
  /**
   * The hardware security modules that CreateCustomKeyStore may name, by an id of the form of CloudHSM's: `cluster-` and
   * 11 to 16 letters or digits 2–7. Default none.
   */
  readonly hsmClusters?: Readonly<Record<string, HsmCluster>> | undefined
  /** How external key store proxies are reached. Default the runtime's. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Milliseconds in which such a proxy must answer. Default 1000. */
  readonly timeout?: number | undefined
}

/** What custom key stores need from outside the engine. */
export interface KeyStoreHost {
  readonly clusters: ReadonlyMap<string, HsmCluster>
  /** The store of a record; `secret` is not copied for longer than the work with it. */
  open(record: KeyStoreRecord, scope: Scope, secret: Uint8Array): KeyStore
  /** The keys behind a proxy, which need not be a store yet. */
  openProxy(kind: ExternalStoreKind, scope: Scope, secret: Uint8Array): KeyStore
}

const DEFAULT_TIMEOUT = 1000

/** @throws RangeError for options that are not in their form */
export function keyStoreHost(options: KeyStoreOptions | undefined, clock: () => number): KeyStoreHost {
  const { hsmClusters = {}, fetch = runtimeFetch, timeout = DEFAULT_TIMEOUT } = options ?? {}
  if (!Number.isSafeInteger(timeout) || timeout < 1) throw new RangeError('timeout must be a positive integer')
  const clusters = new Map(Object.entries(hsmClusters))
  for (const id of clusters.keys()) {
    if (!/^cluster-[2-7a-zA-Z]{11,16}$/.test(id)) throw new RangeError(`${id} is not the form of a cluster's id`)
  }
  const openProxy: KeyStoreHost['openProxy'] = ({ endpoint, path, accessKeyId }, { region }, secretAccessKey) =>
    xksProxy({ endpoint, path, accessKeyId, secretAccessKey, region, fetch, timeout, clock })
  return {
    clusters,
    openProxy,
    open({ kind }, scope, secret) {
      if (kind.type === 'EXTERNAL_KEY_STORE') return openProxy(kind, scope, secret)
      return clusterOf(clusters, kind.clusterId).keyStore(secret)
    },
  }
}

/** Looked up at each call: whoever replaces it later means this one, too. */
const runtimeFetch: typeof globalThis.fetch = (url, init) => globalThis.fetch(url, init)

/** @throws KmsError `CloudHsmClusterNotFoundException` */
export function clusterOf(clusters: ReadonlyMap<string, HsmCluster>, id: string): HsmCluster {
  const cluster = clusters.get(id)
  if (cluster) return cluster
  throw new KmsError('CloudHsmClusterNotFoundException', `This KMS knows no hardware security module ${id}.`)
}
