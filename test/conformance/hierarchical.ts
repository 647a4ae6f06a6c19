import { decrypt, decryptSync, encrypt, encryptSync, inspect, type Keyring } from 'waxseal'
import type { KmsProvider } from 'waxseal/kms'
import {
  branchKeyCache,
  hierarchicalKeyring,
  kmsBranchKeys,
  memoryBranchKeys,
  staticBranchKeys,
  type HierarchicalKeyringOptions,
} from 'waxseal/kms/hierarchical'
import { pattern } from './bytes.ts'
import { equal, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { newKms } from './kms.ts'
import { group, type Case } from './runtime.ts'

const VERSION = '83eec007-5659-4554-bf11-699b90f41ac6'

/** One branch key, the same in every runtime. */
export function staticHierarchicalKeyring(options: Partial<HierarchicalKeyringOptions> = {}): Keyring {
  const branchKeyId = 'conformance'
  const branchKeyStore = staticBranchKeys({ branchKeyId, version: VERSION, branchKey: pattern(32, 77) })
  return hierarchicalKeyring({ branchKeyStore, branchKeyId, ttl: 60, ...options })
}

async function roundTrip(): Promise<void> {
  const keyring = staticHierarchicalKeyring()
  throws(() => encryptSync(keyring, pattern(9)), EXPECTED.unsupported, 'encryptSync on a cold cache')
  const message = await encrypt(keyring, pattern(9), { encryptionContext: { tenant: '🔒' } })
  equal(inspect(message).encryptedDataKeys[0]?.providerId, 'aws-kms-hierarchy', 'the provider id')
  sameBytes((await decrypt(keyring, message)).plaintext, pattern(9), 'the plaintext')
  sameBytes(decryptSync(keyring, encryptSync(keyring, pattern(9))).plaintext, pattern(9), 'the plaintext, sync')
  const cold = staticHierarchicalKeyring()
  throws(() => decryptSync(cold, message), EXPECTED.keyUnavailable, 'decryptSync on a cold cache')
  sameBytes((await decrypt(cold, message)).plaintext, pattern(9), 'the plaintext on a cold cache')
  const changed = message.slice()
  changed[inspect(message).byteLength - 54]! ^= 1
  await rejects(() => decrypt(keyring, changed), EXPECTED.authentication, 'decrypt')
}

async function overEngine(): Promise<void> {
  const { engine, provider, arn } = await newKms()
  let calls = 0
  const counting: KmsProvider = {
    ...provider,
    decrypt: (request) => {
      calls++
      return provider.decrypt(request)
    },
  }
  const branchKeyStore = memoryBranchKeys({ name: 'conformance', provider: counting, keyArn: arn })
  const tenants = ['a', 'b', 'c']
  for (const branchKeyId of tenants) await branchKeyStore.createKey({ branchKeyId, encryptionContext: { branchKeyId } })
  let now = 0
  const cache = branchKeyCache({ clock: () => now })
  const branchKeyIdSupplier = ({ tenant = '' }: Readonly<Record<string, string>>): string => tenant
  const keyring = hierarchicalKeyring({ branchKeyStore, branchKeyIdSupplier, ttl: 60, cache })
  const write = (): Promise<Uint8Array[]> =>
    Promise.all(
      [1, 2, 3].flatMap(() => tenants.map((tenant) => encrypt(keyring, pattern(5), { encryptionContext: { tenant } }))),
    )
  const messages = await write()
  equal(calls, 3, 'calls of the KMS')
  for (const branchKeyId of tenants) await branchKeyStore.versionKey({ branchKeyId })
  calls = 0
  now += 60_001
  messages.push(...(await write()))
  equal(calls, 3, 'calls of the KMS after the lifetime')
  for (const message of messages) sameBytes((await decrypt(keyring, message)).plaintext, pattern(5), 'the plaintext')
  equal(calls, 6, 'calls of the KMS with the old versions')
  cache.dispose()
  await rejects(
    () => encrypt(keyring, pattern(5), { encryptionContext: { tenant: 'a' } }),
    EXPECTED.disposed,
    'encrypt',
  )
  await engine.close()
}

/** The engine keeps the records of the store, and is the KMS that wraps them. */
async function inEngine(): Promise<void> {
  const { engine, provider, arn } = await newKms()
  const items = engine.branchKeyItems
  const branchKeyStore = kmsBranchKeys({ name: 'conformance', items, provider, keyArn: arn })
  for (const hierarchyVersion of [1, 2] as const) {
    const branchKeyId = `ü/${hierarchyVersion}`
    await branchKeyStore.createKey({ branchKeyId, encryptionContext: { tenant: 'a' }, hierarchyVersion })
    const keyring = (): Keyring => hierarchicalKeyring({ branchKeyStore, branchKeyId, ttl: 60 })
    const message = await encrypt(keyring(), pattern(5))
    await branchKeyStore.versionKey({ branchKeyId })
    sameBytes((await decrypt(keyring(), message)).plaintext, pattern(5), 'the plaintext')
    equal((await branchKeyStore.getBeaconKey({ branchKeyId })).beaconKey.length, 32, 'bytes of the beacon key')
    const active = await items.get(branchKeyId, 'branch:ACTIVE')
    if (active === undefined) throw new Error('there is no active record')
    const attributes = { ...active.attributes, 'create-time': 'later' }
    equal(await items.put([{ item: { ...active, attributes }, replaces: active.enc }]), true, 'the change')
    await rejects(
      () => branchKeyStore.getActiveBranchKey({ branchKeyId }),
      hierarchyVersion === 1 ? EXPECTED.kms : EXPECTED.authentication,
      'a changed record',
    )
  }
  await engine.close()
}

function mistakes(): void {
  throws(() => staticHierarchicalKeyring({ ttl: 0 }), EXPECTED.range, 'no lifetime')
  throws(() => staticHierarchicalKeyring({ branchKeyId: undefined }), EXPECTED.type, 'no branch key')
  throws(() => staticHierarchicalKeyring({ partition: '' }), EXPECTED.range, 'a partition without a name')
  throws(() => branchKeyCache({ capacity: 0 }), EXPECTED.range, 'a cache of nothing')
}

/** Branch keys, their cache, and the store over the embedded engine. */
export const hierarchicalCases: readonly Case[] = group('hierarchical keyring', {
  'a static branch key': roundTrip,
  'branch keys of the embedded key management service': overEngine,
  'branch keys in the database of the embedded key management service': inEngine,
  mistakes,
})
