import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ActionInput, Engine } from '../../kms/engine/index.ts'
import { refused } from './engine-setup.ts'
import { importMaterial, NEVER, reuseWrappingKeys } from './import-setup.ts'
import {
  arnIn,
  DAY,
  describeIn,
  EAST,
  encryptIn,
  expectReadable,
  HOME,
  openRegions,
  PLAINTEXT,
  type Regions,
  WEST,
} from './multi-region-setup.ts'

const FIRST = new Uint8Array(32).fill(1)
const SECOND = new Uint8Array(32).fill(2)

let kms: Regions

beforeAll(reuseWrappingKeys)

beforeEach(async () => {
  kms = await openRegions()
})

/** The engine as callers in one Region see it. */
const engineIn = (region: string): Engine => ({
  ...kms.engine,
  call: (action, input, options) => kms.engine.call(action, input, { ...options, region }),
})

const importIn = async (
  region: string,
  KeyId: string,
  material: Uint8Array,
  options: Partial<ActionInput<'ImportKeyMaterial'>> = {},
): Promise<string> => (await importMaterial(engineIn(region), KeyId, material, { ...NEVER, ...options })).KeyMaterialId

/** A primary key at home with imported material, and replicas that wait for it. */
async function newImported(): Promise<string> {
  const { KeyId } = (await kms.in(HOME)('CreateKey', { Origin: 'EXTERNAL', MultiRegion: true })).KeyMetadata
  const early = kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion: WEST })
  await refused(early, 'KMSInvalidStateException')
  await importIn(HOME, KeyId, FIRST)
  for (const ReplicaRegion of [WEST, EAST]) await kms.in(HOME)('ReplicateKey', { KeyId, ReplicaRegion })
  return KeyId
}

async function rotationsIn(region: string, KeyId: string): Promise<readonly unknown[]> {
  const input = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }
  const { Rotations } = await kms.in(region)('ListKeyRotations', input)
  return Rotations.map(({ KeyMaterialState, ImportState }) => [KeyMaterialState, ImportState])
}

