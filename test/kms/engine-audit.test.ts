import { createPublicKey, verify as verifySignature } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { KmsError } from '../../kms/errors.ts'
import { verifyAuditHead, type AuditRecord, type Engine, type Principal } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { TABLES, type Row, type Table } from '../../kms/store/store.ts'
import { ACCOUNT, ARN_PREFIX, NOW, REGION, STORES, newKey, openEngine, refused } from './engine-setup.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const secret = new TextEncoder().encode('a secret plaintext')
const caller: Principal = {
  account: ACCOUNT,
  arn: `arn:aws:iam::${ACCOUNT}:user/alice`,
  id: 'AIDAEXAMPLE',
  type: 'User',
  tags: {},
}

let store: Store
let engine: Engine
let KeyId: string

beforeEach(async () => {
  store = memoryStore()
  engine = await openEngine(store)
  KeyId = await newKey(engine)
})

async function records(): Promise<readonly AuditRecord[]> {
  return (await engine.audit.list()).map(({ record }) => record)
}

async function lastRecord(): Promise<AuditRecord | undefined> {
  return (await records()).at(-1)
}

describe('a record', () => {
  it('has the shape of CloudTrail', async () => {
    const Arn = `${ARN_PREFIX}key/${KeyId}`
    await engine.call('Encrypt', { KeyId, Plaintext: secret, EncryptionContext: { tenant: 'a' } })
    const record = await lastRecord()
    expect(record).toEqual({
      eventVersion: '1.08',
      userIdentity: { type: 'Root', principalId: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, accountId: ACCOUNT },
      eventTime: new Date(NOW).toISOString().replace('.678Z', 'Z'),
      eventSource: 'kms.amazonaws.com',
      eventName: 'Encrypt',
      awsRegion: REGION,
      sourceIPAddress: 'in-process',
      userAgent: 'waxseal',
      requestParameters: { keyId: KeyId, encryptionContext: { tenant: 'a' } },
      responseElements: null,
      additionalEventData: { keyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown },
      requestID: expect.stringMatching(UUID) as unknown,
      eventID: expect.stringMatching(UUID) as unknown,
      readOnly: true,
      resources: [{ accountId: ACCOUNT, type: 'AWS::KMS::Key', ARN: Arn }],
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: ACCOUNT,
      eventCategory: 'Management',
    })
    expect(record?.eventID).not.toBe(record?.requestID)
  })

  it('says who called, from where, and under which id', async () => {
    const options = { accessKeyId: 'AKIAEXAMPLE', sourceIp: '192.0.2.1', userAgent: 'test', requestId: 'id-1' }
    await refused(engine.call('ListKeys', {}, { caller, ...options }), 'AccessDeniedException', /is not authorized to/)
    expect(await lastRecord()).toMatchObject({
      userIdentity: { type: 'IAMUser', principalId: 'AIDAEXAMPLE', accessKeyId: 'AKIAEXAMPLE', userName: 'alice' },
      sourceIPAddress: '192.0.2.1',
      userAgent: 'test',
      requestID: 'id-1',
      errorCode: 'AccessDenied',
      errorMessage: expect.stringContaining(
        `User: ${caller.arn} is not authorized to perform: kms:ListKeys`,
      ) as unknown,
      requestParameters: null,
    })
  })

  it('of a denied call has no effect beside it', async () => {
    await refused(engine.call('CreateKey', {}, { caller }), 'AccessDeniedException')
    await refused(engine.call('DisableKey', { KeyId }, { caller }), 'AccessDeniedException')
    const names = (await records()).map(({ eventName, errorCode }) => [eventName, errorCode])
    expect(names).toEqual([
      ['CreateKey', undefined],
      ['CreateKey', 'AccessDenied'],
      ['DisableKey', 'AccessDenied'],
    ])
    expect((await engine.call('ListKeys', {})).Keys).toHaveLength(1)
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Enabled')
  })

  it('is made of failures, with their names, also of those that no action sees', async () => {
    await refused(engine.call('DescribeKey', { KeyId: 'x' }), 'NotFoundException')
    expect(await lastRecord()).toMatchObject({ errorCode: 'NotFoundException', errorMessage: `Invalid keyId 'x'` })
    await refused(engine.call('DescribeKey', { KeyId: '' }), 'ValidationException')
    expect(await lastRecord()).toMatchObject({ errorCode: 'ValidationException', requestParameters: null })
  })

  it('says of a change what was answered', async () => {
    const { KeyMetadata } = await engine.call('CreateKey', { Description: 'd', Tags: [{ TagKey: 'a', TagValue: 'b' }] })
    expect(await lastRecord()).toMatchObject({
      readOnly: false,
      requestParameters: { description: 'd', tags: [{ tagKey: 'a', tagValue: 'b' }] },
      responseElements: { keyMetadata: { keyId: KeyMetadata.KeyId, creationDate: new Date(NOW).toISOString() } },
    })
  })

  it('holds no plaintext, ciphertext or grant token', async () => {
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: secret })
    await engine.call('Decrypt', { CiphertextBlob })
    const { Plaintext } = await engine.call('GenerateDataKey', { KeyId, NumberOfBytes: 32 })
    await refused(engine.call('DescribeKey', { KeyId, GrantTokens: ['secret-token'] }), 'InvalidGrantTokenException')
    const text = JSON.stringify(await records())
    for (const bytes of [secret, CiphertextBlob, Plaintext]) {
      for (const form of ['hex', 'base64', 'latin1'] as const)
        expect(text).not.toContain(Buffer.from(bytes).toString(form))
    }
    expect(text).not.toContain('secret-token')
  })

  it('is not made of a call with a value of the wrong type, nor of one that was aborted', async () => {
    const count = (await records()).length
    await expect(engine.call('DescribeKey', { KeyId: 1 as unknown as string })).rejects.toThrow(TypeError)
    const controller = new AbortController()
    const waiting = engine.call('DescribeKey', { KeyId }, { signal: controller.signal })
    controller.abort()
    await expect(waiting).rejects.toThrow()
    expect(await records()).toHaveLength(count)
  })
})

