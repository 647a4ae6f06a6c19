import { KmsError } from '../../errors.ts'
import { isGrantPrincipal } from '../../policy/index.ts'
import type { Action, ActionContext } from '../action.ts'
import { keyArn, rowId } from '../arn.ts'
import { authorise } from '../authorise.ts'
import { findGrant, grantEntry, grantsTo, isGrantId, retiringPrefix } from '../grants.ts'
import { resolveKeyId } from '../lookup.ts'
import { assertLimit, readPage, type Page } from '../paging.ts'
import type { GrantRecord } from '../records.ts'
import type { ListGrantsInput, ListGrantsOutput, ListRetirableGrantsInput } from '../types.ts'

const DEFAULT_LIMIT = 50
const MAX_LIMIT = 100

/** ListGrants: the grants of a key, all or those of one id or grantee. */
export const listGrants: Action<ListGrantsInput, ListGrantsOutput> = {
  shape: 'ListGrantsRequest',
  mode: 'read',
  async act(context, input) {
    assertLimit(input.Limit ?? DEFAULT_LIMIT, MAX_LIMIT)
    const { record, arn } = await resolveKeyId(context, input.KeyId)
    const page = await grantsOfKey(context, record.keyId, input)
    return { Grants: page.items.map((grant) => grantEntry(grant, arn, context.scope)), ...page.output }
  },
}

async function grantsOfKey(
  context: ActionContext,
  keyId: string,
  { GrantId, GranteePrincipal, Limit: limit = DEFAULT_LIMIT, Marker: marker }: ListGrantsInput,
): Promise<Page<GrantRecord>> {
  if (GrantId !== undefined) {
    const { record } = await findGrant(context, keyId, GrantId)
    const isAsked = GranteePrincipal === undefined || record.grantee.arn === GranteePrincipal
    return { items: isAsked ? [record] : [], output: { Truncated: false } }
  }
  const prefix = rowId(context.scope, keyId, '')
  const request = { limit, marker, prefix, isId: isGrantId }
  const page = await readPage(request, (after, count) =>
    GranteePrincipal === undefined
      ? context.records.list('grant', { prefix, after, limit: count })
      : grantsTo(context, keyId, GranteePrincipal, { after, limit: count }),
  )
  return { items: page.items.map(({ record }) => record), output: page.output }
}

/** ListRetirableGrants: the grants that a principal may retire, of all keys. */
export const listRetirableGrants: Action<ListRetirableGrantsInput, ListGrantsOutput> = {
  shape: 'ListRetirableGrantsRequest',
  mode: 'read',
  async act(context, { RetiringPrincipal, Limit = DEFAULT_LIMIT, Marker }) {
    const { scope, records } = context
    assertLimit(Limit, MAX_LIMIT)
    if (!isGrantPrincipal(RetiringPrincipal)) {
      throw new KmsError('InvalidArnException', `${RetiringPrincipal} is not a principal.`)
    }
    await authorise(context, '*')
    const prefix = retiringPrefix(scope, RetiringPrincipal)
    const request = {
      limit: Limit,
      marker: Marker,
      prefix,
      isId: (text: string) => isGrantId(text.split('/')[1] ?? ''),
    }
    const page = await readPage(request, (after, limit) => records.list('retiring', { prefix, after, limit }))
    const grants = await Promise.all(page.items.map(({ record }) => findGrant(context, record.keyId, record.grantId)))
    const Grants = grants
      .filter(({ record }) => record.retiring?.arn === RetiringPrincipal)
      .map(({ record }) => grantEntry(record, keyArn(scope, record.keyId), scope))
    return { Grants, ...page.output }
  },
}
