import { describe, expect, it } from 'vitest'
import { durableObjectStore } from '../../kms/store/durable-object.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { newFile } from './engine-setup.ts'
import { objectStorage, row } from './store-setup.ts'

const STORES: Readonly<Record<string, () => Promise<Store>>> = {
  memory: async () => memoryStore(),
  SQLite: async () => sqliteStore({ file: newFile() }),
  'Durable Object': async () => durableObjectStore(await objectStorage()),
}

describe.each(Object.entries(STORES))('the %s store', (_, open) => {
  it('keeps a row as it is', async () => {
    const store = await open()
    const kept = row('a/b', {
      owner: 'ö \u{1f511}',
      revision: 2 ** 40,
      body: '"\n\u0001"',
      mac: new Uint8Array(32).fill(255),
    })
    await store.transaction('write', (rows) => rows.put('key', kept))
    const found = await store.transaction('read', (rows) => rows.get('key', 'a/b'))
    expect(found).toEqual(kept)
    expect(found?.mac.constructor).toBe(Uint8Array)
    await store.close()
  })

  it('answers undefined for a row that is not there, and for one of another table', async () => {
    const store = await open()
    await store.transaction('write', (rows) => rows.put('key', row('a')))
    expect(await store.transaction('read', (rows) => rows.get('key', 'b'))).toBeUndefined()
    expect(await store.transaction('read', (rows) => rows.get('alias', 'a'))).toBeUndefined()
    await store.close()
  })

  it('replaces a row, and reads its own writes', async () => {
    const store = await open()
    await store.transaction('write', async (rows) => {
      await rows.put('key', row('a'))
      await rows.put('key', row('a', { revision: 2, body: 'new' }))
      expect((await rows.get('key', 'a'))?.body).toBe('new')
      expect(await rows.list('key', { prefix: '', limit: 10 })).toHaveLength(1)
    })
    expect((await store.transaction('read', (rows) => rows.get('key', 'a')))?.revision).toBe(2)
    await store.close()
  })

  it('lists by prefix, owner and place, in the order of the ids', async () => {
    const store = await open()
    const ids = ['b/2', 'a/10', 'a/2', 'a/1', 'aa', 'b/1', 'a/1/x']
    await store.transaction('write', async (rows) => {
      for (const id of ids) await rows.put('alias', row(id, { owner: id.endsWith('1') ? 'one' : 'other' }))
    })
    const list = (range: { prefix: string; owner?: string; after?: string; limit?: number }): Promise<string[]> =>
      store.transaction('read', async (rows) =>
        (await rows.list('alias', { limit: 100, ...range })).map(({ id }) => id),
      )
    expect(await list({ prefix: '' })).toEqual([...ids].sort())
    expect(await list({ prefix: 'a/' })).toEqual(['a/1', 'a/1/x', 'a/10', 'a/2'])
    expect(await list({ prefix: 'a/', limit: 2 })).toEqual(['a/1', 'a/1/x'])
    expect(await list({ prefix: 'a/', after: 'a/1/x' })).toEqual(['a/10', 'a/2'])
    expect(await list({ prefix: 'b/', after: 'a/2' })).toEqual(['b/1', 'b/2'])
    expect(await list({ prefix: '', owner: 'one' })).toEqual(['a/1', 'b/1'])
    expect(await list({ prefix: 'b/', owner: 'one', after: 'b/1' })).toEqual([])
    expect(await list({ prefix: 'c' })).toEqual([])
    await store.close()
  })

  it('keeps nothing of a transaction that rejects, and goes on', async () => {
    const store = await open()
    await store.transaction('write', (rows) => rows.put('key', row('kept')))
    const failing = store.transaction('write', async (rows) => {
      await rows.put('key', row('lost'))
      await rows.put('key', row('kept', { revision: 9 }))
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    const found = await store.transaction('read', (rows) => rows.list('key', { prefix: '', limit: 9 }))
    expect(found).toEqual([row('kept')])
    await store.close()
  })

  it('refuses to write in a transaction that reads', async () => {
    const store = await open()
    const writing = store.transaction('read', (rows) => rows.put('key', row('a')))
    await expect(writing).rejects.toThrow(new TypeError('this transaction only reads'))
    expect(await store.transaction('read', (rows) => rows.get('key', 'a'))).toBeUndefined()
    await store.close()
  })

  it('deletes a row, and one that is not there', async () => {
    const store = await open()
    const list = { prefix: '', limit: 9 }
    await store.transaction('write', (rows) => rows.put('key', row('a')))
    await store.transaction('write', async (rows) => {
      await rows.put('key', row('b'))
      await rows.delete('key', 'a')
      await rows.delete('key', 'b')
      await rows.delete('key', 'none')
      expect(await rows.get('key', 'a')).toBeUndefined()
      expect(await rows.list('key', list)).toEqual([])
      await rows.put('key', row('c'))
    })
    expect(await store.transaction('read', (rows) => rows.list('key', list))).toEqual([row('c')])
    await expect(store.transaction('read', (rows) => rows.delete('key', 'c'))).rejects.toThrow(TypeError)
    await store.close()
  })

  it('undoes a part that rejects, and keeps what was before and comes after it', async () => {
    const store = await open()
    await store.transaction('write', (rows) => rows.put('key', row('old')))
    await store.transaction('write', async (rows) => {
      await rows.put('key', row('a'))
      const part = rows.savepoint(async () => {
        await rows.delete('key', 'old')
        await rows.put('key', row('a', { revision: 2 }))
        await rows.put('key', row('lost'))
        throw new Error('no')
      })
      await expect(part).rejects.toThrow('no')
      expect(await rows.get('key', 'lost')).toBeUndefined()
      expect(await rows.savepoint(() => rows.put('key', row('b')).then(() => 'kept'))).toBe('kept')
    })
    const found = await store.transaction('read', (rows) => rows.list('key', { prefix: '', limit: 9 }))
    expect(found).toEqual([row('a'), row('b'), row('old')])
    await store.close()
  })

  it('refuses calls after the end of their transaction', async () => {
    const store = await open()
    const leaked = await store.transaction('write', async (rows) => ({ rows }))
    const ended = new TypeError('this transaction has ended')
    await expect(leaked.rows.put('key', row('a'))).rejects.toThrow(ended)
    await expect(leaked.rows.get('key', 'a')).rejects.toThrow(ended)
    await expect(leaked.rows.list('key', { prefix: '', limit: 1 })).rejects.toThrow(ended)
    expect(await store.transaction('read', (rows) => rows.get('key', 'a'))).toBeUndefined()
    await store.close()
  })

  it('runs one transaction after the other: no update is lost', async () => {
    const store = await open()
    const count = async (): Promise<void> =>
      store.transaction('write', async (rows) => {
        const before = await rows.get('meta', 'count')
        await Promise.resolve()
        await rows.put('meta', row('count', { revision: (before?.revision ?? 0) + 1 }))
      })
    await Promise.all(Array.from({ length: 50 }, count))
    expect((await store.transaction('read', (rows) => rows.get('meta', 'count')))?.revision).toBe(50)
    await store.close()
  })

  it('does not change with what the caller does to his bytes, or to those that he was given', async () => {
    const store = await open()
    const mac = Uint8Array.of(1, 2, 3)
    await store.transaction('write', (rows) => rows.put('key', row('a', { mac })))
    mac.fill(9)
    const given = await store.transaction('read', (rows) => rows.get('key', 'a'))
    expect(given?.mac).toEqual(Uint8Array.of(1, 2, 3))
    given?.mac.fill(9)
    expect((await store.transaction('read', (rows) => rows.get('key', 'a')))?.mac).toEqual(Uint8Array.of(1, 2, 3))
    await store.close()
  })

  it('can be closed twice', async () => {
    const store = await open()
    await store.close()
    await store.close()
  })
})
