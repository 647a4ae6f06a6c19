import { hmac } from '../../bindings/hash.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import { toHex } from '../engine/bytes.ts'
import type { Signal, SignalListener, SignalType } from '../engine/index.ts'

/** Options of {@link webhook}. */
export interface WebhookOptions {
  /** Where to post to: http or https, without user name and password. It is not followed to elsewhere. */
  readonly url: string
  /** Signs what is sent: the receiver has it, too. */
  readonly secret: string
  /** Signals that wait at most, one or more; past it new ones are dropped. Default 1000. */
  readonly maxWaiting?: number | undefined
  /** Attempts for each signal, one or more. Default 8: with pauses that double from a second, about two minutes. */
  readonly attempts?: number | undefined
  /** Default `globalThis.fetch`. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** Waits so many milliseconds. Default by `setTimeout`. */
  readonly sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Told of signals that were dropped, and of those that nobody took. What it throws is ignored. */
  readonly onError?: ((error: Error) => void) | undefined
}

/** Sends signals to a URL, one after the other. */
export interface Webhook {
  readonly listener: SignalListener
  /**
   * Sends what is waiting, without pauses, and stops: at the latest after so many milliseconds (default 10,000), when it
   * drops the rest.
   */
  close(timeout?: number): Promise<void>
}

const FIRST_PAUSE = 1000
const LONGEST_PAUSE = 3_600_000
const TIMEOUT = 10_000

const DETAIL_TYPES: Readonly<Record<SignalType, readonly [source: string, type: string]>> = {
  rotation: ['aws.kms', 'KMS CMK Rotation'],
  'material-expiring': ['waxseal.kms', 'KMS Imported Key Material Expires Soon'],
  'material-expired': ['aws.kms', 'KMS Imported Key Material Expiration'],
  'key-deleted': ['aws.kms', 'KMS CMK Deletion'],
  'pending-deletion-use': ['waxseal.kms', 'KMS CMK Use While Pending Deletion'],
}

/**
 * Posts each signal to a URL as JSON in the shape of Amazon EventBridge, with the header `x-waxseal-signature: t=…,v1=…`:
 * seconds since 1970, and in hexadecimal the HMAC-SHA-256 under the secret over those digits, a full stop and the body.
 * What is not answered with a 2xx is tried again, with pauses that double; no call waits for any of it.
 *
 * @throws TypeError for a URL that is not http or https, or has a user name or password; RangeError for an empty secret,
 *   and for numbers that are no positive integers
 */
export function webhook(options: WebhookOptions): Webhook {
  const { maxWaiting = 1000, attempts = 8 } = options
  const { protocol, username, password } = new URL(options.url)
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError('a webhook has an http or https URL')
  // No request may have them.
  if (username !== '' || password !== '') throw new TypeError('the URL of a webhook has no user name and password')
  if (options.secret === '') throw new RangeError('the secret of the webhook is empty')
  for (const [name, value] of Object.entries({ maxWaiting, attempts })) {
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} must be a positive integer`)
  }
  const sender = new Sender({ ...options, maxWaiting, attempts })
  return { listener: (signal) => sender.add(signal), close: (timeout) => sender.close(timeout) }
}

class Sender {
  readonly #options: WebhookOptions & { readonly maxWaiting: number; readonly attempts: number }
  readonly #secret: Uint8Array
  /** Ends pauses. */
  readonly #ending = new AbortController()
  /** Ends everything. */
  readonly #end = new AbortController()
  #waiting: Signal[] = []
  #running: Promise<void> | undefined

  constructor(options: WebhookOptions & { readonly maxWaiting: number; readonly attempts: number }) {
    this.#options = options
    this.#secret = encodeUtf8(options.secret, 'secret')
  }

  add(signal: Signal): void {
    if (this.#ending.signal.aborted) return
    if (this.#waiting.length >= this.#options.maxWaiting) {
      this.#tell(`a ${signal.type} signal was dropped: too many wait for the webhook`)
      return
    }
    this.#waiting.push(signal)
    this.#running ??= this.#run()
  }

  async close(timeout = TIMEOUT): Promise<void> {
    this.#ending.abort()
    const timer = setTimeout(() => this.#end.abort(), timeout)
    await this.#running
    clearTimeout(timer)
    this.#secret.fill(0)
  }

  async #run(): Promise<void> {
    for (let signal = this.#waiting.shift(); signal; signal = this.#waiting.shift()) {
      if (this.#end.signal.aborted) this.#tell(`a ${signal.type} signal was dropped: the webhook was closed`)
      else await this.#deliver(signal)
    }
    this.#running = undefined
  }

  async #deliver(signal: Signal): Promise<void> {
    const { attempts, sleep = pause } = this.#options
    let reason = ''
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0 && this.#ending.signal.aborted) break
      const length = Math.min(FIRST_PAUSE * 2 ** (attempt - 1), LONGEST_PAUSE)
      // Some reject when they are cut short.
      if (attempt > 0) await sleep(length, this.#ending.signal).catch(() => undefined)
      reason = await this.#post(signal)
      if (reason === '') return
    }
    this.#tell(`a ${signal.type} signal could not be delivered to the webhook: ${reason}`)
  }

  #tell(message: string): void {
    try {
      this.#options.onError?.(new Error(message))
    } catch {
      // The other signals have to be sent all the same.
    }
  }

  /** Answers why it failed; empty if it did not. */
  async #post(signal: Signal): Promise<string> {
    const { url, clock = Date.now, fetch = globalThis.fetch } = this.#options
    const body = JSON.stringify(eventOf(signal))
    const time = String(Math.floor(clock() / 1000))
    const mac = toHex(hmac('sha256', this.#secret, encodeUtf8(`${time}.${body}`, 'body')))
    const headers = { 'content-type': 'application/json', 'x-waxseal-signature': `t=${time},v1=${mac}` }
    try {
      const request = {
        method: 'POST',
        headers,
        body,
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT), this.#end.signal]),
      } as const
      const response = await fetch(new Request(url, request))
      await response.body?.cancel()
      return response.ok ? '' : `status ${String(response.status)}`
    } catch (error) {
      return error instanceof Error ? error.name : 'failed'
    }
  }
}

function eventOf({ type, id, time, account, region, keyArn, action, caller }: Signal): object {
  const [source, detailType] = DETAIL_TYPES[type]
  const use = action === undefined ? {} : { 'event-name': action, 'user-arn': caller }
  const detail = { 'key-id': keyArn.slice(keyArn.indexOf('/') + 1), ...use }
  return { version: '0', id, 'detail-type': detailType, source, account, time, region, resources: [keyArn], detail }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, milliseconds)
    signal.addEventListener('abort', end)
  })
}
