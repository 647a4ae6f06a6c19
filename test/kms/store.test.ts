import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { durableObjectStore, type DurableObjectStorageLike } from '../../kms/store/durable-object.ts'
import { memoryStore, type Row, type Store } from '../../kms/store/memory.ts'
import { loadDriver } from '../../kms/store/sqlite-driver.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { temporaryFolder } from './temporary.ts'

const folder = temporaryFolder()
const newFile = (): string => join(folder, randomUUID(), 'kms.sqlite')

function row(id: string, overrides: Partial<Row> = {}): Row {
  return { id, owner: '', revision: 1, body: `{"of":"${id}"}`, mac: Uint8Array.of(1, 2, 3), ...overrides }
}

afterEach(() => {
  vi.useRealTimers()
})

/** The storage of a Durable Object, on the SQLite that is here; test/durable-object/ has the real one. */
async function objectStorage(): Promise<DurableObjectStorageLike & { readonly exec: (sql: string) => void }> {
  const database = new (await loadDriver())(':memory:')
  const exec = (query: string, ...bindings: unknown[]): { toArray(): object[] } => {
    let found: object[] = []
    if (query.startsWith('SELECT')) found = database.prepare(query).all(...bindings) as object[]
    else if (bindings.length > 0) database.prepare(query).run(...bindings)
    else database.exec(query)
    return { toArray: () => found }
  }
  return {
    sql: { exec },
    exec: (sql) => void database.exec(sql),
    sync: () => Promise.resolve(),
    transactionSync: (closure) => {
      database.exec('BEGIN')
      try {
        const result = closure()
        database.exec('COMMIT')
        return result
      } catch (error) {
        database.exec('ROLLBACK')
        throw error
      }
    },
  }
}

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

