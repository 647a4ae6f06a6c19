import { describe, expect, it } from 'vitest'
import { durableObjectStore } from '../../kms/store/durable-object.ts'
import { objectStorage, row } from './store-setup.ts'

describe('durableObjectStore', () => {
  it('keeps its rows from one instance to the next, beside other tables', async () => {
    const storage = await objectStorage()
    storage.exec('CREATE TABLE mine (a TEXT)')
    const first = durableObjectStore(storage)
    await first.transaction('write', (rows) => rows.put('key', row('a')))
    await first.close()
    await expect(first.transaction('read', (rows) => rows.get('key', 'a'))).rejects.toThrow('closed')
    const second = durableObjectStore(storage)
    expect(await second.transaction('read', (rows) => rows.get('key', 'a'))).toEqual(row('a'))
  })

  it('refuses rows of another version, and tables that are none of its own', async () => {
    const storage = await objectStorage()
    durableObjectStore(storage)
    storage.exec('UPDATE waxseal_schema SET version = 3')
    expect(() => durableObjectStore(storage)).toThrow('the rows of this object have version 3')
    const other = await objectStorage()
    other.exec('CREATE TABLE waxseal_row (a TEXT)')
    expect(() => durableObjectStore(other)).toThrow()
  })

  it('keeps nothing of a commit that fails midway', async () => {
    const storage = await objectStorage()
    const store = durableObjectStore(storage)
    const broken = row('b', { revision: 'x' as never })
    const writing = store.transaction('write', async (rows) => {
      await rows.put('key', row('a'))
      await rows.put('key', broken)
    })
    await expect(writing).rejects.toThrow()
    expect(await store.transaction('read', (rows) => rows.list('key', { prefix: '', limit: 9 }))).toEqual([])
  })

  it('lists as many as are asked for among rows that the transaction has replaced and deleted', async () => {
    const store = durableObjectStore(await objectStorage())
    const ids = ['a', 'b', 'c', 'd', 'e']
    await store.transaction('write', async (rows) => {
      for (const id of ids) await rows.put('key', row(id, { owner: 'one' }))
    })
    await store.transaction('write', async (rows) => {
      await rows.delete('key', 'a')
      await rows.put('key', row('b', { owner: 'other' }))
      await rows.put('key', row('bb', { owner: 'one' }))
      const list = async (range: object) =>
        (await rows.list('key', { prefix: '', limit: 2, ...range })).map(({ id }) => id)
      expect(await list({})).toEqual(['b', 'bb'])
      expect(await list({ owner: 'one' })).toEqual(['bb', 'c'])
      expect(await list({ owner: 'one', after: 'c' })).toEqual(['d', 'e'])
    })
  })
})
