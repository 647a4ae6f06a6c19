import type { KeyUsageName } from './key-spec.ts'
import { isSymmetric } from './key-spec.ts'
import type { KeyRecord } from './records.ts'

/** What a grant can allow on every key. */
const COMMON = ['CreateGrant', 'DescribeKey', 'RetireGrant']

const ENCRYPTION = ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo']

const BY_USAGE: Readonly<Record<KeyUsageName, readonly string[]>> = {
  ENCRYPT_DECRYPT: ENCRYPTION,
  SIGN_VERIFY: ['Sign', 'Verify'],
  GENERATE_VERIFY_MAC: ['GenerateMac', 'VerifyMac'],
  KEY_AGREEMENT: ['DeriveSharedSecret'],
  ENCAPSULATE_DECAPSULATE: ['Encapsulate', 'Decapsulate'],
}

const SYMMETRIC = [
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
]

/** The operations that a grant on a key of this kind can allow (AWS KMS developer guide, "Grant operations"). */
export function grantableOperations({ keySpec, keyUsage, publicKey }: KeyRecord): readonly string[] {
  return [
    ...COMMON,
    ...BY_USAGE[keyUsage],
    ...(isSymmetric(keySpec) ? SYMMETRIC : []),
    ...(publicKey === undefined ? [] : ['GetPublicKey']),
  ]
}
