import { assertBytes } from '../bindings/bytes.ts'
import { hkdf, hmac, sha512, timingSafeEqual } from '../bindings/hash.ts'
import { whenHere } from '../bindings/maybe-promise.ts'
import type { ParsedHeader } from '../bindings/message.ts'
import { encodeUtf8 } from '../bindings/text.ts'
import { compareBytes, concatBytes, copyBytes } from './bytes.ts'
import { decryptionManager, type DecryptionManager } from './decryption-materials.ts'
import type { Encryption } from './encryption.ts'
import { AuthenticationError, FormatError, KeyUnavailableError, UnsupportedError } from './errors.ts'
import { assertKeyCount, replaceKeys, serializeKeys } from './header-keys.ts'
import type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptedDataKey,
  EncryptionMaterials,
  Keyring,
  MaterialsManager,
} from './materials.ts'
import { readWholeHeader, type DecodedHeader } from './message-header.ts'
import { assertEncryptedDataKeyLimit } from './options.ts'
import type { AlgorithmSuite } from './suites.ts'

/** Stands in a message instead of the provider of its keys, which are in a record beside it. */
const PROVIDER_ID = 'waxseal-detached'
const VERSION = 1
const RECORD_ID_BYTES = 32
const MAC_BYTES = 64
const HEADER_OFFSET = 1 + RECORD_ID_BYTES
const MAC_LABEL = 'waxseal detached keys v1'

const DEFAULT_MAX_ENCRYPTED_DATA_KEYS = 64

/** A record that was read; nothing in it is authenticated until {@link authenticateRecord} says so. */
export interface DetachedRecord {
  readonly id: Uint8Array
  /** The header that the message has. */
  readonly header: DecodedHeader
  readonly encryptedDataKeys: readonly EncryptedDataKey[]
  /** The same as bytes: count ‖ keys. */
  readonly keys: Uint8Array
  readonly mac: Uint8Array
}

/**
 * What a message is written with whose keys go to a record: materials that show one key, which names the record.
 *
 * @throws LimitError when there are more encrypted data keys than may be written
 */
export function detach(
  { random, maxEncryptedDataKeys }: Encryption,
  materials: EncryptionMaterials,
): { readonly materials: EncryptionMaterials; readonly record: (message: Uint8Array) => Uint8Array<ArrayBuffer> } {
  const { suite, encryptionContext, serializedContext, dataKey, encryptedDataKeys, signingKey, signal } = materials
  assertKeyCount(encryptedDataKeys.length, maxEncryptedDataKeys)
  const id = random.take(RECORD_ID_BYTES)
  const shown: EncryptionMaterials = {
    ...{ suite, encryptionContext, serializedContext, dataKey, signingKey, signal },
    encryptedDataKeys: [keyOf(id)],
    setDataKey: (key) => {
      materials.setDataKey(key)
    },
    addEncryptedDataKey: (key) => {
      materials.addEncryptedDataKey(key)
    },
    random: (length) => materials.random(length),
    dispose: () => {
      materials.dispose()
    },
  }
  const record = (message: Uint8Array): Uint8Array<ArrayBuffer> =>
    writeRecord(id, readWholeHeader(message, 1).parsed, encryptedDataKeys, dataKey ?? new Uint8Array(0))
  return { materials: shown, record }
}

/** Throws UnsupportedError for a suite whose derivation has no key for the record's MAC. */
export function assertDetachable({ isCommitting, name }: AlgorithmSuite): void {
  if (!isCommitting) throw new UnsupportedError(`${name} has no detached keys: use a suite that commits to its key`)
}

/** The one key of a message with detached keys. No part of it is empty, which some readers would not take. */
function keyOf(id: Uint8Array): EncryptedDataKey {
  return { providerId: PROVIDER_ID, providerInfo: id, ciphertext: Uint8Array.of(VERSION) }
}

/**
 * The record (docs/decisions/0004-detached-keys.md): version ‖ record id ‖ the message's header with these keys in the
 * place of its own ‖ MAC.
 *
 * @param header as the message has it
 */
export function writeRecord(
  id: Uint8Array,
  header: ParsedHeader,
  encryptedDataKeys: readonly EncryptedDataKey[],
  dataKey: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const keys = serializeKeys(encryptedDataKeys)
  const mac = macOf(header, keys, dataKey)
  return concatBytes(Uint8Array.of(VERSION), id, replaceKeys(header.body, 2, keys), header.tag, mac)
}

/**
 * HMAC-SHA-512 over SHA-512(header) ‖ keys. Its key is another one than those of the message: HKDF-Expand of the same
 * pseudorandom key under a label of its own.
 */
