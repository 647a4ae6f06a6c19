import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createEngine, type Engine } from '../../kms/engine/index.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import {
  ACCOUNT,
  NOW,
  REGION,
  ROOT_KEY,
  STORES,
  SeededRandom,
  memoryEngine,
  newFile,
  newKey,
  openEngine,
  refused,
  writeRecords,
} from './engine-setup.ts'

const OTHER_ROOT_KEY = new Uint8Array(32).fill(1)
const CLOSED = 'this KMS was closed'

afterEach(() => {
  vi.restoreAllMocks()
})

async function countKeys(engine: Engine): Promise<number> {
  return (await engine.call('ListKeys', { Limit: 1000 })).Keys.length
}

describe('createEngine', () => {
  it.each([0, 16, 31, 33, 64])('refuses a root key of %i bytes', async (length) => {
    const rootKey = new Uint8Array(length)
    await expect(createEngine({ store: memoryStore(), rootKey })).rejects.toThrow(RangeError)
  })

  it('refuses what is no root key', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(32))
    for (const rootKey of ['x'.repeat(32), shared, undefined, Array.from(ROOT_KEY)]) {
      const options = { store: memoryStore(), rootKey: rootKey as Uint8Array }
      await expect(createEngine(options)).rejects.toThrow(TypeError)
    }
  })

  it.each([
    { account: '12345678901' },
    { account: '1234567890123' },
    { account: '12345678901x' },
    { account: '' },
    { region: '' },
    { region: 'eu' },
    { region: 'eu-central-1/x' },
    { region: 'EU-central-1' },
    { region: `${'a'.repeat(29)}-b-1` },
  ])('refuses %j', async (options) => {
    await expect(memoryEngine(options)).rejects.toThrow(RangeError)
  })

  it('has an account and a Region unless they are given', async () => {
    const { account, region } = await createEngine({ store: memoryStore(), rootKey: ROOT_KEY })
    expect({ account, region }).toEqual({ account: '000000000000', region: 'us-east-1' })
    expect(await memoryEngine()).toMatchObject({ account: ACCOUNT, region: REGION })
  })

  it('keeps a copy of the root key', async () => {
    const store = memoryStore()
    const rootKey = ROOT_KEY.slice()
    const engine = await openEngine(store, { rootKey })
    rootKey.fill(0)
    const KeyId = await newKey(engine)
    const again = await openEngine(store)
    expect((await again.call('GenerateDataKey', { KeyId, NumberOfBytes: 5 })).Plaintext).toHaveLength(5)
  })

  it('refuses random bytes of another length', async () => {
    const unsafeRandom = (length: number): Uint8Array => new Uint8Array(length + 1)
    await expect(memoryEngine({ unsafeRandom })).rejects.toThrow(RangeError)
  })
})

