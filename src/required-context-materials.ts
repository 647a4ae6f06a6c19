import { assertNoReservedKeys, snapshotKeys } from './context.ts'
import type { DecryptionMaterials, DecryptionRequest, EncryptionMaterials, EncryptionRequest } from './materials.ts'
import type { MaterialsManager } from './materials.ts'
import { underlyingManager, type UnderlyingMaterials } from './default-materials.ts'
import { requiredContextKeys } from './options.ts'

export interface RequiredContextMaterialsOptions extends UnderlyingMaterials {
  /** At least one. Each message is then written and read with a value for each of them. */
  readonly requiredEncryptionContextKeys: readonly string[]
}

/**
 * Gets materials from the keyring or manager given, for messages whose encryption context has these keys. The pairs are
 * authenticated with each message and do not stand in it: whoever decrypts must be told their values.
 *
 * Without one of the pairs `encrypt` and `decrypt` throw a TypeError before any work.
 * Source: aws-encryption-sdk-specification, framework/required-encryption-context-cmm.md.
 *
 * @throws TypeError for keys that are no strings, reserved or none at all, or not exactly one of keyring and materials
 */
export function requiredContextMaterials(options: RequiredContextMaterialsOptions): MaterialsManager {
  const inner = underlyingManager(options)
  const own = snapshotKeys(options.requiredEncryptionContextKeys, 'requiredEncryptionContextKeys')
  if (own.length === 0) throw new TypeError('requiredEncryptionContextKeys must name at least one key')
  assertNoReservedKeys(own)
  const encryptionMaterialsSync = inner.encryptionMaterialsSync?.bind(inner)
  const decryptionMaterialsSync = inner.decryptionMaterialsSync?.bind(inner)
  const manager: MaterialsManager = {
    requiredEncryptionContextKeys: requiredContextKeys(inner, own),
    encryptionMaterials: async (request) => {
      assertRequired(own, request)
      return withPairs(own, request, await inner.encryptionMaterials(request))
    },
    decryptionMaterials: async (request) => {
      assertRequired(own, request)
      return withPairs(own, request, await inner.decryptionMaterials(request))
    },
  }
  if (encryptionMaterialsSync !== undefined) {
    manager.encryptionMaterialsSync = (request) => {
      assertRequired(own, request)
      return withPairs(own, request, encryptionMaterialsSync(request))
    }
  }
  if (decryptionMaterialsSync !== undefined) {
    manager.decryptionMaterialsSync = (request) => {
      assertRequired(own, request)
      return withPairs(own, request, decryptionMaterialsSync(request))
    }
  }
  return manager
}

/** A manager in between may have taken the keys for its own and not passed them on. */
function assertRequired(
  keys: readonly string[],
  { requiredEncryptionContextKeys, encryptionContext }: EncryptionRequest | DecryptionRequest,
): void {
  const missing = keys.find(
    (key) => !requiredEncryptionContextKeys.includes(key) || !Object.hasOwn(encryptionContext, key),
  )
  if (missing === undefined) return
  throw new TypeError(`${JSON.stringify(missing)} must be a required pair of the encryption context`)
}

/** The manager below may change the context; without these pairs nothing would authenticate them. */
function withPairs<T extends EncryptionMaterials | DecryptionMaterials>(
  keys: readonly string[],
  { encryptionContext }: EncryptionRequest | DecryptionRequest,
  materials: T,
): T {
  if (keys.every((key) => materials.encryptionContext[key] === encryptionContext[key])) return materials
  materials.dispose()
  throw new TypeError('the materials changed a required pair of the encryption context')
}
