import {
  AwsKmsMrkAwareSymmetricDiscoveryKeyringNode,
  buildAwsKmsMrkAwareStrictMultiKeyringNode,
  buildClient,
  CommitmentPolicy,
  getClient,
  type KeyringNode,
} from '@aws-crypto/client-node'
import { KMS } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../kms/engine/index.ts'
import { kmsKeyring } from '../../kms/index.ts'
import { awsKms } from '../../kms/providers/aws.ts'
import type { KmsProvider } from '../../kms/provider.ts'
import { createKmsServer, rootCredential } from '../../kms/server/index.ts'
import { listen, type NodeListener } from '../../kms/server/listen.node.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { decrypt } from '../../src/index.ts'

const HOME = 'eu-central-1'
const WEST = 'us-west-2'
const ACCOUNT = '000000000000'
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const PLAINTEXT = new TextEncoder().encode('a message for readers in two Regions')
const CONTEXT = { tenant: 'a' }

let engine: Engine
let listener: NodeListener
const clients = new Map<string, KMS>()
/** One key in both Regions, and one at home only. */
let keyId: string
let single: string

beforeAll(async () => {
  const rootKey = crypto.getRandomValues(new Uint8Array(32))
  engine = await createEngine({ store: memoryStore(), rootKey, regions: [HOME, WEST] })
  listener = await listen({ server: createKmsServer({ engine, credentials: rootCredential(CREDENTIALS) }), port: 0 })
  const { KeyMetadata } = await sdk(HOME).createKey({ MultiRegion: true })
  keyId = KeyMetadata?.KeyId ?? ''
  await sdk(HOME).replicateKey({ KeyId: keyId, ReplicaRegion: WEST })
  single = (await sdk(HOME).createKey({})).KeyMetadata?.Arn ?? ''
})

afterAll(async () => {
  for (const client of clients.values()) client.destroy()
  await listener.close()
  await engine.close()
})

/** The real client of a Region, unmodified but for endpoint and credentials. */
function sdk(region: string): KMS {
  const known = clients.get(region)
  if (known) return known
  const client = new KMS({ region, endpoint: listener.url, credentials: CREDENTIALS, maxAttempts: 1 })
  clients.set(region, client)
  return client
}

const arnIn = (region: string): string => `arn:aws:kms:${region}:${ACCOUNT}:key/${keyId}`

describe('@aws-sdk/client-kms in two Regions', () => {
  it('follows a key through replication, rotation, a new primary and its end', async () => {
    const { KeyMetadata } = await sdk(HOME).createKey({ MultiRegion: true })
    const { KeyId } = KeyMetadata ?? {}
    const Tags = [{ TagKey: 'a', TagValue: 'b' }]
    const answer = await sdk(HOME).replicateKey({ KeyId, ReplicaRegion: WEST, Description: 'west', Tags })
    expect(answer).toMatchObject({ ReplicaKeyMetadata: { KeyState: 'Creating', Enabled: false }, ReplicaTags: Tags })
    expect(answer.ReplicaPolicy).toBe((await sdk(WEST).getKeyPolicy({ KeyId })).Policy)
    const { CiphertextBlob } = await sdk(HOME).encrypt({ KeyId, Plaintext: PLAINTEXT, EncryptionContext: CONTEXT })
    await sdk(HOME).rotateKeyOnDemand({ KeyId })
    expect((await sdk(WEST).listKeyRotations({ KeyId })).Rotations).toMatchObject([{ RotationType: 'ON_DEMAND' }])
    const opened = await sdk(WEST).decrypt({ CiphertextBlob, EncryptionContext: CONTEXT })
    expect(opened.Plaintext).toEqual(PLAINTEXT)
    await sdk(HOME).updatePrimaryRegion({ KeyId, PrimaryRegion: WEST })
    const { MultiRegionConfiguration } = (await sdk(HOME).describeKey({ KeyId })).KeyMetadata ?? {}
    expect(MultiRegionConfiguration).toMatchObject({ MultiRegionKeyType: 'REPLICA', PrimaryKey: { Region: WEST } })
    const deletion = await sdk(WEST).scheduleKeyDeletion({ KeyId, PendingWindowInDays: 7 })
    expect([deletion.KeyState, deletion.DeletionDate]).toEqual(['PendingReplicaDeletion', undefined])
    expect((await sdk(WEST).describeKey({ KeyId })).KeyMetadata?.PendingDeletionWindowInDays).toBe(7)
  })

  it('sees the exceptions that it knows', async () => {
    const replicate = (KeyId: string, ReplicaRegion: string) => sdk(HOME).replicateKey({ KeyId, ReplicaRegion })
    await expect(replicate(keyId, WEST)).rejects.toMatchObject({ name: 'AlreadyExistsException' })
    await expect(replicate(single, WEST)).rejects.toMatchObject({
      name: 'UnsupportedOperationException',
      message: `${single} is not a multi-region primary key.`,
    })
    await expect(sdk(WEST).describeKey({ KeyId: single })).rejects.toMatchObject({ name: 'NotFoundException' })
    const elsewhere = sdk('ap-northeast-1').describeKey({ KeyId: keyId })
    await expect(elsewhere).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: "Credential should be scoped to a valid region, not 'ap-northeast-1'.",
    })
  })
})

describe('a message in two Regions', () => {
  const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
  const discoveryFilter = { partition: 'aws', accountIDs: [ACCOUNT] }

  // Its types are of an SDK whose members were never undefined.
  const theirs = (generatorKeyId: string): KeyringNode => {
    const clientProvider = getClient(KMS as never, { endpoint: listener.url, credentials: CREDENTIALS })
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the SDK makes the class from another one at run time, so that its type does not name its constructor
    return buildAwsKmsMrkAwareStrictMultiKeyringNode({ clientProvider, generatorKeyId })
  }
  const theirDiscovery = (region: string): KeyringNode => {
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the SDK makes the class from another one at run time, so that its type does not name its constructor
    return new AwsKmsMrkAwareSymmetricDiscoveryKeyringNode({ client: sdk(region) as never, discoveryFilter })
  }
  const provider = (region: string): KmsProvider =>
    awsKms({ region, endpoint: listener.url, credentials: CREDENTIALS, maxAttempts: 1 })
  const ours = (keyIds: readonly string[]) => kmsKeyring({ provider, keyIds, multiRegion: true })

  it('of a key that is in one Region only is read there and not in the other', async () => {
    const { result } = await client.encrypt(theirs(single), Buffer.from(PLAINTEXT))
    expect((await client.decrypt(theirDiscovery(HOME), result)).plaintext.toString()).toBe(
      Buffer.from(PLAINTEXT).toString(),
    )
    await expect(client.decrypt(theirDiscovery(WEST), result)).rejects.toThrow()
    await expect(client.decrypt(theirs(arnIn(WEST)), result)).rejects.toThrow()
    await expect(decrypt(ours([arnIn(WEST)]), new Uint8Array(result))).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_WAXSEAL_/) as string,
    })
  })
})
