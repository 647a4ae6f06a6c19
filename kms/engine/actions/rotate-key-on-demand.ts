import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { assertKeyState } from '../key-state.ts'
import { resolveKeyId } from '../lookup.ts'
import { synchronize } from '../multi-region.ts'
import { assertAutomaticRotation, assertImportedRotation, rotate, rotateToImported } from '../rotation.ts'
import type { KeyIdInput, KeyIdOutput } from '../types.ts'

const MAX_ROTATIONS = 25

/** RotateKeyOnDemand: new material now, or that which was imported for it; the dates of automatic rotation stay. */
export const rotateKeyOnDemand: Action<KeyIdInput, KeyIdOutput> = {
  shape: 'RotateKeyOnDemandRequest',
  mode: 'write',
  async act(context, { KeyId }) {
    const found = await resolveKeyId(context, KeyId)
    const { stored, record, arn } = found
    if (record.origin === 'EXTERNAL') assertImportedRotation(found)
    else assertAutomaticRotation(found)
    assertKeyState(record.state, 'rotateOnDemand', arn)
    if (record.onDemandRotations >= MAX_ROTATIONS) {
      throw new KmsError(
        'LimitExceededException',
        'The on-demand rotations limit has been reached for the given keyId. ' +
          `No more on-demand rotations can be performed for this key: ${arn}`,
      )
    }
    if (record.origin === 'EXTERNAL') await rotateToImported(context, found)
    else await rotate(context, stored, 'ON_DEMAND', record.rotation)
    context.trail.events.push(...(await synchronize(context, record.keyId)))
    return { KeyId: arn }
  },
}
