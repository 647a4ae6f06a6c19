import { beforeEach, describe, expect, it } from 'vitest'
import type { CallOptions } from '../../kms/engine/index.ts'
import { engineProvider } from '../../kms/providers/local.ts'
import { ACCOUNT, NOW, refused } from './engine-setup.ts'
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

let kms: Regions

beforeEach(async () => {
  kms = await openRegions()
})

async function materialsIn(region: string, KeyId: string): Promise<readonly unknown[]> {
  const list = await kms.in(region)('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })
  return list.Rotations
}

describe('rotation of related keys', () => {
  it('on demand reaches the replicas with the primary', async () => {
    const KeyId = await newRelatedKeys(kms)
    const before = await encryptIn(kms, WEST, KeyId)
    await kms.in(HOME)('RotateKeyOnDemand', { KeyId })
    const [home, west] = [await describeIn(kms, HOME, KeyId), await describeIn(kms, WEST, KeyId)]
    expect(west.CurrentKeyMaterialId).toBe(home.CurrentKeyMaterialId)
    expect(await materialsIn(WEST, KeyId)).toEqual(await materialsIn(HOME, KeyId))
    expect(await materialsIn(WEST, KeyId)).toHaveLength(2)
    const after = await encryptIn(kms, WEST, KeyId)
    for (const blob of [before, after]) await expectReadable(kms, blob, KeyId, [HOME, WEST])
  })

  it('by date reaches replicas in every state, and replicas that come later have all material', async () => {
    const KeyId = await newRelatedKeys(kms, [WEST])
    const oldest = await encryptIn(kms, HOME, KeyId)
    await kms.in(HOME)('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
    await kms.in(WEST)('DisableKey', { KeyId })
    const status = { KeyRotationEnabled: true, RotationPeriodInDays: 90 }
    const next = (days: number) => new Date(NOW + days * DAY)
    expect(await kms.in(WEST)('GetKeyRotationStatus', { KeyId })).toEqual({
      KeyId: arnIn(WEST, KeyId),
      ...status,
      NextRotationDate: next(90),
    })
    expect(await kms.engine.runDueWork()).toBe(NOW + 90 * DAY)
    kms.wait(90 * DAY)
    expect(await kms.engine.runDueWork()).toBe(NOW + 180 * DAY)
    expect(await kms.events('RotateKey')).toMatchObject([{ awsRegion: HOME, serviceEventDetails: { keyId: KeyId } }])
    expect(await materialsIn(WEST, KeyId)).toEqual(await materialsIn(HOME, KeyId))
    expect(await kms.in(WEST)('GetKeyRotationStatus', { KeyId })).toMatchObject({ NextRotationDate: next(180) })
    await kms.in(WEST)('EnableKey', { KeyId })
    await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: EAST })
    for (const blob of [oldest, await encryptIn(kms, EAST, KeyId)]) await expectReadable(kms, blob, KeyId, REGIONS)
    await kms.in(HOME)('DisableKeyRotation', { KeyId })
    for (const region of REGIONS) {
      expect((await kms.in(region)('GetKeyRotationStatus', { KeyId })).KeyRotationEnabled).toBe(false)
    }
  })

  it('is no business of a replica', async () => {
    const KeyId = await newRelatedKeys(kms)
    const message = `${arnIn(WEST, KeyId)} is not a multi-region primary key.`
    for (const action of ['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand'] as const) {
      await refused(kms.in(WEST)(action, { KeyId }), 'UnsupportedOperationException', message)
    }
    expect(await materialsIn(HOME, KeyId)).toHaveLength(1)
  })

  it('waits, with a disabled primary, for its being enabled', async () => {
    const KeyId = await newRelatedKeys(kms)
    await kms.in(HOME)('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
    await kms.in(HOME)('DisableKey', { KeyId })
    kms.wait(100 * DAY)
    expect(await materialsIn(WEST, KeyId)).toHaveLength(1)
    await kms.in(HOME)('EnableKey', { KeyId })
    expect(await materialsIn(WEST, KeyId)).toHaveLength(2)
  })
})

describe('UpdatePrimaryRegion', () => {
  const roles = async (region: string, KeyId: string): Promise<unknown> => {
    const { MultiRegionConfiguration: configuration } = await describeIn(kms, region, KeyId)
    const replicas = configuration?.ReplicaKeys.map(({ Region, Arn }) => [Region, Arn === arnIn(Region, KeyId)])
    return [configuration?.MultiRegionKeyType, configuration?.PrimaryKey.Region, replicas]
  }

  it('swaps a replica and the primary, for all to see', async () => {
    const KeyId = await newRelatedKeys(kms, [WEST, EAST])
    const blob = await encryptIn(kms, HOME, KeyId)
    await kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: EAST })
    const replicas = [
      [WEST, true],
      [HOME, true],
    ]
    expect(await roles(EAST, KeyId)).toEqual(['PRIMARY', EAST, replicas])
    for (const region of [HOME, WEST]) expect(await roles(region, KeyId)).toEqual(['REPLICA', EAST, replicas])
    for (const region of REGIONS) expect(await describeIn(kms, region, KeyId)).toMatchObject({ KeyState: 'Enabled' })
    await expectReadable(kms, blob, KeyId, REGIONS)
    const message = `${arnIn(HOME, KeyId)} is not a multi-region primary key.`
    const back = kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: HOME })
    await refused(back, 'UnsupportedOperationException', message)
    await kms.in(EAST)('RotateKeyOnDemand', { KeyId })
    await expectReadable(kms, await encryptIn(kms, HOME, KeyId), KeyId, REGIONS)
    await kms.in(EAST)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: HOME })
    const again = [
      [WEST, true],
      [EAST, true],
    ]
    expect(await roles(HOME, KeyId)).toEqual(['PRIMARY', HOME, again])
  })

  it('takes the dates and the count of rotations with it', async () => {
    const KeyId = await newRelatedKeys(kms)
    await kms.in(HOME)('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
    for (let count = 0; count < 25; count++) await kms.in(HOME)('RotateKeyOnDemand', { KeyId })
    await kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: WEST })
    await refused(kms.in(WEST)('RotateKeyOnDemand', { KeyId }), 'LimitExceededException', /^The on-demand rotations/)
    kms.wait(90 * DAY)
    expect(await kms.engine.runDueWork()).toBe(NOW + 180 * DAY)
    expect(await kms.events('RotateKey')).toMatchObject([{ awsRegion: WEST }])
    expect(await materialsIn(HOME, KeyId)).toHaveLength(27)
  })

  it('is refused with what stands in the way', async () => {
    const KeyId = await newRelatedKeys(kms)
    const update = (PrimaryRegion: string) => kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion })
    await refused(update(HOME), 'UnsupportedOperationException', `${HOME} contains the primary already.`)
    const message = 'This KMS does not serve the Region eu-west-1.'
    await refused(update('eu-west-1'), 'UnsupportedOperationException', message)
    await refused(update(EAST), 'NotFoundException', `Key '${arnIn(EAST, KeyId)}' does not exist`)
    for (const region of [HOME, WEST]) {
      await kms.in(region)('DisableKey', { KeyId })
      await refused(update(WEST), 'DisabledException', `${arnIn(region, KeyId)} is disabled.`)
      await kms.in(region)('EnableKey', { KeyId })
      await kms.in(region)('ScheduleKeyDeletion', { KeyId })
      await refused(update(WEST), 'KMSInvalidStateException', `${arnIn(region, KeyId)} is pending deletion.`)
      await kms.in(region)('CancelKeyDeletion', { KeyId })
      await kms.in(region)('EnableKey', { KeyId })
    }
    const { KeyId: single } = (await kms.in(HOME)('CreateKey', {})).KeyMetadata
    const call = kms.in(HOME)('UpdatePrimaryRegion', { KeyId: single, PrimaryRegion: WEST })
    await refused(call, 'UnsupportedOperationException', `${arnIn(HOME, single)} is not a multi-region primary key.`)
    expect(await roles(HOME, KeyId)).toEqual(['PRIMARY', HOME, [[WEST, true]]])
  })
})

