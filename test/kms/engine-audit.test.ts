import { beforeEach, describe, expect, it } from 'vitest'
import { KmsError } from '../../kms/errors.ts'
import type { AuditRecord, Engine, Principal } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import type { Row } from '../../kms/store/store.ts'
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
