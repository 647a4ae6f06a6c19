import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { ARN_PREFIX, NOW, newKey, openEngine, refused } from './engine-setup.ts'
import {
  FIRST,
  type ImportingKey,
  importMaterial,
  NEVER,
  openImportingKey,
  reuseWrappingKeys,
  SECOND,
  THIRD,
  wrapFor,
} from './import-setup.ts'
import { DAY, PLAINTEXT } from './one-key-setup.ts'

const PENDING = /is pending import\.$/

let kms: ImportingKey
let engine: Engine
let KeyId: string
let arn: string

beforeAll(() => {
  reuseWrappingKeys()
})

beforeEach(async () => {
  kms = await openImportingKey()
  ;({ engine, KeyId, arn } = kms)
})

describe('ImportKeyMaterial', () => {
  it('takes 32 bytes for symmetric encryption keys', async () => {
    for (const length of [1, 16, 31, 33, 64]) {
      await refused(importMaterial(engine, KeyId, new Uint8Array(length)), 'IncorrectKeyMaterialException')
    }
    expect(await kms.rowsOf('material')).toEqual([])
  })

  it('takes a date that is to come, within a year, unless the material does not expire', async () => {
    const importing = (options: object) => importMaterial(engine, KeyId, FIRST, options)
    const missing = 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'
    await refused(importing({}), 'ValidationException', missing)
    await refused(importing({ ExpirationModel: 'KEY_MATERIAL_EXPIRES' }), 'ValidationException', missing)
    for (const time of [0, NOW, NOW + 365 * DAY + 1]) {
      await refused(importing({ ValidTo: new Date(time) }), 'ValidationException', /in the future, and at most 365/)
    }
    await refused(importing({ ...NEVER, ValidTo: new Date(NOW + 1) }), 'ValidationException', /must not be set/)
    for (const time of [NOW + 365 * DAY, NOW + 1]) {
      await importing({ ValidTo: new Date(time) })
      expect(await kms.metadata()).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(time) })
    }
  })

  it('takes nothing but the same again, before it was deleted and after', async () => {
    await importMaterial(engine, KeyId, FIRST)
    const blob = await kms.encrypt()
    await refused(importMaterial(engine, KeyId, SECOND), 'IncorrectKeyMaterialException')
    await engine.call('DeleteImportedKeyMaterial', { KeyId })
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'KMSInvalidStateException', PENDING)
    await refused(importMaterial(engine, KeyId, SECOND), 'IncorrectKeyMaterialException')
    const named = { ...NEVER, KeyMaterialId: 'a'.repeat(64) }
    await refused(importMaterial(engine, KeyId, FIRST, named), 'IncorrectKeyMaterialException')
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingImport', Enabled: false })
    await importMaterial(engine, KeyId, FIRST)
    expect(await kms.decrypted(blob)).toEqual(PLAINTEXT)
  })

  it('leaves a disabled key disabled', async () => {
    await importMaterial(engine, KeyId, FIRST)
    await engine.call('DisableKey', { KeyId })
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + DAY) })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Disabled', ValidTo: new Date(NOW + DAY) })
  })

  it('enables a disabled key whose material went and came back', async () => {
    await importMaterial(engine, KeyId, FIRST)
    await engine.call('DisableKey', { KeyId })
    await engine.call('DeleteImportedKeyMaterial', { KeyId })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingImport', Enabled: false })
    await importMaterial(engine, KeyId, FIRST)
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Enabled', Enabled: true })
  })

  it('refuses an id with NEW_KEY_MATERIAL, and EXISTING_KEY_MATERIAL the first time', async () => {
    const isNew = { ...NEVER, ImportType: 'NEW_KEY_MATERIAL', KeyMaterialId: 'a'.repeat(64) }
    await refused(importMaterial(engine, KeyId, FIRST, isNew), 'ValidationException', /NEW_KEY_MATERIAL$/)
    const existing = { ...NEVER, ImportType: 'EXISTING_KEY_MATERIAL' }
    await refused(importMaterial(engine, KeyId, FIRST, existing), 'IncorrectKeyMaterialException')
  })

  it('has no types, descriptions and ids for keys that are not for symmetric encryption', async () => {
    const id = await newKey(engine, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'EXTERNAL' })
    for (const option of [
      { ImportType: 'NEW_KEY_MATERIAL' },
      { KeyMaterialDescription: 'd' },
      { KeyMaterialId: 'a'.repeat(64) },
    ]) {
      const importing = importMaterial(engine, id, FIRST, { ...NEVER, ...option })
      await refused(
        importing,
        'ValidationException',
        /for symmetric encryption keys only, not for key spec HMAC_256\.$/,
      )
    }
  })

  it('imports once when it is called twice at once', async () => {
    const wrapped = { ...(await wrapFor(engine, KeyId, FIRST)), ...NEVER }
    const answers = await Promise.all([1, 2].map(() => engine.call('ImportKeyMaterial', wrapped)))
    expect(answers[0]).toEqual(answers[1])
    const rivals = await Promise.allSettled(
      [SECOND, THIRD].map(async (material) =>
        importMaterial(engine, KeyId, material, { ...NEVER, ImportType: 'NEW_KEY_MATERIAL' }),
      ),
    )
    expect(rivals.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await kms.rotations()).toHaveLength(2)
  })

  it('is in the log, without what was imported and how it came', async () => {
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + DAY) })
    const [parameters] = await kms.events('GetParametersForImport')
    expect(parameters).toMatchObject({
      readOnly: true,
      requestParameters: { keyId: KeyId, wrappingAlgorithm: 'RSAES_OAEP_SHA_256', wrappingKeySpec: 'RSA_2048' },
      responseElements: null,
    })
    const [imported] = await kms.events('ImportKeyMaterial')
    expect(imported?.requestParameters).toEqual({ keyId: KeyId, validTo: new Date(NOW + DAY).toISOString() })
    expect(imported).toMatchObject({ readOnly: false, resources: [{ ARN: arn }] })
  })
})

