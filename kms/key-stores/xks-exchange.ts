import { KeyStoreError, type StoreFault } from './key-store.ts'

/** How requests reach a proxy. */
export interface Exchange {
  readonly fetch: typeof globalThis.fetch
  /** Milliseconds until a request is given up. */
  readonly timeout: number
}

/** More than the longest answer: 4300 bytes in base64, and what is around them. */
const MAX_ANSWER_BYTES = 0x10000

/** "Error codes": what the proxy calls an error, and what it means here. */
const FAULTS: Readonly<Record<string, StoreFault>> = {
  ValidationException: 'invalidResponse',
  InvalidStateException: 'keyDisabled',
  InvalidCiphertextException: 'invalidCiphertext',
  InvalidKeyUsageException: 'keyUsage',
  AuthenticationFailedException: 'authenticationFailed',
  AccessDeniedException: 'accessDenied',
  KeyNotFoundException: 'keyNotFound',
  InvalidUriPathException: 'uriPath',
  ThrottlingException: 'throttled',
  UnsupportedOperationException: 'unsupported',
  DependencyTimeoutException: 'dependencyTimeout',
  InternalException: 'internal',
}

/**
 * Sends one request and reads its answer. Nothing is sent twice, and no redirection is followed: it would take a signed
 * request elsewhere.
 *
 * @throws KeyStoreError
 */
export async function exchange(
  url: string,
  headers: Record<string, string>,
  body: Uint8Array<ArrayBuffer>,
  { fetch, timeout }: Exchange,
): Promise<Record<string, unknown>> {
  const ends = new AbortController()
  const timer = setTimeout(() => ends.abort(new KeyStoreError('timeout')), timeout)
  try {
    const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal: ends.signal })
    const answer = parse(await readBounded(response))
    if (response.status === 200 && answer) return answer
    throw new KeyStoreError(faultOf(answer?.errorName))
  } catch (cause) {
    if (cause instanceof KeyStoreError) throw cause
    if (ends.signal.aborted) throw new KeyStoreError('timeout', { cause })
    throw new KeyStoreError(isTlsFailure(cause) ? 'tls' : 'unreachable', { cause })
  } finally {
    clearTimeout(timer)
  }
}

function faultOf(name: unknown): StoreFault {
  return (typeof name === 'string' && Object.hasOwn(FAULTS, name) ? FAULTS[name] : undefined) ?? 'invalidResponse'
}

async function readBounded({ body }: Response): Promise<string> {
  if (!body) return ''
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return text + decoder.decode()
    length += value.length
    if (length > MAX_ANSWER_BYTES) {
      await reader.cancel()
      throw new KeyStoreError('invalidResponse')
    }
    text += decoder.decode(value, { stream: true })
  }
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** Runtimes say it in a code of the error, or of its cause. */
function isTlsFailure(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 4; at = at.cause, depth++) {
    const { code } = at as { code?: unknown }
    if (typeof code === 'string' && /TLS|SSL|CERT|UNABLE_TO_VERIFY|SELF_SIGNED/.test(code)) return true
  }
  return false
}
