import { assertReachable, urlOf } from './address.ts'
import type { Listener } from './listener.ts'
import type { KmsServer } from './server.ts'

/** What is used of Deno: its types are not those of the other runtimes. */
interface DenoServing {
  serve(
    options: {
      readonly port: number
      readonly hostname: string
      readonly cert?: string | undefined
      readonly key?: string | undefined
      readonly onListen: () => void
    },
    handler: (request: Request, info: { readonly remoteAddr: { readonly hostname?: string } }) => Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> }
}

/** Options of {@link listen}. */
export interface ListenOptions {
  /** From `createKmsServer`. It remains open when the listener closes. */
  readonly server: KmsServer
  /** 0 takes a free one. */
  readonly port: number
  /** Address to listen on. Default 127.0.0.1. One that others can reach needs `tls`, or `insecureHttp`. */
  readonly host?: string | undefined
  /** PEM texts. Deno has no way to change them while it listens: for a new certificate close, and listen again. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Allows plain HTTP to others, where the network itself is protected. */
  readonly insecureHttp?: boolean | undefined
}

/**
 * Listens with `Deno.serve`.
 *
 * @throws RangeError for an address that others can reach without TLS; whatever the certificate or the port fail with
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { server, port, host = '127.0.0.1', tls, insecureHttp } = options
  const isSecure = tls !== undefined
  assertReachable(host, { isSecure, insecureHttp })
  const { Deno } = globalThis as unknown as { readonly Deno: DenoServing }
  const serving = Deno.serve({ port, hostname: host, ...tls, onListen: () => undefined }, (request, { remoteAddr }) =>
    server.fetch(request, { address: remoteAddr.hostname, isSecure }),
  )
  return { url: urlOf(host, serving.addr.port, isSecure), close: () => serving.shutdown() }
}
