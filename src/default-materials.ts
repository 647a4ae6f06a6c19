import { ecdsa } from '#asymmetric'
import type { Ecdsa, EcdsaSigningKey, EcdsaVerificationKey } from '../bindings/asymmetric.ts'
import { now, orElse, whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { copyBytes } from './bytes.ts'
import { canonicalContext, mergeContexts, PUBLIC_KEY_CONTEXT_KEY, type EncryptionContext } from './context.ts'
import { AuthenticationError, DisposedError, KeyUnavailableError, UnsupportedError } from './errors.ts'
import type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptedDataKey,
  EncryptionMaterials,
  EncryptionRequest,
  Keyring,
  MaterialsManager,
} from './materials.ts'
import { wrongDataKeyLength } from './materials.ts'
import { encodePublicKey, readVerificationKey } from './signature.ts'
import type { AlgorithmSuite } from './suites.ts'
import { assertWellFormed } from '../bindings/text.ts'

const MAX_FIELD_BYTES = 0xffff

/** Keyrings answer small fresh arrays, of which a look at `buffer` would cost more than the rest of the work. */
function assertArray(value: unknown, name: string): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`)
}

/** What both kinds of materials hold: a data key that is wiped at the end, and the context in canonical form. */
class Materials {
  readonly suite: AlgorithmSuite
  readonly encryptionContext: EncryptionContext
  readonly signal: AbortSignal | undefined
  #serializedContext: Uint8Array | undefined
  #dataKey: Uint8Array | undefined
  #isDisposed = false

  constructor(suite: AlgorithmSuite, encryptionContext: EncryptionContext, signal: AbortSignal | undefined) {
    this.suite = suite
    this.encryptionContext = encryptionContext
    this.signal = signal
  }

  get serializedContext(): Uint8Array {
    return (this.#serializedContext ??= canonicalContext(this.encryptionContext))
  }

  get dataKey(): Uint8Array | undefined {
    return this.#dataKey
  }

  setDataKey(dataKey: Uint8Array): void {
    assertArray(dataKey, 'dataKey')
    if (this.#isDisposed) {
      dataKey.fill(0)
      throw new DisposedError('the materials of this message')
    }
    if (this.#dataKey !== undefined) throw new TypeError('these materials have a data key already')
    if (dataKey.length !== this.suite.keyBytes)
      throw new RangeError(wrongDataKeyLength(this.suite, dataKey.length).message)
    this.#dataKey = dataKey
  }

  dispose(): void {
    this.#isDisposed = true
    this.#dataKey?.fill(0)
    this.#dataKey = undefined
  }
}

class MessageEncryptionMaterials extends Materials implements EncryptionMaterials {
  readonly signingKey: EcdsaSigningKey | undefined
  readonly random: (length: number) => Uint8Array<ArrayBuffer>
  readonly #encryptedDataKeys: EncryptedDataKey[] = []

  constructor(request: EncryptionRequest, signingKey: EcdsaSigningKey | undefined) {
    super(request.suite, withPublicKey(request.encryptionContext, signingKey), request.signal)
    this.signingKey = signingKey
    this.random = request.random
  }

  get encryptedDataKeys(): readonly EncryptedDataKey[] {
    return this.#encryptedDataKeys
  }

  addEncryptedDataKey(encryptedDataKey: EncryptedDataKey): void {
    const { providerId, providerInfo, ciphertext } = encryptedDataKey
    assertWellFormed(providerId, 'providerId')
    assertArray(providerInfo, 'providerInfo')
    assertArray(ciphertext, 'ciphertext')
    if (providerInfo.length > MAX_FIELD_BYTES || ciphertext.length > MAX_FIELD_BYTES) {
      throw new RangeError('providerInfo and ciphertext of an encrypted data key hold at most 65,535 bytes each')
    }
    const copy = { providerId, providerInfo: copyBytes(providerInfo), ciphertext: copyBytes(ciphertext) }
    this.#encryptedDataKeys.push(Object.freeze(copy))
  }
}

function withPublicKey(context: EncryptionContext, signingKey: EcdsaSigningKey | undefined): EncryptionContext {
  if (signingKey === undefined) return context
  return mergeContexts(context, { [PUBLIC_KEY_CONTEXT_KEY]: encodePublicKey(signingKey.publicKey) })
}

class MessageDecryptionMaterials extends Materials implements DecryptionMaterials {
  readonly verificationKey: EcdsaVerificationKey | undefined
  readonly #confirm: (dataKey: Uint8Array) => boolean
  /** Whether a keyring has tried a data key that turned out not to be this message's. */
  hasRejectedCandidate = false

  constructor(request: DecryptionRequest, verificationKey: EcdsaVerificationKey | undefined) {
    super(request.suite, request.encryptionContext, request.signal)
    this.verificationKey = verificationKey
    this.#confirm = request.confirm
  }

  confirm(candidate: Uint8Array): boolean {
    const isConfirmed = candidate.length === this.suite.keyBytes && this.#confirm(candidate)
    if (!isConfirmed) this.hasRejectedCandidate = true
    return isConfirmed
  }
}

/**
 * Gets the materials of each message from a keyring: a fresh data key, and a fresh signing key where the suite signs.
 * `encrypt` and `decrypt` do this themselves when they are given a keyring.
 *
 * Source: aws-encryption-sdk-specification, framework/default-cmm.md.
 *
 * @throws TypeError when `keyring` lacks `wrap` or `unwrap`.
 */
export function defaultMaterials(keyring: Keyring): MaterialsManager {
  if (typeof keyring.wrap !== 'function' || typeof keyring.unwrap !== 'function') {
    throw new TypeError('a keyring has the methods wrap and unwrap')
  }
  return new DefaultMaterialsManager(keyring)
}

class DefaultMaterialsManager implements MaterialsManager {
  readonly #keyring: Keyring
  readonly encryptionMaterialsSync?: (request: EncryptionRequest) => EncryptionMaterials
  readonly decryptionMaterialsSync?: (request: DecryptionRequest) => DecryptionMaterials

  constructor(keyring: Keyring) {
    this.#keyring = keyring
    if (keyring.wrapSync !== undefined) {
      this.encryptionMaterialsSync = (request) => now(wrapWith(request, ecdsaNow, (m) => keyring.wrapSync?.(m)))
    }
    if (keyring.unwrapSync !== undefined) {
      this.decryptionMaterialsSync = (request) =>
        now(unwrapWith(request, ecdsaNow, (m) => keyring.unwrapSync?.(m, request.encryptedDataKeys)))
    }
  }

  encryptionMaterials(request: EncryptionRequest): MaybePromise<EncryptionMaterials> {
    return wrapWith(request, ecdsa, (materials) => this.#keyring.wrap(materials))
  }

  decryptionMaterials(request: DecryptionRequest): MaybePromise<DecryptionMaterials> {
    return unwrapWith(request, ecdsa, (materials) => this.#keyring.unwrap(materials, request.encryptedDataKeys))
  }
}

function wrapWith(
  request: EncryptionRequest,
  signatures: () => MaybePromise<Ecdsa>,
  wrap: (materials: EncryptionMaterials) => MaybePromise<void>,
): MaybePromise<EncryptionMaterials> {
  return whenHere(request.suite.signatureCurve && signatures(), (ecdsaHere) => {
    const materials = newEncryptionMaterials(request, ecdsaHere)
    const finish = (): EncryptionMaterials => {
      assertWrapped(materials)
      return materials
    }
    return orElse(
      () => whenHere(wrap(materials), finish),
      (error) => {
        materials.dispose()
        request.signal?.throwIfAborted()
        throw error
      },
    )
  })
}

function unwrapWith(
  request: DecryptionRequest,
  signatures: () => MaybePromise<Ecdsa>,
  unwrap: (materials: DecryptionMaterials) => MaybePromise<Uint8Array | undefined>,
): MaybePromise<DecryptionMaterials> {
  return whenHere(request.suite.signatureCurve && signatures(), (ecdsaHere) => {
    const materials = newDecryptionMaterials(request, ecdsaHere)
    const finish = (dataKey: Uint8Array | undefined): DecryptionMaterials => {
      acceptDataKey(materials, request, dataKey)
      return materials
    }
    return orElse(
      () => whenHere(unwrap(materials), finish),
      (error) => {
        materials.dispose()
        request.signal?.throwIfAborted()
        throw unwrapError(materials, error)
      },
    )
  })
}

function ecdsaNow(): Ecdsa {
  const now = ecdsa()
  if (now instanceof Promise) throw new UnsupportedError('signed suites are asynchronous on this runtime')
  return now
}

/**
 * Makes materials without a data key, for a `MaterialsManager` of your own; a keyring's `wrap` fills them in.
 *
 * @param signingKey needed when the suite signs; its public key is added to the context
 */
export function createEncryptionMaterials(
  request: EncryptionRequest,
  signingKey?: EcdsaSigningKey,
): EncryptionMaterials {
  return new MessageEncryptionMaterials(request, signingKey)
}

function newEncryptionMaterials(request: EncryptionRequest, signatures: Ecdsa | undefined): EncryptionMaterials {
  const { signatureCurve } = request.suite
  return createEncryptionMaterials(request, signatureCurve && signatures?.generateKey(signatureCurve))
}

function newDecryptionMaterials(request: DecryptionRequest, signatures: Ecdsa | undefined): MessageDecryptionMaterials {
  const verificationKey = signatures && readVerificationKey(signatures, request.suite, request.encryptionContext)
  return new MessageDecryptionMaterials(request, verificationKey)
}

/**
 * Makes materials around a data key that is at hand already, for a `MaterialsManager` of your own.
 *
 * @param verificationKey needed when the suite signs
 */
export function createDecryptionMaterials(
  request: DecryptionRequest,
  verificationKey?: EcdsaVerificationKey,
): DecryptionMaterials {
  return new MessageDecryptionMaterials(request, verificationKey)
}

function assertWrapped(materials: EncryptionMaterials): void {
  if (materials.dataKey !== undefined && materials.encryptedDataKeys.length > 0) return
  throw new KeyUnavailableError('the keyring wrapped no data key')
}

function acceptDataKey(
  materials: MessageDecryptionMaterials,
  request: DecryptionRequest,
  dataKey: Uint8Array | undefined,
): void {
  if (dataKey === undefined) throw new KeyUnavailableError(noKeyring(request.encryptedDataKeys))
  if (dataKey.length === request.suite.keyBytes) return materials.setDataKey(dataKey)
  dataKey.fill(0)
  throw wrongDataKeyLength(request.suite, dataKey.length)
}

const MAX_NAMED_PROVIDERS = 4
const MAX_NAME_LENGTH = 64

function noKeyring(encryptedDataKeys: readonly EncryptedDataKey[]): string {
  const providers = [...new Set(encryptedDataKeys.map(({ providerId }) => providerId))]
  const names = providers.slice(0, MAX_NAMED_PROVIDERS).map((id) => JSON.stringify(id.slice(0, MAX_NAME_LENGTH)))
  if (providers.length > MAX_NAMED_PROVIDERS) names.push('…')
  return `no keyring has a key for this message: its encrypted data keys are of ${names.join(', ')}`
}

/**
 * The error of a decryption that found no data key. It names each keyring's reason, unless a wrong key, context or
 * ciphertext is all there is to tell (and always after a PKCS #1 v1.5 candidate failed): then it is the constant one.
 */
function unwrapError(materials: MessageDecryptionMaterials, error: unknown): Error {
  if (materials.hasRejectedCandidate || isAuthenticationFailure(error)) return new AuthenticationError()
  if (error instanceof KeyUnavailableError) return error
  return new KeyUnavailableError('no keyring could unwrap a data key of this message', [error])
}

function isAuthenticationFailure(error: unknown): boolean {
  if (error instanceof AuthenticationError) return true
  return error instanceof KeyUnavailableError && error.errors.length > 0 && error.errors.every(isAuthenticationFailure)
}
