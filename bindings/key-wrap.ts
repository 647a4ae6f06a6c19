import { assertBytes, assertLength } from './bytes.ts'
import { AuthenticationError, DisposedError } from './errors.ts'
import { withSymbolDispose } from './gcm.ts'
import { core, takeBytes, type Core } from './instance.ts'

/** Wraps and unwraps keys under one AES key. */
export interface KeyWrap {
  /** Answers the wrapped key, 8 bytes longer than `key` (padded to a multiple of 8). */
  wrap(key: Uint8Array): Uint8Array<ArrayBuffer>
  /** Answers the key. @throws AuthenticationError if it was not wrapped under this key */
  unwrap(wrapped: Uint8Array): Uint8Array<ArrayBuffer>
  /** Wipes the key; every later call throws DisposedError. */
  dispose(): void
}

/** The wrapping key stands in the arena at 0; what is wrapped begins at 32, what is not at 40. */
const WRAPPED_OFFSET = 32
const KEY_OFFSET = 40
/** Longest key data: all of the arena behind the wrapping key, in whole semiblocks. */
const MAX_KEY_BYTES = 0x40000

/**
 * AES Key Wrap (RFC 3394).
 *
 * @param wrappingKey 16, 24 or 32 bytes
 * @returns `wrap` takes 16 bytes to 256 KiB in multiples of 8, `unwrap` 8 bytes more; RangeError otherwise
 */
export function aesKw(wrappingKey: Uint8Array): KeyWrap {
  return keyWrap(wrappingKey, {
    assertKey(length) {
      assertSemiblocks('key', length, 16, MAX_KEY_BYTES)
    },
    assertWrapped(length) {
      assertSemiblocks('wrapped', length, 24, MAX_KEY_BYTES + 8)
    },
    wrap(to, keyBytes, length) {
      to.exports.wrapKey(keyBytes, length)
      return length + 8
    },
    unwrap(to, keyBytes, length) {
      return to.exports.unwrapKey(keyBytes, length) ? length - 8 : 0
    },
  })
}

/**
 * AES Key Wrap with Padding (RFC 5649).
 *
 * @param wrappingKey 16, 24 or 32 bytes
 * @returns `wrap` takes 1 byte to 256 KiB, `unwrap` 16 bytes or more in multiples of 8; RangeError otherwise
 */
export function aesKwp(wrappingKey: Uint8Array): KeyWrap {
  return keyWrap(wrappingKey, {
    assertKey(length) {
      if (length < 1 || length > MAX_KEY_BYTES) throw new RangeError('key must be 1 byte to 256 KiB long')
    },
    assertWrapped(length) {
      assertSemiblocks('wrapped', length, 16, MAX_KEY_BYTES + 8)
    },
    wrap(to, keyBytes, length) {
      return to.exports.wrapKeyPadded(keyBytes, length)
    },
    unwrap(to, keyBytes, length) {
      return to.exports.unwrapKeyPadded(keyBytes, length)
    },
  })
}

function assertSemiblocks(name: string, length: number, minimum: number, maximum: number): void {
  if (length % 8 !== 0 || length < minimum || length > maximum) {
    throw new RangeError(`${name} must be ${String(minimum)} to ${String(maximum)} bytes long, in multiples of 8`)
  }
}

interface Algorithm {
  assertKey(length: number): void
  assertWrapped(length: number): void
  /** Answers the bytes of the result. */
  wrap(to: Core, keyBytes: number, length: number): number
  /** Answers the bytes of the result, 0 for what is not authentic. */
  unwrap(to: Core, keyBytes: number, length: number): number
}

function keyWrap(wrappingKey: Uint8Array, algorithm: Algorithm): KeyWrap {
  assertLength(wrappingKey, 'wrappingKey', 16, 24, 32)
  const copy = new Uint8Array(wrappingKey)
  let isDisposed = false
  const load = (data: Uint8Array, offset: number): Core => {
    if (isDisposed) throw new DisposedError('the wrapping key')
    const to = core()
    to.heap.set(copy, to.io)
    to.heap.set(data, to.io + offset)
    return to
  }
  return withSymbolDispose({
    wrap(key: Uint8Array) {
      assertBytes(key, 'key')
      algorithm.assertKey(key.length)
      const to = load(key, KEY_OFFSET)
      return takeBytes(to, WRAPPED_OFFSET, algorithm.wrap(to, copy.length, key.length))
    },
    unwrap(wrapped: Uint8Array) {
      assertBytes(wrapped, 'wrapped')
      algorithm.assertWrapped(wrapped.length)
      const to = load(wrapped, WRAPPED_OFFSET)
      const length = algorithm.unwrap(to, copy.length, wrapped.length)
      try {
        if (length === 0) throw new AuthenticationError()
        return to.heap.slice(to.io + KEY_OFFSET, to.io + KEY_OFFSET + length)
      } finally {
        to.exports.wipeArena(WRAPPED_OFFSET, wrapped.length)
      }
    },
    dispose() {
      isDisposed = true
      copy.fill(0)
    },
  })
}
