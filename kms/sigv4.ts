import { hmac, sha256 } from '../bindings/hash.ts'
import { toHex } from './engine/bytes.ts'

// Signature Version 4 (AWS General Reference, "Signing AWS API requests"), for who signs and for who verifies.

/** Name of the algorithm, first word of the Authorization header. */
export const ALGORITHM = 'AWS4-HMAC-SHA256'
/** Last part of every credential scope. */
export const TERMINATOR = 'aws4_request'

/** What a signing key is good for. */
export interface CredentialScope {
  /** `YYYYMMDD`. */
  readonly date: string
  readonly region: string
  readonly service: string
}

/** The parts of a request that its signature covers. */
export interface SignedParts {
  readonly method: string
  /** Canonical already. */
  readonly path: string
  /** Canonical already, without `?`. */
  readonly query: string
  /** Names in lower case, sorted, each once; values as sent. */
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly body: Uint8Array
}

const ENCODER = new TextEncoder()

/** SHA-256 in lower-case hexadecimal. */
export function hexDigest(bytes: Uint8Array): string {
  return toHex(sha256(bytes))
}

/** Task 1: the canonical request. `bodyDigest` is {@link hexDigest} of the body. */
export function canonicalRequest(parts: Omit<SignedParts, 'body'>, bodyDigest: string): string {
  const { method, path, query, headers } = parts
  let lines = ''
  let names = ''
  for (const [name, value] of headers) {
    lines += `${name}:${value.trim().replace(/[ \t]+/g, ' ')}\n`
    names += names === '' ? name : `;${name}`
  }
  return `${method}\n${path}\n${query}\n${lines}\n${names}\n${bodyDigest}`
}

/** Task 2: the string to sign. `time` is `YYYYMMDDTHHMMSSZ`. */
export function stringToSign(time: string, { date, region, service }: CredentialScope, canonical: string): string {
  const digest = hexDigest(byteString(canonical))
  return `${ALGORITHM}\n${time}\n${date}/${region}/${service}/${TERMINATOR}\n${digest}`
}

/** Task 3: derives the signing key, 32 bytes. The caller wipes it. */
export function signingKey(
  secretAccessKey: Uint8Array,
  { date, region, service }: CredentialScope,
): Uint8Array<ArrayBuffer> {
  const start = new Uint8Array(4 + secretAccessKey.length)
  start.set([0x41, 0x57, 0x53, 0x34]) // "AWS4"
  start.set(secretAccessKey, 4)
  let key = start
  for (const part of [date, region, service, TERMINATOR]) {
    const next = hmac('sha256', key, ENCODER.encode(part))
    key.fill(0)
    key = next
  }
  return key
}

/** Task 4: the signature, 32 bytes. */
export function signature(key: Uint8Array, toSign: string): Uint8Array<ArrayBuffer> {
  return hmac('sha256', key, ENCODER.encode(toSign))
}

/** Headers are bytes that HTTP libraries show as characters up to U+00FF: these are the bytes as they were received. */
function byteString(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}
