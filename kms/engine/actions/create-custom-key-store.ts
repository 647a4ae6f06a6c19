import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { authorise } from '../authorise.ts'
import {
  assertNameIsFree,
  assertRoom,
  listKeyStores,
  newKeyStoreId,
  putKeyStore,
  sealStoreSecret,
} from '../custom-key-stores.ts'
import { assertGiven, assertNotGiven } from '../given.ts'
import { assertHsm, assertHsmIsFree, HSM_MEMBERS, probeHsm } from '../hsm-stores.ts'
import type { KeyStoreRecord } from '../records.ts'
import type { CreateCustomKeyStoreInput, CreateCustomKeyStoreOutput } from '../types.ts'
import { assertProxyIsFree, checkProxy, externalKind, PROXY_MEMBERS } from '../xks-stores.ts'

const ENCODER = new TextEncoder()

/** CreateCustomKeyStore: a place for keys outside, which is tested and then waits to be connected. */
export const createCustomKeyStore: Action<CreateCustomKeyStoreInput, CreateCustomKeyStoreOutput> = {
  shape: 'CreateCustomKeyStoreRequest',
  mode: 'write',
  async act(context, input) {
    const isExternal = input.CustomKeyStoreType === 'EXTERNAL_KEY_STORE'
    assertGiven(input, isExternal ? REQUIRED_OF_PROXY : HSM_MEMBERS)
    assertNotGiven(input, isExternal ? HSM_MEMBERS : PROXY_MEMBERS, isExternal ? 'EXTERNAL_KEY_STORE' : 'AWS_CLOUDHSM')
    await authorise(context, '*')
    const stores = await listKeyStores(context)
    assertNameIsFree(stores, input.CustomKeyStoreName)
    assertRoom(stores)
    const kind = isExternal ? await externalStore(context, stores, input) : await hsmStore(context, stores, input)
    const id = newKeyStoreId(context)
    const secret = ENCODER.encode(input.XksProxyAuthenticationCredential?.RawSecretAccessKey ?? input.KeyStorePassword)
    try {
      const sealed = await sealStoreSecret(context, id, secret)
      const { CustomKeyStoreName: name } = input
      await putKeyStore(context, { id, name, created: context.now, state: 'DISCONNECTED', keys: 0, kind, sealed })
    } finally {
      secret.fill(0)
    }
    return { CustomKeyStoreId: id }
  },
}

const REQUIRED_OF_PROXY = [
  'XksProxyConnectivity',
  'XksProxyUriEndpoint',
  'XksProxyUriPath',
  'XksProxyAuthenticationCredential',
] as const

async function externalStore(
  context: ActionContext,
  stores: readonly KeyStoreRecord[],
  input: CreateCustomKeyStoreInput,
): Promise<KeyStoreRecord['kind']> {
  const kind = externalKind(input)
  assertProxyIsFree(stores, kind)
  const { RawSecretAccessKey = '' } = input.XksProxyAuthenticationCredential ?? {}
  await checkProxy(context, kind, () => Promise.resolve(ENCODER.encode(RawSecretAccessKey)))
  return kind
}

async function hsmStore(
  context: ActionContext,
  stores: readonly KeyStoreRecord[],
  { CloudHsmClusterId: clusterId = '', TrustAnchorCertificate: trustAnchor = '' }: CreateCustomKeyStoreInput,
): Promise<KeyStoreRecord['kind']> {
  const cluster = assertHsm(context, clusterId)
  assertHsmIsFree(stores, clusterId)
  if (cluster.trustAnchor !== undefined && cluster.trustAnchor.trim() !== trustAnchor.trim()) {
    throw new KmsError(
      'IncorrectTrustAnchorException',
      `The certificate is not the trust anchor of the hardware security module ${clusterId}.`,
    )
  }
  await probeHsm(context, clusterId)
  return { type: 'AWS_CLOUDHSM', clusterId, trustAnchor }
}
