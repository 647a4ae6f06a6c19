import type { Action } from '../action.ts'
import { resolveKeyId } from '../lookup.ts'
import { assertLimit, pageOf } from '../paging.ts'
import type { ListOfKeyInput, ListResourceTagsOutput } from '../types.ts'

const MAX_LIMIT = 50

/** ListResourceTags: the tags of a key, in the order of their keys. */
export const listResourceTags: Action<ListOfKeyInput, ListResourceTagsOutput> = {
  shape: 'ListResourceTagsRequest',
  mode: 'read',
  async act(context, { KeyId, Limit = MAX_LIMIT, Marker }) {
    assertLimit(Limit, MAX_LIMIT)
    const { record } = await resolveKeyId(context, KeyId)
    const tags = record.tags.map((tag) => ({ id: tag.key, ...tag })).sort((a, b) => (a.id < b.id ? -1 : 1))
    const page = pageOf(tags, { limit: Limit, marker: Marker, isId: (text) => text !== '' })
    return { Tags: page.items.map(({ key, value }) => ({ TagKey: key, TagValue: value })), ...page.output }
  },
}
