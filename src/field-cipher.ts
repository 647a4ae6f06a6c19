import { assertBytes, assertOutput } from '../bindings/bytes.ts'
import { GcmKey, IV_BYTES, TAG_BYTES } from '../bindings/gcm.ts'
import { hkdf, timingSafeEqual } from '../bindings/hash.ts'
import { encodeUtf8 } from '../bindings/text.ts'
import { concatBytes } from './bytes.ts'
import { AuthenticationError, DisposedError, FormatError } from './errors.ts'

/** version u8 ‖ counter u32, before the ciphertext. */
const HEAD_BYTES = 5
const VERSION = 1

/** Bytes of a value beside its ciphertext, which is as long as the plaintext: version, counter, tag. */
export const FIELD_OVERHEAD_BYTES: number = HEAD_BYTES + TAG_BYTES

export const SESSION_ID_BYTES = 32
const KEY_BYTES = 32
const COMMITMENT_BYTES = 32

const ZERO_IV = new Uint8Array(IV_BYTES)
const NOTHING = new Uint8Array(0)

/** id ‖ counter ‖ length of the field's name, before the two names in the additional data. */
const NAMES_OFFSET = SESSION_ID_BYTES + IV_BYTES + 2
const MAX_FIELD_BYTES = 0xffff
/** Up to here the memory of additional data is kept for the next value. */
const MAX_KEPT_BYTES = 512

/**
 * The key of a field session: seals its header once, and values under a counter.
 * K ‖ commitment = HKDF-SHA512(data key, salt = id, info = "waxseal field session v1" ‖ suite, 64).
 */
export class FieldCipher {
  readonly commitment: Uint8Array
  readonly #key: GcmKey
  /** Additional data by length; each begins with the session's id. */
  readonly #aads: (Uint8Array | undefined)[] = []
  readonly #id: Uint8Array
  readonly #iv = new Uint8Array(IV_BYTES)
  #isHeaderSealed = false
  #isDisposed = false

  /** @param info of the derivation; both inputs are copied */
  constructor(dataKey: Uint8Array, id: Uint8Array, info: Uint8Array) {
    const okm = hkdf('sha512', dataKey, { salt: id, info, length: KEY_BYTES + COMMITMENT_BYTES })
    this.#key = new GcmKey(okm.subarray(0, KEY_BYTES))
    this.commitment = okm.slice(KEY_BYTES)
    this.#id = id.slice()
    okm.fill(0)
  }

