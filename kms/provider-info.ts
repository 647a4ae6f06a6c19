import { AuthenticationError } from '../bindings/errors.ts'
import { parseKeyArn } from './key-arn.ts'

/** Bytes have one reading: a byte order mark is a character, and what is not UTF-8 is no ARN. */
const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** The key ARN that the provider information of an encrypted data key is; undefined if it is none. */
export function readArn(providerInfo: Uint8Array): string | undefined {
  try {
    const text = DECODER.decode(providerInfo)
    return parseKeyArn(text) === undefined ? undefined : text
  } catch {
    return undefined
  }
}

/**
 * What the service says when the wrapped data key or its context is not what was wrapped, or is wrapped under another
 * key than the message says.
 */
const NOT_AUTHENTIC = ['InvalidCiphertextException', 'IncorrectKeyException']

/** Why an encrypted data key did not open, as the keyring records it. */
export function reasonOf(error: unknown): unknown {
  return error instanceof Error && NOT_AUTHENTIC.includes(error.name) ? new AuthenticationError() : error
}