describe.each(STORES)('an engine on $store', ({ newStore }) => {
  it('opens with its root key only, and a wrong one changes nothing', async () => {
    const open = newStore()
    const first = await openEngine(await open())
    const keyId = await newKey(first)
    const message = /^this is not the root key of the KMS \(root key id [0-9a-f]{32}\): give the file that it was/
    await refused(openEngine(await open(), { rootKey: OTHER_ROOT_KEY }), 'RootKeyException', message)
    await first.close()
    const store = await open()
    await refused(openEngine(store, { rootKey: OTHER_ROOT_KEY }), 'RootKeyException', message)
    const again = await openEngine(store)
    expect(await countKeys(again)).toBe(1)
    await again.call('Encrypt', { KeyId: keyId, Plaintext: ROOT_KEY })
    await again.close()
  })

  it('does not take over rows that it knows no root key of', async () => {
    const store = await newStore()()
    const alias = { name: 'alias/a', targetKeyId: 'x', created: NOW, updated: NOW }
    await writeRecords(store, (records) => records.put('alias', 'x', alias).then())
    const message = 'the store holds keys and does not say under which root key'
    await refused(openEngine(store), 'RootKeyException', message)
    expect(await store.transaction('read', (rows) => rows.get('meta', 'root'))).toBeUndefined()
    await store.close()
  })

  it('is opened twice at once under one root key, and under two by one of them', async () => {
    const open = newStore()
    const engines = await Promise.all([openEngine(await open()), openEngine(await open())])
    const keyId = await newKey(engines[0])
    expect((await engines[1].call('DescribeKey', { KeyId: keyId })).KeyMetadata.KeyId).toBe(keyId)
    for (const engine of engines) await engine.close()

    const openOther = newStore()
    const rivals = await Promise.allSettled([
      openEngine(await openOther()),
      openEngine(await openOther(), { rootKey: OTHER_ROOT_KEY }),
    ])
    expect(rivals.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    for (const rival of rivals) {
      if (rival.status === 'rejected') await refused(Promise.reject(rival.reason as Error), 'RootKeyException')
    }
  })

  it('keeps nothing of an action that fails half way', async () => {
    const open = newStore()
    const random = new SeededRandom()
    let draws = Number.POSITIVE_INFINITY
    const unsafeRandom = (length: number): Uint8Array => {
      if (draws-- <= 0) throw new Error('no more random bytes')
      return random.take(length)
    }
    const store = await open()
    const engine = await openEngine(store, { unsafeRandom })
    // Material id, key id, material, salt.
    for (draws of [0, 1, 2, 3]) {
      await expect(engine.call('CreateKey', {})).rejects.toThrow('no more random bytes')
      draws = Number.POSITIVE_INFINITY
      expect(await countKeys(engine)).toBe(0)
      const rows = await store.transaction('read', async (transaction) => [
        ...(await transaction.list('meta', { prefix: '', limit: 10 })),
        ...(await transaction.list('material', { prefix: '', limit: 10 })),
      ])
      expect(rows.map(({ id }) => id)).toEqual(['audit/main', 'root'])
    }
    await newKey(engine)
    expect(await countKeys(engine)).toBe(1)
    await engine.close()
  })

  it('loses nothing when two of them write at once', async () => {
    const open = newStore()
    const engines = [await openEngine(await open()), await openEngine(await open())]
    const ids = await Promise.all(Array.from({ length: 100 }, (_, index) => newKey(engines[index % 2]!)))
    expect(new Set(ids).size).toBe(100)
    for (const engine of engines) {
      const { Keys } = await engine.call('ListKeys', { Limit: 1000 })
      expect(Keys.map(({ KeyId }) => KeyId)).toEqual([...ids].sort())
    }
    const names = Array.from({ length: 20 }, (_, index) => `alias/${String(index).padStart(2, '0')}`)
    await Promise.all(
      names.map((AliasName, index) => {
        return engines[index % 2]!.call('CreateAlias', { AliasName, TargetKeyId: ids[0]! })
      }),
    )
    const { Aliases } = await engines[0]!.call('ListAliases', { KeyId: ids[0] })
    expect(Aliases.map(({ AliasName }) => AliasName)).toEqual(names)
    const row = await (await open()).transaction('read', (rows) => rows.get('meta', `${ACCOUNT}/${REGION}`))
    expect(JSON.parse(row?.body ?? '')).toEqual({ keys: 100 })
    for (const engine of engines) await engine.close()
  })

  it('gives an alias to one of two that ask at once', async () => {
    const open = newStore()
    const engines = [await openEngine(await open()), await openEngine(await open())]
    const ids = [await newKey(engines[0]!), await newKey(engines[1]!)]
    const results = await Promise.allSettled(
      engines.map((engine, index) => {
        return engine.call('CreateAlias', { AliasName: 'alias/one', TargetKeyId: ids[index]! })
      }),
    )
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    const { Aliases } = await engines[0]!.call('ListAliases', {})
    expect(Aliases.map(({ TargetKeyId }) => TargetKeyId)).toEqual([
      ids[results.findIndex(({ status }) => status === 'fulfilled')],
    ])
    for (const engine of engines) await engine.close()
  })

  it('ends the calls that were made before it was closed, and refuses those after', async () => {
    const engine = await openEngine(await newStore()())
    const creating = Array.from({ length: 5 }, () => newKey(engine))
    const closing = engine.close()
    const late = newKey(engine)
    await refused(late, 'KMSInternalException', CLOSED)
    expect(new Set(await Promise.all(creating)).size).toBe(5)
    await closing
    await refused(engine.call('ListKeys', {}), 'KMSInternalException', CLOSED)
    await engine.close()
  })

  it('does nothing once the signal is aborted, also when the call waits for its turn', async () => {
    const engine = await openEngine(await newStore()())
    const reason = new Error('stop')
    const aborted = AbortSignal.abort(reason)
    await expect(engine.call('CreateKey', {}, { signal: aborted })).rejects.toBe(reason)
    const controller = new AbortController()
    const { signal } = controller
    const first = engine.call('CreateKey', {})
    const waiting = [engine.call('CreateKey', {}, { signal }), engine.call('ListKeys', {}, { signal })]
    const last = engine.call('ListKeys', {})
    controller.abort(reason)
    for (const call of waiting) await expect(call).rejects.toBe(reason)
    await first
    expect((await last).Keys).toHaveLength(1)
    expect(await countKeys(engine)).toBe(1)
    await engine.close()
  })

  it('takes the time of each call from its clock', async () => {
    let now = NOW
    const engine = await openEngine(await newStore()(), { clock: () => now++ })
    const dates = [await newKey(engine), await newKey(engine)].map(async (KeyId) => {
      return (await engine.call('DescribeKey', { KeyId })).KeyMetadata.CreationDate.getTime()
    })
    expect(await Promise.all(dates)).toEqual([NOW, NOW + 1])
    await engine.close()
  })
})

describe('a wrong root key', () => {
  it('leaves the bytes of the database as they are', async () => {
    const file = newFile()
    const engine = await openEngine(await sqliteStore({ file }))
    await newKey(engine)
    await engine.close()
    const before = readFileSync(file)
    const store = await sqliteStore({ file })
    await refused(openEngine(store, { rootKey: OTHER_ROOT_KEY }), 'RootKeyException')
    await store.close()
    expect(readFileSync(file).equals(before)).toBe(true)
  })
})

describe('secret bytes', () => {
  /** What the engine drew from the system, by length; the very arrays. */
  function spyOnRandom(): Uint8Array[] {
    const drawn: Uint8Array[] = []
    const original = globalThis.crypto.getRandomValues.bind(globalThis.crypto)
    vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation((array) => {
      if (array instanceof Uint8Array) drawn.push(array)
      return original(array)
    })
    return drawn
  }

  /** The very arrays that are made as copies of parts of others. */
  function spyOnSlices(): Uint8Array[] {
    const made: Uint8Array[] = []
    // eslint-disable-next-line @typescript-eslint/unbound-method -- called with its `this` below
    const { slice } = Uint8Array.prototype
    vi.spyOn(Uint8Array.prototype, 'slice').mockImplementation(function (this: Uint8Array, ...range) {
      const copy = slice.apply(this, range)
      made.push(copy)
      return copy
    })
    return made
  }

  const isZero = (bytes: Uint8Array | undefined): boolean | undefined => bytes?.every((byte) => byte === 0)

  it('of new material are wiped', async () => {
    const engine = await memoryEngine()
    const drawn = spyOnRandom()
    await newKey(engine)
    expect(drawn.map(isZero)).toEqual([false, false, true, false])
  })

  it('of a data key that is not answered are wiped', async () => {
    const store = memoryStore()
    const engine = await openEngine(store)
    const KeyId = await newKey(engine)
    const [drawn, slices] = [spyOnRandom(), spyOnSlices()]
    // The salt of the ciphertext is drawn with it.
    const areWiped = (length: number): unknown => [
      isZero(drawn.find((bytes) => bytes.length === length + 32)),
      isZero(slices.find((bytes) => bytes.length === length)),
    ]
    await engine.call('GenerateDataKeyWithoutPlaintext', { KeyId, NumberOfBytes: 100 })
    expect(areWiped(100)).toEqual([true, true])

    const { CurrentKeyMaterialId } = (await engine.call('DescribeKey', { KeyId })).KeyMetadata
    await writeRecords(store, async (records) => {
      const materialId = String(CurrentKeyMaterialId)
      const id = `${ACCOUNT}/${REGION}/${KeyId}/${materialId}`
      await records.put('material', id, { materialId, created: NOW, sealed: '' })
    })
    await refused(engine.call('GenerateDataKey', { KeyId, NumberOfBytes: 200 }), 'KMSInternalException')
    expect(areWiped(200)).toEqual([true, true])
  })

  it('of a data key that is answered are the caller’s', async () => {
    const engine = await memoryEngine()
    const KeyId = await newKey(engine)
    const { Plaintext } = await engine.call('GenerateDataKey', { KeyId, NumberOfBytes: 100 })
    expect(isZero(Plaintext)).toBe(false)
  })

  it('of a plaintext to encrypt are copied, and the caller’s stay', async () => {
    const engine = await memoryEngine()
    const KeyId = await newKey(engine)
    const Plaintext = Uint8Array.of(1, 2, 3)
    const copies = vi.spyOn(Uint8Array, 'from')
    await engine.call('Encrypt', { KeyId, Plaintext })
    const copied = copies.mock.results[copies.mock.calls.findIndex(([source]) => (source as unknown) === Plaintext)]
    expect(copied?.value).toEqual(Uint8Array.of(0, 0, 0))
    expect(Plaintext).toEqual(Uint8Array.of(1, 2, 3))
  })
})
