import { parseHeader, type ParsedHeader } from '../bindings/message.ts'
import { copyBytes } from './bytes.ts'
import { decodeContext, type EncryptionContext } from './context.ts'
import { FormatError } from './errors.ts'
import type { EncryptedDataKey } from './materials.ts'
import { suiteWithId, type AlgorithmSuite } from './suites.ts'

/**
 * The header of a message. From `decrypt` it is authenticated, from `inspect` it is not.
 *
 * Source: aws-encryption-sdk-specification, data-format/message-header.md.
 */
export interface MessageHeader {
  readonly messageVersion: 1 | 2
  readonly algorithmSuite: AlgorithmSuite
  /** 16 bytes in version 1, 32 in version 2. */
  readonly messageId: Uint8Array
  /** The pairs that the message carries; required pairs stay out of it. Frozen, null prototype. */
  readonly encryptionContext: EncryptionContext
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  readonly contentType: 'framed' | 'non-framed'
  /** Plaintext bytes of each frame but the last; 0 for non-framed messages. */
  readonly frameLength: number
  /** 32 bytes in version 2. */
  readonly commitment: Uint8Array | undefined
  /** Bytes from the start of the message to its body. */
  readonly byteLength: number
}

/** A header that was parsed and decoded, its bytes copied out of the message. */
export interface DecodedHeader {
  readonly parsed: ParsedHeader
  readonly suite: AlgorithmSuite
  readonly context: EncryptionContext
}

/**
 * Reads the header at the start of `bytes`; `needed` is a lower bound of its length when `bytes` ends inside it.
 *
 * @throws FormatError for what is no header
 * @throws LimitError when it has more than `maxEncryptedDataKeys`
 */
export function readHeader(
  bytes: Uint8Array,
  maxEncryptedDataKeys: number,
): DecodedHeader | { readonly needed: number } {
  if (isBase64(bytes)) throw new FormatError('the message looks like base64: decode it first')
  const parsed = parseHeader(bytes, { maxEncryptedDataKeys })
  if ('needed' in parsed) return parsed
  const suite = suiteWithId(parsed.suiteId)
  if (suite?.messageVersion !== parsed.messageVersion) throw new FormatError('the algorithm suite is unknown')
  return { parsed, suite, context: decodeContext(parsed.context) }
}

/** Base64 of `01 80`, `02 04` or `02 05`, the first bytes of a message (client-apis/decrypt.md). */
function isBase64(bytes: Uint8Array): boolean {
  return bytes[0] === 0x41 && (bytes[1] === 0x59 || bytes[1] === 0x67)
}

/** {@link readHeader} of a message that is all there. Throws FormatError when it ends inside its header. */
export function readWholeHeader(message: Uint8Array, maxEncryptedDataKeys: number): DecodedHeader {
  const header = readHeader(message, maxEncryptedDataKeys)
  if ('needed' in header) throw new FormatError('the message ends inside its header')
  return header
}

/** The header as callers get it: bytes of its own. */
export function describeHeader({ parsed, suite, context }: DecodedHeader): MessageHeader {
  return Object.freeze({
    messageVersion: parsed.messageVersion,
    algorithmSuite: suite,
    messageId: copyBytes(parsed.messageId),
    encryptionContext: context,
    encryptedDataKeys: parsed.encryptedDataKeys.map(({ providerId, providerInfo, ciphertext }) =>
      Object.freeze({ providerId, providerInfo: copyBytes(providerInfo), ciphertext: copyBytes(ciphertext) }),
    ),
    contentType: parsed.contentType,
    frameLength: parsed.frameLength,
    commitment: parsed.commitment && copyBytes(parsed.commitment),
    byteLength: parsed.byteLength,
  })
}
