import { host } from '#host'
import { DisposedError, UnsupportedError } from './errors.ts'
import { isHostFaster, type FrameCipher, type FrameOpener, type FrameSealer } from './host.ts'
import { whenHere, type MaybePromise } from './maybe-promise.ts'
import type { MessageKey, OpeningKey, SealingKey } from './message.ts'

/** Which AES works on the frames: the core's, the runtime's own, or the one that is faster for the message. */
export type Engine = 'auto' | 'wasm' | 'host'

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

/** The runtime's AES for a message key, which leaves the core at the first call; undefined where it takes none such. */
function hostFrames(key: MessageKey, { engine }: EngineChoice): () => MaybePromise<FrameCipher | undefined> {
  let frames: MaybePromise<FrameCipher | undefined>
  let isAsked = false
  return () => {
    if (key.isDisposed) throw new DisposedError('the message key')
    if (isAsked) return frames
    isAsked = true
    return (frames = whenHere(host.frames(key), (found) => {
      if (found !== undefined || engine !== 'host') return found
      throw new UnsupportedError("this runtime's own AES is not there, or not for such keys: use another engine")
    }))
  }
}

/**
 * What seals the frames under this key: the key itself in the core, or the runtime's AES; perhaps later there.
 *
 * @throws UnsupportedError if the runtime's AES was asked for and is none for this message; also later, from the frame
 *   methods, if it has no AES with such a key
 */
export function frameSealer(key: SealingKey, choice: EngineChoice): FrameSealer {
  if (!usesHost(choice)) return key
  const frames = hostFrames(key, choice)
  return {
    sealFrames: (position, plaintext, output) =>
      whenHere(frames(), (found) => {
        if (found === undefined) return key.sealFrames(position, plaintext, output)
        const count = key.claimFrames(position, plaintext.length)
        return found.sealFrames({ ...position, count }, plaintext, output)
      }),
  }
}

/** As {@link frameSealer}: what opens the frames, or the single block, under this key. */
export function frameOpener(key: OpeningKey, choice: EngineChoice): FrameOpener {
  if (!usesHost(choice)) return key
  const frames = hostFrames(key, choice)
  return {
    openFrames: (position, body, output) =>
      whenHere(frames(), (found) => (found ?? key).openFrames(position, body, output)),
    openSingleBlock: (body, output) => whenHere(frames(), (found) => (found ?? key).openSingleBlock(body, output)),
  }
}
