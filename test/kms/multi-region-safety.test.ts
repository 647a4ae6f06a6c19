import { describe, expect, it } from 'vitest'
import type { CallOptions, Principal } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { TABLES } from '../../kms/store/store.ts'
import { ACCOUNT, openEngine, refused, SeededRandom, STORES, writeRecords } from './engine-setup.ts'
import {
  arnIn,
  DAY,
  describeIn,
  EAST,
  encryptIn,
  expectReadable,
  HOME,
  newRelatedKeys,
  openRegions,
  REGIONS,
  type Regions,
  WEST,
} from './multi-region-setup.ts'

const INTERNAL = { accountId: ACCOUNT, invokedBy: 'AWS Internal' }

/** The whole record of a synchronization. */
function synchronization(KeyId: string): object {
  return {
    eventVersion: '1.08',
    userIdentity: INTERNAL,
    eventTime: '2026-01-02T03:04:05Z',
    eventSource: 'kms.amazonaws.com',
    eventName: 'SynchronizeMultiRegionKey',
    awsRegion: HOME,
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: { keyId: arnIn(HOME, KeyId) },
    requestID: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    eventID: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    readOnly: false,
    resources: [{ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: arnIn(HOME, KeyId) }],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: ACCOUNT,
    eventCategory: 'Management',
  }
}

describe('the log of related keys', () => {
  it('has what was done in each Region, in the shape of CloudTrail', async () => {
    const kms = await openRegions()
    const { KeyId } = (await kms.in(HOME)('CreateKey', { MultiRegion: true })).KeyMetadata
    const input = { KeyId, ReplicaRegion: WEST }
    await kms.in(HOME)('ReplicateKey', input, { sourceIp: '192.0.2.1', requestId: 'one' })
    const records = (await kms.engine.audit.list()).slice(1).map(({ record }) => record)
    expect(records.map(({ eventName, awsRegion }) => [eventName, awsRegion])).toEqual([
      ['ReplicateKey', HOME],
      ['CreateKey', WEST],
      ['SynchronizeMultiRegionKey', HOME],
    ])
    const [replicate, create, synchronize] = records
    expect(replicate).toMatchObject({
      requestParameters: { keyId: KeyId, replicaRegion: WEST },
      responseElements: {
        replicaKeyMetadata: { keyState: 'Creating', multiRegionConfiguration: { multiRegionKeyType: 'REPLICA' } },
        replicaTags: [],
      },
      resources: [{ ARN: arnIn(HOME, KeyId) }],
    })
    expect(create).toMatchObject({
      userIdentity: INTERNAL,
      resources: [{ ARN: arnIn(WEST, KeyId) }],
      eventType: 'AwsServiceEvent',
      serviceEventDetails: { keyId: KeyId },
    })
    expect(synchronize).toEqual(synchronization(KeyId))
  })

  it('has a new primary in both Regions, by the same caller and request', async () => {
    const kms = await openRegions()
    const KeyId = await newRelatedKeys(kms)
    await kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: WEST }, { requestId: 'two' })
    const [here, there] = await kms.events('UpdatePrimaryRegion')
    expect(here).toMatchObject({
      awsRegion: HOME,
      requestParameters: { keyId: KeyId, primaryRegion: WEST },
      responseElements: null,
      requestID: 'two',
    })
    expect(here?.userIdentity).not.toHaveProperty('invokedBy')
    expect(there).toMatchObject({
      awsRegion: WEST,
      userIdentity: { ...here?.userIdentity, invokedBy: 'kms.amazonaws.com' },
      requestParameters: { keyId: arnIn(WEST, KeyId), primaryRegion: WEST },
      responseElements: null,
      requestID: 'two',
      eventType: 'AwsApiCall',
    })
    expect(there?.eventID).not.toBe(here?.eventID)
    expect((await kms.engine.audit.verify()).records).toBe((await kms.engine.audit.list()).length)
  })

  it('has a refused call once, and nothing of what it would have done', async () => {
    const kms = await openRegions()
    const KeyId = await newRelatedKeys(kms)
    await refused(kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: WEST }), 'AlreadyExistsException')
    const names = (await kms.engine.audit.list()).map(({ record }) => record.eventName)
    expect(names.slice(-2)).toEqual(['SynchronizeMultiRegionKey', 'ReplicateKey'])
  })
})

