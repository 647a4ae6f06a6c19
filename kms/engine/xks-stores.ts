import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { connectionSubject } from './custom-key-stores.ts'
import type { ExternalStoreKind, KeyStoreRecord } from './records.ts'
import { withSecrets } from './secrets.ts'
import { faultError } from './store-faults.ts'
import type { XksProxyLocation } from './types.ts'

/** What only external key stores have. */
export const PROXY_MEMBERS = [
  'XksProxyUriEndpoint',
  'XksProxyUriPath',
  'XksProxyAuthenticationCredential',
  'XksProxyConnectivity',
  'XksProxyVpcEndpointServiceName',
  'XksProxyVpcEndpointServiceOwner',
] as const

/** Where a proxy is to be, after a change of where it was. @throws KmsError for a place where none can be */
export function externalKind(location: XksProxyLocation, before?: ExternalStoreKind): ExternalStoreKind {
  const { XksProxyConnectivity, XksProxyVpcEndpointServiceName, XksProxyVpcEndpointServiceOwner } = location
  if (
    XksProxyConnectivity === 'VPC_ENDPOINT_SERVICE' ||
    XksProxyVpcEndpointServiceName !== undefined ||
    XksProxyVpcEndpointServiceOwner !== undefined
  ) {
    throw new KmsError(
      'XksProxyVpcEndpointServiceNotFoundException',
      'There are no VPC endpoint services here: use PUBLIC_ENDPOINT, with a host name that leads to the proxy.',
    )
  }
  const kind = {
    type: 'EXTERNAL_KEY_STORE',
    endpoint: location.XksProxyUriEndpoint ?? before?.endpoint ?? '',
    path: location.XksProxyUriPath ?? before?.path ?? '',
    accessKeyId: location.XksProxyAuthenticationCredential?.AccessKeyId ?? before?.accessKeyId ?? '',
  } as const
  assertEndpoint(kind)
  return kind
}

/**
 * The host is a fully qualified domain name ("API operations"): no address, and no name of this machine or of one beside
 * it, since whoever may create stores would otherwise have the KMS knock at every door of its own network.
 */
function assertEndpoint({ endpoint, path }: ExternalStoreKind): void {
  const host = endpoint.slice('https://'.length).toLowerCase()
  const labels = host.split('.')
  const isName = labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label))
  const isQualified = /\.[a-z][a-z0-9-]*$/.test(host) && !host.endsWith('.localhost')
  if (!isName || !isQualified) {
    throw new KmsError('XksProxyInvalidConfigurationException', `${host} is no fully qualified domain name.`)
  }
  if (!path.endsWith('/kms/xks/v1')) {
    throw new KmsError('XksProxyInvalidConfigurationException', 'The proxy API that this KMS speaks is version 1.')
  }
}

/** @throws KmsError `XksProxyUriInUseException` */
export function assertProxyIsFree(stores: readonly KeyStoreRecord[], kind: ExternalStoreKind, own?: string): void {
  const isTaken = stores.some(
    (store) =>
      store.id !== own &&
      store.kind.type === 'EXTERNAL_KEY_STORE' &&
      store.kind.endpoint.toLowerCase() === kind.endpoint.toLowerCase() &&
      store.kind.path === kind.path,
  )
  if (isTaken) throw new KmsError('XksProxyUriInUseException', 'Another custom key store has this proxy already.')
}

/**
 * Asks a proxy, outside the transaction, whether it is healthy. `sealed` is the secret's, if it stands in a row: for
 * another place or another secret than what was asked about, the proxy is asked anew.
 *
 * @throws KmsError for what is wrong with it
 */
export async function checkProxy(
  context: ActionContext,
  kind: ExternalStoreKind,
  readSecret: () => Promise<Uint8Array>,
  sealed?: string,
): Promise<void> {
  const { scope, keyStores, action } = context
  const request = { operation: action, requestId: context.requestId(), principalArn: context.caller.arn }
  const check = async ([secret]: readonly Uint8Array[]): Promise<void> => {
    try {
      await keyStores.openProxy(kind, scope, secret ?? new Uint8Array()).check(request)
    } catch (error) {
      throw faultError(error, 'onStore', 'EXTERNAL_KEY_STORE')
    }
  }
  await withSecrets(context, [readSecret], check, connectionSubject({ kind, sealed }))
}
