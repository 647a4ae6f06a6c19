import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { NOW, newKey, refused, rowIdOf, writeRecords } from './engine-setup.ts'
import { DAY, openOneKey, type OneKey } from './one-key-setup.ts'

let kms: OneKey
let engine: Engine
let KeyId: string
let arn: string

beforeEach(async () => {
  kms = await openOneKey()
  ;({ engine, KeyId, arn } = kms)
})

describe('deletion', () => {
  it('ends a key with all that is its own, when the waiting period is over and not before', async () => {
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
    await engine.call('RotateKeyOnDemand', { KeyId })
    const blob = await kms.encrypt()
    const answer = await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    const DeletionDate = new Date(NOW + 7 * DAY)
    expect(answer).toEqual({ KeyId: arn, DeletionDate, KeyState: 'PendingDeletion', PendingWindowInDays: 7 })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingDeletion', Enabled: false, DeletionDate })
    await refused(kms.encrypt(), 'KMSInvalidStateException', `${arn} is pending deletion.`)
    kms.now += 7 * DAY - 1
    await kms.metadata()
    kms.now += 1
    await refused(kms.metadata(), 'NotFoundException', `Key '${arn}' does not exist`)
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'NotFoundException')
    await refused(engine.call('DescribeKey', { KeyId: 'alias/a' }), 'NotFoundException')
    expect((await engine.call('ListKeys', {})).Keys).toEqual([])
    const left = await kms.store.transaction('read', async (rows) => {
      const tables = ['key', 'material', 'alias', 'usage', 'due'] as const
      return Promise.all(tables.map(async (table) => rows.list(table, { prefix: '', limit: 9 })))
    })
    expect(left.flat()).toEqual([])
    const [ended, ...more] = await kms.events('DeleteKey')
    expect(more).toEqual([])
    expect(ended).toMatchObject({
      eventType: 'AwsServiceEvent',
      serviceEventDetails: { keyId: KeyId },
      resources: [{ ARN: arn }],
    })
  })

  it('is ended by the timer as well, which says when it is needed next', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId })
    expect(await engine.runDueWork()).toBe(NOW + 30 * DAY)
    kms.now += 31 * DAY
    expect(await engine.runDueWork()).toBeUndefined()
    expect(await kms.events('DeleteKey')).toHaveLength(1)
  })

  it('is ended for a key whose entry in the schedule was taken away', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId })
    await kms.store.transaction('write', async (rows) => {
      for (const { id } of await rows.list('due', { prefix: '', limit: 9 })) await rows.delete('due', id)
    })
    kms.now += 30 * DAY
    await refused(kms.metadata(), 'NotFoundException')
  })

  it('can be cancelled: the key is disabled then', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId })
    await refused(
      engine.call('ScheduleKeyDeletion', { KeyId }),
      'KMSInvalidStateException',
      `${arn} is pending deletion.`,
    )
    expect(await engine.call('CancelKeyDeletion', { KeyId })).toEqual({ KeyId: arn })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Disabled' })
    expect(await kms.metadata()).not.toHaveProperty('DeletionDate')
    kms.now += 40 * DAY
    expect(await engine.runDueWork()).toBeUndefined()
    await refused(
      engine.call('CancelKeyDeletion', { KeyId }),
      'KMSInvalidStateException',
      `${arn} is not pending deletion.`,
    )
    await engine.call('EnableKey', { KeyId })
    await kms.encrypt()
  })

  it.each([1, 6, 31, 365])('takes no %i days', async (PendingWindowInDays) => {
    await refused(engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays }), 'ValidationException')
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Enabled' })
  })

  it('waits when the clock jumped, until that is confirmed', async () => {
    let monotonic = 0
    kms = await openOneKey({ monotonicClock: () => monotonic })
    ;({ engine, KeyId } = kms)
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    kms.now += 8 * DAY
    monotonic += DAY
    expect(await engine.runDueWork()).toBe(kms.now + 60_000)
    await refused(kms.metadata(), 'KMSInvalidStateException', /clock/)
    await refused(kms.encrypt(), 'KMSInvalidStateException')
    engine.confirmTime()
    await refused(kms.metadata(), 'NotFoundException')
    expect(await kms.events('DeleteKey')).toHaveLength(1)
    kms.now += DAY
    expect(await engine.runDueWork()).toBeUndefined()
  })

  it('is not kept from a key by another one that cannot be read', async () => {
    const other = await newKey(engine)
    for (const key of [KeyId, other]) await engine.call('ScheduleKeyDeletion', { KeyId: key, PendingWindowInDays: 7 })
    await kms.store.transaction('write', async (rows) => {
      const row = await rows.get('key', rowIdOf(KeyId))
      await rows.put('key', { ...row!, body: row!.body.replace('Enabled', 'Disabled') })
    })
    kms.now += 7 * DAY
    expect(await engine.runDueWork()).toBe(kms.now + 60_000)
    await refused(engine.call('DescribeKey', { KeyId: other }), 'NotFoundException')
    await refused(kms.metadata(), 'KMSInternalException', /is not authentic/)
  })
})

it('counts a key that has ended no more', async () => {
  await writeRecords(kms.store, async (records) => {
    const id = rowIdOf('').slice(0, -1)
    const scope = await records.get('meta', id)
    await records.put('meta', id, { keys: 100_000 }, scope)
  })
  await refused(engine.call('CreateKey', {}), 'LimitExceededException')
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  kms.now += 7 * DAY
  await newKey(engine)
})
