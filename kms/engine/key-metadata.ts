import { keyArn, type Scope } from './arn.ts'
import { expiryOf, lacksMaterial } from './imported.ts'
import { isSymmetric, specification } from './key-spec.ts'
import type { KeyRecord, MultiRegion } from './records.ts'
import type { KeyMetadata, MultiRegionConfiguration, MultiRegionKey } from './types.ts'

/** KeyMetadata, as CreateKey and DescribeKey answer it: what does not apply is absent. */
export function keyMetadata(scope: Scope, key: KeyRecord): KeyMetadata {
  return {
    AWSAccountId: scope.account,
    Arn: keyArn(scope, key.keyId),
    ...placeOf(key),
    CreationDate: new Date(key.created),
    ...materialOf(key),
    CustomerMasterKeySpec: key.keySpec,
    ...(key.deletion?.at !== undefined && { DeletionDate: new Date(key.deletion.at) }),
    Description: key.description,
    Enabled: key.state === 'Enabled',
    ...expiration(key),
    ...algorithms(key),
    KeyId: key.keyId,
    KeyManager: 'CUSTOMER',
    KeySpec: key.keySpec,
    KeyState: key.state,
    KeyUsage: key.keyUsage,
    MultiRegion: key.multiRegion !== undefined,
    ...(key.multiRegion && { MultiRegionConfiguration: configuration(scope, key.keyId, key.multiRegion) }),
    Origin: key.origin,
    ...(key.state === 'PendingReplicaDeletion' && { PendingDeletionWindowInDays: key.deletion?.days }),
  }
}

function configuration(scope: Scope, keyId: string, multiRegion: MultiRegion): MultiRegionConfiguration {
  const related = (region: string): MultiRegionKey => ({ Arn: keyArn({ ...scope, region }, keyId), Region: region })
  return {
    MultiRegionKeyType: multiRegion.type,
    PrimaryKey: related(multiRegion.primary),
    ReplicaKeys: multiRegion.replicas.map(related),
  }
}

/** What keys in custom key stores have is in none of the other's lists of material. */
function materialOf({ keySpec, currentMaterial, keyStore }: KeyRecord): Partial<KeyMetadata> {
  if (!isSymmetric(keySpec) || currentMaterial === undefined || keyStore) return {}
  return { CurrentKeyMaterialId: currentMaterial }
}

function placeOf({ keyStore }: KeyRecord): Partial<KeyMetadata> {
  if (!keyStore) return {}
  const { storeId, clusterId, xksKeyId } = keyStore
  return {
    ...(clusterId !== undefined && { CloudHsmClusterId: clusterId }),
    CustomKeyStoreId: storeId,
    ...(xksKeyId !== undefined && { XksKeyConfiguration: { Id: xksKeyId } }),
  }
}

/** Of imported material, while it is all here. */
function expiration(key: KeyRecord): Partial<KeyMetadata> {
  if (key.origin !== 'EXTERNAL' || lacksMaterial(key)) return {}
  const until = expiryOf(key)
  if (until === undefined) return { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
  return { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: new Date(until) }
}

/** The algorithms of the key's usage, under its member. */
function algorithms({ keySpec, keyUsage }: KeyRecord): Partial<KeyMetadata> {
  const { encryption = [], signing = [], mac = [], agreement = [], encapsulation = [] } = specification(keySpec) ?? {}
  switch (keyUsage) {
    case 'ENCRYPT_DECRYPT':
      return { EncryptionAlgorithms: encryption }
    case 'SIGN_VERIFY':
      return { SigningAlgorithms: signing }
    case 'GENERATE_VERIFY_MAC':
      return { MacAlgorithms: mac }
    case 'KEY_AGREEMENT':
      return { KeyAgreementAlgorithms: agreement }
    case 'ENCAPSULATE_DECAPSULATE':
      return { EncapsulationAlgorithms: encapsulation }
  }
}
