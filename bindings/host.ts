/** What one runtime's own AES-GCM must offer to messages; `#host` resolves to the runtime's own. */

import type { MaybePromise } from './maybe-promise.ts'
import type { FramePosition, MessageKey, OpenedFrames, OpenedSingleBlock, SealingPosition } from './message.ts'

/** AES-GCM under one key (SP 800-38D) with 12-byte IVs and 16-byte tags. */
export interface HostAesGcm {
  /** Calls that are begun before the first has answered; 1 where it answers at once. */
  readonly lanes: number
  /**
   * Writes ciphertext ‖ tag to the start of `output` and answers its bytes. `aad` may change once the call has
   * returned, here and below.
   */
  seal(iv: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, output: Uint8Array): MaybePromise<number>
  /**
   * Writes the plaintext of ciphertext ‖ tag to the start of `output` and answers true; false if it does not verify:
   * then `output` may hold anything, and the caller wipes it. It does not reject.
   */
  open(iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array, output: Uint8Array): MaybePromise<boolean>
}

/** The frame methods of a `SealingKey`, which may answer later. */
export interface FrameSealer {
  sealFrames(position: SealingPosition, plaintext: Uint8Array, output: Uint8Array): MaybePromise<number>
}

/** The frame methods of an `OpeningKey`, which may answer later. On failure all that was written to `output` is wiped. */
export interface FrameOpener {
  openFrames(position: FramePosition, body: Uint8Array, output: Uint8Array): MaybePromise<OpenedFrames>
  openSingleBlock(body: Uint8Array, output: Uint8Array): MaybePromise<OpenedSingleBlock>
}

/** Both by the runtime's AES. */
export interface FrameCipher extends FrameOpener {
  /** Writes `count` frames, which the message key was told of. */
  sealFrames(
    position: SealingPosition & { readonly count: number },
    plaintext: Uint8Array,
    output: Uint8Array,
  ): MaybePromise<number>
}

export interface Host {
  /** It answers at once, so that it also serves `encryptSync` and `decryptSync`. */
  readonly isSynchronous: boolean
  /** The longest text of one call. */
  readonly maxTextBytes: number
  readonly speed: HostSpeed
  /** Takes the message's key out of the core; undefined where the runtime has no AES, or none with such a key. */
  frames(key: MessageKey): MaybePromise<FrameCipher | undefined>
}

/** What the runtime's AES costs beside the text itself, in bytes that the core seals or opens in that time. */
export interface HostSpeed {
  /** For each frame: the call. */
  readonly frameBytes: number
  /** For each message: the key. */
  readonly messageBytes: number
}

/**
 * As measured. `web` is WebCrypto with several frames under way, and between the engines: per frame it costs Chromium
 * and Deno half of this, Firefox a little more.
 */
export const HOST_SPEEDS: Readonly<Record<'node' | 'bun' | 'web', HostSpeed>> = {
  node: { frameBytes: 1280, messageBytes: 3072 },
  bun: { frameBytes: 128, messageBytes: 1536 },
  web: { frameBytes: 10_240, messageBytes: 49_152 },
}

/** Whether the runtime's AES is faster than the core for `length` bytes, perhaps Infinity, in frames of `frame` bytes. */
export function isHostFaster({ frameBytes, messageBytes }: HostSpeed, frame: number, length: number): boolean {
  if (frame <= frameBytes) return false
  return length === Infinity || length - Math.ceil(length / frame) * frameBytes >= messageBytes
}
