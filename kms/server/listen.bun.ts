import { listenBy, type Listener, type Listening, type PemPair } from './listener.ts'

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
    readonly tls?: PemPair | undefined
    readonly fetch: (request: Request, server: BunServer) => Promise<Response>
  }): BunServer
}

/** Options of {@link listen}. */
export interface ListenOptions extends Listening {
  /** PEM texts. For a new certificate close, and listen again. */
  readonly tls?: PemPair | undefined
}

/**
 * Listens with `Bun.serve`.
 *
 * @throws RangeError for an address that others can reach without TLS; whatever the certificate or the port fail with
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { Bun } = globalThis as unknown as { readonly Bun: BunServing }
  return listenBy(options, ({ port, hostname, tls, answer }) => {
    const serving = Bun.serve({
      port,
      hostname,
      ...(tls ? { tls } : {}),
      fetch: (request, from) => answer(request, from.requestIP(request)?.address),
    })
    return { port: serving.port, close: () => serving.stop() }
  })
}
