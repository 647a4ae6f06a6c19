import { beforeEach, describe, expect, it } from 'vitest'
import type { AuditRecord, Engine } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ABSENT, ARN_PREFIX, NOW, newKey, openEngine, refused, rowIdOf, writeRecords } from './engine-setup.ts'

const DAY = 86_400_000
const plaintext = Uint8Array.of(1, 2, 3)
let now: number
let store: Store
let engine: Engine
let KeyId: string
let arn: string

beforeEach(async () => {
  now = NOW
  store = memoryStore()
  engine = await openEngine(store, { clock: () => now })
  KeyId = await newKey(engine)
  arn = `${ARN_PREFIX}key/${KeyId}`
})

async function metadata(): Promise<Readonly<Record<string, unknown>>> {
  return { ...(await engine.call('DescribeKey', { KeyId })).KeyMetadata }
}

async function encrypt(keyId: string = KeyId): Promise<Uint8Array> {
  return (await engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext })).CiphertextBlob
}

async function events(name: string): Promise<readonly AuditRecord[]> {
  return (await engine.audit.list()).map(({ record }) => record).filter(({ eventName }) => eventName === name)
}

describe('enabling and disabling', () => {
  it('end and begin the use of a key, and may be repeated', async () => {
    const blob = await encrypt()
    for (let i = 0; i < 2; i++) await engine.call('DisableKey', { KeyId: arn })
    expect(await metadata()).toMatchObject({ KeyState: 'Disabled', Enabled: false })
    await refused(encrypt(), 'DisabledException', `${arn} is disabled.`)
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'DisabledException', `${arn} is disabled.`)
    for (let i = 0; i < 2; i++) await engine.call('EnableKey', { KeyId })
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled', Enabled: true })
    expect((await engine.call('Decrypt', { CiphertextBlob: blob })).Plaintext).toEqual(plaintext)
  })

  it('take no alias, and know no key that is not there', async () => {
    await refused(engine.call('DisableKey', { KeyId: 'alias/a' }), 'NotFoundException', `Invalid keyId 'alias/a'`)
    await refused(engine.call('EnableKey', { KeyId: ABSENT }), 'NotFoundException', /does not exist$/)
  })
})

describe('descriptions and tags', () => {
  it('are replaced, set and removed', async () => {
    await engine.call('UpdateKeyDescription', { KeyId, Description: 'new' })
    expect(await metadata()).toMatchObject({ Description: 'new' })
    await engine.call('TagResource', { KeyId, Tags: [tag('b', '1'), tag('a', '2')] })
    await engine.call('TagResource', { KeyId, Tags: [tag('b', '3')] })
    const list = async () => engine.call('ListResourceTags', { KeyId })
    expect(await list()).toEqual({ Tags: [tag('a', '2'), tag('b', '3')], Truncated: false })
    await engine.call('UntagResource', { KeyId, TagKeys: ['a', 'none'] })
    expect((await list()).Tags).toEqual([tag('b', '3')])
  })

  it('are refused as AWS refuses them, and change nothing', async () => {
    const many = Array.from({ length: 51 }, (_, index) => tag(String(index), ''))
    const call = (Tags: readonly { TagKey: string; TagValue: string }[]) => engine.call('TagResource', { KeyId, Tags })
    await refused(call(many), 'TagException', 'Too many tags')
    await refused(call([tag('a', ''), tag('a', '')]), 'TagException', 'Duplicate tag keys')
    await refused(call([tag('AwS:x', '')]), 'TagException', 'Tags beginning with aws: are reserved')
    await call(many.slice(1))
    await refused(call([tag('one more', '')]), 'TagException', 'Too many tags')
    expect((await engine.call('ListResourceTags', { KeyId })).Tags).toHaveLength(50)
  })

  it('come in pages', async () => {
    const names = ['z', 'ä', 'a b', '9']
    await engine.call('TagResource', { KeyId, Tags: names.map((name) => tag(name, '')) })
    const found: string[] = []
    for (let Marker: string | undefined; ;) {
      const page = await engine.call('ListResourceTags', { KeyId, Limit: 1, Marker })
      found.push(...page.Tags.map(({ TagKey }) => TagKey))
      Marker = page.NextMarker
      if (Marker === undefined) break
    }
    expect(found).toEqual([...names].sort())
    await refused(engine.call('ListResourceTags', { KeyId, Marker: 'x' }), 'InvalidMarkerException')
    await refused(engine.call('ListResourceTags', { KeyId, Limit: 51 }), 'ValidationException', /equal to 50$/)
  })

  function tag(TagKey: string, TagValue: string): { TagKey: string; TagValue: string } {
    return { TagKey, TagValue }
  }
})

