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
  if (!isShortAscii(value)) return ENCODER.encode(value)
  const bytes = new Uint8Array(value.length)
  for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i)
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
  if (isShortAscii(value) || !LONE_SURROGATE.test(value)) return
  throw new TypeError(`${name} must not contain lone surrogates`)
}

function isShortAscii(text: string): boolean {
  if (text.length > SHORT) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}
