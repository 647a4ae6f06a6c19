import { argon2id } from 'hash-wasm'
import { concatBytes } from '../../bindings/bytes.ts'
import { GcmKey } from '../../bindings/gcm.ts'
import { DisposedError } from '../../bindings/errors.ts'
import { hkdf, timingSafeEqual } from '../../bindings/hash.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import {
  AuthenticationError,
  FormatError,
  unwrapFailure,
  UnsupportedError,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
} from '../../src/index.ts'

export interface PassphraseKeyringOptions {
  /** 1 to 4,096 bytes of UTF-8 in Unicode's composed form (NFC), into which it is brought. */
  readonly passphrase: string
}

export interface PassphraseKeyring extends Keyring {
  /** Wipes the passphrase's bytes; the string that was given is not the keyring's to wipe. */
  dispose(): void
}

/** The parameters of Argon2id (RFC 9106 §3.1), as they stand in a message. */
interface Argon2Parameters {
  readonly memoryKib: number
  readonly passes: number
  readonly lanes: number
  readonly salt: Uint8Array
}

const PROVIDER_ID = 'waxseal-passphrase'
const VERSION = 1
const SALT_BYTES = 16
/** version u8 ‖ memory in KiB u32 ‖ passes u8 ‖ lanes u8 ‖ salt 16. */
const INFO_BYTES = 7 + SALT_BYTES

const WRITTEN = { memoryKib: 64 * 1024, passes: 3, lanes: 1 }
const MIN_MEMORY_KIB = 19 * 1024
const MAX_MEMORY_KIB = 256 * 1024
const MAX_PASSES = 10
const MAX_LANES = 4
/** A header is not authenticated yet when it makes us work: of more only the first are tried. */
const MAX_ATTEMPTS = 2

const MAX_PASSPHRASE_BYTES = 4096
const COMMITMENT_BYTES = 32
const TAG_BYTES = 16

/** Each salt makes a key of its own, which serves once. */
const IV = new Uint8Array(12)

/** The smallest module: magic number and version (WebAssembly core specification §5.5.16). */
const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0)

/**
 * Wraps data keys under a passphrase, by Argon2id with 64 MiB, 3 passes and a salt for each message, with the encryption
 * context bound to them. Messages that ask for less than 19 MiB, more than 256 MiB, 10 passes or 4 lanes are refused
 * before any work.
 *
 * Each message takes a noticeable part of a second and 64 MiB; one is computed at a time. It is asynchronous: no
 * `encryptSync` and `decryptSync`. Messages that it wrote open in waxseal only.
 * Source: RFC 9106 (Argon2), RFC 5869 (HKDF).
 *
 * @throws TypeError when the passphrase is no well-formed string, RangeError when it is empty or too long
 * @throws UnsupportedError where code may not be compiled from bytes: Cloudflare Workers, and pages without
 *   `'wasm-unsafe-eval'`
 */
export function passphraseKeyring({ passphrase }: PassphraseKeyringOptions): PassphraseKeyring {
  encodeUtf8(passphrase, 'passphrase')
  const bytes = encodeUtf8(passphrase.normalize('NFC'), 'passphrase')
  if (bytes.length === 0 || bytes.length > MAX_PASSPHRASE_BYTES) {
    throw new RangeError(`passphrase must have 1 to ${String(MAX_PASSPHRASE_BYTES)} bytes of UTF-8`)
  }
  assertCompiles()
  let isDisposed = false
  /** A copy for each call: a disposal meanwhile must not leave it with zeros for a passphrase. */
  const withCopy = async <T>(use: (copy: Uint8Array) => Promise<T>): Promise<T> => {
    if (isDisposed) throw new DisposedError('the passphrase keyring')
    const copy = bytes.slice()
    try {
      return await use(copy)
    } finally {
      copy.fill(0)
    }
  }
  return {
    wrap: (materials) => withCopy((copy) => wrap(copy, materials)),
    unwrap: (materials, encryptedDataKeys) => withCopy((copy) => unwrap(copy, materials, encryptedDataKeys)),
    dispose: () => {
      isDisposed = true
      bytes.fill(0)
    },
  }
}

function assertCompiles(): void {
  try {
    // WebKit refuses a module when it is instantiated.
    new WebAssembly.Instance(new WebAssembly.Module(EMPTY_MODULE))
  } catch (cause) {
    throw new UnsupportedError(
      "passphraseKeyring compiles WebAssembly from bytes: not on Cloudflare Workers, nor in pages without 'wasm-unsafe-eval'",
      { cause },
    )
  }
}

