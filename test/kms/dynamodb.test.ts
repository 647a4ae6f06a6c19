import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { dynamoDbBranchKeyItems, type DynamoDbBranchKeyItemsOptions } from '../../kms/hierarchical/dynamodb.ts'
import type { DynamoDbBranchKeyItems } from '../../kms/hierarchical/dynamodb.ts'
import { hierarchicalKeyring, kmsBranchKeys, type BranchKeyAdministration } from '../../kms/hierarchical/index.ts'
import { decrypt, encrypt, WaxsealError } from '../../src/index.ts'
import { CREDENTIALS, DynaliteProxy } from './dynalite-proxy.ts'
import { failure, plaintext } from '../unit/src-setup.ts'
import { arns, provider } from './keyring-setup.ts'

const [keyArn] = arns
const proxy = new DynaliteProxy()
let endpoint: string
let items: DynamoDbBranchKeyItems
let store: BranchKeyAdministration

function open(options: Partial<DynamoDbBranchKeyItemsOptions> = {}): DynamoDbBranchKeyItems {
  const region = 'eu-central-1'
  const retryDelay = (): number => 0
  return dynamoDbBranchKeyItems({ table: 'keys', region, endpoint, credentials: CREDENTIALS, retryDelay, ...options })
}

/** Asks the database, as somebody else does. */
async function ask(target: string, body: object): Promise<Record<string, unknown>> {
  const { AwsApi } = await import('../../kms/providers/aws-api.ts')
  const options = { region: 'eu-central-1', endpoint, credentials: CREDENTIALS }
  const service = {
    title: 'DynamoDB',
    name: 'dynamodb',
    target: 'DynamoDB_20120810',
    contentType: 'application/x-amz-json-1.0',
  }
  return new AwsApi(options, service).call(target, body, undefined)
}

beforeAll(async () => {
  endpoint = await proxy.start()
  items = open()
  await items.createTable()
  store = kmsBranchKeys({ name: 'logical', items, provider, keyArn })
})

beforeEach(() => {
  proxy.targets.length = 0
})

afterAll(() => {
  proxy.stop()
})

