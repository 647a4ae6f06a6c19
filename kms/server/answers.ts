import { KmsError } from '../errors.ts'
import type { Answer } from './exchange.ts'
import { Refusal } from './refusal.ts'

/** Status 500, which clients retry. All other exceptions are 400. */
const SERVER_FAULTS = ['KMSInternalException', 'DependencyTimeoutException', 'KeyUnavailableException']

function headers(requestId: string, now: number): Record<string, string> {
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': requestId,
    // Clients whose clock is off learn the time from it.
    date: new Date(now).toUTCString(),
    'cache-control': 'no-cache, no-store, must-revalidate, private',
    pragma: 'no-cache',
    expires: '0',
  }
}

/** `body` is the JSON of the output, or empty. */
export function success(body: string, requestId: string, now: number): Answer {
  return { status: 200, headers: headers(requestId, now), body }
}

/** The exception as AWS clients read it. Of what is neither a refusal nor an exception of the KMS nothing is said. */
export function failure(error: unknown, requestId: string, now: number): Answer {
  const { type, message, status } = describe(error)
  // The framework's errors have a capital there, and no exception has a message that is empty.
  const member = type === 'AccessDeniedException' ? 'Message' : 'message'
  const body = JSON.stringify({ __type: type, ...(message === '' ? {} : { [member]: message }) })
  return { status, headers: headers(requestId, now), body }
}

/** Name of the exception that is answered for an error. */
export function exceptionName(error: unknown): string {
  return describe(error).type
}

function describe(error: unknown): { readonly type: string; readonly message: string; readonly status: number } {
  if (error instanceof Refusal) return error
  // A root key that does not fit is the operator's matter.
  if (!(error instanceof KmsError) || error.name === 'RootKeyException') {
    return { type: 'KMSInternalException', message: 'The request failed because of an internal error.', status: 500 }
  }
  return { type: error.name, message: error.message, status: SERVER_FAULTS.includes(error.name) ? 500 : 400 }
}

/** Plain text, for people and for Prometheus. */
export function text(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }, body }
}