describe('the end of related keys', () => {
  const schedule = (region: string, KeyId: string, PendingWindowInDays = 7) =>
    kms.in(region)('ScheduleKeyDeletion', { KeyId, PendingWindowInDays })

  it('of a replica is its own, and its Region can have another', async () => {
    const KeyId = await newRelatedKeys(kms, [WEST, EAST])
    const blob = await encryptIn(kms, WEST, KeyId)
    expect(await schedule(WEST, KeyId)).toEqual({
      KeyId: arnIn(WEST, KeyId),
      DeletionDate: new Date(NOW + 7 * DAY),
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 7,
    })
    kms.wait(7 * DAY)
    await refused(describeIn(kms, WEST, KeyId), 'NotFoundException')
    for (const region of [HOME, EAST]) {
      const { MultiRegionConfiguration } = await describeIn(kms, region, KeyId)
      expect(MultiRegionConfiguration?.ReplicaKeys).toEqual([{ Arn: arnIn(EAST, KeyId), Region: EAST }])
    }
    await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: WEST })
    await expectReadable(kms, blob, KeyId, REGIONS)
  })

  it('of a primary waits for its replicas, and its days begin when the last one has ended', async () => {
    const KeyId = await newRelatedKeys(kms, [WEST, EAST])
    const blob = await encryptIn(kms, HOME, KeyId)
    const waiting = { KeyState: 'PendingReplicaDeletion', PendingDeletionWindowInDays: 10 }
    expect(await schedule(HOME, KeyId, 10)).toEqual({
      KeyId: arnIn(HOME, KeyId),
      KeyState: 'PendingReplicaDeletion',
      PendingWindowInDays: 10,
    })
    kms.wait(1000 * DAY)
    const home = await describeIn(kms, HOME, KeyId)
    expect(home).toMatchObject({ ...waiting, Enabled: false })
    expect(home).not.toHaveProperty('DeletionDate')
    const message = `${arnIn(HOME, KeyId)} is pending deletion.`
    await refused(kms.in(HOME)('Decrypt', { CiphertextBlob: blob }), 'KMSInvalidStateException', message)
    await refused(schedule(HOME, KeyId), 'KMSInvalidStateException', message)
    await expectReadable(kms, blob, KeyId, [WEST, EAST])

    await schedule(WEST, KeyId)
    kms.wait(7 * DAY)
    expect(await describeIn(kms, HOME, KeyId)).toMatchObject(waiting)
    await schedule(EAST, KeyId, 8)
    kms.wait(8 * DAY)
    const counting = await describeIn(kms, HOME, KeyId)
    expect(counting).toMatchObject({ KeyState: 'PendingDeletion', DeletionDate: new Date(kms.now() + 10 * DAY) })
    expect(counting).not.toHaveProperty('PendingDeletionWindowInDays')
    kms.wait(10 * DAY - 1)
    await describeIn(kms, HOME, KeyId)
    kms.wait(1)
    await refused(describeIn(kms, HOME, KeyId), 'NotFoundException')
    const ends = await kms.events('DeleteKey')
    expect(ends.map(({ awsRegion }) => awsRegion)).toEqual([WEST, EAST, HOME])
    for (const table of ['material', 'key', 'policy', 'due'] as const) {
      const rows = await kms.store.transaction('read', (rows) => rows.list(table, { prefix: '', limit: 9 }))
      expect(rows).toEqual([])
    }
  })

  it('of a primary can be taken back while it waits', async () => {
    const KeyId = await newRelatedKeys(kms)
    await schedule(HOME, KeyId)
    expect(await kms.in(HOME)('CancelKeyDeletion', { KeyId })).toEqual({ KeyId: arnIn(HOME, KeyId) })
    expect(await describeIn(kms, HOME, KeyId)).toMatchObject({ KeyState: 'Disabled' })
    await schedule(WEST, KeyId)
    kms.wait(7 * DAY)
    expect(await describeIn(kms, HOME, KeyId)).toMatchObject({ KeyState: 'Disabled' })
  })

  it('of the last replica, taken back in time, leaves the primary waiting', async () => {
    const KeyId = await newRelatedKeys(kms)
    await schedule(HOME, KeyId)
    await schedule(WEST, KeyId)
    await kms.in(WEST)('CancelKeyDeletion', { KeyId })
    kms.wait(100 * DAY)
    expect(await describeIn(kms, HOME, KeyId)).toMatchObject({ KeyState: 'PendingReplicaDeletion' })
    await kms.in(WEST)('EnableKey', { KeyId })
    await encryptIn(kms, WEST, KeyId)
  })

  it('of a primary without replicas has its date at once', async () => {
    const KeyId = await newRelatedKeys(kms, [])
    expect(await schedule(HOME, KeyId)).toMatchObject({ KeyState: 'PendingDeletion' })
    await kms.in(HOME)('CancelKeyDeletion', { KeyId })
  })

  it('counts each key in its Region', async () => {
    const KeyId = await newRelatedKeys(kms)
    await schedule(WEST, KeyId)
    kms.wait(7 * DAY)
    await kms.engine.runDueWork()
    const count = async (region: string): Promise<unknown> => {
      const row = await kms.store.transaction('read', (rows) => rows.get('meta', `${ACCOUNT}/${region}`))
      return JSON.parse(row?.body ?? 'null')
    }
    expect([await count(HOME), await count(WEST)]).toEqual([{ keys: 1 }, { keys: 0 }])
  })
})

it('a provider of a Region asks the engine in that Region, whatever it is asked', async () => {
  const asked: (readonly [action: string, region: string | undefined])[] = []
  const call = (action: string, _: unknown, options?: CallOptions): Promise<never> => {
    asked.push([action, options?.region])
    return Promise.reject(new Error('asked'))
  }
  const provider = engineProvider({ ...kms.engine, call }, WEST)
  const methods = Object.entries(provider).filter(([, method]) => typeof method === 'function')
  for (const [, method] of methods) {
    const ask = method as unknown as (request: object) => Promise<unknown>
    await expect(ask({ keyId: 'alias/a', encryptionContext: {}, numberOfBytes: 32 })).rejects.toThrow('asked')
  }
  expect(methods.length).toBeGreaterThan(6)
  expect(asked.map(([, region]) => region)).toEqual(methods.map(() => WEST))
})
