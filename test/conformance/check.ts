import { toHex } from './bytes.ts'

/** Most bytes of a value that a failure shows. */
const SHOWN_BYTES = 24

type ErrorClass = abstract new (...parameters: never[]) => Error

/** What an error must be: of exactly this class, and with this `code` if there is one. */
export interface Expected {
  readonly class: ErrorClass
  readonly code?: string | undefined
}

export function fail(message: string): never {
  throw new Error(message)
}

export function isTrue(condition: boolean, what: string): void {
  if (!condition) fail(`not so: ${what}`)
}

/** Compares with `Object.is`, and lists and plain objects by their JSON. */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (Object.is(actual, expected)) return
  const [found, wanted] = [show(actual), show(expected)]
  if (typeof actual !== 'object' || found !== wanted) fail(`${what} is ${found}, not ${wanted}`)
}

function show(value: unknown): string {
  if (typeof value === 'symbol' || typeof value === 'function' || value === undefined) return typeof value
  return JSON.stringify(value, (_, member: unknown) => (member instanceof Uint8Array ? toHex(member) : member))
}

export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const at = expected.findIndex((byte, i) => byte !== actual[i])
  if (at === -1 && actual.length === expected.length) return
  const start = Math.max(at, 0)
  const excerpt = (bytes: Uint8Array): string => toHex(bytes.subarray(start, start + SHOWN_BYTES))
  fail(`${what}: ${actual.length} bytes, from ${start} on ${excerpt(actual)}, not ${excerpt(expected)}`)
}

/** A result is a plain `Uint8Array` over memory of its own: no `Buffer`, no view of WebAssembly memory or of an input. */
export function isFresh(bytes: Uint8Array, what: string): void {
  isTrue(Object.getPrototypeOf(bytes) === Uint8Array.prototype, `${what} is a plain Uint8Array`)
  isTrue(bytes.byteOffset === 0 && bytes.buffer.byteLength === bytes.length, `${what} has a buffer of its own`)
}

export function allZero(bytes: Uint8Array, what: string): void {
  isTrue(
    bytes.every((byte) => byte === 0),
    `${what} is wiped`,
  )
}

export function isExpected(error: unknown, expected: Expected, what: string): void {
  const text = String(error)
  if (!(error instanceof expected.class) || error.constructor !== expected.class) {
    fail(`${what}: ${expected.class.name} expected, got ${text}`)
  }
  const { code } = error as { readonly code?: unknown }
  if (expected.code !== undefined && code !== expected.code) {
    fail(`${what}: code ${expected.code} expected, got ${show(code)} of ${text}`)
  }
}

const DID_NOT = Symbol()

/** The call must throw at once. Answers the error. */
export function throws(act: () => unknown, expected: Expected, what: string): Error {
  let error: unknown = DID_NOT
  try {
    act()
  } catch (caught) {
    error = caught
  }
  if (error === DID_NOT) fail(`${what}: ${expected.class.name} expected, nothing was thrown`)
  isExpected(error, expected, what)
  return error as Error
}

/** What a promise rejects with; undefined when it is fulfilled. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
    return undefined
  } catch (error) {
    return error
  }
}

/** The promise must reject. A call that throws instead of answering a promise fails. */
export async function rejects(act: () => Promise<unknown>, expected: Expected, what: string): Promise<Error> {
  const promise = act()
  const error = await failureOf(promise)
  if (error === undefined) fail(`${what}: ${expected.class.name} expected, nothing was thrown`)
  isExpected(error, expected, what)
  return error as Error
}
