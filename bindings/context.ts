/** UTF-8 key and value of an encryption context pair. */
export type ContextPair = readonly [Uint8Array, Uint8Array]

const MAX_CONTEXT_BYTES = 0xffff

/**
 * Bytes of the serialised context; none for no pairs.
 *
 * @throws RangeError if it has more than 65,535 bytes
 */
export function contextLength(context: readonly ContextPair[]): number {
  let length = context.length === 0 ? 0 : 2
  for (const [key, value] of context) length += 4 + key.length + value.length
  if (length > MAX_CONTEXT_BYTES) throw new RangeError('the encryption context has more than 65535 bytes')
  return length
}

/**
 * Writes an encryption context as it is authenticated with a wrapped key: count ‖ entries, and nothing at all for no
 * pairs (framework/structures.md).
 *
 * @throws RangeError if it has more than 65,535 bytes
 */
export function serializeContext(context: readonly ContextPair[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(contextLength(context))
  if (context.length === 0) return bytes
  let at = 0
  const put16 = (value: number): void => {
    bytes[at++] = value >>> 8
    bytes[at++] = value
  }
  put16(context.length)
  for (const field of context.flat()) {
    put16(field.length)
    bytes.set(field, at)
    at += field.length
  }
  return bytes
}

/** The field at `at`: its length, two bytes, and its content. */
export function readField(bytes: Uint8Array, at: number): Uint8Array {
  const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  return bytes.subarray(at + 2, at + 2 + length)
}

/**
 * The pairs of a header's context in their order, not yet decoded nor checked for duplicates. The scanner has checked
 * that counts and lengths fill it exactly.
 */
export function parseContext(bytes: Uint8Array): ContextPair[] {
  const pairs: ContextPair[] = []
  for (let at = 2; at < bytes.length;) {
    const key = readField(bytes, at)
    const value = readField(bytes, at + 2 + key.length)
    pairs.push([key, value])
    at += 4 + key.length + value.length
  }
  return pairs
}
