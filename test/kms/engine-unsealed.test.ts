import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { RootKeys } from '../../kms/engine/keys.ts'
import { UnsealedSecrets } from '../../kms/engine/unsealed.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { newKey, NOW, openEngine, refused, ROOT_KEY, SeededRandom } from './engine-setup.ts'

const secret = Uint8Array.of(1, 2, 3)
const description = ['material', 'of a key']

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('secrets that were unsealed', () => {
  it('are answered as copies, for what they were sealed as alone', () => {
    const unsealed = new UnsealedSecrets()
    const given = secret.slice()
    unsealed.add('row', 'aa', description, given)
    given.fill(0)
    unsealed.get('row', 'aa', description)?.fill(0)
    expect(unsealed.get('row', 'aa', description)).toEqual(secret)
    expect(unsealed.get('other', 'aa', description)).toBeUndefined()
    expect(unsealed.get('row', 'ab', description)).toBeUndefined()
    expect(unsealed.get('row', 'aa', ['material', 'of another'])).toBeUndefined()
    expect(unsealed.get('row', 'aa', ['material'])).toBeUndefined()
    expect(unsealed.get('row', 'aa', [...description, ''])).toBeUndefined()
    unsealed.wipe()
  })

  it('are wiped a second after they were unsealed, each, however often they were used', () => {
    const wiped = watchCopies()
    const unsealed = new UnsealedSecrets()
    unsealed.add('first', 'aa', description, secret)
    vi.advanceTimersByTime(600)
    unsealed.add('second', 'bb', description, secret)
    expect(unsealed.get('first', 'aa', description)).toEqual(secret)
    vi.advanceTimersByTime(400)
    expect(unsealed.get('first', 'aa', description)).toBeUndefined()
    expect(unsealed.get('second', 'bb', description)).toEqual(secret)
    expect(wiped()).toEqual([true, false])
    vi.advanceTimersByTime(600)
    expect(wiped()).toEqual([true, true])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('are wiped when they are dropped, replaced, too many, or the root key is wiped', () => {
    const wiped = watchCopies()
    const unsealed = new UnsealedSecrets()
    unsealed.add('row', 'aa', description, secret)
    unsealed.add('row', 'bb', description, secret)
    expect(wiped()).toEqual([true, false])
    unsealed.drop('row')
    expect(wiped()).toEqual([true, true])
    for (let index = 0; index < 257; index++) unsealed.add(String(index), 'cc', description, secret)
    expect(unsealed.get('0', 'cc', description)).toBeUndefined()
    expect(unsealed.get('1', 'cc', description)).toEqual(secret)
    expect(wiped().filter((isWiped) => !isWiped)).toHaveLength(256)
    unsealed.wipe()
    expect(wiped().every(Boolean)).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('are not there for what did not unseal', () => {
    const keys = new RootKeys(ROOT_KEY, new SeededRandom().take)
    const sealed = Buffer.from(keys.seal(secret, 'as this')).toString('hex')
    expect(keys.unsealRow('row', sealed, 'as this')).toEqual(secret)
    for (let round = 0; round < 2; round++) expect(() => keys.unsealRow('row', sealed, 'as that')).toThrow()
    expect(keys.unsealRow('row', sealed, 'as this')).toEqual(secret)
    keys.wipe()
    expect(vi.getTimerCount()).toBe(0)
  })
})

/** Whether each copy that the cache made is zeros by now: a secret that is taken in is copied by `Uint8Array.from`. */
function watchCopies(): () => readonly boolean[] {
  const from = vi.spyOn(Uint8Array, 'from')
  return () => from.mock.results.map(({ value }) => (value as Uint8Array).every((byte) => byte === 0))
}

describe('an engine that has just used a key', () => {
  let store: Store
  let engine: Engine
  let now: number
  let KeyId: string
  const use = () => engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })

  beforeEach(async () => {
    store = memoryStore()
    now = NOW
    engine = await openEngine(store, { clock: () => now })
    KeyId = await newKey(engine)
  })

  afterEach(() => engine.close())

  it('unseals its material once a second', async () => {
    const unseal = vi.spyOn(RootKeys.prototype, 'unseal')
    const [first] = [await use(), await use(), await use()]
    expect(unseal).toHaveBeenCalledTimes(1)
    vi.advanceTimersByTime(1000)
    await use()
    expect(unseal).toHaveBeenCalledTimes(2)
    const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob: first.CiphertextBlob })
    expect(Plaintext).toEqual(first.Plaintext)
  })

  it('refuses at once what was disabled, by another engine on the store as well', async () => {
    await use()
    const other = await openEngine(store, { clock: () => now })
    await other.call('DisableKey', { KeyId })
    await refused(use(), 'DisabledException', /is disabled\.$/)
    await other.call('EnableKey', { KeyId })
    await use()
    await other.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    await refused(use(), 'KMSInvalidStateException', /is pending deletion\.$/)
  })

  it('leaves nothing of material in memory that was deleted with its key', async () => {
    await use()
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    const forget = vi.spyOn(RootKeys.prototype, 'forgetRow')
    now += 8 * 86_400_000
    await engine.runDueWork()
    expect(forget).toHaveBeenCalledTimes(1)
    await refused(use(), 'NotFoundException')
  })

  it('encrypts under new material as soon as it was rotated, and still opens what is older', async () => {
    const before = await use()
    await engine.call('RotateKeyOnDemand', { KeyId })
    const after = await use()
    expect(after.KeyMaterialId).not.toBe(before.KeyMaterialId)
    for (const { CiphertextBlob, Plaintext } of [before, after]) {
      expect((await engine.call('Decrypt', { CiphertextBlob })).Plaintext).toEqual(Plaintext)
    }
  })

  it('refuses a row of material that was changed since', async () => {
    await use()
    await store.transaction('write', async (rows) => {
      const [row] = await rows.list('material', { prefix: '', limit: 1 })
      if (!row) throw new Error('no material')
      await rows.put('material', { ...row, body: row.body.replace(/"sealed":"../, '"sealed":"zz') })
    })
    await refused(use(), 'KMSInternalException')
  })
})
