/** Both sides of a transform stream of bytes, by shape. */
export interface BytePair {
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
}

/** What came out of a stream, and what it failed with. */
export interface Poured {
  readonly chunks: readonly Uint8Array[]
  readonly output: Uint8Array
  /** Of the readable side, and of the writable side if it failed before all was written. */
  readonly failures: readonly unknown[]
}

/** Writes the chunks and reads to the end, or until the stream fails. */
export async function pour({ readable, writable }: BytePair, input: Iterable<Uint8Array>): Promise<Poured> {
  const failures: unknown[] = []
  const note = (reason: unknown): void => {
    failures.push(reason)
  }
  const chunks: Uint8Array[] = []
  await Promise.all([readAll(readable, chunks).catch(note), writeAll(writable, input).catch(note)])
  const output = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    output.set(chunk, at)
    at += chunk.length
  }
  return { chunks, output, failures }
}

async function writeAll(writable: WritableStream<Uint8Array>, input: Iterable<Uint8Array>): Promise<void> {
  const writer = writable.getWriter()
  // A stream that fails is told of by each call, and by this promise too.
  writer.closed.catch(() => undefined)
  for (const chunk of input) await writer.write(chunk)
  await writer.close()
}

async function readAll(readable: ReadableStream<Uint8Array>, chunks: Uint8Array[]): Promise<void> {
  const reader = readable.getReader()
  reader.closed.catch(() => undefined)
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    chunks.push(value)
  }
}

/** Copies of the bytes in pieces of these lengths, over and over. */
export function* pieces(bytes: Uint8Array, ...lengths: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const length = lengths[i % lengths.length] ?? 1
    yield bytes.slice(at, at + length)
    at += length
  }
}

/** Copies of the bytes in pieces of 0 to `longest` bytes, the same for the same seed. */
export function* randomPieces(bytes: Uint8Array, seed: number, longest: number): Generator<Uint8Array> {
  let state = seed >>> 0
  for (let at = 0; at < bytes.length;) {
    // A linear congruential generator (Numerical Recipes), of which the high bits are taken.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const length = Math.floor((state / 2 ** 32) * (longest + 1))
    yield bytes.slice(at, at + length)
    at += length
  }
}
