import { decryptionManager } from './decryption-materials.ts'
import { encryptionManager } from './encryption-materials.ts'
import type { Keyring, MaterialsManager } from './materials.ts'
import { keyringOf } from './message-materials.ts'

/**
 * Gets the materials of each message from a keyring: a fresh data key, and a fresh signing key where the suite signs.
 * `encrypt` and `decrypt` do this themselves when they are given a keyring.
 *
 * Source: aws-encryption-sdk-specification, framework/default-cmm.md.
 *
 * @throws TypeError when `keyring` lacks `wrap` or `unwrap`.
 */
export function defaultMaterials(keyring: Keyring): MaterialsManager {
  if (keyringOf(keyring) === undefined) throw new TypeError('a keyring has the methods wrap and unwrap')
  return { ...encryptionManager(keyring), ...decryptionManager(keyring) }
}

/** The manager given, or the default one over the keyring given. Throws TypeError for anything else. */
export function materialsManager(source: Keyring | MaterialsManager): MaterialsManager {
  const keyring = keyringOf(source)
  return keyring === undefined ? (source as MaterialsManager) : defaultMaterials(keyring)
}

/** What gets the materials that another manager hands on: one of the two. */
export interface UnderlyingMaterials {
  readonly keyring?: Keyring | undefined
  readonly materials?: MaterialsManager | undefined
}

/** Throws TypeError unless there is exactly one of the two. */
export function underlyingManager({ keyring, materials }: UnderlyingMaterials): MaterialsManager {
  const source = keyring ?? materials
  if (source === undefined || (keyring !== undefined && materials !== undefined)) {
    throw new TypeError('give either keyring or materials')
  }
  return materialsManager(source)
}
