import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Store } from '../../kms/store/memory.ts'
import { loadDriver } from '../../kms/store/sqlite-driver.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { newFile } from './engine-setup.ts'
import { row } from './store-setup.ts'

afterEach(() => {
  vi.useRealTimers()
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

  it('purges after a later write what another connection was reading', async () => {
    const file = newFile()
    const store = await sqliteStore({ file })
    const files = (): Buffer =>
      Buffer.concat(readdirSync(dirname(file)).map((name) => readFileSync(join(dirname(file), name))))
    await store.transaction('write', (rows) => rows.put('key', row('a', { body: 'deleted-content' })))
    const reader = new (await loadDriver())(file)
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) AS n FROM row').all()
    await store.transaction('write', (rows) => rows.delete('key', 'a'))
    await store.purge()
    await store.transaction('write', (rows) => rows.put('key', row('b')))
    expect(files().includes('deleted-content')).toBe(true)
    reader.exec('COMMIT')
    await store.transaction('read', (rows) => rows.get('key', 'b'))
    expect(files().includes('deleted-content')).toBe(true)
    await store.transaction('write', (rows) => rows.put('key', row('c')))
    expect(files().includes('deleted-content')).toBe(false)
    reader.close()
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
