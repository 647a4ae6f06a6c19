import type { Action, ActionContext } from '../action.ts'
import { assertKeyState } from '../key-state.ts'
import { resolveKeyId, updateKey, type FoundKey } from '../lookup.ts'
import { synchronize } from '../multi-region.ts'
import { assertAutomaticRotation, DEFAULT_ROTATION_DAYS } from '../rotation.ts'
import { DAY_MS } from '../schedule.ts'
import type { EnableKeyRotationInput, KeyIdInput } from '../types.ts'
import { without } from '../without.ts'

/** EnableKeyRotation: new material every period from now on; again, it changes the period. */
export const enableKeyRotation: Action<EnableKeyRotationInput, undefined> = {
  shape: 'EnableKeyRotationRequest',
  mode: 'write',
  async act(context, { KeyId, RotationPeriodInDays: periodDays = DEFAULT_ROTATION_DAYS }) {
    const { stored, record } = await findRotating(context, KeyId)
    const next = context.now + periodDays * DAY_MS
    await updateKey(context, stored, { ...record, rotation: { periodDays, next } })
    context.trail.events.push(...(await synchronize(context, record.keyId)))
    return undefined
  },
}

/** DisableKeyRotation: no new material by itself any more. */
export const disableKeyRotation: Action<KeyIdInput, undefined> = {
  shape: 'DisableKeyRotationRequest',
  mode: 'write',
  async act(context, { KeyId }) {
    const { stored, record } = await findRotating(context, KeyId)
    await updateKey(context, stored, without(record, 'rotation'))
    context.trail.events.push(...(await synchronize(context, record.keyId)))
    return undefined
  },
}

async function findRotating(context: ActionContext, keyId: string): Promise<FoundKey> {
  const found = await resolveKeyId(context, keyId)
  assertAutomaticRotation(found)
  assertKeyState(found.record.state, 'rotationSetting', found.arn)
  return found
}
