import {
  buildAwsKmsMrkAwareDiscoveryMultiKeyringNode,
  buildAwsKmsMrkAwareStrictMultiKeyringNode,
  buildClient,
  CommitmentPolicy,
  getClient,
} from '@aws-crypto/client-node'
import { KMS } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../kms/engine/index.ts'
import { kmsKeyring, type KmsProvider } from '../../kms/index.ts'
import { awsKms } from '../../kms/providers/aws.ts'
import { createKmsServer, rootCredential } from '../../kms/server/index.ts'
import { listen, type NodeListener } from '../../kms/server/listen.node.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { decrypt, encrypt, inspect } from '../../src/index.ts'

const HERE = 'eu-central-1'
const THERE = 'us-west-2'
const REGIONS = [HERE, THERE] as const
const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const PLAINTEXT = new TextEncoder().encode('a message for two Regions')
const CONTEXT = { tenant: 'a' }
const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)

let engine: Engine
let listener: NodeListener
const sdks: KMS[] = []
const arns = new Map<string, string>()

/** One server for two Regions, told apart by the scope of the signature, and one key with a replica. */
beforeAll(async () => {
  const rootKey = crypto.getRandomValues(new Uint8Array(32))
  engine = await createEngine({ store: memoryStore(), rootKey, regions: REGIONS })
  listener = await listen({ server: createKmsServer({ engine, credentials: rootCredential(CREDENTIALS) }), port: 0 })
  for (const region of REGIONS) sdks.push(new KMS({ region, endpoint: listener.url, credentials: CREDENTIALS }))
  const [here, there] = sdks
  const { KeyMetadata } = await here!.createKey({ MultiRegion: true })
  const { KeyId, Arn = '' } = KeyMetadata ?? {}
  await here!.replicateKey({ KeyId, ReplicaRegion: THERE })
  arns.set(HERE, Arn)
  arns.set(THERE, (await there!.describeKey({ KeyId })).KeyMetadata?.Arn ?? '')
})

afterAll(async () => {
  for (const sdk of sdks) sdk.destroy()
  await listener.close()
  await engine.close()
})

const arnIn = (region: string): string => arns.get(region) ?? ''
const providerIn = (region: string): KmsProvider => awsKms({ region, endpoint: listener.url, credentials: CREDENTIALS })
// Its types are of an SDK whose members were never undefined.
const clientProvider = () => getClient(KMS as never, { endpoint: listener.url, credentials: CREDENTIALS })

const PAIRS = [
  [HERE, THERE],
  [THERE, HERE],
] as const

describe.each(PAIRS)('a message from %s, read in %s', (from, to) => {
  it('written by @aws-crypto/client-node, read by waxseal', async () => {
    const generatorKeyId = arnIn(from)
    const keyring = buildAwsKmsMrkAwareStrictMultiKeyringNode({ clientProvider: clientProvider(), generatorKeyId })
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the SDK makes the class from another one at run time, so that its type does not name its constructor
    const { result } = await client.encrypt(keyring, Buffer.from(PLAINTEXT), { encryptionContext: CONTEXT })
    const message = new Uint8Array(result)
    const [encryptedDataKey] = inspect(message).encryptedDataKeys
    expect(new TextDecoder().decode(encryptedDataKey?.providerInfo)).toBe(generatorKeyId)
    const provider = providerIn(to)
    const strict = kmsKeyring({ provider, keyIds: [arnIn(to)], multiRegion: true })
    expect((await decrypt(strict, message, { encryptionContext: CONTEXT })).plaintext).toEqual(PLAINTEXT)
    const discovery = kmsKeyring({ provider, discovery: { accounts: ['000000000000'] }, multiRegion: true })
    expect((await decrypt(discovery, message)).plaintext).toEqual(PLAINTEXT)
    const unaware = kmsKeyring({ provider, keyIds: [arnIn(to)] })
    await expect(decrypt(unaware, message)).rejects.toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE' })
  })

  it('written by waxseal, read by @aws-crypto/client-node', async () => {
    const keyring = kmsKeyring({ provider: providerIn(from), generatorKeyId: arnIn(from), multiRegion: true })
    const message = await encrypt(keyring, PLAINTEXT, { encryptionContext: CONTEXT })
    const strict = buildAwsKmsMrkAwareStrictMultiKeyringNode({
      clientProvider: clientProvider(),
      generatorKeyId: arnIn(to),
    })
    const discovery = buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({
      clientProvider: clientProvider(),
      regions: [to],
      discoveryFilter: { accountIDs: ['000000000000'], partition: 'aws' },
    })
    for (const reader of [strict, discovery]) {
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the SDK makes the class from another one at run time, so that its type does not name its constructor
      const { plaintext, messageHeader } = await client.decrypt(reader, Buffer.from(message))
      expect(new Uint8Array(plaintext)).toEqual(PLAINTEXT)
      expect(messageHeader.encryptionContext).toMatchObject(CONTEXT)
    }
  })
})
