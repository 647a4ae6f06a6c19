import { SourceError } from './errors.ts'
import type { RandomAccessSource } from './source.ts'

/** What is asked for first, and kept: the beginning of a message, with which its size comes along. */
const FIRST_BYTES = 4096

/** An answer of `fetch`, as far as it is needed. */
export interface HttpResponse {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  readonly body: {
    getReader(): {
      read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>
      cancel(): Promise<void>
    }
  } | null
}

/** `fetch`, as far as it is needed. */
export type HttpFetch = (
  url: string,
  init: { readonly headers: Record<string, string>; readonly signal?: AbortSignal | null },
) => Promise<HttpResponse>

export interface HttpSourceOptions {
  /** Default: the runtime's own. */
  readonly fetch?: HttpFetch | undefined
  /** Headers of each request, for example `Authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/**
 * The bytes of a URL, for `openMessage`, by requests for ranges of them (RFC 9110 §14). The server must answer each with
 * 206, exactly the range that was asked for, no content coding, and one and the same strong ETag: an object that is
 * replaced while it is read is noticed. What it answers is otherwise not trusted: all is authenticated as it is decrypted.
 *
 * The first request brings size and beginning; they are kept as long as the source. A page reads from another origin
 * when that allows it the request headers `Range` and `If-Range` and exposes `Content-Range` and `ETag` (CORS).
 *
 * @throws TypeError for options that are none. What it answers is rejected with SourceError for any other answer of the
 *   server, and when there is none
 */
export function httpSource(url: string | URL, options: HttpSourceOptions = {}): RandomAccessSource {
  const { fetch = runtimeFetch, headers = {} } = options
  if (typeof fetch !== 'function') throw new TypeError('fetch must be a function')
  return new HttpSource(String(url), fetch, { ...headers })
}

/** Looked up when it is called, so that a page or a test may put another one there. */
const runtimeFetch: HttpFetch = (url, init) => globalThis.fetch(url, init)

/** What the first answer told. */
interface FirstAnswer {
  readonly etag: string
  readonly size: number
  readonly bytes: Uint8Array
}

class HttpSource implements RandomAccessSource {
  readonly #url: string
  readonly #fetch: HttpFetch
  readonly #headers: Readonly<Record<string, string>>
  #first: Promise<FirstAnswer> | undefined

  constructor(url: string, fetch: HttpFetch, headers: Readonly<Record<string, string>>) {
    this.#url = url
    this.#fetch = fetch
    this.#headers = headers
  }

  get size(): Promise<number> {
    return this.#begin().then(({ size }) => size)
  }

  async read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const first = await this.#begin()
    const end = offset + length
    if (end <= first.bytes.length) return first.bytes.subarray(offset, end)
    return orSourceError(this.#readRange(first, offset, end, signal), signal)
  }

  async #readRange(
    { etag, size }: FirstAnswer,
    offset: number,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const response = await this.#request(offset, end, { 'If-Range': etag }, signal)
    const range = await this.#accept(response, etag)
    if (range.start === offset && range.end === end && range.size === size) return readBody(response, end - offset)
    return refuse(response, `answered another range than ${offset} to ${end - 1} of ${size}`)
  }

  /** The first request, which all that is read shares; after a failure it is made again. */
  #begin(): Promise<FirstAnswer> {
    this.#first ??= orSourceError(this.#readFirst()).catch((error: unknown) => {
      this.#first = undefined
      throw error
    })
    return this.#first
  }

  async #readFirst(): Promise<FirstAnswer> {
    const response = await this.#request(0, FIRST_BYTES, {}, undefined)
    const etag = response.headers.get('ETag') ?? ''
    // A weak one, W/"…", may stay the same while bytes change (RFC 9110 §8.8.1).
    if (response.status === 206 && !/^"[^"]*"$/.test(etag)) return refuse(response, 'has no strong ETag')
    const { start, end, size } = await this.#accept(response, etag)
    if (start !== 0 || end !== Math.min(FIRST_BYTES, size))
      return refuse(response, 'answered another range than the first')
    return { etag, size, bytes: await readBody(response, end) }
  }

  #request(
    start: number,
    end: number,
    more: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    const headers = { ...this.#headers, ...more, 'Accept-Encoding': 'identity', Range: `bytes=${start}-${end - 1}` }
    return this.#fetch(this.#url, { headers, signal: signal ?? null })
  }

  /** Refuses all but an answer to a request for a range, of the bytes as they are; answers that range, `end` exclusive. */
  async #accept(
    response: HttpResponse,
    etag: string,
  ): Promise<{ readonly start: number; readonly end: number; readonly size: number }> {
    const { status, headers } = response
    if (status === 200) return refuse(response, 'answers no ranges, or the object has changed: status 200')
    if (status !== 206) return refuse(response, `answered with status ${status}`)
    if (headers.get('ETag') !== etag) return refuse(response, 'answered of an object that has changed')
    if (!/^(?:identity)?$/i.test(headers.get('Content-Encoding') ?? '')) return refuse(response, 'encoded the content')
    const range = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/i.exec(headers.get('Content-Range') ?? '')
    if (range === null) return refuse(response, 'answered without a whole Content-Range')
    const [start = 0, last = 0, size = 0] = range.slice(1).map(Number)
    return { start, end: last + 1, size }
  }
}

/** What `fetch` or its body rejects with tells little by itself. */
async function orSourceError<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work
  } catch (cause) {
    signal?.throwIfAborted()
    if (cause instanceof SourceError) throw cause
    throw new SourceError('the server of the source did not answer, or not to the end', { cause })
  }
}

async function refuse(response: HttpResponse, why: string): Promise<never> {
  await response.body?.getReader().cancel().catch(ignore)
  throw new SourceError(`the server of the source ${why}`)
}

/** Reads a body of exactly `length` bytes, and of another one no more than that. */
async function readBody(response: HttpResponse, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length)
  const reader = response.body?.getReader()
  let at = 0
  for (;;) {
    const { done = true, value } = (await reader?.read()) ?? {}
    if (done) break
    if (value === undefined) continue
    if (value.length > length - at) {
      await reader?.cancel().catch(ignore)
      throw new SourceError(`the server of the source answered more than the ${length} bytes of the range`)
    }
    bytes.set(value, at)
    at += value.length
  }
  if (at === length) return bytes
  throw new SourceError(`the server of the source answered ${at} bytes of a range of ${length}`)
}

function ignore(): void {
  // The body is given up in any case.
}
