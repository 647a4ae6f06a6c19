import { createCipheriv } from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { type Host } from '../../bindings/host.ts'
import type * as NodeHost from '../../bindings/host.node.ts'
import { host as webHost } from '../../bindings/host.web.ts'
import { frameOpener, frameSealer, type Engine } from '../../bindings/host-message.ts'
import type { FrameOpener, FrameSealer } from '../../bindings/host.ts'
import { framedBodyLength, openingKey, sealingKey } from '../../bindings/message.ts'
import {
  algorithmSuite,
  algorithmSuites,
  AuthenticationError,
  decrypt,
  encrypt,
  FormatError,
  inspect,
  rawAesKeyring,
} from '../../src/index.ts'
import type { AlgorithmSuite } from '../../src/index.ts'
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

const HOSTS = [
  ['node:crypto', nodeHost],
  ['WebCrypto', webHost],
] as const
const KEYRING = rawAesKeyring({ namespace: 'app', name: 'k1', wrappingKey: patternBytes(32, 1) })
const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt' } as const

/** Plaintext and frame lengths around the boundaries of frames, of the lanes and of the windows. */
const SHAPES: readonly (readonly [number, number])[] = [
  [0, 16],
  [1, 16],
  [15, 16],
  [16, 16],
  [17, 16],
  [32, 16],
  [255, 16],
  [256, 16],
  [257, 16],
  [272, 16],
  [1000, 1],
  [4095, 4096],
  [4096, 4096],
  [4097, 4096],
  [100_000, 4096],
  [300_000, 262_144],
  [600_000, 600_000],
  [600_001, 600_000],
]

function writing(suite: AlgorithmSuite, engine: Engine, frameLength: number): Parameters<typeof encrypt>[2] {
  const commitmentPolicy = suite.isCommitting ? undefined : 'forbid-encrypt-allow-decrypt'
  return { algorithmSuite: suite.id, commitmentPolicy, engine, frameLength }
}

/** The body that the core writes for the same key and message id. */
function bodyOfCore(suite: AlgorithmSuite, plaintext: Uint8Array, frameLength: number): Uint8Array {
  const key = sealingKey(suite, patternBytes(suite.keyBytes, 3), patternBytes(16 * suite.messageVersion, 4))
  const body = new Uint8Array(framedBodyLength(plaintext.length, frameLength))
  expect(key.sealFrames({ frameLength, sequenceNumber: 1, isFinal: true }, plaintext, body)).toBe(body.length)
  key.dispose()
  return body
}

/** Both directions of the host's AES under the key of {@link bodyOfCore}. */
function hostCipher(suite: AlgorithmSuite, frameLength: number): FrameSealer & FrameOpener & { dispose(): void } {
  const choice = { engine: 'host', isSynchronous: false, frameLength, length: 1_000_000 } as const
  const [dataKey, messageId] = [patternBytes(suite.keyBytes, 3), patternBytes(16 * suite.messageVersion, 4)]
  const keys = { sealing: sealingKey(suite, dataKey, messageId), opening: openingKey(suite, dataKey, messageId) }
  const dispose = (): void => {
    keys.sealing.dispose()
    keys.opening.dispose()
  }
  return { ...frameSealer(keys.sealing, choice), ...frameOpener(keys.opening, choice), dispose }
}