describe.each(STORES)('the log on $store', ({ newStore }) => {
  it('has every call once, in one chain, from several engines', async () => {
    const open = newStore()
    const engines = [await openEngine(await open()), await openEngine(await open())]
    const ids = await Promise.all(Array.from({ length: 40 }, (_, index) => newKey(engines[index % 2]!)))
    for (const one of engines) {
      expect(await one.audit.verify()).toEqual(await engines[0]!.audit.head())
      const entries = await one.audit.list()
      expect(entries.map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1))
      expect(new Set(entries.map(({ record }) => record.eventID)).size).toBe(40)
      const made = entries.map(({ record }) => record.resources[0]?.ARN.slice(-36))
      expect([...made].sort()).toEqual([...ids].sort())
    }
    expect((await engines[0]!.audit.list({ after: 38, limit: 1 })).map(({ number }) => number)).toEqual([39])
    for (const one of engines) await one.close()
  })
})

describe('verification', () => {
  const alter = (work: (rows: readonly Row[]) => readonly Row[]): Promise<void> =>
    store.transaction('write', async (rows) => {
      const found = await rows.list('audit', { prefix: '', limit: 100 })
      for (const { id } of found) await rows.delete('audit', id)
      for (const row of work(found)) await rows.put('audit', row)
    })

  beforeEach(async () => {
    for (let i = 0; i < 5; i++) await engine.call('DescribeKey', { KeyId })
  })

  const CHANGES: Readonly<Record<string, readonly [number, (rows: readonly Row[]) => readonly Row[]]>> = {
    'a changed record': [
      3,
      (rows) => rows.map((row, i) => (i === 2 ? { ...row, body: row.body.replace('Root', 'User') } : row)),
    ],
    'a removed record': [3, (rows) => rows.filter((_, i) => i !== 2)],
    'a removed record, and the others moved up': [
      3,
      (rows) =>
        rows.slice(0, -1).map((row, i) => (i < 2 ? row : { ...rows[i + 1]!, id: row.id, revision: row.revision })),
    ],
    'two records in each other’s place': [
      2,
      (rows) =>
        rows.map((row, i) => ({
          ...row,
          ...([1, 2].includes(i) && { body: rows[3 - i]!.body, mac: rows[3 - i]!.mac }),
        })),
    ],
    'the last record removed': [6, (rows) => rows.slice(0, -1)],
    'a record too many': [7, (rows) => [...rows, { ...rows[5]!, id: rows[5]!.id.replace('6', '7'), revision: 7 }]],
    'no records left': [1, () => []],
  }

  it.each(Object.entries(CHANGES))('finds %s', async (_, [number, change]) => {
    await engine.audit.verify()
    await alter(change)
    const message = `record ${String(number)} of the audit log is missing, or not as it was written`
    await refused(engine.audit.verify(), 'KMSInternalException', message)
  })

  it('finds with a head from before that everything after it, or it, is gone', async () => {
    const before = await engine.audit.head()
    await engine.call('DescribeKey', { KeyId })
    const head = await engine.audit.head()
    expect(head.records).toBe(before.records + 1)
    await engine.audit.verify({ head: before })
    await engine.audit.verify({ head })
    const other = await openEngine(memoryStore())
    await refused(other.audit.verify({ head }), 'KMSInternalException', /^record 1 of the audit log/)
    const forged = { ...before, mac: head.mac }
    await refused(engine.audit.verify({ head: forged }), 'KMSInternalException', /^record 6 of the audit log/)
  })

  it('says that an empty log is whole', async () => {
    expect(await (await openEngine(memoryStore())).audit.verify()).toEqual({ records: 0, mac: '' })
  })
})

