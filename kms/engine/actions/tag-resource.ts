import type { Action } from '../action.ts'
import { assertKeyState } from '../key-state.ts'
import { resolveKeyId, updateKey } from '../lookup.ts'
import { addTags, assertTagKeys, recordTags } from '../tags.ts'
import type { TagResourceInput, UntagResourceInput } from '../types.ts'

/** TagResource: sets tags of a key. */
export const tagResource: Action<TagResourceInput, undefined> = {
  shape: 'TagResourceRequest',
  mode: 'write',
  async act(context, { KeyId, Tags }) {
    const added = recordTags(Tags)
    const { stored, record, arn } = await resolveKeyId(context, KeyId)
    assertKeyState(record.state, 'labelling', arn)
    await updateKey(context, stored, { ...record, tags: addTags(record.tags, added) })
    return undefined
  },
}

/** UntagResource: removes tags of a key; one that it does not have is no error. */
export const untagResource: Action<UntagResourceInput, undefined> = {
  shape: 'UntagResourceRequest',
  mode: 'write',
  async act(context, { KeyId, TagKeys }) {
    assertTagKeys(TagKeys)
    const { stored, record, arn } = await resolveKeyId(context, KeyId)
    assertKeyState(record.state, 'labelling', arn)
    await updateKey(context, stored, { ...record, tags: record.tags.filter(({ key }) => !TagKeys.includes(key)) })
    return undefined
  },
}
