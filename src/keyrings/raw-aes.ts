import { assertLength } from '../../bindings/bytes.ts'
import { GcmKey } from '../../bindings/gcm.ts'
import { concatBytes } from '../bytes.ts'
import type { DecryptionMaterials, EncryptedDataKey, EncryptionMaterials, Keyring } from '../materials.ts'
import { unwrapFailure, wrongDataKeyLength } from '../materials.ts'
import { keyName, type KeyName } from './key-name.ts'

const IV_BYTES = 12
const TAG_BYTES = 16

/** tag length in bits u32 ‖ IV length in bytes u32, between the key name and the IV of the provider information. */
const IV_AND_TAG_LENGTHS = Uint8Array.of(0, 0, 0, TAG_BYTES * 8, 0, 0, 0, IV_BYTES)

export interface RawAesKeyringOptions {
  /** Names the source of the key, like a folder: 1–65,535 bytes of UTF-8; must not begin with `aws-kms`. */
  readonly namespace: string
  /** Names the key within the namespace. Neither name is secret; both are stored in the message. */
  readonly name: string
  /** 16, 24 or 32 bytes. Copied; the caller may wipe it. */
  readonly wrappingKey: Uint8Array
}

export interface RawAesKeyring extends Keyring {
  wrapSync(materials: EncryptionMaterials): void
  unwrapSync(materials: DecryptionMaterials, encryptedDataKeys: readonly EncryptedDataKey[]): Uint8Array | undefined
  /** Wipes the wrapping key; the keyring then throws `DisposedError`. */
  dispose(): void
}

/**
 * Wraps data keys with AES-GCM under a key that you hold, binding the encryption context.
 *
 * A wrapping key may wrap at most 2^32 data keys: the IVs are random (SP 800-38D §8.3).
 * Source: aws-encryption-sdk-specification, framework/raw-aes-keyring.md.
 *
 * @throws TypeError for names that are no well-formed strings or a key that is no `Uint8Array`
 * @throws RangeError for a key of another length, an empty name or a namespace that begins with `aws-kms`
 */
export function rawAesKeyring(options: RawAesKeyringOptions): RawAesKeyring {
  const key = keyName(options)
  assertLength(options.wrappingKey, 'wrappingKey', 16, 24, 32)
  const cipher = new GcmKey(options.wrappingKey)
  return {
    wrap: (materials) => {
      wrap(key, cipher, materials)
    },
    unwrap: (materials, encryptedDataKeys) => unwrap(key, cipher, materials, encryptedDataKeys),
    wrapSync: (materials) => {
      wrap(key, cipher, materials)
    },
    unwrapSync: (materials, encryptedDataKeys) => unwrap(key, cipher, materials, encryptedDataKeys),
    dispose: () => {
      cipher.dispose()
    },
  }
}

function wrap(key: KeyName, cipher: GcmKey, materials: EncryptionMaterials): void {
  const { suite, serializedContext } = materials
  if (materials.dataKey === undefined) materials.setDataKey(materials.random(suite.keyBytes))
  const iv = materials.random(IV_BYTES)
  materials.addEncryptedDataKey({
    providerId: key.namespace,
    providerInfo: concatBytes(key.nameBytes, IV_AND_TAG_LENGTHS, iv),
    ciphertext: cipher.seal(iv, materials.dataKey ?? new Uint8Array(0), serializedContext),
  })
}

function unwrap(
  key: KeyName,
  cipher: GcmKey,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Uint8Array | undefined {
  const reasons: unknown[] = []
  for (const { providerId, providerInfo, ciphertext } of encryptedDataKeys) {
    const iv = providerId === key.namespace ? readIv(key, providerInfo) : undefined
    if (iv === undefined) continue
    try {
      if (ciphertext.length !== materials.suite.keyBytes + TAG_BYTES) {
        throw wrongDataKeyLength(materials.suite, ciphertext.length - TAG_BYTES)
      }
      return cipher.open(iv, ciphertext, materials.serializedContext)
    } catch (error) {
      reasons.push(error)
    }
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure(`raw AES keyring ${key.label}`, reasons)
}

/** The IV when the provider information is of this key, with the lengths that this keyring writes. */
function readIv(key: KeyName, providerInfo: Uint8Array): Uint8Array | undefined {
  const lengthsOffset = key.nameBytes.length
  const ivOffset = lengthsOffset + IV_AND_TAG_LENGTHS.length
  if (providerInfo.length !== ivOffset + IV_BYTES) return undefined
  const isOwn = holdsAt(providerInfo, 0, key.nameBytes) && holdsAt(providerInfo, lengthsOffset, IV_AND_TAG_LENGTHS)
  return isOwn ? providerInfo.slice(ivOffset) : undefined
}

function holdsAt(bytes: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[offset + i] !== expected[i]) return false
  return true
}