describe('signed heads', () => {
  it('are signed with Ed25519 over what the documentation says', async () => {
    const head = await engine.audit.signedHead()
    expect(head).toEqual({
      ...(await engine.audit.head()),
      time: new Date(NOW).toISOString(),
      publicKey: expect.any(String) as unknown,
      signature: expect.any(String) as unknown,
    })
    const parts = ['waxseal-kms-audit-head-v1', 'main', '1', head.mac, head.time].map((part) => {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(part.length)
      return Buffer.concat([length, Buffer.from(part)])
    })
    const key = createPublicKey({ key: Buffer.from(head.publicKey, 'base64'), format: 'der', type: 'spki' })
    expect(verifySignature(null, Buffer.concat(parts), key, Buffer.from(head.signature, 'base64'))).toBe(true)
    expect(await verifyAuditHead(head, head.publicKey)).toBe(true)
    expect(await verifyAuditHead({ ...head, records: 2 }, head.publicKey)).toBe(false)
    expect(await verifyAuditHead({ ...head, signature: 'x' }, head.publicKey)).toBe(false)
  })

  it('have one key for all, which the store has sealed', async () => {
    const heads = await Promise.all([engine, await openEngine(store)].map((one) => one.audit.signedHead()))
    expect(new Set(heads.map(({ publicKey }) => publicKey)).size).toBe(1)
    const rows = await store.transaction('read', (rows) => rows.list('meta', { prefix: 'audit/head-key', limit: 2 }))
    expect(rows).toHaveLength(1)
    // A private key in PKCS #8 begins with the same bytes as any other of Ed25519.
    expect(rows[0]?.body).not.toContain('302e020100300506032b6570')
  })

  it('find what is gone, and are refused when they are not this KMS’s own', async () => {
    const heads = [await engine.audit.signedHead()]
    await engine.call('DescribeKey', { KeyId })
    heads.push(await engine.audit.signedHead())
    await engine.audit.verify({ heads })
    const forged = { ...heads[1]!, mac: heads[0]!.mac }
    await refused(
      engine.audit.verify({ heads: [forged] }),
      'KMSInternalException',
      /2 records is not signed by this KMS/,
    )
    const other = await openEngine(memoryStore())
    await refused(other.audit.verify({ heads }), 'KMSInternalException', /1 records is not signed by this KMS/)
    const foreign = { ...(await other.audit.signedHead()) }
    await refused(engine.audit.verify({ heads: [foreign] }), 'KMSInternalException', /not signed by this KMS/)
  })

  it('show that an older database was put back as a whole', async () => {
    await engine.audit.signedHead()
    const older = await allRows()
    await engine.call('DescribeKey', { KeyId })
    const head = await engine.audit.signedHead()
    await restore(older)
    const again = await openEngine(store)
    await again.audit.verify()
    await refused(again.audit.verify({ heads: [head] }), 'KMSInternalException', /^record 2 of the audit log/)
    await refused(again.audit.verify({ from: head }), 'KMSInternalException', /^record 2 of the audit log/)
  })

  it('let verification begin behind one', async () => {
    const from = await engine.audit.signedHead()
    for (let i = 0; i < 3; i++) await engine.call('DescribeKey', { KeyId })
    expect(await engine.audit.verify({ from })).toEqual(await engine.audit.head())
    await store.transaction('write', async (rows) => {
      const [row] = await rows.list('audit', { prefix: '', after: 'main/0000000000000002', limit: 1 })
      await rows.put('audit', { ...row!, body: row!.body.replace('Root', 'User') })
    })
    await refused(engine.audit.verify({ from }), 'KMSInternalException', /^record 3 of the audit log/)
    await refused(engine.audit.list(), 'KMSInternalException', /^record 3 of the audit log/)
    await refused(engine.audit.list({ after: 2 }), 'KMSInternalException', /^record 3 of the audit log/)
    expect((await engine.audit.list({ limit: 2 })).map(({ number }) => number)).toEqual([1, 2])
  })
})

async function allRows(): Promise<ReadonlyMap<Table, readonly Row[]>> {
  return store.transaction('read', async (rows) => {
    const found = TABLES.map(async (table) => [table, await rows.list(table, { prefix: '', limit: 1000 })] as const)
    return new Map(await Promise.all(found))
  })
}

async function restore(older: ReadonlyMap<Table, readonly Row[]>): Promise<void> {
  const newer = await allRows()
  await store.transaction('write', async (rows) => {
    for (const [table, found] of newer) for (const { id } of found) await rows.delete(table, id)
    for (const [table, found] of older) for (const row of found) await rows.put(table, row)
  })
}

it('answers nothing that is not durable: effect and record come together, or neither', async () => {
  let fails = false
  const failing: Store = {
    ...store,
    transaction: (mode, work) =>
      store.transaction(mode, async (rows) => {
        const result = await work(rows)
        if (fails && mode === 'write') throw new KmsError('DependencyTimeoutException', 'disk full')
        return result
      }),
  }
  const one = await openEngine(failing)
  fails = true
  const calls = [one.call('CreateKey', {}), one.call('GenerateDataKey', { KeyId, NumberOfBytes: 5 })]
  for (const call of calls) await refused(call, 'DependencyTimeoutException', 'disk full')
  fails = false
  expect((await one.call('ListKeys', {})).Keys).toHaveLength(1)
  expect((await records()).map(({ eventName }) => eventName)).toEqual(['CreateKey', 'ListKeys'])
})
