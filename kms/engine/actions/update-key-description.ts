import type { Action } from '../action.ts'
import { assertKeyState } from '../key-state.ts'
import { resolveKeyId, updateKey } from '../lookup.ts'
import type { UpdateKeyDescriptionInput } from '../types.ts'

/** UpdateKeyDescription: replaces the description. */
export const updateKeyDescription: Action<UpdateKeyDescriptionInput, undefined> = {
  shape: 'UpdateKeyDescriptionRequest',
  mode: 'write',
  async act(context, { KeyId, Description }) {
    const { stored, record, arn } = await resolveKeyId(context, KeyId)
    assertKeyState(record.state, 'labelling', arn)
    await updateKey(context, stored, { ...record, description: Description })
    return undefined
  },
}
