import type { EcdsaVerifier } from '../bindings/asymmetric.ts'
import { frameOpener, type EngineChoice } from '../bindings/host-message.ts'
import type { FrameOpener } from '../bindings/host.ts'
import { whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { openingKey, type OpenedFrames, type OpenedSingleBlock, type OpeningKey } from '../bindings/message.ts'
import { canonicalContext, type EncryptionContext } from './context.ts'
import { AuthenticationError, EncryptionContextError, FormatError, KeyUnavailableError } from './errors.ts'
import type { DecryptionMaterials } from './materials.ts'
import type { DecodedHeader } from './message-header.ts'
import { parseFooter } from './signature.ts'

/** What the caller knows of a message beside its bytes. */
export interface ExpectedContext {
  /** Pairs that the authenticated message must hold. */
  readonly pairs: EncryptionContext
  /** Those of them that the header does not store and that are authenticated with it. */
  readonly reproduced: EncryptionContext
}

/** Answers whether `dataKey` is the one of this header: commitment first, then the header's tag. */
export function authenticatesHeader(header: DecodedHeader, expected: ExpectedContext, dataKey: Uint8Array): boolean {
  const key = openHeader(header, expected, dataKey)
  key?.dispose()
  return key !== undefined
}

/** The message key once the header is authentic under it; undefined when it is not. */
function openHeader(
  { parsed, suite }: DecodedHeader,
  { reproduced }: ExpectedContext,
  dataKey: Uint8Array,
): OpeningKey | undefined {
  const key = openingKey(suite, dataKey, parsed.messageId)
  let isAuthentic = false
  try {
    const isCommitted = parsed.commitment === undefined || key.verifyCommitment(parsed.commitment)
    isAuthentic = isCommitted && key.verifyHeader(parsed, canonicalContext(reproduced))
    return isAuthentic ? key : undefined
  } finally {
    if (!isAuthentic) key.dispose()
  }
}

/**
 * Reads one message whose header is authenticated when the constructor returns: frames in any number of parts, then
 * the footer. Plaintext of a signed message is not to be released before `verifyFooter`.
 */
export class MessageReader {
  readonly #header: DecodedHeader
  readonly #key: OpeningKey
  readonly #frames: FrameOpener
  readonly #verifier: EcdsaVerifier | undefined
  #sequenceNumber = 1

  /**
   * @param choice the engine that opens the frames
   * @throws AuthenticationError when commitment or header tag do not verify under the materials' data key
   * @throws EncryptionContextError when the authentic header lacks one of the expected pairs
   */
  constructor(header: DecodedHeader, expected: ExpectedContext, materials: DecryptionMaterials, choice: EngineChoice) {
    const { parsed, suite, context } = header
    if (materials.suite.id !== suite.id) throw new TypeError('the materials are of another algorithm suite')
    if (materials.dataKey === undefined) throw new KeyUnavailableError('the materials have no data key')
    if ((materials.verificationKey === undefined) !== (suite.signatureCurve === undefined)) {
      throw new TypeError('the materials must have a verification key exactly when the suite signs')
    }
    const key = openHeader(header, expected, materials.dataKey)
    if (key === undefined) throw new AuthenticationError()
    this.#header = header
    this.#key = key
    try {
      this.#frames = frameOpener(key, choice)
      assertHolds(context, expected)
      this.#verifier = materials.verificationKey?.createVerifier()
      this.#verifier?.update(parsed.body)
      if (parsed.messageVersion === 1) this.#verifier?.update(parsed.iv)
      this.#verifier?.update(parsed.tag)
    } catch (error) {
      this.#key.dispose()
      throw error
    }
  }

  /**
   * Opens the frames (or the single block) at the start of `body` that are whole, each after its tag verified.
   * `needed` is a lower bound of the next frame's length when `body` ends before or inside it, 0 after the last one.
   * Until the answer is there nothing else may be opened, and neither array changed.
   */
  open(body: Uint8Array, output: Uint8Array): MaybePromise<OpenedFrames> {
    const { contentType, frameLength } = this.#header.parsed
    const sequenceNumber = this.#sequenceNumber
    const opened =
      contentType === 'framed'
        ? this.#frames.openFrames({ frameLength, sequenceNumber }, body, output)
        : whenHere(this.#frames.openSingleBlock(body, output), singleBlock)
    return whenHere(opened, (result) => {
      this.#sequenceNumber += result.frames
      this.#verifier?.update(body.subarray(0, result.read))
      return result
    })
  }

  /**
   * As {@link MessageReader.open}, anywhere in a framed body, also several times at once: `sequenceNumber` is that of
   * the frame at the start of `body`. It counts for no signature.
   */
  openAt(sequenceNumber: number, body: Uint8Array, output: Uint8Array): MaybePromise<OpenedFrames> {
    return this.#frames.openFrames({ frameLength: this.#header.parsed.frameLength, sequenceNumber }, body, output)
  }

  /**
   * Verifies what follows the body; `rest` is all of it.
   *
   * @throws FormatError when it is cut off or bytes follow it
   * @throws AuthenticationError when the signature is not one over the message
   */
  verifyFooter(rest: Uint8Array): void {
    if (this.#verifier === undefined) return assertEnd(rest.length)
    const footer = parseFooter(rest)
    if ('needed' in footer) throw new FormatError('the message ends inside its footer')
    assertEnd(rest.length - footer.byteLength)
    if (!this.#verifier.verify(footer.signature)) throw new AuthenticationError()
  }

  /** Wipes the message key. */
  dispose(): void {
    this.#key.dispose()
  }
}

function singleBlock(block: OpenedSingleBlock): OpenedFrames {
  return { ...block, frames: 1, isFinal: block.read > 0 }
}

function assertEnd(trailingBytes: number): void {
  if (trailingBytes > 0) throw new FormatError(`${String(trailingBytes)} bytes follow the end of the message`)
}

/** The pairs are compared only once the header is authentic: before that a difference would say nothing. */
export function assertHolds(context: EncryptionContext, { pairs, reproduced }: ExpectedContext): void {
  for (const key of Object.keys(pairs)) {
    const isStored = Object.hasOwn(context, key)
    if (Object.hasOwn(reproduced, key) || (isStored && context[key] === pairs[key])) continue
    const fault = isStored ? 'has another value for' : 'lacks'
    throw new EncryptionContextError(`the message's encryption context ${fault} ${JSON.stringify(key)}`)
  }
}
