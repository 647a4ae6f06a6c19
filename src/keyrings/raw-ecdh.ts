import { ecdhAbilities, ecdhPrivateKey, ecdhPublicKey, generateEcdhKey } from '#asymmetric'
import type { EcdhCurve, EcdhPrivateKey, EcdhPublicKey, KeyInput } from '../../bindings/asymmetric.ts'
import { now, whenHere, type MaybePromise } from '../../bindings/maybe-promise.ts'
import { FormatError, UnsupportedError } from '../errors.ts'
import type { DecryptionMaterials, EncryptedDataKey, EncryptionMaterials, Keyring } from '../materials.ts'
import { unwrapFailure } from '../materials.ts'
import {
  parseParties,
  peerOf,
  serializeParties,
  unwrapDataKey,
  wrapDataKey,
  type EcdhBinding,
  type EcdhParties,
} from './ecdh-wrapping.ts'

export type { EcdhCurve } from '../../bindings/asymmetric.ts'

/** A PEM string, DER bytes (SubjectPublicKeyInfo or PKCS #8), a `CryptoKey` or a `KeyObject`, of the keyring's curve. */
export type EcdhKeyInput = KeyInput

/** Between two parties who know each other: either of them encrypts and decrypts, with roles exchanged. */
export interface StaticEcdhOptions {
  readonly schema: 'RawPrivateKeyToStaticPublicKey'
  readonly curve: EcdhCurve
  /** One's own key, whichever direction the messages take. */
  readonly senderPrivateKey: EcdhKeyInput
  /** The other party's key. */
  readonly recipientPublicKey: EcdhKeyInput
  /** Needed only beside a private `CryptoKey` where WebCrypto is all there is: that does not tell its public key. */
  readonly senderPublicKey?: EcdhKeyInput | undefined
}

/** To a party whose public key is known, from a key pair that serves one message: encrypts only. */
export interface EphemeralEcdhOptions {
  readonly schema: 'EphemeralPrivateKeyToStaticPublicKey'
  readonly curve: EcdhCurve
  readonly recipientPublicKey: EcdhKeyInput
}

/** From whoever encrypted to one's own key: decrypts only, and says nothing about who the sender is. */
export interface DiscoveryEcdhOptions {
  readonly schema: 'PublicKeyDiscovery'
  readonly curve: EcdhCurve
  readonly recipientPrivateKey: EcdhKeyInput
  /** As `senderPublicKey` of the first schema. */
  readonly recipientPublicKey?: EcdhKeyInput | undefined
}

export type RawEcdhKeyringOptions = StaticEcdhOptions | EphemeralEcdhOptions | DiscoveryEcdhOptions

/** Provider id that is written. */
const PROVIDER_ID = 'raw-ecdh'
/** A sender whose key is in a KMS writes the same under another id. */
const PROVIDER_IDS: readonly string[] = [PROVIDER_ID, 'aws-kms-ecdh']

const CURVES: readonly unknown[] = ['P-256', 'P-384', 'P-521'] satisfies readonly EcdhCurve[]

/** The keys of a schema: what it lacks is undefined. */
interface EcdhKeys {
  readonly schema: RawEcdhKeyringOptions['schema']
  readonly curve: EcdhCurve
  readonly own: EcdhPrivateKey | undefined
  readonly other: EcdhPublicKey | undefined
}

/**
 * Wraps data keys under secrets that two parties agree on by ECDH, with the encryption context bound to them.
 *
 * The public keys of both parties stand in the message. Public keys are checked to be points of the curve. Where the
 * runtime has only WebCrypto it is asynchronous: no `encryptSync` and `decryptSync`.
 * Source: aws-encryption-sdk-specification, framework/raw-ecdh-keyring.md and framework/key-agreement-schemas.md;
 * SP 800-56A; SP 800-108 §4.1.
 *
 * @throws TypeError when curve or schema is none, or a key is absent, not of the curve, or not the pair of another one
 * (keys that the runtime must import first are refused when they are used)
 */
export function rawEcdhKeyring(options: RawEcdhKeyringOptions): Keyring {
  const keys = readKeys(options)
  if (!ecdhAbilities.isSynchronous) {
    return {
      wrap: (materials) => wrap(keys, materials),
      unwrap: (materials, encryptedDataKeys) => unwrap(keys, materials, encryptedDataKeys),
    }
  }
  const keyring: Required<Keyring> = {
    wrapSync: (materials) => {
      now(wrap(keys, materials))
    },
    unwrapSync: (materials, encryptedDataKeys) => unwrapSync(keys, materials, encryptedDataKeys),
    wrap: (materials) => wrap(keys, materials),
    unwrap: (materials, encryptedDataKeys) => unwrapSync(keys, materials, encryptedDataKeys),
  }
  return keyring
}