function macOf({ messageId, body, tag }: ParsedHeader, keys: Uint8Array, dataKey: Uint8Array): Uint8Array {
  const info = encodeUtf8(MAC_LABEL, 'label')
  const key = hkdf('sha512', dataKey, { salt: messageId, info, length: MAC_BYTES })
  try {
    return hmac('sha512', key, concatBytes(sha512(concatBytes(body, tag)), keys))
  } finally {
    key.fill(0)
  }
}

/**
 * Reads a record, of which it keeps copies.
 *
 * @throws TypeError, FormatError; LimitError when it has more than `maxEncryptedDataKeys`
 */
export function readRecord(record: Uint8Array, maxEncryptedDataKeys: number): DetachedRecord {
  assertBytes(record, 'the record of detached keys')
  if (record.length > 0 && record[0] !== VERSION) throw new FormatError('this is no record of detached keys, version 1')
  const { parsed, suite } = readWholeHeader(record.subarray(HEADER_OFFSET), maxEncryptedDataKeys)
  if (!suite.isCommitting || record.length !== HEADER_OFFSET + parsed.byteLength + MAC_BYTES) {
    throw new FormatError('the record of detached keys is cut off, bytes follow it, or its suite has none')
  }
  const id = copyBytes(record.subarray(1, HEADER_OFFSET))
  const header = concatBytes(replaceKeys(parsed.body, 2, serializeKeys([keyOf(id)])), parsed.tag)
  const { encryptedDataKeys } = parsed
  return {
    id,
    header: readWholeHeader(header, 1),
    encryptedDataKeys,
    keys: serializeKeys(encryptedDataKeys),
    mac: copyBytes(record.subarray(record.length - MAC_BYTES)),
  }
}

/** Throws AuthenticationError unless the record is one that the holder of the message's data key has written. */
export function authenticateRecord({ header, keys, mac }: DetachedRecord, dataKey: Uint8Array | undefined): void {
  if (dataKey === undefined || !timingSafeEqual(macOf(header.parsed, keys, dataKey), mac))
    throw new AuthenticationError()
}

export interface DetachedKeysOptions {
  /** Refuses records with more encrypted data keys, before any keyring is asked. Default 64. */
  readonly maxEncryptedDataKeys?: number | undefined
}

/**
 * Reads a message whose keys are in a record: for `decryptSync`, or for one record and several calls. To `decrypt`,
 * `decryptStream`, `openMessage` and `decryptRange` the record is given as `detachedKeys`, which is the same.
 *
 * @param source a keyring or a materials manager
 * @param record what `encrypt` with `detachedKeys: true` or {@link rewrapKeys} has answered
 * @throws TypeError, RangeError, FormatError or LimitError for what is no record. The call that reads throws
 *   KeyUnavailableError when it is the record of another message, and AuthenticationError when its keys were changed
 */
export function detachedKeys(
  source: Keyring | MaterialsManager,
  record: Uint8Array,
  options: DetachedKeysOptions = {},
): MaterialsManager {
  return {
    ...detachedManager(decryptionManager(source), record, options),
    encryptionMaterials: () => {
      throw new UnsupportedError('a record of detached keys reads one message and writes none')
    },
  }
}

/** The manager with the keys of the record in the place of those in its message's header. */
export function detachedManager(
  manager: DecryptionManager,
  record: Uint8Array,
  { maxEncryptedDataKeys = DEFAULT_MAX_ENCRYPTED_DATA_KEYS }: DetachedKeysOptions,
): DecryptionManager {
  assertEncryptedDataKeyLimit(maxEncryptedDataKeys)
  const read = readRecord(record, maxEncryptedDataKeys)
  const asking = (request: DecryptionRequest): DecryptionRequest => {
    assertIsRecordOf(read, request.encryptedDataKeys)
    return { ...request, encryptedDataKeys: read.encryptedDataKeys }
  }
  const answering = (materials: DecryptionMaterials): DecryptionMaterials => {
    try {
      authenticateRecord(read, materials.dataKey)
      return materials
    } catch (error) {
      materials.dispose()
      throw error
    }
  }
  const detached: DecryptionManager = {
    requiredEncryptionContextKeys: manager.requiredEncryptionContextKeys,
    decryptionMaterials: (request) => whenHere(manager.decryptionMaterials(asking(request)), answering),
  }
  const sync = manager.decryptionMaterialsSync?.bind(manager)
  if (sync !== undefined) detached.decryptionMaterialsSync = (request) => answering(sync(asking(request)))
  return detached
}

function assertIsRecordOf({ id }: DetachedRecord, encryptedDataKeys: readonly EncryptedDataKey[]): void {
  const [key] = encryptedDataKeys
  if (encryptedDataKeys.length !== 1 || key?.providerId !== PROVIDER_ID) {
    throw new KeyUnavailableError('the keys of this message are in its header: it has no record of detached keys')
  }
  if (compareBytes(key.providerInfo, id) !== 0) {
    throw new KeyUnavailableError('the record of detached keys is that of another message')
  }
}