describe('what a user may do with related keys', () => {
  async function newUser(kms: Regions, ...statements: readonly object[]): Promise<CallOptions> {
    await kms.engine.iam('CreateUser', { UserName: 'alice' })
    const { AccessKey } = await kms.engine.iam('CreateAccessKey', { UserName: 'alice' })
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: statements })
    await kms.engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    const found = await kms.engine.credentials.find(AccessKey.AccessKeyId)
    return { caller: found?.principal as Principal }
  }
  const allow = (Action: string | readonly string[], Resource: string, Condition?: object): object => ({
    Effect: 'Allow',
    Action,
    Resource,
    ...(Condition && { Condition }),
  })

  it('ReplicateKey asks for it on the primary, and for CreateKey in the other Region', async () => {
    const kms = await openRegions()
    const KeyId = await newRelatedKeys(kms, [])
    const create = { StringEquals: { 'aws:RequestedRegion': WEST, 'kms:MultiRegionKeyType': 'REPLICA' } }
    const to = { StringEquals: { 'kms:ReplicaRegion': [WEST, EAST], 'kms:MultiRegionKeyType': 'PRIMARY' } }
    const replicate = (ReplicaRegion: string, options: CallOptions) =>
      kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion, BypassPolicyLockoutSafetyCheck: true }, options)
    const alice = await newUser(kms, allow('kms:ReplicateKey', arnIn(HOME, KeyId), to))
    await refused(replicate(WEST, alice), 'AccessDeniedException', /perform: kms:CreateKey on resource: \*/)
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [allow('kms:ReplicateKey', arnIn(HOME, KeyId), to), allow('kms:CreateKey', '*', create)],
    })
    await kms.engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    await refused(replicate(EAST, alice), 'AccessDeniedException', /perform: kms:CreateKey on resource: \*/)
    await replicate(WEST, alice)
    expect((await describeIn(kms, HOME, KeyId)).MultiRegionConfiguration?.ReplicaKeys).toHaveLength(1)
  })

  it('UpdatePrimaryRegion asks for it on both keys', async () => {
    const kms = await openRegions()
    const KeyId = await newRelatedKeys(kms)
    const alice = await newUser(kms, allow('kms:UpdatePrimaryRegion', arnIn(HOME, KeyId)))
    const update = () => kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: WEST }, alice)
    await refused(update(), 'AccessDeniedException', new RegExp(arnIn(WEST, KeyId)))
    expect((await describeIn(kms, WEST, KeyId)).MultiRegionConfiguration?.MultiRegionKeyType).toBe('REPLICA')
    const PolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: [allow('kms:UpdatePrimaryRegion', '*', { StringEquals: { 'kms:PrimaryRegion': WEST } })],
    })
    await kms.engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    await update()
  })

  it('on one key says nothing of the other', async () => {
    const kms = await openRegions()
    const KeyId = await newRelatedKeys(kms)
    const CiphertextBlob = await encryptIn(kms, HOME, KeyId)
    const alice = await newUser(kms, allow('kms:Decrypt', arnIn(WEST, KeyId)))
    await kms.in(WEST)('Decrypt', { CiphertextBlob }, alice)
    await refused(kms.in(HOME)('Decrypt', { CiphertextBlob }, alice), 'AccessDeniedException')
  })
})

/** Every row, by table and id. */
async function rowsOf(store: Store): Promise<Map<string, string>> {
  return store.transaction('read', async (transaction) => {
    const rows = new Map<string, string>()
    for (const table of TABLES) {
      if (table === 'audit' || table === 'index') continue
      for (const { id, body } of await transaction.list(table, { prefix: '', limit: 1000 })) {
        if (id !== 'audit/main') rows.set(`${table}/${id}`, body)
      }
    }
    return rows
  })
}