  /** The tag over the header, with IV zero. Only once: a second header would give the authentication key away. */
  sealHeader(header: Uint8Array): Uint8Array<ArrayBuffer> {
    if (this.#isHeaderSealed) throw new RangeError('a session seals one header only')
    this.#isHeaderSealed = true
    return this.#key.seal(ZERO_IV, NOTHING, header)
  }

  /** Whether commitment, which is compared first and in constant time, and tag are those of this key. */
  authenticates(commitment: Uint8Array, header: Uint8Array, tag: Uint8Array): boolean {
    if (!timingSafeEqual(this.commitment, commitment)) return false
    try {
      this.#key.open(ZERO_IV, tag, header)
      return true
    } catch (error) {
      if (error instanceof AuthenticationError) return false
      throw error
    }
  }

  assertUsable(): void {
    if (this.#isDisposed) throw new DisposedError('the field session')
  }

  /** The additional data of a value, which the next call overwrites. Sets the IV as well. */
  additionalData(counter: number, field: string, record: string): Uint8Array {
    assertName(field, 'field')
    assertName(record, 'record')
    const aad = this.#asciiData(field, record) ?? this.#anyData(field, record)
    this.#setCounter(counter, this.#iv, IV_BYTES - 4)
    aad.set(this.#iv, SESSION_ID_BYTES)
    return aad
  }

  #setCounter(counter: number, bytes: Uint8Array, at: number): void {
    bytes[at] = counter >>> 24
    bytes[at + 1] = counter >>> 16
    bytes[at + 2] = counter >>> 8
    bytes[at + 3] = counter
  }

  /** Without an encoder, and in memory that was used before; undefined for names that are long or not ASCII. */
  #asciiData(field: string, record: string): Uint8Array | undefined {
    const length = NAMES_OFFSET + field.length + record.length
    if (length > MAX_KEPT_BYTES) return undefined
    const aad = (this.#aads[length] ??= this.#newData(length))
    const isAscii = putAscii(field, aad, NAMES_OFFSET) && putAscii(record, aad, NAMES_OFFSET + field.length)
    if (!isAscii) return undefined
    putLength(field.length, aad)
    return aad
  }

  #anyData(field: string, record: string): Uint8Array {
    const fieldBytes = encodeUtf8(field, 'field')
    const recordBytes = encodeUtf8(record, 'record')
    if (fieldBytes.length > MAX_FIELD_BYTES) throw new RangeError('field takes at most 65,535 bytes of UTF-8')
    const aad = this.#newData(NAMES_OFFSET + fieldBytes.length + recordBytes.length)
    putLength(fieldBytes.length, aad)
    aad.set(fieldBytes, NAMES_OFFSET)
    aad.set(recordBytes, NAMES_OFFSET + fieldBytes.length)
    return aad
  }

  #newData(length: number): Uint8Array {
    const aad = new Uint8Array(length)
    aad.set(this.#id)
    return aad
  }

  /** Writes the value to the start of `output`, which is apart from the plaintext and has the room. */
  sealInto(counter: number, aad: Uint8Array, plaintext: Uint8Array, output: Uint8Array): number {
    const length = this.#key.sealInto(this.#iv, plaintext, output, aad, HEAD_BYTES)
    output[0] = VERSION
    this.#setCounter(counter, output, 1)
    return HEAD_BYTES + length
  }

  open(field: string, record: string, value: Uint8Array): Uint8Array<ArrayBuffer> {
    this.assertUsable()
    const aad = this.additionalData(counterOf(value), field, record)
    return this.#key.open(this.#iv, value.subarray(HEAD_BYTES), aad)
  }

  openInto(field: string, record: string, value: Uint8Array, output: Uint8Array): number {
    this.assertUsable()
    const aad = this.additionalData(counterOf(value), field, record)
    assertApart(output, value, value.length - FIELD_OVERHEAD_BYTES)
    return this.#key.openInto(this.#iv, value.subarray(HEAD_BYTES), output, aad)
  }

  dispose(): void {
    this.#isDisposed = true
    this.#key.dispose()
  }
}

function assertName(name: unknown, what: string): void {
  if (typeof name !== 'string') throw new TypeError(`${what} must be a string`)
  if (name === '') throw new RangeError(`${what} must name something`)
}

function putAscii(text: string, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return false
    bytes[at + i] = unit
  }
  return true
}

function putLength(length: number, aad: Uint8Array): void {
  aad[NAMES_OFFSET - 2] = length >>> 8
  aad[NAMES_OFFSET - 1] = length
}

/** The counter of a value: 1 to 2^32−1, since 0 is the header's. Throws FormatError for what is no value. */
function counterOf(value: Uint8Array): number {
  assertBytes(value, 'value')
  const [version, a = 0, b = 0, c = 0, d = 0] = value
  const counter = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  if (value.length >= FIELD_OVERHEAD_BYTES && version === VERSION && counter > 0) return counter
  throw new FormatError('not a value of a field session of version 1')
}

/** Refuses an output that is too short or shares memory with the input, whose place in it would differ. */
export function assertApart(output: Uint8Array, input: Uint8Array, needed: number): void {
  assertOutput(output, input, needed)
  if (output.buffer === input.buffer && output.byteOffset === input.byteOffset && input.length > 0 && needed > 0) {
    throw new RangeError('output must not overlap the input')
  }
}

/** The header as it is authenticated: what marks a session, the header's body, the pairs that it does not store. */
export function authenticatedHeader(mark: Uint8Array, body: Uint8Array, requiredContext: Uint8Array): Uint8Array {
  return concatBytes(mark, body, requiredContext)
}
