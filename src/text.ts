const ENCODER = new TextEncoder()

const LONE_SURROGATE = /\p{Surrogate}/u

/**
 * Encodes as UTF-8. A string with a lone surrogate has no UTF-8 form, and `TextEncoder` would quietly write U+FFFD.
 *
 * @throws TypeError when `value` is no string, or one with a lone surrogate.
 */
export function encodeUtf8(value: unknown, name: string): Uint8Array<ArrayBuffer> {
  assertWellFormed(value, name)
  return ENCODER.encode(value)
}

export function assertWellFormed(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`)
  if (LONE_SURROGATE.test(value)) throw new TypeError(`${name} must not contain lone surrogates`)
}
