import { hmac } from '../../bindings/hash.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import { toHex } from '../engine/bytes.ts'
import type { Signal, SignalListener, SignalType } from '../engine/index.ts'

/** Options of {@link webhook}. */
export interface WebhookOptions {
  readonly url: string
  /** Signs what is sent: the receiver has it, too. */
  readonly secret: string
  /** Signals that wait at most; past it new ones are dropped. Default 1000. */
  readonly maxWaiting?: number | undefined
  /** Attempts for each signal. Default 8: with pauses that double from a second, about two minutes. */
  readonly attempts?: number | undefined
  /** Default `globalThis.fetch`. */
  readonly fetch?: ((request: Request) => Promise<Response>) | undefined
  /** Waits so many milliseconds. Default by `setTimeout`. */
  readonly sleep?: ((milliseconds: number, signal: AbortSignal) => Promise<void>) | undefined
  /** Milliseconds since 1970. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
  /** Told of signals that were dropped, and of those that nobody took. */
  readonly onError?: ((error: Error) => void) | undefined
}

/** Sends signals to a URL, one after the other. */
export interface Webhook {
  readonly listener: SignalListener
  /** Waits for what is waiting, but not for pauses: then it stops. */
  close(): Promise<void>
}

const FIRST_PAUSE = 1000
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
 * @throws TypeError for a URL that is not http or https, RangeError for an empty secret
 */
export function webhook(options: WebhookOptions): Webhook {
  const { protocol } = new URL(options.url)
  if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError('a webhook has an http or https URL')
  if (options.secret === '') throw new RangeError('the secret of the webhook is empty')
  const sender = new Sender(options)
  return { listener: (signal) => sender.add(signal), close: () => sender.close() }
}

class Sender {
  readonly #options: WebhookOptions
  readonly #secret: Uint8Array
  readonly #ending = new AbortController()
  #waiting: Signal[] = []
  #running: Promise<void> | undefined

  constructor(options: WebhookOptions) {
    this.#options = options
    this.#secret = encodeUtf8(options.secret, 'secret')
  }

  add(signal: Signal): void {
    if (this.#ending.signal.aborted) return
    if (this.#waiting.length >= (this.#options.maxWaiting ?? 1000)) {
      this.#options.onError?.(new Error(`a ${signal.type} signal was dropped: too many wait for the webhook`))
      return
    }
    this.#waiting.push(signal)
    this.#running ??= this.#run()
  }

  async close(): Promise<void> {
    this.#ending.abort()
    await this.#running
    this.#secret.fill(0)
  }

  async #run(): Promise<void> {
    for (let signal = this.#waiting.shift(); signal; signal = this.#waiting.shift()) await this.#deliver(signal)
    this.#running = undefined
  }

  async #deliver(signal: Signal): Promise<void> {
    const { attempts = 8, sleep = pause, onError } = this.#options
    let reason = ''
    for (let attempt = 0; attempt < attempts; attempt++) {
      if (attempt > 0 && this.#ending.signal.aborted) break
      if (attempt > 0) await sleep(FIRST_PAUSE * 2 ** (attempt - 1), this.#ending.signal)
      reason = await this.#post(signal)
      if (reason === '') return
    }
    onError?.(new Error(`a ${signal.type} signal could not be delivered to the webhook: ${reason}`))
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
        signal: AbortSignal.timeout(TIMEOUT),
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
