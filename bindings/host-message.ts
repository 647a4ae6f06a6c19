import { host } from '#host'
import { UnsupportedError } from './errors.ts'
import type { CipherSuite, ParsedHeader } from './header.ts'
import { isHostFaster, type FrameCipher } from './host.ts'
import { whenHere, type MaybePromise } from './maybe-promise.ts'
import {
  messageCipher,
  type CoreMessageCipher,
  type FramePosition,
  type MessageCipher,
  type OpenedFrames,
  type OpenedSingleBlock,
} from './message.ts'

/** Which AES works on the frames: the core's, the runtime's own, or the one that is faster for the message. */
export type Engine = 'auto' | 'wasm' | 'host'

/** The key of one message, whose frames may be the work of the runtime's AES, and then perhaps there later. */
export type EngineMessageCipher = Omit<MessageCipher, keyof FrameCipher> & FrameCipher

/** What an engine is chosen by. */
export interface EngineChoice {
  readonly engine: Engine
  /** The answer is wanted at once. */
  readonly isSynchronous: boolean
  /** Zero for a non-framed body. */
  readonly frameLength: number
  /** Bytes of plaintext or body; Infinity when not known. */
  readonly length: number
}

/**
 * Refuses the runtime's AES where it cannot answer at once, before any work.
 *
 * @throws UnsupportedError
 */
export function assertEngineNow(engine: Engine): void {
  if (engine === 'host' && !host.isSynchronous) {
    throw new UnsupportedError("this runtime's own AES is asynchronous: use encrypt and decrypt, or another engine")
  }
}

function usesHost({ engine, isSynchronous, frameLength, length }: EngineChoice): boolean {
  if (engine === 'wasm') return false
  const frame = frameLength === 0 ? length : Math.min(frameLength, length)
  if (engine === 'host') {
    if (frame <= host.maxTextBytes) return true
    throw new UnsupportedError(`this runtime's own AES takes frames of up to ${String(host.maxTextBytes)} bytes`)
  }
  if (isSynchronous && !host.isSynchronous) return false
  return frame <= host.maxTextBytes && isHostFaster(host.speed, frame, length)
}

/**
 * As {@link messageCipher}, in the engine of this choice. Header tags and commitments are always the core's.
 *
 * @throws UnsupportedError if the runtime's AES was asked for and is none for this message; also later, from the frame
 *   methods, if it has no AES with such a key
 */
export function engineMessageCipher(
  choice: EngineChoice,
  suite: CipherSuite,
  dataKey: Uint8Array,
  messageId: Uint8Array,
): EngineMessageCipher {
  const isHost = usesHost(choice)
  const cipher = messageCipher(suite, dataKey, messageId)
  return isHost ? new HostMessageCipher(cipher, choice.engine === 'host') : cipher
}

class HostMessageCipher implements EngineMessageCipher {
  readonly #core: CoreMessageCipher
  readonly #isRequired: boolean
  #frames: MaybePromise<FrameCipher> | undefined

  constructor(cipher: CoreMessageCipher, isRequired: boolean) {
    this.#core = cipher
    this.#isRequired = isRequired
  }

  get commitment(): Uint8Array | undefined {
    return this.#core.commitment
  }

  verifyCommitment(stored: Uint8Array): boolean {
    return this.#core.verifyCommitment(stored)
  }

  sealHeader(headerBody: Uint8Array, requiredContext: Uint8Array): Uint8Array<ArrayBuffer> {
    return this.#core.sealHeader(headerBody, requiredContext)
  }

  verifyHeader(header: ParsedHeader, requiredContext: Uint8Array): boolean {
    return this.#core.verifyHeader(header, requiredContext)
  }

  /** The key leaves the core here, for the first frames. Where the runtime cannot take it the core does the work. */
  #host(): MaybePromise<FrameCipher> {
    return (this.#frames ??= whenHere(host.frames(this.#core), (frames) => {
      if (frames === undefined && this.#isRequired) {
        throw new UnsupportedError("this runtime's own AES is not there, or not for such keys: use another engine")
      }
      return frames ?? this.#core
    }))
  }

  sealFrames(
    position: FramePosition & { readonly isFinal: boolean },
    plaintext: Uint8Array,
    output: Uint8Array,
  ): MaybePromise<number> {
    return whenHere(this.#host(), (frames) => frames.sealFrames(position, plaintext, output))
  }

  openFrames(position: FramePosition, body: Uint8Array, output: Uint8Array): MaybePromise<OpenedFrames> {
    return whenHere(this.#host(), (frames) => frames.openFrames(position, body, output))
  }

  openSingleBlock(body: Uint8Array, output: Uint8Array): MaybePromise<OpenedSingleBlock> {
    return whenHere(this.#host(), (frames) => frames.openSingleBlock(body, output))
  }

  dispose(): void {
    this.#frames = undefined
    this.#core.dispose()
  }
}
