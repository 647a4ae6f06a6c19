import { KmsError } from '../../errors.ts'
import type { Action, ActionContext } from '../action.ts'
import { aliasArn, isAliasName, parseKeyId, rowId } from '../arn.ts'
import { findKey } from '../lookup.ts'
import { readPage } from '../paging.ts'
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
    assertLimit(Limit)
    const key = KeyId === undefined ? undefined : await findKey(context, parseKeyId(KeyId, scope))
    const request = { limit: Limit, marker: Marker, prefix: rowId(scope, ''), isId: isAliasName }
    const page = await readPage(request, (after, limit) => {
      const range = { prefix: request.prefix, after, limit }
      return key ? listOfKey(context, key, range) : listAll(context, range)
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

/** Each alias must be one that its key's row names: an older row of the same name is not. */
async function listAll(context: ActionContext, range: Range): Promise<readonly Stored<AliasRecord>[]> {
  const rows = await context.records.list('alias', range)
  const namesOf = new Map<string, readonly string[]>()
  for (const { row, record } of rows) {
    const names = namesOf.get(record.targetKeyId) ?? (await findKey(context, record.targetKeyId)).record.aliases
    namesOf.set(record.targetKeyId, names)
    if (!names.includes(record.name)) throw tampered('alias', row.id)
  }
  return rows
}

function assertLimit(limit: number): void {
  if (limit <= MAX_LIMIT) return
  throw new KmsError(
    'ValidationException',
    `1 validation error detected: Value '${String(limit)}' at 'limit' failed to satisfy constraint: ` +
      `Member must have value less than or equal to ${String(MAX_LIMIT)}`,
  )
}
