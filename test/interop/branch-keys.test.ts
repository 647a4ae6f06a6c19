import {
  BranchKeyStoreNode,
  buildClient,
  CommitmentPolicy,
  KmsHierarchicalKeyRingNode,
  type KeyringNode,
} from '@aws-crypto/client-node'
import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { KMS } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../kms/engine/index.ts'
import { dynamoDbBranchKeyItems } from '../../kms/hierarchical/dynamodb.ts'
import { hierarchicalKeyring, kmsBranchKeys, type BranchKeyAdministration } from '../../kms/hierarchical/index.ts'
import { awsKms } from '../../kms/providers/aws.ts'
import { createKmsServer, rootCredential } from '../../kms/server/index.ts'
import { listen, type NodeListener } from '../../kms/server/listen.node.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { decrypt, encrypt } from '../../src/index.ts'
import { CREDENTIALS, DynaliteProxy } from '../kms/dynalite-proxy.ts'

const REGION = 'eu-central-1'
const NAME = 'logical'
const PLAINTEXT = new TextEncoder().encode('a message for several readers')
const CONTEXT = { tenant: 'a' }
const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

const proxy = new DynaliteProxy()
let engine: Engine
let listener: NodeListener
let kmsClient: KMS
let ddbClient: DynamoDBClient
let theirs: BranchKeyStoreNode
let ours: BranchKeyAdministration

/** Amazon's branch key store and waxseal's, on one table and under one key of waxseal's server. */
beforeAll(async () => {
  const endpoint = await proxy.start()
  engine = await createEngine({
    store: memoryStore(),
    rootKey: crypto.getRandomValues(new Uint8Array(32)),
    region: REGION,
  })
  listener = await listen({ server: createKmsServer({ engine, credentials: rootCredential(CREDENTIALS) }), port: 0 })
  kmsClient = new KMS({ region: REGION, endpoint: listener.url, credentials: CREDENTIALS })
  ddbClient = new DynamoDBClient({ region: REGION, endpoint, credentials: CREDENTIALS })
  const keyArn = (await engine.call('CreateKey', {})).KeyMetadata.Arn
  const items = dynamoDbBranchKeyItems({ table: 'keys', region: REGION, endpoint, credentials: CREDENTIALS })
  await items.createTable()
  const provider = awsKms({ region: REGION, endpoint: listener.url, credentials: CREDENTIALS })
  ours = kmsBranchKeys({ name: NAME, items, provider, keyArn })
  theirs = new BranchKeyStoreNode({
    logicalKeyStoreName: NAME,
    storage: { ddbTableName: 'keys', ddbClient },
    keyManagement: { kmsClient },
    kmsConfiguration: { identifier: keyArn },
  })
})

afterAll(async () => {
  kmsClient.destroy()
  ddbClient.destroy()
  proxy.stop()
  await listener.close()
  await engine.close()
})

const ourKeyring = (branchKeyId: string) => hierarchicalKeyring({ branchKeyStore: ours, branchKeyId, ttl: 60 })
const theirKeyring = (branchKeyId: string): KeyringNode =>
  new KmsHierarchicalKeyRingNode({ branchKeyId, keyStore: theirs, cacheLimitTtl: 60 })

const MAKERS = {
  waxseal: {
    create: (branchKeyId: string) => ours.createKey({ branchKeyId, encryptionContext: CONTEXT }),
    version: (branchKeyId: string): Promise<unknown> => ours.versionKey({ branchKeyId }),
  },
  Amazon: {
    create: async (branchKeyIdentifier: string) =>
      (await theirs.createKey({ branchKeyIdentifier, encryptionContext: CONTEXT })).branchKeyIdentifier,
    version: (branchKeyIdentifier: string): Promise<unknown> => theirs.versionKey({ branchKeyIdentifier }),
  },
}

describe.each(Object.entries(MAKERS))('a branch key that %s made', (maker, { create }) => {
  it('is the same to both, as the active one and by its version', async () => {
    const branchKeyId = await create(`${maker}-same`)
    const mine = await ours.getActiveBranchKey({ branchKeyId })
    const active = await theirs.getActiveBranchKey(branchKeyId)
    expect(new Uint8Array(active.branchKey())).toEqual(mine.branchKey)
    expect(active.branchKeyVersion.toString()).toBe(mine.version)
    expect(active.encryptionContext).toMatchObject(CONTEXT)
    expect(mine.encryptionContext).toEqual(CONTEXT)
    const older = await theirs.getBranchKeyVersion(branchKeyId, mine.version)
    expect(new Uint8Array(older.branchKey())).toEqual(mine.branchKey)
  })

  it.each(Object.entries(MAKERS))(
    'carries messages both ways, also after %s made a version',
    async (name, { version }) => {
      const branchKeyId = await create(`${maker}-${name}`)
      const messages: Uint8Array[] = []
      for (const round of [1, 2]) {
        const { result } = await client.encrypt(theirKeyring(branchKeyId), Buffer.from(PLAINTEXT), {
          encryptionContext: CONTEXT,
        })
        messages.push(new Uint8Array(result))
        messages.push(await encrypt(ourKeyring(branchKeyId), PLAINTEXT, { encryptionContext: CONTEXT }))
        if (round === 1) await version(branchKeyId)
      }
      for (const message of messages) {
        expect((await decrypt(ourKeyring(branchKeyId), message)).plaintext).toEqual(PLAINTEXT)
        const { plaintext } = await client.decrypt(theirKeyring(branchKeyId), Buffer.from(message))
        expect(new Uint8Array(plaintext)).toEqual(PLAINTEXT)
      }
    },
  )
})
