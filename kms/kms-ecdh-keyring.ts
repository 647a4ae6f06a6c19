import { ecdhPublicKey } from '#asymmetric'
import type { EcdhCurve, EcdhPublicKey, KeyInput } from '../bindings/asymmetric.ts'
import { fieldBytes, uncompress } from '../bindings/ec-point.ts'
import { encodePublicKey } from '../bindings/key-encoding.ts'
import {
  FormatError,
  KeyUnavailableError,
  unwrapFailure,
  UnsupportedError,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
} from '../src/index.ts'
import { parseParties, peerOf, serializeParties, unwrapDataKey, wrapDataKey } from '../src/keyrings/ecdh-wrapping.ts'
import { isAnswerFor } from './key-arn.ts'
import type { KmsPairProvider } from './provider.ts'

export type { EcdhCurve } from '../bindings/asymmetric.ts'
export type { KmsPairCall, KmsPairProvider, KmsRsaAlgorithm } from './provider.ts'

interface KmsEcdhOptions {
  /** The KMS that has one's own key: `awsKms(…)`, or the `provider` of an embedded KMS. */
  readonly provider: Pick<KmsPairProvider, 'getPublicKey' | 'deriveSharedSecret'>
  /** The curve of both keys. */
  readonly curve: EcdhCurve
  /** At most ten. */
  readonly grantTokens?: readonly string[] | undefined
}

/** Between two parties who know each other, one's own key in the KMS: encrypts, and decrypts what either wrote. */
export interface KmsStaticEcdhOptions extends KmsEcdhOptions {
  readonly schema: 'KmsPrivateKeyToStaticPublicKey'
  /** One's own key, whose usage is KEY_AGREEMENT: id, ARN or alias. */
  readonly senderKeyId: string
  /** The other party's key: PEM, DER (SubjectPublicKeyInfo), a `CryptoKey` or a `KeyObject`. */
  readonly recipientPublicKey: KeyInput
  /** The public key of `senderKeyId`. The KMS is asked for it once if it is not given. */
  readonly senderPublicKey?: KeyInput | undefined
}

/** From whoever encrypted to one's own key in the KMS: decrypts only, and says nothing about who the sender is. */
export interface KmsDiscoveryEcdhOptions extends KmsEcdhOptions {
  readonly schema: 'KmsPublicKeyDiscovery'
  /** As `senderKeyId` of the other schema. */
  readonly recipientKeyId: string
  /** The public key of `recipientKeyId`. The KMS is asked for it once if it is not given. */
  readonly recipientPublicKey?: KeyInput | undefined
}

export type KmsEcdhKeyringOptions = KmsStaticEcdhOptions | KmsDiscoveryEcdhOptions

/** Provider id that is written; a party with its key in its own hands writes the same under the other. */
const PROVIDER_ID = 'aws-kms-ecdh'
const PROVIDER_IDS: readonly string[] = [PROVIDER_ID, 'raw-ecdh']

const KEY_SPECS: Readonly<Record<EcdhCurve, string>> = {
  'P-256': 'ECC_NIST_P256',
  'P-384': 'ECC_NIST_P384',
  'P-521': 'ECC_NIST_P521',
}

/**
 * Wraps data keys under secrets that two parties agree on by ECDH, the private key of one of them being in a KMS. What
 * is wrapped, and how, is as with `rawEcdhKeyring`, which reads what this writes and the reverse.
 *
 * Source: aws-encryption-sdk-specification, framework/aws-kms/aws-kms-ecdh-keyring.md and
 * framework/key-agreement-schemas.md; SP 800-56A; SP 800-108 §4.1.
 *
 * @throws TypeError when schema, curve or provider is none, a key id is absent, or a public key is not of the curve
 */
export function kmsEcdhKeyring(options: KmsEcdhKeyringOptions): Keyring {
  const keyring = new EcdhKeyring(options)
  return {
    wrap: (materials) => keyring.wrap(materials),
    unwrap: (materials, encryptedDataKeys) => keyring.unwrap(materials, encryptedDataKeys),
  }
}

class EcdhKeyring {
  readonly #options: KmsEcdhOptions
  readonly #label: string
  readonly #keyId: string
  readonly #other: EcdhPublicKey | undefined
  #own: EcdhPublicKey | undefined

