import { KmsError } from '../errors.ts'

/** The states of a KMS key (AWS KMS developer guide, "Key states"). */
export type KeyState =
  | 'Creating'
  | 'Disabled'
  | 'Enabled'
  | 'PendingDeletion'
  | 'PendingImport'
  | 'PendingReplicaDeletion'
  | 'Unavailable'
  | 'Updating'

/** What an action does with a key in a state: goes on, DisabledException, KMSInvalidStateException. */
type Outcome = 'ok' | 'disabled' | 'invalid'

type StateRow = Readonly<Record<KeyState, Outcome>>

const COLUMNS: readonly KeyState[] = [
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'PendingImport',
  'Unavailable',
  'Creating',
  'Updating',
]

const CELLS = { '+': 'ok', D: 'disabled', S: 'invalid' } as const

/** One cell for each of {@link COLUMNS}. */
function row(cells: string): StateRow {
  const outcomes = cells.split(' ').map((cell) => CELLS[cell as keyof typeof CELLS])
  return Object.fromEntries(COLUMNS.map((state, index) => [state, outcomes[index]])) as StateRow
}

/** Classes of actions that treat key states alike. */
export type ActionClass =
  | 'cryptography'
  | 'createGrant'
  | 'anyState'
  | 'enabling'
  | 'labelling'
  | 'scheduleDeletion'
  | 'cancelDeletion'
  | 'rotationSetting'
  | 'rotateOnDemand'
  | 'importParameters'
  | 'importMaterial'
  | 'deleteMaterial'
  | 'replicate'
  | 'updatePrimary'

/** The table of states. */
const STATE_TABLE: Readonly<Record<ActionClass, StateRow>> = {
  // Encrypt, Decrypt, ReEncrypt, GenerateDataKey…, Sign, Verify, GenerateMac, VerifyMac, GetPublicKey, DeriveSharedSecret
  cryptography: row('+ D S S S S S +'),
  createGrant: row('+ D S S S + S +'),
  // Describing and listing; policies; DeleteAlias; retiring and revoking grants; GetKeyRotationStatus, ListKeyRotations
  anyState: row('+ + + + + + + +'),
  // EnableKey, DisableKey
  enabling: row('+ + S S S + S S'),
  // CreateAlias, UpdateAlias (the new key), TagResource, UntagResource, UpdateKeyDescription
  labelling: row('+ + S S + + + +'),
  scheduleDeletion: row('+ + S S + + + S'),
  cancelDeletion: row('S S + + S S S S'),
  // EnableKeyRotation, DisableKeyRotation
  rotationSetting: row('+ D S S S S S +'),
  rotateOnDemand: row('+ D S S S S S S'),
  importParameters: row('+ + S S + S S S'),
  importMaterial: row('+ + S S + S S +'),
  deleteMaterial: row('+ + + + + + S S'),
  replicate: row('+ D S S S S S S'),
  updatePrimary: row('+ D S S S S S +'),
}

/** What follows `<key ARN> is ` in the error of a state. */
const STATE_WORDS: Readonly<Record<KeyState, string>> = {
  Creating: 'creating',
  Disabled: 'disabled',
  Enabled: 'enabled',
  PendingDeletion: 'pending deletion',
  PendingImport: 'pending import',
  PendingReplicaDeletion: 'pending deletion',
  Unavailable: 'unavailable',
  Updating: 'updating',
}

/**
 * Refuses an action on a key whose state does not allow it.
 *
 * @throws KmsError `DisabledException` or `KMSInvalidStateException`
 */
export function assertKeyState(state: KeyState, action: ActionClass, arn: string): void {
  const outcome = STATE_TABLE[action][state]
  if (outcome === 'ok') return
  const words = action === 'cancelDeletion' ? 'not pending deletion' : STATE_WORDS[state]
  throw new KmsError(outcome === 'disabled' ? 'DisabledException' : 'KMSInvalidStateException', `${arn} is ${words}.`)
}
