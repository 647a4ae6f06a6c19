import { createHash } from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type * as Message from '../../bindings/message.ts'
import { sealingKey } from '../../bindings/message.ts'
import {
  algorithmSuite,
  algorithmSuites,
  createEncryptionMaterials,
  decrypt,
  decryptSync,
  encrypt,
  encryptStream,
  encryptSync,
  inspect,
  multiKeyring,
  rawAesKeyring,
  UnsupportedError,
} from '../../src/index.ts'
import type { EncryptionRequest, Keyring, MaterialsManager } from '../../src/index.ts'
import { rewrap, rewrapKeys, rewrapStream } from '../../src/rewrap.ts'
import { staticDataKeyKeyring } from '../../src/keyrings/static-data-key.ts'

/** Headers that were authenticated, by what determines their message key; buffers for plaintext; keys not wiped. */
const observed = vi.hoisted(() => ({
  headers: new Map<string, Set<string>>(),
  outputs: [] as Uint8Array[],
  keys: new Set(),
}))

vi.mock('../../bindings/message.ts', async (importOriginal) => {
  const original = await importOriginal<typeof Message>()
  const sealingKey: typeof Message.sealingKey = (suite, dataKey, messageId) => {
    const isIdentity = [0x0014, 0x0046, 0x0078].includes(suite.id)
    const inputs = isIdentity ? [dataKey] : [dataKey, messageId, Uint8Array.of(suite.id >> 8, suite.id & 0xff)]
    const messageKey = createHash('sha256').update(Buffer.concat(inputs)).digest('hex')
    return observeSealing(original.sealingKey(suite, dataKey, messageId), messageKey)
  }
  const openingKey: typeof Message.openingKey = (...args) => observeOpening(original.openingKey(...args))
  return { ...original, sealingKey, openingKey }
})

function observeSealing(key: Message.SealingKey, messageKey: string): Message.SealingKey {
  const sealHeader = key.sealHeader.bind(key)
  vi.spyOn(key, 'sealHeader').mockImplementation((body, requiredContext, iv) => {
    const header = createHash('sha256').update(body).update('|').update(requiredContext).digest('hex')
    const keyAndIv = `${messageKey} ${Buffer.from(iv ?? new Uint8Array(12)).toString('hex')}`
    observed.headers.set(keyAndIv, (observed.headers.get(keyAndIv) ?? new Set()).add(header))
    return sealHeader(body, requiredContext, iv)
  })
  return observeDisposal(key)
}

function observeOpening(key: Message.OpeningKey): Message.OpeningKey {
  const openFrames = key.openFrames.bind(key)
  vi.spyOn(key, 'openFrames').mockImplementation((position, body, output) => {
    observed.outputs.push(output)
    return openFrames(position, body, output)
  })
  return observeDisposal(key)
}

function observeDisposal<T extends Message.MessageKey>(key: T): T {
  observed.keys.add(key)
  const dispose = key.dispose.bind(key)
  vi.spyOn(key as Message.MessageKey, 'dispose').mockImplementation(() => {
    observed.keys.delete(key)
    dispose()
  })
  return key
}

const keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
const plaintext = new Uint8Array(100).fill(9)
const dataKey = (bytes: number): Uint8Array => new Uint8Array(bytes).fill(5)

/** Hands out one data key for every message, as a cache does. */
const reusing: MaterialsManager = {
  encryptionMaterials: (request) => Promise.resolve(reuse(request)),
  encryptionMaterialsSync: reuse,
  decryptionMaterials: () => Promise.reject(new Error('writes only')),
}

function reuse(request: EncryptionRequest): ReturnType<typeof createEncryptionMaterials> {
  const materials = createEncryptionMaterials(request)
  materials.setDataKey(dataKey(request.suite.keyBytes))
  materials.addEncryptedDataKey({ providerId: 'p', providerInfo: new Uint8Array(0), ciphertext: new Uint8Array(8) })
  return materials
}

beforeEach(() => {
  observed.headers.clear()
  observed.outputs.length = 0
  observed.keys.clear()
})

