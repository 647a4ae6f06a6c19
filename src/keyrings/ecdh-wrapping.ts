import type { EcdhCurve } from '../../bindings/asymmetric.ts'
import { GcmKey } from '../../bindings/gcm.ts'
import { timingSafeEqual } from '../../bindings/hash.ts'
import { kdfCounter } from '../../bindings/kdf-counter.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import { compareBytes, concatBytes } from '../bytes.ts'
import { AuthenticationError } from '../errors.ts'
import { wrongDataKeyLength, type DecryptionMaterials, type EncryptionMaterials } from '../materials.ts'

/** Version of the construction, in the provider information and in the fixed info. */
const VERSION = 1
const LENGTH_BYTES = 4

const NONCE_BYTES = 32
const COMMITMENT_BYTES = 32
const WRAPPING_KEY_BYTES = 32
const TAG_BYTES = 16
const DATA_KEY_OFFSET = NONCE_BYTES + COMMITMENT_BYTES

/** A wrapping key serves one nonce, so that its only IV is zero. */
const IV = new Uint8Array(12)
const ZERO = Uint8Array.of(0)

/** The compressed points of both parties. */
export interface EcdhParties {
  readonly sender: Uint8Array
  readonly recipient: Uint8Array
}

/** Provider information: 01 ‖ length u32 ‖ recipient ‖ length u32 ‖ sender. */
export function serializeParties({ sender, recipient }: EcdhParties): Uint8Array<ArrayBuffer> {
  return concatBytes(Uint8Array.of(VERSION), lengthOf(recipient), recipient, lengthOf(sender), sender)
}

/** Undefined when the provider information is of another form. What it names need not be points. */
export function parseParties(providerInfo: Uint8Array): EcdhParties | undefined {
  if (providerInfo[0] !== VERSION) return undefined
  const recipient = field(providerInfo, 1)
  if (recipient === undefined) return undefined
  const end = 1 + LENGTH_BYTES + recipient.length
  const sender = field(providerInfo, end)
  return sender && end + LENGTH_BYTES + sender.length === providerInfo.length ? { sender, recipient } : undefined
}

function lengthOf({ length }: Uint8Array): Uint8Array {
  return Uint8Array.of(0, 0, length >>> 8, length & 0xff)
}

/** The field that begins with its length at `offset`. */
function field(bytes: Uint8Array, offset: number): Uint8Array | undefined {
  if (offset + LENGTH_BYTES > bytes.length) return undefined
  const length = bytes.subarray(offset, offset + LENGTH_BYTES).reduce((value, byte) => value * 256 + byte, 0)
  const start = offset + LENGTH_BYTES
  return start + length > bytes.length ? undefined : bytes.subarray(start, start + length)
}

/** Whether both are the same parties in the same roles. */
function areSame(a: EcdhParties, b: EcdhParties): boolean {
  return compareBytes(a.sender, b.sender) === 0 && compareBytes(a.recipient, b.recipient) === 0
}

/** The party that is not oneself; undefined when the parties are not these. Without `other` one is the recipient. */
export function peerOf(parties: EcdhParties, own: Uint8Array, other: Uint8Array | undefined): Uint8Array | undefined {
  if (other === undefined) return areSame(parties, { ...parties, recipient: own }) ? parties.sender : undefined
  const isSent = areSame(parties, { sender: own, recipient: other })
  return isSent || areSame(parties, { sender: other, recipient: own }) ? other : undefined
}

/** What a wrapped data key is bound to. */
export interface EcdhBinding {
  readonly curve: EcdhCurve
  readonly parties: EcdhParties
}

/**
 * Wraps the data key of `materials` under the shared secret Z: nonce 32 ‖ commitment 32 ‖ ciphertext ‖ tag.
 * Source: framework/raw-ecdh-keyring.md#data-key-wrapping, key-agreement-schemas.md#key-derivation.
 */
export function wrapDataKey(binding: EcdhBinding, secret: Uint8Array, materials: EncryptionMaterials): Uint8Array {
  const nonce = materials.random(NONCE_BYTES)
  const fixedInfo = fixedInfoOf(binding, materials.serializedContext)
  const keys = deriveKeys(secret, fixedInfo, nonce)
  const cipher = new GcmKey(keys.subarray(COMMITMENT_BYTES))
  try {
    const sealed = cipher.seal(IV, materials.dataKey ?? new Uint8Array(0), fixedInfo)
    return concatBytes(nonce, keys.subarray(0, COMMITMENT_BYTES), sealed)
  } finally {
    cipher.dispose()
    keys.fill(0)
  }
}

/**
 * Unwraps what {@link wrapDataKey} answered: the commitment is compared first.
 *
 * @throws AuthenticationError, or FormatError when it is not as long as a data key of the suite makes it
 */
export function unwrapDataKey(
  binding: EcdhBinding,
  secret: Uint8Array,
  ciphertext: Uint8Array,
  { suite, serializedContext }: DecryptionMaterials,
): Uint8Array {
  const dataKeyBytes = ciphertext.length - DATA_KEY_OFFSET - TAG_BYTES
  if (dataKeyBytes !== suite.keyBytes) throw wrongDataKeyLength(suite, dataKeyBytes)
  const fixedInfo = fixedInfoOf(binding, serializedContext)
  const keys = deriveKeys(secret, fixedInfo, ciphertext.subarray(0, NONCE_BYTES))
  const cipher = new GcmKey(keys.subarray(COMMITMENT_BYTES))
  try {
    const commitment = ciphertext.subarray(NONCE_BYTES, DATA_KEY_OFFSET)
    if (!timingSafeEqual(keys.subarray(0, COMMITMENT_BYTES), commitment)) throw new AuthenticationError()
    return cipher.open(IV, ciphertext.subarray(DATA_KEY_OFFSET), fixedInfo)
  } finally {
    cipher.dispose()
    keys.fill(0)
  }
}

/** Commitment ‖ wrapping key. */
function deriveKeys(secret: Uint8Array, label: Uint8Array, context: Uint8Array): Uint8Array {
  return kdfCounter('sha384', secret, { label, context, length: COMMITMENT_BYTES + WRAPPING_KEY_BYTES })
}

/** FixedInfo, which is the additional data of the wrapping too. */
function fixedInfoOf({ curve, parties }: EcdhBinding, serializedContext: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(
    encodeUtf8('ecdh-key-derivation', 'label'),
    ZERO,
    encodeUtf8(curve.toLowerCase().replace('-', ''), 'curve'),
    ZERO,
    encodeUtf8('HMAC_SHA384', 'method'),
    ZERO,
    parties.sender,
    parties.recipient,
    ZERO,
    Uint8Array.of(VERSION),
    ZERO,
    serializedContext,
  )
}
