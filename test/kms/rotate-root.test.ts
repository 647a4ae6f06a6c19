import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rotateRootKey, type Engine } from '../../kms/engine/index.ts'
import { isIndexed } from '../../kms/engine/records.ts'
import { localKms, rotateLocalRootKey } from '../../kms/providers/local.ts'
import { createNextRootKey, nextRootKeyFile, readRootKey } from '../../kms/providers/root-key-file.node.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { TABLES, type Row, type Store } from '../../kms/store/store.ts'
import { ABSENT, ACCOUNT, newKey, NOW, openEngine, refused, REGION, ROOT_KEY, STORES } from './engine-setup.ts'
import { connected, EXTERNAL_STORE, newStores } from './key-store-setup.ts'
import { temporaryFolder } from './temporary.ts'

const NEW_ROOT_KEY = Uint8Array.from({ length: 32 }, (_, index) => 200 - index)
const plaintext = Uint8Array.of(1, 2, 3)
const keys = { rootKey: ROOT_KEY, newRootKey: () => NEW_ROOT_KEY, account: ACCOUNT, region: REGION, clock: () => NOW }

/** What a KMS has of everything. */
interface Contents {
  readonly symmetric: string
  readonly ciphertexts: readonly Uint8Array[]
  readonly signing: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

async function fill(engine: Engine): Promise<Contents> {
  const symmetric = await newKey(engine)
  const ciphertexts: Uint8Array[] = []
  for (let i = 0; i < 3; i++) {
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: symmetric, Plaintext: plaintext })
    ciphertexts.push(CiphertextBlob)
    await engine.call('RotateKeyOnDemand', { KeyId: symmetric })
  }
  for (let i = 0; i < 30; i++) await newKey(engine, { Tags: [{ TagKey: 'number', TagValue: String(i) }] })
  const signing = await newKey(engine, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: symmetric })
  const { User } = await engine.iam('CreateUser', { UserName: 'alice' })
  await engine.call('CreateGrant', { KeyId: symmetric, GranteePrincipal: User.Arn, Operations: ['Decrypt'] })
  const { AccessKey } = await engine.iam('CreateAccessKey', { UserName: 'alice' })
  await engine.call('ScheduleKeyDeletion', { KeyId: await newKey(engine) })
  const imported = await newKey(engine, { Origin: 'EXTERNAL' })
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }
  await engine.call('GetParametersForImport', { KeyId: imported, ...wrapping })
  await newKey(engine, { MultiRegion: true })
  const { AccessKeyId, SecretAccessKey } = AccessKey
  return { symmetric, ciphertexts, signing, accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }
}

async function rowsOf(store: Store): Promise<Map<string, Row>> {
  const all = new Map<string, Row>()
  await store.transaction('read', async (rows) => {
    for (const table of TABLES) {
      for (const row of await rows.list(table, { prefix: '', limit: 10_000 })) all.set(`${table} ${row.id}`, row)
    }
  })
  return all
}

/** A store whose closing is the test's affair. */
const kept = (store: Store): Store => ({ ...bound(store), close: () => Promise.resolve() })
const bound = (store: Store): Store => ({
  transaction: (mode, work) => store.transaction(mode, work),
  purge: () => store.purge(),
  close: () => store.close(),
})

