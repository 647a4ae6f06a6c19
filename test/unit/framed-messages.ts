import { framedBodyLength } from '../../bindings/message.ts'
import { algorithmSuite, createEncryptionMaterials, inspect, rawAesKeyring } from '../../src/index.ts'
import type { AlgorithmSuiteId, EncryptionContext, RawAesKeyring } from '../../src/index.ts'
import type { RandomAccessSource } from '../../src/range.ts'
import { MessageWriter } from '../../src/message-writer.ts'
import { MessageRandom } from '../../src/random.ts'

export const keyring: RawAesKeyring = rawAesKeyring({
  namespace: 'test',
  name: 'k1',
  wrappingKey: new Uint8Array(32).fill(7),
})

/** Bytes that differ from their neighbours and from those a frame later. */
export function text(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 167 + (i >> 8)) & 0xff)
}

interface Shape {
  readonly frameLength: number
  /** A plaintext of whole frames ends in an empty final frame, as Python's writer ends it, instead of a full one. */
  readonly isFinalEmpty?: boolean
  readonly suite?: AlgorithmSuiteId
  readonly encryptionContext?: EncryptionContext
}

/** Writes a message of an unsigned suite, in either form that the format allows (data-format/message-body.md). */
export function writeFramed(plaintext: Uint8Array, shape: Shape): Uint8Array {
  const { frameLength, isFinalEmpty = false, suite: id = 0x0478, encryptionContext = {} } = shape
  const suite = algorithmSuite(id)
  const random = new MessageRandom().take
  const plaintextLength = plaintext.length
  const required = { requiredEncryptionContextKeys: [], signal: undefined }
  const request = { suite, encryptionContext, plaintextLength, random, ...required }
  const materials = createEncryptionMaterials(request)
  keyring.wrapSync(materials)
  const choice = { engine: 'wasm', isSynchronous: true, frameLength, length: plaintext.length } as const
  const messageId = random(16 * suite.messageVersion)
  const writer = new MessageWriter({ materials, messageId, choice, requiredKeys: [] })
  const parts = [writer.bytes]
  if (isFinalEmpty && plaintext.length > 0) {
    const regular = new Uint8Array(plaintext.length + (plaintext.length / frameLength) * 32)
    void writer.seal(plaintext, regular, false)
    parts.push(regular)
  }
  const rest = isFinalEmpty ? plaintext.subarray(plaintext.length) : plaintext
  const final = new Uint8Array(framedBodyLength(rest.length, frameLength))
  void writer.seal(rest, final, true)
  writer.dispose()
  return new Uint8Array(Buffer.concat([...parts, final]))
}

/** A message in the pieces that an attacker moves about. */
export interface Pieces {
  readonly header: Uint8Array
  /** The final one included, and behind it the signature if there is one. */
  readonly frames: readonly Uint8Array[]
}

/** Takes a message apart. */
export function takeApart(message: Uint8Array): Pieces {
  const { byteLength, frameLength } = inspect(message)
  const frames: Uint8Array[] = []
  for (let at = byteLength; at < message.length; at += frameLength + 32) {
    const isFinal = message.subarray(at, at + 4).every((byte) => byte === 0xff)
    frames.push(message.subarray(at, isFinal ? message.length : at + frameLength + 32))
    if (isFinal) break
  }
  return { header: message.subarray(0, byteLength), frames }
}

/** Puts pieces together again. */
export function join(header: Uint8Array, frames: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat([header, ...frames]))
}

/** A source that counts: calls, bytes and places that were asked for. */
export class CountingSource implements RandomAccessSource {
  readonly size: number
  reads: { readonly offset: number; readonly length: number }[] = []
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.size = bytes.length
  }

  get bytesRead(): number {
    return this.reads.reduce((sum, { length }) => sum + length, 0)
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.reads.push({ offset, length })
    return this.#bytes.subarray(offset, offset + length)
  }
}
