import type { BodyLimits } from './exchange.ts'
import { Refusal } from './refusal.ts'

/** The refusal of a body that is longer than allowed. */
export function tooLarge({ maxBytes }: BodyLimits): Refusal {
  return new Refusal('RequestEntityTooLargeException', `The body must be at most ${String(maxBytes)} bytes.`, 413)
}

/** The refusal of a body that does not come. */
export function tooSlow({ timeout }: BodyLimits): Refusal {
  return new Refusal('RequestTimeoutException', `The body must arrive within ${String(timeout)} milliseconds.`, 408)
}

/** Refuses a body whose declared length is too long before a byte of it is read. */
export function assertDeclaredLength(contentLength: string | null | undefined, limits: BodyLimits): void {
  if (Number(contentLength ?? 0) > limits.maxBytes) throw tooLarge(limits)
}

/** Tells when a body is not waited for any more, and why. */
export function onAbort(signal: AbortSignal | undefined, tell: (reason: Error) => void): void {
  signal?.addEventListener('abort', () => tell(signal.reason as Error), { once: true })
}

/** Reads the body of a request. What is too long, too slow or not waited for is cancelled, so that no memory is kept for it. */
export async function readBody(request: Request, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  // Firefox shows no stream.
  if (!(request.body as ReadableStream<Uint8Array> | null | undefined)) return readWhole(request, limits)
  const reader = request.body!.getReader()
  let timer: ReturnType<typeof setTimeout> | undefined
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(tooSlow(limits)), limits.timeout)
    onAbort(limits.signal, reject)
  })
  try {
    return await Promise.race([readAll(reader, limits), end])
  } catch (error) {
    void reader.cancel(error).catch(() => undefined)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

async function readWhole(request: Request, limits: BodyLimits): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(await request.arrayBuffer())
  if (bytes.length > limits.maxBytes) throw tooLarge(limits)
  return bytes
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limits: BodyLimits,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return joinChunks(chunks, length)
    length += value.length
    if (length > limits.maxBytes) throw tooLarge(limits)
    chunks.push(value)
  }
}

/** Joins the parts of a body, which may hold secrets: what they were in is wiped. */
export function joinChunks(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
    chunk.fill(0)
  }
  return bytes
}
