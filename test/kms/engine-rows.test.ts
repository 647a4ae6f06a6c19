import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Engine, Principal } from '../../kms/engine/index.ts'
import { KmsError } from '../../kms/errors.ts'
import { loadDriver, type Database, type DatabaseConstructor } from '../../kms/store/sqlite-driver.ts'
import { sqliteStore } from '../../kms/store/sqlite.ts'
import { ACCOUNT, newFile, newKey, NOW, openEngine, refused, rowIdOf, writeRecords } from './engine-setup.ts'

const plaintext = Uint8Array.of(1, 2, 3)
const template = newFile()
let Driver: DatabaseConstructor
let keyId: string
let otherId: string
let materialRow: string
let blob: Uint8Array
let alice: Principal
let accessKeyId: string
let grantId: string

/** Works on a database's file behind the engine's back. */
function alter<T>(file: string, work: (database: Database) => T): T {
  const database = new Driver(file)
  try {
    const result = work(database)
    // Into the file itself: copies are made of that alone.
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
    return result
  } finally {
    database.close()
  }
}

function copyOf(file: string): string {
  const copy = newFile()
  mkdirSync(dirname(copy))
  copyFileSync(file, copy)
  return copy
}

async function withEngine<T>(file: string, work: (engine: Engine) => Promise<T>): Promise<T> {
  const store = await sqliteStore({ file })
  try {
    return await work(await openEngine(store))
  } finally {
    await store.close()
  }
}

/** Copies rows out of one database over those of another. */
function replay(from: string, to: string, id: string): void {
  const columns = '"table", id, owner, revision, body, mac'
  const select = `SELECT ${columns} FROM row WHERE id = ? AND "table" <> 'usage'`
  const row = alter(from, (database) => database.prepare(select).get(id))
  const { table, owner, revision, body, mac } = row as Readonly<Record<string, unknown>>
  const sql = `INSERT OR REPLACE INTO row (${columns}) VALUES (?, ?, ?, ?, ?, ?)`
  alter(to, (database) => database.prepare(sql).run(table, id, owner, revision, body, mac))
}

beforeAll(async () => {
  Driver = await loadDriver()
  await withEngine(template, async (engine) => {
    keyId = await newKey(engine)
    otherId = await newKey(engine)
    await engine.call('CreateAlias', { AliasName: 'alias/one', TargetKeyId: keyId })
    await engine.call('CreateAlias', { AliasName: 'alias/two', TargetKeyId: otherId })
    blob = (await engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext })).CiphertextBlob
    const { CurrentKeyMaterialId } = (await engine.call('DescribeKey', { KeyId: keyId })).KeyMetadata
    materialRow = `${rowIdOf(keyId)}/${CurrentKeyMaterialId}`
    await addUser(engine)
  })
})

/** Alice may encrypt by a grant, and describe the key by a policy of her own. */
async function addUser(engine: Engine): Promise<void> {
  await engine.iam('CreateUser', { UserName: 'alice' })
  accessKeyId = (await engine.iam('CreateAccessKey', { UserName: 'alice' })).AccessKey.AccessKeyId
  alice = (await engine.credentials.find(accessKeyId))!.principal
  const Statement = { Effect: 'Allow', Action: 'kms:DescribeKey', Resource: '*' }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
  await engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
  const grant = { KeyId: keyId, GranteePrincipal: alice.arn, Operations: ['Encrypt'] }
  grantId = (await engine.call('CreateGrant', grant)).GrantId
}

type Call = (engine: Engine) => Promise<unknown>

const CALLS = {
  describe: (engine) => engine.call('DescribeKey', { KeyId: keyId }),
  describeAlias: (engine) => engine.call('DescribeKey', { KeyId: 'alias/one' }),
  encrypt: (engine) => engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext }),
  encryptUnderAlias: (engine) => engine.call('Encrypt', { KeyId: 'alias/one', Plaintext: plaintext }),
  decrypt: (engine) => engine.call('Decrypt', { CiphertextBlob: blob }),
  generate: (engine) => engine.call('GenerateDataKey', { KeyId: keyId, KeySpec: 'AES_256' }),
  listKeys: (engine) => engine.call('ListKeys', {}),
  listAliases: (engine) => engine.call('ListAliases', {}),
  listAliasesOfKey: (engine) => engine.call('ListAliases', { KeyId: keyId }),
  createKey: (engine) => engine.call('CreateKey', {}),
  createAlias: (engine) => engine.call('CreateAlias', { AliasName: 'alias/new', TargetKeyId: keyId }),
  describeByUser: (engine) => engine.call('DescribeKey', { KeyId: keyId }, { caller: alice }),
  encryptByGrant: (engine) => engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext }, { caller: alice }),
  getPolicy: (engine) => engine.call('GetKeyPolicy', { KeyId: keyId }),
  listGrants: (engine) => engine.call('ListGrants', { KeyId: keyId }),
  listGrant: (engine) => engine.call('ListGrants', { KeyId: keyId, GrantId: grantId }),
  revokeGrant: (engine) => engine.call('RevokeGrant', { KeyId: keyId, GrantId: grantId }),
  findCredential: (engine) => engine.credentials.find(accessKeyId),
  listUsers: (engine) => engine.iam('ListUsers', {}),
  getUserPolicy: (engine) => engine.iam('GetUserPolicy', { UserName: 'alice', PolicyName: 'p' }),
  open: () => Promise.resolve(),
} satisfies Record<string, Call>

