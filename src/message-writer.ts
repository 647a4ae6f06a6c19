import type { EcdsaSigner } from '../bindings/asymmetric.ts'
import { frameSealer, type EngineChoice } from '../bindings/host-message.ts'
import type { FrameSealer } from '../bindings/host.ts'
import { whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { framedBodyLength, sealingKey, serializeHeader, type SealingKey } from '../bindings/message.ts'
import { canonicalContext, contextPairs, pairsBeside, pairsOf } from './context.ts'
import { LimitError } from './errors.ts'
import type { EncryptionMaterials } from './materials.ts'
import { assertPublicKeyMatchesSuite, serializeFooter } from './signature.ts'

const IV_BYTES = 12
const TAG_BYTES = 16
const MAX_SEQUENCE_NUMBER = 0xffffffff
const NO_FOOTER = new Uint8Array(0)

export interface MessageWriterOptions {
  readonly materials: EncryptionMaterials
  /** 16 bytes for version 1, 32 for version 2; fresh, random. */
  readonly messageId: Uint8Array
  /** The engine that seals the frames, and their length. */
  readonly choice: EngineChoice
  /** Keys of the pairs that stay out of the header. */
  readonly requiredKeys: readonly string[]
  /** Length of a plaintext that is all there: `bytes` then has room for its body. */
  readonly plaintextLength?: number | undefined
}

/**
 * Writes one message: its header at once, then frames of any number of plaintext parts, then the footer. One writer
 * authenticates one header, under a message key of its own.
 */
export class MessageWriter {
  /** The header with its authentication, the beginning of the message, and room for what was said to follow. */
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Bytes of the header with its authentication. */
  readonly headerLength: number
  readonly #frameLength: number
  readonly #key: SealingKey
  readonly #frames: FrameSealer
  readonly #signer: EcdsaSigner | undefined
  #sequenceNumber = 1

  constructor({ materials, messageId, choice, requiredKeys, plaintextLength }: MessageWriterOptions) {
    const { frameLength } = choice
    const { suite, dataKey, encryptionContext, encryptedDataKeys, signingKey } = materials
    if (dataKey === undefined) throw new TypeError('the materials have no data key')
    const headerContext = pairsBeside(encryptionContext, requiredKeys)
    assertPublicKeyMatchesSuite(suite, headerContext)
    this.#frameLength = frameLength
    this.#signer = signingKey?.createSigner()
    this.#key = sealingKey(suite, dataKey, messageId)
    try {
      this.#frames = frameSealer(this.#key, choice)
      const { commitment } = this.#key
      const context = contextPairs(headerContext)
      const fields = { suite, messageId, context, encryptedDataKeys, frameLength, commitment }
      // Version 1 stores the header's IV, which is zero; version 2 does not.
      const authLength = (suite.messageVersion === 1 ? IV_BYTES : 0) + TAG_BYTES
      const bodyLength = plaintextLength === undefined ? 0 : framedBodyLength(plaintextLength, frameLength)
      this.bytes = serializeHeader(fields, authLength + bodyLength)
      this.headerLength = this.bytes.length - bodyLength
      const requiredContext = canonicalContext(pairsOf(encryptionContext, requiredKeys))
      const headerBody = this.bytes.subarray(0, this.headerLength - authLength)
      this.bytes.set(this.#key.sealHeader(headerBody, requiredContext), this.headerLength - TAG_BYTES)
      this.#signer?.update(this.bytes.subarray(0, this.headerLength))
    } catch (error) {
      this.#key.dispose()
      throw error
    }
  }

  /**
   * Seals the next plaintext: whole frames unless it is the last part, which ends in the final frame. `output` is
   * exactly as long as the frames. Answers the bytes written; until then nothing else may be sealed, and neither array
   * changed.
   */
  seal(plaintext: Uint8Array, output: Uint8Array, isFinal: boolean): MaybePromise<number> {
    const frames = Math.max(Math.ceil(plaintext.length / this.#frameLength), isFinal ? 1 : 0)
    const sequenceNumber = this.#sequenceNumber
    if (sequenceNumber + frames - 1 > MAX_SEQUENCE_NUMBER) {
      throw new LimitError('the plaintext takes more than 2^32−1 frames: raise frameLength')
    }
    this.#sequenceNumber += frames
    const position = { frameLength: this.#frameLength, sequenceNumber, isFinal }
    const sealing = this.#frames.sealFrames(position, plaintext, output)
    const signer = this.#signer
    if (signer === undefined) return sealing
    return whenHere(sealing, (written) => {
      signer.update(output.subarray(0, written))
      return written
    })
  }

  /** What follows the final frame: the signature, or nothing. */
  footer(): Uint8Array<ArrayBuffer> {
    return this.#signer === undefined ? NO_FOOTER : serializeFooter(this.#signer.sign())
  }

  /** Wipes the message key. */
  dispose(): void {
    this.#key.dispose()
  }
}