describe('aliases', () => {
  beforeEach(() => engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId }))

  it('move to another key, also from one that is pending deletion', async () => {
    const other = await newKey(engine)
    await engine.call('ScheduleKeyDeletion', { KeyId })
    now += 1000
    await engine.call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: other })
    const { Aliases } = await engine.call('ListAliases', { KeyId: other })
    expect(Aliases).toMatchObject([{ AliasName: 'alias/a', TargetKeyId: other, LastUpdatedDate: new Date(now) }])
    expect((await engine.call('ListAliases', { KeyId })).Aliases).toEqual([])
    await engine.call('Encrypt', { KeyId: 'alias/a', Plaintext: plaintext })
    const back = engine.call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
    await refused(back, 'KMSInvalidStateException', `${arn} is pending deletion.`)
    await engine.call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: other })
    expect((await engine.call('ListAliases', {})).Aliases).toHaveLength(1)
  })

  it('are deleted without their key, and then are free', async () => {
    await engine.call('DeleteAlias', { AliasName: 'alias/a' })
    const message = `Alias ${ARN_PREFIX}alias/a is not found.`
    await refused(engine.call('DescribeKey', { KeyId: 'alias/a' }), 'NotFoundException', message)
    await refused(engine.call('DeleteAlias', { AliasName: 'alias/a' }), 'NotFoundException', message)
    await refused(
      engine.call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId }),
      'NotFoundException',
      message,
    )
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: await newKey(engine) })
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled' })
  })

  it('of AWS are not touched', async () => {
    const AliasName = 'alias/aws/s3'
    await refused(engine.call('DeleteAlias', { AliasName }), 'NotAuthorizedException')
    await refused(engine.call('UpdateAlias', { AliasName, TargetKeyId: KeyId }), 'NotAuthorizedException')
  })
})

describe('deletion', () => {
  it('ends a key with all that is its own, when the waiting period is over and not before', async () => {
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
    await engine.call('RotateKeyOnDemand', { KeyId })
    const blob = await encrypt()
    const answer = await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    const DeletionDate = new Date(NOW + 7 * DAY)
    expect(answer).toEqual({ KeyId: arn, DeletionDate, KeyState: 'PendingDeletion', PendingWindowInDays: 7 })
    expect(await metadata()).toMatchObject({ KeyState: 'PendingDeletion', Enabled: false, DeletionDate })
    await refused(encrypt(), 'KMSInvalidStateException', `${arn} is pending deletion.`)
    now += 7 * DAY - 1
    await metadata()
    now += 1
    await refused(metadata(), 'NotFoundException', `Key '${arn}' does not exist`)
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'NotFoundException')
    await refused(engine.call('DescribeKey', { KeyId: 'alias/a' }), 'NotFoundException')
    expect((await engine.call('ListKeys', {})).Keys).toEqual([])
    const left = await store.transaction('read', async (rows) => {
      const tables = ['key', 'material', 'alias', 'usage', 'due'] as const
      return Promise.all(tables.map(async (table) => rows.list(table, { prefix: '', limit: 9 })))
    })
    expect(left.flat()).toEqual([])
    const [ended, ...more] = await events('DeleteKey')
    expect(more).toEqual([])
    expect(ended).toMatchObject({
      eventType: 'AwsServiceEvent',
      serviceEventDetails: { keyId: KeyId },
      resources: [{ ARN: arn }],
    })
  })

  it('is ended by the timer as well, which says when it is needed next', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId })
    expect(await engine.runDueWork()).toBe(NOW + 30 * DAY)
    now += 31 * DAY
    expect(await engine.runDueWork()).toBeUndefined()
    expect(await events('DeleteKey')).toHaveLength(1)
  })

  it('is ended for a key whose entry in the schedule was taken away', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId })
    await store.transaction('write', async (rows) => {
      for (const { id } of await rows.list('due', { prefix: '', limit: 9 })) await rows.delete('due', id)
    })
    now += 30 * DAY
    await refused(metadata(), 'NotFoundException')
  })

  it('can be cancelled: the key is disabled then', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId })
    await refused(
      engine.call('ScheduleKeyDeletion', { KeyId }),
      'KMSInvalidStateException',
      `${arn} is pending deletion.`,
    )
    expect(await engine.call('CancelKeyDeletion', { KeyId })).toEqual({ KeyId: arn })
    expect(await metadata()).toMatchObject({ KeyState: 'Disabled' })
    expect(await metadata()).not.toHaveProperty('DeletionDate')
    now += 40 * DAY
    expect(await engine.runDueWork()).toBeUndefined()
    await refused(
      engine.call('CancelKeyDeletion', { KeyId }),
      'KMSInvalidStateException',
      `${arn} is not pending deletion.`,
    )
    await engine.call('EnableKey', { KeyId })
    await encrypt()
  })

  it.each([1, 6, 31, 365])('takes no %i days', async (PendingWindowInDays) => {
    await refused(engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays }), 'ValidationException')
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled' })
  })

  it('waits when the clock jumped, until that is confirmed', async () => {
    let monotonic = 0
    engine = await openEngine(store, { clock: () => now, monotonicClock: () => monotonic })
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    now += 8 * DAY
    monotonic += DAY
    expect(await engine.runDueWork()).toBe(now + 60_000)
    await refused(metadata(), 'KMSInvalidStateException', /clock/)
    await refused(encrypt(), 'KMSInvalidStateException')
    engine.confirmTime()
    await refused(metadata(), 'NotFoundException')
    expect(await events('DeleteKey')).toHaveLength(1)
    now += DAY
    expect(await engine.runDueWork()).toBeUndefined()
  })

  it('is not kept from a key by another one that cannot be read', async () => {
    const other = await newKey(engine)
    for (const key of [KeyId, other]) await engine.call('ScheduleKeyDeletion', { KeyId: key, PendingWindowInDays: 7 })
    await store.transaction('write', async (rows) => {
      const row = await rows.get('key', rowIdOf(KeyId))
      await rows.put('key', { ...row!, body: row!.body.replace('Enabled', 'Disabled') })
    })
    now += 7 * DAY
    expect(await engine.runDueWork()).toBe(now + 60_000)
    await refused(engine.call('DescribeKey', { KeyId: other }), 'NotFoundException')
    await refused(metadata(), 'KMSInternalException', /is not authentic/)
  })
})

