import { KmsError } from '../errors.ts'
import type { Action } from './action.ts'
import { connectCustomKeyStore, disconnectCustomKeyStore } from './actions/connect-custom-key-store.ts'
import { createAlias } from './actions/create-alias.ts'
import { createCustomKeyStore } from './actions/create-custom-key-store.ts'
import { createGrant } from './actions/create-grant.ts'
import { createKey } from './actions/create-key.ts'
import { decrypt } from './actions/decrypt.ts'
import { deleteAlias } from './actions/delete-alias.ts'
import { deleteCustomKeyStore } from './actions/delete-custom-key-store.ts'
import { deleteImportedKeyMaterial } from './actions/delete-imported-key-material.ts'
import { deriveSharedSecret } from './actions/derive-shared-secret.ts'
import { describeCustomKeyStores } from './actions/describe-custom-key-stores.ts'
import { describeKey } from './actions/describe-key.ts'
import { disableKeyRotation, enableKeyRotation } from './actions/enable-key-rotation.ts'
import { disableKey, enableKey } from './actions/enable-key.ts'
import { decapsulate, encapsulate } from './actions/encapsulate.ts'
import { encrypt } from './actions/encrypt.ts'
import { generateDataKeyPair, generateDataKeyPairWithoutPlaintext } from './actions/generate-data-key-pair.ts'
import { generateDataKey, generateDataKeyWithoutPlaintext } from './actions/generate-data-key.ts'
import { generateMac, verifyMac } from './actions/generate-mac.ts'
import { generateRandom } from './actions/generate-random.ts'
import { getKeyLastUsage } from './actions/get-key-last-usage.ts'
import { getKeyRotationStatus } from './actions/get-key-rotation-status.ts'
import { getKeyPolicy, listKeyPolicies, putKeyPolicy } from './actions/key-policies.ts'
import { getParametersForImport } from './actions/get-parameters-for-import.ts'
import { getPublicKey } from './actions/get-public-key.ts'
import { importKeyMaterial } from './actions/import-key-material.ts'
import { listAliases } from './actions/list-aliases.ts'
import { listGrants, listRetirableGrants } from './actions/list-grants.ts'
import { listKeyRotations } from './actions/list-key-rotations.ts'
import { listKeys } from './actions/list-keys.ts'
import { listResourceTags } from './actions/list-resource-tags.ts'
import { reEncrypt } from './actions/re-encrypt.ts'
import { replicateKey } from './actions/replicate-key.ts'
import { retireGrant, revokeGrant } from './actions/retire-grant.ts'
import { rotateKeyOnDemand } from './actions/rotate-key-on-demand.ts'
import { cancelKeyDeletion, scheduleKeyDeletion } from './actions/schedule-key-deletion.ts'
import { sign, verify } from './actions/sign.ts'
import { tagResource, untagResource } from './actions/tag-resource.ts'
import { updateAlias } from './actions/update-alias.ts'
import { updateCustomKeyStore } from './actions/update-custom-key-store.ts'
import { updateKeyDescription } from './actions/update-key-description.ts'
import { updatePrimaryRegion } from './actions/update-primary-region.ts'
import type { ActionInput, ActionName, ActionOutput } from './types.ts'

/** Every action that this KMS has. */
const ACTIONS: { readonly [Name in ActionName]: Action<ActionInput<Name>, ActionOutput<Name>> } = {
  CancelKeyDeletion: cancelKeyDeletion,
  ConnectCustomKeyStore: connectCustomKeyStore,
  CreateAlias: createAlias,
  CreateCustomKeyStore: createCustomKeyStore,
  CreateGrant: createGrant,
  CreateKey: createKey,
  Decapsulate: decapsulate,
  Decrypt: decrypt,
  DeleteAlias: deleteAlias,
  DeleteCustomKeyStore: deleteCustomKeyStore,
  DeleteImportedKeyMaterial: deleteImportedKeyMaterial,
  DeriveSharedSecret: deriveSharedSecret,
  DescribeCustomKeyStores: describeCustomKeyStores,
  DescribeKey: describeKey,
  DisableKey: disableKey,
  DisableKeyRotation: disableKeyRotation,
  DisconnectCustomKeyStore: disconnectCustomKeyStore,
  EnableKey: enableKey,
  EnableKeyRotation: enableKeyRotation,
  Encapsulate: encapsulate,
  Encrypt: encrypt,
  GenerateDataKey: generateDataKey,
  GenerateDataKeyPair: generateDataKeyPair,
  GenerateDataKeyPairWithoutPlaintext: generateDataKeyPairWithoutPlaintext,
  GenerateDataKeyWithoutPlaintext: generateDataKeyWithoutPlaintext,
  GenerateMac: generateMac,
  GenerateRandom: generateRandom,
  GetKeyLastUsage: getKeyLastUsage,
  GetKeyPolicy: getKeyPolicy,
  GetKeyRotationStatus: getKeyRotationStatus,
  GetParametersForImport: getParametersForImport,
  GetPublicKey: getPublicKey,
  ImportKeyMaterial: importKeyMaterial,
  ListAliases: listAliases,
  ListGrants: listGrants,
  ListKeyPolicies: listKeyPolicies,
  ListKeyRotations: listKeyRotations,
  ListKeys: listKeys,
  ListResourceTags: listResourceTags,
  ListRetirableGrants: listRetirableGrants,
  PutKeyPolicy: putKeyPolicy,
  ReEncrypt: reEncrypt,
  ReplicateKey: replicateKey,
  RetireGrant: retireGrant,
  RevokeGrant: revokeGrant,
  RotateKeyOnDemand: rotateKeyOnDemand,
  ScheduleKeyDeletion: scheduleKeyDeletion,
  Sign: sign,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateAlias: updateAlias,
  UpdateCustomKeyStore: updateCustomKeyStore,
  UpdateKeyDescription: updateKeyDescription,
  UpdatePrimaryRegion: updatePrimaryRegion,
  Verify: verify,
  VerifyMac: verifyMac,
}

/** Names of the actions that this KMS has. */
export const ACTION_NAMES: readonly string[] = Object.keys(ACTIONS)

/**
 * The action of a name.
 *
 * @throws KmsError `UnknownOperationException` for any other name
 */
export function actionOf<Name extends ActionName>(name: Name): Action<ActionInput<Name>, ActionOutput<Name>> {
  if (Object.hasOwn(ACTIONS, name)) return ACTIONS[name]
  throw new KmsError('UnknownOperationException', `This KMS has no action ${name}.`)
}
