import { createHash } from 'node:crypto'

const CHUNK_BYTES = 65_536

/** Chunks that differ, made as they are asked for, and their digest. */
export function generate(mebibytes) {
  const digest = createHash('sha256')
  let left = (mebibytes * 2 ** 20) / CHUNK_BYTES
  const source = new ReadableStream({
    pull(controller) {
      if (left === 0) return controller.close()
      const chunk = new Uint8Array(CHUNK_BYTES)
      new DataView(chunk.buffer).setUint32(0, left--)
      digest.update(chunk)
      controller.enqueue(chunk)
    },
  })
  return { source, digest }
}
