import { beforeEach, describe, expect, it } from 'vitest'
import { refused } from './engine-setup.ts'
import { FIRST, importMaterial, NEVER, openImportingKey, SECOND } from './import-setup.ts'
import { openOneKey, type OneKey } from './one-key-setup.ts'
import { connected, EXTERNAL_STORE, HSM_STORE, newStores } from './key-store-setup.ts'
import { userArn } from './users-setup.ts'

const marker = (text: string): string => Buffer.from(text).toString('base64url')

/** A page ends with an item, which is gone when the next page is asked for. */
describe('a page goes on behind its marker, when that is gone', () => {
  let kms: OneKey

  beforeEach(async () => {
    kms = await openOneKey()
  })

  // Lone surrogates have no UTF-8, and what JSON escapes must come back as it was.
  it.each<[string, readonly string[]]>([
    ['plain', ['a', 'b', 'c', 'd']],
    ['of any text', ['\u0001', '"', '\\', '\\u0041', 'z"\\', 'ä', '\ud800', '\ud800x', '\ue000', '\uffff', '🔑']],
    [
      'as long as they may be',
      ['字', '\u0001', '\ud800'].map((char) => char.repeat(127)).flatMap((t) => [`${t}x`, `${t}y`]),
    ],
  ])('ListResourceTags, with tags that are %s', async (_, names) => {
    const { engine, KeyId } = kms
    const tags = [...names].sort().map((TagKey) => ({ TagKey, TagValue: 'v' }))
    for (const [index, { TagKey }] of tags.entries()) {
      await engine.call('TagResource', { KeyId, Tags: tags })
      const first = await engine.call('ListResourceTags', { KeyId, Limit: index + 1 })
      expect(first.Tags).toEqual(tags.slice(0, index + 1))
      if (!first.Truncated) continue
      for (const isThere of [true, false]) {
        if (!isThere) await engine.call('UntagResource', { KeyId, TagKeys: [TagKey] })
        const next = await engine.call('ListResourceTags', { KeyId, Marker: first.NextMarker })
        expect(next).toEqual({ Tags: tags.slice(index + 1), Truncated: false })
      }
    }
  })

  it('ListGrants of a grantee', async () => {
    const { engine, KeyId } = kms
    const GranteePrincipal = userArn('alice')
    const made: string[] = []
    for (let count = 0; count < 4; count++) {
      const grant = { KeyId, GranteePrincipal, Operations: ['Encrypt'] }
      made.push((await engine.call('CreateGrant', grant)).GrantId)
    }
    const ids = made.sort()
    const list = async (Marker?: string) => engine.call('ListGrants', { KeyId, GranteePrincipal, Limit: 2, Marker })
    const first = await list()
    expect(first.Grants.map(({ GrantId }) => GrantId)).toEqual(ids.slice(0, 2))
    await engine.call('RevokeGrant', { KeyId, GrantId: ids[1]! })
    const next = await list(first.NextMarker)
    expect(next.Grants.map(({ GrantId }) => GrantId)).toEqual(ids.slice(2))
    expect(next.Truncated).toBe(false)
  })

  it('DescribeCustomKeyStores', async () => {
    const { engine } = await newStores()
    for (const store of [EXTERNAL_STORE, HSM_STORE]) await connected(engine, store)
    const first = await engine.call('DescribeCustomKeyStores', { Limit: 1 })
    const { CustomKeyStoreId } = first.CustomKeyStores[0]!
    await engine.call('DisconnectCustomKeyStore', { CustomKeyStoreId })
    await engine.call('DeleteCustomKeyStore', { CustomKeyStoreId })
    const next = await engine.call('DescribeCustomKeyStores', { Marker: first.NextMarker })
    const all = await engine.call('DescribeCustomKeyStores', {})
    expect(next).toEqual(all)
    expect(next.CustomKeyStores).toHaveLength(1)
  })

  it('ListKeyRotations, whose material is in the order of time', async () => {
    const { engine, KeyId } = kms
    for (let count = 0; count < 4; count++) await engine.call('RotateKeyOnDemand', { KeyId })
    const whole = (await engine.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })).Rotations
    const read: unknown[] = []
    for (let Marker: string | undefined; ;) {
      const input = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 2, Marker }
      const { Rotations, NextMarker } = await engine.call('ListKeyRotations', input)
      read.push(...Rotations)
      if (NextMarker === undefined) break
      Marker = NextMarker
    }
    expect(read).toEqual(whole)
    expect(read).toHaveLength(5)
    // The first material is in no list of rotations alone; what comes behind it is.
    const page = await engine.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1 })
    const rest = await engine.call('ListKeyRotations', { KeyId, Marker: page.NextMarker })
    expect(rest).toEqual({ Rotations: whole.slice(1), Truncated: false })
  })

  it('ListKeyRotations, when material that waited is deleted', async () => {
    const { engine, KeyId } = await openImportingKey()
    await importMaterial(engine, KeyId, FIRST)
    const { KeyMaterialId } = await importMaterial(engine, KeyId, SECOND, { ...NEVER, ImportType: 'NEW_KEY_MATERIAL' })
    const list = async (Marker?: string) =>
      engine.call('ListKeyRotations', { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 1, Marker })
    const { NextMarker } = await list()
    expect(await list(NextMarker)).toMatchObject({ Rotations: [{ KeyMaterialId }], Truncated: false })
    await engine.call('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    expect(await list(NextMarker)).toEqual({ Rotations: [], Truncated: false })
  })
})

it('a marker of another list is refused', async () => {
  const { engine, KeyId } = await openOneKey()
  for (const Marker of ['x', 'x===', marker('"'), marker('\\u0061'), `${marker('a')}=`, 'YR']) {
    await refused(engine.call('ListResourceTags', { KeyId, Marker }), 'InvalidMarkerException')
  }
  for (const Marker of ['x', marker('a'), marker('1'), marker('00000a'), marker('0'.repeat(7))]) {
    await refused(engine.call('ListKeyRotations', { KeyId, Marker }), 'InvalidMarkerException')
    await refused(engine.call('ListKeyPolicies', { KeyId, Marker }), 'InvalidMarkerException')
    await refused(engine.call('DescribeCustomKeyStores', { Marker }), 'InvalidMarkerException')
    const GranteePrincipal = userArn('alice')
    await refused(engine.call('ListGrants', { KeyId, GranteePrincipal, Marker }), 'InvalidMarkerException')
  }
})