  constructor(options: KmsEcdhKeyringOptions) {
    const { curve, provider, schema, grantTokens } = options
    if (!Object.hasOwn(KEY_SPECS, curve))
      throw new TypeError(`curve must be one of ${Object.keys(KEY_SPECS).join(', ')}`)
    const { getPublicKey, deriveSharedSecret } = Object(provider) as Partial<KmsPairProvider>
    if (typeof getPublicKey !== 'function' || typeof deriveSharedSecret !== 'function') {
      throw new TypeError('provider must have the methods getPublicKey and deriveSharedSecret')
    }
    const read = (input: KeyInput | undefined, name: string): EcdhPublicKey | undefined =>
      input === undefined ? undefined : ecdhPublicKey(curve, input, name)
    switch (schema) {
      case 'KmsPrivateKeyToStaticPublicKey':
        this.#keyId = options.senderKeyId
        this.#own = read(options.senderPublicKey, 'senderPublicKey')
        this.#other = ecdhPublicKey(curve, options.recipientPublicKey, 'recipientPublicKey')
        break
      case 'KmsPublicKeyDiscovery':
        this.#keyId = options.recipientKeyId
        this.#own = read(options.recipientPublicKey, 'recipientPublicKey')
        break
      default:
        throw new TypeError('schema must be KmsPrivateKeyToStaticPublicKey or KmsPublicKeyDiscovery')
    }
    if (typeof this.#keyId !== 'string' || this.#keyId === '') throw new TypeError('the id of one’s own key is missing')
    this.#options = { curve, provider, grantTokens: grantTokens && [...grantTokens] }
    this.#label = `KMS ECDH keyring (${schema}, ${curve})`
  }

  async wrap(materials: EncryptionMaterials): Promise<void> {
    const { curve } = this.#options
    const { signal } = materials
    if (this.#other === undefined) throw new UnsupportedError(`${this.#label} only decrypts`)
    const parties = { sender: await this.#ownPoint(signal), recipient: await this.#other.point() }
    const secret = await this.#agree(parties.recipient, signal)
    try {
      signal?.throwIfAborted()
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

  async unwrap(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
  ): Promise<Uint8Array | undefined> {
    const { curve } = this.#options
    const { signal } = materials
    const candidates = encryptedDataKeys.flatMap(({ providerId, providerInfo, ciphertext }) => {
      const parties = PROVIDER_IDS.includes(providerId) ? parseParties(providerInfo) : undefined
      return parties === undefined ? [] : [{ parties, ciphertext }]
    })
    if (candidates.length === 0) return undefined
    const own = await this.#ownPoint(signal)
    const other = await this.#other?.point()
    const reasons: unknown[] = []
    for (const { parties, ciphertext } of candidates) {
      const peer = peerOf(parties, own, other)
      if (peer === undefined) continue
      signal?.throwIfAborted()
      let secret: Uint8Array | undefined
      try {
        secret = await this.#agree(peer, signal)
        return unwrapDataKey({ curve, parties }, secret, ciphertext, materials)
      } catch (error) {
        signal?.throwIfAborted()
        reasons.push(error)
      } finally {
        secret?.fill(0)
      }
    }
    if (reasons.length === 0) return undefined
    throw unwrapFailure(this.#label, reasons)
  }

  /** The compressed point of one's own key: given, or asked for once. */
  async #ownPoint(signal: AbortSignal | undefined): Promise<Uint8Array> {
    this.#own ??= await this.#askForPublicKey(signal)
    return this.#own.point()
  }

  async #askForPublicKey(signal: AbortSignal | undefined): Promise<EcdhPublicKey> {
    const { curve, provider } = this.#options
    const answer = await provider.getPublicKey(this.#call(signal))
    this.#assertKey(answer.keyId)
    if (answer.keyUsage !== 'KEY_AGREEMENT' || answer.keySpec !== KEY_SPECS[curve]) {
      const found = `${answer.keySpec} for ${answer.keyUsage}`
      throw new KeyUnavailableError(`${this.#keyId} is a key ${found}, not ${KEY_SPECS[curve]} for KEY_AGREEMENT`)
    }
    return ecdhPublicKey(curve, answer.publicKey, 'the public key that the KMS answered')
  }

  /** The shared secret with the owner of a compressed point, which the caller wipes. */
  async #agree(peer: Uint8Array, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const { curve, provider } = this.#options
    const point = uncompress(curve, peer)
    if (point === undefined) {
      throw new FormatError(`an encrypted data key names a public key that is not a point of ${curve}`)
    }
    const publicKey = encodePublicKey(curve, point)
    const { keyId, sharedSecret } = await provider.deriveSharedSecret({ ...this.#call(signal), publicKey })
    try {
      this.#assertKey(keyId)
      if (sharedSecret.length === fieldBytes(curve)) return Uint8Array.from(sharedSecret)
      throw new KeyUnavailableError(`the KMS answered a shared secret of ${String(sharedSecret.length)} bytes`)
    } finally {
      sharedSecret.fill(0)
    }
  }

  #call(signal: AbortSignal | undefined): Parameters<KmsPairProvider['getPublicKey']>[0] {
    return { keyId: this.#keyId, grantTokens: this.#options.grantTokens, signal }
  }

  #assertKey(answered: string): void {
    if (isAnswerFor(this.#keyId, answered)) return
    throw new KeyUnavailableError(`the KMS answered with key ${answered} for ${this.#keyId}`)
  }
}
