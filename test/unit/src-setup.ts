import { rawAesKeyring } from '../../src/index.ts'
import type { EncryptedDataKey, Keyring, RawAesKeyring } from '../../src/index.ts'

export const NAMES = { namespace: 'test', name: 'k1' }
export const plaintext: Uint8Array = Uint8Array.of(1, 2, 3)
export const aes: RawAesKeyring = rawAesKeyring({ ...NAMES, wrappingKey: new Uint8Array(32).fill(7) })

/** An encrypted data key of the namespace in {@link NAMES}. */
export function own(
  ciphertext: Uint8Array,
  providerInfo: Uint8Array = new TextEncoder().encode('k1'),
): EncryptedDataKey {
  return { providerId: 'test', providerInfo, ciphertext }
}

/** Puts encrypted data keys of anybody's making before those of `inner`. */
export function preceded(inner: Keyring, ...encryptedDataKeys: readonly EncryptedDataKey[]): Keyring {
  return {
    wrap: async (materials) => {
      for (const key of encryptedDataKeys) materials.addEncryptedDataKey(key)
      await inner.wrap(materials)
    },
    unwrap: (...args) => inner.unwrap(...args),
  }
}

/** What it rejects with; undefined if it does not. */
export async function failure(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** The code of the error that it rejects with, or the error's name; a text if it does not. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'it was done',
    (error: unknown) => (error as { code?: unknown }).code ?? (error as Error).name,
  )
}
