import { assertBytes } from '../bindings/bytes.ts'
import { isThenable, type MaybePromise } from '../bindings/maybe-promise.ts'
import { LimitError, SourceError } from './errors.ts'
import { MAX_MESSAGE_BYTES } from './options.ts'

/**
 * Bytes that can be read at any place: a file, a blob, an object in a store. Whoever has `{ size, read }` has one;
 * `blobSource`, `fileHandleSource` and `httpSource` make them.
 */
export interface RandomAccessSource {
  /** Bytes in all, or the promise of them. It is asked for once for each message that is opened. */
  readonly size: MaybePromise<number>
  /**
   * Answers exactly the `length` bytes from `offset` on, at least one, never beyond `size`. They must not change until
   * the call that reads the message has settled. Rejects when it cannot; it may heed `signal`, but need not.
   */
  read(offset: number, length: number, signal?: AbortSignal): MaybePromise<Uint8Array>
}

/** A source whose answers are held against what was asked. */
export class CheckedSource {
  readonly #source: RandomAccessSource

  /** Throws TypeError for what is neither `{ size, read }` nor a `Uint8Array`. */
  constructor(source: RandomAccessSource | Uint8Array) {
    if (source instanceof Uint8Array) {
      assertBytes(source, 'source')
      const read: RandomAccessSource['read'] = (offset, length) => source.subarray(offset, offset + length)
      this.#source = { size: source.length, read }
      return
    }
    if (typeof (source as Partial<RandomAccessSource> | null | undefined)?.read !== 'function' || !('size' in source)) {
      throw new TypeError(
        'source must be a Uint8Array or have size and read: see blobSource, fileHandleSource, httpSource',
      )
    }
    this.#source = source
  }

  async size(signal: AbortSignal | undefined): Promise<number> {
    const size = await untilAborted(this.#source.size, signal)
    if (!Number.isSafeInteger(size) || size < 0) throw new SourceError('the size of the source is no number of bytes')
    if (size > MAX_MESSAGE_BYTES) throw new LimitError('the source has more than 2^50 bytes, the most of a message')
    return size
  }

  async read(offset: number, length: number, signal: AbortSignal | undefined): Promise<Uint8Array> {
    signal?.throwIfAborted()
    const bytes = await untilAborted(this.#source.read(offset, length, signal), signal)
    assertBytes(bytes, 'what a source answers')
    if (bytes.length === length) return bytes
    throw new SourceError(`the source answered ${bytes.length} bytes where ${length} from ${offset} on were asked for`)
  }
}

/** Waits no longer than until `signal` is aborted, and then rejects with its reason. */
function untilAborted<T>(value: MaybePromise<T>, signal: AbortSignal | undefined): MaybePromise<T> {
  if (!isThenable(value) || signal === undefined) return value
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the caller's own reason
      reject(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    const settle = (): void => {
      signal.removeEventListener('abort', abort)
    }
    value.then(resolve, reject).then(settle, settle)
    if (signal.aborted) abort()
  })
}

/** A `Blob` or `File`, as far as it is needed. */
export interface BlobLike {
  readonly size: number
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

/** The bytes of a `Blob` or `File`, for `openMessage`. Each read is a slice of its own: the blob is not loaded whole. */
export function blobSource(blob: BlobLike): RandomAccessSource {
  return {
    size: blob.size,
    async read(offset, length) {
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
    },
  }
}

/** A file handle of `node:fs/promises`, which Node, Deno and Bun have, as far as it is needed. */
export interface FileHandleLike {
  stat(): Promise<{ readonly size: number }>
  read(buffer: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>
}

/** The bytes of an open file, for `openMessage`. The handle stays the caller's, to close when all is read. */
export function fileHandleSource(handle: FileHandleLike): RandomAccessSource {
  return {
    get size() {
      return handle.stat().then(({ size }) => size)
    },
    async read(offset, length) {
      const bytes = new Uint8Array(length)
      let at = 0
      while (at < length) {
        const { bytesRead } = await handle.read(bytes, at, length - at, offset + at)
        if (bytesRead === 0) break
        at += bytesRead
      }
      return bytes.subarray(0, at)
    },
  }
}
