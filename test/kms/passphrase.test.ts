import type * as HashWasm from 'hash-wasm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { passphraseKeyring } from '../../kms/providers/passphrase.ts'
import {
  AuthenticationError,
  decrypt,
  encrypt,
  encryptSync,
  FormatError,
  inspect,
  UnsupportedError,
  type EncryptedDataKey,
  type Keyring,
} from '../../src/index.ts'
import { aes, plaintext, preceded } from '../unit/src-setup.ts'

const computed = vi.hoisted(() => vi.fn())
vi.mock('hash-wasm', async (original) => {
  const real = await original<typeof HashWasm>()
  const argon2id: typeof real.argon2id = (options) => {
    computed()
    return real.argon2id(options)
  }
  return { ...real, argon2id }
})

const passphrase = 'correct horse battery stäple'
const CONTEXT = { encryptionContext: { a: 'b' } }

afterEach(() => {
  vi.unstubAllGlobals()
})

/** Passphrase keys of anybody's making. */
function foreign(memoryKib: number, passes: number, lanes: number, length = 80): EncryptedDataKey {
  const providerInfo = new Uint8Array(23)
  providerInfo[0] = 1
  new DataView(providerInfo.buffer).setUint32(1, memoryKib)
  providerInfo.set([passes, lanes], 5)
  return { providerId: 'waxseal-passphrase', providerInfo, ciphertext: new Uint8Array(length) }
}

describe('a passphrase keyring', () => {
  it('opens what it wrote, in whatever form the passphrase is typed, and not with another', async () => {
    const message = await encrypt(passphraseKeyring({ passphrase }), plaintext, CONTEXT)
    const [key] = inspect(message).encryptedDataKeys
    expect(key?.providerId).toBe('waxseal-passphrase')
    // 64 MiB, 3 passes, 1 lane; commitment 32, data key 32, tag 16.
    expect(Buffer.from(key!.providerInfo.slice(0, 7)).toString('hex')).toBe('01000100000301')
    expect(key!.ciphertext).toHaveLength(80)
    const decomposed = passphraseKeyring({ passphrase: passphrase.normalize('NFD') })
    expect((await decrypt(decomposed, message)).plaintext).toEqual(plaintext)
    const wrong = passphraseKeyring({ passphrase: 'correct horse battery staple' })
    await expect(decrypt(wrong, message)).rejects.toBeInstanceOf(AuthenticationError)
  })

  it('binds parameters and context', async () => {
    const keyring = passphraseKeyring({ passphrase })
    const options = { ...CONTEXT, requiredEncryptionContextKeys: ['a'] }
    const message = await encrypt(keyring, plaintext, options)
    const other = { encryptionContext: { a: 'c' }, requiredEncryptionContextKeys: ['a'] }
    await expect(decrypt(keyring, message, other)).rejects.toBeInstanceOf(AuthenticationError)
  })

  it.each([
    [19 * 1024 - 1, 3, 1],
    [256 * 1024 + 1, 3, 1],
    [0xffffffff, 3, 1],
    [65_536, 0, 1],
    [65_536, 11, 1],
    [65_536, 3, 0],
    [65_536, 3, 5],
  ])('does no work for %i KiB, %i passes, %i lanes', async (...parameters) => {
    const message = await encrypt(preceded(aes, foreign(...parameters)), plaintext)
    const instantiate = vi.spyOn(WebAssembly, 'instantiate')
    const error = decrypt(passphraseKeyring({ passphrase }), message)
    await expect(error).rejects.toMatchObject({ errors: [expect.any(FormatError) as unknown] })
    expect(instantiate).not.toHaveBeenCalled()
    instantiate.mockRestore()
  })

  it('tries two encrypted data keys at most', async () => {
    const many = Array.from({ length: 20 }, () => foreign(19 * 1024, 1, 1, 79))
    const message = await encrypt(preceded(aes, ...many), plaintext)
    const error = decrypt(passphraseKeyring({ passphrase }), message)
    await expect(error).rejects.toMatchObject({ errors: { length: 2 } })
  })

  it('that is disposed wraps nothing more, and what it began it ends', async () => {
    const keyring = passphraseKeyring({ passphrase })
    const begun = encrypt(keyring, plaintext)
    keyring.dispose()
    const { plaintext: opened } = await decrypt(passphraseKeyring({ passphrase }), await begun)
    expect(opened).toEqual(plaintext)
    await expect(encrypt(keyring, plaintext)).rejects.toMatchObject({ code: 'ERR_WAXSEAL_DISPOSED' })
  })

  it('computes nothing for calls that were aborted while they waited', async () => {
    const keyring = passphraseKeyring({ passphrase })
    const abort = new AbortController()
    const message = await encrypt(keyring, plaintext)
    computed.mockClear()
    const first = encrypt(keyring, plaintext)
    const gone = [
      encrypt(keyring, plaintext, { signal: abort.signal }),
      decrypt(keyring, message, { signal: abort.signal }),
    ]
    const last = decrypt(keyring, message)
    abort.abort(new RangeError('gone'))
    for (const call of gone) await expect(call).rejects.toThrow('gone')
    await first
    expect((await last).plaintext).toEqual(plaintext)
    expect(computed).toHaveBeenCalledTimes(2)
  })

  it('is asynchronous, and refuses what is no passphrase', () => {
    const keyring: Keyring = passphraseKeyring({ passphrase })
    expect(() => encryptSync(keyring, plaintext)).toThrow(UnsupportedError)
    for (const each of [undefined, 5, '\ud800'])
      expect(() => passphraseKeyring({ passphrase: each as string })).toThrow(TypeError)
    for (const each of ['', 'x'.repeat(4097)]) expect(() => passphraseKeyring({ passphrase: each })).toThrow(RangeError)
  })

  it('is refused where code may not be compiled from bytes', () => {
    const refuse = (): never => {
      throw new WebAssembly.CompileError('not here')
    }
    vi.stubGlobal('WebAssembly', { ...WebAssembly, Module: refuse })
    expect(() => passphraseKeyring({ passphrase })).toThrow(UnsupportedError)
  })
})
