import type { EngineChoice } from '../bindings/host-message.ts'
import { sealingKey } from '../bindings/message.ts'
import { concatBytes, copyBytes } from './bytes.ts'
import { canonicalContext } from './context.ts'
import { decryptionCall, decryptionOf, type DecryptionCall, type DecryptOptions } from './decryption.ts'
import { decryptionManager, type DecryptionManager } from './decryption-materials.ts'
import { createEncryptionMaterials } from './encryption-materials.ts'
import { authenticateRecord, readRecord, writeRecord } from './detached-keys.ts'
import { KeyUnavailableError } from './errors.ts'
import { assertKeyCount, replaceKeys, serializeKeys } from './header-keys.ts'
import type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptedDataKey,
  Keyring,
  MaterialsManager,
} from './materials.ts'
import type { DecodedHeader } from './message-header.ts'
import { MessageReader } from './message-reader.ts'
import { MessageRandom } from './random.ts'

const IV_BYTES = 12

/** For a header alone, whatever its body. */
const CORE: EngineChoice = { engine: 'wasm', isSynchronous: true, frameLength: 0, length: 0 }

/** Options of {@link rewrapKeys}: how the record is read, and how many keys may be in it before and after. */
export type RewrapKeysOptions = Omit<DecryptOptions, 'engine' | 'detachedKeys'>

/**
 * Puts other keys into a record of detached keys, without the message: its data key is unwrapped with `from`, and wrapped
 * with `to`, and stays what it is. The message's header, of which the record has a copy, is authenticated before, and so
 * are the keys in the record.
 *
 * **This revokes nobody**: who could unwrap the old keys and has read the data key, or keeps an old record, still reads
 * the message. It is for keys that are retired, not for keys that are in wrong hands: `rewrap` re-encrypts.
 *
 * @param from a keyring or a materials manager that reads the message
 * @param to a keyring: its encrypted data keys, and no others, are in the new record
 * @param record not to be changed before the promise settles
 * @returns the new record, to be put in the place of the old one
 * @throws as `decrypt`; AuthenticationError also when the record's keys were changed; LimitError for more keys than
 *   `maxEncryptedDataKeys`, 64 by default, in either record; what `to` throws when it cannot wrap
 */
export async function rewrapKeys(
  from: Keyring | MaterialsManager,
  to: Keyring,
  record: Uint8Array,
  options: RewrapKeysOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const manager = decryptionManager(from)
  assertWraps(to)
  const call = decryptionCall(manager, options, false)
  const read = readRecord(record, call.maxEncryptedDataKeys)
  return unwrapped(manager, read.header, call, read.encryptedDataKeys, async (dataKey, request) => {
    authenticateRecord(read, dataKey)
    const keys = await wrapAgain(to, request, dataKey, call.maxEncryptedDataKeys)
    return writeRecord(read.id, read.header.parsed, keys, dataKey)
  })
}

/**
 * Answers a version 1 header, of an unsigned suite, with other keys. The body does not depend on them; but a second header
 * must never be authenticated under the first one's key and IV, so this one has a random IV, which readers take from it.
 */
export function rewrapHeader(
  manager: DecryptionManager,
  to: Keyring,
  header: DecodedHeader,
  call: DecryptionCall,
): Promise<Uint8Array<ArrayBuffer>> {
  const { parsed, suite } = header
  return unwrapped(manager, header, call, parsed.encryptedDataKeys, async (dataKey, request) => {
    const keys = await wrapAgain(to, request, dataKey, call.maxEncryptedDataKeys)
    const body = replaceKeys(parsed.body, 1, serializeKeys(keys))
    const iv = freshHeaderIv(parsed.iv)
    const key = sealingKey(suite, dataKey, parsed.messageId)
    try {
      const { reproduced } = decryptionOf(header, call).expected
      return concatBytes(body, iv, key.sealHeader(body, canonicalContext(reproduced), iv))
    } finally {
      key.dispose()
    }
  })
}

/** Unwraps the data key, authenticates the header under it, and gives it to `use` for the time that this takes. */
async function unwrapped<T>(
  manager: DecryptionManager,
  header: DecodedHeader,
  call: DecryptionCall,
  encryptedDataKeys: readonly EncryptedDataKey[],
  use: (dataKey: Uint8Array, request: DecryptionRequest) => Promise<T>,
): Promise<T> {
  const { expected, request } = decryptionOf(header, call)
  call.signal?.throwIfAborted()
  const materials: DecryptionMaterials = await manager.decryptionMaterials({ ...request, encryptedDataKeys })
  try {
    call.signal?.throwIfAborted()
    new MessageReader(header, expected, materials, CORE).dispose()
    return await use(materials.dataKey ?? new Uint8Array(0), request)
  } finally {
    materials.dispose()
  }
}

/** Throws TypeError for what cannot wrap a given data key, as a materials manager cannot. */
export function assertWraps(to: Keyring): void {
  if (typeof (to as Partial<Keyring> | null | undefined)?.wrap === 'function') return
  throw new TypeError('the keyring that wraps the keys must be a keyring, and no materials manager')
}

async function wrapAgain(
  to: Keyring,
  { suite, encryptionContext, signal }: DecryptionRequest,
  dataKey: Uint8Array,
  maxEncryptedDataKeys: number,
): Promise<readonly EncryptedDataKey[]> {
  const random = new MessageRandom()
  const materials = createEncryptionMaterials({
    suite,
    encryptionContext,
    requiredEncryptionContextKeys: [],
    plaintextLength: undefined,
    random: random.take,
    signal,
  })
  try {
    materials.setDataKey(copyBytes(dataKey))
    await to.wrap(materials)
    signal?.throwIfAborted()
    const { encryptedDataKeys } = materials
    if (encryptedDataKeys.length === 0) throw new KeyUnavailableError('the keyring wrapped no data key')
    assertKeyCount(encryptedDataKeys.length, maxEncryptedDataKeys)
    return encryptedDataKeys
  } finally {
    materials.dispose()
    random.wipe()
  }
}

/** Draws an IV that neither a header nor a frame of the message has: those begin with eight zeros or, rarely, 0xff. */
export function freshHeaderIv(old: Uint8Array): Uint8Array<ArrayBuffer> {
  const iv = new Uint8Array(IV_BYTES)
  do globalThis.crypto.getRandomValues(iv)
  while (isUsed(iv, old))
  return iv
}

/** Whether the IV is the old header's, or might be a frame's. */
export function isUsed(iv: Uint8Array, old: Uint8Array): boolean {
  const [first] = iv
  const isFrameLike = (first === 0 || first === 0xff) && iv.subarray(0, 8).every((byte) => byte === first)
  return isFrameLike || iv.every((byte, i) => byte === old[i])
}
