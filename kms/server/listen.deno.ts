import { listenBy, type Listener, type Listening, type PemPair } from './listener.ts'

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
export interface ListenOptions extends Listening {
  /** PEM texts. Deno has no way to change them while it listens: for a new certificate close, and listen again. */
  readonly tls?: PemPair | undefined
}

/**
 * Listens with `Deno.serve`.
 *
 * @throws RangeError for an address that others can reach without TLS; whatever the certificate or the port fail with
 */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { Deno } = globalThis as unknown as { readonly Deno: DenoServing }
  return listenBy(options, ({ port, hostname, tls, answer }) => {
    const settings = { port, hostname, ...tls, onListen: () => undefined }
    const serving = Deno.serve(settings, (request, { remoteAddr }) => answer(request, remoteAddr.hostname))
    return { port: serving.addr.port, close: () => serving.shutdown() }
  })
}
