import { createHash, createHmac } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AuditRecord, Engine } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ARN_PREFIX, NOW, newKey, openEngine, refused } from './engine-setup.ts'
import { importMaterial, NEVER, reuseWrappingKeys, wrapFor } from './import-setup.ts'
import { keyWrapPadded, oaep } from './wrap-material.ts'

const DAY = 86_400_000
const plaintext = Uint8Array.of(1, 2, 3)
const [FIRST, SECOND, THIRD] = ['first', 'second', 'third'].map(materialOf) as [Uint8Array, Uint8Array, Uint8Array]
const PENDING = /is pending import\.$/
let now: number
let store: Store
let engine: Engine
let KeyId: string
let arn: string

function materialOf(text: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(text).digest())
}

beforeAll(() => {
  reuseWrappingKeys()
})

beforeEach(async () => {
  now = NOW
  store = memoryStore()
  engine = await openEngine(store, { clock: () => now })
  KeyId = await newKey(engine, { Origin: 'EXTERNAL' })
  arn = `${ARN_PREFIX}key/${KeyId}`
})

async function metadata(): Promise<Readonly<Record<string, unknown>>> {
  return { ...(await engine.call('DescribeKey', { KeyId })).KeyMetadata }
}

async function encrypt(): Promise<Uint8Array> {
  return (await engine.call('Encrypt', { KeyId, Plaintext: plaintext })).CiphertextBlob
}

async function decrypted(CiphertextBlob: Uint8Array): Promise<Uint8Array> {
  return (await engine.call('Decrypt', { CiphertextBlob })).Plaintext
}

async function rotations(): Promise<readonly object[]> {
  const { Rotations } = await engine.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })
  return Rotations
}

async function events(name: string): Promise<readonly AuditRecord[]> {
  return (await engine.audit.list()).map(({ record }) => record).filter(({ eventName }) => eventName === name)
}

const rowsOf = (table: 'import' | 'material') =>
  store.transaction('read', (rows) => rows.list(table, { prefix: '', limit: 1000 }))

describe('a key of origin EXTERNAL', () => {
  it('waits for its material, and cannot be used before', async () => {
    const found = await metadata()
    expect(found).toMatchObject({ KeyState: 'PendingImport', Enabled: false, Origin: 'EXTERNAL' })
    for (const member of ['CurrentKeyMaterialId', 'ExpirationModel', 'ValidTo'])
      expect(found).not.toHaveProperty(member)
    await refused(encrypt(), 'KMSInvalidStateException', `${arn} is pending import.`)
    await refused(engine.call('RotateKeyOnDemand', { KeyId }), 'KMSInvalidStateException', `${arn} is pending import.`)
    await refused(engine.call('EnableKey', { KeyId }), 'KMSInvalidStateException', PENDING)
    expect(await rotations()).toEqual([])
    expect(await rowsOf('material')).toEqual([])
  })

  it('has no automatic rotation', async () => {
    const message = `${arn} origin is EXTERNAL which is not valid for this operation.`
    await refused(engine.call('EnableKeyRotation', { KeyId }), 'UnsupportedOperationException', message)
    expect(await engine.call('GetKeyRotationStatus', { KeyId })).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  })

  it('encrypts under what is imported, however it was wrapped', async () => {
    const ids = new Set<unknown>()
    for (const keySpec of ['RSA_2048', 'RSA_3072', 'RSA_4096']) {
      for (const algorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']) {
        const answer = await importMaterial(engine, KeyId, FIRST, NEVER, { algorithm, keySpec })
        expect(answer).toEqual({ KeyId: arn, KeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown })
        ids.add(answer.KeyMaterialId)
      }
    }
    expect(ids.size).toBe(1)
    expect(await metadata()).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      CurrentKeyMaterialId: [...ids][0],
    })
    expect(await decrypted(await encrypt())).toEqual(plaintext)
    expect(await rowsOf('material')).toHaveLength(1)
  })

  it('gives the same material another id than another key does, and no ciphertext of that one', async () => {
    const { KeyMaterialId } = await importMaterial(engine, KeyId, FIRST)
    const other = await newKey(engine, { Origin: 'EXTERNAL' })
    expect((await importMaterial(engine, other, FIRST)).KeyMaterialId).not.toBe(KeyMaterialId)
    expect(KeyMaterialId).not.toBe(createHash('sha256').update(FIRST).digest('hex'))
    const blob = await encrypt()
    const decrypting = engine.call('Decrypt', { KeyId: other, CiphertextBlob: blob })
    await refused(decrypting, 'IncorrectKeyException')
  })

  it('is there after the store was closed', async () => {
    await importMaterial(engine, KeyId, FIRST)
    const blob = await encrypt()
    engine = await openEngine(store, { clock: () => now })
    expect(await decrypted(blob)).toEqual(plaintext)
  })

  it('has HMAC material of the lengths that its spec allows', async () => {
    for (const [size, least, most] of [
      [224, 28, 64],
      [256, 32, 64],
      [384, 48, 128],
      [512, 64, 128],
    ] as const) {
      const spec = { KeySpec: `HMAC_${String(size)}`, KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'EXTERNAL' }
      const id = await newKey(engine, spec)
      for (const length of [least - 1, most + 1]) {
        await refused(importMaterial(engine, id, new Uint8Array(length).fill(7)), 'IncorrectKeyMaterialException')
      }
      await importMaterial(engine, id, new Uint8Array(most).fill(7))
      const MacAlgorithm = `HMAC_SHA_${String(size)}`
      const { Mac } = await engine.call('GenerateMac', { KeyId: id, Message: plaintext, MacAlgorithm })
      expect(Buffer.from(Mac)).toEqual(
        createHmac(`sha${String(size)}`, Buffer.alloc(most, 7))
          .update(plaintext)
          .digest(),
      )
      const again = await newKey(engine, spec)
      await importMaterial(engine, again, new Uint8Array(least).fill(7))
      await refused(importMaterial(engine, again, new Uint8Array(least).fill(8)), 'IncorrectKeyMaterialException')
    }
  })
})

