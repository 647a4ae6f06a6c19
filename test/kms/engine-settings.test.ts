import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { ABSENT, ARN_PREFIX, newKey, refused } from './engine-setup.ts'
import { openOneKey, PLAINTEXT, type OneKey } from './one-key-setup.ts'

let kms: OneKey
let engine: Engine
let KeyId: string
let arn: string

beforeEach(async () => {
  kms = await openOneKey()
  ;({ engine, KeyId, arn } = kms)
})

describe('enabling and disabling', () => {
  it('end and begin the use of a key, and may be repeated', async () => {
    const blob = await kms.encrypt()
    for (let i = 0; i < 2; i++) await engine.call('DisableKey', { KeyId: arn })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Disabled', Enabled: false })
    await refused(kms.encrypt(), 'DisabledException', `${arn} is disabled.`)
    await refused(engine.call('Decrypt', { CiphertextBlob: blob }), 'DisabledException', `${arn} is disabled.`)
    for (let i = 0; i < 2; i++) await engine.call('EnableKey', { KeyId })
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Enabled', Enabled: true })
    expect((await engine.call('Decrypt', { CiphertextBlob: blob })).Plaintext).toEqual(PLAINTEXT)
  })

  it('take no alias, and know no key that is not there', async () => {
    await refused(engine.call('DisableKey', { KeyId: 'alias/a' }), 'NotFoundException', `Invalid keyId 'alias/a'`)
    await refused(engine.call('EnableKey', { KeyId: ABSENT }), 'NotFoundException', /does not exist$/)
  })
})

describe('descriptions and tags', () => {
  it('are replaced, set and removed', async () => {
    await engine.call('UpdateKeyDescription', { KeyId, Description: 'new' })
    expect(await kms.metadata()).toMatchObject({ Description: 'new' })
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
    kms.now += 1000
    await engine.call('UpdateAlias', { AliasName: 'alias/a', TargetKeyId: other })
    const { Aliases } = await engine.call('ListAliases', { KeyId: other })
    expect(Aliases).toMatchObject([{ AliasName: 'alias/a', TargetKeyId: other, LastUpdatedDate: new Date(kms.now) }])
    expect((await engine.call('ListAliases', { KeyId })).Aliases).toEqual([])
    await engine.call('Encrypt', { KeyId: 'alias/a', Plaintext: PLAINTEXT })
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
    expect(await kms.metadata()).toMatchObject({ KeyState: 'Enabled' })
  })

  it('of AWS are not touched', async () => {
    const AliasName = 'alias/aws/s3'
    await refused(engine.call('DeleteAlias', { AliasName }), 'NotAuthorizedException')
    await refused(engine.call('UpdateAlias', { AliasName, TargetKeyId: KeyId }), 'NotAuthorizedException')
  })
})
