import { beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { ABSENT, ARN_PREFIX, NOW, REGION, STORES, newKey, openEngine, refused } from './engine-setup.ts'

describe.each(STORES)('aliases on $store', ({ newStore }) => {
  let engine: Engine
  let keyId: string
  let otherId: string
  let now = NOW

  beforeAll(async () => {
    engine = await openEngine(await newStore()(), { clock: () => now })
    keyId = await newKey(engine)
    otherId = await newKey(engine)
    for (const AliasName of ['alias/b', 'alias/B', 'alias/a/1', 'alias/a']) {
      await engine.call('CreateAlias', { AliasName, TargetKeyId: keyId })
    }
    now += 1500
    await engine.call('CreateAlias', { AliasName: 'alias/aa', TargetKeyId: `${ARN_PREFIX}key/${otherId}` })
    return () => engine.close()
  })

  it('lists all of them in the order of their names', async () => {
    const { Aliases, Truncated } = await engine.call('ListAliases', {})
    const names = ['alias/B', 'alias/a', 'alias/a/1', 'alias/aa', 'alias/b']
    expect(Aliases.map(({ AliasName }) => AliasName)).toEqual(names)
    expect(Truncated).toBe(false)
    expect(Aliases[3]).toEqual({
      AliasName: 'alias/aa',
      AliasArn: `${ARN_PREFIX}alias/aa`,
      TargetKeyId: otherId,
      CreationDate: new Date(NOW + 1500),
      LastUpdatedDate: new Date(NOW + 1500),
    })
    expect(Aliases[0]?.CreationDate).toEqual(new Date(NOW))
  })

  it('lists those of one key', async () => {
    const namesOf = async (KeyId: string): Promise<string[]> => {
      return (await engine.call('ListAliases', { KeyId })).Aliases.map(({ AliasName }) => AliasName)
    }
    expect(await namesOf(keyId)).toEqual(['alias/B', 'alias/a', 'alias/a/1', 'alias/b'])
    expect(await namesOf(`${ARN_PREFIX}key/${otherId}`)).toEqual(['alias/aa'])
    await refused(engine.call('ListAliases', { KeyId: ABSENT }), 'NotFoundException')
    await refused(engine.call('ListAliases', { KeyId: 'alias/a' }), 'NotFoundException', "Invalid keyId 'alias/a'")
  })

  it.each([1, 2, 3, 4, 100])('pages by %i, all of them and those of one key', async (Limit) => {
    for (const KeyId of [undefined, keyId]) {
      const all = await engine.call('ListAliases', { KeyId })
      let page = await engine.call('ListAliases', { KeyId, Limit })
      const found = [...page.Aliases]
      while (page.Truncated) {
        page = await engine.call('ListAliases', { KeyId, Limit, Marker: page.NextMarker })
        found.push(...page.Aliases)
      }
      expect(found).toEqual(all.Aliases)
    }
  })

  it('allows pages of 100 at most', async () => {
    const message =
      "1 validation error detected: Value '101' at 'limit' failed to satisfy constraint: " +
      'Member must have value less than or equal to 100'
    await refused(engine.call('ListAliases', { Limit: 101 }), 'ValidationException', message)
  })

  it('refuses the marker of another list', async () => {
    const { NextMarker: keyMarker } = await engine.call('ListKeys', { Limit: 1 })
    const { NextMarker: aliasMarker } = await engine.call('ListAliases', { Limit: 1 })
    await refused(engine.call('ListAliases', { Marker: keyMarker }), 'InvalidMarkerException')
    await refused(engine.call('ListKeys', { Marker: aliasMarker }), 'InvalidMarkerException')
  })

  it('gives a name once', async () => {
    const message = `An alias with the name ${ARN_PREFIX}alias/a already exists`
    for (const TargetKeyId of [keyId, otherId]) {
      await refused(
        engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId }),
        'AlreadyExistsException',
        message,
      )
    }
    expect((await engine.call('DescribeKey', { KeyId: 'alias/a' })).KeyMetadata.KeyId).toBe(keyId)
  })

  it('gives a name again in another Region', async () => {
    const store = await newStore()()
    const engines = [await openEngine(store), await openEngine(store, { region: `${REGION}1` })]
    const ids = await Promise.all(engines.map((each) => newKey(each)))
    for (const [index, each] of engines.entries()) {
      await each.call('CreateAlias', { AliasName: 'alias/same', TargetKeyId: ids[index]! })
    }
    for (const [index, each] of engines.entries()) {
      const { KeyMetadata } = await each.call('DescribeKey', { KeyId: 'alias/same' })
      expect(KeyMetadata.KeyId).toBe(ids[index])
      expect((await each.call('ListAliases', {})).Aliases).toHaveLength(1)
    }
    await engines[0]?.close()
  })

  it.each([
    ['a', 'ValidationException', 'Alias must start with the prefix "alias/".'],
    ['Alias/a', 'ValidationException', 'Alias must start with the prefix "alias/".'],
    ['alias/', 'InvalidAliasNameException', 'An alias needs a name after "alias/".'],
    ['alias/aws/s3', 'NotAuthorizedException', 'Aliases that begin with "alias/aws/" are reserved.'],
    ['alias/a b', 'ValidationException', /Member must satisfy regular expression pattern: \^\[a-zA-Z0-9:\/_-\]\+\$$/],
    ['alias/a\n', 'ValidationException', /regular expression pattern/],
    ['alias/ä', 'ValidationException', /regular expression pattern/],
    [`alias/${'x'.repeat(251)}`, 'ValidationException', /at 'aliasName' .* length less than or equal to 256$/],
  ] as const)('refuses the name %j', async (AliasName, name, message) => {
    await refused(engine.call('CreateAlias', { AliasName, TargetKeyId: keyId }), name, message)
  })

  it.each([
    ['alias/a', 'ValidationException', 'Aliases must refer to keys. Not aliases'],
    [`${ARN_PREFIX}alias/a`, 'ValidationException', 'Aliases must refer to keys. Not aliases'],
    [ABSENT, 'NotFoundException', `Key '${ARN_PREFIX}key/${ABSENT}' does not exist`],
    ['x', 'NotFoundException', "Invalid keyId 'x'"],
    ['arn:x', 'InvalidArnException', 'Invalid arn arn:x'],
  ] as const)('refuses the target %s', async (TargetKeyId, name, message) => {
    await refused(engine.call('CreateAlias', { AliasName: 'alias/new', TargetKeyId }), name, message)
    await refused(engine.call('DescribeKey', { KeyId: 'alias/new' }), 'NotFoundException')
  })

  it('gives a key 50 names', async () => {
    const TargetKeyId = await newKey(engine)
    const names = Array.from({ length: 50 }, (_, index) => `alias/many/${String(index)}`)
    await Promise.all(names.map((AliasName) => engine.call('CreateAlias', { AliasName, TargetKeyId })))
    await refused(
      engine.call('CreateAlias', { AliasName: 'alias/many/50', TargetKeyId }),
      'LimitExceededException',
      'The key has 50 aliases already.',
    )
    const { Aliases, Truncated } = await engine.call('ListAliases', { KeyId: TargetKeyId })
    expect(Aliases.map(({ AliasName }) => AliasName)).toEqual(names.sort())
    expect(Truncated).toBe(false)
  })

  it('follows the longest name', async () => {
    const AliasName = `alias/${'x'.repeat(250)}`
    await engine.call('CreateAlias', { AliasName, TargetKeyId: keyId })
    expect((await engine.call('DescribeKey', { KeyId: AliasName })).KeyMetadata.KeyId).toBe(keyId)
  })
})
