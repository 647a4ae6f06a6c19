import { describe, expect, it } from 'vitest'
import { kmsKeyring, type KmsKeyringOptions, type KmsProvider } from '../../kms/index.ts'
import { decrypt, encrypt, FormatError, inspect, KeyUnavailableError, multiKeyring } from '../../src/index.ts'
import { aes, failure, plaintext, preceded } from '../unit/src-setup.ts'
import { arns, keyId, opens, OTHER_ARN, own, provider, spied } from './keyring-setup.ts'

describe('kmsKeyring checks what the service answers', () => {
  it.each([
    ['another key', { keyId: OTHER_ARN }],
    ['no ARN', { keyId: 'alias/demo' }],
    ['a short data key', { plaintext: new Uint8Array(31) }],
    ['a long data key', { plaintext: new Uint8Array(33) }],
    ['no data key', { plaintext: new Uint8Array(0) }],
  ])('on GenerateDataKey: %s', async (_, wrong) => {
    const lying: KmsProvider = {
      ...provider,
      generateDataKey: async (request) => ({ ...(await provider.generateDataKey(request)), ...wrong }),
    }
    const error = await failure(encrypt(kmsKeyring({ provider: lying, generatorKeyId: arns[0] }), plaintext))
    expect(error).toBeInstanceOf(KeyUnavailableError)
  })

  it.each([
    ['another key', { keyId: OTHER_ARN }],
    ['no ARN', { keyId: '' }],
  ])('on Encrypt: %s', async (_, wrong) => {
    const lying: KmsProvider = {
      ...provider,
      encrypt: async (request) => ({ ...(await provider.encrypt(request)), ...wrong }),
    }
    const keyring = multiKeyring({ generator: aes, children: [kmsKeyring({ provider: lying, keyIds: [arns[0]] })] })
    expect(await failure(encrypt(keyring, plaintext))).toBeInstanceOf(KeyUnavailableError)
  })

  it('an alias may be answered by whatever ARN it stands for, but by an ARN', async () => {
    const lying: KmsProvider = {
      ...provider,
      generateDataKey: async (request) => ({ ...(await provider.generateDataKey(request)), keyId: 'alias/demo' }),
    }
    const error = await failure(encrypt(kmsKeyring({ provider: lying, generatorKeyId: 'alias/demo' }), plaintext))
    expect(error).toBeInstanceOf(KeyUnavailableError)
  })

  it.each([
    ['another key', { keyId: OTHER_ARN }],
    ['an alias', { keyId: 'alias/demo' }],
    ['a short data key', { plaintext: new Uint8Array(16) }],
    ['a long data key', { plaintext: new Uint8Array(33) }],
  ])('on Decrypt: %s', async (_, wrong) => {
    const lying: KmsProvider = {
      ...provider,
      decrypt: async (request) => ({ ...(await provider.decrypt(request)), ...wrong }),
    }
    const message = await encrypt(kmsKeyring({ provider, generatorKeyId: arns[0] }), plaintext)
    for (const options of [{ keyIds: [arns[0]] }, { discovery: true }] as const) {
      const error = await failure(decrypt(kmsKeyring({ provider: lying, ...options }), message))
      expect(error).toBeInstanceOf(KeyUnavailableError)
      expect((error as KeyUnavailableError).errors).toMatchObject([expect.any(FormatError)])
    }
  })
})