describe('one key and IV authenticate one header', () => {
  const contexts = [{}, { tenant: 'a' }, { tenant: 'b' }]
  const requests = contexts.flatMap((encryptionContext) => [
    { encryptionContext },
    { encryptionContext, frameLength: 7 },
    { encryptionContext, requiredEncryptionContextKeys: Object.keys(encryptionContext) },
  ])

  it.each(algorithmSuites)(
    'with $name, over every way to write a message',
    async ({ id, kdf, keyBytes, isCommitting, signatureCurve }) => {
      const commitmentPolicy = isCommitting ? undefined : ('forbid-encrypt-allow-decrypt' as const)
      const fixed = staticDataKeyKeyring(dataKey(keyBytes))
      const sources: (Keyring | MaterialsManager)[] = [
        keyring,
        multiKeyring({ generator: keyring, children: [keyring] }),
      ]
      if (kdf !== 'identity') sources.push(fixed, multiKeyring({ generator: fixed, children: [keyring] }))
      if (kdf !== 'identity' && signatureCurve === undefined) sources.push(reusing)
      let messages = 0
      for (const source of sources) {
        for (const request of requests) {
          const options = { ...request, algorithmSuite: id, commitmentPolicy }
          encryptSync(source, plaintext, options)
          await encrypt(source, plaintext, options)
          messages += 2
        }
      }
      expect(observed.headers.size).toBe(messages)
      expect([...observed.headers.values()].every((headers) => headers.size === 1)).toBe(true)
    },
  )

  it('and a data key is not written twice where it is the message key', () => {
    const options = { algorithmSuite: 0x0078, commitmentPolicy: 'forbid-encrypt-allow-decrypt' } as const
    expect(() => encryptSync(staticDataKeyKeyring(dataKey(32)), plaintext, options)).toThrow(UnsupportedError)
    expect(observed.headers.size).toBe(0)
  })
})

describe('one key and IV authenticate one header, when keys are changed', () => {
  const other = rawAesKeyring({ namespace: 'test', name: 'k2', wrappingKey: new Uint8Array(32).fill(8) })
  const all = { signedStreams: 'allow', commitmentPolicy: 'require-encrypt-allow-decrypt' } as const
  const through = (bytes: Uint8Array, stream: TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>): Promise<unknown> =>
    new Response(new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(stream)).arrayBuffer()

  it.each(algorithmSuites)('with $name', async ({ id, isCommitting }) => {
    const commitmentPolicy = isCommitting ? undefined : ('forbid-encrypt-allow-decrypt' as const)
    const options = { algorithmSuite: id, commitmentPolicy }
    const message = encryptSync(keyring, plaintext, options)
    const changed = await rewrap(keyring, other, message, all)
    for (let i = 0; i < 3; i++) {
      await rewrap(keyring, other, message, all)
      await rewrap(other, keyring, changed, all)
      await through(message, rewrapStream(keyring, other, all))
      await through(message, rewrapStream(keyring, other, { ...all, headerOnly: false }))
      await through(plaintext, encryptStream(keyring, options))
    }
    if (isCommitting) {
      const { keys } = await encrypt(keyring, plaintext, { ...options, detachedKeys: true })
      await through(plaintext, encryptStream(keyring, { ...options, detachedKeys: true }))
      const sealed = observed.headers.size
      await rewrapKeys(other, keyring, await rewrapKeys(keyring, other, keys))
      expect(observed.headers.size).toBe(sealed)
    }
    expect(observed.headers.size).toBe(17 + (isCommitting ? 2 : 0))
    expect([...observed.headers.values()].every((headers) => headers.size === 1)).toBe(true)
    expect(observed.keys.size).toBe(0)
  })

  it('because a version 2 header has no IV of its own, and a message key seals once', () => {
    const iv = new Uint8Array(12).fill(1)
    const key = sealingKey(algorithmSuite(0x0478), dataKey(32), new Uint8Array(32))
    expect(() => key.sealHeader(plaintext, plaintext, iv)).toThrow(RangeError)
    key.sealHeader(plaintext, plaintext)
    expect(() => key.sealHeader(plaintext, plaintext)).toThrow(RangeError)
    key.dispose()
  })
})

describe('a failed decryption', () => {
  it.each([0x0478, 0x0578] as const)('leaves no plaintext behind (suite %i)', (algorithmSuite) => {
    const message = encryptSync(keyring, plaintext, { algorithmSuite, frameLength: 30 })
    const broken = flipped(message, message.length - 1)
    expect(() => decryptSync(keyring, broken)).toThrow(expect.objectContaining({ code: 'ERR_WAXSEAL_AUTHENTICATION' }))
    expect(observed.outputs.length).toBeGreaterThan(0)
    for (const output of observed.outputs) expect(output.every((byte) => byte === 0)).toBe(true)
  })
})

describe('message keys', () => {
  it('are wiped however the call ends', async () => {
    const message = encryptSync(keyring, plaintext, { encryptionContext: { tenant: 'a' } })
    const { byteLength } = inspect(message)
    const other = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32) })
    const attempts = [
      decrypt(keyring, message),
      decrypt(other, message),
      decrypt(keyring, message, { encryptionContext: { tenant: 'b' } }),
      ...[byteLength - 40, byteLength - 1, message.length - 1].map((place) =>
        decrypt(keyring, flipped(message, place)),
      ),
      decrypt(keyring, message.slice(0, -1)),
      decrypt(staticDataKeyKeyring(dataKey(32)), message),
      encrypt(keyring, plaintext),
      encrypt(keyring, plaintext, { algorithmSuite: 0x0578 }),
    ]
    const outcomes = await Promise.allSettled(attempts)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(7)
    expect(observed.keys.size).toBe(0)
  })
})

function flipped(message: Uint8Array, place: number): Uint8Array {
  const changed = message.slice()
  changed[place]! ^= 1
  return changed
}
