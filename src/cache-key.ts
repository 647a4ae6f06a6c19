import { sha512 } from '../bindings/hash.ts'
import type { DecryptionRequest, EncryptedDataKey, EncryptionRequest } from './materials.ts'

/** Longer names are hashed: a message that came from anywhere does not decide how much memory its entry takes. */
const MAX_NAME_LENGTH = 1024

/** Arguments of one call. */
const CHUNK_BYTES = 4096

/**
 * Names the entry of an encryption request within a partition: suite, context, and which pairs are required. Equal names
 * mean equal requests; only long names are hashed, since a `Map` compares the rest as quickly as their hashes.
 *
 * Source: aws-encryption-sdk-specification, framework/caching-cmm.md#appendix-a-cache-entry-identifier-formulas.
 */
export function encryptionKey(request: EncryptionRequest): string {
  return short(`e${requestText(request)}`)
}

/** As {@link encryptionKey}, with the encrypted data keys, whatever their order in the message. */
export function decryptionKey(request: DecryptionRequest): string {
  const { encryptedDataKeys } = request
  const keys = encryptedDataKeys.map(encryptedDataKeyText)
  if (keys.length > 1) keys.sort()
  return short(`d${requestText(request)}#${String(keys.length)}${keys.join('')}`)
}

/** The context is sorted by UTF-16 units, which orders it as well as any other way. */
function requestText({
  suite,
  encryptionContext,
  requiredEncryptionContextKeys,
}: EncryptionRequest | DecryptionRequest): string {
  const keys = Object.keys(encryptionContext)
  if (keys.length > 1) keys.sort()
  let pairs = String(suite.id)
  for (const key of keys) {
    const mark = requiredEncryptionContextKeys.includes(key) ? '!' : '.'
    pairs += mark + lengthened(key) + lengthened(encryptionContext[key] ?? '')
  }
  return pairs
}

function encryptedDataKeyText({ providerId, providerInfo, ciphertext }: EncryptedDataKey): string {
  return short(lengthened(providerId) + lengthened(characters(providerInfo)) + lengthened(characters(ciphertext)))
}

/** The text behind its length: joined, no two lists of texts are the same. */
export function lengthened(text: string): string {
  return `${String(text.length)}:${text}`
}

/** One character a byte. */
export function characters(bytes: Uint8Array): string {
  if (bytes.length > CHUNK_BYTES) {
    return characters(bytes.subarray(0, CHUNK_BYTES)) + characters(bytes.subarray(CHUNK_BYTES))
  }
  return String.fromCharCode.apply(null, bytes as unknown as number[])
}

/** No name begins with what marks a hash. */
function short(name: string): string {
  return name.length <= MAX_NAME_LENGTH ? name : `#${characters(sha512(new TextEncoder().encode(name)))}`
}
