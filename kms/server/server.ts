import { sha256, timingSafeEqual } from '../../bindings/hash.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import type { Engine } from '../engine/index.ts'
import { exceptionName, failure, success, text } from './answers.ts'
import { readClaim, unknownCredential, verifySignature } from './authenticate.ts'
import { Bodies } from './bodies.ts'
import { assertDeclaredLength, readBody } from './body.ts'
import type { Caller, Credential, CredentialSource } from './credentials.ts'
import { isLoopback, type Answer, type BodyLimits, type Peer, type ReceivedRequest } from './exchange.ts'
import { inputShape, readInput, wipeInput, writeOutput } from './json.ts'
import { Metrics } from './metrics.ts'
import { Refusal, throttled } from './refusal.ts'
import { SigningKeys } from './signing-keys.ts'

/** Options of {@link createKmsServer}. */
export interface KmsServerOptions {
  /** Remains its owner's: closing the server does not close it. */
  readonly engine: Engine
  /** Who may call. */
  readonly credentials: CredentialSource
  /** The Regions that are served, told apart by the scope of the signature. Default: those of the engine. */
  readonly regions?: readonly string[] | undefined
  /** Milliseconds since 1970, against which signatures are dated. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Longest body in bytes. Default 1 MiB: more than the longest valid request in its longest spelling. */
  readonly maxBodyBytes?: number | undefined
  /** Longest headers in bytes, names and values. Default 16 KiB. */
  readonly maxHeaderBytes?: number | undefined
  /** Milliseconds in which a body must arrive. Default 10,000. */
  readonly bodyTimeout?: number | undefined
  /**
   * Requests that may wait for their answers; one more is throttled. Those whose body has not come yet count apart: there
   * may be as many, and one more ends another of them. Default 1024.
   */
  readonly maxRequests?: number | undefined
  /** Lets who sends it as a bearer token read `/metrics`. Without it only the loopback interface may. */
  readonly metricsToken?: string | undefined
  /** Told of failures that are not the caller's; answers say no more than that there was one. */
  readonly onError?: ((error: unknown, requestId: string) => void) | undefined
}

/** A KMS behind the protocol of AWS KMS. */
export interface KmsServer {
  /**
   * Answers a request: the actions of AWS KMS as signed `POST /` in AWS JSON 1.1, `GET /healthz` and `GET /metrics`.
   * It never rejects.
   *
   * `peer` is who sent it, as the socket says; no header is believed about that. Without it the sender counts as
   * somebody from elsewhere without TLS.
   */
  readonly fetch: (request: Request, peer?: Peer) => Promise<Response>
  /** As `fetch`, for adapters that have no `Request`. */
  readonly answer: (request: ReceivedRequest) => Promise<Answer>
  /** Wipes the signing keys. */
  readonly close: () => void
}

/**
 * Serves an engine to AWS clients, over whatever takes a `fetch` handler; `waxseal/kms/server/node`, `/deno` and `/bun`
 * listen on a port.
 *
 * Requests are authenticated by Signature Version 4: POST to /, with host, x-amz-date, x-amz-target and every other
 * x-amz- header signed, at most five minutes from the server's clock. Within that time a captured request can be
 * sent again as it is; it cannot be changed. Who is not authenticated gets the error that AWS answers, and nothing else.
 *
 * @throws RangeError for limits that are no positive integers, and for Regions that the engine does not have
 */
export function createKmsServer(options: KmsServerOptions): KmsServer {
  const server = new Server(options)
  return {
    fetch: async (request, peer = {}) => {
      const { status, headers, body } = await server.answer(fromRequest(request, peer))
      return new Response(body, { status, headers })
    },
    answer: (request) => server.answer(request),
    close: () => server.close(),
  }
}

function fromRequest(request: Request, peer: Peer): ReceivedRequest {
  const { host, pathname, search } = new URL(request.url)
  const headers = new Map(request.headers)
  // A request that was made in this process has no Host header: its URL is what was signed.
  if (!headers.has('host')) headers.set('host', host)
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    headers,
    body: (limits) => readBody(request, limits),
    peer,
    signal: request.signal,
  }
}

function positive(value: number | undefined, name: string, standard: number): number {
  const number = value ?? standard
  if (!Number.isSafeInteger(number) || number < 1) throw new RangeError(`${name} must be a positive integer`)
  return number
}

/** Who sent a request, as its signature says. */
interface Sender {
  readonly caller: Caller
  readonly accessKeyId: string
  readonly region: string
}

interface Sent extends Sender {
  readonly request: ReceivedRequest
  readonly requestId: string
}

class Server {
  readonly #options: KmsServerOptions
  readonly #regions: ReadonlySet<string>
  readonly #clock: () => number
  readonly #limits: BodyLimits
  readonly #maxHeaderBytes: number
  readonly #maxRequests: number
  readonly #bodies: Bodies
  readonly #metricsToken: Uint8Array | undefined
  readonly #keys = new SigningKeys()
  readonly #metrics = new Metrics()
  readonly #unsubscribe: () => void

