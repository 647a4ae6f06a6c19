import { describe, expect, it } from 'vitest'
import { kmsKeyring, type KmsProvider } from '../../kms/index.ts'
import {
  AuthenticationError,
  decrypt,
  encrypt,
  encryptSync,
  inspect,
  KeyUnavailableError,
  multiKeyring,
  UnsupportedError,
} from '../../src/index.ts'
import { aes, failure, plaintext, preceded } from '../unit/src-setup.ts'
import { arns, keyId, opens, OTHER_ARN, own, provider, spied } from './keyring-setup.ts'

describe('kmsKeyring', () => {
  it('wraps under the key that makes the data key, and names it by ARN', async () => {
    for (const generatorKeyId of [arns[0], keyId, 'alias/demo', arns[0].replace(/key\/.*/, 'alias/demo')]) {
      const message = await encrypt(kmsKeyring({ provider, generatorKeyId }), plaintext)
      const [edk, ...others] = inspect(message).encryptedDataKeys
      expect(others).toEqual([])
      expect(edk?.providerId).toBe('aws-kms')
      expect(new TextDecoder().decode(edk?.providerInfo)).toBe(arns[0])
      expect((await decrypt(kmsKeyring({ provider, generatorKeyId }), message)).plaintext).toEqual(plaintext)
    }
  })

  it('wraps under further keys, each of which decrypts alone', async () => {
    const keyring = kmsKeyring({ provider, generatorKeyId: 'alias/demo', keyIds: [arns[1]] })
    const message = await encrypt(keyring, plaintext, { encryptionContext: { tenant: 'a' } })
    expect(inspect(message).encryptedDataKeys).toHaveLength(2)
    for (const arn of arns) expect(await opens(kmsKeyring({ provider, keyIds: [arn] }), message)).toBe(true)
  })

  it('works in a multi-keyring, as generator and as child', async () => {
    const kms = kmsKeyring({ provider, generatorKeyId: 'alias/demo' })
    for (const keyring of [
      multiKeyring({ generator: kms, children: [aes] }),
      multiKeyring({ generator: aes, children: [kms] }),
    ]) {
      const message = await encrypt(keyring, plaintext, { encryptionContext: { tenant: 'a' } })
      for (const one of [keyring, kms, aes]) expect(await opens(one, message)).toBe(true)
    }
  })

  it.each(['AES-128-GCM-HKDF-SHA256', 'AES-192-GCM-HKDF-SHA256', 'AES-256-GCM-HKDF-SHA384-ECDSA-P384'] as const)(
    'makes data keys for %s',
    async (algorithmSuite) => {
      const keyring = kmsKeyring({ provider, generatorKeyId: arns[0] })
      const options = { commitmentPolicy: 'forbid-encrypt-allow-decrypt' } as const
      const message = await encrypt(keyring, plaintext, { ...options, algorithmSuite })
      expect((await decrypt(keyring, message, options)).plaintext).toEqual(plaintext)
    },
  )

  it('binds the encryption context, that of required keys and signatures included', async () => {
    const keyring = kmsKeyring({ provider, generatorKeyId: arns[0] })
    const context = { encryptionContext: { tenant: 'a', secret: 's' }, requiredEncryptionContextKeys: ['secret'] }
    const algorithmSuite = 0x0578
    const message = await encrypt(keyring, plaintext, { ...context, algorithmSuite })
    expect((await decrypt(keyring, message, context)).plaintext).toEqual(plaintext)
    const other = { ...context, encryptionContext: { tenant: 'a', secret: 't' } }
    expect(await failure(decrypt(keyring, message, other))).toBeInstanceOf(AuthenticationError)
  })

  it('works only asynchronously', () => {
    expect(() => encryptSync(kmsKeyring({ provider, generatorKeyId: arns[0] }), plaintext)).toThrow(UnsupportedError)
  })

  it('makes no data key without a generator', async () => {
    const error = await failure(encrypt(kmsKeyring({ provider, keyIds: arns }), plaintext))
    expect(error).toBeInstanceOf(KeyUnavailableError)
    const message = await encrypt(multiKeyring({ children: [aes, kmsKeyring({ provider, keyIds: arns })] }), plaintext)
    expect(inspect(message).encryptedDataKeys).toHaveLength(3)
  })

  it('passes grant tokens and signal on, and is not changed through its options', async () => {
    const requests: unknown[] = []
    const grantTokens = ['one']
    const keyIds = [arns[1]]
    const keyring = kmsKeyring({
      provider: {
        ...provider,
        generateDataKey: (request) => {
          requests.push(request)
          return provider.generateDataKey({ ...request, grantTokens: undefined })
        },
        encrypt: (request) => {
          requests.push({ ...request, plaintext: undefined })
          return provider.encrypt({ ...request, grantTokens: undefined })
        },
      },
      generatorKeyId: arns[0],
      keyIds,
      grantTokens,
    })
    grantTokens.push('two')
    keyIds.push(OTHER_ARN)
    const { signal } = new AbortController()
    await encrypt(keyring, plaintext, { encryptionContext: { a: 'b' }, signal })
    const common = { encryptionContext: { a: 'b' }, grantTokens: ['one'], signal }
    expect(requests).toEqual([
      { ...common, keyId: arns[0], numberOfBytes: 32 },
      { ...common, keyId: arns[1], plaintext: undefined },
    ])
  })

  it('wipes the data key in what the service answered and in what it was sent', async () => {
    const seen: Uint8Array[] = []
    const keeping: KmsProvider = {
      generateDataKey: async (request) => {
        const answer = await provider.generateDataKey(request)
        seen.push(answer.plaintext)
        return answer
      },
      encrypt: async (request) => {
        const answer = await provider.encrypt(request)
        seen.push(request.plaintext)
        return answer
      },
      decrypt: async (request) => {
        const answer = await provider.decrypt(request)
        seen.push(answer.plaintext)
        return answer
      },
    }
    const keyring = kmsKeyring({ provider: keeping, generatorKeyId: arns[0], keyIds: [arns[1]] })
    await decrypt(keyring, await encrypt(keyring, plaintext))
    expect(seen).toHaveLength(3)
    for (const bytes of seen) expect(bytes).toEqual(new Uint8Array(32))
  })

  it('ends with the reason of an abort', async () => {
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborting = spied({
      decrypt: async () => {
        controller.abort(reason)
        throw new Error('not this one')
      },
    })
    const keyring = kmsKeyring({ provider: aborting.provider, keyIds: arns })
    const message = await encrypt(kmsKeyring({ provider, generatorKeyId: arns[0], keyIds: [arns[1]] }), plaintext)
    expect(await failure(decrypt(keyring, message, { signal: controller.signal }))).toBe(reason)
    expect(aborting.calls).toEqual([`decrypt ${arns[0]}`])
  })
})

