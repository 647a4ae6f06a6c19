import { copyBytes } from './bytes.ts'
import { contextLength, readField, type ContextPair } from './context.ts'
import { FormatError, LimitError } from './errors.ts'
import { IV_BYTES, TAG_BYTES } from './gcm.ts'
import { core, type Core } from './instance.ts'
import { decodeUtf8, encodeUtf8 } from './text.ts'

/** One wrapped copy of the data key, as it stands in a message header. Each part has at most 65,535 bytes. */
export interface EncryptedDataKey {
  /** Names the kind of wrapping key: a namespace, or `aws-kms`. */
  readonly providerId: string
  /** Names the wrapping key. */
  readonly providerInfo: Uint8Array
  /** The wrapped data key. */
  readonly ciphertext: Uint8Array
}

/** What the core needs to know of an algorithm suite. */
export interface CipherSuite {
  readonly id: number
  readonly messageVersion: 1 | 2
  /** Bytes of the data key and of the encryption key. */
  readonly keyBytes: 16 | 24 | 32
  readonly isCommitting: boolean
}

/** What a header body is written from. */
export interface HeaderFields {
  readonly suite: CipherSuite
  /** 16 bytes in version 1, 32 in version 2. */
  readonly messageId: Uint8Array
  /** Sorted pairs, without those that stay out of the header. */
  readonly context: readonly ContextPair[]
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  /** 1 to 2^32 − 1. */
  readonly frameLength: number
  /** The commit key, for committing suites. */
  readonly commitment?: Uint8Array | undefined
}

/**
 * A header as it was read; nothing in it is authenticated until `MessageCipher.verifyHeader` says so. Its arrays are views
 * of a private copy: copy them before they go to a caller.
 */
export interface ParsedHeader {
  readonly messageVersion: 1 | 2
  readonly suiteId: number
  readonly messageId: Uint8Array
  /** Count ‖ entries, for {@link parseContext}; no bytes where there is no pair. */
  readonly context: Uint8Array
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  readonly contentType: 'framed' | 'non-framed'
  /** Zero in a non-framed message. */
  readonly frameLength: number
  /** The stored commitment of version 2. */
  readonly commitment: Uint8Array | undefined
  /** Private copy of the header body: what is authenticated. */
  readonly body: Uint8Array
  /** 12 bytes: the stored IV in version 1, zeros in version 2. */
  readonly iv: Uint8Array
  readonly tag: Uint8Array
  /** Bytes of header body and authentication; the message's body begins there. */
  readonly byteLength: number
}

const COMMITMENT_BYTES = 32
const ZERO_IV = new Uint8Array(IV_BYTES)
const MAX_FIELD_BYTES = 0xffff
const MAX_ENCRYPTED_DATA_KEYS = 0xffff
const CONTENT_FRAMED = 2

/** Bytes of a scanner's window: more than the longest field that is read whole, an encryption context. */
const WINDOW_BYTES = 0x14000
/** f64 words at headerResultAddress, in the order of assembly/message/header.ts. */
const POSITION = 0
const NEEDED = 1
const VERSION = 2
const SUITE = 3
const CONTEXT_OFFSET = 4
const CONTEXT_BYTES = 5
const KEYS_OFFSET = 6
const KEYS = 7
const CONTENT_TYPE = 8
const FRAME_LENGTH = 9
const BODY_BYTES = 10

const SCAN_DONE = 0
const SCAN_NEEDS_MORE = 1
const SCAN_TOO_MANY_KEYS = 7
/** The other statuses of the scanner. */
const FAULTS: Readonly<Record<number, string>> = {
  2: 'the message version is neither 1 nor 2',
  3: 'the message type is not 80',
  4: 'the algorithm suite is unknown or not one of this message version',
  5: 'the encryption context has a wrong length or count',
  6: 'there is no encrypted data key',
  8: 'the content type is neither framed nor non-framed',
  9: 'the reserved field is not zero',
  10: 'the IV length is not 12',
  11: 'the frame length does not suit the content type',
}

/** Collects what the core's writer puts to the second half of the arena. */
class HeaderWriter {
  readonly #to: Core = core()
  readonly #room: number = this.#to.io + this.#to.ioBytes - this.#to.out
  readonly #parts: Uint8Array<ArrayBuffer>[] = []
  #pending = 0