describe('GetParametersForImport', () => {
  const parameters = (keyId: string, WrappingAlgorithm: string, WrappingKeySpec = 'RSA_2048') =>
    engine.call('GetParametersForImport', { KeyId: keyId, WrappingAlgorithm, WrappingKeySpec })

  it('answers for a day, and each time another key', async () => {
    const first = await parameters(arn, 'RSAES_OAEP_SHA_256')
    expect(first).toMatchObject({ KeyId: arn, ParametersValidTo: new Date(NOW + DAY) })
    const second = await parameters(KeyId, 'RSAES_OAEP_SHA_256')
    expect(second.PublicKey).not.toEqual(first.PublicKey)
    expect(second.ImportToken).not.toEqual(first.ImportToken)
    expect(await rowsOf('import')).toHaveLength(2)
  })

  it('deletes the private key when its day is over, even while the clock is in doubt', async () => {
    let monotonic = 0
    const doubting = await openEngine(store, { clock: () => now, monotonicClock: () => monotonic })
    await doubting.call('ListKeys', {})
    await importMaterial(doubting, KeyId, FIRST)
    now += DAY - 1
    monotonic += DAY - 1
    await doubting.runDueWork()
    expect(await rowsOf('import')).toHaveLength(1)
    now += 2 * DAY
    expect(await doubting.runDueWork()).toBeUndefined()
    expect(await rowsOf('import')).toEqual([])
    expect((await doubting.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Enabled')
  })

  it('keeps a hundred private keys of a key at most', async () => {
    for (let i = 0; i < 101; i++) await parameters(KeyId, 'RSAES_OAEP_SHA_1')
    expect(await rowsOf('import')).toHaveLength(100)
  })

  it('refuses what does not suit the key', async () => {
    const mac = await newKey(engine, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC', Origin: 'EXTERNAL' })
    const own = await newKey(engine)
    const message = `${ARN_PREFIX}key/${own} origin is AWS_KMS which is not valid for this operation.`
    await refused(parameters(own, 'RSAES_OAEP_SHA_1'), 'UnsupportedOperationException', message)
    for (const [id, algorithm, spec] of [
      [KeyId, 'RSAES_PKCS1_V1_5', 'RSA_2048'],
      [KeyId, 'SM2PKE', 'SM2'],
      [KeyId, 'RSAES_OAEP_SHA_1', 'SM2'],
      [KeyId, 'RSA_AES_KEY_WRAP_SHA_1', 'RSA_2048'],
      [mac, 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_4096'],
    ] as const) {
      await refused(
        parameters(id, algorithm, spec),
        'UnsupportedOperationException',
        / (?:not supported\.$|cannot be wrapped by )/,
      )
    }
    expect(await rowsOf('import')).toEqual([])
  })

  it('goes with the key at its end', async () => {
    await parameters(KeyId, 'RSAES_OAEP_SHA_1')
    now += 1000
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    await refused(parameters(KeyId, 'RSAES_OAEP_SHA_1'), 'KMSInvalidStateException', `${arn} is pending deletion.`)
    now += 7 * DAY
    await engine.runDueWork()
    expect(await rowsOf('import')).toEqual([])
    expect(await events('DeleteKey')).toHaveLength(1)
  })
})

describe('an import token', () => {
  it('is of one key, in one Region, and of this KMS', async () => {
    const wrapped = await wrapFor(engine, KeyId, FIRST)
    const other = await newKey(engine, { Origin: 'EXTERNAL' })
    const invalid = (changes: object) =>
      refused(engine.call('ImportKeyMaterial', { ...wrapped, ...NEVER, ...changes }), 'InvalidImportTokenException')
    await invalid({ KeyId: other })
    await invalid({ ImportToken: new Uint8Array(1) })
    const { ImportToken } = wrapped
    for (const index of [0, 40, ImportToken.length - 1]) {
      const changed = ImportToken.slice()
      changed[index]! ^= 1
      await invalid({ ImportToken: changed })
    }
    await invalid({ ImportToken: ImportToken.subarray(0, -1) })
    expect(await metadata()).toMatchObject({ KeyState: 'PendingImport' })
    await engine.call('ImportKeyMaterial', { ...wrapped, ...NEVER })
  })

  it('expires after a day', async () => {
    const wrapped = await wrapFor(engine, KeyId, FIRST)
    now += DAY
    await refused(engine.call('ImportKeyMaterial', { ...wrapped, ...NEVER }), 'ExpiredImportTokenException')
    expect(await metadata()).toMatchObject({ KeyState: 'PendingImport' })
  })

  it('is for no private key but its own, and what was wrapped otherwise is an invalid ciphertext, whatever it is', async () => {
    const wrapped = await wrapFor(engine, KeyId, FIRST)
    const { EncryptedKeyMaterial: foreign } = await wrapFor(engine, KeyId, FIRST)
    const input = { KeyId, WrappingAlgorithm: 'RSAES_OAEP_SHA_1', WrappingKeySpec: 'RSA_2048' }
    const { PublicKey, ImportToken } = await engine.call('GetParametersForImport', input)
    const invalid = (changes: object) =>
      refused(engine.call('ImportKeyMaterial', { ...wrapped, ...NEVER, ...changes }), 'InvalidCiphertextException', '')
    await invalid({ EncryptedKeyMaterial: foreign })
    await invalid({ EncryptedKeyMaterial: wrapped.EncryptedKeyMaterial.subarray(1) })
    await invalid({ EncryptedKeyMaterial: new Uint8Array(1) })
    await invalid({ EncryptedKeyMaterial: new Uint8Array(6144) })
    await invalid({ ImportToken, EncryptedKeyMaterial: new Uint8Array(oaep(PublicKey, '_SHA_256', FIRST)) })
    const aesKey = materialOf('AES')
    const combined = Buffer.concat([oaep(PublicKey, '_SHA_1', aesKey), keyWrapPadded(aesKey, FIRST)])
    await invalid({ ImportToken, EncryptedKeyMaterial: new Uint8Array(combined) })
    expect(await metadata()).toMatchObject({ KeyState: 'PendingImport' })
  })
})

describe('ImportKeyMaterial', () => {
  it('takes 32 bytes for symmetric encryption keys', async () => {
    for (const length of [1, 16, 31, 33, 64]) {
      await refused(importMaterial(engine, KeyId, new Uint8Array(length)), 'IncorrectKeyMaterialException')
    }
    expect(await rowsOf('material')).toEqual([])
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
      expect(await metadata()).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(time) })
    }
  })

  it('takes nothing but the same again, before it was deleted and after', async () => {
    await importMaterial(engine, KeyId, FIRST)
    const blob = await encrypt()
    await refused(importMaterial(engine, KeyId, SECOND), 'IncorrectKeyMaterialException')
    await engine.call('DeleteImportedKeyMaterial', { KeyId })
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'KMSInvalidStateException', PENDING)
    await refused(importMaterial(engine, KeyId, SECOND), 'IncorrectKeyMaterialException')
    const named = { ...NEVER, KeyMaterialId: 'a'.repeat(64) }
    await refused(importMaterial(engine, KeyId, FIRST, named), 'IncorrectKeyMaterialException')
    expect(await metadata()).toMatchObject({ KeyState: 'PendingImport', Enabled: false })
    await importMaterial(engine, KeyId, FIRST)
    expect(await decrypted(blob)).toEqual(plaintext)
  })

  it('leaves a disabled key disabled', async () => {
    await importMaterial(engine, KeyId, FIRST)
    await engine.call('DisableKey', { KeyId })
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + DAY) })
    expect(await metadata()).toMatchObject({ KeyState: 'Disabled', ValidTo: new Date(NOW + DAY) })
  })

  it('enables a disabled key whose material went and came back', async () => {
    await importMaterial(engine, KeyId, FIRST)
    await engine.call('DisableKey', { KeyId })
    await engine.call('DeleteImportedKeyMaterial', { KeyId })
    expect(await metadata()).toMatchObject({ KeyState: 'PendingImport', Enabled: false })
    await importMaterial(engine, KeyId, FIRST)
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled', Enabled: true })
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
    expect(await rotations()).toHaveLength(2)
  })

  it('is in the log, without what was imported and how it came', async () => {
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + DAY) })
    const [parameters] = await events('GetParametersForImport')
    expect(parameters).toMatchObject({
      readOnly: true,
      requestParameters: { keyId: KeyId, wrappingAlgorithm: 'RSAES_OAEP_SHA_256', wrappingKeySpec: 'RSA_2048' },
      responseElements: null,
    })
    const [imported] = await events('ImportKeyMaterial')
    expect(imported?.requestParameters).toEqual({ keyId: KeyId, validTo: new Date(NOW + DAY).toISOString() })
    expect(imported).toMatchObject({ readOnly: false, resources: [{ ARN: arn }] })
  })
})

