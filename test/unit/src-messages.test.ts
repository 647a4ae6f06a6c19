import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  algorithmSuite,
  algorithmSuites,
  CommitmentPolicyError,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  inspect,
  LimitError,
  multiKeyring,
  rawAesKeyring,
  UnsupportedError,
} from '../../src/index.ts'
import type { AlgorithmSuiteId, CommitmentPolicy, EncryptOptions, Keyring } from '../../src/index.ts'
import { assertFrameCount } from '../../src/options.ts'

const keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
const plaintext = Uint8Array.of(1, 2, 3)
const ANY: CommitmentPolicy = 'require-encrypt-allow-decrypt'
const FORBID: CommitmentPolicy = 'forbid-encrypt-allow-decrypt'

function policyFor(id: AlgorithmSuiteId): CommitmentPolicy {
  return algorithmSuite(id).isCommitting ? ANY : FORBID
}

/** A keyring that is asked as often as its calls count. */
function counting(inner: Keyring): Keyring & { calls: number } {
  const counted = {
    calls: 0,
    wrap: (materials: Parameters<Keyring['wrap']>[0]) => {
      counted.calls += 1
      return inner.wrap(materials)
    },
    unwrap: (...args: Parameters<Keyring['unwrap']>) => {
      counted.calls += 1
      return inner.unwrap(...args)
    },
  }
  return counted
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('suites and policies', () => {
  it.each(algorithmSuites)('$name encrypts and decrypts, at once and later', async ({ id, name, messageVersion }) => {
    const commitmentPolicy = policyFor(id)
    const options = { algorithmSuite: name, commitmentPolicy, encryptionContext: { tenant: 'a' }, frameLength: 2 }
    for (const message of [encryptSync(keyring, plaintext, options), await encrypt(keyring, plaintext, options)]) {
      const { algorithmSuite: suite, messageId } = inspect(message)
      expect(suite).toBe(algorithmSuite(id))
      expect(messageId).toHaveLength(16 * messageVersion)
      for (const result of [
        decryptSync(keyring, message, { commitmentPolicy }),
        await decrypt(keyring, message, { commitmentPolicy }),
      ]) {
        expect(result.plaintext).toEqual(plaintext)
        expect(result.header).toEqual(inspect(message))
      }
    }
  })

  it('writes 0x0478 unless told otherwise, 0x0178 where commitment is forbidden', () => {
    expect(inspect(encryptSync(keyring, plaintext)).algorithmSuite.id).toBe(0x0478)
    expect(inspect(encryptSync(keyring, plaintext, { commitmentPolicy: ANY })).algorithmSuite.id).toBe(0x0478)
    expect(inspect(encryptSync(keyring, plaintext, { commitmentPolicy: FORBID })).algorithmSuite.id).toBe(0x0178)
  })

  it.each(algorithmSuites)('$name is written and read as the policies say', async ({ id, isCommitting }) => {
    const write = (commitmentPolicy?: CommitmentPolicy): Uint8Array =>
      encryptSync(keyring, plaintext, { algorithmSuite: id, commitmentPolicy })
    for (const policy of isCommitting ? [FORBID] : [undefined, ANY, 'require-encrypt-require-decrypt' as const]) {
      expect(() => write(policy)).toThrow(CommitmentPolicyError)
    }
    const message = write(policyFor(id))
    for (const commitmentPolicy of [ANY, FORBID]) {
      expect(decryptSync(keyring, message, { commitmentPolicy }).plaintext).toEqual(plaintext)
    }
    const asked = counting(keyring)
    const opened = decrypt(asked, message)
    if (isCommitting) await expect(opened).resolves.toMatchObject({ plaintext })
    else await expect(opened).rejects.toThrow(CommitmentPolicyError)
    expect(asked.calls).toBe(isCommitting ? 1 : 0)
  })

  it('refuses an unknown suite or policy', () => {
    const unknown = { algorithmSuite: 0x0070 as AlgorithmSuiteId }
    expect(() => encryptSync(keyring, plaintext, unknown)).toThrow(RangeError)
    expect(() => encryptSync(keyring, plaintext, { commitmentPolicy: 'none' as CommitmentPolicy })).toThrow(RangeError)
  })
})

describe('arguments', () => {
  it.each<[string, EncryptOptions]>([
    ['frameLength 0', { frameLength: 0 }],
    ['frameLength 2^32', { frameLength: 2 ** 32 }],
    ['frameLength 1.5', { frameLength: 1.5 }],
    ['frameLength NaN', { frameLength: NaN }],
    ['maxEncryptedDataKeys 0', { maxEncryptedDataKeys: 0 }],
    ['maxEncryptedDataKeys 65,536', { maxEncryptedDataKeys: 65_536 }],
    ['maxEncryptedDataKeys NaN', { maxEncryptedDataKeys: NaN }],
  ])('%s is a RangeError, before the keyring is asked', async (_, options) => {
    const asked = counting(keyring)
    await expect(encrypt(asked, plaintext, options)).rejects.toThrow(RangeError)
    expect(asked.calls).toBe(0)
  })

  it('are refused where they are of another type', async () => {
    const detached = new Uint8Array(3)
    structuredClone(detached, { transfer: [detached.buffer] })
    for (const wrong of [new Uint8Array(new SharedArrayBuffer(3)), detached, [1, 2], 'abc', new Uint16Array(3), null]) {
      await expect(encrypt(keyring, wrong as Uint8Array)).rejects.toThrow(TypeError)
      await expect(decrypt(keyring, wrong as Uint8Array)).rejects.toThrow(TypeError)
      expect(() => inspect(wrong as Uint8Array)).toThrow(TypeError)
    }
    for (const wrong of [null, undefined, 'k', {}, { wrap: () => undefined }]) {
      await expect(encrypt(wrong as unknown as Keyring, plaintext)).rejects.toThrow(TypeError)
    }
    await expect(encrypt(keyring, plaintext, null as unknown as EncryptOptions)).rejects.toThrow(TypeError)
    await expect(encrypt(keyring, plaintext, { signal: {} as AbortSignal })).rejects.toThrow(TypeError)
    const keys = 'tenant' as unknown as string[]
    await expect(encrypt(keyring, plaintext, { requiredEncryptionContextKeys: keys })).rejects.toThrow(TypeError)
  })

  it('are refused when they are taken away meanwhile', async () => {
    const bytes = new Uint8Array(3)
    const slow: Keyring = { wrap: async (materials) => keyring.wrap(materials), unwrap: async () => undefined }
    const pending = encrypt(slow, bytes)
    structuredClone(bytes, { transfer: [bytes.buffer] })
    await expect(pending).rejects.toThrow(TypeError)
  })

  it('may be Buffers, and results are none', () => {
    const wrappingKey = Buffer.alloc(32, 7)
    const other = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey })
    wrappingKey.fill(0)
    const message = encryptSync(other, Buffer.from('abc'))
    const { plaintext: opened, header } = decryptSync(keyring, Buffer.from(message))
    expect(opened).toEqual(new TextEncoder().encode('abc'))
    for (const result of [message, opened, header.messageId, header.encryptedDataKeys[0]?.ciphertext]) {
      expect(result?.constructor).toBe(Uint8Array)
      expect(result?.byteOffset).toBe(0)
    }
  })
})

