import { readFileSync, statSync } from 'node:fs'
import { createSecureContext } from 'node:tls'

/** Paths of a certificate chain and its private key, both PEM. */
export interface TlsFiles {
  readonly certFile: string
  readonly keyFile: string
}

export interface TlsPair {
  readonly cert: string
  readonly key: string
}

/**
 * Reads a certificate and its key, which must belong together.
 *
 * @throws the error of the file system, or of TLS for what is no such pair
 */
export function readTlsPair({ certFile, keyFile }: TlsFiles): TlsPair {
  const pair = { cert: readFileSync(certFile, 'utf8'), key: readFileSync(keyFile, 'utf8') }
  // Throws for a key that is not that of the certificate: one of the two may be replaced before the other.
  createSecureContext(pair)
  return pair
}

/** What changes when one of the files is replaced, by whatever means. */
function stamp({ certFile, keyFile }: TlsFiles): string {
  return [certFile, keyFile]
    .map((file) => statSync(file))
    .map(({ ino, size, mtimeMs }) => [ino, size, mtimeMs].join(':'))
    .join(' ')
}

/**
 * Looks at the files now and then, and hands over a new pair when there is one. What cannot be read, or does not belong
 * together yet, is reported once and tried again when the files change again.
 */
export function watchTlsFiles(
  files: TlsFiles,
  { interval, onPair, onError }: WatchOptions,
): { readonly check: () => void; readonly stop: () => void } {
  let seen = stamp(files)
  const check = (): void => {
    try {
      const now = stamp(files)
      if (now === seen) return
      seen = now
      onPair(readTlsPair(files))
    } catch (error) {
      onError(error)
    }
  }
  const timer = setInterval(check, interval).unref()
  return { check, stop: () => clearInterval(timer) }
}

interface WatchOptions {
  /** Milliseconds. */
  readonly interval: number
  readonly onPair: (pair: TlsPair) => void
  readonly onError: (error: unknown) => void
}
