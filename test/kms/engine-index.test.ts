import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KnownRows } from '../../kms/engine/authentic-rows.ts'
import { RootKeys } from '../../kms/engine/keys.ts'
import { RecordTransaction } from '../../kms/engine/records.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import type { Row, Store } from '../../kms/store/store.ts'
import { refused, ROOT_KEY, SeededRandom, writeRecords } from './engine-setup.ts'

const alias = (name: string) => ({ name, targetKeyId: 'key', created: 0, updated: 0 })
const everything = { prefix: '', limit: 10_000 }

function rowsOf(store: Store, table: 'alias' | 'index'): Promise<readonly Row[]> {
  return store.transaction('read', (rows) => rows.list(table, everything))
}

describe('the index of rows', () => {
  it('knows what a map knows, through any puts and deletions', async () => {
    const change = fc.record({ id: fc.integer({ min: 0, max: 120 }), isPut: fc.boolean() })
    const changes = fc.array(fc.array(change, { maxLength: 60 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(changes, async (transactions) => {
        const store = memoryStore()
        const model = new Map<string, number>()
        for (const transaction of transactions) {
          await writeRecords(store, async (records) => {
            for (const { id, isPut } of transaction) {
              const name = `alias/${String(id)}`
              const previous = await records.get('alias', name)
              expect(previous?.record.name).toBe(model.has(name) ? name : undefined)
              if (isPut) await records.put('alias', name, alias(name), previous)
              else await records.delete('alias', name)
              if (isPut) model.set(name, id)
              else model.delete(name)
            }
          })
        }
        await writeRecords(store, async (records) => {
          const found = await records.list('alias', everything)
          expect(found.map(({ record }) => record.name)).toEqual([...model.keys()].sort())
          for (let id = 0; id <= 120; id++) {
            const stored = await records.get('alias', `alias/${String(id)}`)
            expect(stored !== undefined).toBe(model.has(`alias/${String(id)}`))
          }
        })
      }),
      { numRuns: 30, seed: 1 },
    )
  })

  it('grows beyond one node, and is as it was after a part that was undone', async () => {
    const store = memoryStore()
    await writeRecords(store, async (records) => {
      for (let id = 0; id < 300; id++) await records.put('alias', `a/${String(id)}`, alias('x'))
      const undone = records.savepoint(async () => {
        for (let id = 0; id < 300; id += 2) await records.delete('alias', `a/${String(id)}`)
        expect(await records.get('alias', 'a/0')).toBeUndefined()
        throw new Error('no')
      })
      await expect(undone).rejects.toThrow('no')
      expect((await records.get('alias', 'a/0'))?.record.name).toBe('x')
    })
    expect((await rowsOf(store, 'index')).length).toBeGreaterThan(20)
    await writeRecords(store, async (records) => {
      expect(await records.list('alias', everything)).toHaveLength(300)
      for (let id = 0; id < 300; id++) await records.delete('alias', `a/${String(id)}`)
    })
    expect((await rowsOf(store, 'alias')).length).toBe(0)
  })

  it('refuses a node that is missing, older or another one', async () => {
    const store = memoryStore()
    const put = (from: number, to: number): Promise<void> =>
      writeRecords(store, async (records) => {
        for (let id = from; id < to; id++) await records.put('alias', `a/${String(id)}`, alias('x'))
      })
    await put(0, 100)
    const before = await rowsOf(store, 'index')
    await put(100, 140)
    const after = await rowsOf(store, 'index')
    const changed = before.filter(({ id, body }) => id !== 'top' && after.find((row) => row.id === id)?.body !== body)
    expect(changed.length).toBeGreaterThan(3)
    const [first, second] = changed
    const attacks: readonly [Row, Row | undefined][] = [
      [first!, undefined],
      [first!, first],
      [first!, { ...second!, id: first!.id }],
    ]
    for (const [{ id }, replacement] of attacks) {
      const good = after.find((row) => row.id === id)!
      await store.transaction('write', (rows) =>
        replacement ? rows.put('index', replacement) : rows.delete('index', id),
      )
      const listing = writeRecords(store, (records) => records.list('alias', everything).then())
      await refused(listing, 'KMSInternalException', /^the index row top\/. is not authentic/)
      await store.transaction('write', (rows) => rows.put('index', good))
    }
    await writeRecords(store, (records) => records.list('alias', everything).then())
  })

  it('is not outrun by what is remembered of earlier transactions', async () => {
    const store = memoryStore()
    const known = new KnownRows()
    const keys = new RootKeys(ROOT_KEY, new SeededRandom().take)
    const read = () => store.transaction('write', (rows) => new RecordTransaction(rows, keys, known).get('alias', 'a'))
    await writeRecords(store, (records) => records.put('alias', 'a', alias('old')).then())
    const [old] = await rowsOf(store, 'alias')
    expect((await read())?.record.name).toBe('old')
    await writeRecords(store, async (records) => {
      await records.put('alias', 'a', alias('new'), await records.get('alias', 'a'))
    })
    expect((await read())?.record.name).toBe('new')
    await store.transaction('write', (rows) => rows.put('alias', old!))
    await refused(read(), 'KMSInternalException', 'the alias row a is not authentic: restore the database')
  })
})
