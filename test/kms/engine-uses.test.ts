import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { ABSENT, ARN_PREFIX, NOW, newKey, refused } from './engine-setup.ts'
import { openOneKey, PLAINTEXT, type OneKey } from './one-key-setup.ts'

let kms: OneKey
let engine: Engine
let KeyId: string
let arn: string

beforeEach(async () => {
  kms = await openOneKey()
  ;({ engine, KeyId, arn } = kms)
})

describe('ReEncrypt', () => {
  it('takes a plaintext from one key and context to another', async () => {
    const other = await newKey(engine)
    const { CiphertextBlob } = await engine.call('Encrypt', {
      KeyId,
      Plaintext: PLAINTEXT,
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
    expect(await opened).toMatchObject({ Plaintext: PLAINTEXT, KeyMaterialId: answer.DestinationKeyMaterialId })
    const [record] = await kms.events('ReEncrypt')
    expect(record?.resources.map(({ ARN }) => ARN)).toEqual([arn, answer.KeyId])
  })

  it('refuses what Decrypt and Encrypt refuse, on either side', async () => {
    const other = await newKey(engine)
    const CiphertextBlob = await kms.encrypt()
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
    kms.now += 1000
    const blob = await kms.encrypt()
    kms.now += 1000
    await refused(
      engine.call('Decrypt', { CiphertextBlob: blob, EncryptionContext: { a: 'b' } }),
      'InvalidCiphertextException',
      '',
    )
    await refused(engine.call('Decrypt', { CiphertextBlob: blob, DryRun: true }), 'DryRunOperationException')
    const [record] = await kms.events('Encrypt')
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
