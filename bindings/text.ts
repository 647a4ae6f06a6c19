const ENCODER = new TextEncoder()

/** UTF-8 has one form for each string; a byte order mark is a character like any other here. */
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const LONE_SURROGATE = /\p{Surrogate}/u

/** Up to here a loop over ASCII is ten times as fast as the encoder and the decoder of the runtime. */
const SHORT = 64

/**
 * Encodes as UTF-8. A string with a lone surrogate has no UTF-8 form, and `TextEncoder` would quietly write U+FFFD.
 *
 * @throws TypeError when `value` is no string, or one with a lone surrogate.
 */
export function encodeUtf8(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  assertWellFormed(value, name)
  return encodeShortAscii(value) ?? ENCODER.encode(value)
}

function encodeShortAscii(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (text.length > SHORT) return undefined
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (unit > 0x7f) return undefined
    bytes[i] = unit
  }
  return bytes
}

/** Decodes UTF-8. Throws TypeError for bytes that are none. */
export function decodeUtf8(bytes: Uint8Array): string {
  return decodeShortAscii(bytes) ?? DECODER.decode(bytes)
}

function decodeShortAscii(bytes: Uint8Array): string | undefined {
  if (bytes.length > SHORT) return undefined
  let text = ''
  for (const byte of bytes) {
    if (byte > 0x7f) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

export function assertWellFormed(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`)
  if (LONE_SURROGATE.test(value)) throw new TypeError(`${name} must not contain lone surrogates`)
}
