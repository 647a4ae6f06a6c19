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

/** Classes of actions that treat key states alike. */
export type ActionClass = 'cryptography' | 'description' | 'alias'

/** What follows `<key ARN> is ` in the error of a state. */
const STATE_WORDS: Readonly<Record<Exclude<KeyState, 'Enabled'>, string>> = {
  Creating: 'creating',
  Disabled: 'disabled',
  PendingDeletion: 'pending deletion',
  PendingImport: 'pending import',
  PendingReplicaDeletion: 'pending deletion',
  Unavailable: 'unavailable',
  Updating: 'updating',
}

/** The states in which each class of actions is allowed. */
const ALLOWED: Readonly<Record<ActionClass, readonly KeyState[]>> = {
  cryptography: ['Enabled', 'Updating'],
  description: [
    'Creating',
    'Disabled',
    'Enabled',
    'PendingDeletion',
    'PendingImport',
    'PendingReplicaDeletion',
    'Unavailable',
    'Updating',
  ],
  alias: ['Enabled', 'Disabled', 'PendingImport', 'Unavailable', 'Creating', 'Updating'],
}

/**
 * Refuses an action on a key whose state does not allow it.
 *
 * @throws KmsError `DisabledException` or `KMSInvalidStateException`
 */
export function assertKeyState(state: KeyState, action: ActionClass, arn: string): void {
  if (ALLOWED[action].includes(state) || state === 'Enabled') return
  const name = state === 'Disabled' ? 'DisabledException' : 'KMSInvalidStateException'
  throw new KmsError(name, `${arn} is ${STATE_WORDS[state]}.`)
}
