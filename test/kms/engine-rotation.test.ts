import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { NOW, refused } from './engine-setup.ts'
import { DAY, openOneKey, PLAINTEXT, type OneKey } from './one-key-setup.ts'

let kms: OneKey
let engine: Engine
let KeyId: string
let arn: string

beforeEach(async () => {
  kms = await openOneKey()
  ;({ engine, KeyId, arn } = kms)
})

describe('rotation', () => {
  const materialOf = async (): Promise<string> => String((await kms.metadata()).CurrentKeyMaterialId)

  it('gives new material on demand; the old one decrypts for ever', async () => {
    const first = await materialOf()
    const blob = await kms.encrypt()
    expect(await engine.call('RotateKeyOnDemand', { KeyId })).toEqual({ KeyId: arn })
    const second = await materialOf()
    expect(second).not.toBe(first)
    expect(await engine.call('Decrypt', { CiphertextBlob: blob })).toMatchObject({
      KeyMaterialId: first,
      Plaintext: PLAINTEXT,
    })
    expect(await engine.call('Decrypt', { CiphertextBlob: await kms.encrypt() })).toMatchObject({
      KeyMaterialId: second,
    })
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
    const blob = await kms.encrypt()
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
      kms.now = NOW + period * 90 * DAY - 1
      expect(await materialOf()).toBe(materials.at(-1))
      kms.now += 1
      materials.push(await materialOf())
    }
    expect(new Set(materials).size).toBe(4)
    expect((await engine.call('Decrypt', { CiphertextBlob: blob })).Plaintext).toEqual(PLAINTEXT)
    const [, rotated, again] = (await engine.call('ListKeyRotations', { KeyId })).Rotations
    expect([rotated, again]).toMatchObject([
      { RotationType: 'AUTOMATIC', RotationDate: NextRotationDate, KeyMaterialState: 'NON_CURRENT' },
      { RotationType: 'AUTOMATIC', RotationDate: new Date(NOW + 180 * DAY), KeyMaterialState: 'CURRENT' },
    ])
    expect(await kms.events('RotateKey')).toMatchObject([{ serviceEventDetails: { keyId: KeyId } }, {}])
  })

  it('happens once for many periods that nobody saw, and keeps to its dates', async () => {
    await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 })
    kms.now = NOW + 350 * DAY
    const { NextRotationDate } = await engine.call('GetKeyRotationStatus', { KeyId })
    expect(NextRotationDate).toEqual(new Date(NOW + 400 * DAY))
    expect((await engine.call('ListKeyRotations', { KeyId })).Rotations).toHaveLength(1)
  })

  it('waits for a disabled key to be enabled', async () => {
    await engine.call('EnableKeyRotation', { KeyId })
    await engine.call('DisableKey', { KeyId })
    kms.now += 400 * DAY
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
    kms.now += 10 * DAY
    await engine.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 2560 })
    const { NextRotationDate } = await engine.call('GetKeyRotationStatus', { KeyId })
    expect(NextRotationDate).toEqual(new Date(kms.now + 2560 * DAY))
  })
})
