import { createHash, createHmac } from 'node:crypto'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { ARN_PREFIX, NOW, newKey, openEngine, refused } from './engine-setup.ts'
import {
  FIRST,
  type ImportingKey,
  importMaterial,
  materialOf,
  NEVER,
  openImportingKey,
  reuseWrappingKeys,
  wrapFor,
} from './import-setup.ts'
import { DAY, PLAINTEXT } from './one-key-setup.ts'
import { keyWrapPadded, oaep } from './wrap-material.ts'

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

describe('a key of origin EXTERNAL', () => {
  it('waits for its material, and cannot be used before', async () => {
    const found = await kms.metadata()
    expect(found).toMatchObject({ KeyState: 'PendingImport', Enabled: false, Origin: 'EXTERNAL' })
    for (const member of ['CurrentKeyMaterialId', 'ExpirationModel', 'ValidTo'])
      expect(found).not.toHaveProperty(member)
    await refused(kms.encrypt(), 'KMSInvalidStateException', `${arn} is pending import.`)
    await refused(engine.call('RotateKeyOnDemand', { KeyId }), 'KMSInvalidStateException', `${arn} is pending import.`)
    await refused(engine.call('EnableKey', { KeyId }), 'KMSInvalidStateException', PENDING)
    expect(await kms.rotations()).toEqual([])
    expect(await kms.rowsOf('material')).toEqual([])
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
    expect(await kms.metadata()).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      CurrentKeyMaterialId: [...ids][0],
    })
    expect(await kms.decrypted(await kms.encrypt())).toEqual(PLAINTEXT)
    expect(await kms.rowsOf('material')).toHaveLength(1)
  })

  it('gives the same material another id than another key does, and no ciphertext of that one', async () => {
    const { KeyMaterialId } = await importMaterial(engine, KeyId, FIRST)
    const other = await newKey(engine, { Origin: 'EXTERNAL' })
    expect((await importMaterial(engine, other, FIRST)).KeyMaterialId).not.toBe(KeyMaterialId)
    expect(KeyMaterialId).not.toBe(createHash('sha256').update(FIRST).digest('hex'))
    const blob = await kms.encrypt()
    const decrypting = engine.call('Decrypt', { KeyId: other, CiphertextBlob: blob })
    await refused(decrypting, 'IncorrectKeyException')
  })

  it('is there after the store was closed', async () => {
    await importMaterial(engine, KeyId, FIRST)
    const blob = await kms.encrypt()
    const later = await openEngine(kms.store, { clock: () => kms.now })
    expect((await later.call('Decrypt', { CiphertextBlob: blob })).Plaintext).toEqual(PLAINTEXT)
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
      const { Mac } = await engine.call('GenerateMac', { KeyId: id, Message: PLAINTEXT, MacAlgorithm })
      expect(Buffer.from(Mac)).toEqual(
        createHmac(`sha${String(size)}`, Buffer.alloc(most, 7))
          .update(PLAINTEXT)
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
    expect(await kms.rowsOf('import')).toHaveLength(2)
  })

  it('deletes the private key when its day is over, even while the clock is in doubt', async () => {
    let monotonic = 0
    const doubting = await openEngine(kms.store, { clock: () => kms.now, monotonicClock: () => monotonic })
    await doubting.call('ListKeys', {})
    await importMaterial(doubting, KeyId, FIRST)
    kms.now += DAY - 1
    monotonic += DAY - 1
    await doubting.runDueWork()
    expect(await kms.rowsOf('import')).toHaveLength(1)
    kms.now += 2 * DAY
    expect(await doubting.runDueWork()).toBeUndefined()
    expect(await kms.rowsOf('import')).toEqual([])
    expect((await doubting.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Enabled')
  })

  it('keeps a hundred private keys of a key at most', async () => {
    for (let i = 0; i < 101; i++) await parameters(KeyId, 'RSAES_OAEP_SHA_1')
    expect(await kms.rowsOf('import')).toHaveLength(100)
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
    expect(await kms.rowsOf('import')).toEqual([])
  })

  it('goes with the key at its end', async () => {
    await parameters(KeyId, 'RSAES_OAEP_SHA_1')
    kms.now += 1000
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    await refused(parameters(KeyId, 'RSAES_OAEP_SHA_1'), 'KMSInvalidStateException', `${arn} is pending deletion.`)
    kms.now += 7 * DAY
    await engine.runDueWork()
    expect(await kms.rowsOf('import')).toEqual([])
    expect(await kms.events('DeleteKey')).toHaveLength(1)
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
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingImport' })
    await engine.call('ImportKeyMaterial', { ...wrapped, ...NEVER })
  })

  it('expires after a day', async () => {
    const wrapped = await wrapFor(engine, KeyId, FIRST)
    kms.now += DAY
    await refused(engine.call('ImportKeyMaterial', { ...wrapped, ...NEVER }), 'ExpiredImportTokenException')
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingImport' })
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
    expect(await kms.metadata()).toMatchObject({ KeyState: 'PendingImport' })
  })
})
