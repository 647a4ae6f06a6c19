import { parseContext, serializeContext, type ContextPair } from '../bindings/message.ts'
import { compareBytes, copyBytes } from './bytes.ts'
import { FormatError } from './errors.ts'
import { assertWellFormed, decodeUtf8, encodeUtf8 } from '../bindings/text.ts'

/**
 * Pairs of strings that are authenticated with a message and not encrypted. Own enumerable string keys count.
 *
 * Source: aws-encryption-sdk-specification, framework/structures.md#encryption-context.
 */
export type EncryptionContext = Readonly<Record<string, string>>

/** Keys that begin so belong to the format; the only one in use is {@link PUBLIC_KEY_CONTEXT_KEY}. */
const RESERVED_PREFIX = 'aws-crypto-'

/** Holds the public key of a signed message: base64 of the compressed point. */
export const PUBLIC_KEY_CONTEXT_KEY = 'aws-crypto-public-key'

const MAX_LENGTH = 0xffff

const EMPTY: EncryptionContext = Object.freeze(emptyRecord())
const NO_PAIRS: readonly ContextPair[] = []
const NO_KEYS: readonly string[] = []
const NO_BYTES = new Uint8Array(0)

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
  const values = keys.map((key) => context[key])
  if (isLast(keys, values)) return lastSnapshot.context
  const copy = emptyRecord()
  keys.forEach((key, i) => {
    const value = values[i]
    assertWellFormed(key, 'a key of encryptionContext')
    assertWellFormed(value, 'each value of encryptionContext')
    copy[key] = value
  })
  lastSnapshot = { keys, values, context: Object.freeze(copy) }
  return copy
}

/** The context that was copied last: many messages in a row have the same, and an object without prototype is slow to make. */
let lastSnapshot: Snapshot = { keys: [], values: [], context: EMPTY }

interface Snapshot {
  readonly keys: readonly string[]
  readonly values: readonly unknown[]
  readonly context: EncryptionContext
}

function isLast(keys: readonly string[], values: readonly unknown[]): boolean {
  const last = lastSnapshot
  if (keys.length !== last.keys.length) return false
  return keys.every((key, i) => key === last.keys[i] && values[i] === last.values[i])
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

/** The context that was last found fit to be written. */
let lastWritable: EncryptionContext = EMPTY

/**
 * @param context as this file makes them: frozen
 * @throws TypeError when one of its keys is reserved for the format; RangeError when it is too long for it
 */
export function assertWritable(context: EncryptionContext): void {
  if (context === lastWritable || context === EMPTY) return
  assertNoReservedKeys(Object.keys(context))
  contextPairs(context)
  lastWritable = context
}

/** @throws TypeError when one of the keys is reserved for the format. */
export function assertNoReservedKeys(keys: readonly string[]): void {
  if (keys.some((key) => key.startsWith(RESERVED_PREFIX))) {
    throw new TypeError(`encryption context keys that begin with ${RESERVED_PREFIX} are reserved`)
  }
}

/** Copies a list of context keys. Throws TypeError for anything but an array of strings. */
export function snapshotKeys(keys: unknown, name: string): readonly string[] {
  if (keys === undefined) return NO_KEYS
  if (!Array.isArray(keys)) throw new TypeError(`${name} must be an array of strings`)
  const copy: unknown[] = [...(keys as unknown[])]
  for (const key of copy) assertWellFormed(key, `each of ${name}`)
  return Object.freeze([...new Set(copy as string[])])
}

/** The context that was encoded last: one message asks several times, and a frozen context does not change. */
let lastContext: EncryptionContext = EMPTY
let lastPairs: readonly ContextPair[] = []
let lastCanonical: Uint8Array | undefined

/**
 * The pairs as UTF-8, sorted by the bytes of the key (JavaScript's own order is that of UTF-16 code units, which
 * differs above U+FFFF).
 *
 * @param context as this file makes them: frozen
 * @throws RangeError when a key or value, or the whole serialised context, is longer than 65,535 bytes.
 */
export function contextPairs(context: EncryptionContext): readonly ContextPair[] {
  if (context === EMPTY) return NO_PAIRS
  if (context === lastContext) return lastPairs
  const pairs = encodePairs(context)
  if (Object.isFrozen(context)) {
    lastContext = context
    lastPairs = pairs
    lastCanonical = undefined
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
  if (context === EMPTY) return NO_BYTES
  const pairs = contextPairs(context)
  if (pairs !== lastPairs) return serializeContext(pairs)
  // A copy: keyrings of anybody's making get it.
  return copyBytes((lastCanonical ??= serializeContext(pairs)))
}

/** The context that was read last, as in {@link lastSnapshot}; its bytes are those of a header's private copy. */
let lastRead: { readonly bytes: Uint8Array; readonly context: EncryptionContext } | undefined

/**
 * Reads count ‖ entries of a header, which the core's scanner has checked the lengths of.
 *
 * @param bytes not to be changed afterwards; none at all where there is no pair
 * @throws FormatError when a key or value is not UTF-8, or two keys are equal after decoding.
 */
export function decodeContext(bytes: Uint8Array): EncryptionContext {
  if (bytes.length === 0) return EMPTY
  if (lastRead === undefined || compareBytes(bytes, lastRead.bytes) !== 0) {
    lastRead = { bytes, context: decodePairs(parseContext(bytes)) }
  }
  return lastRead.context
}

function decodePairs(pairs: readonly ContextPair[]): EncryptionContext {
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

/** The pairs with one of these keys. */
export function pairsOf(context: EncryptionContext, keys: readonly string[]): EncryptionContext {
  return keys.length === 0 ? EMPTY : filterContext(context, (key) => keys.includes(key))
}

/** The pairs with none of these keys. */
export function pairsBeside(context: EncryptionContext, keys: readonly string[]): EncryptionContext {
  return keys.length === 0 ? context : filterContext(context, (key) => !keys.includes(key))
}

/** The pairs whose key `isWanted`; the context itself when all are. */
function filterContext(context: EncryptionContext, isWanted: (key: string) => boolean): EncryptionContext {
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