describe('kmsKeyring decrypts under its own keys only', () => {
  it('asks nothing of the service for a message of other keys', async () => {
    const message = await encrypt(kmsKeyring({ provider, generatorKeyId: arns[0] }), plaintext)
    const { provider: asked, calls } = spied()
    for (const ours of [[arns[1]], [OTHER_ARN], [arns[0].toUpperCase()], [`${arns[0]}0`]]) {
      const error = await failure(decrypt(kmsKeyring({ provider: asked, keyIds: ours }), message))
      expect(error).toBeInstanceOf(KeyUnavailableError)
    }
    expect(calls).toEqual([])
  })

  it('resolves aliases and ids at each message, never to more than they stand for', async () => {
    const [one, other] = arns
    let target = one
    const { provider: asked, calls } = spied({ resolveKeyId: async () => target })
    const keyring = kmsKeyring({ provider: asked, keyIds: ['alias/moving'] })
    const message = await encrypt(kmsKeyring({ provider, generatorKeyId: one }), plaintext)
    expect(await opens(keyring, message)).toBe(true)
    target = other
    expect(await failure(decrypt(keyring, message))).toBeInstanceOf(KeyUnavailableError)
    expect(calls).toEqual([`decrypt ${one}`])
  })

  it('encrypts only, under aliases and ids, with a provider that does not resolve them', async () => {
    const calls: string[] = []
    const unresolving: KmsProvider = {
      generateDataKey: (request) => provider.generateDataKey(request),
      encrypt: (request) => provider.encrypt(request),
      decrypt: async () => {
        calls.push('decrypt')
        throw new Error('never')
      },
    }
    const keyring = kmsKeyring({ provider: unresolving, generatorKeyId: 'alias/demo', keyIds: [keyId] })
    const message = await encrypt(keyring, plaintext)
    expect(await failure(decrypt(keyring, message))).toBeInstanceOf(KeyUnavailableError)
    expect(calls).toEqual([])
  })

  it('records a name that does not resolve, and tries the others', async () => {
    const message = await encrypt(kmsKeyring({ provider, generatorKeyId: arns[0] }), plaintext)
    expect(await opens(kmsKeyring({ provider, keyIds: ['alias/absent', arns[0]] }), message)).toBe(true)
    const error = await failure(decrypt(kmsKeyring({ provider, keyIds: ['alias/absent'] }), message))
    expect(error).toBeInstanceOf(KeyUnavailableError)
    expect((error as KeyUnavailableError).errors).toMatchObject([{ name: 'NotFoundException' }])
  })

  it('reads ARNs byte by byte', async () => {
    const [arn] = arns
    const { provider: asked, calls } = spied()
    const infos = [`\ufeff${arn}`, `${arn}\n`, `${arn}\u0000`, ` ${arn}`].map((text) => new TextEncoder().encode(text))
    const broken = [...infos, Uint8Array.of(...new TextEncoder().encode(arn), 0xff), new Uint8Array(0)]
    const foreign = broken.map((providerInfo) => ({ ...own(arn), providerInfo }))
    const message = await encrypt(preceded(aes, ...foreign, { ...own(arn), providerId: 'aws-kms ' }), plaintext)
    for (const options of [{ keyIds: [arn] }, { discovery: true }] as const) {
      const error = await failure(decrypt(kmsKeyring({ provider: asked, ...options }), message))
      expect(error).toBeInstanceOf(KeyUnavailableError)
    }
    expect(calls).toEqual([])
  })

  it('records one of its own that does not open, and tries the next', async () => {
    const kms = kmsKeyring({ provider, generatorKeyId: arns[0] })
    const real = await encrypt(kms, plaintext)
    const ciphertext = Uint8Array.from(inspect(real).encryptedDataKeys[0]?.ciphertext ?? [])
    ciphertext[100]! ^= 1
    const message = await encrypt(preceded(kms, own(arns[0]), own(arns[0], ciphertext)), plaintext)
    const { provider: asked, calls } = spied()
    expect(await opens(kmsKeyring({ provider: asked, keyIds: [arns[0]] }), message)).toBe(true)
    expect(calls).toHaveLength(3)
  })

  it('says that a message is not authentic when the service says so of all its data keys', async () => {
    const [arn, other] = arns
    const ciphertext = (await provider.encrypt({ keyId: other, encryptionContext: {}, plaintext })).ciphertext
    const message = await encrypt(preceded(aes, own(arn), own(arn, ciphertext)), plaintext)
    const error = await failure(decrypt(kmsKeyring({ provider, keyIds: [arn] }), message))
    expect(error).toEqual(new AuthenticationError())
  })

  it('lists the reasons when the service fails otherwise', async () => {
    const message = await encrypt(preceded(aes, own(OTHER_ARN), own(arns[0])), plaintext)
    const error = await failure(decrypt(kmsKeyring({ provider, keyIds: [OTHER_ARN, arns[0]] }), message))
    expect(error).toBeInstanceOf(KeyUnavailableError)
    expect((error as KeyUnavailableError).errors).toMatchObject([
      { name: 'NotFoundException', message: `Key '${OTHER_ARN}' does not exist` },
      new AuthenticationError(),
    ])
  })
})
