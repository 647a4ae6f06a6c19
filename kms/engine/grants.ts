import { sha256 } from '../../bindings/core.ts'
import { KmsError } from '../errors.ts'
import { arnsOf, type Principal } from '../policy/index.ts'
import type { ActionContext } from './action.ts'
import { rowId, type Scope } from './arn.ts'
import { toHex } from './bytes.ts'
import type { FoundKey } from './lookup.ts'
import type { GrantRecord, KeyRecord, Stored } from './records.ts'
import type { GrantListEntry } from './types.ts'
import { updateKey } from './update-key.ts'

/** Most grants of a key. */
const MAX_GRANTS = 50_000

/** Grants that are read at a time by those who look for one. */
const PAGE_GRANTS = 50

type RowContext = Pick<ActionContext, 'scope' | 'records'>

/** Id of the row of a grant. */
function grantRow(scope: Scope, keyId: string, grantId: string): string {
  return rowId(scope, keyId, grantId)
}

/** What the rows of a key's grants to one principal belong to. */
function granteeOwner(scope: Scope, keyId: string, grantee: string): string {
  return rowId(scope, keyId, grantee)
}

/** One page of the grants of a key to one principal. */
export async function grantsTo(
  { scope, records }: RowContext,
  keyId: string,
  grantee: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly Stored<GrantRecord>[]> {
  return records.list('grant', { prefix: rowId(scope, keyId, ''), owner: granteeOwner(scope, keyId, grantee), ...page })
}

/** The grants of a key to some principals, read as they are asked for: a key may have many. */
export async function* eachGrant(
  context: RowContext,
  keyId: string,
  grantees: readonly string[],
): AsyncGenerator<GrantRecord> {
  for (const grantee of grantees) {
    let after: string | undefined
    do {
      const page = await grantsTo(context, keyId, grantee, { after, limit: PAGE_GRANTS })
      for (const { record } of page) yield record
      after = page.length < PAGE_GRANTS ? undefined : page.at(-1)?.row.id
    } while (after !== undefined)
  }
}

/** The grants of a key that could be for the caller: to him, or to his account. */
export function grantsFor(context: ActionContext, { keyId }: KeyRecord): AsyncGenerator<GrantRecord> {
  return eachGrant(context, keyId, namesOf(context.caller))
}

/** Everything that a grant can call somebody. */
function namesOf(caller: Principal): readonly string[] {
  const { arn, account } = caller
  const partition = arn.split(':')[1] ?? 'aws'
  return [...new Set([...arnsOf(caller), account, `arn:${partition}:iam::${account}:root`])]
}

/** Whether this is the form of a grant id. */
export function isGrantId(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text)
}

/** @throws KmsError `InvalidGrantIdException`, `NotFoundException` */
export async function findGrant(
  { scope, records }: RowContext,
  keyId: string,
  grantId: string,
): Promise<Stored<GrantRecord>> {
  if (!isGrantId(grantId)) throw new KmsError('InvalidGrantIdException', `Invalid grant ID ${grantId}`)
  const grant = await records.get('grant', grantRow(scope, keyId, grantId))
  if (!grant) throw new KmsError('NotFoundException', `Grant ID ${grantId} not found`)
  return grant
}

/** Adds a grant to a key. @throws KmsError `LimitExceededException` */
export async function addGrant(
  context: ActionContext,
  { stored, record }: FoundKey,
  grant: GrantRecord,
): Promise<void> {
  const { scope, records } = context
  const { keyId } = record
  if (record.grants >= MAX_GRANTS) {
    throw new KmsError('LimitExceededException', `The key has ${String(MAX_GRANTS)} grants already.`)
  }
  const owner = granteeOwner(scope, keyId, grant.grantee.arn)
  await records.put('grant', grantRow(scope, keyId, grant.grantId), grant, undefined, owner)
  if (grant.retiring) {
    await records.put('retiring', retiringRow(scope, grant), { keyId, grantId: grant.grantId })
  }
  await updateKey(context, stored, { ...record, grants: record.grants + 1 })
}

/** Removes a grant from its key. */
export async function removeGrant(
  context: ActionContext,
  { stored, record }: FoundKey,
  grantId: string,
): Promise<void> {
  const { record: grant } = await findGrant(context, record.keyId, grantId)
  await deleteRows(context, grant)
  await updateKey(context, stored, { ...record, grants: record.grants - 1 })
}

/** Removes all grants of a key that ends. */
export async function deleteGrants(context: RowContext, keyId: string): Promise<void> {
  const prefix = rowId(context.scope, keyId, '')
  const grants = await context.records.list('grant', { prefix, limit: MAX_GRANTS })
  for (const { record } of grants) await deleteRows(context, record)
}

async function deleteRows({ scope, records }: RowContext, grant: GrantRecord): Promise<void> {
  await records.delete('grant', grantRow(scope, grant.keyId, grant.grantId))
  if (grant.retiring) await records.delete('retiring', retiringRow(scope, grant))
}

/** What the ids of the rows begin with that name the grants which a principal may retire. */
export function retiringPrefix(scope: Scope, arn: string): string {
  return rowId(scope, toHex(sha256(new TextEncoder().encode(arn))), '')
}

function retiringRow(scope: Scope, { retiring, keyId, grantId }: GrantRecord): string {
  return `${retiringPrefix(scope, retiring?.arn ?? '')}${keyId}/${grantId}`
}

/** A grant, as ListGrants and ListRetirableGrants answer it. */
export function grantEntry(grant: GrantRecord, keyArn: string, { partition, account }: Scope): GrantListEntry {
  const { constraints } = grant
  return {
    KeyId: keyArn,
    GrantId: grant.grantId,
    Name: grant.name ?? '',
    CreationDate: new Date(grant.created),
    GranteePrincipal: grant.grantee.arn,
    ...(grant.retiring && { RetiringPrincipal: grant.retiring.arn }),
    IssuingAccount: `arn:${partition}:iam::${account}:root`,
    Operations: grant.operations,
    ...(constraints && { Constraints: constraints }),
  }
}
