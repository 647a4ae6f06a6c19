import { timingSafeEqual } from '../../bindings/hash.ts'
import { fromHex } from '../engine/bytes.ts'
import { ALGORITHM, canonicalRequest, hexDigest, signature, stringToSign, TERMINATOR } from '../sigv4.ts'
import type { ReceivedRequest } from './exchange.ts'
import { Refusal } from './refusal.ts'
import type { SigningKeys } from './signing-keys.ts'

const SERVICE = 'kms'
/** Five minutes of skew either way. */
const MAX_SKEW_MILLISECONDS = 300_000

/** Who a request says it is from; nothing of it is verified. */
export interface Claim {
  readonly accessKeyId: string
  readonly date: string
  readonly region: string
  readonly signedHeaders: readonly string[]
  readonly signature: Uint8Array
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly time: string
}

/**
 * Reads who a request says it is from, and refuses what no signature could make good: everything that must be signed is,
 * and the signature is of now, of a region that is served and of this service.
 *
 * @throws Refusal
 */
export function readClaim(request: ReceivedRequest, now: number, regions: ReadonlySet<string>): Claim {
  if (request.method !== 'POST' || request.path !== '/') {
    throw new Refusal('UnknownOperationException', 'Requests are POST, path /.', 404)
  }
  // A presigned query would be a second way to authenticate, and would stand in logs.
  if (request.query !== '') throw invalid('The query string must be empty: presigned requests are not accepted.')
  const header = request.headers.get('authorization')
  if (header === undefined) throw new Refusal('MissingAuthenticationTokenException', 'Missing Authentication Token')
  const authorization = parseAuthorization(header)
  assertSigned(request.headers, authorization.signedHeaders)
  const { scope, ...claim } = authorization
  const time = request.headers.get('x-amz-date') ?? ''
  assertScope(scope, time, regions)
  assertTime(time, now)
  if (request.headers.has('x-amz-security-token')) throw unknownCredential()
  const { date = '', region = '' } = scope
  return { ...claim, date, region, time }
}

/** What is answered for an access key or session token that nobody has. */
export function unknownCredential(): Refusal {
  return new Refusal('UnrecognizedClientException', 'The security token included in the request is invalid.')
}

function invalid(message: string): Refusal {
  return new Refusal('InvalidSignatureException', message)
}

function incomplete(message: string): Refusal {
  return new Refusal('IncompleteSignatureException', message)
}

interface Scope {
  readonly date: string | undefined
  readonly region: string | undefined
  readonly service: string | undefined
  readonly terminator: string | undefined
}

interface Authorization extends Omit<Claim, 'date' | 'region' | 'time'> {
  readonly scope: Scope
}

