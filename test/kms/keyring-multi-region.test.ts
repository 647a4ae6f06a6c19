import { describe, expect, it } from 'vitest'
import { kmsKeyring, type KmsKeyringOptions, type KmsProvider } from '../../kms/index.ts'
import { encrypt, KeyUnavailableError } from '../../src/index.ts'
import { aes, failure, plaintext } from '../unit/src-setup.ts'
import { arns, opens, provider } from './keyring-setup.ts'

const ID = 'mrk-1234abcd12ab34cd56ef1234567890ab'
const arnIn = (region: string, { partition = 'aws', account = '000000000000', id = ID } = {}): string => {
  return `arn:${partition}:kms:${region}:${account}:key/${id}`
}
const EAST = arnIn('us-east-1')
const WEST = arnIn('us-west-2')

/** A service of one Region where the replicas of a key share the material of a real one. */
function regional(region: string, overrides: Partial<KmsProvider> = {}): { provider: KmsProvider; asked: string[] } {
  const asked: string[] = []
  const real = { keyId: arns[0] }
  const name = (keyId: string): string => {
    asked.push(keyId)
    if (keyId.split(':')[3] !== region)
      throw Object.assign(new Error(`Invalid arn ${keyId}`), { name: 'NotFoundException' })
    return keyId
  }
  return {
    asked,
    provider: {
      region,
      generateDataKey: async (request) => ({
        ...(await provider.generateDataKey({ ...request, ...real })),
        keyId: name(request.keyId),
      }),
      encrypt: async (request) => ({
        ...(await provider.encrypt({ ...request, ...real })),
        keyId: name(request.keyId),
      }),
      decrypt: async (request) => ({
        ...(await provider.decrypt({ ...request, ...real })),
        keyId: name(request.keyId),
      }),
      resolveKeyId: () => Promise.resolve(arnIn(region)),
      ...overrides,
    },
  }
}

const message = (generatorKeyId: string): Promise<Uint8Array> => {
  return encrypt(kmsKeyring({ provider: regional(generatorKeyId.split(':')[3]!).provider, generatorKeyId }), plaintext)
}

describe('a keyring with multiRegion', () => {
  it('unwraps under the configured replica what another one wrapped', async () => {
    const { provider, asked } = regional('us-west-2')
    const sealed = await message(EAST)
    expect(await opens(kmsKeyring({ provider, keyIds: [WEST], multiRegion: true }), sealed)).toBe(true)
    expect(asked).toEqual([WEST])
    const byRegion = kmsKeyring({ provider: (region) => regional(region).provider, keyIds: [WEST], multiRegion: true })
    expect(await opens(byRegion, sealed)).toBe(true)
    expect(await opens(kmsKeyring({ provider, keyIds: ['alias/a'], multiRegion: true }), sealed)).toBe(true)
  })

  it.each<[string, string, boolean]>([
    ['without multiRegion', WEST, false],
    ['with another account', arnIn('us-west-2', { account: '111122223333' }), true],
    ['with another partition', arnIn('us-west-2', { partition: 'aws-cn' }), true],
    ['with another id', arnIn('us-west-2', { id: ID.replace('a', 'b') }), true],
    ['with a key of one Region', arnIn('us-west-2', { id: ID.slice(4) }), true],
  ])('asks for nothing %s', async (_, keyId, multiRegion) => {
    const { provider, asked } = regional('us-west-2')
    const error = await failure(opens(kmsKeyring({ provider, keyIds: [keyId], multiRegion }), await message(EAST)))
    expect(error).toBeInstanceOf(KeyUnavailableError)
    expect(asked).toEqual([])
  })

  it('takes keys of one Region for each other in no Region', async () => {
    const id = ID.slice(4)
    const { provider, asked } = regional('us-west-2')
    const keyring = kmsKeyring({ provider, keyIds: [arnIn('us-west-2', { id })], multiRegion: true })
    await failure(opens(keyring, await message(arnIn('us-east-1', { id }))))
    expect(asked).toEqual([])
  })

  it('takes no answer of another key than it asked for', async () => {
    const decrypt: KmsProvider['decrypt'] = async (request) => ({
      ...(await provider.decrypt({ ...request, keyId: arns[0] })),
      keyId: EAST,
    })
    const keyring = kmsKeyring({
      provider: regional('us-west-2', { decrypt }).provider,
      keyIds: [WEST],
      multiRegion: true,
    })
    expect(await failure(opens(keyring, await message(EAST)))).toBeInstanceOf(KeyUnavailableError)
  })

  it.each([
    [EAST, WEST],
    [WEST, WEST],
  ])('refuses two replicas of one key: %s, %s', (generatorKeyId, keyId) => {
    const provider = (region: string): KmsProvider => regional(region).provider
    expect(() => kmsKeyring({ provider, generatorKeyId, keyIds: [keyId], multiRegion: true })).toThrow(
      'one multi-Region key',
    )
    expect(() => kmsKeyring({ provider, generatorKeyId, keyIds: [keyId] })).not.toThrow()
  })
})

describe('discovery with multiRegion', () => {
  it("asks for the replica in the provider's Region", async () => {
    const { provider, asked } = regional('us-west-2')
    const sealed = await message(EAST)
    expect(await opens(kmsKeyring({ provider, discovery: true, multiRegion: true }), sealed)).toBe(true)
    const filter = { partition: 'aws', accounts: ['000000000000'] }
    expect(await opens(kmsKeyring({ provider, discovery: filter, multiRegion: true }), sealed)).toBe(true)
    expect(asked).toEqual([WEST, WEST])
  })

  it.each<[string, string, KmsKeyringOptions['discovery']]>([
    ['a key of another Region alone', arnIn('us-east-1', { id: ID.slice(4) }), true],
    ['another account', EAST, { accounts: ['111122223333'] }],
    ['another partition', EAST, { partition: 'aws-cn' }],
  ])('leaves %s alone', async (_, arn, discovery) => {
    const { provider, asked } = regional('us-west-2')
    const error = await failure(opens(kmsKeyring({ provider, discovery, multiRegion: true }), await message(arn)))
    expect(error).toBeInstanceOf(KeyUnavailableError)
    expect(asked).toEqual([])
  })

  it('cannot encrypt', async () => {
    const keyring = kmsKeyring({ provider: regional('us-west-2').provider, discovery: true, multiRegion: true })
    expect(await failure(encrypt(keyring, plaintext))).toBeInstanceOf(KeyUnavailableError)
    expect(await opens(aes, await encrypt(aes, plaintext))).toBe(true)
  })

  it('needs one provider, with a Region', () => {
    const several = (region: string): KmsProvider => regional(region).provider
    const nowhere = { ...regional('us-west-2').provider, region: undefined }
    for (const provider of [several, nowhere]) {
      expect(() => kmsKeyring({ provider, discovery: true, multiRegion: true })).toThrow('needs one provider')
    }
  })
})