describe.each(HOSTS)('messages by %s', (_name, host) => {
  beforeEach(() => {
    current.host = host
  })

  it.each(algorithmSuites)('of $name are those of the core', async (suite) => {
    for (const [length, frameLength] of SHAPES) {
      const plaintext = patternBytes(length, length)
      const expected = bodyOfCore(suite, plaintext, frameLength)
      const cipher = hostCipher(suite, frameLength)
      const body = new Uint8Array(expected.length)
      const position = { frameLength, sequenceNumber: 1 }
      expect(await cipher.sealFrames({ ...position, isFinal: true }, plaintext, body)).toBe(body.length)
      expectSameBytes(body, expected)
      const output = new Uint8Array(body.length)
      const opened = await cipher.openFrames(position, body, output)
      const frames = Math.max(1, Math.ceil(length / frameLength))
      expect(opened).toEqual({ read: body.length, written: length, frames, isFinal: true, needed: 0 })
      expectSameBytes(output.subarray(0, length), plaintext)
      expect(output.subarray(length).every((byte) => byte === 0)).toBe(true)
      cipher.dispose()
    }
  })

  it.each(algorithmSuites)('of $name are read by each engine, with header and signature', async (suite) => {
    for (const [length, frameLength] of [
      [0, 4096],
      [70_000, 4096],
      [70_000, 65_536],
    ] as const) {
      const plaintext = patternBytes(length, length)
      for (const engine of ['wasm', 'host', 'auto'] as const) {
        const message = await encrypt(KEYRING, plaintext, writing(suite, engine, frameLength))
        for (const reader of ['wasm', 'host', 'auto'] as const) {
          const result = await decrypt(KEYRING, message, { ...READ_ANY, engine: reader })
          expectSameBytes(result.plaintext, plaintext)
          expect(result.header).toEqual(inspect(message))
        }
      }
    }
  })

  it('seals parts, and no sequence number twice', async () => {
    const suite = algorithmSuite(0x0478)
    const plaintext = patternBytes(100, 1)
    const expected = bodyOfCore(suite, plaintext, 16)
    const cipher = hostCipher(suite, 16)
    const body = new Uint8Array(expected.length)
    const first = { frameLength: 16, sequenceNumber: 1, isFinal: false }
    const written = await cipher.sealFrames(first, plaintext.subarray(0, 48), body)
    expect(written).toBe(3 * 48)
    const again = async (): Promise<number> => cipher.sealFrames(first, plaintext.subarray(0, 16), new Uint8Array(48))
    await expect(again()).rejects.toThrow(RangeError)
    const torn = async (): Promise<number> =>
      cipher.sealFrames({ ...first, sequenceNumber: 4 }, plaintext.subarray(0, 15), new Uint8Array(48))
    await expect(torn()).rejects.toThrow(RangeError)
    const last = { frameLength: 16, sequenceNumber: 5, isFinal: true }
    await cipher.sealFrames(last, plaintext.subarray(48), body.subarray(written))
    expect(body.subarray(0, written)).toEqual(expected.subarray(0, written))
    cipher.dispose()
  })

  it('says what is needed of a body that is cut off anywhere', async () => {
    const suite = algorithmSuite(0x0478)
    const plaintext = patternBytes(40, 1)
    const body = bodyOfCore(suite, plaintext, 16)
    const core = openingKey(suite, patternBytes(32, 3), patternBytes(32, 4))
    const cipher = hostCipher(suite, 16)
    const position = { frameLength: 16, sequenceNumber: 1 }
    for (let length = 0; length < body.length; length++) {
      const cut = body.subarray(0, length)
      const expected = core.openFrames(position, cut, new Uint8Array(length))
      expect(await cipher.openFrames(position, cut, new Uint8Array(length)), String(length)).toEqual(expected)
    }
    core.dispose()
    cipher.dispose()
  })

  it('opens a non-framed body', async () => {
    for (const length of [0, 1, 100_000]) {
      const suite = algorithmSuite(0x0078)
      const plaintext = patternBytes(length, 2)
      const [key, messageId, iv] = [patternBytes(32, 3), patternBytes(16, 4), patternBytes(12, 5)]
      const lengthBytes = new Uint8Array(8)
      new DataView(lengthBytes.buffer).setUint32(4, length)
      const oracle = createCipheriv('aes-256-gcm', key, iv)
      const name = Buffer.from('AWSKMSEncryptionClient Single Block')
      oracle.setAAD(Buffer.concat([messageId, name, Buffer.of(0, 0, 0, 1), lengthBytes]))
      const sealed = [oracle.update(plaintext), oracle.final(), oracle.getAuthTag()]
      const body = new Uint8Array(Buffer.concat([iv, lengthBytes, ...sealed]))
      const cipher = hostCipher(suite, 0)
      const output = new Uint8Array(length)
      const expected = { read: body.length, written: length, needed: 0 }
      expect(await cipher.openSingleBlock(body, output)).toEqual(expected)
      expectSameBytes(output, plaintext)
      expect(await cipher.openSingleBlock(body.subarray(0, -1), output)).toEqual({
        read: 0,
        written: 0,
        needed: body.length,
      })
      expect(await cipher.openSingleBlock(body.subarray(0, 19), output)).toEqual({ read: 0, written: 0, needed: 36 })
      body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1
      await expect(async () => cipher.openSingleBlock(body, output)).rejects.toThrow(AuthenticationError)
      expect(output.every((byte) => byte === 0)).toBe(true)
      cipher.dispose()
    }
  })

  it('is not had once it is disposed of', async () => {
    const cipher = hostCipher(algorithmSuite(0x0478), 16)
    const seal = async (sequenceNumber: number): Promise<number> =>
      cipher.sealFrames({ frameLength: 16, sequenceNumber, isFinal: true }, new Uint8Array(1), new Uint8Array(60))
    await seal(1)
    cipher.dispose()
    cipher.dispose()
    await expect(seal(2)).rejects.toThrow(expect.objectContaining({ code: 'ERR_WAXSEAL_DISPOSED' }))
  })
})