  start(suiteId: number, messageId: Uint8Array): void {
    this.#to.heap.set(messageId, this.#to.io)
    this.#to.exports.putStart(suiteId)
    this.#pending = START_BYTES
  }

  count(count: number): void {
    this.#reserve(2)
    this.#to.exports.putCount(count)
  }

  field(bytes: Uint8Array): void {
    this.#reserve(2 + bytes.length)
    this.#to.heap.set(bytes, this.#to.io)
    this.#to.exports.putField(bytes.length)
  }

  end(suiteId: number, frameLength: number, commitment: Uint8Array | undefined): void {
    this.#reserve(END_BYTES)
    if (commitment) this.#to.heap.set(commitment, this.#to.io)
    this.#to.exports.putEnd(suiteId, frameLength)
  }

  /** Makes sure that `length` more bytes fit. */
  #reserve(length: number): void {
    if (this.#pending + length > this.#room) {
      this.#parts.push(this.#to.heap.slice(this.#to.out, this.#to.out + this.#to.exports.writerTake()))
      this.#pending = 0
    }
    this.#pending += length
  }

  finish(room: number): Uint8Array<ArrayBuffer> {
    const last = this.#to.heap.subarray(this.#to.out, this.#to.out + this.#to.exports.writerTake())
    const before = this.#parts.reduce((sum, part) => sum + part.length, 0)
    const bytes = new Uint8Array(before + last.length + room)
    let at = 0
    for (const part of this.#parts) {
      bytes.set(part, at)
      at += part.length
    }
    bytes.set(last, at)
    return bytes
  }
}

/** Upper bounds of what the writer's start and end put. */
const START_BYTES = 36
const END_BYTES = 37

/**
 * Writes a header body, without its authentication (data-format/message-header.md), to the start of fresh memory that
 * has room for `room` bytes more: one array takes a whole message.
 *
 * @throws RangeError if a part or a count does not fit its field
 */
export function serializeHeader(fields: HeaderFields, room = 0): Uint8Array<ArrayBuffer> {
  const { suite, messageId, context, encryptedDataKeys, frameLength, commitment } = fields
  const parts: Uint8Array[] = []
  for (const { providerId, providerInfo, ciphertext } of encryptedDataKeys) {
    parts.push(encodeProviderId(providerId), providerInfo, ciphertext)
  }
  if (encryptedDataKeys.length === 0 || encryptedDataKeys.length > MAX_ENCRYPTED_DATA_KEYS) {
    throw new RangeError(`a header holds 1 to 65535 encrypted data keys, not ${String(encryptedDataKeys.length)}`)
  }
  for (const part of parts) assertFieldLength(part, 'a part of an encrypted data key')
  const contextBytes = contextLength(context)
  const writer = new HeaderWriter()
  writer.start(suite.id, messageId)
  writer.count(contextBytes)
  writeContext(writer, context)
  writer.count(encryptedDataKeys.length)
  for (const part of parts) writer.field(part)
  writer.end(suite.id, frameLength, commitment)
  return writer.finish(room)
}

/** The provider id that was encoded last: most messages have the same. */
let lastProviderId = ''
let lastProviderIdBytes = new Uint8Array(0)

function encodeProviderId(providerId: string): Uint8Array {
  if (providerId !== lastProviderId) {
    lastProviderIdBytes = encodeUtf8(providerId, 'providerId')
    lastProviderId = providerId
  }
  return lastProviderIdBytes
}

function assertFieldLength(bytes: Uint8Array, name: string): void {
  if (bytes.length > MAX_FIELD_BYTES) throw new RangeError(`${name} has more than 65535 bytes`)
}

function writeContext(writer: HeaderWriter, context: readonly ContextPair[]): void {
  if (context.length === 0) return
  writer.count(context.length)
  for (const [key, value] of context) {
    writer.field(key)
    writer.field(value)
  }
}

/**
 * Reads the header at the start of `bytes`, which may be longer than it. Answers a lower bound of the bytes that must
 * be there when `bytes` ends inside the header.
 *
 * @throws FormatError if it is against the format; LimitError if it has more than `maxEncryptedDataKeys`
 */
