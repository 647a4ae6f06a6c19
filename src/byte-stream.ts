import { assertBytes } from '../bindings/bytes.ts'
import type { MaybePromise } from '../bindings/maybe-promise.ts'

/** Hands bytes to whoever reads the stream, as soon as they are wanted. It throws once the stream has failed. */
export type Emit = (bytes: Uint8Array<ArrayBuffer>) => MaybePromise<void>

/** Why a stream failed: anything at all may be the reason of an abort. */
export interface StreamFailure {
  readonly reason: unknown
}

/** Refuses a chunk that was transferred away, or shrunk, while it was worked on: no byte goes missing unseen. */
export function assertUnchanged(chunk: Uint8Array, length: number): void {
  if (chunk.length !== length) throw new TypeError('a chunk was changed before its write settled')
}

/** What a stream does to its bytes. `write` and `close` are called one at a time. */
export interface ByteWork {
  /** Takes a chunk, of any length but zero, which is the caller's again once the promise settles. */
  write(chunk: Uint8Array, emit: Emit): Promise<void>
  /** The input is complete. */
  close(emit: Emit): Promise<void>
  /** Wipes. It is called once, when all is done or the stream fails; then perhaps during a call of the others. */
  end(failure: StreamFailure | undefined): void
}

/**
 * The two sides of a transform stream. Not by the `TransformStream` constructor: not every runtime tells a transformer
 * that its reader has gone away, so that it could not wipe; and input here is taken before output is wanted, so that
 * the header of a message can be awaited before its plaintext is read.
 */
export function byteStream(
  work: ByteWork,
  signal: AbortSignal | undefined,
): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new Pipe(work, signal)
  return { readable, writable }
}

class Pipe {
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>
  readonly writable: WritableStream<Uint8Array>
  readonly #work: ByteWork
  readonly #signal: AbortSignal | undefined
  #output!: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>
  #input!: WritableStreamDefaultController
  #isWanted = false
  #onWanted: (() => void) | undefined
  #isOver = false
  #failure: StreamFailure | undefined

  constructor(work: ByteWork, signal: AbortSignal | undefined) {
    this.#work = work
    this.#signal = signal
    this.readable = new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.#output = controller
        },
        pull: () => {
          this.#isWanted = true
          this.#wake()
        },
        cancel: (reason) => {
          this.#failBoth(reason)
        },
      },
      { highWaterMark: 0 },
    )
    this.writable = new WritableStream<Uint8Array>({
      start: (controller) => {
        this.#input = controller
        this.#watch(controller)
      },
      write: (chunk) => this.#take(chunk),
      close: () => this.#close(),
      abort: (reason) => {
        this.#fail(reason)
      },
    })
    if (signal?.aborted === true) this.#abort()
    else signal?.addEventListener('abort', this.#abort)
  }

  readonly #abort = (): void => {
    this.#failBoth(this.#signal?.reason)
  }

  /** An abort of the writable side ends a write that waits for the reader, before `abort` is called. */
  #watch({ signal }: Partial<WritableStreamDefaultController>): void {
    signal?.addEventListener('abort', () => {
      this.#fail(signal.reason)
    })
  }

  async #take(chunk: Uint8Array): Promise<void> {
    await this.#step(() => {
      assertBytes(chunk, 'each chunk')
      return chunk.length === 0 ? undefined : this.#work.write(chunk, this.#emit)
    })
  }

  async #close(): Promise<void> {
    await this.#step(() => this.#work.close(this.#emit))
    this.#end(undefined)
    this.#output.close()
  }

  /** Does a part of the work. What it throws once the stream has failed is only the consequence of that. */
  async #step(work: () => MaybePromise<void>): Promise<void> {
    this.#assertGood()
    try {
      await work()
    } catch (error) {
      this.#fail(error)
    }
    this.#assertGood()
  }

  #assertGood(): void {
    if (this.#failure !== undefined) throw this.#failure.reason
  }

  readonly #emit: Emit = (bytes) => {
    this.#assertGood()
    if (!this.#isWanted) return this.#emitLater(bytes)
    this.#isWanted = false
    this.#output.enqueue(bytes)
  }

  async #emitLater(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#onWanted = resolve
    })
    return this.#emit(bytes)
  }

  #wake(): void {
    this.#onWanted?.()
    this.#onWanted = undefined
  }

  /** Fails for a reason that is not known to the writable side. */
  #failBoth(reason: unknown): void {
    this.#fail(reason)
    // It does nothing if the side is closed or has failed already, as does the call below.
    this.#input.error(reason)
  }

  #fail(reason: unknown): void {
    if (this.#isOver) return
    this.#end({ reason })
    this.#output.error(reason)
    this.#wake()
  }

  #end(failure: StreamFailure | undefined): void {
    this.#isOver = true
    this.#failure = failure
    this.#signal?.removeEventListener('abort', this.#abort)
    this.#work.end(failure)
  }
}
