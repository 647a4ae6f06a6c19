import type { DecryptionMaterials, EncryptedDataKey, EncryptionMaterials, Keyring } from '../materials.ts'
import { KeyUnavailableError } from '../errors.ts'

export interface MultiKeyringOptions {
  /** Makes the data key on encryption; without one, the first child does. */
  readonly generator?: Keyring | undefined
  /** Each wraps the same data key. */
  readonly children?: readonly Keyring[] | undefined
}

/**
 * Wraps each data key under several keyrings, any one of which decrypts the message. On encryption all must succeed;
 * on decryption they are asked in order, the generator first, and the first that has the key is enough. When none
 * has, `KeyUnavailableError.errors` holds the reason of each that failed.
 *
 * It works in `encryptSync` and `decryptSync` when all of its keyrings do.
 * Source: aws-encryption-sdk-specification, framework/multi-keyring.md.
 *
 * @throws TypeError when there is no keyring at all, or something else among them
 */
export function multiKeyring({ generator, children = [] }: MultiKeyringOptions): Keyring {
  const keyrings: readonly Keyring[] = generator === undefined ? [...children] : [generator, ...children]
  if (keyrings.length === 0) throw new TypeError('a multi-keyring needs a generator or children')
  for (const keyring of keyrings as readonly (Partial<Keyring> | null | undefined)[]) {
    if (typeof keyring?.wrap !== 'function' || typeof keyring.unwrap !== 'function') {
      throw new TypeError('generator and children must be keyrings')
    }
  }
  const multi: Keyring = {
    wrap: (materials) => wrap(keyrings, materials),
    unwrap: (materials, encryptedDataKeys) => unwrap(keyrings, materials, encryptedDataKeys),
  }
  if (keyrings.every((keyring) => keyring.wrapSync !== undefined)) {
    multi.wrapSync = (materials) => {
      wrapSync(keyrings, materials)
    }
  }
  if (keyrings.every((keyring) => keyring.unwrapSync !== undefined)) {
    multi.unwrapSync = (materials, encryptedDataKeys) => unwrapSync(keyrings, materials, encryptedDataKeys)
  }
  return multi
}

async function wrap(keyrings: readonly Keyring[], materials: EncryptionMaterials): Promise<void> {
  for (const keyring of keyrings) {
    materials.signal?.throwIfAborted()
    await keyring.wrap(materials)
    assertDataKey(materials)
  }
}

function wrapSync(keyrings: readonly Keyring[], materials: EncryptionMaterials): void {
  for (const keyring of keyrings) {
    keyring.wrapSync?.(materials)
    assertDataKey(materials)
  }
}

function assertDataKey(materials: EncryptionMaterials): void {
  if (materials.dataKey === undefined)
    throw new KeyUnavailableError('the first keyring of a multi-keyring made no data key')
}

async function unwrap(
  keyrings: readonly Keyring[],
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array | undefined> {
  const reasons: unknown[] = []
  for (const keyring of keyrings) {
    materials.signal?.throwIfAborted()
    try {
      const dataKey = await keyring.unwrap(materials, encryptedDataKeys)
      if (dataKey !== undefined) return dataKey
    } catch (error) {
      materials.signal?.throwIfAborted()
      reasons.push(error)
    }
  }
  if (reasons.length === 0) return undefined
  throw noneOpened(reasons)
}

function unwrapSync(
  keyrings: readonly Keyring[],
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Uint8Array | undefined {
  const reasons: unknown[] = []
  for (const keyring of keyrings) {
    try {
      const dataKey = keyring.unwrapSync?.(materials, encryptedDataKeys)
      if (dataKey !== undefined) return dataKey
    } catch (error) {
      reasons.push(error)
    }
  }
  if (reasons.length === 0) return undefined
  throw noneOpened(reasons)
}

function noneOpened(reasons: readonly unknown[]): KeyUnavailableError {
  return new KeyUnavailableError('no keyring of the multi-keyring could unwrap a data key', reasons)
}