type CallName = keyof typeof CALLS

/** Every call that reads the row, by its table; those in `listing` see a row that is gone as one that never was. */
const READERS = {
  key: {
    id: () => rowIdOf(keyId),
    calls: ['describe', 'describeAlias', 'encrypt', 'decrypt', 'generate', 'listAliasesOfKey', 'createAlias'],
    listing: ['listKeys'],
  },
  material: { id: () => materialRow, calls: ['encrypt', 'decrypt', 'generate'], listing: [] },
  alias: {
    id: () => rowIdOf('alias/one'),
    calls: ['describeAlias', 'encryptUnderAlias', 'listAliasesOfKey'],
    listing: ['listAliases'],
  },
  policy: {
    id: () => `${rowIdOf(keyId)}/default`,
    calls: ['describe', 'encrypt', 'decrypt', 'generate', 'getPolicy', 'encryptByGrant', 'describeByUser'],
    listing: [],
  },
  grant: {
    id: () => `${rowIdOf(keyId)}/${grantId}`,
    calls: ['listGrant', 'revokeGrant'],
    listing: ['listGrants'],
  },
  user: {
    id: () => `${ACCOUNT}/user/alice`,
    calls: ['describeByUser', 'encryptByGrant', 'findCredential', 'getUserPolicy'],
    listing: ['listUsers'],
  },
  'access key': { id: () => `${ACCOUNT}/key/${accessKeyId}`, calls: ['findCredential'], listing: [] },
  root: { id: () => 'root', calls: ['open'], listing: [] },
  scope: { id: () => dirname(rowIdOf(keyId)), calls: ['createKey'], listing: [] },
} satisfies Record<string, { id: () => string; calls: CallName[]; listing: CallName[] }>

const CHANGES = {
  'table, so that it is gone': `UPDATE row SET "table" = 'none' WHERE id = ? AND "table" <> 'usage'`,
  'id, so that it is gone': `UPDATE row SET id = 'none' WHERE id = ?`,
  owner: `UPDATE row SET owner = owner || 'x' WHERE id = ?`,
  'owner, emptied or filled': `UPDATE row SET owner = iif(owner = '', 'x', '') WHERE id = ?`,
  revision: 'UPDATE row SET revision = revision + 1 WHERE id = ?',
  'body, one character':
    "UPDATE row SET body = substr(body, 1, length(body) - 2) || char(unicode(substr(body, -2)) + 1) || '}' WHERE id = ?",
  'body, a blank': `UPDATE row SET body = body || ' ' WHERE id = ?`,
  'body, no JSON': `UPDATE row SET body = '{' WHERE id = ?`,
  'body, null': `UPDATE row SET body = 'null' WHERE id = ?`,
  'body, empty object': `UPDATE row SET body = '{}' WHERE id = ?`,
  'mac, emptied': `UPDATE row SET mac = x'' WHERE id = ?`,
  'mac, shortened': 'UPDATE row SET mac = substr(mac, 1, 31) WHERE id = ?',
  'mac, of another row': `UPDATE row SET mac = (SELECT mac FROM row AS r WHERE r.id <> row.id LIMIT 1) WHERE id = ?`,
}

describe.each(Object.entries(READERS))('a changed %s row', (_, { id, calls, listing }) => {
  it.each(Object.entries(CHANGES))('is refused by everything that reads it: %s', async (change, sql) => {
    const changed = copyOf(template)
    alter(changed, (database) => database.prepare(sql).run(id()))
    const isGone = change.endsWith('gone')
    for (const name of isGone ? calls : [...calls, ...listing]) {
      const call = withEngine<unknown>(copyOf(changed), CALLS[name])
      const error: unknown = await call.then(
        (answer) => answer,
        (reason: unknown) => reason,
      )
      expect(error, name).toBeInstanceOf(KmsError)
      const names = ['KMSInternalException', 'RootKeyException', ...(isGone ? ['NotFoundException'] : [])]
      expect(names, name).toContain((error as KmsError).name)
    }
  })
})

it('a changed grant row gives nobody anything', async () => {
  for (const sql of Object.values(CHANGES)) {
    const changed = copyOf(template)
    alter(changed, (database) => database.prepare(sql).run(READERS.grant.id()))
    const error: unknown = await withEngine<unknown>(changed, CALLS.encryptByGrant).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(KmsError)
    expect(['KMSInternalException', 'AccessDeniedException']).toContain((error as KmsError).name)
  }
})

