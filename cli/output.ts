import { CommandError } from './failure.ts'
import type { Output } from './output-file.ts'

/** Writes a line, or several, to standard output. */
export async function print(text: string): Promise<void> {
  return write(process.stdout, `${text}\n`)
}

/** Writes a line to standard error, for what must not mix with the data. */
export async function note(text: string): Promise<void> {
  return write(process.stderr, `${text}\n`)
}

/** Refuses early what {@link standardOutput} would refuse after the work: binary data for a terminal. */
export function assertNotForTerminal(): void {
  if (!process.stdout.isTTY) return
  throw new CommandError(
    'usage',
    'the output is binary and standard output is a terminal: use -o FILE, or -o - to insist',
  )
}

/**
 * Standard output as it is written to: what has left cannot be taken back.
 *
 * @param isInsisted whether a terminal gets binary data too
 */
export function standardOutput(isInsisted: boolean): Output {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  return {
    isImmediate: true,
    async write(bytes) {
      if (!isInsisted && process.stdout.isTTY && !isText(decoder, bytes)) assertNotForTerminal()
      return write(process.stdout, bytes)
    },
    commit: async () => undefined,
    abandon: async () => undefined,
  }
}

function isText(decoder: TextDecoder, bytes: Uint8Array): boolean {
  try {
    // Of the control characters a text may hold tab, line feed and carriage return.
    return !/[^\P{Cc}\t\n\r]/u.test(decoder.decode(bytes, { stream: true }))
  } catch {
    return false
  }
}

function write(stream: NodeJS.WriteStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()))
  })
}
