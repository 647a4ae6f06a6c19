import { FormatError } from '../../bindings/errors.ts'
import { KmsError, type KmsExceptionName } from '../errors.ts'
import { assertCredentials, signedHeaders, type AwsCredentials } from './aws-sign.ts'

/** How a service of AWS is reached over `fetch`. */
export interface AwsApiOptions {
  /** For example eu-central-1. */
  readonly region: string
  /** The access key, or a function that answers the present one: it is asked before each attempt. */
  readonly credentials: AwsCredentials | (() => AwsCredentials | Promise<AwsCredentials>)
  /** Default: the public endpoint of the Region. Otherwise https://, or http:// on this machine. */
  readonly endpoint?: string | undefined
  /** Allows an http:// endpoint elsewhere, where the network itself is protected: answers carry data keys. */
  readonly insecureHttp?: boolean | undefined
  /** Default `globalThis.fetch`. */
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** How often a call is tried while the service is throttling, failing or not there. Default 3. */
  readonly maxAttempts?: number | undefined
  /** Milliseconds that one attempt may take. Default 5,000. */
  readonly timeout?: number | undefined
  /** Milliseconds before the next attempt, after attempt 0, 1, … Default: random, up to 100 · 2ⁿ and 5,000. */
  readonly retryDelay?: ((attempt: number) => number) | undefined
}

/** A service of AWS that speaks AWS JSON. */
export interface AwsService {
  readonly title: string
  /** In credential scopes and in the names of endpoints. */
  readonly name: string
  /** What the names of its actions stand behind in X-Amz-Target. */
  readonly target: string
  readonly contentType: string
  /** What to do about a refusal: take it for an answer, ask again, or throw it. */
  readonly judge?: (name: string, body: Record<string, unknown>) => 'answer' | 'retry' | 'throw'
}

const KMS: AwsService = {
  title: 'AWS KMS',
  name: 'kms',
  target: 'TrentService',
  contentType: 'application/x-amz-json-1.1',
}

/** Exceptions that say: not now. */
const THROTTLING =
  /^(?:Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|RequestThrottled|ProvisionedThroughputExceeded|TransactionInProgress)/

const FIRST_DELAY = 100
const MAX_DELAY = 5_000

/** Exponential backoff with full jitter, in milliseconds. */
function jitteredDelay(attempt: number): number {
  return Math.random() * Math.min(MAX_DELAY, FIRST_DELAY * 2 ** attempt)
}

/** The outcome of one attempt. */
type Outcome = { readonly answer: Record<string, unknown> } | { readonly error: unknown; readonly mayRetry: boolean }

/** The AWS KMS API, or that of another service, over `fetch`. */
export class AwsApi {
  readonly region: string
  readonly #url: URL
  readonly #options: AwsApiOptions
  readonly #service: AwsService

  /** @throws TypeError or RangeError for options that are not in their form */
  constructor(options: AwsApiOptions, service: AwsService = KMS) {
    const { region, credentials, maxAttempts = 1, timeout = 1 } = options
    if (!/^(?:[a-z]+-){2,3}\d+$/.test(region)) throw new RangeError('region is not the name of one')
    if (typeof credentials !== 'function') assertCredentials(credentials)
    for (const [name, value] of Object.entries({ maxAttempts, timeout })) {
      if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
    }
    this.region = region
    this.#url = endpointUrl(options, service)
    this.#service = service
    this.#options = { ...options, credentials: typeof credentials === 'function' ? credentials : { ...credentials } }
  }

  /**
   * Runs one action; repeats it when the service is throttling, failing or not there.
   *
   * @throws KmsError as the service answered; `signal.reason` if aborted
   */
  async call(action: string, input: object, signal: AbortSignal | undefined): Promise<Record<string, unknown>> {
    const { maxAttempts = 3, retryDelay = jitteredDelay } = this.#options
    const body = new TextEncoder().encode(JSON.stringify(input))
    try {
      for (let attempt = 0; ; attempt++) {
        signal?.throwIfAborted()
        const outcome = await this.#attempt(action, body, signal)
        if ('answer' in outcome) return outcome.answer
        signal?.throwIfAborted()
        if (!outcome.mayRetry || attempt + 1 >= maxAttempts) throw outcome.error
        await wait(retryDelay(attempt), signal)
      }
    } finally {
      body.fill(0)
    }
  }

  async #attempt(action: string, body: Uint8Array<ArrayBuffer>, signal: AbortSignal | undefined): Promise<Outcome> {
    const { credentials, clock = Date.now, fetch = globalThis.fetch, timeout = 5_000 } = this.#options
    const current = typeof credentials === 'function' ? await credentials() : credentials
    assertCredentials(current)
    const { host, href, hostname } = this.#url
    const { name: service, target, contentType } = this.#service
    const request = { host, region: this.region, service, contentType, target: `${target}.${action}`, body }
    const headers = signedHeaders(request, current, clock())
    const ends = new AbortController()
    const timer = setTimeout(() => ends.abort(new Error(`no answer within ${String(timeout)} milliseconds`)), timeout)
    const abort = (): void => ends.abort(signal?.reason)
    signal?.addEventListener('abort', abort)
    try {
      // A redirection would take the signed request elsewhere; workerd knows no 'error' here.
      const response = await fetch(href, { method: 'POST', headers, body, redirect: 'manual', signal: ends.signal })
      return readAnswer(response, await response.text(), this.#service)
    } catch (cause) {
      const error = new KmsError('KmsUnreachableException', `${hostname} cannot be reached: ${reasonOf(cause)}`, {
        cause,
      })
      return { error, mayRetry: true }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }
}

/** Data keys come back in the clear: only TLS, or this machine, may carry them. */
function endpointUrl({ region, endpoint, insecureHttp }: AwsApiOptions, { name }: AwsService): URL {
  if (endpoint === undefined && /^[a-z]+-iso/.test(region)) throw new RangeError(`give the endpoint of ${region}`)
  const url = new URL(endpoint ?? `https://${name}.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`)
  const isLocal = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && (isLocal || insecureHttp === true))) {
    throw new RangeError('endpoint must be https://, or http:// on this machine (or with insecureHttp)')
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new RangeError('endpoint must be a scheme, a host and a port alone')
  }
  return url
}

function readAnswer({ status }: Response, text: string, service: AwsService): Outcome {
  const json = parseObject(text)
  if (status === 200 && json) return { answer: json }
  const { __type, message, Message } = json ?? {}
  const name = typeof __type === 'string' ? __type.replace(/^.*#/s, '').replace(/:.*$/s, '') : ''
  if (!/^[A-Za-z]{1,64}$/.test(name)) {
    const error = new FormatError(`the answer is not one of ${service.title}: status ${String(status)}`)
    return { error, mayRetry: status >= 500 || status === 429 }
  }
  const judgement = json ? service.judge?.(name, json) : undefined
  if (json && judgement === 'answer') return { answer: json }
  const detail = message ?? Message
  const error = new KmsError(name as KmsExceptionName, typeof detail === 'string' ? detail : '')
  return { error, mayRetry: judgement === 'retry' || status >= 500 || status === 429 || THROTTLING.test(name) }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function wait(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', abort)
      resolve()
    }, milliseconds)
    signal?.addEventListener('abort', abort, { once: true })
  })
}
