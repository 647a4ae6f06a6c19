import type { EcdsaSigner } from '../bindings/asymmetric.ts'
import { framedBodyLength, messageCipher, serializeHeader, type MessageCipher } from '../bindings/message.ts'
import { canonicalContext, contextPairs, filterContext } from './context.ts'
import { LimitError } from './errors.ts'
import type { EncryptionMaterials } from './materials.ts'
import { assertPublicKeyMatchesSuite, serializeFooter } from './signature.ts'

const IV_BYTES = 12
const MAX_SEQUENCE_NUMBER = 0xffffffff

export interface MessageWriterOptions {
  readonly materials: EncryptionMaterials
  /** 16 bytes for version 1, 32 for version 2; fresh, random. */
  readonly messageId: Uint8Array
  readonly frameLength: number
  /** Keys of the pairs that stay out of the header. */
  readonly requiredKeys: readonly string[]
}

/**
 * Writes one message: its header at once, then frames of any number of plaintext parts, then the footer. One writer
 * authenticates one header, under a message key of its own.
 */
export class MessageWriter {
  /** Bytes of the header with its authentication. */
  readonly headerLength: number
  readonly #headerParts: readonly Uint8Array[]
  readonly #frameLength: number
  readonly #cipher: MessageCipher
  readonly #signer: EcdsaSigner | undefined
  #sequenceNumber = 1

  constructor({ materials, messageId, frameLength, requiredKeys }: MessageWriterOptions) {
    const { suite, dataKey, encryptionContext, encryptedDataKeys, signingKey } = materials
    if (dataKey === undefined) throw new TypeError('the materials have no data key')
    const headerContext = filterContext(encryptionContext, (key) => !requiredKeys.includes(key))
    assertPublicKeyMatchesSuite(suite, headerContext)
    this.#frameLength = frameLength
    this.#signer = signingKey?.createSigner()
    this.#cipher = messageCipher(suite, dataKey, messageId)
    try {
      const { commitment } = this.#cipher
      const context = contextPairs(headerContext)
      const body = serializeHeader({ suite, messageId, context, encryptedDataKeys, frameLength, commitment })
      const requiredContext = canonicalContext(filterContext(encryptionContext, (key) => requiredKeys.includes(key)))
      const tag = this.#cipher.sealHeader(body, requiredContext)
      // Version 1 stores the header's IV, which is zero; version 2 does not.
      this.#headerParts = suite.messageVersion === 1 ? [body, new Uint8Array(IV_BYTES), tag] : [body, tag]
      this.headerLength = this.#headerParts.reduce((sum, part) => sum + part.length, 0)
      for (const part of this.#headerParts) this.#signer?.update(part)
    } catch (error) {
      this.#cipher.dispose()
      throw error
    }
  }

  /** Writes the header, the beginning of the message, to the start of `output`. */
  writeHeader(output: Uint8Array): void {
    let offset = 0
    for (const part of this.#headerParts) {
      output.set(part, offset)
      offset += part.length
    }
  }

  /** Bytes of the body for a whole plaintext of this length. */
  bodyLength(plaintextLength: number): number {
    return framedBodyLength(plaintextLength, this.#frameLength)
  }

  /**
   * Seals the next plaintext: whole frames unless it is the last part, which ends in the final frame. `output` is
   * exactly as long as the frames. Answers the bytes written.
   */
  seal(plaintext: Uint8Array, output: Uint8Array, isFinal: boolean): number {
    const frames = Math.max(Math.ceil(plaintext.length / this.#frameLength), isFinal ? 1 : 0)
    const sequenceNumber = this.#sequenceNumber
    if (sequenceNumber + frames - 1 > MAX_SEQUENCE_NUMBER) {
      throw new LimitError('the plaintext takes more than 2^32−1 frames: raise frameLength')
    }
    const written = this.#cipher.sealFrames(
      { frameLength: this.#frameLength, sequenceNumber, isFinal },
      plaintext,
      output,
    )
    this.#sequenceNumber += frames
    this.#signer?.update(output.subarray(0, written))
    return written
  }

  /** What follows the final frame: the signature, or nothing. */
  footer(): Uint8Array<ArrayBuffer> {
    return this.#signer === undefined ? new Uint8Array(0) : serializeFooter(this.#signer.sign())
  }

  /** Wipes the message key. */
  dispose(): void {
    this.#cipher.dispose()
  }
}
