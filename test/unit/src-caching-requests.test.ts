import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cachingMaterials, decrypt, encrypt, encryptSync, inspect, materialsCache } from '../../src/index.ts'
import type { EncryptOptions, Keyring } from '../../src/index.ts'
import { isWiped, setUp, settled, type Setup } from './src-caching-setup.ts'
import { aes, plaintext } from './src-setup.ts'

const A: EncryptOptions = { encryptionContext: { tenant: 'a' } }
const FAILURE = new RangeError('the service hung up')

function tenant(name: string): EncryptOptions {
  return { encryptionContext: { tenant: name } }
}

describe('concurrent calls', () => {
  it('make one request for each entry', async () => {
    const { keyring, materials } = setUp()
    const tenants = ['a', 'b', 'c'].flatMap((name) => Array.from({ length: 100 }, () => tenant(name)))
    const messages = await Promise.all(tenants.map((options) => encrypt(materials, plaintext, options)))
    expect(keyring.wraps).toBe(3)
    await Promise.all(messages.map((message) => decrypt(materials, message)))
    expect(keyring.unwraps).toBe(3)
  })

  it('go on when one of them is aborted, the first as well', async () => {
    const { keyring, materials } = setUp()
    keyring.hold()
    const aborts = [new AbortController(), new AbortController()]
    const calls = aborts.map(({ signal }) => encrypt(materials, plaintext, { ...A, signal }))
    calls.push(encrypt(materials, plaintext, A))
    await settled()
    const reason = { why: 'not any more' }
    for (const abort of aborts) abort.abort(reason)
    await expect(calls[0]).rejects.toBe(reason)
    await expect(calls[1]).rejects.toBe(reason)
    expect(keyring.signals.map((signal) => signal?.aborted)).toEqual([false])
    keyring.release()
    expect((await decrypt(aes, await calls[2]!)).plaintext).toEqual(plaintext)
    encryptSync(materials, plaintext, A)
    expect(keyring.wraps).toBe(1)
  })

  it('keep the answer that all of them gave up', async () => {
    const { keyring, materials } = setUp()
    keyring.hold()
    const abort = new AbortController()
    const call = encrypt(materials, plaintext, { ...A, signal: abort.signal })
    await settled()
    abort.abort()
    await expect(call).rejects.toThrow()
    keyring.release()
    await settled()
    encryptSync(materials, plaintext, A)
    expect(keyring.wraps).toBe(1)
  })

  it('do not begin when they are aborted before', async () => {
    const { keyring, materials } = setUp()
    await expect(encrypt(materials, plaintext, { ...A, signal: AbortSignal.abort(FAILURE) })).rejects.toBe(FAILURE)
    expect(keyring.wraps).toBe(0)
  })

  it('fail together, and the failure is not kept', async () => {
    const { keyring, materials } = setUp()
    keyring.failure = FAILURE
    const calls = await Promise.allSettled([1, 2, 3].map(() => encrypt(materials, plaintext, A)))
    expect(calls).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason: FAILURE })))
    expect(keyring.wraps).toBe(1)
    keyring.failure = undefined
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
  })

  it('are not kept waiting for materials that are not whole', async () => {
    const none: Keyring = { wrap: async () => undefined, unwrap: async () => undefined }
    const materials = cachingMaterials({ keyring: none, maxAge: 1 })
    await expect(encrypt(materials, plaintext)).rejects.toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE' })
    const incomplete = cachingMaterials({
      maxAge: 1,
      materials: {
        encryptionMaterials: async (request) => {
          const given = await cachingMaterials({ keyring: aes, maxAge: 1 }).encryptionMaterials(request)
          given.dispose()
          return given
        },
        decryptionMaterials: () => Promise.reject(FAILURE),
      },
    })
    await expect(encrypt(incomplete, plaintext)).rejects.toThrow(TypeError)
  })

  it('wait for their turn when too many requests are under way', async () => {
    const { keyring, materials, pass } = setUp({ fanOut: 2, inFlightTtl: 20 })
    keyring.hold()
    const abort = new AbortController()
    const calls = ['a', 'b', 'c', 'd'].map((name) => encrypt(materials, plaintext, tenant(name)))
    const gone = encrypt(materials, plaintext, { ...tenant('e'), signal: abort.signal })
    await settled()
    expect(keyring.wraps).toBe(2)
    abort.abort(FAILURE)
    await expect(gone).rejects.toBe(FAILURE)
    keyring.release()
    await Promise.all(calls)
    expect(keyring.wraps).toBe(4)
    keyring.hold()
    const hanging = ['f', 'g'].map((name) => encrypt(materials, plaintext, tenant(name)))
    pass(20)
    const late = encrypt(materials, plaintext, tenant('h'))
    await settled()
    expect(keyring.wraps).toBe(7)
    keyring.release()
    await Promise.all([...hanging, late])
    expect(keyring.wraps).toBe(7)
  })

  it('make another request when one hangs, whose answer serves all', async () => {
    const { keyring, materials, pass } = setUp({ inFlightTtl: 20 })
    keyring.hold()
    const first = encrypt(materials, plaintext, A)
    await settled()
    pass(19.999)
    const second = encrypt(materials, plaintext, A)
    await settled()
    expect(keyring.wraps).toBe(1)
    pass(0.001)
    const third = encrypt(materials, plaintext, A)
    await settled()
    expect(keyring.wraps).toBe(2)
    keyring.release()
    const messages = await Promise.all([first, second, third])
    expect(new Set(messages.map((message) => inspect(message).encryptedDataKeys[0]?.ciphertext.join())).size).toBe(1)
    await settled()
    expect(keyring.dataKeys.map(isWiped).sort()).toEqual([false, true])
  })
})

