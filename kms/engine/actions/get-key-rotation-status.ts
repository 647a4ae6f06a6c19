import type { Action } from '../action.ts'
import { resolveKeyId } from '../lookup.ts'
import { assertRotation } from '../rotation.ts'
import type { GetKeyRotationStatusOutput, KeyIdInput } from '../types.ts'

/** GetKeyRotationStatus: whether a key gets new material by itself, and when. */
export const getKeyRotationStatus: Action<KeyIdInput, GetKeyRotationStatusOutput> = {
  shape: 'GetKeyRotationStatusRequest',
  mode: 'read',
  async act(context, { KeyId }) {
    const found = await resolveKeyId(context, KeyId)
    assertRotation(found)
    const { rotation, deletion } = found.record
    if (!rotation || deletion) return { KeyId: found.arn, KeyRotationEnabled: false }
    return {
      KeyId: found.arn,
      KeyRotationEnabled: true,
      RotationPeriodInDays: rotation.periodDays,
      NextRotationDate: new Date(rotation.next),
    }
  },
}