describe('limits', () => {
  const many = (count: number): Keyring => multiKeyring({ children: Array.from({ length: count }, () => keyring) })

  it('reads 64 encrypted data keys unless the limit is raised, before a keyring is asked', async () => {
    expect(decryptSync(keyring, encryptSync(many(64), plaintext)).plaintext).toEqual(plaintext)
    const message = encryptSync(many(65), plaintext)
    const asked = counting(keyring)
    await expect(decrypt(asked, message)).rejects.toThrow(LimitError)
    expect(asked.calls).toBe(0)
    expect((await decrypt(asked, message, { maxEncryptedDataKeys: 65 })).plaintext).toEqual(plaintext)
    expect(() => decryptSync(keyring, encryptSync(many(2), plaintext), { maxEncryptedDataKeys: 1 })).toThrow(LimitError)
  })

  it('writes no more encrypted data keys than asked for', () => {
    expect(() => encryptSync(many(3), plaintext, { maxEncryptedDataKeys: 2 })).toThrow(LimitError)
    expect(encryptSync(many(2), plaintext, { maxEncryptedDataKeys: 2 })).toBeInstanceOf(Uint8Array)
  })

  it('holds 2^32 − 1 frames', () => {
    expect(() => {
      assertFrameCount(2 ** 32 - 1, 1)
    }).not.toThrow()
    expect(() => {
      assertFrameCount(2 ** 32, 1)
    }).toThrow(RangeError)
    expect(() => {
      assertFrameCount(2 ** 32, 2)
    }).not.toThrow()
  })
})