describe('discovery', () => {
  it('decrypts under the key that the message names', async () => {
    for (const generatorKeyId of arns) {
      const message = await encrypt(kmsKeyring({ provider, generatorKeyId }), plaintext)
      expect(await opens(kmsKeyring({ provider, discovery: true }), message)).toBe(true)
    }
  })

  it('does not encrypt', async () => {
    const keyring = kmsKeyring({ provider, discovery: true })
    expect(await failure(encrypt(keyring, plaintext))).toBeInstanceOf(KeyUnavailableError)
    const message = await encrypt(multiKeyring({ generator: aes, children: [keyring] }), plaintext)
    expect(inspect(message).encryptedDataKeys).toHaveLength(1)
  })

  it.each([
    [{ partition: 'aws' }, true],
    [{ accounts: ['111122223333', '000000000000'] }, true],
    [{ partition: 'aws', accounts: ['000000000000'] }, true],
    [{ partition: 'aws-cn' }, false],
    [{ accounts: ['111122223333'] }, false],
    [{ partition: 'aws-cn', accounts: ['000000000000'] }, false],
  ])('with the filter %j: %s', async (discovery, isTried) => {
    const message = await encrypt(kmsKeyring({ provider, generatorKeyId: arns[0] }), plaintext)
    const { provider: asked, calls } = spied()
    const error = await failure(decrypt(kmsKeyring({ provider: asked, discovery }), message))
    if (isTried) expect(error).toBeUndefined()
    else expect(error).toBeInstanceOf(KeyUnavailableError)
    expect(calls).toHaveLength(isTried ? 1 : 0)
  })
})

describe('a provider for each Region', () => {
  it('is asked for by the Region of each ARN', async () => {
    const regions: string[] = []
    const perRegion = (region: string): KmsProvider => {
      regions.push(region)
      return provider
    }
    const message = await encrypt(kmsKeyring({ provider: perRegion, generatorKeyId: arns[0] }), plaintext)
    expect(await opens(kmsKeyring({ provider: perRegion, discovery: true }), message)).toBe(true)
    expect(new Set(regions)).toEqual(new Set(['us-east-1']))
  })

  it('is never asked for by what is no Region', async () => {
    const regions: string[] = []
    const perRegion = (region: string): KmsProvider => {
      regions.push(region)
      return provider
    }
    const names = ['x@example.com/#', 'us-east-1.example.com', 'us-east-1/', '..', 'US-EAST-1']
    const foreign = names.map((name) => own(arns[0].replace('us-east-1', name)))
    const message = await encrypt(preceded(aes, ...foreign), plaintext)
    const error = await failure(decrypt(kmsKeyring({ provider: perRegion, discovery: true }), message))
    expect(error).toBeInstanceOf(KeyUnavailableError)
    expect(regions).toEqual([])
  })

  it('needs ARNs', () => {
    expect(() => kmsKeyring({ provider: () => provider, generatorKeyId: 'alias/demo' })).toThrow(TypeError)
    expect(() => kmsKeyring({ provider: () => provider, keyIds: [keyId] })).toThrow(TypeError)
  })
})

describe('the options of kmsKeyring', () => {
  it.each([
    ['neither keys nor discovery', {}],
    ['no keys', { keyIds: [] }],
    ['keys and discovery', { keyIds: [OTHER_ARN], discovery: true }],
    ['a generator and discovery', { generatorKeyId: OTHER_ARN, discovery: { partition: 'aws' } }],
    ['an empty generator', { generatorKeyId: '' }],
    ['an empty key', { keyIds: [''] }],
    ['a key that is no string', { keyIds: [7] }],
    ['keys that are no list', { keyIds: OTHER_ARN }],
    ['discovery: false', { discovery: false }],
    ['discovery: null', { discovery: null }],
    ['discovery: a string', { discovery: 'aws' }],
    ['a filter that filters nothing', { discovery: {} }],
    ['a filter of nothing', { discovery: { partition: undefined, accounts: undefined } }],
    ['a filter with another member', { discovery: { partition: 'aws', account: '000000000000' } }],
    ['a filter with an empty partition', { discovery: { partition: '' } }],
    ['a filter with accounts that are no list', { discovery: { accounts: '000000000000' } }],
    ['grant tokens that are no list', { keyIds: [OTHER_ARN], grantTokens: 'token' }],
    ['no provider', { keyIds: [OTHER_ARN], provider: undefined }],
    ['a provider that is none', { keyIds: [OTHER_ARN], provider: { decrypt: () => undefined } }],
    ['a function that answers no provider', { keyIds: [OTHER_ARN], provider: () => ({}) }],
  ])('must not be %s', (_, wrong) => {
    expect(() => kmsKeyring({ provider, ...wrong } as unknown as KmsKeyringOptions)).toThrow(TypeError)
  })
})
