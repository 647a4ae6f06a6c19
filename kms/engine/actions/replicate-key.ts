import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { keyArn, rowId } from '../arn.ts'
import { authoriseCreation, authoriseTags } from '../authorise.ts'
import { addToKeyCount } from '../key-count.ts'
import { keyMetadata } from '../key-metadata.ts'
import { readPolicy, writePolicy } from '../key-policy.ts'
import { assertKeyState } from '../key-state.ts'
import { resolveKeyId, updateKey } from '../lookup.ts'
import { assertPrimary, inRegion, synchronize, type PrimaryKey } from '../multi-region.ts'
import type { KeyRecord } from '../records.ts'
import { recordTags } from '../tags.ts'
import type { ReplicateKeyInput, ReplicateKeyOutput } from '../types.ts'

/**
 * ReplicateKey: a related key in another Region, with the same id and the same material. As on AWS it is answered as
 * being created; it is there when the answer is.
 */
export const replicateKey: Action<ReplicateKeyInput, ReplicateKeyOutput> = {
  shape: 'ReplicateKeyRequest',
  mode: 'write',
  async act(context, input) {
    const { ReplicaRegion, Tags = [], Policy: text, BypassPolicyLockoutSafetyCheck: bypassesLockoutCheck } = input
    const tags = recordTags(Tags)
    const found = await resolveKeyId(context, input.KeyId)
    const primary = assertPrimary(found)
    assertKeyState(primary.state, 'replicate', found.arn)
    assertFree(context, primary, ReplicaRegion)
    const { keyId } = primary
    const replicas = [...primary.multiRegion.replicas, ReplicaRegion]
    const changed = { ...primary, multiRegion: { ...primary.multiRegion, replicas } }
    const replica = replicaOf(changed, { created: context.now, description: input.Description ?? '', tags })
    const there = inRegion(context, ReplicaRegion)
    await authoriseCreation(there, replica)
    await authoriseTags(there, replica)
    await addToKeyCount(there, 1)
    await writePolicy(there, replica, { text, bypassesLockoutCheck })
    await context.records.put('key', rowId(there.scope, keyId), replica)
    await updateKey(context, found.stored, changed)
    const { scope, now } = there
    context.trail.events.push({ name: 'CreateKey', scope, now, keyId, arn: keyArn(scope, keyId) })
    context.trail.events.push(...(await synchronize(context, keyId)))
    return {
      ReplicaKeyMetadata: keyMetadata(scope, { ...replica, state: 'Creating' }),
      ReplicaPolicy: (await readPolicy(there, keyId)).record.text,
      ReplicaTags: Tags.map(({ TagKey, TagValue }) => ({ TagKey, TagValue })),
    }
  },
}

/** The replica before it has anything of its primary but what never changes. */
function replicaOf(
  { keyId, keySpec, keyUsage, origin, publicKey, multiRegion }: PrimaryKey,
  own: Pick<KeyRecord, 'created' | 'description' | 'tags'>,
): KeyRecord {
  return {
    keyId,
    ...own,
    state: 'Enabled',
    keySpec,
    keyUsage,
    origin,
    materials: [],
    ...(publicKey !== undefined && { publicKey }),
    aliases: [],
    grants: 0,
    multiRegion: { ...multiRegion, type: 'REPLICA' },
    onDemandRotations: 0,
  }
}

/** @throws KmsError `AlreadyExistsException`, `UnsupportedOperationException` */
function assertFree({ regions, scope }: ActionContext, { keyId, multiRegion }: PrimaryKey, region: string): void {
  if (region === multiRegion.primary) {
    throw new KmsError('AlreadyExistsException', `${region} cannot have a replica because it contains the primary.`)
  }
  if (multiRegion.replicas.includes(region)) {
    throw new KmsError('AlreadyExistsException', `${keyArn({ ...scope, region }, keyId)} already exists.`)
  }
  if (regions.includes(region)) return
  throw new KmsError('UnsupportedOperationException', `This KMS does not serve the Region ${region}.`)
}
