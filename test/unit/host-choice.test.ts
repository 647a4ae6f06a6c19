import { webcrypto } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HOST_SPEEDS, isHostFaster, type Host } from '../../bindings/host.ts'
import type * as NodeHost from '../../bindings/host.node.ts'
import { host as webHost } from '../../bindings/host.web.ts'
import type { Engine } from '../../bindings/host-message.ts'
import {
  AuthenticationError,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  inspect,
  rawAesKeyring,
  UnsupportedError,
} from '../../src/index.ts'
import { expectSameBytes, patternBytes } from './core-data.ts'

/** Which host `#host` is in a test. */
const current = vi.hoisted(() => ({ host: undefined as Host | undefined }))

vi.mock('#host', () => ({
  get host() {
    return current.host
  },
}))

// `#host` is host.node.ts in tests: the one that is not replaced.
const { host: nodeHost } = await vi.importActual<typeof NodeHost>('../../bindings/host.node.ts')

const KEYRING = rawAesKeyring({ namespace: 'app', name: 'k1', wrappingKey: patternBytes(32, 1) })
const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt' } as const

describe('engine', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    vi.unstubAllGlobals()
  })

  it('is one of three', async () => {
    current.host = nodeHost
    for (const engine of ['Host', '', null, 1] as unknown as Engine[]) {
      await expect(encrypt(KEYRING, patternBytes(1, 1), { engine })).rejects.toThrow(TypeError)
      expect(() => encryptSync(KEYRING, patternBytes(1, 1), { engine })).toThrow(TypeError)
      const message = encryptSync(KEYRING, patternBytes(1, 1))
      await expect(decrypt(KEYRING, message, { engine })).rejects.toThrow(TypeError)
      expect(() => decryptSync(KEYRING, message, { engine })).toThrow(TypeError)
    }
  })

  it('host is synchronous on Node', () => {
    current.host = nodeHost
    const message = encryptSync(KEYRING, patternBytes(10_000, 1), { engine: 'host' })
    expect(decryptSync(KEYRING, message, { engine: 'host' }).plaintext).toEqual(patternBytes(10_000, 1))
    expect(decryptSync(KEYRING, message, { engine: 'wasm' }).plaintext).toEqual(patternBytes(10_000, 1))
  })

  it('host is refused before any work where it is asynchronous, and auto is the core', () => {
    current.host = webHost
    const untouched = {
      wrap: vi.fn(),
      unwrap: vi.fn(),
      wrapSync: vi.fn(),
      unwrapSync: vi.fn(),
    }
    expect(() => encryptSync(untouched, patternBytes(1, 1), { engine: 'host' })).toThrow(UnsupportedError)
    const message = encryptSync(KEYRING, patternBytes(300_000, 1), { engine: 'auto', frameLength: 300_000 })
    expect(() => decryptSync(untouched, message, { engine: 'host' })).toThrow(UnsupportedError)
    for (const method of Object.values(untouched)) expect(method).not.toHaveBeenCalled()
    expect(decryptSync(KEYRING, message).plaintext).toEqual(patternBytes(300_000, 1))
  })

  /** `host`, and the keys that it is given, which are put into `keys` while they are not wiped yet. */
  function watched(host: Host, keys: Uint8Array[]): Host {
    const frames: Host['frames'] = (cipher) => {
      const exportKey = cipher.exportKey.bind(cipher)
      vi.spyOn(cipher, 'exportKey').mockImplementation(() => {
        const key = exportKey()
        expect(key.some((byte) => byte !== 0)).toBe(true)
        keys.push(key)
        return key
      })
      return host.frames(cipher)
    }
    return { ...host, speed: HOST_SPEEDS.node, frames }
  }

  it('auto hands no key over where the core is faster', async () => {
    const keys: Uint8Array[] = []
    current.host = watched(nodeHost, keys)
    const wasm = { engine: 'wasm' } as const
    await decrypt(KEYRING, await encrypt(KEYRING, patternBytes(4000, 1)))
    await decrypt(KEYRING, await encrypt(KEYRING, patternBytes(100_000, 1), { frameLength: 1000 }))
    await decrypt(KEYRING, await encrypt(KEYRING, patternBytes(100_000, 1), wasm), wasm)
    expect(keys).toEqual([])
    await decrypt(KEYRING, await encrypt(KEYRING, patternBytes(10_000, 1)))
    expect(keys).toHaveLength(2)
  })

  it('hands the key over once for a message, in memory that is then wiped', async () => {
    for (const host of [nodeHost, webHost]) {
      const keys: Uint8Array[] = []
      current.host = watched(host, keys)
      const message = await encrypt(KEYRING, patternBytes(10_000, 1), { engine: 'host' })
      await decrypt(KEYRING, message, { engine: 'host' })
      expect(keys).toHaveLength(2)
      for (const key of keys) expect(key.every((byte) => byte === 0)).toBe(true)
    }
  })

  it('hands no key over for a header that is not authentic', async () => {
    const keys: Uint8Array[] = []
    current.host = watched(nodeHost, keys)
    const message = encryptSync(KEYRING, patternBytes(1, 1), { engine: 'wasm' })
    const tagAt = inspect(message).byteLength - 1
    message[tagAt] = (message[tagAt] ?? 0) ^ 1
    await expect(decrypt(KEYRING, message, { engine: 'host' })).rejects.toThrow(AuthenticationError)
    expect(keys).toEqual([])
  })

  it('is the core where the part with WebCrypto cannot be loaded, unless host is asked for', async () => {
    current.host = { ...webHost, frames: async () => undefined }
    const plaintext = patternBytes(200_000, 1)
    const message = await encrypt(KEYRING, plaintext, { frameLength: 100_000 })
    expectSameBytes((await decrypt(KEYRING, message)).plaintext, plaintext)
    await expect(encrypt(KEYRING, plaintext, { engine: 'host' })).rejects.toThrow(UnsupportedError)
  })

  describe('where WebCrypto has no AES-192', () => {
    beforeEach(() => {
      current.host = webHost
      const importKey = webcrypto.subtle.importKey.bind(webcrypto.subtle)
      vi.spyOn(webcrypto.subtle, 'importKey').mockImplementation(async (...given: unknown[]) => {
        const [format, key] = given as [string, Uint8Array]
        // As Chromium says it.
        if (format === 'raw' && key.length === 24)
          throw new DOMException('192-bit AES keys are not supported', 'OperationError')
        return (importKey as (...given: unknown[]) => Promise<CryptoKey>)(...given)
      })
    })

    it.each([0x0046, 0x0146, 0x0346] as const)('suite %i is the core’s by auto, and refused by host', async (id) => {
      const plaintext = patternBytes(200_000, 1)
      const options = {
        algorithmSuite: id,
        commitmentPolicy: 'forbid-encrypt-allow-decrypt',
        frameLength: 100_000,
      } as const
      const message = await encrypt(KEYRING, plaintext, options)
      expectSameBytes((await decrypt(KEYRING, message, READ_ANY)).plaintext, plaintext)
      await expect(encrypt(KEYRING, plaintext, { ...options, engine: 'host' })).rejects.toThrow(UnsupportedError)
      await expect(decrypt(KEYRING, message, { ...READ_ANY, engine: 'host' })).rejects.toThrow(UnsupportedError)
    })
  })

  it('is the core in a page without crypto.subtle, unless host is asked for', async () => {
    current.host = webHost
    vi.stubGlobal('crypto', { getRandomValues: webcrypto.getRandomValues.bind(webcrypto) })
    const plaintext = patternBytes(200_000, 1)
    const message = await encrypt(KEYRING, plaintext, { frameLength: 100_000 })
    expectSameBytes((await decrypt(KEYRING, message)).plaintext, plaintext)
    await expect(encrypt(KEYRING, plaintext, { engine: 'host' })).rejects.toThrow(UnsupportedError)
    await expect(decrypt(KEYRING, message, { engine: 'host' })).rejects.toThrow(UnsupportedError)
  })

  it('host refuses a frame that the runtime cannot take in one piece', async () => {
    current.host = { ...webHost, maxTextBytes: 1000 }
    const plaintext = patternBytes(2000, 1)
    const host = { engine: 'host' } as const
    await expect(encrypt(KEYRING, plaintext, host)).rejects.toThrow(UnsupportedError)
    const message = await encrypt(KEYRING, plaintext)
    await expect(decrypt(KEYRING, message, host)).rejects.toThrow(UnsupportedError)
    expect(
      (await decrypt(KEYRING, await encrypt(KEYRING, plaintext, { ...host, frameLength: 1000 }))).plaintext,
    ).toEqual(plaintext)
  })

  it('answers a failure of the runtime’s AES, and nothing is under way any more', async () => {
    current.host = webHost
    let underWay = 0
    const encryptNow = webcrypto.subtle.encrypt.bind(webcrypto.subtle)
    let calls = 0
    vi.spyOn(webcrypto.subtle, 'encrypt').mockImplementation(async (...given) => {
      underWay++
      try {
        if (++calls === 5) throw new DOMException('out of memory', 'OperationError')
        return await encryptNow(...given)
      } finally {
        underWay--
      }
    })
    const options = { engine: 'host', frameLength: 100 } as const
    await expect(encrypt(KEYRING, patternBytes(10_000, 1), options)).rejects.toThrow('out of memory')
    expect(underWay).toBe(0)
    expect(calls).toBeLessThan(100)
  })

  it('refuses a plaintext whose memory went away in between', async () => {
    current.host = webHost
    const plaintext = patternBytes(100_000, 1)
    const pending = encrypt(KEYRING, plaintext, { engine: 'host', frameLength: 100 })
    await new Promise((resume) => setImmediate(resume))
    structuredClone(plaintext, { transfer: [plaintext.buffer] })
    await expect(pending).rejects.toThrow(TypeError)
  })
})

describe('auto', () => {
  it('weighs frames and messages', () => {
    const { node, bun, web } = HOST_SPEEDS
    expect(isHostFaster(node, 0, 0)).toBe(false)
    expect(isHostFaster(node, 64, 64)).toBe(false)
    expect(isHostFaster(node, 4096, 1 << 20)).toBe(true)
    expect(isHostFaster(node, 1024, 1 << 20)).toBe(false)
    expect(isHostFaster(node, 4096, Infinity)).toBe(true)
    expect(isHostFaster(node, 1024, Infinity)).toBe(false)
    expect(isHostFaster(bun, 1024, 1024)).toBe(false)
    expect(isHostFaster(bun, 256, 1 << 20)).toBe(true)
    expect(isHostFaster(web, 4096, 1 << 20)).toBe(false)
    expect(isHostFaster(web, 65_536, 65_536)).toBe(true)
    expect(isHostFaster(web, 16_384, 16_384)).toBe(false)
  })
})