describe('a row that was authentic once', () => {
  it('of the same material, from before, is refused', async () => {
    const file = copyOf(template)
    const store = await sqliteStore({ file })
    await writeRecords(store, async (records) => {
      const material = (await records.get('material', materialRow))!
      await records.put('material', materialRow, material.record, material, rowIdOf(keyId))
    })
    await store.close()
    await withEngine(file, CALLS.decrypt)
    replay(template, file, materialRow)
    for (const call of [CALLS.encrypt, CALLS.decrypt, CALLS.generate]) {
      await refused(withEngine<unknown>(file, call), 'KMSInternalException', /^the material row .* is not authentic/)
    }
  })

  it('of a key, from before it was disabled, is refused', async () => {
    const file = copyOf(template)
    await withEngine(file, (engine) => engine.call('DisableKey', { KeyId: keyId }))
    await refused(withEngine(file, CALLS.encrypt), 'DisabledException')
    replay(template, file, rowIdOf(keyId))
    for (const call of [CALLS.encrypt, CALLS.decrypt, CALLS.describe, CALLS.listKeys]) {
      await refused(withEngine<unknown>(file, call), 'KMSInternalException', /^the key row .* is not authentic/)
    }
  })

  it('of a key that has ended is refused', async () => {
    const file = copyOf(template)
    let now = NOW
    const store = await sqliteStore({ file })
    const engine = await openEngine(store, { clock: () => now })
    await engine.call('ScheduleKeyDeletion', { KeyId: keyId, PendingWindowInDays: 7 })
    now += 7 * 86_400_000
    await refused(engine.call('DescribeKey', { KeyId: keyId }), 'NotFoundException')
    await engine.close()
    replay(template, file, rowIdOf(keyId))
    replay(template, file, materialRow)
    await refused(withEngine(file, CALLS.decrypt), 'KMSInternalException', /^the key row .* is not authentic/)
  })

  it('of the index, with the rows that go with it, is refused where the rest of the index goes on', async () => {
    const file = copyOf(template)
    const older = copyOf(template)
    await withEngine(file, (engine) => engine.call('DisableKey', { KeyId: keyId }))
    replay(older, file, rowIdOf(keyId))
    replay(older, file, 'top')
    // The log's head is a row of the index as well: it is newer than this top of the index.
    await refused(withEngine(file, CALLS.encrypt), 'KMSInternalException', /is not authentic/)
  })

  it('of the same alias, but to another key, is refused', async () => {
    const create = (TargetKeyId: string) => async (engine: Engine) => {
      await engine.call('CreateAlias', { AliasName: 'alias/moved', TargetKeyId })
    }
    const [before, after] = [copyOf(template), copyOf(template)]
    await withEngine(before, create(otherId))
    await withEngine(after, create(keyId))
    replay(before, after, rowIdOf('alias/moved'))
    const calls: readonly Call[] = [
      (engine) => engine.call('DescribeKey', { KeyId: 'alias/moved' }),
      (engine) => engine.call('Encrypt', { KeyId: 'alias/moved', Plaintext: plaintext }),
      (engine) => engine.call('ListAliases', {}),
      (engine) => engine.call('ListAliases', { KeyId: keyId }),
      (engine) => engine.call('ListAliases', { KeyId: otherId }),
    ]
    for (const call of calls) await refused(withEngine(after, call), 'KMSInternalException', /is not authentic/)
  })

  it('of a key, from before it had an alias, does not go with the alias', async () => {
    const file = copyOf(template)
    await withEngine(file, CALLS.createAlias)
    replay(template, file, rowIdOf(keyId))
    const describeNew: Call = (engine) => engine.call('DescribeKey', { KeyId: 'alias/new' })
    for (const call of [describeNew, CALLS.listAliasesOfKey]) {
      await refused(withEngine(file, call), 'KMSInternalException', /is not authentic: restore the database$/)
    }
  })

  it('of another key, in the place of this one, is refused', async () => {
    const file = copyOf(template)
    alter(file, (database) => {
      const sql = `UPDATE row SET body = (SELECT body FROM row WHERE id = ?1), mac = (SELECT mac FROM row WHERE id = ?1)
        WHERE id = ?2`
      return database.prepare(sql).run(rowIdOf(otherId), rowIdOf(keyId))
    })
    await refused(withEngine(file, CALLS.describe), 'KMSInternalException', /^the key row .* is not authentic/)
  })

  it('of a database that has another root key is refused', async () => {
    const file = newFile()
    await withEngine(file, CALLS.createKey)
    replay(template, file, rowIdOf(keyId))
    replay(template, file, materialRow)
    // Both databases are under one root key here, but this row is not one of this database.
    await refused(withEngine(file, CALLS.decrypt), 'KMSInternalException', /^the key row .* is not authentic/)
  })
})
