import { concatBytes } from './bytes.ts'
import { FINAL_OVERHEAD, REGULAR_OVERHEAD } from './frames.ts'
import { feedAad, IV_BYTES } from './gcm.ts'
import type { CipherSuite } from './header.ts'
import { takeBytes, type Core } from './instance.ts'
import { assertFresh, KeyHandle } from './slots.ts'

/** Where frames stand in the body of a message. */
export interface FramePosition {
  /** Bytes of plaintext in a regular frame, 1 to 2^32 − 1. */
  readonly frameLength: number
  /** Sequence number of the first frame, from 1. */
  readonly sequenceNumber: number
}

/** The key of one message, in the core. */
export interface MessageKey {
  readonly messageId: Uint8Array
  readonly isDisposed: boolean
  /** Answers the encryption key, which the caller wipes: for the runtime's AES alone, which cannot look into the core. */
  exportKey(): Uint8Array<ArrayBuffer>
  /** Wipes the key; harmless when repeated. */
  dispose(): void
}

const DATA_KEY_ROOM = 32

/** What both directions share: the derived key (framework/transitive-requirements.md) in the core. */
export class CoreMessageKey implements MessageKey {
  readonly messageId: Uint8Array
  protected readonly suite: CipherSuite
  protected readonly key: KeyHandle
  readonly #dataKey: Uint8Array

  constructor(suite: CipherSuite, dataKey: Uint8Array, messageId: Uint8Array) {
    if (dataKey.length !== suite.keyBytes || messageId.length !== suite.messageVersion * 16) {
      throw new RangeError('the data key or the message id has the wrong length for the suite')
    }
    const ownKey = new Uint8Array(dataKey)
    this.suite = suite
    this.#dataKey = ownKey
    this.messageId = messageId
    this.key = new KeyHandle('the message key', [ownKey], (into, slot) => {
      into.heap.set(ownKey, into.io)
      into.heap.set(messageId, into.io + DATA_KEY_ROOM)
      return into.exports.setMessageKey(slot, suite.id)
    })
  }

  exportKey(): Uint8Array<ArrayBuffer> {
    const from = this.key.acquire()
    from.heap.set(this.#dataKey, from.io)
    from.heap.set(this.messageId, from.io + DATA_KEY_ROOM)
    return takeBytes(from, 0, from.exports.exportMessageKey(this.suite.id))
  }

  protected beginHeader(iv: Uint8Array, headerBody: Uint8Array, requiredContext: Uint8Array): Core {
    const to = this.key.acquire()
    to.heap.set(iv, to.io)
    assertFresh(to.exports.gcmBegin(this.key.slot, this.key.generation))
    // One additional data: windows before the last must be whole, so the two parts are joined first.
    feedAad(to, requiredContext.length === 0 ? headerBody : concatBytes(headerBody, requiredContext))
    return to
  }

  protected beginContent(to: Core, kind: number, from: Uint8Array, sequenceNumber: number, length: number): void {
    const { slot, generation } = this.key
    to.heap.set(from.subarray(0, IV_BYTES), to.io)
    const high = Math.floor(length / 2 ** 32)
    assertFresh(to.exports.gcmBeginFrame(slot, generation, kind, sequenceNumber, high, length >>> 0))
  }

  get isDisposed(): boolean {
    return this.key.isDisposed
  }

  dispose(): void {
    this.key.dispose()
  }
}

/** How many frames of this length fit the arena at once, as input and as output; zero for large frames. */
export function framesThatFit(to: Core, frameLength: number): number {
  const half = to.out - to.io
  return Math.max(0, Math.floor((half - FINAL_OVERHEAD) / (frameLength + REGULAR_OVERHEAD)))
}