describe.each(HOSTS)('a message that was tampered with, by %s,', (_name, host) => {
  beforeEach(() => {
    current.host = host
  })

  /** The first fault in the order of the frames counts, whichever came to light first. */
  it('fails at every byte as in the core, and leaves nothing behind', async () => {
    const suite = algorithmSuite(0x0478)
    const frameLength = 48
    const plaintext = patternBytes(20 * frameLength + 7, 5)
    const body = bodyOfCore(suite, plaintext, frameLength)
    const position = { frameLength, sequenceNumber: 1 }
    const core = openingKey(suite, patternBytes(32, 3), patternBytes(32, 4))
    const cipher = hostCipher(suite, frameLength)
    for (let at = 0; at < body.length; at++) {
      const tampered = Uint8Array.from(body)
      tampered[at] = (tampered[at] ?? 0) ^ (1 << (at & 7))
      const output = new Uint8Array(body.length)
      const expected = outcomeOf(() => core.openFrames(position, tampered, new Uint8Array(body.length)))
      expect(expected, String(at)).not.toEqual({ isFinal: true })
      const outcome = await outcomeLater(async () => cipher.openFrames(position, tampered, output))
      expect(outcome, String(at)).toEqual(expected)
      if (typeof outcome === 'string') expect(output.every((byte) => byte === 0)).toBe(true)
    }
    core.dispose()
    cipher.dispose()
  })

  it('is refused as a whole, also where only the host reads it', async () => {
    const message = await encrypt(KEYRING, patternBytes(5000, 1), { engine: 'host', frameLength: 1000 })
    for (let at = inspect(message).byteLength; at < message.length; at += 53) {
      const tampered = Uint8Array.from(message)
      tampered[at] = (tampered[at] ?? 0) ^ 0x10
      const error: unknown = await decrypt(KEYRING, tampered, { engine: 'host' }).catch((reason: unknown) => reason)
      expect(error instanceof AuthenticationError || error instanceof FormatError, String(at)).toBe(true)
    }
    await expect(decrypt(KEYRING, message.subarray(0, -1), { engine: 'host' })).rejects.toThrow(FormatError)
    await expect(decrypt(KEYRING, new Uint8Array([...message, 0]), { engine: 'host' })).rejects.toThrow(FormatError)
  })
})

function outcomeOf(work: () => { isFinal: boolean; needed: number }): unknown {
  try {
    const { isFinal, needed } = work()
    return { isFinal, needed }
  } catch (error) {
    return String(error)
  }
}

async function outcomeLater(work: () => Promise<{ isFinal: boolean; needed: number }>): Promise<unknown> {
  try {
    const { isFinal, needed } = await work()
    return { isFinal, needed }
  } catch (error) {
    return String(error)
  }
}