function readKeys(options: RawEcdhKeyringOptions): EcdhKeys {
  const { schema, curve } = options
  if (!CURVES.includes(curve)) throw new TypeError(`curve must be one of ${CURVES.join(', ')}`)
  const publicKey = (input: EcdhKeyInput, name: string): EcdhPublicKey => ecdhPublicKey(curve, input, name)
  const optional = (input: EcdhKeyInput | undefined, name: string): EcdhPublicKey | undefined =>
    input === undefined ? undefined : publicKey(input, name)
  switch (schema) {
    case 'RawPrivateKeyToStaticPublicKey': {
      const beside = optional(options.senderPublicKey, 'senderPublicKey')
      const own = ecdhPrivateKey(curve, options.senderPrivateKey, 'senderPrivateKey', beside)
      return { schema, curve, own, other: publicKey(options.recipientPublicKey, 'recipientPublicKey') }
    }
    case 'EphemeralPrivateKeyToStaticPublicKey':
      return { schema, curve, own: undefined, other: publicKey(options.recipientPublicKey, 'recipientPublicKey') }
    case 'PublicKeyDiscovery': {
      const beside = optional(options.recipientPublicKey, 'recipientPublicKey')
      const own = ecdhPrivateKey(curve, options.recipientPrivateKey, 'recipientPrivateKey', beside)
      return { schema, curve, own, other: undefined }
    }
    default:
      throw new TypeError(
        'schema must be RawPrivateKeyToStaticPublicKey, EphemeralPrivateKeyToStaticPublicKey or PublicKeyDiscovery',
      )
  }
}

function labelOf({ schema, curve }: EcdhKeys): string {
  return `raw ECDH keyring (${schema}, ${curve})`
}

function wrap(keys: EcdhKeys, materials: EncryptionMaterials): MaybePromise<void> {
  const { curve, other } = keys
  if (other === undefined) throw new UnsupportedError(`${labelOf(keys)} only decrypts`)
  return whenHere(keys.own ?? generateEcdhKey(curve), (own) =>
    whenHere(own.point(), (sender) =>
      whenHere(other.point(), (recipient) =>
        whenHere(own.agree(recipient), (secret) => {
          addWrapped(curve, { sender, recipient }, secret, materials)
        }),
      ),
    ),
  )
}

function addWrapped(
  curve: EcdhCurve,
  parties: EcdhParties,
  secret: Uint8Array | undefined,
  materials: EncryptionMaterials,
): void {
  if (secret === undefined) throw new TypeError(`recipientPublicKey is not a point of ${curve}`)
  try {
    materials.signal?.throwIfAborted()
    if (materials.dataKey === undefined) materials.setDataKey(materials.random(materials.suite.keyBytes))
    materials.addEncryptedDataKey({
      providerId: PROVIDER_ID,
      providerInfo: serializeParties(parties),
      ciphertext: wrapDataKey({ curve, parties }, secret, materials),
    })
  } finally {
    secret.fill(0)
  }
}

type Attempt = () => MaybePromise<Uint8Array>

async function unwrap(
  keys: EcdhKeys,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array | undefined> {
  const reasons: unknown[] = []
  for (const open of await ownAttempts(keys, materials, encryptedDataKeys)) {
    materials.signal?.throwIfAborted()
    try {
      return await open()
    } catch (error) {
      reasons.push(error)
    }
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure(labelOf(keys), reasons)
}

function unwrapSync(
  keys: EcdhKeys,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Uint8Array | undefined {
  const reasons: unknown[] = []
  for (const open of now(ownAttempts(keys, materials, encryptedDataKeys))) {
    try {
      return now(open())
    } catch (error) {
      reasons.push(error)
    }
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure(labelOf(keys), reasons)
}

/** One attempt for each encrypted data key of which this keyring's keys are a party, or both. */
function ownAttempts(
  keys: EcdhKeys,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): MaybePromise<readonly Attempt[]> {
  const { own, other, curve } = keys
  if (own === undefined) throw new UnsupportedError(`${labelOf(keys)} only encrypts`)
  return whenHere(own.point(), (ownPoint) =>
    whenHere(other?.point(), (otherPoint) =>
      encryptedDataKeys.flatMap(({ providerId, providerInfo, ciphertext }): readonly Attempt[] => {
        const parties = PROVIDER_IDS.includes(providerId) ? parseParties(providerInfo) : undefined
        const peer = parties && peerOf(parties, ownPoint, otherPoint)
        if (parties === undefined || peer === undefined) return []
        return [() => whenHere(own.agree(peer), (secret) => open({ curve, parties }, secret, ciphertext, materials))]
      }),
    ),
  )
}

function open(
  binding: EcdhBinding,
  secret: Uint8Array | undefined,
  ciphertext: Uint8Array,
  materials: DecryptionMaterials,
): Uint8Array {
  if (secret === undefined) {
    throw new FormatError(`an encrypted data key names a public key that is not a point of ${binding.curve}`)
  }
  try {
    return unwrapDataKey(binding, secret, ciphertext, materials)
  } finally {
    secret.fill(0)
  }
}
