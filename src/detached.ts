import { assertBytes } from '../bindings/bytes.ts'
import { copyBytes } from './bytes.ts'
import type * as DetachedKeys from './detached-keys.ts'
import type { DecryptOptions } from './decryption.ts'
import { decryptionManager, type DecryptionManager } from './decryption-materials.ts'
import { UnsupportedError } from './errors.ts'
import type { Keyring, MaterialsManager } from './materials.ts'
import { assertOptions } from './options.ts'
import type { AlgorithmSuite } from './suites.ts'

type DetachedKeysPart = typeof DetachedKeys

/** In a part of its own: few messages have detached keys. Throws UnsupportedError for a suite that has none. */
export async function loadDetachedKeys(suite: AlgorithmSuite): Promise<DetachedKeysPart> {
  const part = await import('./detached-keys.ts')
  part.assertDetachable(suite)
  return part
}

/** The manager that a message is read with: when a record is given, its keys take the place of the message's. */
export function readingManager(source: Keyring | MaterialsManager, options: DecryptOptions): DecryptionManager {
  const manager = decryptionManager(source)
  assertOptions(options)
  const { detachedKeys, maxEncryptedDataKeys } = options
  if (detachedKeys === undefined) return manager
  assertBytes(detachedKeys, 'detachedKeys')
  const record = copyBytes(detachedKeys)
  return {
    requiredEncryptionContextKeys: manager.requiredEncryptionContextKeys,
    decryptionMaterials: async (request) => {
      const part = await import('./detached-keys.ts')
      return part.detachedManager(manager, record, { maxEncryptedDataKeys }).decryptionMaterials(request)
    },
  }
}

/** The synchronous calls cannot load that part: they refuse the option, which would otherwise go unheard. */
export function assertNotDetached(options: object): void {
  if ((options as DecryptOptions).detachedKeys === undefined) return
  throw new UnsupportedError(
    'detachedKeys is asynchronous: use encrypt, or for decryptSync detachedKeys() of waxseal/rewrap',
  )
}