describe('a request that hangs', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it.each([
    ['its own entry', A, {}],
    ['others, when no more may be made', tenant('another'), { fanOut: 1 }],
  ])('keeps nobody from %s, also if nobody else comes', async (_, waitingFor, options) => {
    const { keyring, materials, pass } = setUp({ inFlightTtl: 20, ...options })
    keyring.hold()
    const hanging = encrypt(materials, plaintext, A)
    const waiting = encrypt(materials, plaintext, waitingFor)
    await settled()
    expect(keyring.wraps).toBe(1)
    // The clock is not that of the timers, and may be slower.
    pass(19)
    vi.advanceTimersByTime(20_000)
    await settled()
    expect(keyring.wraps).toBe(1)
    pass(1)
    vi.advanceTimersByTime(1000)
    await settled()
    expect(keyring.wraps).toBe(2)
    keyring.release()
    await Promise.all([hanging, waiting])
    expect(vi.getTimerCount()).toBe(0)
  })
})

it('calls fail when the clock throws, and leave no data key behind', async () => {
  let isBroken = false
  const clock = (): number => {
    if (isBroken) throw FAILURE
    return 5
  }
  const { keyring, materials } = setUp({ clock })
  keyring.hold()
  const calls = [A, A, tenant('another')].map((context) => encrypt(materials, plaintext, context))
  await settled()
  isBroken = true
  keyring.release()
  for (const call of calls) await expect(call).rejects.toBe(FAILURE)
  await settled()
  expect(keyring.dataKeys.map(isWiped)).toEqual([true, true])
})

