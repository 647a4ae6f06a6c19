import { assertBytes } from '../../bindings/bytes.ts'
import { copyBytes } from '../bytes.ts'
import { UnsupportedError } from '../errors.ts'
import type { DecryptionMaterials, EncryptionMaterials, Keyring } from '../materials.ts'
import { unwrapFailure, wrongDataKeyLength } from '../materials.ts'

const PROVIDER_ID = 'waxseal-static-data-key'

/**
 * Holds one data key outright, whatever the message says: for tests of the format. Not exported from the package.
 *
 * It does not write with suites that use the data key as the message key: a second message would authenticate a
 * second header under the same key and IV.
 */
export function staticDataKeyKeyring(dataKey: Uint8Array): Keyring {
  assertBytes(dataKey, 'dataKey')
  const ownKey = copyBytes(dataKey)
  const wrapSync = (materials: EncryptionMaterials): void => {
    if (materials.suite.kdf === 'identity') throw new UnsupportedError('a static data key does not write without a KDF')
    materials.setDataKey(ownKey.slice())
    materials.addEncryptedDataKey({
      providerId: PROVIDER_ID,
      providerInfo: new Uint8Array(0),
      ciphertext: new Uint8Array(0),
    })
  }
  const unwrapSync = ({ suite }: DecryptionMaterials): Uint8Array => {
    if (ownKey.length === suite.keyBytes) return ownKey.slice()
    throw unwrapFailure('static data key', [wrongDataKeyLength(suite, ownKey.length)])
  }
  return { wrap: wrapSync, unwrap: unwrapSync, wrapSync, unwrapSync }
}