async function wrap(passphrase: Uint8Array, materials: EncryptionMaterials): Promise<void> {
  if (materials.dataKey === undefined) materials.setDataKey(materials.random(materials.suite.keyBytes))
  const parameters = { ...WRITTEN, salt: materials.random(SALT_BYTES) }
  const info = serializeParameters(parameters)
  const keys = await deriveKeys(passphrase, parameters, info, materials.signal)
  const cipher = new GcmKey(keys.subarray(COMMITMENT_BYTES))
  try {
    materials.signal?.throwIfAborted()
    const aad = concatBytes(info, materials.serializedContext)
    const sealed = cipher.seal(IV, materials.dataKey ?? new Uint8Array(0), aad)
    const ciphertext = concatBytes(keys.subarray(0, COMMITMENT_BYTES), sealed)
    materials.addEncryptedDataKey({ providerId: PROVIDER_ID, providerInfo: info, ciphertext })
  } finally {
    cipher.dispose()
    keys.fill(0)
  }
}

async function unwrap(
  passphrase: Uint8Array,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array | undefined> {
  const own = encryptedDataKeys.filter(({ providerId }) => providerId === PROVIDER_ID)
  const reasons: unknown[] = []
  for (const encryptedDataKey of own.slice(0, MAX_ATTEMPTS)) {
    materials.signal?.throwIfAborted()
    try {
      return await open(passphrase, materials, encryptedDataKey)
    } catch (error) {
      reasons.push(error)
    }
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure('passphrase keyring', reasons)
}

async function open(
  passphrase: Uint8Array,
  { suite, serializedContext, signal }: DecryptionMaterials,
  { providerInfo, ciphertext }: EncryptedDataKey,
): Promise<Uint8Array> {
  const parameters = parseParameters(providerInfo)
  if (ciphertext.length !== COMMITMENT_BYTES + suite.keyBytes + TAG_BYTES) {
    throw new FormatError(`the encrypted data key has ${String(ciphertext.length)} bytes, not those of ${suite.name}`)
  }
  const keys = await deriveKeys(passphrase, parameters, providerInfo, signal)
  const cipher = new GcmKey(keys.subarray(COMMITMENT_BYTES))
  try {
    const commitment = ciphertext.subarray(0, COMMITMENT_BYTES)
    if (!timingSafeEqual(keys.subarray(0, COMMITMENT_BYTES), commitment)) throw new AuthenticationError()
    return cipher.open(IV, ciphertext.subarray(COMMITMENT_BYTES), concatBytes(providerInfo, serializedContext))
  } finally {
    cipher.dispose()
    keys.fill(0)
  }
}

function serializeParameters({ memoryKib, passes, lanes, salt }: Argon2Parameters): Uint8Array<ArrayBuffer> {
  const info = new Uint8Array(INFO_BYTES)
  info[0] = VERSION
  new DataView(info.buffer).setUint32(1, memoryKib)
  info[5] = passes
  info[6] = lanes
  info.set(salt, 7)
  return info
}

/** @throws FormatError for another form, or parameters out of the bounds */
function parseParameters(info: Uint8Array): Argon2Parameters {
  if (info.length !== INFO_BYTES || info[0] !== VERSION) throw new FormatError('not the parameters of a passphrase')
  const memoryKib = new DataView(info.buffer, info.byteOffset, info.length).getUint32(1)
  const [passes = 0, lanes = 0] = info.subarray(5, 7)
  const isMemory = memoryKib >= MIN_MEMORY_KIB && memoryKib <= MAX_MEMORY_KIB
  if (!isMemory || passes < 1 || passes > MAX_PASSES || lanes < 1 || lanes > MAX_LANES) {
    throw new FormatError('the message asks for more or less work for its passphrase than is allowed')
  }
  return { memoryKib, passes, lanes, salt: info.slice(7) }
}

/** One computation at a time: each takes as much memory as its message asks for. */
let last: Promise<unknown> = Promise.resolve()

/** Commitment ‖ wrapping key: HKDF-SHA-512 over what Argon2id makes of the passphrase. */
async function deriveKeys(
  passphrase: Uint8Array,
  { memoryKib, passes, lanes, salt }: Argon2Parameters,
  info: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const work = last.then(() => {
    // Nobody computes for a caller that has gone while others were before it.
    signal?.throwIfAborted()
    return argon2id({
      password: passphrase,
      salt,
      memorySize: memoryKib,
      iterations: passes,
      parallelism: lanes,
      hashLength: 32,
      outputType: 'binary',
    })
  })
  last = work.catch(() => undefined)
  const stretched = await work
  try {
    const label = encodeUtf8('waxseal passphrase v1', 'label')
    return hkdf('sha512', stretched, { info: concatBytes(label, info), length: 64 })
  } finally {
    stretched.fill(0)
  }
}