describe('a multi-Region key with imported material', () => {
  it('waits in each Region for the same material, and then reads what the others wrote', async () => {
    const KeyId = await newImported()
    const { KeyState, CurrentKeyMaterialId } = await describeIn(kms, WEST, KeyId)
    expect(KeyState).toBe('PendingImport')
    expect(CurrentKeyMaterialId).toBe((await describeIn(kms, HOME, KeyId)).CurrentKeyMaterialId)
    await refused(encryptIn(kms, WEST, KeyId), 'KMSInvalidStateException')
    await refused(importIn(WEST, KeyId, SECOND), 'IncorrectKeyMaterialException')
    expect(await importIn(WEST, KeyId, FIRST)).toBe(CurrentKeyMaterialId)
    await expectReadable(kms, await encryptIn(kms, WEST, KeyId), KeyId, [HOME, WEST])
    expect((await describeIn(kms, EAST, KeyId)).KeyState).toBe('PendingImport')
  })

  it('rotates to new material once every Region has it', async () => {
    const KeyId = await newImported()
    for (const region of [WEST, EAST]) await importIn(region, KeyId, FIRST)
    const before = await encryptIn(kms, EAST, KeyId)
    const NEW = { ImportType: 'NEW_KEY_MATERIAL' }
    const notPrimary = `${arnIn(WEST, KeyId)} is not a multi-region primary key.`
    await refused(importIn(WEST, KeyId, SECOND, NEW), 'UnsupportedOperationException', notPrimary)
    const id = await importIn(HOME, KeyId, SECOND, NEW)
    const waiting = 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
    expect(await rotationsIn(HOME, KeyId)).toEqual([
      ['CURRENT', 'IMPORTED'],
      [waiting, 'IMPORTED'],
    ])
    expect(await rotationsIn(WEST, KeyId)).toEqual([
      ['CURRENT', 'IMPORTED'],
      [waiting, 'PENDING_IMPORT'],
    ])
    expect((await describeIn(kms, WEST, KeyId)).KeyState).toBe('Enabled')
    expect(await importIn(WEST, KeyId, SECOND)).toBe(id)
    const early = kms.in(HOME)('RotateKeyOnDemand', { KeyId })
    await refused(early, 'KMSInvalidStateException', /is not imported into every related key of/)
    await importIn(EAST, KeyId, SECOND)
    await refused(kms.in(WEST)('RotateKeyOnDemand', { KeyId }), 'UnsupportedOperationException', notPrimary)
    await kms.in(HOME)('RotateKeyOnDemand', { KeyId })
    for (const region of [HOME, WEST, EAST]) {
      expect((await describeIn(kms, region, KeyId)).CurrentKeyMaterialId).toBe(id)
      expect(await rotationsIn(region, KeyId)).toEqual([
        ['NON_CURRENT', 'IMPORTED'],
        ['CURRENT', 'IMPORTED'],
      ])
    }
    await expectReadable(kms, await encryptIn(kms, WEST, KeyId), KeyId, [HOME, WEST, EAST])
    await expectReadable(kms, before, KeyId, [HOME, WEST, EAST])
  })

  it('loses material in its own Region only', async () => {
    const KeyId = await newImported()
    await importIn(WEST, KeyId, FIRST)
    const ValidTo = new Date(kms.now() + DAY)
    await importIn(EAST, KeyId, FIRST, { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo })
    await kms.in(WEST)('DeleteImportedKeyMaterial', { KeyId })
    kms.wait(2 * DAY)
    await kms.engine.runDueWork()
    const states = await Promise.all([HOME, WEST, EAST].map((region) => describeIn(kms, region, KeyId)))
    expect(states.map(({ KeyState }) => KeyState)).toEqual(['Enabled', 'PendingImport', 'PendingImport'])
    await importIn(WEST, KeyId, FIRST)
    await expectReadable(kms, await encryptIn(kms, HOME, KeyId), KeyId, [HOME, WEST])
  })

  it('forgets everywhere what waited for a rotation and was deleted', async () => {
    const KeyId = await newImported()
    for (const region of [WEST, EAST]) await importIn(region, KeyId, FIRST)
    const KeyMaterialId = await importIn(HOME, KeyId, SECOND, { ImportType: 'NEW_KEY_MATERIAL' })
    await importIn(WEST, KeyId, SECOND)
    await kms.in(WEST)('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    await importIn(WEST, KeyId, SECOND)
    await kms.in(HOME)('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    for (const region of [HOME, WEST, EAST]) {
      expect(await rotationsIn(region, KeyId)).toEqual([['CURRENT', 'IMPORTED']])
    }
    await refused(importIn(WEST, KeyId, SECOND), 'IncorrectKeyMaterialException')
    await kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: EAST })
    await importIn(EAST, KeyId, SECOND, { ImportType: 'NEW_KEY_MATERIAL' })
    for (const region of [HOME, WEST]) await importIn(region, KeyId, SECOND)
    await kms.in(EAST)('RotateKeyOnDemand', { KeyId })
    const { CiphertextBlob } = await kms.in(HOME)('Encrypt', { KeyId, Plaintext: PLAINTEXT })
    await expectReadable(kms, CiphertextBlob, KeyId, [HOME, WEST, EAST])
  })

  it('gives up what it waits for, where it never had it, once it is the primary', async () => {
    const KeyId = await newImported()
    for (const region of [WEST, EAST]) await importIn(region, KeyId, FIRST)
    const KeyMaterialId = await importIn(HOME, KeyId, SECOND, { ImportType: 'NEW_KEY_MATERIAL' })
    await kms.in(WEST)('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    expect(await rotationsIn(WEST, KeyId)).toHaveLength(2)
    await kms.in(HOME)('UpdatePrimaryRegion', { KeyId, PrimaryRegion: WEST })
    await kms.in(WEST)('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    for (const region of [HOME, WEST, EAST]) {
      expect(await rotationsIn(region, KeyId)).toEqual([['CURRENT', 'IMPORTED']])
      expect((await describeIn(kms, region, KeyId)).KeyState).toBe('Enabled')
    }
    const third = new Uint8Array(32).fill(3)
    for (const region of [WEST, HOME, EAST]) {
      await importIn(region, KeyId, third, region === WEST ? { ImportType: 'NEW_KEY_MATERIAL' } : {})
    }
    await kms.in(WEST)('RotateKeyOnDemand', { KeyId })
  })

  it('rotates to nothing that a replica lacks, though that is pending deletion: it may be cancelled', async () => {
    const KeyId = await newImported()
    for (const region of [WEST, EAST]) await importIn(region, KeyId, FIRST)
    await importIn(HOME, KeyId, SECOND, { ImportType: 'NEW_KEY_MATERIAL' })
    await importIn(WEST, KeyId, SECOND)
    await kms.in(EAST)('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    const rotating = kms.in(HOME)('RotateKeyOnDemand', { KeyId })
    await refused(rotating, 'KMSInvalidStateException', /is not imported into every related key of/)
    kms.wait(7 * DAY)
    await kms.engine.runDueWork()
    await kms.in(HOME)('RotateKeyOnDemand', { KeyId })
    await expectReadable(kms, await encryptIn(kms, WEST, KeyId), KeyId, [HOME, WEST])
  })
})