describe('the rows of related keys', () => {
  it('are as they were after a replication or rotation that fails half way', async () => {
    const random = new SeededRandom()
    let draws = Number.POSITIVE_INFINITY
    const unsafeRandom = (length: number): Uint8Array => {
      if (draws-- <= 0) throw new Error('no more random bytes')
      return random.take(length)
    }
    const kms = await openRegions(memoryStore(), { unsafeRandom })
    const KeyId = await newRelatedKeys(kms)
    await kms.in(HOME)('RotateKeyOnDemand', { KeyId })
    const before = await rowsOf(kms.store)
    // The salts of two materials; then id, material, and a salt for each Region.
    for (const [action, enough] of [
      ['ReplicateKey', 2],
      ['RotateKeyOnDemand', 4],
    ] as const) {
      const call = () =>
        action === 'ReplicateKey'
          ? kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: EAST })
          : kms.in(HOME)('RotateKeyOnDemand', { KeyId })
      for (let count = 0; count < enough; count++) {
        draws = count
        await expect(call()).rejects.toThrow('no more random bytes')
        expect(await rowsOf(kms.store)).toEqual(before)
      }
    }
    draws = 2
    await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: EAST })
  })

  it('hold material sealed for their Region and no other', async () => {
    const kms = await openRegions()
    const KeyId = await newRelatedKeys(kms)
    const { CurrentKeyMaterialId: materialId = '' } = await describeIn(kms, HOME, KeyId)
    const [home, west] = [HOME, WEST].map((region) => `${ACCOUNT}/${region}/${KeyId}/${materialId}`)
    await writeRecords(kms.store, async (records) => {
      const [ours, theirs] = [await records.get('material', home!), await records.get('material', west!)]
      expect(ours?.record.sealed).not.toBe(theirs?.record.sealed)
      await records.put('material', west!, ours!.record, theirs)
    })
    await refused(encryptIn(kms, WEST, KeyId), 'KMSInternalException', /the material row .* is not authentic/)
    await encryptIn(kms, HOME, KeyId)
  })

  it('are refused when a replica is missing, and nothing is done by half', async () => {
    const kms = await openRegions()
    const KeyId = await newRelatedKeys(kms, [WEST, EAST])
    await kms.store.transaction('write', (rows) => rows.delete('key', `${ACCOUNT}/${EAST}/${KeyId}`))
    const message = new RegExp(`the key row ${ACCOUNT}/${EAST}/${KeyId} is not authentic`)
    await refused(kms.in(HOME)('RotateKeyOnDemand', { KeyId }), 'KMSInternalException', message)
    const [home, west] = [await describeIn(kms, HOME, KeyId), await describeIn(kms, WEST, KeyId)]
    expect(west.CurrentKeyMaterialId).toBe(home.CurrentKeyMaterialId)
    await expectReadable(kms, await encryptIn(kms, WEST, KeyId), KeyId, [HOME, WEST])
  })
})

describe.each(STORES)('two engines on $store', ({ newStore }) => {
  it('replicate a key to a Region once, and have one primary', async () => {
    const open = newStore()
    const [one, two] = [await openRegions(await open()), await openRegions(await open())]
    const KeyId = await newRelatedKeys(one, [])
    const replicated = await Promise.allSettled(
      [one, two].map((kms) => kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: WEST })),
    )
    expect(replicated.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    await two.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: EAST })
    const updated = await Promise.allSettled([
      one.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: WEST }),
      two.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: EAST }),
    ])
    expect(updated.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const types = await Promise.all(
      REGIONS.map(async (region) => {
        return (await describeIn(two, region, KeyId)).MultiRegionConfiguration?.MultiRegionKeyType
      }),
    )
    expect(types.sort()).toEqual(['PRIMARY', 'REPLICA', 'REPLICA'])
    await Promise.all([one, two].map((kms) => kms.engine.close()))
  })

  it('find related keys again after they were closed, also those of Regions that are served no more', async () => {
    const open = newStore()
    const kms = await openRegions(await open())
    const KeyId = await newRelatedKeys(kms, [WEST, EAST])
    const blob = await encryptIn(kms, WEST, KeyId)
    await kms.in(HOME)('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
    await kms.engine.close()
    const later = kms.now() + 90 * DAY
    const smaller = await openEngine(await open(), { regions: [HOME], clock: () => later })
    await smaller.runDueWork()
    await smaller.close()
    const again = await openRegions(await open())
    for (const one of [blob, await encryptIn(again, EAST, KeyId)]) await expectReadable(again, one, KeyId, REGIONS)
    expect((await again.in(WEST)('ListKeyRotations', { KeyId })).Rotations).toMatchObject([
      { RotationType: 'AUTOMATIC' },
    ])
    await again.engine.close()
  })
})
