import type { Action } from '../action.ts'
import { isKeyId, keyArn, rowId } from '../arn.ts'
import { authorise } from '../authorise.ts'
import { readPage } from '../paging.ts'
import type { ListKeysOutput, PageInput } from '../types.ts'

const DEFAULT_LIMIT = 100

/** ListKeys: id and ARN of every key, in the order of the ids. */
export const listKeys: Action<PageInput, ListKeysOutput> = {
  shape: 'ListKeysRequest',
  mode: 'read',
  async act(context, { Limit = DEFAULT_LIMIT, Marker }) {
    const { scope, records } = context
    await authorise(context, '*')
    const prefix = rowId(scope, '')
    const request = { limit: Limit, marker: Marker, prefix, isId: isKeyId }
    const page = await readPage(request, (after, limit) => records.list('key', { prefix, after, limit }))
    const Keys = page.items.map(({ record: { keyId } }) => ({ KeyId: keyId, KeyArn: keyArn(scope, keyId) }))
    return { Keys, ...page.output }
  },
}
