import { assertReachable, urlOf } from './address.ts'
import type { KmsServer } from './server.ts'

/** A port that is listened on. */
export interface Listener {
  /** With the port that was taken. */
  readonly url: string
  /** Takes no more connections, answers the requests that are in progress, and ends. */
  readonly close: () => Promise<void>
}

/** Options of every `listen`. */
export interface Listening {
  /** From `createKmsServer`. It remains open when the listener closes. */
  readonly server: KmsServer
  /** 0 takes a free one. */
  readonly port: number
  /** Address to listen on. Default 127.0.0.1. One that others can reach needs `tls`, or `insecureHttp`. */
  readonly host?: string | undefined
  /** Allows plain HTTP to others, where the network itself is protected. */
  readonly insecureHttp?: boolean | undefined
}

/** Certificate chain and private key. */
export interface PemPair {
  readonly cert: string
  readonly key: string
}

/** What a runtime that has a `fetch` server of its own is asked for. */
export interface Serving {
  readonly port: number
  readonly hostname: string
  readonly tls: PemPair | undefined
  /** @param address IP address of the other end */
  readonly answer: (request: Request, address: string | undefined) => Promise<Response>
}

/**
 * Listens by a runtime's own server.
 *
 * @throws RangeError for an address that others can reach without TLS
 */
export function listenBy(
  { server, port, host = '127.0.0.1', tls, insecureHttp }: Listening & { readonly tls?: PemPair | undefined },
  serve: (serving: Serving) => { readonly port: number; readonly close: () => Promise<void> },
): Listener {
  const isSecure = tls !== undefined
  assertReachable(host, { isSecure, insecureHttp })
  const answer: Serving['answer'] = (request, address) => server.fetch(request, { address, isSecure })
  const open = serve({ port, hostname: host, tls, answer })
  return { url: urlOf(host, open.port, isSecure), close: open.close }
}
