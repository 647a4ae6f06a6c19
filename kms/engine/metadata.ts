import { keyArn, type Scope } from './arn.ts'
import { SYMMETRIC_DEFAULT } from './lookup.ts'
import type { KeyRecord } from './records.ts'
import type { KeyMetadata } from './types.ts'

/** KeyMetadata, as CreateKey and DescribeKey answer it. */
export function keyMetadata(scope: Scope, key: KeyRecord): KeyMetadata {
  return {
    AWSAccountId: scope.account,
    Arn: keyArn(scope, key.keyId),
    CreationDate: new Date(key.created),
    CurrentKeyMaterialId: key.currentMaterial,
    CustomerMasterKeySpec: key.keySpec,
    Description: key.description,
    Enabled: key.state === 'Enabled',
    EncryptionAlgorithms: [SYMMETRIC_DEFAULT],
    KeyId: key.keyId,
    KeyManager: 'CUSTOMER',
    KeySpec: key.keySpec,
    KeyState: key.state,
    KeyUsage: key.keyUsage,
    MultiRegion: false,
    Origin: key.origin,
  }
}
