import { describe, expect, it } from 'vitest'
import {
  algorithmSuite,
  algorithmSuites,
  createEncryptionMaterials,
  decryptSync,
  defaultMaterials,
  encryptSync,
  FormatError,
  inspect,
  rawAesKeyring,
} from '../../src/index.ts'
import type { AlgorithmSuite, DecryptionRequest, EncryptionRequest, MaterialsManager } from '../../src/index.ts'
import { readHeader } from '../../src/message-header.ts'
import type { DecodedHeader } from '../../src/message-header.ts'
import type { Engine, EngineChoice } from '../../bindings/host-message.ts'
import { now } from '../../bindings/maybe-promise.ts'
import { authenticatesHeader, MessageReader } from '../../src/message-reader.ts'
import { MessageWriter } from '../../src/message-writer.ts'
import { MessageRandom } from '../../src/random.ts'
import { parseFooter } from '../../src/signature.ts'

const keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
const manager = defaultMaterials(keyring)
const plaintext = new Uint8Array(1000).map((_, i) => i)
const FRAME_LENGTH = 64
const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt' } as const
const NOTHING_EXPECTED = { pairs: {}, reproduced: {} }

function encryptionRequest(suite: AlgorithmSuite): EncryptionRequest {
  const random = new MessageRandom().take
  const requiredEncryptionContextKeys: string[] = []
  const encryptionContext = { tenant: 'a' }
  return {
    suite,
    encryptionContext,
    requiredEncryptionContextKeys,
    plaintextLength: undefined,
    random,
    signal: undefined,
  }
}

function decryptionRequest(header: DecodedHeader): DecryptionRequest {
  return {
    suite: header.suite,
    encryptionContext: header.context,
    requiredEncryptionContextKeys: [],
    encryptedDataKeys: header.parsed.encryptedDataKeys,
    confirm: (dataKey) => authenticatesHeader(header, NOTHING_EXPECTED, dataKey),
    signal: undefined,
  }
}

/** Of a stream, whose length is not known. */
function choiceOf(engine: Engine, frameLength: number): EngineChoice {
  return { engine, isSynchronous: true, frameLength, length: Infinity }
}

/** Writes the plaintext in parts of whole frames, as a stream does. */
function writeInParts(suite: AlgorithmSuite, framesAtOnce: number, engine: Engine): Uint8Array {
  const request = encryptionRequest(suite)
  const materials = manager.encryptionMaterialsSync!(request)
  const messageId = request.random(16 * suite.messageVersion)
  const writer = new MessageWriter({ materials, messageId, choice: choiceOf(engine, FRAME_LENGTH), requiredKeys: [] })
  materials.dispose()
  const parts = [writer.bytes]
  for (let at = 0; at < plaintext.length; at += framesAtOnce * FRAME_LENGTH) {
    const part = plaintext.subarray(at, at + framesAtOnce * FRAME_LENGTH)
    const isFinal = at + part.length === plaintext.length
    const output = new Uint8Array(part.length + Math.ceil(part.length / FRAME_LENGTH) * 32 + (isFinal ? 8 : 0))
    expect(writer.seal(part, output, isFinal)).toBe(output.length)
    parts.push(output)
  }
  parts.push(writer.footer())
  writer.dispose()
  return new Uint8Array(Buffer.concat(parts))
}

/** Reads a message that comes `step` bytes at a time, keeping no more than a frame of it. */
function readInParts(message: Uint8Array, step: number, engine: Engine): Uint8Array {
  let arrived = 0
  const more = (held: Uint8Array): Uint8Array => {
    expect(arrived).toBeLessThan(message.length)
    arrived += step
    return new Uint8Array(Buffer.concat([held, message.subarray(arrived - step, arrived)]))
  }
  let held = more(new Uint8Array(0))
  let header = readHeader(held, 64)
  while ('needed' in header) {
    expect(header.needed).toBeGreaterThan(held.length)
    held = more(held)
    header = readHeader(held, 64)
  }
  const materials = manager.decryptionMaterialsSync!(decryptionRequest(header))
  const reader = new MessageReader(header, NOTHING_EXPECTED, materials, choiceOf(engine, header.parsed.frameLength))
  materials.dispose()
  held = held.subarray(header.parsed.byteLength)
  const opened: Uint8Array[] = []
  for (;;) {
    const output = new Uint8Array(held.length)
    const { read, written, isFinal, needed } = now(reader.open(held, output))
    opened.push(output.subarray(0, written))
    held = held.subarray(read)
    if (isFinal) break
    expect(needed).toBeGreaterThan(held.length)
    expect(held.length).toBeLessThan(FRAME_LENGTH + 40 + step)
    held = more(held)
  }
  while (arrived < message.length) held = more(held)
  reader.verifyFooter(held)
  reader.dispose()
  return new Uint8Array(Buffer.concat(opened))
}

