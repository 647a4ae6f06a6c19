import { encodeUtf8 } from '../../bindings/text.ts'
import { toHex } from '../engine/bytes.ts'
import { ALGORITHM, canonicalRequest, hexDigest, signature, signingKey, stringToSign, TERMINATOR } from '../sigv4.ts'

/** An access key of AWS. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined
}

/** @throws TypeError for what is no access key */
export function assertCredentials(value: unknown): asserts value is AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken } = Object(value) as Partial<Record<string, unknown>>
  const isToken = sessionToken === undefined || typeof sessionToken === 'string'
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || !isToken) {
    throw new TypeError('credentials must have accessKeyId and secretAccessKey, and sessionToken if they are temporary')
  }
}

/** One call of an action. */
export interface SignedCall {
  readonly host: string
  readonly region: string
  readonly service: string
  readonly contentType: string
  readonly target: string
  readonly body: Uint8Array
}

/**
 * Signs a request of AWS JSON, with all of its headers and its body, and answers the headers that it needs beside
 * the Host that `fetch` sends.
 */
export function signedHeaders(
  { host, region, service, contentType, target, body }: SignedCall,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  now: number,
): Record<string, string> {
  const time = new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const scope = { date: time.slice(0, 8), region, service }
  const headers: [name: string, value: string][] = [
    ['content-type', contentType],
    ['host', host],
    ['x-amz-date', time],
    ...(sessionToken === undefined ? [] : [['x-amz-security-token', sessionToken] as [string, string]]),
    ['x-amz-target', target],
  ]
  const canonical = canonicalRequest({ method: 'POST', path: '/', query: '', headers }, hexDigest(body))
  const secret = encodeUtf8(secretAccessKey, 'secretAccessKey')
  const key = signingKey(secret, scope)
  const signed = toHex(signature(key, stringToSign(time, scope, canonical)))
  key.fill(0)
  secret.fill(0)
  const credential = `${accessKeyId}/${scope.date}/${region}/${service}/${TERMINATOR}`
  const names = headers.map(([name]) => name).join(';')
  const authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${names}, Signature=${signed}`
  return { ...Object.fromEntries(headers.filter(([name]) => name !== 'host')), authorization }
}
