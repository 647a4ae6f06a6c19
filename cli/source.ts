import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { open, stat, type FileHandle } from 'node:fs/promises'
import { fileError } from './file-error.ts'

/** Bytes of one read: with fewer the calls cost more than the bytes, more would only be memory. */
export const CHUNK_BYTES = 0x40000

/** Pipes that are read by name: a thread of Node may wait in the system for their other end. */
const openPipes = new Set<string>()

/** Wakes the threads that wait for the other end of a pipe: a process that ends would wait for them. */
export function releasePipes(): void {
  for (const path of openPipes) {
    try {
      const file = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      writeSync(file, '\0')
      closeSync(file)
    } catch {
      // Nobody waits there.
    }
  }
  openPipes.clear()
}

/**
 * The bytes of a file, or of standard input where there is no path, as they are asked for: one read is under way while
 * the last one is worked on. `onRead` is told the bytes of each.
 */
export function sourceOf(path: string | undefined, onRead: (bytes: number) => void): ReadableStream<Uint8Array> {
  return path === undefined ? standardInput(onRead) : fileSource(path, onRead)
}

function standardInput(onRead: (bytes: number) => void): ReadableStream<Uint8Array> {
  const chunks = process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next()
      if (next.done === true) {
        controller.close()
      } else {
        onRead(next.value.length)
        controller.enqueue(next.value)
      }
    },
    async cancel() {
      await chunks.return?.()
    },
  })
}

function fileSource(path: string, onRead: (bytes: number) => void): ReadableStream<Uint8Array> {
  let file: FileHandle | undefined
  const close = async (): Promise<void> => {
    const handle = file
    file = undefined
    openPipes.delete(path)
    await handle?.close()
  }
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        file ??= await openSource(path)
        const { bytesRead, buffer } = await file.read(new Uint8Array(CHUNK_BYTES), 0, CHUNK_BYTES, null)
        if (bytesRead > 0) {
          onRead(bytesRead)
          controller.enqueue(buffer.subarray(0, bytesRead))
        } else {
          await close()
          controller.close()
        }
      } catch (error) {
        await close().catch(() => undefined)
        throw fileError('read', path, error)
      }
    },
    cancel: close,
  })
}

async function openSource(path: string): Promise<FileHandle> {
  if ((await stat(path)).isFIFO()) openPipes.add(path)
  return open(path, constants.O_RDONLY)
}
