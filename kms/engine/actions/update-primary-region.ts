import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { authoriseKey } from '../authorise.ts'
import { assertKeyState } from '../key-state.ts'
import { findKey, resolveKeyId, updateKey } from '../lookup.ts'
import { assertPrimary, inRegion, synchronize } from '../multi-region.ts'
import type { MultiRegion } from '../records.ts'
import type { UpdatePrimaryRegionInput } from '../types.ts'

/**
 * UpdatePrimaryRegion: a replica becomes the primary key, and the primary one of its replicas. Both at once: no call
 * meets them in between, in the state `Updating`.
 */
export const updatePrimaryRegion: Action<UpdatePrimaryRegionInput, undefined> = {
  shape: 'UpdatePrimaryRegionRequest',
  mode: 'write',
  async act(context, { KeyId, PrimaryRegion }) {
    const found = await resolveKeyId(context, KeyId)
    const { keyId, state, multiRegion } = assertPrimary(found)
    assertKeyState(state, 'updatePrimary', found.arn)
    if (PrimaryRegion === multiRegion.primary) {
      throw new KmsError('UnsupportedOperationException', `${PrimaryRegion} contains the primary already.`)
    }
    if (!context.regions.includes(PrimaryRegion)) {
      throw new KmsError('UnsupportedOperationException', `This KMS does not serve the Region ${PrimaryRegion}.`)
    }
    const there = inRegion(context, PrimaryRegion)
    const target = await findKey(there, keyId)
    await authoriseKey(there, target.record, target.arn)
    assertKeyState(target.record.state, 'updatePrimary', target.arn)
    const roles: MultiRegion = {
      type: 'PRIMARY',
      primary: PrimaryRegion,
      replicas: multiRegion.replicas.map((region) => (region === PrimaryRegion ? multiRegion.primary : region)),
    }
    await updateKey(there, target.stored, { ...target.record, multiRegion: roles })
    context.trail.forwarded.push({ scope: there.scope, input: { KeyId: target.arn, PrimaryRegion } })
    context.trail.events.push(...(await synchronize(there, keyId)))
    return undefined
  },
}