export function parseHeader(
  bytes: Uint8Array,
  limits: { readonly maxEncryptedDataKeys: number },
): ParsedHeader | { readonly needed: number } {
  const result = scan(bytes, Math.min(limits.maxEncryptedDataKeys, MAX_ENCRYPTED_DATA_KEYS))
  if ('needed' in result) return result
  const word = (index: number): number => result[index] ?? 0
  const messageVersion = word(VERSION) === 1 ? 1 : 2
  const authBytes = (messageVersion === 1 ? IV_BYTES : 0) + TAG_BYTES
  const byteLength = word(BODY_BYTES) + authBytes
  if (bytes.length < byteLength) return { needed: byteLength }
  const copy = copyHeader(bytes, byteLength)
  const body = copy.subarray(0, word(BODY_BYTES))
  const idOffset = messageVersion === 1 ? 4 : 3
  return {
    messageVersion,
    suiteId: word(SUITE),
    messageId: body.subarray(idOffset, idOffset + messageVersion * 16),
    context: body.subarray(word(CONTEXT_OFFSET), word(CONTEXT_OFFSET) + word(CONTEXT_BYTES)),
    encryptedDataKeys: readEncryptedDataKeys(body, word(KEYS_OFFSET), word(KEYS)),
    contentType: word(CONTENT_TYPE) === CONTENT_FRAMED ? 'framed' : 'non-framed',
    frameLength: word(FRAME_LENGTH),
    commitment: messageVersion === 2 ? body.subarray(-COMMITMENT_BYTES) : undefined,
    body,
    iv: messageVersion === 1 ? copy.subarray(body.length, body.length + IV_BYTES) : ZERO_IV,
    tag: copy.subarray(-TAG_BYTES),
    byteLength,
  }
}

/** Headers are copied one behind the other: an array of its own for each costs more than all else about it. */
const SLAB_BYTES = 0x4000
let slab = new Uint8Array(0)
let slabUsed = 0

/** A private copy of the header, which is no secret, in memory that it shares with other headers. */
function copyHeader(bytes: Uint8Array, length: number): Uint8Array {
  if (length > SLAB_BYTES / 4) return copyBytes(bytes.subarray(0, length))
  if (slabUsed + length > slab.length) {
    slab = new Uint8Array(SLAB_BYTES)
    slabUsed = 0
  }
  const copy = slab.subarray(slabUsed, slabUsed + length)
  copy.set(bytes.subarray(0, length))
  slabUsed += length
  return copy
}

/**
 * Runs the core's scanner over the header, window by window, past the contents of encrypted data keys. The answer is
 * good until the next call of the core.
 */
function scan(bytes: Uint8Array, maxKeys: number): Float64Array | { readonly needed: number } {
  const to = core()
  const result = to.headerResult
  to.exports.scanBegin(maxKeys)
  for (;;) {
    const position = result[POSITION] ?? 0
    const length = Math.min(Math.max(bytes.length - position, 0), WINDOW_BYTES)
    to.heap.set(position === 0 && length === bytes.length ? bytes : bytes.subarray(position, position + length), to.io)
    const status = to.exports.scanHeader(length)
    if (status === SCAN_DONE) return result
    if (status === SCAN_TOO_MANY_KEYS) {
      throw new LimitError(
        `the message has more than ${String(maxKeys)} encrypted data keys: raise maxEncryptedDataKeys if it should be read`,
      )
    }
    if (status !== SCAN_NEEDS_MORE) throw new FormatError(`not a message: ${FAULTS[status] ?? 'unknown fault'}`)
    const needed = (result[POSITION] ?? 0) + (result[NEEDED] ?? 0)
    if (needed > bytes.length) return { needed }
  }
}

function readEncryptedDataKeys(bytes: Uint8Array, offset: number, count: number): EncryptedDataKey[] {
  const keys: EncryptedDataKey[] = []
  for (let at = offset; keys.length < count;) {
    const providerId = readField(bytes, at)
    const providerInfo = readField(bytes, at + 2 + providerId.length)
    const ciphertext = readField(bytes, at + 4 + providerId.length + providerInfo.length)
    at += 6 + providerId.length + providerInfo.length + ciphertext.length
    keys.push({ providerId: decodeProviderId(providerId), providerInfo, ciphertext })
  }
  return keys
}

function decodeProviderId(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes)
  } catch (cause) {
    throw new FormatError('not a message: a provider id is not UTF-8', { cause })
  }
}
