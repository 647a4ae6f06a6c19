import { KmsError } from '../errors.ts'
import type { Principal } from '../policy/index.ts'
import type { ActionContext } from './action.ts'
import type { Scope } from './arn.ts'
import type { Stored, UserRecord } from './records.ts'

type RowContext = Pick<ActionContext, 'scope' | 'records'>

/** @throws KmsError `ValidationException` */
export function assertUserName(name: string): void {
  if (typeof name === 'string' && /^[\w+=,.@-]{1,64}$/.test(name)) return
  throw new KmsError('ValidationException', 'UserName is 1 to 64 letters, digits and _+=,.@-')
}

/** Id of the row of a user: users belong to the account, whatever the Region, and names differ by more than case. */
export function userRow({ account }: Scope, name: string): string {
  return `${account}/user/${name.toLowerCase()}`
}

/** Id of the row of an access key. */
export function accessKeyRow({ account }: Scope, accessKeyId: string): string {
  return `${account}/key/${accessKeyId}`
}

/** @throws KmsError `ValidationException`, `NoSuchEntityException` */
export async function readUser({ scope, records }: RowContext, name: string): Promise<Stored<UserRecord>> {
  assertUserName(name)
  const stored = await records.get('identity', userRow(scope, name))
  if (!stored) throw new KmsError('NoSuchEntityException', `The user with name ${name} cannot be found.`)
  return stored as Stored<UserRecord>
}

/** The unique id that a principal has now; undefined for one that this KMS does not know. */
export async function principalId(context: RowContext, arn: string): Promise<string | undefined> {
  const { partition, account } = context.scope
  if (arn === `arn:${partition}:iam::${account}:root`) return account
  return (await findUser(context, arn))?.userId
}

/** The user that a caller is, if there still is one with his unique id. */
export async function findUserOf(context: RowContext, { type, arn, id }: Principal): Promise<UserRecord | undefined> {
  if (type !== 'User') return undefined
  const user = await findUser(context, arn)
  return user?.userId === id ? user : undefined
}

async function findUser({ scope, records }: RowContext, arn: string): Promise<UserRecord | undefined> {
  if (!arn.startsWith(`arn:${scope.partition}:iam::${scope.account}:user/`)) return undefined
  const stored = await records.get('identity', userRow(scope, arn.slice(arn.lastIndexOf('/') + 1)))
  return stored && 'arn' in stored.record && stored.record.arn === arn ? stored.record : undefined
}
