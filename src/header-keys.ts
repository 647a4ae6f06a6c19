import { serializeHeader } from '../bindings/message.ts'
import { concatBytes } from './bytes.ts'
import { LimitError } from './errors.ts'
import type { EncryptedDataKey } from './materials.ts'
import { algorithmSuite } from './suites.ts'

/** Bytes of a header body before its encryption context and after its keys (data-format/message-header.md). */
const BEFORE_CONTEXT_BYTES = { 1: 1 + 1 + 2 + 16, 2: 1 + 2 + 32 } as const
const AFTER_KEYS_BYTES = { 1: 1 + 4 + 1 + 4, 2: 1 + 4 + 32 } as const

/** Encrypted data keys as they stand in a header: count ‖ keys. */
export function serializeKeys(encryptedDataKeys: readonly EncryptedDataKey[]): Uint8Array {
  const suite = algorithmSuite(0x0014)
  const fields = { suite, messageId: new Uint8Array(16), context: [], frameLength: 1 }
  const header = serializeHeader({ ...fields, encryptedDataKeys })
  return header.subarray(BEFORE_CONTEXT_BYTES[1] + 2, header.length - AFTER_KEYS_BYTES[1])
}

/** A header body with other keys; not a byte of the rest is another one. */
export function replaceKeys(body: Uint8Array, version: 1 | 2, keys: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = BEFORE_CONTEXT_BYTES[version]
  const contextLength = ((body[at] ?? 0) << 8) + (body[at + 1] ?? 0)
  return concatBytes(
    body.subarray(0, at + 2 + contextLength),
    keys,
    body.subarray(body.length - AFTER_KEYS_BYTES[version]),
  )
}

/** Throws LimitError for more keys than the caller lets be written. */
export function assertKeyCount(count: number, maxEncryptedDataKeys: number): void {
  if (count <= maxEncryptedDataKeys) return
  throw new LimitError(`there would be ${count} encrypted data keys: raise maxEncryptedDataKeys`)
}
