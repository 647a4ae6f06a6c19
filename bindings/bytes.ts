/**
 * Refuses what is no `Uint8Array` over memory of its own: other types, shared memory (another thread could change
 * the bytes between two reads) and arrays whose buffer was transferred away, or became too short for them.
 */
export function assertBytes(value: unknown, name: string): asserts value is Uint8Array {
  if (value instanceof Uint8Array && value.length > 0 && value.buffer instanceof ArrayBuffer) return
  assertUint8Array(value, name)
  if (toStringTag(value.buffer) === 'SharedArrayBuffer') throw new TypeError(`${name} must not be in shared memory`)
  if (value.byteLength === 0 && isOutOfBounds(value))
    throw new TypeError(`${name} is over an ArrayBuffer that was detached or shrunk`)
}

/**
 * As far as {@link assertBytes} goes without a look at the buffer, which engines allocate for a small array only when
 * somebody looks: for what is copied or taken over at once.
 */
export function assertUint8Array(value: unknown, name: string): asserts value is Uint8Array {
  if (value instanceof Uint8Array) return
  if (!ArrayBuffer.isView(value) || toStringTag(value) !== 'Uint8Array') {
    throw new TypeError(`${name} must be a Uint8Array`)
  }
}

/** As {@link assertBytes}, for values of exactly one of these lengths. */
export function assertLength(value: unknown, name: string, ...lengths: readonly number[]): asserts value is Uint8Array {
  assertBytes(value, name)
  if (!lengths.includes(value.length)) {
    throw new RangeError(`${name} must be ${lengths.join(' or ')} bytes long, not ${String(value.length)}`)
  }
}

function toStringTag(value: object): unknown {
  return (value as { readonly [Symbol.toStringTag]?: unknown })[Symbol.toStringTag]
}

/** Whether the buffer of an array was transferred away, or became too short for it (ECMA-262 §23.2.4.4). */
function isOutOfBounds(bytes: Uint8Array): boolean {
  try {
    bytes.keys()
    return false
  } catch {
    return true
  }
}

/** Refuses an output that is too short, or that overlaps the input without beginning where the input begins. */
export function assertOutput(output: unknown, input: Uint8Array, needed: number): asserts output is Uint8Array {
  assertBytes(output, 'output')
  if (output.length < needed) {
    throw new RangeError(`output must have room for ${String(needed)} bytes, it has ${String(output.length)}`)
  }
  const distance = output.byteOffset - input.byteOffset
  if (output.buffer === input.buffer && distance !== 0 && distance < input.length && -distance < needed) {
    throw new RangeError('output must be the same range as the input or not overlap it')
  }
}

/** Joins parts in fresh memory. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (const part of parts) length += part.length
  const bytes = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Whether there is no other byte than zero, in a time that tells nothing of where one is. */
export function isZero(bytes: Uint8Array): boolean {
  let bits = 0
  for (const byte of bytes) bits |= byte
  return bits === 0
}

/** Copies. `Buffer.prototype.slice` would answer a view, and a Buffer is a `Uint8Array`. */
export function copyBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}

/** The bytes from `offset` on, as a view. At 0 the array itself: the first view of a small array allocates its buffer. */
export function bytesFrom(bytes: Uint8Array, offset: number): Uint8Array {
  return offset === 0 ? bytes : bytes.subarray(offset)
}