/** One header, one algorithm, each of its three parts once: two headers joined into one do not pass. */
function parseAuthorization(header: string): Authorization {
  if (!header.startsWith(`${ALGORITHM} `)) {
    throw incomplete(`The Authorization header must begin with ${ALGORITHM}.`)
  }
  const parts = new Map<string, string>()
  for (const text of header.slice(ALGORITHM.length).split(',')) {
    const part = text.trim()
    const end = part.indexOf('=')
    const name = part.slice(0, Math.max(end, 0))
    if (!['Credential', 'SignedHeaders', 'Signature'].includes(name) || parts.has(name)) {
      throw incomplete('The Authorization header must have Credential, SignedHeaders and Signature, each once.')
    }
    parts.set(name, part.slice(end + 1))
  }
  const credential = (parts.get('Credential') ?? '').split('/')
  const [accessKeyId = '', date, region, service, terminator] = credential
  if (credential.length !== 5 || !/^\w{1,128}$/.test(accessKeyId)) {
    throw incomplete('Credential must be an access key id, a date, a region, a service and a terminator.')
  }
  const hex = parts.get('Signature') ?? ''
  if (!/^[0-9a-f]{64}$/.test(hex)) throw incomplete('Signature must be 64 hexadecimal digits.')
  const signedHeaders = (parts.get('SignedHeaders') ?? '').split(';')
  const isSorted = signedHeaders.every((name, index) => index === 0 || name > signedHeaders[index - 1]!)
  if (!isSorted || !signedHeaders.every((name) => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) {
    throw incomplete('SignedHeaders must be names in lower case, sorted, each once.')
  }
  return { accessKeyId, signedHeaders, signature: fromHex(hex), scope: { date, region, service, terminator } }
}

/** A header that decides what is done, and is not signed, would let a captured request be sent to do something else. */
function assertSigned(headers: ReadonlyMap<string, string>, signedHeaders: readonly string[]): void {
  for (const name of ['host', 'x-amz-date', 'x-amz-target', ...headers.keys()]) {
    const mustBeSigned = name.startsWith('x-amz-') || name === 'host'
    if (mustBeSigned && !signedHeaders.includes(name)) {
      throw invalid(`'${name}' must be a 'SignedHeader' in the AWS Authorization.`)
    }
  }
  for (const name of signedHeaders) {
    if (!headers.has(name)) throw invalid(`'${name}' is a 'SignedHeader' and is not in the request.`)
  }
}

function assertScope({ date, region, service, terminator }: Scope, time: string, regions: ReadonlySet<string>): void {
  if (!regions.has(region ?? '')) throw invalid(`Credential should be scoped to a valid region, not '${region ?? ''}'.`)
  if (service !== SERVICE) throw invalid(`Credential should be scoped to correct service: '${SERVICE}'.`)
  if (terminator !== TERMINATOR) {
    throw invalid(`Credential should be scoped with a valid terminator: '${TERMINATOR}', not '${terminator ?? ''}'.`)
  }
  if (date !== time.slice(0, 8)) {
    throw invalid(`Date in Credential scope does not match YYYYMMDD from X-Amz-Date: '${date ?? ''}', '${time}'.`)
  }
}

function assertTime(time: string, now: number): void {
  const [, ...parts] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(time) ?? []
  const [year = NaN, month = NaN, day, hour, minute, second] = parts.map(Number)
  const milliseconds = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC takes a 32nd of a month for the first of the next.
  if (Number.isNaN(milliseconds) || compactTime(milliseconds) !== time) {
    throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${time}'.`)
  }
  if (milliseconds < now - MAX_SKEW_MILLISECONDS) {
    const limit = compactTime(now - MAX_SKEW_MILLISECONDS)
    throw invalid(`Signature expired: ${time} is now earlier than ${limit} (${compactTime(now)} - 5 min.)`)
  }
  if (milliseconds > now + MAX_SKEW_MILLISECONDS) {
    const limit = compactTime(now + MAX_SKEW_MILLISECONDS)
    throw invalid(`Signature not yet current: ${time} is still later than ${limit} (${compactTime(now)} + 5 min.)`)
  }
}

/** `YYYYMMDDTHHMMSSZ`. */
function compactTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

/**
 * Verifies the signature of a claim over the bytes that were received.
 *
 * @throws Refusal
 */
export function verifySignature(
  request: ReceivedRequest,
  body: Uint8Array,
  claim: Claim,
  secretAccessKey: Uint8Array,
  keys: SigningKeys,
): void {
  const digest = hexDigest(body)
  const declared = request.headers.get('x-amz-content-sha256')
  // UNSIGNED-PAYLOAD and STREAMING-… are no digest of these bytes either.
  if (declared !== undefined && declared !== digest) {
    throw invalid('x-amz-content-sha256 must be the SHA-256 of the body.')
  }
  const scope = { date: claim.date, region: claim.region, service: SERVICE }
  const headers = claim.signedHeaders.map((name) => [name, request.headers.get(name) ?? ''] as const)
  const canonical = canonicalRequest({ method: request.method, path: request.path, query: '', headers }, digest)
  const key = keys.of(claim.accessKeyId, secretAccessKey, scope)
  if (!timingSafeEqual(signature(key, stringToSign(claim.time, scope, canonical)), claim.signature)) {
    throw invalid(
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    )
  }
}
