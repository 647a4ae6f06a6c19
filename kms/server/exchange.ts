/** Who sent a request, as the listening socket knows it; never as a header says. */
export interface Peer {
  /** IP address of the other end of the connection. */
  readonly address?: string | undefined
  /** Whether the connection is under TLS. Default false. */
  readonly isSecure?: boolean | undefined
}

/** A request as an adapter received it. */
export interface ReceivedRequest {
  readonly method: string
  /** The path as sent, without the query. */
  readonly path: string
  /** What follows the first `?`, as sent. */
  readonly query: string
  /** Names in lower case; values as sent, those of one name joined by `, `. */
  readonly headers: ReadonlyMap<string, string>
  /** Reads the body, whose bytes are the server's from then on. @throws Refusal if it is longer or slower than allowed */
  readonly body: (limits: BodyLimits) => Promise<Uint8Array>
  readonly peer: Peer
  /** Aborted when nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined
}

export interface BodyLimits {
  readonly maxBytes: number
  /** Milliseconds. */
  readonly timeout: number
  /** Aborted when the body is not waited for any more: reading it must reject with the reason. */
  readonly signal?: AbortSignal | undefined
}

/** What is sent back. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Whether an address is of this machine's loopback interface: 127.0.0.0/8 or ::1. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false
  const plain = address.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:/i, '')
  return plain === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(plain)
}
