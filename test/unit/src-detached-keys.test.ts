import { createHash, createHmac, hkdfSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  decrypt,
  decryptStream,
  decryptSync,
  encrypt,
  encryptStream,
  encryptSync,
  inspect,
  multiKeyring,
  rawAesKeyring,
  WaxsealError,
} from '../../src/index.ts'
import { decryptRange } from '../../src/range.ts'
import type { DecryptOptions, Keyring } from '../../src/index.ts'
import { detachedKeys, rewrapKeys } from '../../src/rewrap.ts'
import { staticDataKeyKeyring } from '../../src/keyrings/static-data-key.ts'
import { codeOf } from './src-setup.ts'

const keyringOf = (name: string): ReturnType<typeof rawAesKeyring> =>
  rawAesKeyring({ namespace: 'test', name, wrappingKey: createHash('sha256').update(name).digest() })

const old = keyringOf('old')
const next = keyringOf('next')
const plaintext = new Uint8Array(1000).map((_, i) => i)
const context = { encryptionContext: { tenant: 'a' } }
const write = { ...context, frameLength: 64, detachedKeys: true } as const

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer())
}

function streamOf(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
}

/** Every way to read a message with a record. */
const WAYS: Readonly<
  Record<
    string,
    (keyring: Keyring, message: Uint8Array, keys: Uint8Array, more?: DecryptOptions) => Promise<Uint8Array>
  >
> = {
  decrypt: async (keyring, message, keys, more) =>
    (await decrypt(keyring, message, { ...more, detachedKeys: keys })).plaintext,
  decryptSync: async (keyring, message, keys) => decryptSync(detachedKeys(keyring, keys), message).plaintext,
  decryptStream: (keyring, message, keys, more) =>
    readAll(
      streamOf(message).pipeThrough(decryptStream(keyring, { ...more, detachedKeys: keys, signedStreams: 'allow' })),
    ),
  decryptRange: async (keyring, message, keys, more) => {
    const options = { ...more, detachedKeys: keys, signedStreams: 'allow' } as const
    return (await decryptRange(keyring, message, 0, undefined, options)).plaintext
  },
}