describe('the table', () => {
  it('is made with the keys of the specification, and found again', async () => {
    const { Table } = await ask('DescribeTable', { TableName: 'keys' })
    expect(Table).toMatchObject({
      KeySchema: [
        { AttributeName: 'branch-key-id', KeyType: 'HASH' },
        { AttributeName: 'type', KeyType: 'RANGE' },
      ],
    })
    const arn = await items.createTable()
    expect(arn).toMatch(/^arn:aws:dynamodb:.*:table\/keys$/)
    expect(proxy.targets).toEqual(['DescribeTable', 'DescribeTable'])
  })

  it('is refused when it has other keys', async () => {
    await ask('CreateTable', {
      TableName: 'other',
      KeySchema: [{ AttributeName: 'branch-key-id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'branch-key-id', AttributeType: 'S' }],
      ProvisionedThroughput: { ReadCapacityUnits: 1, WriteCapacityUnits: 1 },
    })
    expect(await failure(open({ table: 'other' }).createTable())).toMatchObject({ code: 'ERR_WAXSEAL_FORMAT' })
  })

  it('that is not there is named by the exception', async () => {
    const absent = kmsBranchKeys({ name: 'logical', items: open({ table: 'none' }), provider, keyArn })
    const error = await failure(absent.getActiveBranchKey({ branchKeyId: 'x' }))
    expect(error).toMatchObject({ name: 'ResourceNotFoundException', code: 'ERR_WAXSEAL_KMS' })
  })
})

describe.each([1, 2] as const)('branch keys of hierarchy version %i', (hierarchyVersion) => {
  it('are three items, of the types that others expect', async () => {
    const encryptionContext = { department: 'admin' }
    const id = await store.createKey({ branchKeyId: `b${hierarchyVersion}`, encryptionContext, hierarchyVersion })
    expect(proxy.targets).toEqual(['TransactWriteItems'])
    const query = { KeyConditionExpression: '#i = :i', ExpressionAttributeNames: { '#i': 'branch-key-id' } }
    const { Items } = await ask('Query', {
      TableName: 'keys',
      ...query,
      ExpressionAttributeValues: { ':i': { S: id } },
    })
    const found = Items as readonly Record<string, Record<string, string>>[]
    expect(found.map(({ type }) => type?.S?.replace(/[0-9a-f-]{36}/, 'V')).sort()).toEqual([
      'beacon:ACTIVE',
      'branch:ACTIVE',
      'branch:version:V',
    ])
    for (const { enc, version, ...item } of found) {
      expect(Object.keys(enc ?? {})).toEqual(['B'])
      expect(version !== undefined).toBe(item.type?.S === 'branch:ACTIVE')
      expect(item).toMatchObject({
        'branch-key-id': { S: id },
        'hierarchy-version': { N: String(hierarchyVersion) },
        'kms-arn': { S: keyArn },
        'create-time': { S: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/) as string },
        'aws-crypto-ec:department': { S: 'admin' },
      })
    }
  })

  it('serve a keyring, through new versions', async () => {
    const branchKeyId = await store.createKey({ hierarchyVersion })
    const keyring = (): ReturnType<typeof hierarchicalKeyring> =>
      hierarchicalKeyring({ branchKeyStore: store, branchKeyId, ttl: 60 })
    const first = await encrypt(keyring(), plaintext)
    await store.versionKey({ branchKeyId })
    const second = await encrypt(keyring(), plaintext)
    for (const message of [first, second]) {
      expect((await decrypt(keyring(), message)).plaintext).toEqual(plaintext)
    }
    expect((await store.getBeaconKey({ branchKeyId })).beaconKey).toHaveLength(32)
    const old = await store.getBranchKeyVersion({
      branchKeyId,
      version: (await store.getActiveBranchKey({ branchKeyId })).version,
    })
    expect(old).toEqual(await store.getActiveBranchKey({ branchKeyId }))
  })

  it('are refused when an attribute was changed, added or removed', async () => {
    const encryptionContext = { department: 'admin' }
    const branchKeyId = `changed${hierarchyVersion}`
    await store.createKey({ branchKeyId, encryptionContext, hierarchyVersion })
    const Key = { 'branch-key-id': { S: branchKeyId }, type: { S: 'branch:ACTIVE' } }
    const { Item } = await ask('GetItem', { TableName: 'keys', Key })
    const good = Item as Record<string, object>
    const { 'aws-crypto-ec:department': removed, ...without } = good
    expect(removed).toEqual({ S: 'admin' })
    const wrong: Record<string, object>[] = [
      { ...good, 'create-time': { S: '2023-06-03T19:03:29.358000Z' } },
      { ...good, 'aws-crypto-ec:department': { S: 'root' } },
      { ...good, 'aws-crypto-ec:more': { S: 'x' } },
      { ...good, more: { S: 'x' } },
      { ...good, more: { N: '1' } },
      { ...good, more: { BOOL: true } },
      { ...good, version: { S: 'branch:version:00000000-0000-4000-8000-000000000000' } },
      { ...good, 'hierarchy-version': { N: hierarchyVersion === 1 ? '2' : '1' } },
      { ...good, 'hierarchy-version': { S: String(hierarchyVersion) } },
      { ...good, enc: { S: 'x' } },
      { ...good, enc: { B: 'AAAA' } },
      without,
    ]
    for (const Item of wrong) {
      await ask('PutItem', { TableName: 'keys', Item })
      const codes = [
        await failure(store.getActiveBranchKey({ branchKeyId })),
        await failure(store.versionKey({ branchKeyId })),
      ]
      for (const error of codes) expect(error, JSON.stringify(Item)).toBeInstanceOf(WaxsealError)
    }
    await ask('PutItem', { TableName: 'keys', Item: good })
    expect((await store.getActiveBranchKey({ branchKeyId })).encryptionContext).toEqual(encryptionContext)
  })

  it('are refused in another logical key store', async () => {
    const branchKeyId = await store.createKey({ hierarchyVersion })
    const other = kmsBranchKeys({ name: 'another', items, provider, keyArn })
    expect(await failure(other.getActiveBranchKey({ branchKeyId }))).toBeInstanceOf(WaxsealError)
  })
})

describe('a change', () => {
  it('is made whole or not at all, and never over another one', async () => {
    const encryptionContext = { a: 'b' }
    await store.createKey({ branchKeyId: 'once', encryptionContext })
    const before = await store.getActiveBranchKey({ branchKeyId: 'once' })
    const again = await failure(store.createKey({ branchKeyId: 'once', encryptionContext }))
    expect(again).toMatchObject({ name: 'AlreadyExistsException' })
    expect(await store.getActiveBranchKey({ branchKeyId: 'once' })).toEqual(before)
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => store.versionKey({ branchKeyId: 'once' })))
    const made = outcomes.filter(({ status }) => status === 'fulfilled')
    expect(made.length).toBeGreaterThan(0)
    const { version } = await store.getActiveBranchKey({ branchKeyId: 'once' })
    expect(made.map((outcome) => (outcome as PromiseFulfilledResult<string>).value)).toContain(version)
  })

  it('whose answer is lost is not made twice', async () => {
    const branchKeyId = await store.createKey()
    proxy.lost = 1
    const asked = open()
    const item = { attributes: { 'branch-key-id': branchKeyId, type: 'branch:version:x' }, enc: Uint8Array.of(1) }
    expect(await asked.put([{ item, replaces: undefined }])).toBe(true)
    expect(await asked.put([{ item, replaces: undefined }])).toBe(false)
    expect(await asked.put([{ item, replaces: Uint8Array.of(2) }])).toBe(false)
    expect(await asked.put([{ item: { ...item, enc: Uint8Array.of(3) }, replaces: Uint8Array.of(1) }])).toBe(true)
    expect((await asked.get(branchKeyId, 'branch:version:x'))?.enc).toEqual(Uint8Array.of(3))
  })

  it('waits for what goes by, and reports what does not', async () => {
    const cancelled = (...codes: readonly string[]): readonly [number, object] => {
      const CancellationReasons = codes.map((Code) => ({ Code }))
      return [400, { __type: 'x#TransactionCanceledException', Message: 'cancelled', CancellationReasons }]
    }
    proxy.failures.push(cancelled('None', 'TransactionConflict'), [
      400,
      { __type: 'x#ProvisionedThroughputExceededException' },
    ])
    await store.createKey()
    expect(proxy.targets).toEqual(['TransactWriteItems', 'TransactWriteItems', 'TransactWriteItems'])
    proxy.failures.push(cancelled('ItemCollectionSizeLimitExceeded'))
    expect(await failure(store.createKey())).toMatchObject({ name: 'TransactionCanceledException' })
    expect(proxy.targets).toHaveLength(4)
    proxy.failures.push([400, { __type: 'x#AccessDeniedException', Message: 'no' }])
    expect(await failure(store.createKey())).toMatchObject({ name: 'AccessDeniedException', message: 'no' })
  })

  it('is not asked for when nobody waits for it', async () => {
    const signal = AbortSignal.abort(new Error('no longer wanted'))
    expect(await failure(store.createKey({ signal }))).toMatchObject({ message: 'no longer wanted' })
    expect(await failure(items.get('x', 'y', signal))).toMatchObject({ message: 'no longer wanted' })
    expect(proxy.targets).toEqual([])
  })
})

it('refuses options that are none', () => {
  for (const table of ['', 'x', 'a/b', 'x'.repeat(256)]) expect(() => open({ table })).toThrow(RangeError)
  expect(() => open({ region: 'nowhere' })).toThrow(RangeError)
  expect(() => open({ credentials: {} as never })).toThrow(TypeError)
  expect(() => open({ endpoint: 'http://dynamodb.example' })).toThrow(RangeError)
})
