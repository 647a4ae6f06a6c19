import { beforeAll, describe, expect, it } from 'vitest'
import type { ActionInput, Engine } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import {
  ABSENT,
  ACCOUNT,
  ARN_PREFIX,
  NOW,
  REGION,
  STORES,
  newKey,
  openEngine,
  refused,
  writeRecords,
} from './engine-setup.ts'

const KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const MATERIAL_ID = /^[0-9a-f]{64}$/

describe.each(STORES)('keys on $store', ({ newStore }) => {
  const open = newStore()
  let store: Store
  let engine: Engine

  beforeAll(async () => {
    store = await open()
    engine = await openEngine(store)
    return () => engine.close()
  })

  describe('CreateKey', () => {
    it('answers the metadata of AWS, with nothing that does not apply', async () => {
      const { KeyMetadata } = await engine.call('CreateKey', {})
      const { KeyId } = KeyMetadata
      expect(KeyId).toMatch(KEY_ID)
      expect(KeyMetadata).toEqual({
        AWSAccountId: ACCOUNT,
        Arn: `${ARN_PREFIX}key/${KeyId}`,
        CreationDate: new Date(NOW),
        CurrentKeyMaterialId: expect.stringMatching(MATERIAL_ID) as unknown,
        CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
        Description: '',
        Enabled: true,
        EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
        KeyId,
        KeyManager: 'CUSTOMER',
        KeySpec: 'SYMMETRIC_DEFAULT',
        KeyState: 'Enabled',
        KeyUsage: 'ENCRYPT_DECRYPT',
        MultiRegion: false,
        Origin: 'AWS_KMS',
      })
      expect(await engine.call('DescribeKey', { KeyId })).toEqual({ KeyMetadata })
    })

    it.each<ActionInput<'CreateKey'>>([
      { Description: 'line one\nzweite Zeile \u{1f511}' },
      { Description: 'x'.repeat(8192) },
      { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT', Origin: 'AWS_KMS' },
      { CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' },
      { MultiRegion: false, BypassPolicyLockoutSafetyCheck: false },
      { Tags: [] },
      { Tags: [{ TagKey: 'Purpose', TagValue: '' }] },
      { Tags: Array.from({ length: 50 }, (_, index) => ({ TagKey: `key ${String(index)}`, TagValue: 'v' })) },
    ])('accepts %j', async (input) => {
      const { KeyMetadata } = await engine.call('CreateKey', input)
      expect(KeyMetadata.Description).toBe(input.Description ?? '')
    })

    it.each<[ActionInput<'CreateKey'>, string]>([
      [
        { KeySpec: 'SYMMETRIC_DEFAULT', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' },
        'Specify KeySpec or CustomerMasterKeySpec, not both.',
      ],
      [
        { KeySpec: 'RSA_2048' },
        'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
      ],
      [{ KeyUsage: 'SIGN_VERIFY' }, 'KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT'],
    ])('refuses %j as invalid', async (input, message) => {
      await refused(engine.call('CreateKey', input), 'ValidationException', message)
    })

    it.each<[ActionInput<'CreateKey'>, string]>([
      [{ KeySpec: 'SM2', KeyUsage: 'ENCRYPT_DECRYPT' }, 'KeySpec SM2'],
      [{ Origin: 'EXTERNAL', KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' }, 'Origin EXTERNAL of KeySpec ML_DSA_44'],
    ])('refuses %j as not supported', async (input, what) => {
      const message = `${what} is not supported by this KMS yet.`
      await refused(engine.call('CreateKey', input), 'UnsupportedOperationException', message)
    })

    it.each<[string, readonly string[], string]>([
      ['51 tags', Array.from({ length: 51 }, (_, index) => String(index)), 'Too many tags'],
      ['a tag twice', ['a', 'b', 'a'], 'Duplicate tag keys'],
      ['a reserved tag', ['aws:x'], 'Tags beginning with aws: are reserved'],
      ['a reserved tag in capitals', ['AwS:x'], 'Tags beginning with aws: are reserved'],
    ])('refuses %s', async (_, names, message) => {
      const Tags = names.map((TagKey) => ({ TagKey, TagValue: '' }))
      await refused(engine.call('CreateKey', { Tags }), 'TagException', message)
    })

    it('stops at 100,000 keys of an account and Region', async () => {
      const id = `${ACCOUNT}/${REGION}`
      const full = await open()
      const other = await openEngine(full, { account: '999999999999' })
      await writeRecords(full, (records) => records.put('meta', `999999999999/${REGION}`, { keys: 99_999 }).then())
      await other.call('CreateKey', {})
      const message = 'There are 100000 keys in this account and Region already.'
      await refused(other.call('CreateKey', {}), 'LimitExceededException', message)
      expect((await other.call('ListKeys', {})).Keys).toHaveLength(1)
      if (full !== store) await other.close()
      await writeRecords(store, async (records) => expect(await records.get('meta', id)).toBeDefined())
    })
  })

  describe('a KeyId', () => {
    let keyId: string

    beforeAll(async () => {
      keyId = await newKey(engine)
      await engine.call('CreateAlias', { AliasName: 'alias/forms/a-1_b:c', TargetKeyId: keyId })
    })

    it('is a key id, a key ARN, an alias or an alias ARN, in every action that uses a key', async () => {
      const arn = `${ARN_PREFIX}key/${keyId}`
      for (const KeyId of [keyId, arn, 'alias/forms/a-1_b:c', `${ARN_PREFIX}alias/forms/a-1_b:c`]) {
        expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.Arn).toBe(arn)
        const encrypted = await engine.call('Encrypt', { KeyId, Plaintext: Uint8Array.of(1) })
        expect(encrypted.KeyId).toBe(arn)
        const { CiphertextBlob } = encrypted
        expect((await engine.call('Decrypt', { KeyId, CiphertextBlob })).KeyId).toBe(arn)
        expect((await engine.call('GenerateDataKey', { KeyId, KeySpec: 'AES_256' })).KeyId).toBe(arn)
        const input = { KeyId, NumberOfBytes: 8 }
        expect((await engine.call('GenerateDataKeyWithoutPlaintext', input)).KeyId).toBe(arn)
      }
    })

    const otherAccount = `arn:aws:kms:${REGION}:999999999999:`
    it.each([
      ['an id of no key', ABSENT, `Key '${ARN_PREFIX}key/${ABSENT}' does not exist`],
      ['a multi-Region id of no key', `mrk-${'0'.repeat(32)}`, /^Key '.*' does not exist$/],
      ['an ARN of no key', `${ARN_PREFIX}key/${ABSENT}`, `Key '${ARN_PREFIX}key/${ABSENT}' does not exist`],
      ['no id', 'demo', "Invalid keyId 'demo'"],
      ['32 digits', '0'.repeat(32), `Invalid keyId '${'0'.repeat(32)}'`],
      ['an id in capitals', ABSENT.replace('8', 'A'), /^Invalid keyId/],
      ['an id and a line break', `${ABSENT}\n`, /^Invalid keyId/],
      ['an ARN without an id', `${ARN_PREFIX}key/demo`, "Invalid keyId 'demo'"],
      ['no alias', 'alias/none', `Alias ${ARN_PREFIX}alias/none is not found.`],
      ['an ARN of no alias', `${ARN_PREFIX}alias/none`, `Alias ${ARN_PREFIX}alias/none is not found.`],
      ['an alias in another case', 'alias/FORMS/a-1_b:c', /^Alias .* is not found\.$/],
      ['an alias with a NUL behind it', 'alias/forms/a-1_b:c\0', /^Alias .* is not found\.$/],
      ['another Region', `arn:aws:kms:us-west-2:${ACCOUNT}:key/${ABSENT}`, 'Invalid arn us-west-2'],
      ['an alias of another Region', `arn:aws:kms:us-west-2:${ACCOUNT}:alias/none`, 'Invalid arn us-west-2'],
      ['another account', `${otherAccount}key/${ABSENT}`, `Key '${otherAccount}key/${ABSENT}' does not exist`],
      ['an alias of another account', `${otherAccount}alias/x`, `Alias ${otherAccount}alias/x is not found.`],
      ['another partition', `arn:aws-cn:kms:${REGION}:${ACCOUNT}:key/${ABSENT}`, /does not exist$/],
    ])('that is %s names no key', async (_, KeyId, message) => {
      await refused(engine.call('DescribeKey', { KeyId }), 'NotFoundException', message)
      await refused(engine.call('Encrypt', { KeyId, Plaintext: Uint8Array.of(1) }), 'NotFoundException', message)
    })

    it.each([
      'arn:',
      'arn:aws:kms',
      `arn:aws:s3:${REGION}:${ACCOUNT}:key/${ABSENT}`,
      `arn:aws:kms::${ACCOUNT}:key/${ABSENT}`,
      `arn:aws:kms:${REGION}::key/${ABSENT}`,
      `arn::kms:${REGION}:${ACCOUNT}:key/${ABSENT}`,
      `${ARN_PREFIX}key/`,
      `${ARN_PREFIX}grant/x`,
    ])('%s is an invalid ARN', async (KeyId) => {
      await refused(engine.call('DescribeKey', { KeyId }), 'InvalidArnException', `Invalid arn ${KeyId}`)
    })

    it('of another account or Region on the same store names nothing of this one', async () => {
      for (const options of [{ region: 'eu-central-2' }, { account: '000000000001' }]) {
        const other = await openEngine(store, options)
        await refused(other.call('DescribeKey', { KeyId: keyId }), 'NotFoundException')
        await refused(other.call('DescribeKey', { KeyId: 'alias/forms/a-1_b:c' }), 'NotFoundException')
        expect(await other.call('ListKeys', {})).toEqual({ Keys: [], Truncated: false })
        expect(await other.call('ListAliases', {})).toEqual({ Aliases: [], Truncated: false })
      }
    })
  })
})

describe.each(STORES)('ListKeys on $store', ({ newStore }) => {
  let engine: Engine
  let ids: readonly string[]

  beforeAll(async () => {
    engine = await openEngine(await newStore()())
    expect(await engine.call('ListKeys', {})).toEqual({ Keys: [], Truncated: false })
    ids = (await Promise.all(Array.from({ length: 7 }, () => newKey(engine)))).sort()
    return () => engine.close()
  })

  it.each([1, 2, 3, 6, 7, 8, 1000])('answers all keys once in pages of %i', async (Limit) => {
    const found: string[] = []
    let page = await engine.call('ListKeys', { Limit })
    for (;;) {
      expect(page.Keys.length).toBeLessThanOrEqual(Limit)
      found.push(...page.Keys.map(({ KeyId }) => KeyId))
      if (!page.Truncated) break
      page = await engine.call('ListKeys', { Limit, Marker: page.NextMarker })
    }
    expect(page).not.toHaveProperty('NextMarker')
    expect(found).toEqual(ids)
  })

  it('answers ids and ARNs', async () => {
    const { Keys } = await engine.call('ListKeys', { Limit: 1 })
    expect(Keys).toEqual([{ KeyId: ids[0], KeyArn: `${ARN_PREFIX}key/${String(ids[0])}` }])
  })

  it.each(['x', '%%%', 'YQ==', 'YQ', 'YWxpYXMvYQ', '../..', 'ü'])('refuses the marker %j', async (Marker) => {
    await refused(engine.call('ListKeys', { Marker }), 'InvalidMarkerException')
    await refused(engine.call('ListAliases', { Marker: `${Marker}~` }), 'InvalidMarkerException')
  })

  it('goes on behind a marker whose key is not there', async () => {
    const Marker = Buffer.from(ABSENT).toString('base64url')
    expect((await engine.call('ListKeys', { Marker })).Keys).toHaveLength(ids.filter((id) => id > ABSENT).length)
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
