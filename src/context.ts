import { serializeContext } from '../bindings/message.ts'
import { compareBytes } from './bytes.ts'
import { FormatError } from './errors.ts'
import { assertWellFormed, decodeUtf8, encodeUtf8 } from '../bindings/text.ts'

/**
 * Pairs of strings that are authenticated with a message and not encrypted. Own enumerable string keys count.
 *
 * Source: aws-encryption-sdk-specification, framework/structures.md#encryption-context.
 */
export type EncryptionContext = Readonly<Record<string, string>>

/** Key and value as UTF-8. */
export type ContextPair = readonly [Uint8Array, Uint8Array]

/** Keys that begin so belong to the format; the only one in use is {@link PUBLIC_KEY_CONTEXT_KEY}. */
const RESERVED_PREFIX = 'aws-crypto-'

/** Holds the public key of a signed message: base64 of the compressed point. */
export const PUBLIC_KEY_CONTEXT_KEY = 'aws-crypto-public-key'

const MAX_LENGTH = 0xffff

const EMPTY: EncryptionContext = Object.freeze(emptyRecord())

/**
 * Copies a caller's context, so that later changes to his object change nothing: frozen, null prototype (`__proto__`
 * is a key like any other).
 *
 * @throws TypeError for anything but a plain object of well-formed strings.
 */
export function snapshotContext(context: unknown): EncryptionContext {
  if (context === undefined) return EMPTY
  if (!isPlainObject(context)) throw new TypeError('encryptionContext must be a plain object of strings')
  const keys = Object.keys(context)
  if (keys.length === 0) return EMPTY
  const copy = emptyRecord()
  for (const key of keys) {
    const value = context[key]
    assertWellFormed(key, 'a key of encryptionContext')
    assertWellFormed(value, 'each value of encryptionContext')
    copy[key] = value
  }
  return Object.freeze(copy)
}

function emptyRecord(): Record<string, string> {
  return Object.create(null) as Record<string, string>
}

/** A Map or an array would otherwise pass for a context without pairs. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

/** @throws TypeError when one of the keys is reserved for the format. */
export function assertNoReservedKeys(keys: readonly string[]): void {
  if (keys.some((key) => key.startsWith(RESERVED_PREFIX))) {
    throw new TypeError(`encryption context keys that begin with ${RESERVED_PREFIX} are reserved`)
  }
}

/** Copies a list of context keys. Throws TypeError for anything but an array of strings. */
export function snapshotKeys(keys: unknown, name: string): readonly string[] {
  if (keys === undefined) return []
  if (!Array.isArray(keys)) throw new TypeError(`${name} must be an array of strings`)
  const copy: unknown[] = [...(keys as unknown[])]
  for (const key of copy) assertWellFormed(key, `each of ${name}`)
  return Object.freeze([...new Set(copy as string[])])
}

/** The context that was encoded last: one message asks several times, and a frozen context does not change. */
let lastContext: EncryptionContext = EMPTY
let lastPairs: readonly ContextPair[] = []

/**
 * The pairs as UTF-8, sorted by the bytes of the key (JavaScript's own order is that of UTF-16 code units, which
 * differs above U+FFFF).
 *
 * @param context as this file makes them: frozen
 * @throws RangeError when a key or value, or the whole serialised context, is longer than 65,535 bytes.
 */
export function contextPairs(context: EncryptionContext): readonly ContextPair[] {
  if (context === EMPTY) return []
  if (context === lastContext) return lastPairs
  const pairs = encodePairs(context)
  if (Object.isFrozen(context)) {
    lastContext = context
    lastPairs = pairs
  }
  return pairs
}

function encodePairs(context: EncryptionContext): readonly ContextPair[] {
  let total = 2
  const pairs = Object.keys(context).map((key): ContextPair => {
    const pair: ContextPair = [
      encodeUtf8(key, 'a key of encryptionContext'),
      encodeUtf8(context[key], 'each value of encryptionContext'),
    ]
    total += 4 + pair[0].length + pair[1].length
    return pair
  })
  if (pairs.length > 0 && total > MAX_LENGTH) {
    throw new RangeError(`encryptionContext takes ${total} bytes, the format allows ${MAX_LENGTH}`)
  }
  return pairs.sort((a, b) => compareBytes(a[0], b[0]))
}

/** The form that is authenticated: count ‖ entries, sorted; no bytes at all when there is no pair. */
export function canonicalContext(context: EncryptionContext): Uint8Array<ArrayBuffer> {
  const pairs = contextPairs(context)
  return pairs.length === 0 ? new Uint8Array(0) : serializeContext(pairs)
}

/**
 * Reads the pairs of a header.
 *
 * @throws FormatError when one is not UTF-8, or two keys are equal after decoding.
 */
export function decodeContext(pairs: readonly ContextPair[]): EncryptionContext {
  if (pairs.length === 0) return EMPTY
  const context = emptyRecord()
  for (const [keyBytes, valueBytes] of pairs) {
    const key = decodeText(keyBytes)
    if (Object.hasOwn(context, key)) throw new FormatError('the encryption context holds a key twice')
    context[key] = decodeText(valueBytes)
  }
  return Object.freeze(context)
}

function decodeText(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes)
  } catch {
    throw new FormatError('the encryption context is not UTF-8')
  }
}

/** The pairs whose key `isWanted`; the context itself when all are. */
export function filterContext(context: EncryptionContext, isWanted: (key: string) => boolean): EncryptionContext {
  const keys = Object.keys(context)
  const wanted = keys.filter(isWanted)
  if (wanted.length === keys.length) return context
  if (wanted.length === 0) return EMPTY
  const copy = emptyRecord()
  for (const key of wanted) copy[key] = context[key] ?? ''
  return Object.freeze(copy)
}

/** The pairs of both; where both have a key, that of `second` counts. */
export function mergeContexts(first: EncryptionContext, second: EncryptionContext): EncryptionContext {
  if (Object.keys(second).length === 0) return first
  return Object.freeze(Object.assign(emptyRecord(), first, second))
}
