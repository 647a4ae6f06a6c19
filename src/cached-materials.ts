import type { EcdsaSigningKey, EcdsaVerificationKey } from '../bindings/asymmetric.ts'
import type { EncryptionContext } from './context.ts'
import type {
  DecryptionMaterials,
  DecryptionRequest,
  EncryptedDataKey,
  EncryptionMaterials,
  EncryptionRequest,
} from './materials.ts'
import type { Entry } from './cache-requests.ts'
import type { AlgorithmSuite } from './suites.ts'

/** The share that one message has in the materials of an entry, until it is through with them. */
class CachedMaterials<M extends EncryptionMaterials | DecryptionMaterials> {
  readonly suite: AlgorithmSuite
  readonly encryptionContext: EncryptionContext
  readonly signal: AbortSignal | undefined
  readonly materials: M
  #entry: Entry | undefined

  constructor(entry: Entry, materials: M, request: EncryptionRequest | DecryptionRequest) {
    this.suite = materials.suite
    // The same pairs; those of the request were encoded a moment ago.
    this.encryptionContext = entry.isContextAsAsked ? request.encryptionContext : materials.encryptionContext
    this.signal = request.signal
    this.materials = materials
    this.#entry = entry.retain()
  }

  get serializedContext(): Uint8Array {
    return this.materials.serializedContext
  }

  get dataKey(): Uint8Array | undefined {
    return this.#entry && this.materials.dataKey
  }

  setDataKey(): never {
    throw new TypeError('these materials have a data key already')
  }

  dispose(): void {
    this.#entry?.release()
    this.#entry = undefined
  }
}

/** What a message is sealed with that shares its data key with others. Its randomness is its own. */
export class CachedEncryptionMaterials extends CachedMaterials<EncryptionMaterials> implements EncryptionMaterials {
  readonly random: EncryptionRequest['random']

  constructor(entry: Entry, request: EncryptionRequest) {
    super(entry, entry.materials as EncryptionMaterials, request)
    this.random = request.random
  }

  get encryptedDataKeys(): readonly EncryptedDataKey[] {
    return this.materials.encryptedDataKeys
  }

  get signingKey(): EcdsaSigningKey | undefined {
    return this.materials.signingKey
  }

  addEncryptedDataKey(): never {
    throw new TypeError('these materials are shared with other messages')
  }
}

/** What a message is opened with whose data key was unwrapped for another one. */
export class CachedDecryptionMaterials extends CachedMaterials<DecryptionMaterials> implements DecryptionMaterials {
  readonly confirm: DecryptionRequest['confirm']

  constructor(entry: Entry, request: DecryptionRequest) {
    super(entry, entry.materials as DecryptionMaterials, request)
    this.confirm = request.confirm
  }

  get verificationKey(): EcdsaVerificationKey | undefined {
    return this.materials.verificationKey
  }
}
