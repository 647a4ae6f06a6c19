import { KmsError } from '../errors.ts'
import type { HsmCluster } from '../key-stores/key-store.ts'
import type { ActionContext } from './action.ts'
import { clusterOf } from './key-store-host.ts'
import type { KeyStoreRecord } from './records.ts'
import { faultError } from './store-faults.ts'

/** What only stores in a hardware security module have, all of it required. */
export const HSM_MEMBERS = ['CloudHsmClusterId', 'TrustAnchorCertificate', 'KeyStorePassword'] as const

/** @throws KmsError `CloudHsmClusterNotFoundException` */
export function assertHsm({ keyStores }: ActionContext, clusterId: string): HsmCluster {
  return clusterOf(keyStores.clusters, clusterId)
}

/** @throws KmsError `CloudHsmClusterInUseException` */
export function assertHsmIsFree(stores: readonly KeyStoreRecord[], clusterId: string): void {
  if (stores.every(({ kind }) => kind.type !== 'AWS_CLOUDHSM' || kind.clusterId !== clusterId)) return
  throw new KmsError('CloudHsmClusterInUseException', `${clusterId} is another custom key store already.`)
}

/**
 * Tests, outside the transaction, that the module is there and can do what it must.
 *
 * @throws KmsError `CloudHsmClusterNotActiveException`, `CloudHsmClusterInvalidConfigurationException`
 */
export async function probeHsm(context: ActionContext, clusterId: string): Promise<void> {
  const cluster = assertHsm(context, clusterId)
  await context.outside(async () => {
    try {
      await cluster.probe()
    } catch (error) {
      throw faultError(error, 'onStore', 'AWS_CLOUDHSM')
    }
  }, clusterId)
}