  constructor(options: KmsServerOptions) {
    const { engine, regions = engine.regions, clock = Date.now, metricsToken } = options
    if (regions.length === 0 || regions.some((region) => !engine.regions.includes(region))) {
      throw new RangeError(`the Regions of this engine are ${engine.regions.join(', ')}`)
    }
    if (metricsToken === '') throw new RangeError('metricsToken must not be empty')
    this.#options = { ...options }
    this.#unsubscribe = engine.subscribe(({ type }) => this.#metrics.signal(type))
    this.#regions = new Set(regions)
    this.#clock = clock
    this.#limits = {
      maxBytes: positive(options.maxBodyBytes, 'maxBodyBytes', 0x10_0000),
      timeout: positive(options.bodyTimeout, 'bodyTimeout', 10_000),
    }
    this.#maxHeaderBytes = positive(options.maxHeaderBytes, 'maxHeaderBytes', 0x4000)
    this.#maxRequests = positive(options.maxRequests, 'maxRequests', 1024)
    this.#bodies = new Bodies(this.#limits, this.#maxRequests)
    this.#metricsToken = metricsToken === undefined ? undefined : sha256(encodeUtf8(metricsToken, 'metricsToken'))
  }

  close(): void {
    this.#unsubscribe()
    this.#keys.clear()
  }

  async answer(request: ReceivedRequest): Promise<Answer> {
    const requestId = globalThis.crypto.randomUUID()
    this.#metrics.inProgress += 1
    try {
      this.#assertHeaderLength(request)
      if (request.method === 'GET') return this.#page(request)
      return success(await this.#act(request, requestId), requestId, this.#clock())
    } catch (error) {
      return this.#fail(error, request, requestId)
    } finally {
      this.#metrics.inProgress -= 1
    }
  }

  #assertHeaderLength({ headers }: ReceivedRequest): void {
    let length = 0
    for (const [name, value] of headers) length += name.length + value.length
    if (length > this.#maxHeaderBytes) {
      throw new Refusal('RequestHeadersTooLargeException', 'The headers are longer than allowed.', 431)
    }
  }

  #page({ path, query, headers, peer }: ReceivedRequest): Answer {
    if (query === '' && path === '/healthz') return text(200, 'ok\n')
    if (query !== '' || path !== '/metrics')
      throw new Refusal('UnknownOperationException', 'There is nothing here.', 404)
    const [, token] = /^Bearer (.+)$/.exec(headers.get('authorization') ?? '') ?? []
    const expected = this.#metricsToken
    const hasToken = token !== undefined && expected && timingSafeEqual(sha256(encodeUtf8(token, 'token')), expected)
    if (!hasToken && !isLoopback(peer.address)) {
      throw new Refusal('AccessDeniedException', 'Metrics are for the loopback interface, or for a bearer token.', 403)
    }
    return text(200, this.#metrics.text())
  }

  /** One action, from the request's headers to the JSON of its output. */
  async #act(request: ReceivedRequest, requestId: string): Promise<string> {
    const { body, ...sender } = await this.#authenticate(request)
    const started = performance.now()
    let action = 'Unknown'
    let outcome = 'ok'
    try {
      const [, target = ''] = /^TrentService\.([A-Za-z]{1,64})$/.exec(request.headers.get('x-amz-target') ?? '') ?? []
      const shape = inputShape(target)
      if (!shape) throw new Refusal('UnknownOperationException', 'This KMS has no such action.')
      action = target
      const input = readInput(shape, body)
      try {
        return writeOutput(await this.#call(action, input, { ...sender, request, requestId }))
      } finally {
        wipeInput(input)
      }
    } catch (error) {
      outcome = exceptionName(error)
      throw error
    } finally {
      body.fill(0)
      this.#metrics.count(action, outcome, (performance.now() - started) / 1000)
    }
  }

  #call(action: string, input: object, { request, requestId, ...sender }: Sent): Promise<unknown> {
    // Names and shapes come from outside: the engine checks them.
    const engine: { call(action: string, input: object, options: object): Promise<unknown> } = this.#options.engine
    return engine.call(action, input, {
      ...sender,
      requestId,
      signal: request.signal,
      sourceIp: request.peer.address,
      isSecure: request.peer.isSecure ?? false,
      userAgent: request.headers.get('user-agent'),
    })
  }

  /**
   * The cheapest checks come first, and the body is read only for an access key that exists. It is looked up once more
   * when the body is here: who holds that back must not hold on to a key that was deleted.
   */
  async #authenticate(request: ReceivedRequest): Promise<Sender & { readonly body: Uint8Array }> {
    if (this.#metrics.inProgress - this.#bodies.size > this.#maxRequests) throw throttled()
    const claim = readClaim(request, this.#clock(), this.#regions)
    const { accessKeyId, region } = claim
    const known = await this.#credential(accessKeyId)
    known.release?.()
    assertDeclaredLength(request.headers.get('content-length'), this.#limits)
    const body = await this.#bodies.read(request)
    try {
      const { principal, secretAccessKey, release } = await this.#credential(accessKeyId)
      try {
        verifySignature(request, body, claim, secretAccessKey, this.#keys)
        return { caller: principal, accessKeyId, region, body }
      } finally {
        release?.()
      }
    } catch (error) {
      body.fill(0)
      throw error
    }
  }

  /** @throws Refusal for an access key that nobody has */
  async #credential(accessKeyId: string): Promise<Credential> {
    const credential = await this.#options.credentials(accessKeyId)
    if (!credential) throw unknownCredential()
    return credential
  }

  #fail(error: unknown, request: ReceivedRequest, requestId: string): Answer {
    const answer = failure(error, requestId, this.#clock())
    if (error instanceof Refusal) this.#metrics.refuse(error.type)
    else if (answer.status === 500 && !request.signal?.aborted) this.#options.onError?.(error, requestId)
    return answer
  }
}