describe('new material', () => {
  const isNew = { ...NEVER, ImportType: 'NEW_KEY_MATERIAL' }

  it('waits for RotateKeyOnDemand, one at a time', async () => {
    const first = await importMaterial(engine, KeyId, FIRST, { ...isNew, KeyMaterialDescription: 'the first' })
    const old = await kms.encrypt()
    const message = `No available key material pending rotation for the key: ${arn}.`
    await refused(engine.call('RotateKeyOnDemand', { KeyId }), 'KMSInvalidStateException', message)
    const second = await importMaterial(engine, KeyId, SECOND, isNew)
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Enabled', CurrentKeyMaterialId: first.KeyMaterialId })
    await refused(
      importMaterial(engine, KeyId, THIRD, isNew),
      'KMSInvalidStateException',
      new RegExp(
        `^New key material \\(id: [0-9a-f]{64}\\) cannot be imported into KMS key ${arn}, ` +
          `because another key material \\(id: ${second.KeyMaterialId}\\) is pending rotation\\.$`,
      ),
    )
    await refused(importMaterial(engine, KeyId, FIRST, isNew), 'IncorrectKeyMaterialException')
    const entry = { KeyId, ImportState: 'IMPORTED', ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
    const [a, b] = [first.KeyMaterialId, second.KeyMaterialId]
    const described = { ...entry, KeyMaterialId: a, KeyMaterialDescription: 'the first' }
    expect(await kms.rotations()).toEqual([
      { ...described, KeyMaterialState: 'CURRENT' },
      { ...entry, KeyMaterialId: b, KeyMaterialState: 'PENDING_ROTATION' },
    ])
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toEqual([])

    kms.now += 5
    expect(await engine.call('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId: arn })
    const rotated = { RotationDate: new Date(NOW + 5), RotationType: 'ON_DEMAND' }
    expect(await kms.rotations()).toEqual([
      { ...described, KeyMaterialState: 'NON_CURRENT' },
      { ...entry, KeyMaterialId: b, KeyMaterialState: 'CURRENT', ...rotated },
    ])
    expect(await kms.metadata()).toMatchObject({ CurrentKeyMaterialId: b })
    for (const blob of [old, await kms.encrypt()]) expect(await kms.decrypted(blob)).toEqual(PLAINTEXT)
    await importMaterial(engine, KeyId, THIRD, isNew)
  })

  it('leaves nothing when it is deleted or expires before, and the key as it was', async () => {
    await importMaterial(engine, KeyId, FIRST)
    const { KeyMaterialId } = await importMaterial(engine, KeyId, SECOND, isNew)
    await engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    expect(await kms.rotations()).toHaveLength(1)
    await importMaterial(engine, KeyId, THIRD, { ImportType: 'NEW_KEY_MATERIAL', ValidTo: new Date(NOW + 10) })
    expect(await kms.metadata()).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' })
    kms.now += 10
    expect(await kms.rotations()).toHaveLength(1)
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Enabled' })
    expect(await kms.rowsOf('material')).toHaveLength(1)
  })

  it('is needed like the old, once it is the key’s: all of it, for the key to be enabled', async () => {
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + 3 * DAY) })
    const old = await kms.encrypt()
    await importMaterial(engine, KeyId, SECOND, { ImportType: 'NEW_KEY_MATERIAL', ValidTo: new Date(NOW + 2 * DAY) })
    await engine.call('RotateKeyOnDemand', { KeyId })
    expect(await kms.metadata()).toMatchObject({ ValidTo: new Date(NOW + 2 * DAY) })
    kms.now += 3 * DAY
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingImport' })
    expect(await kms.rotations()).toMatchObject([{ ImportState: 'PENDING_IMPORT' }, { ImportState: 'PENDING_IMPORT' }])
    await importMaterial(engine, KeyId, SECOND)
    await refused(kms.encrypt(), 'KMSInvalidStateException', PENDING)
    await importMaterial(engine, KeyId, FIRST)
    expect(await kms.decrypted(old)).toEqual(PLAINTEXT)
  })
})