describe.each(STORES)('another root key for a KMS in $store', ({ newStore }) => {
  const open = async (): Promise<{ store: Store; contents: Contents; before: Map<string, Row> }> => {
    const store = kept(await newStore()())
    const engine = await openEngine(store)
    const contents = await fill(engine)
    await engine.close()
    return { store, contents, before: await rowsOf(store) }
  }

  it('opens everything, and the old one nothing', async () => {
    const { store, contents } = await open()
    await rotateRootKey({ ...keys, store })
    await refused(openEngine(store), 'RootKeyException', /^this is not the root key of the KMS/)
    const engine = await openEngine(store, { rootKey: NEW_ROOT_KEY })
    for (const CiphertextBlob of contents.ciphertexts) {
      expect((await engine.call('Decrypt', { CiphertextBlob })).Plaintext).toEqual(plaintext)
    }
    const signing = { KeyId: contents.signing, Message: plaintext, SigningAlgorithm: 'ECDSA_SHA_256' }
    const { Signature } = await engine.call('Sign', signing)
    expect((await engine.call('Verify', { ...signing, Signature })).SignatureValid).toBe(true)
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId: 'alias/a' })
    expect(KeyMetadata.KeyId).toBe(contents.symmetric)
    expect((await engine.call('ListGrants', { KeyId: contents.symmetric })).Grants).toHaveLength(1)
    const credential = await engine.credentials.find(contents.accessKeyId)
    expect(new TextDecoder().decode(credential?.secretAccessKey)).toBe(contents.secretAccessKey)
  })

  it('goes on with the log, which says so', async () => {
    const { store } = await open()
    await rotateRootKey({ ...keys, store })
    const engine = await openEngine(store, { rootKey: NEW_ROOT_KEY })
    const last = (await engine.audit.list()).at(-1)
    expect(last?.record).toMatchObject({ eventName: 'RotateRootKey', eventSource: 'kms.amazonaws.com' })
    expect(await engine.audit.verify()).toMatchObject({ records: last?.number })
  })

  it('authenticates every row anew, and leaves no secret as it was', async () => {
    const { store, before } = await open()
    await rotateRootKey({ ...keys, store })
    const after = await rowsOf(store)
    const names = [...before.keys()].filter((name) => !name.startsWith('index'))
    expect(names.length).toBeGreaterThan(100)
    let sealed = 0
    for (const name of names) {
      const [old, row] = [before.get(name)!, after.get(name)!]
      if (name.startsWith('audit')) {
        expect(row).toEqual(old)
        continue
      }
      expect(row.mac).not.toEqual(old.mac)
      for (const [secret] of old.body.matchAll(/(?<="(?:sealed|secret)":")[0-9a-f]+/g)) {
        sealed++
        expect(row.body).not.toContain(secret)
      }
    }
    expect(sealed).toBeGreaterThan(35)
    const engine = await openEngine(store, { rootKey: NEW_ROOT_KEY })
    await store.transaction('write', (rows) => rows.put('alias', before.get(`alias ${ACCOUNT}/${REGION}/alias/a`)!))
    await refused(engine.call('DescribeKey', { KeyId: 'alias/a' }), 'KMSInternalException', /is not authentic/)
  })

  it('changes nothing when the old key is wrong, a row was changed, or the store fails on the way', async () => {
    const { store, before } = await open()
    const rootKey = NEW_ROOT_KEY
    await refused(rotateRootKey({ ...keys, store, rootKey }), 'RootKeyException', /^this is not the root key/)
    expect(await rowsOf(store)).toEqual(before)
    for (const writes of [0, 1, 50, 150]) {
      let left = writes
      const failing: Store = {
        ...bound(store),
        transaction: (mode, work) =>
          store.transaction(mode, (rows) => {
            const put = (...row: Parameters<typeof rows.put>): Promise<void> => {
              return left-- > 0 ? rows.put(...row) : Promise.reject(new Error('the disk is full'))
            }
            return work({
              put,
              get: (table, id) => rows.get(table, id),
              list: (table, range) => rows.list(table, range),
              delete: (table, id) => rows.delete(table, id),
              savepoint: (inner) => rows.savepoint(inner),
            })
          }),
      }
      await expect(rotateRootKey({ ...keys, store: failing })).rejects.toThrow('the disk is full')
      expect(await rowsOf(store)).toEqual(before)
    }
    const [name, row] = [...before].find(([each]) => each.startsWith('grant'))!
    const changed = { ...row, body: row.body.replace('Decrypt', 'Encrypt') }
    await store.transaction('write', (rows) => rows.put('grant', changed))
    await refused(rotateRootKey({ ...keys, store }), 'KMSInternalException', /is not authentic/)
    expect(await rowsOf(store)).toEqual(new Map(before).set(name, changed))
  })

  it('finds every row that was taken out, and stays as it is', async () => {
    const { store, before } = await open()
    for (const table of TABLES.filter(isIndexed)) {
      const row = [...before].find(([name]) => name.startsWith(`${table} `))?.[1]
      if (!row || row.id === 'root') continue
      await store.transaction('write', (rows) => rows.delete(table, row.id))
      await refused(rotateRootKey({ ...keys, store }), 'KMSInternalException', /is not authentic/)
      await store.transaction('write', (rows) => rows.put(table, row))
    }
    expect(await rowsOf(store)).toEqual(before)
  })

  it('ends an engine that was open on the store', async () => {
    const { store } = await open()
    const engine = await openEngine(store)
    await rotateRootKey({ ...keys, store })
    await refused(engine.call('ListKeys', {}), 'RootKeyException', /^this is not the root key of the KMS/)
  })
})

it('keeps custom key stores working, and the key that signs the heads of the log', async () => {
  const stores = await newStores({}, kept(memoryStore()))
  const CustomKeyStoreId = await connected(stores.engine, EXTERNAL_STORE)
  const KeyId = await newKey(stores.engine, { Origin: 'EXTERNAL_KEY_STORE', CustomKeyStoreId, XksKeyId: 'key-1' })
  const { CiphertextBlob } = await stores.engine.call('Encrypt', { KeyId, Plaintext: plaintext })
  const head = await stores.engine.audit.signedHead()
  await stores.engine.close()
  await rotateRootKey({ ...keys, store: stores.store })
  const keyStores = { fetch: stores.proxy.fetch, timeout: 20_000 }
  const engine = await openEngine(stores.store, { rootKey: NEW_ROOT_KEY, keyStores })
  expect((await engine.call('Decrypt', { CiphertextBlob })).Plaintext).toEqual(plaintext)
  await engine.audit.verify({ heads: [head] })
})

interface Place {
  readonly directory: string
  readonly rootKeyFile: string
}