describe('waiting', () => {
  const slow: Keyring = { wrap: (materials) => keyring.wrap(materials), unwrap: (...args) => keyring.unwrap(...args) }

  it('is refused by encryptSync and decryptSync before any work', () => {
    const random = vi.spyOn(globalThis.crypto, 'getRandomValues')
    const asked = counting(slow)
    expect(() => encryptSync(asked, plaintext)).toThrow(UnsupportedError)
    expect(() => decryptSync(asked, new Uint8Array(0))).toThrow(UnsupportedError)
    expect(() => encryptSync(multiKeyring({ children: [keyring, asked] }), plaintext)).toThrow(UnsupportedError)
    expect(asked.calls).toBe(0)
    expect(random).not.toHaveBeenCalled()
  })

  it('ends with the reason of a signal that is aborted before', async () => {
    const reason = { why: 'late' }
    const asked = counting(slow)
    const signal = AbortSignal.abort(reason)
    const message = encryptSync(keyring, plaintext)
    await expect(encrypt(asked, plaintext, { signal })).rejects.toBe(reason)
    await expect(decrypt(asked, message, { signal })).rejects.toBe(reason)
    expect(asked.calls).toBe(0)
  })

  it.each(['answers', 'fails'])('ends with the reason of a signal that is aborted while a keyring %s', async (how) => {
    const reason = { why: 'changed my mind' }
    const message = encryptSync(keyring, plaintext)
    const asked = counting(keyring)
    const writing = abortedMeanwhile(reason, how === 'fails')
    const encrypted = encrypt(multiKeyring({ children: [writing, asked] }), plaintext, { signal: writing.signal })
    await expect(encrypted).rejects.toBe(reason)
    const reading = abortedMeanwhile(reason, how === 'fails')
    const decrypted = decrypt(multiKeyring({ children: [reading, asked] }), message, { signal: reading.signal })
    await expect(decrypted).rejects.toBe(reason)
    expect(asked.calls).toBe(0)
  })
})

/** A keyring during whose call the signal is aborted. */
function abortedMeanwhile(reason: unknown, fails: boolean): Keyring & { signal: AbortSignal } {
  const abort = new AbortController()
  const meanwhile = async <T>(result: Promise<T>): Promise<T> => {
    abort.abort(reason)
    const value = await result
    if (fails) throw new Error('the service hung up')
    return value
  }
  return {
    signal: abort.signal,
    wrap: (materials) => meanwhile(Promise.resolve(keyring.wrap(materials))),
    unwrap: async () => meanwhile(Promise.resolve(undefined)),
  }
}

describe('randomness', () => {
  it.each<[string, Keyring, EncryptOptions]>([
    ['a raw AES keyring', keyring, {}],
    ['sixteen of them', multiKeyring({ children: Array.from({ length: 16 }, () => keyring) }), {}],
    ['a signed suite', keyring, { algorithmSuite: 0x0578 }],
  ])('is drawn once a message with %s', async (_, source, options) => {
    const random = vi.spyOn(globalThis.crypto, 'getRandomValues')
    const first = await encrypt(source, plaintext, options)
    expect(random).toHaveBeenCalledTimes(1)
    const second = encryptSync(source, plaintext, options)
    expect(random).toHaveBeenCalledTimes(2)
    expect(decryptSync(keyring, second).plaintext).toEqual(plaintext)
    expect(random).toHaveBeenCalledTimes(2)
    const parts = [inspect(first), inspect(second)].flatMap(({ messageId, encryptedDataKeys }) => [
      Buffer.from(messageId).toString('hex'),
      ...encryptedDataKeys.map(({ providerInfo }) => Buffer.from(providerInfo).toString('hex')),
    ])
    expect(new Set(parts).size).toBe(parts.length)
  })

  it('is not drawn at import', async () => {
    const random = vi.spyOn(globalThis.crypto, 'getRandomValues')
    vi.resetModules()
    await import('../../src/index.ts')
    expect(random).not.toHaveBeenCalled()
  })

  it('is gone when the message is done', async () => {
    let late: (() => Uint8Array) | undefined
    const keeper: Keyring = {
      wrap: async (materials) => {
        late = () => materials.random(16)
        return keyring.wrap(materials)
      },
      unwrap: async () => undefined,
    }
    await encrypt(keeper, plaintext)
    expect(late).toThrow(expect.objectContaining({ code: 'ERR_WAXSEAL_DISPOSED' }))
  })
})
