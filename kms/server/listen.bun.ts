import { assertReachable, urlOf } from './address.ts'
import type { Listener } from './listener.ts'
import type { KmsServer } from './server.ts'

interface BunServer {
  readonly port: number
  stop(): Promise<void>
  requestIP(request: Request): { readonly address: string } | null
}

/** What is used of Bun: its types are not those of the other runtimes. */
interface BunServing {
  serve(options: {
    readonly port: number
    readonly hostname: string
    readonly tls?: { readonly cert: string; readonly key: string } | undefined
    readonly fetch: (request: Request, server: BunServer) => Promise<Response>
  }): BunServer
}

/** Options of {@link listen}. */
export interface ListenOptions {
  /** From `createKmsServer`. It remains open when the listener closes. */
  readonly server: KmsServer
  /** 0 takes a free one. */
  readonly port: number
  /** Address to listen on. Default 127.0.0.1. One that others can reach needs `tls`, or `insecureHttp`. */
  readonly host?: string | undefined
  /** PEM texts. For a new certificate close, and listen again. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /** Allows plain HTTP to others, where the network itself is protected. */
  readonly insecureHttp?: boolean | undefined
}

/**
 * Listens with `Bun.serve`.
 *
 * @throws RangeError for an address that others can reach without TLS; whatever the certificate or the port fail with
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { server, port, host = '127.0.0.1', tls, insecureHttp } = options
  const isSecure = tls !== undefined
  assertReachable(host, { isSecure, insecureHttp })
  const { Bun } = globalThis as unknown as { readonly Bun: BunServing }
  const serving = Bun.serve({
    port,
    hostname: host,
    ...(tls ? { tls } : {}),
    fetch: (request, from) => server.fetch(request, { address: from.requestIP(request)?.address, isSecure }),
  })
  return { url: urlOf(host, serving.port, isSecure), close: () => serving.stop() }
}