describe('a KMS on this machine', () => {
  const folder = temporaryFolder()
  let count = 0
  const place = (): Place => {
    const name = String(++count)
    return { directory: join(folder, name, 'data'), rootKeyFile: join(folder, name, 'config', 'root.key') }
  }

  const make = async (where: Place): Promise<Uint8Array> => {
    const { engine, close } = await localKms(where)
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: await newKey(engine), Plaintext: plaintext })
    await close()
    return CiphertextBlob
  }

  const opens = async (where: Place, CiphertextBlob: Uint8Array): Promise<void> => {
    const { engine, close } = await localKms({ ...where, create: false })
    expect((await engine.call('Decrypt', { CiphertextBlob })).Plaintext).toEqual(plaintext)
    await close()
  }

  /** The rows have the new root key, and the file is not changed yet. */
  async function changeRowsOnly(where: Place): Promise<{ rootKey: Uint8Array; newRootKey: Uint8Array }> {
    const rootKey = readRootKey(where.rootKeyFile)
    const newRootKey = createNextRootKey(where.rootKeyFile)
    const store = await sqliteStore({ file: join(where.directory, 'kms.sqlite') })
    await rotateRootKey({ store, rootKey, newRootKey: () => newRootKey })
    await store.close()
    return { rootKey, newRootKey }
  }

  it('keeps every old key beside the new one', async () => {
    const where = place()
    const blob = await make(where)
    const first = readFileSync(where.rootKeyFile, 'utf8')
    const { oldRootKeyFile } = await rotateLocalRootKey(where)
    expect(oldRootKeyFile).toBe(`${where.rootKeyFile}.old-1`)
    expect(readFileSync(oldRootKeyFile, 'utf8')).toBe(first)
    const second = readFileSync(where.rootKeyFile, 'utf8')
    expect(second).not.toBe(first)
    await opens(where, blob)
    expect((await rotateLocalRootKey(where)).oldRootKeyFile).toBe(`${where.rootKeyFile}.old-2`)
    expect(readFileSync(`${where.rootKeyFile}.old-2`, 'utf8')).toBe(second)
    expect(existsSync(nextRootKeyFile(where.rootKeyFile))).toBe(false)
    await opens(where, blob)
  })

  it('opens after an interruption before the change, and takes no harm from the key that waits', async () => {
    const where = place()
    const blob = await make(where)
    createNextRootKey(where.rootKeyFile).fill(0)
    await opens(where, blob)
    await rotateLocalRootKey(where)
    await opens(where, blob)
    expect(existsSync(nextRootKeyFile(where.rootKeyFile))).toBe(false)
  })

  it('opens after an interruption between the change and the file, and finishes it', async () => {
    const where = place()
    const blob = await make(where)
    const { rootKey, newRootKey } = await changeRowsOnly(where)
    await opens(where, blob)
    expect(readRootKey(where.rootKeyFile)).toEqual(newRootKey)
    expect(readRootKey(`${where.rootKeyFile}.old-1`)).toEqual(rootKey)
    expect(existsSync(nextRootKeyFile(where.rootKeyFile))).toBe(false)
    await opens(where, blob)
  })

  it('is rotated by one of several at once, and opens', async () => {
    const where = place()
    const blob = await make(where)
    const outcomes = await Promise.allSettled([1, 2, 3, 4].map(() => rotateLocalRootKey(where)))
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
    await opens(where, blob)
    expect(existsSync(nextRootKeyFile(where.rootKeyFile))).toBe(false)
  })

  it('finishes what was interrupted while the old key was being kept', async () => {
    const where = place()
    const blob = await make(where)
    const { rootKey } = await changeRowsOnly(where)
    writeFileSync(`${where.rootKeyFile}.old-1`, '', { mode: 0o600 })
    await opens(where, blob)
    expect(readRootKey(`${where.rootKeyFile}.old-2`)).toEqual(rootKey)
  })

  it('is not changed when there is none, or its key is missing', async () => {
    const where = place()
    await refused(rotateLocalRootKey(where), 'NotFoundException')
    expect(existsSync(where.rootKeyFile)).toBe(false)
    await make(where)
    renameSync(where.rootKeyFile, `${where.rootKeyFile}.away`)
    await refused(rotateLocalRootKey(where), 'RootKeyException', /is missing/)
    expect(existsSync(nextRootKeyFile(where.rootKeyFile))).toBe(false)
  })
})

it('refuses an empty store, and root keys of another length, before any work', async () => {
  const store = kept(await STORES[0]!.newStore()())
  await refused(rotateRootKey({ ...keys, store }), 'RootKeyException', /holds no KMS/)
  expect(await rowsOf(store)).toEqual(new Map())
  const engine = await openEngine(store)
  await refused(engine.call('DescribeKey', { KeyId: ABSENT }), 'NotFoundException')
  await expect(rotateRootKey({ ...keys, store, newRootKey: () => new Uint8Array(31) })).rejects.toThrow(RangeError)
  await expect(rotateRootKey({ ...keys, store, rootKey: new Uint8Array(33) })).rejects.toThrow(RangeError)
})
