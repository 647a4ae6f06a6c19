import { ecdsa } from '#asymmetric'
import type { Ecdsa, EcdsaVerificationKey } from '../bindings/asymmetric.ts'
import { now, orElse, whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { AuthenticationError, KeyUnavailableError } from './errors.ts'
import type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptedDataKey,
  Keyring,
  MaterialsManager,
} from './materials.ts'
import { wrongDataKeyLength } from './materials.ts'
import { ecdsaNow, keyringOf, Materials } from './message-materials.ts'
import { readVerificationKey } from './signature.ts'

/** The half of a manager that reads messages. */
export type DecryptionManager = Pick<
  MaterialsManager,
  'decryptionMaterials' | 'decryptionMaterialsSync' | 'requiredEncryptionContextKeys'
>

/** The manager given, or that of the keyring given. Throws TypeError for anything else. */
export function decryptionManager(source: Keyring | MaterialsManager): DecryptionManager {
  const keyring = keyringOf(source)
  if (keyring === undefined) return source as MaterialsManager
  const manager: DecryptionManager = {
    decryptionMaterials: (request) =>
      unwrapWith(request, ecdsa, (materials) => keyring.unwrap(materials, request.encryptedDataKeys)),
  }
  if (keyring.unwrapSync !== undefined) {
    manager.decryptionMaterialsSync = (request) =>
      now(unwrapWith(request, ecdsaNow, (materials) => keyring.unwrapSync?.(materials, request.encryptedDataKeys)))
  }
  return manager
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
