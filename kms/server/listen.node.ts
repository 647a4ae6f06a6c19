import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { assertReachable, urlOf } from './address.ts'
import { joinChunks, onAbort, tooLarge, tooSlow } from './body.ts'
import type { BodyLimits, ReceivedRequest } from './exchange.ts'
import type { Listener, Listening } from './listener.ts'
import type { KmsServer } from './server.ts'
import { readTlsPair, watchTlsFiles, type TlsFiles, type TlsPair } from './tls-files.node.ts'

/** Options of {@link listen}. */
export interface ListenOptions extends Listening {
  /** PEM files, TLS 1.2 or later; read again when they change. */
  readonly tls?: TlsFiles | undefined
  /** Milliseconds between looks at the TLS files. Default 10,000. */
  readonly tlsInterval?: number | undefined
  /** Milliseconds that requests in progress have when the listener closes. Default 10,000. */
  readonly shutdownTimeout?: number | undefined
  /** Told when a new certificate cannot be used; the old one remains. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** A port that is listened on. `close` cuts off what is left after `shutdownTimeout`. */
export interface NodeListener extends Listener {
  /** Looks at the TLS files now. */
  readonly checkTls: () => void
}

/** Milliseconds. A connection that sends nothing must not be kept for it. */
const HEADERS_TIMEOUT = 10_000
/** Milliseconds in which a whole request must arrive. */
const REQUEST_TIMEOUT = 30_000
/** Milliseconds, longer than those of the clients that keep connections. */
const KEEP_ALIVE_TIMEOUT = 65_000
/** Bytes; more is cut off before the handler counts. */
const MAX_HEADER_BYTES = 0x8000

/**
 * Listens with node:http or node:https.
 *
 * @throws RangeError for an address that others can reach without TLS; whatever the TLS files or the port fail with
 */
export async function listen(options: ListenOptions): Promise<NodeListener> {
  const { server, port, host = '127.0.0.1', tls, insecureHttp, onError = () => undefined } = options
  assertReachable(host, { isSecure: tls !== undefined, insecureHttp })
  const { open, renew } = openServer(tls)
  let isClosing = false
  open.on('request', (request, response) => void answer(server, request, response, () => isClosing))
  await new Promise<void>((resolve, reject) => {
    open.once('error', reject).listen(port, host, () => {
      open.off('error', reject).on('error', onError)
      resolve()
    })
  })
  const watch = tls && watchTlsFiles(tls, { interval: options.tlsInterval ?? 10_000, onPair: renew, onError })
  return {
    url: urlOf(host, (open.address() as AddressInfo).port, tls !== undefined),
    checkTls: () => watch?.check(),
    close: () => {
      isClosing = true
      watch?.stop()
      return closeServer(open, options.shutdownTimeout ?? 10_000)
    },
  }
}

function openServer(tls: TlsFiles | undefined): { readonly open: Server; readonly renew: (pair: TlsPair) => void } {
  const options = {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: HEADERS_TIMEOUT,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
  }
  if (!tls) return { open: createServer(options), renew: () => undefined }
  const minVersion = 'TLSv1.2'
  const open = createSecureServer({ ...options, ...readTlsPair(tls), minVersion })
  return { open, renew: (pair) => open.setSecureContext({ ...pair, minVersion }) }
}

function closeServer(open: Server, timeout: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => open.closeAllConnections(), timeout).unref()
    open.close((error) => {
      clearTimeout(timer)
      if (error) reject(error)
      else resolve()
    })
    open.closeIdleConnections()
  })
}

async function answer(
  server: KmsServer,
  request: IncomingMessage,
  response: ServerResponse,
  isClosing: () => boolean,
): Promise<void> {
  const gone = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  const { status, headers, body } = await server.answer(received(request, gone.signal))
  // What was not read of a request must not be taken for the next one.
  const isLast = isClosing() || !request.complete
  const length = { 'content-length': String(Buffer.byteLength(body)) }
  response.writeHead(status, { ...headers, ...length, ...(isLast ? { connection: 'close' } : {}) }).end(body)
}

function received(request: IncomingMessage, signal: AbortSignal): ReceivedRequest {
  const target = request.url ?? ''
  const end = target.indexOf('?')
  const { remoteAddress } = request.socket
  return {
    method: request.method ?? '',
    path: end < 0 ? target : target.slice(0, end),
    query: end < 0 ? '' : target.slice(end + 1),
    headers: headersOf(request.rawHeaders),
    body: (limits) => readBody(request, limits),
    peer: { address: remoteAddress, isSecure: (request.socket as Partial<TLSSocket>).encrypted === true },
    signal,
  }
}

/** All headers as they were sent: `request.headers` keeps the first of some that come twice. */
function headersOf(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const known = headers.get(name)
    headers.set(name, known === undefined ? raw[i + 1]! : `${known}, ${raw[i + 1]!}`)
  }
  return headers
}

function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = []
    let length = 0
    const fail = (error: Error): void => {
      clearTimeout(timer)
      request.removeAllListeners('data').pause()
      reject(error)
    }
    const timer = setTimeout(() => fail(tooSlow(limits)), limits.timeout)
    request.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length > limits.maxBytes) fail(tooLarge(limits))
      else chunks.push(chunk)
    })
    request.once('end', () => {
      clearTimeout(timer)
      resolve(joinChunks(chunks, length))
    })
    onAbort(limits.signal, fail)
    request.once('error', fail)
    request.once('close', () => fail(new Error('the connection was closed')))
  })
}
