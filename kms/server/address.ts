import { isLoopback } from './exchange.ts'

/**
 * Refuses an address that others can reach, unless the connection is under TLS: answers carry data keys in the clear.
 *
 * @throws RangeError
 */
export function assertReachable(
  host: string,
  { isSecure, insecureHttp }: { readonly isSecure: boolean; readonly insecureHttp: boolean | undefined },
): void {
  if (isSecure || insecureHttp === true || host === 'localhost' || isLoopback(host)) return
  throw new RangeError(
    `${host} is not a loopback address: give a TLS certificate, since answers carry data keys in the clear ` +
      '(or set insecureHttp where the network itself is protected)',
  )
}

/** The URL of a listening server. */
export function urlOf(host: string, port: number, isSecure: boolean): string {
  return `${isSecure ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${String(port)}`
}