describe.each(['wasm', 'host'] as const)('a message in parts, by %s,', (engine) => {
  it.each(algorithmSuites)('is written with $name', (suite) => {
    for (const framesAtOnce of [1, 5, 16]) {
      expect(decryptSync(keyring, writeInParts(suite, framesAtOnce, engine), READ_ANY).plaintext).toEqual(plaintext)
    }
  })

  it.each([0x0478, 0x0578, 0x0014, 0x0214] as const)('is read (suite %i)', (id) => {
    const commitmentPolicy = algorithmSuite(id).isCommitting ? undefined : 'forbid-encrypt-allow-decrypt'
    const options = { algorithmSuite: id, commitmentPolicy, frameLength: FRAME_LENGTH } as const
    const message = encryptSync(keyring, plaintext, options)
    for (const step of [1, 7, 96, 5000]) expect(readInParts(message, step, engine)).toEqual(plaintext)
  })

  it('has whole frames before its last part, and none after dispose', () => {
    const writer = (): MessageWriter => {
      const request = encryptionRequest(algorithmSuite(0x0478))
      const materials = manager.encryptionMaterialsSync!(request)
      const messageId = request.random(32)
      return new MessageWriter({ materials, messageId, choice: choiceOf(engine, 2), requiredKeys: [] })
    }
    expect(() => writer().seal(Uint8Array.of(1), new Uint8Array(33), false)).toThrow(RangeError)
    const disposed = writer()
    disposed.dispose()
    expect(() => disposed.seal(new Uint8Array(0), new Uint8Array(40), true)).toThrow(
      expect.objectContaining({ code: 'ERR_WAXSEAL_DISPOSED' }),
    )
  })
})

describe('a message in parts', () => {
  it('says how much of a footer is missing', () => {
    expect(parseFooter(new Uint8Array(0))).toEqual({ needed: 2 })
    expect(parseFooter(Uint8Array.of(0, 3, 9))).toEqual({ needed: 5 })
    expect(parseFooter(Uint8Array.of(0, 1, 9, 8))).toEqual({ signature: Uint8Array.of(9), byteLength: 3 })
  })

  it('is inspected from its header alone', () => {
    const message = encryptSync(keyring, plaintext)
    const { byteLength } = inspect(message)
    expect(inspect(message.subarray(0, byteLength))).toEqual(inspect(message))
    expect(() => inspect(message.subarray(0, byteLength - 1))).toThrow(FormatError)
  })
})

describe('a materials manager of somebody else', () => {
  const dataKey = new Uint8Array(32).fill(5)
  const reuse = (request: EncryptionRequest): ReturnType<typeof createEncryptionMaterials> => {
    const materials = createEncryptionMaterials(request)
    materials.setDataKey(dataKey.slice())
    materials.addEncryptedDataKey({ providerId: 'p', providerInfo: new Uint8Array(0), ciphertext: dataKey })
    return materials
  }
  const managing = (
    encryptionMaterialsSync: (request: EncryptionRequest) => ReturnType<typeof reuse>,
  ): MaterialsManager => ({
    encryptionMaterials: () => Promise.reject(new Error('synchronous only')),
    decryptionMaterials: () => Promise.reject(new Error('writes only')),
    encryptionMaterialsSync,
  })

  it('may answer one data key for several messages', () => {
    const messages = [encryptSync(managing(reuse), plaintext), encryptSync(managing(reuse), plaintext)]
    const ids = messages.map((message) => Buffer.from(inspect(message).messageId).toString('hex'))
    expect(new Set(ids).size).toBe(2)
  })

  it('is held to the suite, the policy and the required pairs', () => {
    const other = managing((request) => reuse({ ...request, suite: algorithmSuite(0x0178) }))
    expect(() => encryptSync(other, plaintext)).toThrow(
      expect.objectContaining({ code: 'ERR_WAXSEAL_COMMITMENT_POLICY' }),
    )
    const unsigned = { algorithmSuite: 0x0578 } as const
    expect(() => encryptSync(managing(reuse), plaintext, unsigned)).toThrow(TypeError)
    const forgetful = managing((request) => reuse({ ...request, encryptionContext: {} }))
    const required = { encryptionContext: { tenant: 'a' }, requiredEncryptionContextKeys: ['tenant'] }
    expect(() => encryptSync(forgetful, plaintext, required)).toThrow(TypeError)
    expect(() => encryptSync(managing(reuse), plaintext, required)).not.toThrow()
  })

  it('cannot set a data key twice, of the wrong length, or too late', () => {
    const materials = createEncryptionMaterials(encryptionRequest(algorithmSuite(0x0478)))
    expect(() => {
      materials.setDataKey(new Uint8Array(16))
    }).toThrow(RangeError)
    materials.setDataKey(dataKey.slice())
    expect(() => {
      materials.setDataKey(dataKey.slice())
    }).toThrow(TypeError)
    const key = { providerId: 'p', providerInfo: new Uint8Array(65_536), ciphertext: dataKey }
    expect(() => {
      materials.addEncryptedDataKey(key)
    }).toThrow(RangeError)
    materials.dispose()
    const late = dataKey.slice()
    expect(() => {
      materials.setDataKey(late)
    }).toThrow(expect.objectContaining({ code: 'ERR_WAXSEAL_DISPOSED' }))
    expect(late).toEqual(new Uint8Array(32))
  })
})
