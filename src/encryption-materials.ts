import { ecdsa } from '#asymmetric'
import type { Ecdsa, EcdsaSigningKey } from '../bindings/asymmetric.ts'
import { isZero } from '../bindings/bytes.ts'
import { now, orElse, whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { assertWellFormed } from '../bindings/text.ts'
import { mergeContexts, PUBLIC_KEY_CONTEXT_KEY, type EncryptionContext } from './context.ts'
import { KeyUnavailableError } from './errors.ts'
import type {
  EncryptedDataKey,
  EncryptionMaterials,
  EncryptionRequest,
  Keyring,
  MaterialsManager,
} from './materials.ts'
import { assertArray, ecdsaNow, keyringOf, Materials } from './message-materials.ts'
import { encodePublicKey } from './signature.ts'

const MAX_FIELD_BYTES = 0xffff

/** The half of a manager that writes messages. */
export type EncryptionManager = Pick<
  MaterialsManager,
  'encryptionMaterials' | 'encryptionMaterialsSync' | 'requiredEncryptionContextKeys'
>

/** The manager given, or that of the keyring given. Throws TypeError for anything else. */
export function encryptionManager(source: Keyring | MaterialsManager): EncryptionManager {
  const keyring = keyringOf(source)
  if (keyring === undefined) return source as MaterialsManager
  const manager: EncryptionManager = {
    encryptionMaterials: (request) => wrapWith(request, ecdsa, (materials) => keyring.wrap(materials)),
  }
  if (keyring.wrapSync !== undefined) {
    manager.encryptionMaterialsSync = (request) =>
      now(wrapWith(request, ecdsaNow, (materials) => keyring.wrapSync?.(materials)))
  }
  return manager
}

function wrapWith(
  request: EncryptionRequest,
  signatures: () => MaybePromise<Ecdsa>,
  wrap: (materials: EncryptionMaterials) => MaybePromise<void>,
): MaybePromise<EncryptionMaterials> {
  if (request.suite.signatureCurve === undefined) return wrapped(newEncryptionMaterials(request, undefined), wrap)
  return whenHere(signatures(), (ecdsaHere) => wrapped(newEncryptionMaterials(request, ecdsaHere), wrap))
}

function wrapped(
  materials: EncryptionMaterials,
  wrap: (materials: EncryptionMaterials) => MaybePromise<void>,
): MaybePromise<EncryptionMaterials> {
  return orElse(
    () => whenHere(wrap(materials), () => checked(materials)),
    (error) => {
      materials.dispose()
      materials.signal?.throwIfAborted()
      throw error
    },
  )
}

function checked(materials: EncryptionMaterials): EncryptionMaterials {
  if (materials.dataKey !== undefined && materials.encryptedDataKeys.length > 0) return materials
  throw new KeyUnavailableError('the keyring wrapped no data key')
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

  /** What a keyring hands out twice is zeros the second time: messages would be under a key that everybody knows. */
  override setDataKey(dataKey: Uint8Array): void {
    super.setDataKey(dataKey)
    if (isZero(dataKey)) {
      throw new RangeError('the data key is all zeros: a keyring answers fresh bytes, which are wiped with the message')
    }
  }

  addEncryptedDataKey(encryptedDataKey: EncryptedDataKey): void {
    const { providerId, providerInfo, ciphertext } = encryptedDataKey
    assertWellFormed(providerId, 'providerId')
    assertArray(providerInfo, 'providerInfo')
    assertArray(ciphertext, 'ciphertext')
    if (providerInfo.length > MAX_FIELD_BYTES || ciphertext.length > MAX_FIELD_BYTES) {
      throw new RangeError('providerInfo and ciphertext of an encrypted data key hold at most 65,535 bytes each')
    }
    this.#encryptedDataKeys.push(Object.freeze({ providerId, providerInfo, ciphertext }))
  }
}

function withPublicKey(context: EncryptionContext, signingKey: EcdsaSigningKey | undefined): EncryptionContext {
  if (signingKey === undefined) return context
  return mergeContexts(context, { [PUBLIC_KEY_CONTEXT_KEY]: encodePublicKey(signingKey.publicKey) })
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
