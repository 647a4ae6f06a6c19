import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { authorise } from '../authorise.ts'
import { findKeyStore, isKeyStoreId, listKeyStores } from '../custom-key-stores.ts'
import { pageOf } from '../paging.ts'
import type { KeyStoreRecord } from '../records.ts'
import type { CustomKeyStoresListEntry, DescribeCustomKeyStoresInput, DescribeCustomKeyStoresOutput } from '../types.ts'

const DEFAULT_LIMIT = 100

/** DescribeCustomKeyStores: all stores of the Region, or the one of an id or of a name. */
export const describeCustomKeyStores: Action<DescribeCustomKeyStoresInput, DescribeCustomKeyStoresOutput> = {
  shape: 'DescribeCustomKeyStoresRequest',
  mode: 'read',
  async act(context, { CustomKeyStoreId, CustomKeyStoreName, Limit = DEFAULT_LIMIT, Marker }) {
    if (CustomKeyStoreId !== undefined && CustomKeyStoreName !== undefined) {
      throw new KmsError('ValidationException', 'Specify CustomKeyStoreId or CustomKeyStoreName, not both.')
    }
    await authorise(context, '*')
    if (CustomKeyStoreId !== undefined) {
      const { record } = await findKeyStore(context, CustomKeyStoreId)
      return { CustomKeyStores: [describe(record)], Truncated: false }
    }
    const stores = await listKeyStores(context)
    if (CustomKeyStoreName !== undefined) {
      const named = stores.filter(({ name }) => name === CustomKeyStoreName)
      if (named.length > 0) return { CustomKeyStores: named.map(describe), Truncated: false }
      const text = `There is no custom key store of the name ${CustomKeyStoreName}.`
      throw new KmsError('CustomKeyStoreNotFoundException', text)
    }
    const page = pageOf(stores, { limit: Limit, marker: Marker, isId: isKeyStoreId })
    return { CustomKeyStores: page.items.map(describe), ...page.output }
  },
}

function describe({ id, name, created, state, errorCode, kind }: KeyStoreRecord): CustomKeyStoresListEntry {
  return {
    CustomKeyStoreId: id,
    CustomKeyStoreName: name,
    CustomKeyStoreType: kind.type,
    ConnectionState: state,
    ...(errorCode !== undefined && { ConnectionErrorCode: errorCode }),
    CreationDate: new Date(created),
    ...placeOf(kind),
  }
}

function placeOf(kind: KeyStoreRecord['kind']): Partial<CustomKeyStoresListEntry> {
  if (kind.type === 'AWS_CLOUDHSM') {
    return { CloudHsmClusterId: kind.clusterId, TrustAnchorCertificate: kind.trustAnchor }
  }
  return {
    XksProxyConfiguration: {
      AccessKeyId: kind.accessKeyId,
      Connectivity: 'PUBLIC_ENDPOINT',
      UriEndpoint: kind.endpoint,
      UriPath: kind.path,
    },
  }
}
