import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { lacksMaterial } from '../imported.ts'
import { assertKeyState, type KeyState } from '../key-state.ts'
import { resolveKeyId, updateKey } from '../lookup.ts'
import type { KeyRecord } from '../records.ts'
import { DAY_MS } from '../schedule.ts'
import type { KeyIdInput, KeyIdOutput, ScheduleKeyDeletionInput, ScheduleKeyDeletionOutput } from '../types.ts'
import { without } from '../without.ts'

const MIN_DAYS = 7
const MAX_DAYS = 30

/**
 * ScheduleKeyDeletion: the key cannot be used from now on, and ends when the waiting period is over. That of a primary
 * key begins when the last of its replicas has ended.
 */
export const scheduleKeyDeletion: Action<ScheduleKeyDeletionInput, ScheduleKeyDeletionOutput> = {
  shape: 'ScheduleKeyDeletionRequest',
  mode: 'write',
  async act(context, { KeyId, PendingWindowInDays: days = MAX_DAYS }) {
    if (days < MIN_DAYS || days > MAX_DAYS) {
      throw new KmsError(
        'ValidationException',
        `PendingWindowInDays must be between ${String(MIN_DAYS)} and ${String(MAX_DAYS)}.`,
      )
    }
    const { stored, record, arn } = await resolveKeyId(context, KeyId)
    assertKeyState(record.state, 'scheduleDeletion', arn)
    const answer = { KeyId: arn, PendingWindowInDays: days }
    if (record.multiRegion?.type === 'PRIMARY' && record.multiRegion.replicas.length > 0) {
      const deletion = { days, from: record.state }
      await updateKey(context, stored, { ...record, state: 'PendingReplicaDeletion', deletion })
      return { ...answer, KeyState: 'PendingReplicaDeletion' }
    }
    const at = context.now + days * DAY_MS
    await updateKey(context, stored, {
      ...record,
      state: 'PendingDeletion',
      deletion: { days, at, from: record.state },
    })
    return { ...answer, DeletionDate: new Date(at), KeyState: 'PendingDeletion' }
  },
}

/** CancelKeyDeletion: the key is disabled, or waits for material if it did before. */
export const cancelKeyDeletion: Action<KeyIdInput, KeyIdOutput> = {
  shape: 'CancelKeyDeletionRequest',
  mode: 'write',
  async act(context, { KeyId }) {
    const { stored, record, arn } = await resolveKeyId(context, KeyId)
    assertKeyState(record.state, 'cancelDeletion', arn)
    await updateKey(context, stored, { ...without(record, 'deletion'), state: stateAfter(record) })
    return { KeyId: arn }
  },
}

function stateAfter(record: KeyRecord): KeyState {
  return lacksMaterial(record) ? 'PendingImport' : 'Disabled'
}