describe('an entry that is about to expire', () => {
  async function aged(options: object = {}): Promise<Setup> {
    const made = setUp({ maxAge: 100, gracePeriod: 10, graceInterval: 1, ...options })
    await encrypt(made.materials, plaintext, A)
    made.pass(90)
    return made
  }

  it('is refreshed by one call, and serves the others meanwhile', async () => {
    const { keyring, materials, pass } = await aged()
    keyring.hold()
    const refresher = encrypt(materials, plaintext, A)
    await settled()
    expect(keyring.wraps).toBe(2)
    const others = [encryptSync(materials, plaintext, A), await encrypt(materials, plaintext, A)]
    pass(5)
    others.push(await encrypt(materials, plaintext, A))
    expect(keyring.wraps).toBe(2)
    keyring.release()
    const refreshed = await refresher
    const keyOf = (message: Uint8Array): unknown => inspect(message).encryptedDataKeys[0]?.ciphertext
    for (const other of others) expect(keyOf(other)).not.toEqual(keyOf(refreshed))
    pass(5)
    expect(keyOf(encryptSync(materials, plaintext, A))).toEqual(keyOf(refreshed))
    expect(keyring.dataKeys.map(isWiped)).toEqual([true, false])
  })

  it('serves the call as well whose refresh failed, and waits before the next attempt', async () => {
    const { keyring, materials, pass } = await aged()
    keyring.failure = FAILURE
    await encrypt(materials, plaintext, A)
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
    pass(0.999)
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
    pass(0.001)
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(3)
    pass(9)
    await expect(encrypt(materials, plaintext, A)).rejects.toBe(FAILURE)
  })

  it('is asked for again when a refresh hangs, and by all once it has expired', async () => {
    const { keyring, materials, pass } = await aged({ inFlightTtl: 3 })
    keyring.hold()
    const calls = [encrypt(materials, plaintext, A)]
    await settled()
    pass(2)
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
    pass(1)
    calls.push(encrypt(materials, plaintext, A))
    await settled()
    expect(keyring.wraps).toBe(3)
    pass(7)
    calls.push(encrypt(materials, plaintext, A), encrypt(materials, plaintext, A))
    await settled()
    expect(keyring.wraps).toBe(4)
    keyring.release()
    await Promise.all(calls)
    encryptSync(materials, plaintext, A)
    expect(keyring.wraps).toBe(4)
  })

  it('is not refreshed when too many requests are under way', async () => {
    const { keyring, materials } = await aged({ fanOut: 1 })
    keyring.hold()
    const other = encrypt(materials, plaintext, tenant('b'))
    await settled()
    await encrypt(materials, plaintext, A)
    expect(keyring.wraps).toBe(2)
    keyring.release()
    await other
  })

  it('is not refreshed early where there is no grace period, a tenth of maxAge by default', async () => {
    for (const [options, calls] of [
      [{ gracePeriod: 0 }, 1],
      [{ gracePeriod: undefined, maxAge: 99 }, 2],
      [{ gracePeriod: undefined, maxAge: 110 }, 1],
    ] as const) {
      const { keyring, materials, pass } = await aged(options)
      await encrypt(materials, plaintext, A)
      expect(keyring.wraps).toBe(calls)
      pass(0)
    }
  })

  it('serves the synchronous calls until its end', async () => {
    const { materials, pass } = await aged()
    pass(9.999)
    encryptSync(materials, plaintext, A)
    pass(0.001)
    expect(() => encryptSync(materials, plaintext, A)).toThrow(
      expect.objectContaining({ code: 'ERR_WAXSEAL_UNSUPPORTED' }),
    )
  })
})

describe('calls that wait together', () => {
  /** As RSA with PKCS #1 v1.5 does: a data key is the right one if the message says so. */
  const confirming: Keyring = {
    wrap: (materials) => aes.wrap(materials),
    unwrap: async (materials, encryptedDataKeys) => {
      const dataKey = await aes.unwrap(materials, encryptedDataKeys)
      return dataKey !== undefined && materials.confirm(dataKey) ? dataKey : undefined
    },
  }

  it('do not fail because one of their messages was changed', async () => {
    const written = cachingMaterials({ keyring: aes, maxAge: 100 })
    const messages = [1, 2, 3, 4].map(() => encryptSync(written, plaintext, A))
    for (const i of [0, 2]) messages[i]![inspect(messages[i]!).byteLength - 1]! ^= 1
    const materials = cachingMaterials({ keyring: confirming, maxAge: 100 })
    const outcomes = await Promise.allSettled(messages.map((message) => decrypt(materials, message)))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[0]).toMatchObject({ reason: { code: 'ERR_WAXSEAL_AUTHENTICATION' } })
    expect(outcomes[2]).toMatchObject({ reason: { code: 'ERR_WAXSEAL_AUTHENTICATION' } })
  })

  it('do not fail because the manager of one of them is disposed', async () => {
    const cache = materialsCache()
    const [first, second] = [setUp({ cache, partition: 'p' }), setUp({ cache, partition: 'p' })]
    first.keyring.hold()
    const calls = [first, second].map(({ materials }) => encrypt(materials, plaintext, A))
    await settled()
    expect([first.keyring.wraps, second.keyring.wraps]).toEqual([1, 0])
    first.materials.dispose()
    await expect(calls[0]).rejects.toMatchObject({ code: 'ERR_WAXSEAL_DISPOSED' })
    expect((await decrypt(aes, await calls[1]!)).plaintext).toEqual(plaintext)
    expect(second.keyring.wraps).toBe(1)
  })
})
