import { beforeEach, describe, expect, it } from 'vitest'
import { rotateRootKey, type Engine } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { newKey, NOW, openEngine, refused, ROOT_KEY } from './engine-setup.ts'
import { importMaterial } from './import-setup.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const YEARS = 3650 * DAY

let now: number
let store: Store

beforeEach(() => {
  now = NOW
  store = memoryStore()
})

/** A process whose clock shows what the test says, beside one that nobody sets. */
async function start(rootKey = ROOT_KEY): Promise<Engine> {
  const began = now
  return openEngine(store, { rootKey, clock: () => now, monotonicClock: () => now - began })
}

/** A key that is to be deleted in a week. */
async function doomedKey(): Promise<string> {
  const engine = await start()
  const KeyId = await newKey(engine)
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  return KeyId
}

async function expectHeld(engine: Engine, KeyId: string): Promise<void> {
  expect(await engine.runDueWork()).toBe(now + 60_000)
  expect(engine.isTimeInDoubt()).toBe(true)
  await refused(engine.call('DescribeKey', { KeyId }), 'KMSInvalidStateException', /clock/)
}

describe('a process that starts with a clock far ahead', () => {
  it('deletes no key, and neither does the next one', async () => {
    const KeyId = await doomedKey()
    now += YEARS
    const engine = await start()
    await expectHeld(engine, KeyId)
    await newKey(engine)
    now += 60_000
    await expectHeld(await start(), KeyId)
    now = NOW + HOUR
    const { KeyState } = (await (await start()).call('DescribeKey', { KeyId })).KeyMetadata
    expect(KeyState).toBe('PendingDeletion')
  })

  it('deletes no imported material', async () => {
    const first = await start()
    const KeyId = await newKey(first, { Origin: 'EXTERNAL' })
    await importMaterial(first, KeyId, new Uint8Array(32).fill(1), { ValidTo: new Date(NOW + 300 * DAY) })
    now += YEARS
    const engine = await start()
    await expectHeld(engine, KeyId)
    now = NOW + HOUR
    await (await start()).call('Encrypt', { KeyId, Plaintext: Uint8Array.of(1) })
  })

  it('deletes nothing under another root key either', async () => {
    const KeyId = await doomedKey()
    now += YEARS
    const newRootKey = new Uint8Array(32).fill(9)
    await rotateRootKey({ store, rootKey: ROOT_KEY, newRootKey: () => newRootKey, clock: () => now })
    await expectHeld(await start(newRootKey), KeyId)
  })

  it('goes on once that is confirmed, as do the others on the store', async () => {
    const KeyId = await doomedKey()
    now += YEARS
    const [engine, other] = [await start(), await start()]
    await expectHeld(engine, KeyId)
    await expectHeld(other, KeyId)
    engine.confirmTime()
    now += 60_000
    expect(await engine.runDueWork()).toBeUndefined()
    expect(engine.isTimeInDoubt()).toBe(false)
    await refused(other.call('DescribeKey', { KeyId }), 'NotFoundException')
    expect(other.isTimeInDoubt()).toBe(false)
    expect((await start()).isTimeInDoubt()).toBe(false)
  })
})

it('a process that starts less than a week later is not in doubt', async () => {
  const KeyId = await doomedKey()
  now += 6 * DAY
  await (await start()).call('ListKeys', {})
  now += DAY
  await refused((await start()).call('DescribeKey', { KeyId }), 'NotFoundException')
})

it('a KMS that nobody calls knows the time all the same', async () => {
  const KeyId = await newKey(await start())
  const idle = await start()
  for (let days = 0; days < 30; days++) {
    await idle.runDueWork()
    now += DAY
  }
  const engine = await start()
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  expect(engine.isTimeInDoubt()).toBe(false)
  expect(await engine.audit.verify()).toEqual(await engine.audit.head())
})

it('a jump of the clock stays in doubt, whatever the process itself has noted', async () => {
  const KeyId = await newKey(await start())
  let monotonic = 0
  const engine = await openEngine(store, { clock: () => now, monotonicClock: () => monotonic })
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  for (let jumps = 0; jumps < 3; jumps++) {
    await engine.call('ListKeys', {})
    now += 0.4 * HOUR
    monotonic += 1
  }
  await engine.call('ListKeys', {})
  expect(engine.isTimeInDoubt()).toBe(true)
  await engine.call('ListKeys', {})
  expect(engine.isTimeInDoubt()).toBe(true)
})