describe('sqliteStore', () => {
  it('makes its folder and file for their owner alone', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    await store.transaction('write', (rows) => rows.put('key', row('a')))
    const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)
    expect(mode(dirname(file))).toBe('700')
    for (const name of readdirSync(dirname(file))) expect(mode(join(dirname(file), name))).toBe('600')
    expect(readdirSync(dirname(file))).toContain('kms.sqlite-wal')
    await store.close()
  })

  it('keeps its rows from one opening to the next', async () => {
    const file = newFile()
    const first = await sqliteStore({ file })
    await first.transaction('write', (rows) => rows.put('key', row('a')))
    await first.close()
    const second = await sqliteStore({ file, create: false })
    expect(await second.transaction('read', (rows) => rows.get('key', 'a'))).toEqual(row('a'))
    await second.close()
  })

  it('has no byte of a deleted row after a purge, while it is open', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    await store.transaction('write', (rows) => rows.put('key', row('a', { body: 'deleted-content' })))
    await store.transaction('write', (rows) => rows.delete('key', 'a'))
    const files = (): Buffer =>
      Buffer.concat(readdirSync(dirname(file)).map((name) => readFileSync(join(dirname(file), name))))
    expect(files().includes('deleted-content')).toBe(true)
    await store.purge()
    expect(files().includes('deleted-content')).toBe(false)
    await store.close()
  })

  it('overwrites what it replaces, and commits durably', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    await store.transaction('write', (rows) => rows.put('key', row('a', { body: 'replaced-content' })))
    await store.transaction('write', (rows) => rows.put('key', row('a', { body: 'new' })))
    await store.close()
    expect(readFileSync(file).includes('replaced-content')).toBe(false)
    expect(readFileSync(file).includes('new')).toBe(true)
  })

  it('makes nothing where nothing is, if it is not to create', async () => {
    const file = newFile()
    await expect(sqliteStore({ file, create: false })).rejects.toMatchObject({
      name: 'NotFoundException',
      code: 'ERR_WAXSEAL_KMS',
      message: `there is no KMS at ${dirname(file)}: no database ${file}`,
    })
    expect(existsSync(dirname(file))).toBe(false)
  })

  it('leaves an empty file empty, if it is not to create', async () => {
    const file = newFile()
    mkdirSync(dirname(file))
    writeFileSync(file, '')
    await expect(sqliteStore({ file, create: false })).rejects.toMatchObject({ name: 'NotFoundException' })
    expect(statSync(file).size).toBe(0)
  })

  it('refuses a file that is no database, and does not change it', async () => {
    const file = newFile()
    mkdirSync(dirname(file))
    const content = 'this is not a database '.repeat(500)
    writeFileSync(file, content)
    await expect(sqliteStore({ file })).rejects.toMatchObject({ name: 'KMSInternalException' })
    expect(readFileSync(file, 'utf8')).toBe(content)
  })

  it('refuses the database of another program, and does not change it', async () => {
    const file = newFile()
    mkdirSync(dirname(file))
    const Database = await loadDriver()
    const other = new Database(file)
    other.exec('CREATE TABLE row (id TEXT)')
    other.close()
    const content = readFileSync(file)
    const message = `the database ${file} could not be used: it is not a database of waxseal`
    await expect(sqliteStore({ file })).rejects.toMatchObject({ name: 'KMSInternalException', message })
    expect(readFileSync(file)).toEqual(content)
  })

  it('refuses a database of a later version', async () => {
    const file = newFile()
    await (await sqliteStore({ file })).close()
    const Database = await loadDriver()
    const later = new Database(file)
    later.exec('PRAGMA user_version = 3')
    later.close()
    await expect(sqliteStore({ file })).rejects.toThrow(/its schema is version 3: use a newer waxseal/)
  })

  it('says so when it cannot be opened', async () => {
    const file = newFile()
    mkdirSync(file, { recursive: true })
    await expect(sqliteStore({ file })).rejects.toMatchObject({ name: 'KMSInternalException' })
  })

  it('refuses to be used once it is closed', async () => {
    const store = await sqliteStore({ file: newFile() })
    await store.close()
    const late = store.transaction('read', (rows) => rows.get('key', 'a'))
    await expect(late).rejects.toMatchObject({ name: 'KMSInternalException', message: 'the store is closed' })
  })

  it('finishes what was begun before it closes', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    const written = store.transaction('write', async (rows) => {
      await Promise.resolve()
      await rows.put('key', row('a'))
    })
    await Promise.all([written, store.close()])
    const again = await sqliteStore({ file })
    expect(await again.transaction('read', (rows) => rows.get('key', 'a'))).toEqual(row('a'))
    await again.close()
  })

  it('reports an error of the database by its own name, and goes on', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    const failing = store.transaction('write', async (rows) => {
      await rows.put('key', row('a'))
      await rows.put('key', { ...row('b'), revision: 0.5 })
    })
    await expect(failing).rejects.toMatchObject({ name: 'KMSInternalException' })
    expect(await store.transaction('read', (rows) => rows.list('key', { prefix: '', limit: 9 }))).toEqual([])
    await store.close()
  })

  it('reads one state, whatever is written meanwhile', async () => {
    const file = newFile()
    const [reader, writer] = [await sqliteStore({ file }), await sqliteStore({ file })]
    await reader.transaction('read', async (rows) => {
      expect(await rows.get('key', 'a')).toBeUndefined()
      await writer.transaction('write', (others) => others.put('key', row('a')))
      expect(await rows.get('key', 'a')).toBeUndefined()
    })
    expect(await reader.transaction('read', (rows) => rows.get('key', 'a'))).toEqual(row('a'))
    await reader.close()
    await writer.close()
  })

  it('gives up when another connection keeps the lock for ten seconds', async () => {
    const file = newFile()
    const [holder, waiting] = [await sqliteStore({ file }), await sqliteStore({ file })]
    let release: () => void = () => undefined
    const held = holder.transaction('write', async (rows) => {
      await rows.put('key', row('a'))
      await new Promise<void>((resume) => (release = resume))
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'performance'] })
    const refused = expect(waiting.transaction('write', (rows) => rows.put('key', row('b')))).rejects.toMatchObject({
      name: 'DependencyTimeoutException',
      code: 'ERR_WAXSEAL_KMS',
    })
    await vi.advanceTimersByTimeAsync(9_900)
    expect(vi.getTimerCount()).toBe(1)
    await vi.advanceTimersByTimeAsync(200)
    await refused
    vi.useRealTimers()
    release()
    await held
    expect(await waiting.transaction('read', (rows) => rows.list('key', { prefix: '', limit: 9 }))).toEqual([row('a')])
    await holder.close()
    await waiting.close()
  })

  it('lets stores of one process take turns on one file', async () => {
    const file = newFile()
    const stores = await Promise.all(Array.from({ length: 4 }, async () => sqliteStore({ file })))
    const count = async (store: Store): Promise<void> =>
      store.transaction('write', async (rows) => {
        const before = await rows.get('meta', 'count')
        await new Promise((resume) => setImmediate(resume))
        await rows.put('meta', row('count', { revision: (before?.revision ?? 0) + 1 }))
      })
    await Promise.all(Array.from({ length: 40 }, (_, i) => count(stores[i % stores.length]!)))
    const found = await stores[0]!.transaction('read', (rows) => rows.get('meta', 'count'))
    expect(found?.revision).toBe(40)
    for (const store of stores) await store.close()
  })
})
