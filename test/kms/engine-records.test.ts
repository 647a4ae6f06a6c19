import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import type { Store, StoreTransaction } from '../../kms/store/memory.ts'
import { NOW, newKey, openEngine, refused, STORES } from './engine-setup.ts'

// Rule: no effect without its record. The store refuses one record, and all the rest of the transaction goes well.

const DAY = 86_400_000
const FAULT = 'the disk is full'

describe.each(STORES)('when a record cannot be written, in $store', ({ newStore }) => {
  let now: number
  let engine: Engine
  let KeyId: string
  /** Records that are still written before the one that is not. */
  let enough: number

  const failing = (inner: StoreTransaction): StoreTransaction => ({
    get: (table, id) => inner.get(table, id),
    list: (table, range) => inner.list(table, range),
    delete: (table, id) => inner.delete(table, id),
    savepoint: (work) => inner.savepoint(work),
    put: async (table, row) => {
      if (table === 'audit' && enough-- === 0) throw new Error(FAULT)
      return inner.put(table, row)
    },
  })

  beforeEach(async () => {
    now = NOW
    enough = Infinity
    const inner = await newStore()()
    const store: Store = {
      transaction: (mode, work) => inner.transaction(mode, (rows) => work(failing(rows))),
      purge: () => inner.purge(),
      close: () => inner.close(),
    }
    engine = await openEngine(store, { clock: () => now, regions: ['eu-central-1', 'us-west-2'] })
    KeyId = await newKey(engine, { MultiRegion: true })
  })

  async function unchanged(records: number): Promise<void> {
    enough = Infinity
    expect((await engine.audit.verify()).records).toBe(records)
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata).toMatchObject({ KeyState: 'Enabled' })
    expect((await engine.audit.verify()).records).toBe(records + 1)
  }

  it('a call that changes a key does not', async () => {
    const { records } = await engine.audit.verify()
    enough = 0
    await expect(engine.call('DisableKey', { KeyId })).rejects.toThrow(FAULT)
    await unchanged(records)
  })

  it('nor does one whose consequences could not be recorded', async () => {
    const { records } = await engine.audit.verify()
    // The call and the new replica have their records, the synchronization does not.
    enough = 2
    await expect(engine.call('ReplicateKey', { KeyId, ReplicaRegion: 'us-west-2' })).rejects.toThrow(FAULT)
    await unchanged(records)
    const there = engine.call('DescribeKey', { KeyId }, { region: 'us-west-2' })
    await refused(there, 'NotFoundException')
  })

  it('nor do the calls that share its transaction, and nobody is told that they did', async () => {
    const { records } = await engine.audit.verify()
    enough = 2
    const calls = [
      engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId }),
      engine.call('DisableKey', { KeyId }),
      engine.call('DisableKey', { KeyId }),
      engine.call('GenerateRandom', { NumberOfBytes: 8 }),
    ]
    for (const outcome of await Promise.allSettled(calls)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: FAULT } })
    }
    await unchanged(records)
    expect((await engine.call('ListAliases', {})).Aliases).toEqual([])
  })

  it('nor does what is done to users', async () => {
    const { records } = await engine.audit.verify()
    enough = 0
    await expect(engine.iam('CreateUser', { UserName: 'alice' })).rejects.toThrow(FAULT)
    expect((await engine.audit.verify()).records).toBe(records)
    enough = Infinity
    expect(await engine.iam('ListUsers', {})).toEqual({ Users: [] })
  })

  it('nor is a key deleted when it is due, until it can be told', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    const { records } = await engine.audit.verify()
    now += 7 * DAY
    engine.confirmTime()
    enough = 0
    await expect(engine.runDueWork()).rejects.toThrow(FAULT)
    expect((await engine.audit.verify()).records).toBe(records)
    enough = Infinity
    await engine.runDueWork()
    expect((await engine.audit.list()).at(-1)?.record).toMatchObject({ eventName: 'DeleteKey' })
  })
})
