import { AuthenticationError } from './errors.ts'
import {
  FINAL_FRAME,
  readFrameHead,
  readSingleBlockHead,
  REGULAR_FRAME,
  SINGLE_BLOCK,
  SINGLE_BLOCK_HEAD,
  writeFrameHead,
} from './frames.ts'
import { IV_BYTES, TAG_BYTES } from './gcm.ts'
import type { FrameCipher, HostAesGcm } from './host.ts'
import { core } from './instance.ts'
import { whenHere, type MaybePromise } from './maybe-promise.ts'
import type { FramePosition, MessageKey, OpenedFrames, OpenedSingleBlock, SealingPosition } from './message.ts'
import { encodeUtf8 } from './text.ts'

/** Frames by the runtime's AES. */
export class HostFrames implements FrameCipher {
  readonly #aes: HostAesGcm
  readonly #additionalData: AdditionalData

  /** @param key the message's key in the core, which has been handed over to `aes` */
  constructor(key: MessageKey, aes: HostAesGcm) {
    this.#aes = aes
    this.#additionalData = new AdditionalData(key.messageId)
  }

  sealFrames(
    position: SealingPosition & { readonly count: number },
    plaintext: Uint8Array,
    output: Uint8Array,
  ): MaybePromise<number> {
    const { frameLength, isFinal, count: frames } = position
    let frame = 0
    let written = 0
    const next = (): MaybePromise<number> | undefined => {
      if (frame === frames) return undefined
      const sequenceNumber = position.sequenceNumber + frame
      const text = plaintext.subarray(frame * frameLength, (frame + 1) * frameLength)
      const kind = isFinal && frame === frames - 1 ? FINAL_FRAME : REGULAR_FRAME
      const head = output.subarray(written)
      const headBytes = writeFrameHead(core(), kind, sequenceNumber, text.length, head)
      const aad = this.#additionalData.of(kind, sequenceNumber, text.length)
      frame++
      written += headBytes + text.length + TAG_BYTES
      return this.#aes.seal(ivOf(kind, head), aad, text, head.subarray(headBytes))
    }
    return whenHere(drain(next, this.#aes.lanes), () => written)
  }

  openFrames(position: FramePosition, body: Uint8Array, output: Uint8Array): MaybePromise<OpenedFrames> {
    const run = new OpeningRun(this.#aes, this.#additionalData, position, body, output)
    return whenHere(drain(run.next, this.#aes.lanes), run.result)
  }

  openSingleBlock(body: Uint8Array, output: Uint8Array): MaybePromise<OpenedSingleBlock> {
    const length = readSingleBlockHead(body)
    const end = SINGLE_BLOCK_HEAD + (length ?? 0) + TAG_BYTES
    if (length === undefined || body.length < end) return { read: 0, written: 0, needed: end }
    const aad = this.#additionalData.of(SINGLE_BLOCK, 1, length)
    const sealed = body.subarray(SINGLE_BLOCK_HEAD, end)
    return whenHere(this.#aes.open(ivOf(SINGLE_BLOCK, body), aad, sealed, output), (isAuthentic) => {
      if (isAuthentic) return { read: end, written: length, needed: 0 }
      output.fill(0, 0, length)
      throw new AuthenticationError()
    })
  }
}

/** Opens the whole frames at the start of a body, several at once where the runtime answers later. */
class OpeningRun {
  readonly #aes: HostAesGcm
  readonly #additionalData: AdditionalData
  readonly #position: FramePosition
  readonly #body: Uint8Array
  readonly #output: Uint8Array
  #read = 0
  #written = 0
  #frames = 0
  #isFinal = false
  #needed = 0
  #isForged = false
  #fault: unknown

  constructor(
    aes: HostAesGcm,
    additionalData: AdditionalData,
    position: FramePosition,
    body: Uint8Array,
    output: Uint8Array,
  ) {
    this.#aes = aes
    this.#additionalData = additionalData
    this.#position = position
    this.#body = body
    this.#output = output
  }

  /** Begins to open the next frame; undefined when there is none that is whole, or one was found wrong. */
  readonly next = (): MaybePromise<boolean> | undefined => {
    if (this.#isForged || this.#isFinal) return undefined
    try {
      return this.#begin()
    } catch (fault) {
      // What is wrong here counts only if all frames before it are authentic, which may not be known yet.
      this.#fault = fault
      return undefined
    }
  }

  #begin(): MaybePromise<boolean> | undefined {
    const rest = this.#body.subarray(this.#read)
    const { frameLength } = this.#position
    const sequenceNumber = this.#position.sequenceNumber + this.#frames
    const { headBytes, contentBytes, isFinal } = readFrameHead(core(), { frameLength, sequenceNumber }, rest)
    const end = headBytes + contentBytes + TAG_BYTES
    if (rest.length < end) {
      this.#needed = end
      return undefined
    }
    const kind = isFinal ? FINAL_FRAME : REGULAR_FRAME
    const aad = this.#additionalData.of(kind, sequenceNumber, contentBytes)
    const target = this.#output.subarray(this.#written, this.#written + contentBytes)
    this.#read += end
    this.#written += contentBytes
    this.#frames++
    this.#isFinal = isFinal
    return whenHere(this.#aes.open(ivOf(kind, rest), aad, rest.subarray(headBytes, end), target), this.#note)
  }

  readonly #note = (isAuthentic: boolean): boolean => {
    if (!isAuthentic) this.#isForged = true
    return isAuthentic
  }

  /** What was opened, once nothing is under way any more. */
  readonly result = (): OpenedFrames => {
    if (this.#isForged || this.#fault !== undefined) {
      this.#output.fill(0, 0, this.#written)
      throw this.#isForged ? new AuthenticationError() : this.#fault
    }
    const needed = this.#isFinal ? 0 : this.#needed
    return { read: this.#read, written: this.#written, frames: this.#frames, isFinal: this.#isFinal, needed }
  }
}

/**
 * Runs what `next` begins until it answers undefined: one after the other where the runtime answers at once, else as
 * many at a time as it has lanes. Nothing is under way any more when this is done or has failed.
 */
function drain(next: () => MaybePromise<unknown>, lanes: number): MaybePromise<void> {
  if (lanes > 1) return drainLanes(next, lanes)
  while (next() !== undefined);
}

async function drainLanes(next: () => MaybePromise<unknown>, lanes: number): Promise<void> {
  const failures: unknown[] = []
  const lane = async (): Promise<void> => {
    try {
      while (failures.length === 0) {
        const work = next()
        if (work === undefined) return
        await Promise.resolve(work)
      }
    } catch (error) {
      failures.push(error)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  if (failures.length > 0) throw failures[0]
}

const NAMES: readonly string[] = ['Frame', 'Final Frame', 'Single Block']

/** Additional authenticated data of contents (data-format/message-body-aad.md), each kind in one array that is reused. */
class AdditionalData {
  readonly #messageId: Uint8Array
  readonly #views: (DataView<ArrayBuffer> | undefined)[] = []

  constructor(messageId: Uint8Array) {
    this.#messageId = messageId
  }

  /** Message id ‖ name of the kind ‖ sequence number 4 ‖ length 8; good until the next one of the kind is asked for. */
  of(kind: number, sequenceNumber: number, length: number): Uint8Array {
    const view = (this.#views[kind] ??= this.#make(kind))
    const end = view.byteLength
    view.setUint32(end - 12, sequenceNumber)
    view.setUint32(end - 8, Math.floor(length / 2 ** 32))
    view.setUint32(end - 4, length >>> 0)
    return new Uint8Array(view.buffer)
  }

  #make(kind: number): DataView<ArrayBuffer> {
    const name = encodeUtf8(`AWSKMSEncryptionClient ${NAMES[kind] ?? ''}`, 'name')
    const bytes = new Uint8Array(this.#messageId.length + name.length + 12)
    bytes.set(this.#messageId)
    bytes.set(name, this.#messageId.length)
    return new DataView(bytes.buffer)
  }
}

/** The IV of a content, at whose frame or block `bytes` begins. */
function ivOf(kind: number, bytes: Uint8Array): Uint8Array {
  const at = kind === SINGLE_BLOCK ? 0 : kind === FINAL_FRAME ? 8 : 4
  return bytes.subarray(at, at + IV_BYTES)
}
