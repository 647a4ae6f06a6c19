import { open } from 'node:fs/promises'
import { CommandError } from './failure.ts'
import { fileError } from './file-error.ts'

/**
 * Reads a file, pipe or device that is short by its nature, such as a key.
 *
 * @throws CommandError if it cannot be read, or goes on beyond `maxBytes`
 */
export async function readSmallFile(path: string, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    const file = await open(path, 'r')
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, null)
        if (bytesRead === 0) return Buffer.concat(chunks)
        chunks.push(buffer.subarray(0, bytesRead))
        length += bytesRead
        if (length > maxBytes)
          throw new CommandError('other', `cannot read ${path}: it has more than ${maxBytes} bytes`)
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw error instanceof CommandError ? error : fileError('read', path, error)
  } finally {
    for (const chunk of chunks) chunk.fill(0)
  }
}

const CHUNK_BYTES = 0x4000
