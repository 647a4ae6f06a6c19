import type { Action, ActionContext } from '../action.ts'
import { aliasArn, isAliasName, parseKeyId, rowId } from '../arn.ts'
import { authorise } from '../authorise.ts'
import { findKey } from '../lookup.ts'
import { assertLimit, readPage } from '../paging.ts'
import { tampered, type AliasRecord, type KeyRecord, type Stored } from '../records.ts'
import type { ListAliasesInput, ListAliasesOutput } from '../types.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100

/** ListAliases: all aliases in the order of their names, or those of one key. */
export const listAliases: Action<ListAliasesInput, ListAliasesOutput> = {
  shape: 'ListAliasesRequest',
  mode: 'read',
  async act(context, { KeyId, Limit = DEFAULT_LIMIT, Marker }) {
    const { scope } = context
    assertLimit(Limit, MAX_LIMIT)
    await authorise(context, '*')
    const key = KeyId === undefined ? undefined : (await findKey(context, parseKeyId(KeyId, scope))).stored
    const request = { limit: Limit, marker: Marker, prefix: rowId(scope, ''), isId: isAliasName }
    const page = await readPage(request, (after, limit) => {
      const range = { prefix: request.prefix, after, limit }
      return key ? listOfKey(context, key, range) : context.records.list('alias', range)
    })
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

interface Range {
  readonly prefix: string
  readonly after: string | undefined
  readonly limit: number
}

/** The aliases of a key must be exactly those that its row names. */
async function listOfKey(
  { records }: ActionContext,
  { row, record }: Stored<KeyRecord>,
  range: Range,
): Promise<readonly Stored<AliasRecord>[]> {
  const rows = await records.list('alias', { ...range, owner: row.id })
  const { prefix, after = '', limit } = range
  const expected = record.aliases.filter((name) => prefix + name > after).slice(0, limit)
  if (expected.join() !== rows.map((alias) => alias.record.name).join()) throw tampered('key', row.id)
  return rows
}
