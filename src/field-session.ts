import { assertBytes } from '../bindings/bytes.ts'
import { withSymbolDispose } from '../bindings/gcm.ts'
import { endWith, now, whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { serializeHeader } from '../bindings/message.ts'
import { encodeUtf8 } from '../bindings/text.ts'
import { concatBytes, copyBytes } from './bytes.ts'
import { canonicalContext, contextPairs, pairsBeside, pairsOf, type EncryptionContext } from './context.ts'
import { decryptionManager } from './decryption-materials.ts'
import { decryptionCall, decryptionOf, type Decryption, type DecryptionCall } from './decryption.ts'
import { encryptionManager, type EncryptionManager } from './encryption-materials.ts'
import { assertMaterials, prepareEncryption, type Encryption } from './encryption.ts'
import { AuthenticationError, FormatError, KeyUnavailableError, LimitError, UnsupportedError } from './errors.ts'
import {
  assertApart,
  authenticatedHeader,
  FIELD_OVERHEAD_BYTES,
  FieldCipher,
  SESSION_ID_BYTES,
} from './field-cipher.ts'
import type { DecryptionMaterials, EncryptionMaterials, Keyring, MaterialsManager } from './materials.ts'
import { assertInteger } from './materials-cache.ts'
import { readWholeHeader } from './message-header.ts'
import { assertHolds } from './message-reader.ts'
import { assertOptions } from './options.ts'

export { FIELD_OVERHEAD_BYTES } from './field-cipher.ts'

const SUITE_ID = 0x0478

/** "wfs" and the version, before a header in the layout of a version 2 message. */
const MARK = Uint8Array.of(0x77, 0x66, 0x73, 1)

/** Of the frames that a session does not have. */
const FRAME_LENGTH = 0xffffffff

const MAX_VALUES = 2 ** 32 - 1
const MAX_BYTES = 2 ** 40

export interface FieldSessionSyncOptions {
  /** Pairs that are authenticated with the session and readable in its header. */
  readonly encryptionContext?: EncryptionContext | undefined
  /** Keys of pairs that are authenticated and stay out of the header: whoever opens the session gives them again. */
  readonly requiredEncryptionContextKeys?: readonly string[] | undefined
  /** Refuses to write a header with more encrypted data keys. Default 65,535. */
  readonly maxEncryptedDataKeys?: number | undefined
  /** Most values that the session seals, 1 to 2^32−1. Default 2^32−1. */
  readonly maxValues?: number | undefined
  /**
   * Most plaintext bytes that it seals, 1 to 2^40; of a cached data key (`cachingMaterials`) it takes this many. Default
   * 2^40.
   */
  readonly maxBytes?: number | undefined
}

export interface FieldSessionOptions extends FieldSessionSyncOptions {
  readonly signal?: AbortSignal | undefined
}

export interface OpenFieldSessionSyncOptions {
  /** Pairs that the session must have, those included that its header does not store. */
  readonly encryptionContext?: EncryptionContext | undefined
  /** Keys of the pairs that the header does not store. Each must be in `encryptionContext`. */
  readonly requiredEncryptionContextKeys?: readonly string[] | undefined
  /** Refuses headers with more encrypted data keys, before any keyring is asked. Default 64. */
  readonly maxEncryptedDataKeys?: number | undefined
}

export interface OpenFieldSessionOptions extends OpenFieldSessionSyncOptions {
  readonly signal?: AbortSignal | undefined
}

/** Decrypts the values of one session. */
export interface FieldReader {
  /** The pairs that the header stores, authenticated. Frozen, null prototype. */
  readonly encryptionContext: EncryptionContext
  /**
   * Verifies and decrypts a value.
   *
   * @param field and `record` name the place that it was sealed for
   * @throws AuthenticationError when session, place or any byte is another; FormatError for what is no value;
   *   TypeError or RangeError for names that are none; DisposedError
   */
  decrypt(field: string, record: string, value: Uint8Array): Uint8Array<ArrayBuffer>
  /**
   * As {@link FieldReader.decrypt}, to the start of `output`, which must not overlap the value and stays untouched on
   * failure. Answers the bytes written, `FIELD_OVERHEAD_BYTES` fewer than the value has.
   */
  decryptInto(field: string, record: string, value: Uint8Array, output: Uint8Array): number
  /** Wipes the key; every later call throws DisposedError. */
  dispose(): void
}

/** Encrypts values, and decrypts its own. */
export interface FieldSession extends FieldReader {
  /** What opens the session, to be kept beside its values; no secret. */
  readonly header: Uint8Array<ArrayBuffer>
  /**
   * Encrypts and authenticates a value for its place.
   *
   * @param field name of the field, 1 to 65,535 bytes of UTF-8; both names are authenticated and not stored
   * @param record name of the record, not empty
   * @returns version ‖ counter ‖ ciphertext ‖ tag, `FIELD_OVERHEAD_BYTES` (21) more than the plaintext has
   * @throws LimitError when the session has sealed all that it may; TypeError or RangeError; DisposedError
   */
  encrypt(field: string, record: string, plaintext: Uint8Array): Uint8Array<ArrayBuffer>
  /**
   * As {@link FieldSession.encrypt}, to the start of `output`, which must not overlap the plaintext and stays untouched
   * on failure. Answers the bytes written.
   */
  encryptInto(field: string, record: string, plaintext: Uint8Array, output: Uint8Array): number
}

/**
 * Begins a session that encrypts many small values under one key, each in its own right and at once: what a request or
 * a batch needs, in the time of one message and a microsecond for each value. Keep `header` beside the values.
 *
 * Each value is sealed under AES-256-GCM with a counter as IV. So a session must never be copied while it lives: do not
 * keep one in a snapshot of a process or a virtual machine that is resumed twice. It cannot be stored or resumed; the
 * header opens a session that decrypts. This is a format of waxseal's own, docs/decisions/0003-field-sessions.md.
 *
 * @param source a keyring or a materials manager; a `cachingMaterials` saves the request to its key service
 * @throws as `encrypt` does
 */
export async function createFieldSession(
  source: Keyring | MaterialsManager,
  options: FieldSessionOptions = {},
): Promise<FieldSession> {
  const manager = encryptionManager(source)
  const plan = prepare(manager, options)
  plan.encryption.request.signal?.throwIfAborted()
  return create(plan, () => manager.encryptionMaterials(plan.encryption.request))
}

/**
 * {@link createFieldSession} without waiting, for keyrings that need no I/O.
 *
 * @throws UnsupportedError when the keyring or manager works asynchronously only, before any work
 */
export function createFieldSessionSync(
  source: Keyring | MaterialsManager,
  options: FieldSessionSyncOptions = {},
): FieldSession {
  const manager = encryptionManager(source)
  const get = manager.encryptionMaterialsSync?.bind(manager)
  if (get === undefined) throw new UnsupportedError('this keyring does not work without waiting: createFieldSession')
  const plan = prepare(manager, options)
  return now(create(plan, () => get(plan.encryption.request)))
}

/**
 * Opens the session of a header, to decrypt its values.
 *
 * @param source a keyring or a materials manager
 * @param header the bytes of {@link FieldSession.header}
 * @throws as `decrypt` does: nothing of the header is answered before it is authenticated
 */
export async function openFieldSession(
  source: Keyring | MaterialsManager,
  header: Uint8Array,
  options: OpenFieldSessionOptions = {},
): Promise<FieldReader> {
  const manager = decryptionManager(source)
  const decryption = readSessionHeader(header, decryptionCall(manager, options, false))
  decryption.request.signal?.throwIfAborted()
  return open(decryption, () => manager.decryptionMaterials(decryption.request))
}

/**
 * {@link openFieldSession} without waiting, for keyrings that need no I/O.
 *
 * @throws UnsupportedError when the keyring or manager works asynchronously only, before any work
 */
export function openFieldSessionSync(
  source: Keyring | MaterialsManager,
  header: Uint8Array,
  options: OpenFieldSessionSyncOptions = {},
): FieldReader {
  const manager = decryptionManager(source)
  const get = manager.decryptionMaterialsSync?.bind(manager)
  if (get === undefined) throw new UnsupportedError('this keyring does not work without waiting: openFieldSession')
  const decryption = readSessionHeader(header, decryptionCall(manager, options, true))
  return now(open(decryption, () => get(decryption.request)))
}

/** A checked call: the limits of the session, and what its header asks of the materials. */
interface Plan {
  readonly encryption: Encryption
  readonly maxValues: number
  readonly maxBytes: number
}

function prepare(manager: EncryptionManager, options: FieldSessionOptions): Plan {
  assertOptions(options)
  const { maxValues = MAX_VALUES, maxBytes = MAX_BYTES } = options
  const { encryptionContext, requiredEncryptionContextKeys, maxEncryptedDataKeys, signal } = options
  assertInteger(maxValues, 'maxValues', 1, MAX_VALUES)
  assertInteger(maxBytes, 'maxBytes', 1, MAX_BYTES)
  const header = { encryptionContext, requiredEncryptionContextKeys, maxEncryptedDataKeys, signal }
  const asked = { ...header, algorithmSuite: SUITE_ID, frameLength: FRAME_LENGTH, engine: 'wasm' } as const
  return { encryption: prepareEncryption(manager, asked, maxBytes, true), maxValues, maxBytes }
}

function create(plan: Plan, get: () => MaybePromise<EncryptionMaterials>): MaybePromise<FieldSession> {
  const { random, request } = plan.encryption
  return endWith(
    () =>
      whenHere(get(), (materials) => {
        try {
          request.signal?.throwIfAborted()
          return writeSession(plan, materials)
        } finally {
          materials.dispose()
        }
      }),
    () => {
      random.wipe()
    },
  )
}

function writeSession({ encryption, maxValues, maxBytes }: Plan, materials: EncryptionMaterials): FieldSession {
  assertMaterials(encryption, materials)
  const { random, requiredKeys } = encryption
  const { suite, dataKey, encryptionContext, encryptedDataKeys } = materials
  if (dataKey === undefined) throw new TypeError('the materials have no data key')
  const id = random.take(SESSION_ID_BYTES)
  const cipher = new FieldCipher(dataKey, id, derivationInfo())
  try {
    const stored = pairsBeside(encryptionContext, requiredKeys)
    const { commitment } = cipher
    const fields = { suite, messageId: id, context: contextPairs(stored), encryptedDataKeys, commitment }
    const body = serializeHeader({ ...fields, frameLength: FRAME_LENGTH })
    const required = canonicalContext(pairsOf(encryptionContext, requiredKeys))
    const header = concatBytes(MARK, body, cipher.sealHeader(authenticatedHeader(MARK, body, required)))
    return fieldSession(cipher, header, stored, { maxValues, maxBytes })
  } catch (error) {
    cipher.dispose()
    throw error
  }
}

/** "waxseal field session v1" ‖ suite id u16. */
function derivationInfo(): Uint8Array {
  return concatBytes(encodeUtf8('waxseal field session v1', 'info'), Uint8Array.of(SUITE_ID >>> 8, SUITE_ID & 0xff))
}

function fieldSession(
  cipher: FieldCipher,
  header: Uint8Array<ArrayBuffer>,
  encryptionContext: EncryptionContext,
  { maxValues, maxBytes }: { readonly maxValues: number; readonly maxBytes: number },
): FieldSession {
  let counter = 0
  let bytes = 0
  /** Takes the next counter, for this value and never again, whatever becomes of it. */
  const next = (plaintext: Uint8Array): number => {
    if (counter >= maxValues || plaintext.length > maxBytes - bytes) {
      throw new LimitError('this field session has sealed all that it may: make a new one')
    }
    bytes += plaintext.length
    return ++counter
  }
  const encryptInto = (field: string, record: string, plaintext: Uint8Array, output: Uint8Array): number => {
    const aad = cipher.additionalData(counter + 1, field, record)
    return cipher.sealInto(next(plaintext), aad, plaintext, output)
  }
  return withSymbolDispose({
    ...fieldReader(cipher, encryptionContext),
    header,
    encrypt(field, record, plaintext) {
      cipher.assertUsable()
      assertBytes(plaintext, 'plaintext')
      const output = new Uint8Array(plaintext.length + FIELD_OVERHEAD_BYTES)
      encryptInto(field, record, plaintext, output)
      return output
    },
    encryptInto(field, record, plaintext, output) {
      cipher.assertUsable()
      assertBytes(plaintext, 'plaintext')
      assertApart(output, plaintext, plaintext.length + FIELD_OVERHEAD_BYTES)
      return encryptInto(field, record, plaintext, output)
    },
  })
}

function fieldReader(cipher: FieldCipher, encryptionContext: EncryptionContext): FieldReader {
  return {
    encryptionContext,
    decrypt: (field, record, value) => cipher.open(field, record, value),
    decryptInto: (field, record, value, output) => cipher.openInto(field, record, value, output),
    dispose: () => {
      cipher.dispose()
    },
  }
}

/** Reads a header, which is not authenticated yet, and holds it against the call. */
function readSessionHeader(bytes: Uint8Array, call: DecryptionCall): Decryption {
  assertBytes(bytes, 'header')
  const copy = copyBytes(bytes)
  if (MARK.some((byte, i) => copy[i] !== byte)) throw new FormatError('not the header of a field session of version 1')
  const header = readWholeHeader(copy.subarray(MARK.length), call.maxEncryptedDataKeys)
  const { contentType, frameLength, byteLength } = header.parsed
  if (header.suite.id !== SUITE_ID || contentType !== 'framed' || frameLength !== FRAME_LENGTH) {
    throw new FormatError('not the header of a field session: its suite or its content is another')
  }
  if (copy.length !== MARK.length + byteLength) throw new FormatError('bytes follow the header of the field session')
  const decryption = decryptionOf(header, call)
  const confirm = (dataKey: Uint8Array): boolean => {
    const cipher = openCipher(decryption, dataKey)
    cipher?.dispose()
    return cipher !== undefined
  }
  return { ...decryption, request: { ...decryption.request, confirm } }
}

/** The session's key once its header is authentic under it; undefined when it is not. */
function openCipher({ header, expected }: Decryption, dataKey: Uint8Array): FieldCipher | undefined {
  const { messageId, commitment, body, tag } = header.parsed
  const cipher = new FieldCipher(dataKey, messageId, derivationInfo())
  const authenticated = authenticatedHeader(MARK, body, canonicalContext(expected.reproduced))
  if (commitment !== undefined && cipher.authenticates(commitment, authenticated, tag)) return cipher
  cipher.dispose()
  return undefined
}

function open(decryption: Decryption, get: () => MaybePromise<DecryptionMaterials>): MaybePromise<FieldReader> {
  const { header, expected, request } = decryption
  return whenHere(get(), (materials) => {
    try {
      request.signal?.throwIfAborted()
      if (materials.suite.id !== SUITE_ID) throw new TypeError('the materials are of another algorithm suite')
      if (materials.dataKey === undefined) throw new KeyUnavailableError('the materials have no data key')
      const cipher = openCipher(decryption, materials.dataKey)
      if (cipher === undefined) throw new AuthenticationError()
      try {
        assertHolds(header.context, expected)
      } catch (error) {
        cipher.dispose()
        throw error
      }
      return withSymbolDispose(fieldReader(cipher, header.context))
    } finally {
      materials.dispose()
    }
  })
}
