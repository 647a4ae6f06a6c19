const ENCODER = new TextEncoder()

/** Up to here a loop over ASCII is faster than the encoder of the runtime. */
const SHORT = 64

function utf8(text: string): Uint8Array {
  if (text.length > SHORT) return ENCODER.encode(text)
  const bytes = new Uint8Array(text.length)
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code > 0x7f) return ENCODER.encode(text)
    bytes[index] = code
  }
  return bytes
}

/** Joins parts, each with its length in front (u32), so that no two lists of parts give the same bytes. */
export function lengthPrefixed(...parts: readonly (string | Uint8Array)[]): Uint8Array<ArrayBuffer> {
  const encoded = parts.map((part) => (typeof part === 'string' ? utf8(part) : part))
  const bytes = new Uint8Array(encoded.reduce((sum, part) => sum + 4 + part.length, 0))
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const part of encoded) {
    view.setUint32(at, part.length)
    bytes.set(part, at + 4)
    at += 4 + part.length
  }
  return bytes
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let hex = ''
  for (const byte of bytes) hex += HEX[byte] ?? ''
  return hex
}

const NO_DIGIT = 0xff

/** Value of each character that is a hexadecimal digit. */
const DIGITS: Uint8Array = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16)
  return Number.isNaN(value) ? NO_DIGIT : value
})

/** @throws RangeError if `hex` is no even number of hexadecimal digits */
export function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length >> 1)
  // Above 0x0f once one character was no digit.
  let seen = hex.length & 1 ? NO_DIGIT : 0
  for (let index = 0; index < bytes.length; index++) {
    const high = DIGITS[hex.charCodeAt(2 * index)] ?? NO_DIGIT
    const low = DIGITS[hex.charCodeAt(2 * index + 1)] ?? NO_DIGIT
    seen |= high | low
    bytes[index] = (high << 4) | low
  }
  if (seen > 0x0f) throw new RangeError('not hexadecimal')
  return bytes
}

/** A version 4 UUID (RFC 9562 §5.4) of sixteen bytes that nobody can foretell. */
export function uuidOf(bytes: Uint8Array): string {
  const octets = bytes.slice()
  octets[6] = ((octets[6] ?? 0) & 0x0f) | 0x40
  octets[8] = ((octets[8] ?? 0) & 0x3f) | 0x80
  const hex = toHex(octets)
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
