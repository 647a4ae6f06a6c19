import type { MessageHeader } from '../src/index.ts'
import type { Passage } from './batch.ts'

/** Holds all of the input until it has ended, and then lets `work` make the output of it. */
export function wholeMessage(
  work: (input: Uint8Array) => Promise<{ readonly output: Uint8Array; readonly header: MessageHeader }>,
): Passage {
  const chunks: Uint8Array[] = []
  let header: MessageHeader | undefined
  const stream = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk) {
      chunks.push(chunk)
    },
    async flush(controller) {
      const result = await work(Buffer.concat(chunks))
      header = result.header
      if (result.output.length > 0) controller.enqueue(result.output)
    },
  })
  return {
    stream,
    async header() {
      if (header === undefined) throw new TypeError('the stream has not ended')
      return header
    },
  }
}