describe('the record', () => {
  it('is made as docs/decisions/0004-detached-keys.md says', async () => {
    const dataKey = new Uint8Array(32).fill(5)
    const { message, keys } = await encrypt(
      multiKeyring({ children: [staticDataKeyKeyring(dataKey), old] }),
      plaintext,
      write,
    )
    const header = message.subarray(0, inspect(message).byteLength)
    const id = keys.subarray(1, 33)
    expect(keys[0]).toBe(1)
    expect(inspect(message).encryptedDataKeys).toEqual([
      { providerId: 'waxseal-detached', providerInfo: id.slice(), ciphertext: Uint8Array.of(1) },
    ])
    const inside = keys.subarray(33, -64)
    expect(inspect(inside)).toEqual({ ...inspect(message), ...pick(inside) })
    expect(inspect(inside).encryptedDataKeys.map(({ providerId }) => providerId)).toEqual([
      'waxseal-static-data-key',
      'test',
    ])
    const contextLength = 2 + (header[35]! << 8) + header[36]!
    expect(inside.subarray(0, 35 + contextLength)).toEqual(header.subarray(0, 35 + contextLength))
    expect(inside.subarray(-53)).toEqual(header.subarray(-53))
    const serialized = inside.subarray(35 + contextLength, -53)
    const key = hkdfSync('sha512', dataKey, inspect(message).messageId, 'waxseal detached keys v1', 64)
    const mac = createHmac('sha512', new Uint8Array(key))
      .update(createHash('sha512').update(header).digest())
      .update(serialized)
      .digest()
    expect(Buffer.from(keys.subarray(-64)).equals(mac)).toBe(true)
  })

  it.each(Object.entries(WAYS))('opens its message by %s, and only that', async (_, open) => {
    const first = await encrypt(old, plaintext, write)
    const second = await encrypt(old, plaintext, write)
    expect(await open(old, first.message, first.keys)).toEqual(plaintext)
    expect(await codeOf(open(old, first.message, second.keys))).toBe('ERR_WAXSEAL_KEY_UNAVAILABLE')
    expect(await codeOf(open(next, first.message, first.keys))).toBe('ERR_WAXSEAL_KEY_UNAVAILABLE')
    expect(await codeOf(open(old, await encrypt(old, plaintext), first.keys))).toBe('ERR_WAXSEAL_KEY_UNAVAILABLE')
    expect(await codeOf(decrypt(old, first.message))).toBe('ERR_WAXSEAL_KEY_UNAVAILABLE')
  })

  it('is that of another message even under one data key', async () => {
    const fixed = staticDataKeyKeyring(new Uint8Array(32).fill(5))
    const [first, second] = [await encrypt(fixed, plaintext, write), await encrypt(fixed, plaintext, write)]
    expect(await codeOf(decrypt(fixed, first.message, { detachedKeys: second.keys }))).toBe(
      'ERR_WAXSEAL_KEY_UNAVAILABLE',
    )
    // The other's list of keys under the right id.
    const mixed = second.keys.slice()
    mixed.set(first.keys.subarray(1, 33), 1)
    expect(await codeOf(decrypt(fixed, first.message, { detachedKeys: mixed }))).toBe('ERR_WAXSEAL_AUTHENTICATION')
  })

  it('is made by encryptStream as well', async () => {
    const stream = encryptStream(old, write)
    const message = await readAll(streamOf(plaintext).pipeThrough(stream))
    const keys = await stream.keys
    for (const open of Object.values(WAYS)) expect(await open(old, message, keys)).toEqual(plaintext)
    expect('keys' in encryptStream(old)).toBe(false)
    const failing = encryptStream({ ...old, wrap: () => Promise.reject(new Error('out of service')) }, write)
    await expect(readAll(streamOf(plaintext).pipeThrough(failing))).rejects.toThrow('out of service')
    await expect(failing.keys).rejects.toThrow('out of service')
  })

  it('is made for signed messages', async () => {
    const { message, keys } = await encrypt(old, plaintext, { ...write, algorithmSuite: 0x0578 })
    for (const open of Object.values(WAYS)) expect(await open(old, message, keys)).toEqual(plaintext)
    const changed = await rewrapKeys(old, next, keys)
    for (const open of Object.values(WAYS)) expect(await open(next, message, changed)).toEqual(plaintext)
  })

  it('keeps required pairs out', async () => {
    const required = { ...context, requiredEncryptionContextKeys: ['tenant'] }
    const { message, keys } = await encrypt(old, plaintext, { ...write, ...required })
    expect({ ...inspect(keys.subarray(33)).encryptionContext }).toEqual({})
    const changed = await rewrapKeys(old, next, keys, required)
    expect((await decrypt(next, message, { ...required, detachedKeys: changed })).plaintext).toEqual(plaintext)
    expect(await codeOf(rewrapKeys(old, next, keys))).toBe('ERR_WAXSEAL_AUTHENTICATION')
  })

  it('is refused by suites that do not commit, and by the synchronous calls', async () => {
    const asked = {
      detachedKeys: true,
      algorithmSuite: 0x0178,
      commitmentPolicy: 'forbid-encrypt-allow-decrypt',
    } as const
    const never: Keyring = {
      wrap: () => Promise.reject(new Error('not to be asked')),
      unwrap: () => Promise.resolve(undefined),
    }
    expect(await codeOf(encrypt(never, plaintext, asked))).toBe('ERR_WAXSEAL_UNSUPPORTED')
    expect(await codeOf(readAll(streamOf(plaintext).pipeThrough(encryptStream(never, asked))))).toBe(
      'ERR_WAXSEAL_UNSUPPORTED',
    )
    const unsupported = expect.objectContaining({ code: 'ERR_WAXSEAL_UNSUPPORTED' }) as Error
    expect(() => encryptSync(old, plaintext, write as never)).toThrow(unsupported)
    const { message, keys } = await encrypt(old, plaintext, write)
    expect(() => decryptSync(old, message, { detachedKeys: keys } as never)).toThrow(unsupported)
    expect(() => encryptSync(detachedKeys(old, keys), plaintext)).toThrow(unsupported)
    expect(await codeOf(encrypt(detachedKeys(old, keys), plaintext))).toBe('ERR_WAXSEAL_UNSUPPORTED')
  })
})