describe('new material', () => {
  const isNew = { ...NEVER, ImportType: 'NEW_KEY_MATERIAL' }

  it('waits for RotateKeyOnDemand, one at a time', async () => {
    const first = await importMaterial(engine, KeyId, FIRST, { ...isNew, KeyMaterialDescription: 'the first' })
    const old = await encrypt()
    const message = `No available key material pending rotation for the key: ${arn}.`
    await refused(engine.call('RotateKeyOnDemand', { KeyId }), 'KMSInvalidStateException', message)
    const second = await importMaterial(engine, KeyId, SECOND, isNew)
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled', CurrentKeyMaterialId: first.KeyMaterialId })
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
    expect(await rotations()).toEqual([
      { ...described, KeyMaterialState: 'CURRENT' },
      { ...entry, KeyMaterialId: b, KeyMaterialState: 'PENDING_ROTATION' },
    ])
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toEqual([])

    now += 5
    expect(await engine.call('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId: arn })
    const rotated = { RotationDate: new Date(NOW + 5), RotationType: 'ON_DEMAND' }
    expect(await rotations()).toEqual([
      { ...described, KeyMaterialState: 'NON_CURRENT' },
      { ...entry, KeyMaterialId: b, KeyMaterialState: 'CURRENT', ...rotated },
    ])
    expect(await metadata()).toMatchObject({ CurrentKeyMaterialId: b })
    for (const blob of [old, await encrypt()]) expect(await decrypted(blob)).toEqual(plaintext)
    await importMaterial(engine, KeyId, THIRD, isNew)
  })

  it('leaves nothing when it is deleted or expires before, and the key as it was', async () => {
    await importMaterial(engine, KeyId, FIRST)
    const { KeyMaterialId } = await importMaterial(engine, KeyId, SECOND, isNew)
    await engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    expect(await rotations()).toHaveLength(1)
    await importMaterial(engine, KeyId, THIRD, { ImportType: 'NEW_KEY_MATERIAL', ValidTo: new Date(NOW + 10) })
    expect(await metadata()).toMatchObject({ ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' })
    now += 10
    expect(await rotations()).toHaveLength(1)
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled' })
    expect(await rowsOf('material')).toHaveLength(1)
  })

  it('is needed like the old, once it is the key’s: all of it, for the key to be enabled', async () => {
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + 3 * DAY) })
    const old = await encrypt()
    await importMaterial(engine, KeyId, SECOND, { ImportType: 'NEW_KEY_MATERIAL', ValidTo: new Date(NOW + 2 * DAY) })
    await engine.call('RotateKeyOnDemand', { KeyId })
    expect(await metadata()).toMatchObject({ ValidTo: new Date(NOW + 2 * DAY) })
    now += 3 * DAY
    expect(await metadata()).toMatchObject({ KeyState: 'PendingImport' })
    expect(await rotations()).toMatchObject([{ ImportState: 'PENDING_IMPORT' }, { ImportState: 'PENDING_IMPORT' }])
    await importMaterial(engine, KeyId, SECOND)
    await refused(encrypt(), 'KMSInvalidStateException', PENDING)
    await importMaterial(engine, KeyId, FIRST)
    expect(await decrypted(old)).toEqual(plaintext)
  })
})

describe('DeleteImportedKeyMaterial', () => {
  it('deletes the current material unless another is named', async () => {
    expect(await engine.call('DeleteImportedKeyMaterial', { KeyId })).toEqual({ KeyId: arn })
    const first = await importMaterial(engine, KeyId, FIRST)
    await importMaterial(engine, KeyId, SECOND, { ...NEVER, ImportType: 'NEW_KEY_MATERIAL' })
    await engine.call('RotateKeyOnDemand', { KeyId })
    const current = (await metadata()).CurrentKeyMaterialId
    for (let i = 0; i < 2; i++) {
      const answer = await engine.call('DeleteImportedKeyMaterial', { KeyId })
      expect(answer).toEqual({ KeyId: arn, KeyMaterialId: current })
    }
    expect((await rowsOf('material')).map(({ id }) => id.split('/').at(-1))).toEqual([first.KeyMaterialId])
    const found = await metadata()
    expect(found).toMatchObject({ KeyState: 'PendingImport', CurrentKeyMaterialId: current })
    for (const member of ['ExpirationModel', 'ValidTo']) expect(found).not.toHaveProperty(member)
    await engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: first.KeyMaterialId })
    expect(await rowsOf('material')).toEqual([])
    const absent = engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: 'a'.repeat(64) })
    await refused(absent, 'NotFoundException', `Key material ${'a'.repeat(64)} of key ${arn} does not exist.`)
  })

  it('leaves a key that is pending deletion so, which waits for material when that is cancelled', async () => {
    await importMaterial(engine, KeyId, FIRST)
    await engine.call('ScheduleKeyDeletion', { KeyId })
    await engine.call('DeleteImportedKeyMaterial', { KeyId })
    expect(await metadata()).toMatchObject({ KeyState: 'PendingDeletion' })
    await engine.call('CancelKeyDeletion', { KeyId })
    expect(await metadata()).toMatchObject({ KeyState: 'PendingImport' })
    await importMaterial(engine, KeyId, FIRST)
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled' })
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
    const blob = await encrypt()
    now += DAY / 2 - 1
    expect(await decrypted(blob)).toEqual(plaintext)
    expect(await engine.runDueWork()).toBe(NOW + DAY / 2)
    now += 1
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'KMSInvalidStateException', PENDING)
    expect(await rowsOf('material')).toEqual([])
    expect(await events('DeleteExpiredKeyMaterial')).toMatchObject([
      {
        eventType: 'AwsServiceEvent',
        readOnly: false,
        userIdentity: { invokedBy: 'AWS Internal' },
        resources: [{ ARN: arn }],
        serviceEventDetails: { keyId: KeyId, keyMaterialId: KeyMaterialId },
      },
    ])
    await importMaterial(engine, KeyId, FIRST)
    expect(await decrypted(blob)).toEqual(plaintext)
  })

  it('waits while the clock is in doubt, and the key cannot be used meanwhile', async () => {
    let monotonic = 0
    const doubting = await openEngine(store, { clock: () => now, monotonicClock: () => monotonic })
    await importMaterial(doubting, KeyId, FIRST, { ValidTo: new Date(NOW + DAY / 2) })
    now += DAY / 2
    await doubting.runDueWork()
    expect(await rowsOf('material')).toHaveLength(1)
    const encrypting = doubting.call('Encrypt', { KeyId, Plaintext: plaintext })
    await refused(encrypting, 'KMSInvalidStateException', 'The key is due, and its clock is not confirmed.')
    doubting.confirmTime()
    monotonic += 1
    now += 60_000
    await doubting.runDueWork()
    expect(await rowsOf('material')).toEqual([])
  })

  it('goes on while the key is pending deletion', async () => {
    await importMaterial(engine, KeyId, FIRST, { ValidTo: new Date(NOW + DAY / 2) })
    await engine.call('ScheduleKeyDeletion', { KeyId })
    now += DAY / 2
    await engine.runDueWork()
    expect(await rowsOf('material')).toEqual([])
    expect(await metadata()).toMatchObject({ KeyState: 'PendingDeletion' })
    now += 30 * DAY
    await engine.runDueWork()
    await refused(engine.call('DescribeKey', { KeyId }), 'NotFoundException')
  })
})