describe('DeleteImportedKeyMaterial', () => {
  it('deletes the current material unless another is named', async () => {
    expect(await engine.call('DeleteImportedKeyMaterial', { KeyId })).toEqual({ KeyId: arn })
    const first = await importMaterial(engine, KeyId, FIRST)
    await importMaterial(engine, KeyId, SECOND, { ...NEVER, ImportType: 'NEW_KEY_MATERIAL' })
    await engine.call('RotateKeyOnDemand', { KeyId })
    const current = (await kms.metadata()).CurrentKeyMaterialId
    for (let i = 0; i < 2; i++) {
      const answer = await engine.call('DeleteImportedKeyMaterial', { KeyId })
      expect(answer).toEqual({ KeyId: arn, KeyMaterialId: current })
    }
    expect((await kms.rowsOf('material')).map(({ id }) => id.split('/').at(-1))).toEqual([first.KeyMaterialId])
    const found = await kms.metadata()
    expect(found).toMatchObject({ KeyState: 'PendingImport', CurrentKeyMaterialId: current })
    for (const member of ['ExpirationModel', 'ValidTo']) expect(found).not.toHaveProperty(member)
    await engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: first.KeyMaterialId })
    expect(await kms.rowsOf('material')).toEqual([])
    const absent = engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: 'a'.repeat(64) })
    await refused(absent, 'NotFoundException', `Key material ${'a'.repeat(64)} of key ${arn} does not exist.`)
  })

  it('leaves a key that is pending deletion so, which waits for material when that is cancelled', async () => {
    await importMaterial(engine, KeyId, FIRST)
    await engine.call('ScheduleKeyDeletion', { KeyId })
    await engine.call('DeleteImportedKeyMaterial', { KeyId })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingDeletion' })
    await engine.call('CancelKeyDeletion', { KeyId })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingImport' })
    await importMaterial(engine, KeyId, FIRST)
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Enabled' })
  })

  it('is not for keys of this KMS’s own material', async () => {
    const own = await newKey(engine)
    const message = `${ARN_PREFIX}key/${own} origin is AWS_KMS which is not valid for this operation.`
    const deleting = engine.call('DeleteImportedKeyMaterial', { KeyId: own })
    await refused(deleting, 'UnsupportedOperationException', message)
  })
})

describe('the expiry of material', () => {
  it('deletes it at its time, by due work and at the key’s next use', async () => {
    const { KeyMaterialId } = await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + DAY / 2) })
    const blob = await kms.encrypt()
    kms.now += DAY / 2 - 1
    expect(await kms.decrypted(blob)).toEqual(PLAINTEXT)
    expect(await engine.runDueWork()).toBe(NOW + DAY / 2)
    kms.now += 1
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'KMSInvalidStateException', PENDING)
    expect(await kms.rowsOf('material')).toEqual([])
    expect(await kms.events('DeleteExpiredKeyMaterial')).toMatchObject([
      {
        eventType: 'AwsServiceEvent',
        readOnly: false,
        userIdentity: { invokedBy: 'AWS Internal' },
        resources: [{ ARN: arn }],
        serviceEventDetails: { keyId: KeyId, keyMaterialId: KeyMaterialId },
      },
    ])
    await importMaterial(engine, KeyId, FIRST)
    expect(await kms.decrypted(blob)).toEqual(PLAINTEXT)
  })

  it('waits while the clock is in doubt, and the key cannot be used meanwhile', async () => {
    let monotonic = 0
    const doubting = await openEngine(kms.store, { clock: () => kms.now, monotonicClock: () => monotonic })
    await importMaterial(doubting, KeyId, FIRST, { ValidTo: new Date(NOW + DAY / 2) })
    kms.now += DAY / 2
    await doubting.runDueWork()
    expect(await kms.rowsOf('material')).toHaveLength(1)
    const encrypting = doubting.call('Encrypt', { KeyId, Plaintext: PLAINTEXT })
    await refused(encrypting, 'KMSInvalidStateException', 'The key is due, and its clock is not confirmed.')
    doubting.confirmTime()
    monotonic += 1
    kms.now += 60_000
    await doubting.runDueWork()
    expect(await kms.rowsOf('material')).toEqual([])
  })

  it('goes on while the key is pending deletion', async () => {
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + DAY / 2) })
    await engine.call('ScheduleKeyDeletion', { KeyId })
    kms.now += DAY / 2
    await engine.runDueWork()
    expect(await kms.rowsOf('material')).toEqual([])
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingDeletion' })
    kms.now += 30 * DAY
    await engine.runDueWork()
    await refused(engine.call('DescribeKey', { KeyId }), 'NotFoundException')
  })
})
