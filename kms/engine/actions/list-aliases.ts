import { KmsError } from '../../errors.ts'
import type { Action } from '../action.ts'
import { aliasArn, parseKeyId, rowId } from '../arn.ts'
import { findKey } from '../lookup.ts'
import { readPage } from '../paging.ts'
import type { ListAliasesInput, ListAliasesOutput } from '../types.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100

/** ListAliases: all aliases in the order of their names, or those of one key. */
export const listAliases: Action<ListAliasesInput, ListAliasesOutput> = {
  shape: 'ListAliasesRequest',
  mode: 'read',
  async act(context, { KeyId, Limit = DEFAULT_LIMIT, Marker }) {
    const { scope, records } = context
    if (Limit > MAX_LIMIT) {
      throw new KmsError(
        'ValidationException',
        `1 validation error detected: Value '${String(Limit)}' at 'limit' failed to satisfy constraint: ` +
          `Member must have value less than or equal to ${String(MAX_LIMIT)}`,
      )
    }
    const owner = KeyId === undefined ? undefined : (await findKey(context, parseKeyId(KeyId, scope))).row.id
    const prefix = rowId(scope, '')
    const page = await readPage(Limit, Marker, prefix, (after, limit) =>
      records.list('alias', { prefix, owner, after, limit }),
    )
    const Aliases = page.items.map(({ record }) => ({
      AliasName: record.name,
      AliasArn: aliasArn(scope, record.name),
      TargetKeyId: record.targetKeyId,
      CreationDate: new Date(record.created),
      LastUpdatedDate: new Date(record.updated),
    }))
    return { Aliases, ...page.output }
  },
}