describe('a record that was changed', () => {
  it('is refused, whichever bit is another one, and cut off anywhere', async () => {
    const { message, keys } = await encrypt(multiKeyring({ children: [old, next] }), plaintext, write)
    for (let place = 0; place < keys.length; place++) {
      const changed = keys.slice()
      changed[place]! ^= 1 << (place % 8)
      const options = { detachedKeys: changed }
      await expect(decrypt(old, message, options), `bit in ${place}`).rejects.toThrow(WaxsealError)
      await expect(rewrapKeys(old, next, changed), `bit in ${place}`).rejects.toThrow(WaxsealError)
      expect(await codeOf(decrypt(old, message, { detachedKeys: keys.slice(0, place) }))).toBe('ERR_WAXSEAL_FORMAT')
      expect(await codeOf(rewrapKeys(old, next, keys.slice(0, place)))).toBe('ERR_WAXSEAL_FORMAT')
    }
    for (const more of [Buffer.concat([keys, keys]), Buffer.concat([keys, Uint8Array.of(0)]), message, plaintext]) {
      expect(await codeOf(decrypt(old, message, { detachedKeys: more }))).toBe('ERR_WAXSEAL_FORMAT')
      expect(await codeOf(rewrapKeys(old, next, more))).toBe('ERR_WAXSEAL_FORMAT')
    }
  })

  it('is refused with keys added, taken out, or in another order', async () => {
    const both = multiKeyring({ children: [old, next] })
    const { message, keys } = await encrypt(both, plaintext, write)
    const one = await rewrapKeys(old, old, keys)
    const other = await rewrapKeys(old, multiKeyring({ children: [next, old] }), keys)
    for (const foreign of [one, other]) {
      expect((await decrypt(old, message, { detachedKeys: foreign })).plaintext).toEqual(plaintext)
      // The list of one record under the MAC of another.
      const mixed = foreign.slice()
      mixed.set(keys.subarray(-64), mixed.length - 64)
      expect(await codeOf(decrypt(old, message, { detachedKeys: mixed }))).toBe('ERR_WAXSEAL_AUTHENTICATION')
      expect(await codeOf(rewrapKeys(old, next, mixed))).toBe('ERR_WAXSEAL_AUTHENTICATION')
    }
  })

  it('with more keys than allowed is refused before any keyring is asked', async () => {
    const never: Keyring = {
      wrap: () => Promise.reject(new Error('not to be asked')),
      unwrap: () => Promise.reject(new Error('not to be asked')),
    }
    const { message, keys } = await encrypt(multiKeyring({ children: [old, old, old] }), plaintext, write)
    const two = { maxEncryptedDataKeys: 2 }
    expect(await codeOf(decrypt(never, message, { ...two, detachedKeys: keys }))).toBe('ERR_WAXSEAL_LIMIT')
    expect(await codeOf(rewrapKeys(never, next, keys, two))).toBe('ERR_WAXSEAL_LIMIT')
    expect(
      await codeOf(
        rewrapKeys(old, multiKeyring({ children: [next, next, next, next] }), keys, { maxEncryptedDataKeys: 3 }),
      ),
    ).toBe('ERR_WAXSEAL_LIMIT')
    expect(await codeOf(encrypt(multiKeyring({ children: [old, old, old] }), plaintext, { ...write, ...two }))).toBe(
      'ERR_WAXSEAL_LIMIT',
    )
  })

  it.each([undefined, null, 'text', 5, {}])('%s is no record', async (value) => {
    await expect(rewrapKeys(old, next, value as never)).rejects.toThrow(TypeError)
    expect(() => detachedKeys(old, value as never)).toThrow(TypeError)
  })
})

describe('rewrapKeys', () => {
  it('moves the message to other keys, without it', async () => {
    const { message, keys } = await encrypt(old, plaintext, write)
    const changed = await rewrapKeys(old, next, keys, context)
    expect(changed.length).toBeLessThan(400)
    for (const open of Object.values(WAYS)) {
      expect(await open(next, message, changed)).toEqual(plaintext)
      expect(await codeOf(open(old, message, changed))).toBe('ERR_WAXSEAL_KEY_UNAVAILABLE')
      // The old record stays what it was: nobody is revoked.
      expect(await open(old, message, keys)).toEqual(plaintext)
    }
    const again = await rewrapKeys(next, multiKeyring({ children: [old, next] }), changed)
    expect((await decrypt(old, message, { detachedKeys: again })).plaintext).toEqual(plaintext)
  })

  it('needs the old key, the context and a keyring', async () => {
    const { keys } = await encrypt(old, plaintext, write)
    expect(await codeOf(rewrapKeys(next, next, keys))).toBe('ERR_WAXSEAL_KEY_UNAVAILABLE')
    const other = { encryptionContext: { tenant: 'b' } }
    expect(await codeOf(rewrapKeys(old, next, keys, other))).toBe('ERR_WAXSEAL_ENCRYPTION_CONTEXT')
    await expect(rewrapKeys(old, detachedKeys(old, keys) as never, keys)).rejects.toThrow(TypeError)
    await expect(rewrapKeys(old, null as never, keys)).rejects.toThrow(TypeError)
    const reason = new Error('no longer wanted')
    await expect(rewrapKeys(old, next, keys, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const failing = { ...next, wrap: () => Promise.reject(new Error('out of service')) }
    await expect(rewrapKeys(old, failing, keys)).rejects.toThrow('out of service')
    const lazy = { ...next, wrap: () => Promise.resolve() }
    expect(await codeOf(rewrapKeys(old, lazy, keys))).toBe('ERR_WAXSEAL_KEY_UNAVAILABLE')
  })
})

function pick(bytes: Uint8Array): object {
  const { encryptedDataKeys, byteLength } = inspect(bytes)
  return { encryptedDataKeys, byteLength }
}