describe('rotation', () => {
  const materialOf = async (): Promise<string> => String((await metadata()).CurrentKeyMaterialId)

  it('gives new material on demand; the old one decrypts for ever', async () => {
    const first = await materialOf()
    const blob = await encrypt()
    expect(await engine.call('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId: arn })
    const second = await materialOf()
    expect(second).not.toBe(first)
    expect(await engine.call('Decrypt', { CiphertextBlob: blob })).toMatchObject({
      KeyMaterialId: first,
      Plaintext: plaintext,
    })
    expect(await engine.call('Decrypt', { CiphertextBlob: await encrypt() })).toMatchObject({ KeyMaterialId: second })
    const rotation = {
      KeyId,
      KeyMaterialId: second,
      KeyMaterialState: 'CURRENT',
      RotationDate: new Date(NOW),
      RotationType: 'ON_DEMAND',
    }
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toEqual([rotation])
    const all = await engine.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })
    expect(all.Rotations).toEqual([{ KeyId, KeyMaterialId: first, KeyMaterialState: 'NON_CURRENT' }, rotation])
    const page = await engine.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1 })
    expect(page).toMatchObject({ Truncated: true, Rotations: [{ KeyMaterialId: first }] })
  })

  it('is done on demand 25 times', async () => {
    for (let i = 0; i < 25; i++) await engine.call('RotateKeyOnDemand', { KeyId })
    const message = `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn}`
    await refused(engine.call('RotateKeyOnDemand', { KeyId }), 'LimitExceededException', message)
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toHaveLength(25)
  })

  it('comes by itself at its date, and again a period later', async () => {
    const materials = [await materialOf()]
    const blob = await encrypt()
    await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
    const NextRotationDate = new Date(NOW + 90 * DAY)
    expect(await engine.call('GetKeyRotationStatus', { KeyId })).toEqual({
      KeyId: arn,
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate,
    })
    await engine.call('RotateKeyOnDemand', { KeyId })
    materials.push(await materialOf())
    expect(await engine.call('GetKeyRotationStatus', { KeyId })).toMatchObject({ NextRotationDate })
    for (let period = 1; period <= 2; period++) {
      now = NOW + period * 90 * DAY - 1
      expect(await materialOf()).toBe(materials.at(-1))
      now += 1
      materials.push(await materialOf())
    }
    expect(new Set(materials).size).toBe(4)
    expect((await engine.call('Decrypt', { CiphertextBlob: blob })).Plaintext).toEqual(plaintext)
    const [, rotated, again] = (await engine.call('ListKeyRotations', { KeyId })).Rotations
    expect([rotated, again]).toMatchObject([
      { RotationType: 'AUTOMATIC', RotationDate: NextRotationDate, KeyMaterialState: 'NON_CURRENT' },
      { RotationType: 'AUTOMATIC', RotationDate: new Date(NOW + 180 * DAY), KeyMaterialState: 'CURRENT' },
    ])
    expect(await events('RotateKey')).toMatchObject([{ serviceEventDetails: { keyId: KeyId } }, {}])
  })

  it('happens once for many periods that nobody saw, and keeps to its dates', async () => {
    await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 })
    now = NOW + 350 * DAY
    const { NextRotationDate } = await engine.call('GetKeyRotationStatus', { KeyId })
    expect(NextRotationDate).toEqual(new Date(NOW + 400 * DAY))
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toHaveLength(1)
  })

  it('waits for a disabled key to be enabled', async () => {
    await engine.call('EnableKeyRotation', { KeyId })
    await engine.call('DisableKey', { KeyId })
    now += 400 * DAY
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toEqual([])
    await refused(engine.call('EnableKeyRotation', { KeyId }), 'DisabledException')
    await engine.call('EnableKey', { KeyId })
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toHaveLength(1)
  })

  it('is off while a deletion is pending, and goes on after its cancelling', async () => {
    await engine.call('EnableKeyRotation', { KeyId })
    await engine.call('ScheduleKeyDeletion', { KeyId })
    expect(await engine.call('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: arn, KeyRotationEnabled: false })
    await engine.call('CancelKeyDeletion', { KeyId })
    expect(await engine.call('GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: true })
  })

  it('can be switched off, and begins anew when it is switched on again', async () => {
    await engine.call('EnableKeyRotation', { KeyId })
    await engine.call('DisableKeyRotation', { KeyId })
    expect(await engine.call('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: arn, KeyRotationEnabled: false })
    now += 10 * DAY
    await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 2560 })
    const { NextRotationDate } = await engine.call('GetKeyRotationStatus', { KeyId })
    expect(NextRotationDate).toEqual(new Date(now + 2560 * DAY))
  })
})

describe('ReEncrypt', () => {
  it('takes a plaintext from one key and context to another', async () => {
    const other = await newKey(engine)
    const { CiphertextBlob } = await engine.call('Encrypt', {
      KeyId,
      Plaintext: plaintext,
      EncryptionContext: { a: '1' },
    })
    const answer = await engine.call('ReEncrypt', {
      CiphertextBlob,
      SourceEncryptionContext: { a: '1' },
      DestinationKeyId: other,
      DestinationEncryptionContext: { b: '2' },
    })
    expect(answer).toMatchObject({
      SourceKeyId: arn,
      KeyId: `${ARN_PREFIX}key/${other}`,
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    })
    const opened = engine.call('Decrypt', { CiphertextBlob: answer.CiphertextBlob, EncryptionContext: { b: '2' } })
    expect(await opened).toMatchObject({ Plaintext: plaintext, KeyMaterialId: answer.DestinationKeyMaterialId })
    const [record] = await events('ReEncrypt')
    expect(record?.resources.map(({ ARN }) => ARN)).toEqual([arn, answer.KeyId])
  })

  it('refuses what Decrypt and Encrypt refuse, on either side', async () => {
    const other = await newKey(engine)
    const CiphertextBlob = await encrypt()
    const call = (input: object) => engine.call('ReEncrypt', { CiphertextBlob, DestinationKeyId: other, ...input })
    await refused(call({ SourceEncryptionContext: { a: '1' } }), 'InvalidCiphertextException', '')
    await refused(call({ SourceKeyId: other }), 'IncorrectKeyException')
    await refused(call({ DestinationKeyId: ABSENT }), 'NotFoundException')
    await refused(call({ DryRun: true }), 'DryRunOperationException')
    await engine.call('DisableKey', { KeyId: other })
    await refused(call({}), 'DisabledException', `${ARN_PREFIX}key/${other} is disabled.`)
    await engine.call('EnableKey', { KeyId: other })
    await engine.call('DisableKey', { KeyId })
    await refused(call({}), 'DisabledException', `${arn} is disabled.`)
  })
})

describe('dry runs', () => {
  it('may leave the ciphertext out', async () => {
    const dry = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }
    await refused(engine.call('Decrypt', { KeyId, ...dry }), 'DryRunOperationException')
    await refused(
      engine.call('ReEncrypt', { SourceKeyId: KeyId, DestinationKeyId: KeyId, ...dry }),
      'DryRunOperationException',
    )
    await refused(engine.call('Decrypt', dry), 'ValidationException', /^A key ID is required/)
    await refused(engine.call('Decrypt', { KeyId, ...dry, DryRun: false }), 'ValidationException', /^DryRunModifiers/)
    await engine.call('DisableKey', { KeyId })
    await refused(engine.call('Decrypt', { KeyId, ...dry }), 'DisabledException')
  })
})

describe('GenerateRandom', () => {
  it.each([1, 32, 1024])('answers %i bytes', async (NumberOfBytes) => {
    const answers = [1, 2].map(async () => (await engine.call('GenerateRandom', { NumberOfBytes })).Plaintext)
    const [one, two] = await Promise.all(answers)
    expect(one).toHaveLength(NumberOfBytes)
    if (NumberOfBytes > 1) expect(one).not.toEqual(two)
  })

  it('wants to know how many, and of which store', async () => {
    await refused(engine.call('GenerateRandom', {}), 'ValidationException', 'NumberOfBytes is required.')
    const CustomKeyStoreId = 'cks-1'
    await refused(
      engine.call('GenerateRandom', { NumberOfBytes: 1, CustomKeyStoreId }),
      'CustomKeyStoreNotFoundException',
    )
  })
})

describe('GetKeyLastUsage', () => {
  it('answers the last successful use, with its record', async () => {
    const dates = { TrackingStartDate: new Date(NOW), KeyCreationDate: new Date(NOW) }
    expect(await engine.call('GetKeyLastUsage', { KeyId })).toEqual({ KeyId: arn, ...dates })
    now += 1000
    const blob = await encrypt()
    now += 1000
    await refused(
      engine.call('Decrypt', { CiphertextBlob: blob, EncryptionContext: { a: 'b' } }),
      'InvalidCiphertextException',
      '',
    )
    await refused(engine.call('Decrypt', { CiphertextBlob: blob, DryRun: true }), 'DryRunOperationException')
    const [record] = await events('Encrypt')
    expect(await engine.call('GetKeyLastUsage', { KeyId })).toEqual({
      KeyId: arn,
      ...dates,
      KeyLastUsage: {
        Operation: 'Encrypt',
        Timestamp: new Date(NOW + 1000),
        CloudTrailEventId: record?.eventID,
        KmsRequestId: record?.requestID,
      },
    })
    const together = await Promise.all([
      engine.call('Decrypt', { CiphertextBlob: blob }),
      engine.call('GetKeyLastUsage', { KeyId }),
    ])
    expect(together[1].KeyLastUsage?.Operation).toBe('Decrypt')
  })
})

it('keeps the record of a key within one call of another Region', async () => {
  const two = await openEngine(memoryStore(), { regions: ['eu-central-1', 'us-west-2'] })
  const { KeyMetadata } = await two.call('CreateKey', {}, { region: 'us-west-2' })
  expect(KeyMetadata.Arn).toMatch(/^arn:aws:kms:us-west-2:/)
  await refused(two.call('DescribeKey', { KeyId: KeyMetadata.KeyId }), 'NotFoundException')
  await two.call('DescribeKey', { KeyId: KeyMetadata.KeyId }, { region: 'us-west-2' })
  await expect(two.call('ListKeys', {}, { region: 'eu-west-1' })).rejects.toThrow(RangeError)
  expect(two.regions).toEqual(['eu-central-1', 'us-west-2'])
})

it('counts a key that has ended no more', async () => {
  await writeRecords(store, async (records) => {
    const id = rowIdOf('').slice(0, -1)
    const scope = await records.get('meta', id)
    await records.put('meta', id, { keys: 100_000 }, scope)
  })
  await refused(engine.call('CreateKey', {}), 'LimitExceededException')
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  now += 7 * DAY
  await newKey(engine)
})
