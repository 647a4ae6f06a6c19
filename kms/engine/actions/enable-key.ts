import type { Action } from '../action.ts'
import { assertKeyState, type KeyState } from '../key-state.ts'
import { resolveKeyId, updateKey } from '../lookup.ts'
import type { ActionContext } from '../action.ts'
import type { KeyIdInput } from '../types.ts'

/** EnableKey: makes a disabled key usable again; nothing happens if it is. */
export const enableKey: Action<KeyIdInput, undefined> = {
  shape: 'EnableKeyRequest',
  mode: 'write',
  act: (context, input) => setState(context, input, 'Enabled'),
}

/** DisableKey: keeps a key from being used; nothing happens if it is disabled already. */
export const disableKey: Action<KeyIdInput, undefined> = {
  shape: 'DisableKeyRequest',
  mode: 'write',
  act: (context, input) => setState(context, input, 'Disabled'),
}

async function setState(context: ActionContext, { KeyId }: KeyIdInput, state: KeyState): Promise<undefined> {
  const { stored, record, arn } = await resolveKeyId(context, KeyId)
  assertKeyState(record.state, 'enabling', arn)
  if (record.state !== state) await updateKey(context, stored, { ...record, state })
  return undefined
}
