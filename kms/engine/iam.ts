import { KmsError } from '../errors.ts'
import { parsePolicy } from '../policy/index.ts'
import type { DueContext } from './due.ts'
import { accessKeyRow, assertUserName, readUser, userRow } from './identities.ts'
import { readRootKeyId } from './root.ts'
import type { AccessKeyRecord, Stored, UserRecord } from './records.ts'
import { toHex } from './bytes.ts'
import { toBase64 } from '../base64.ts'
import { recordTags } from './tags.ts'
import type { Tag } from './types.ts'

// The users of the account and their access keys, with the names and answers of AWS IAM.

export interface IamUser {
  readonly Path: string
  readonly UserName: string
  readonly UserId: string
  readonly Arn: string
  readonly CreateDate: Date
}

export interface IamAccessKey {
  readonly UserName: string
  readonly AccessKeyId: string
  readonly Status: 'Active'
  readonly CreateDate: Date
}

interface OfUser {
  readonly UserName: string
}

interface OfPolicy extends OfUser {
  readonly PolicyName: string
}

interface IamTag {
  readonly Key: string
  readonly Value: string
}

/** Input and output of each action, by its name in the API of AWS IAM. */
export interface IamTypes {
  /** At most 5000 in the account. */
  readonly CreateUser: {
    readonly input: OfUser & { readonly Path?: string | undefined; readonly Tags?: readonly IamTag[] | undefined }
    readonly output: { readonly User: IamUser }
  }
  /** Refused while the user has access keys or policies. */
  readonly DeleteUser: { readonly input: OfUser; readonly output: undefined }
  readonly ListUsers: { readonly input: object; readonly output: { readonly Users: readonly IamUser[] } }
  /** The only answer that has the secret. At most two for a user. */
  readonly CreateAccessKey: {
    readonly input: OfUser
    readonly output: { readonly AccessKey: IamAccessKey & { readonly SecretAccessKey: string } }
  }
  readonly DeleteAccessKey: { readonly input: OfUser & { readonly AccessKeyId: string }; readonly output: undefined }
  readonly ListAccessKeys: {
    readonly input: OfUser
    readonly output: { readonly AccessKeyMetadata: readonly IamAccessKey[] }
  }
  readonly PutUserPolicy: { readonly input: OfPolicy & { readonly PolicyDocument: string }; readonly output: undefined }
  readonly GetUserPolicy: {
    readonly input: OfPolicy
    readonly output: OfPolicy & { readonly PolicyDocument: string }
  }
  readonly DeleteUserPolicy: { readonly input: OfPolicy; readonly output: undefined }
  readonly ListUserPolicies: { readonly input: OfUser; readonly output: { readonly PolicyNames: readonly string[] } }
  readonly TagUser: { readonly input: OfUser & { readonly Tags: readonly IamTag[] }; readonly output: undefined }
  readonly UntagUser: { readonly input: OfUser & { readonly TagKeys: readonly string[] }; readonly output: undefined }
  readonly ListUserTags: { readonly input: OfUser; readonly output: { readonly Tags: readonly IamTag[] } }
}

export type IamActionName = keyof IamTypes

type IamAction<Name extends IamActionName> = (
  context: DueContext,
  input: IamTypes[Name]['input'],
) => Promise<IamTypes[Name]['output']>

const MAX_ACCESS_KEYS = 2
const MAX_USERS = 5000
const POLICY_NAME = /^[\w+=,.@-]{1,128}$/

/** Every action on users that this KMS has. */
export const IAM_ACTIONS: { readonly [Name in IamActionName]: IamAction<Name> } = {
  async CreateUser(context, { UserName, Path = '/', Tags = [] }) {
    const { scope, records, now, random } = context
    assertUserName(UserName)
    if (!/^\/(?:[\x21-\x7e]{1,510}\/)?$/.test(Path)) throw invalid('Path must begin and end with /.')
    const row = userRow(scope, UserName)
    if (await records.get('identity', row)) {
      throw new KmsError('EntityAlreadyExistsException', `User with name ${UserName} already exists.`)
    }
    if ((await readUsers(context)).length >= MAX_USERS) throw overQuota('UsersPerAccount', MAX_USERS)
    const user: UserRecord = {
      name: UserName,
      path: Path,
      userId: `AIDA${base32(random(17))}`,
      arn: `arn:${scope.partition}:iam::${scope.account}:user${Path}${UserName}`,
      created: now,
      tags: tagsOf(Tags),
      policies: {},
      accessKeyIds: [],
    }
    await records.put('identity', row, user)
    return { User: userAnswer(user) }
  },

  async DeleteUser(context, { UserName }) {
    const { row, record } = await readUser(context, UserName)
    if (record.accessKeyIds.length > 0) throw conflict('access keys')
    if (Object.keys(record.policies).length > 0) throw conflict('policies')
    await context.records.delete('identity', row.id)
    return undefined
  },

  async ListUsers(context) {
    return { Users: (await readUsers(context)).map(userAnswer) }
  },

  async CreateAccessKey(context, { UserName }) {
    const { scope, records, now, random, keys } = context
    const user = await readUser(context, UserName)
    const { userId, accessKeyIds } = user.record
    if (accessKeyIds.length >= MAX_ACCESS_KEYS) throw overQuota('AccessKeysPerUser', MAX_ACCESS_KEYS)
    const accessKeyId = `AKIA${base32(random(16))}`
    const SecretAccessKey = toBase64(random(30))
    const secret = new TextEncoder().encode(SecretAccessKey)
    const description = describeAccessKey(scope.account, accessKeyId, userId, await readRootKeyId(records))
    const sealed = toHex(keys.seal(secret, ...description))
    secret.fill(0)
    const record: AccessKeyRecord = { accessKeyId, userName: user.record.name, userId, created: now, sealed }
    await records.put('identity', accessKeyRow(scope, accessKeyId), record, undefined, user.row.id)
    await change(context, user, { accessKeyIds: [...accessKeyIds, accessKeyId] })
    return { AccessKey: { ...accessKeyAnswer(record), SecretAccessKey } }
  },

  async DeleteAccessKey(context, { UserName, AccessKeyId }) {
    const user = await readUser(context, UserName)
    if (!user.record.accessKeyIds.includes(AccessKeyId)) throw absent(`Access Key with id ${AccessKeyId}`)
    await context.records.delete('identity', accessKeyRow(context.scope, AccessKeyId))
    await change(context, user, { accessKeyIds: user.record.accessKeyIds.filter((id) => id !== AccessKeyId) })
    return undefined
  },

  async ListAccessKeys(context, { UserName }) {
    const { row } = await readUser(context, UserName)
    const prefix = accessKeyRow(context.scope, '')
    const found = await context.records.list('identity', { prefix, owner: row.id, limit: MAX_ACCESS_KEYS })
    return {
      AccessKeyMetadata: found.flatMap(({ record }) => ('sealed' in record ? [accessKeyAnswer(record)] : [])),
    }
  },

  async PutUserPolicy(context, { UserName, PolicyName, PolicyDocument }) {
    if (!POLICY_NAME.test(PolicyName)) throw invalid('PolicyName is 1 to 128 letters, digits and _+=,.@-')
    parsePolicy(PolicyDocument, 'identity')
    const user = await readUser(context, UserName)
    await change(context, user, { policies: { ...user.record.policies, [PolicyName]: PolicyDocument } })
    return undefined
  },

  async GetUserPolicy(context, { UserName, PolicyName }) {
    const { record } = await readUser(context, UserName)
    return { UserName: record.name, PolicyName, PolicyDocument: policyOf(record, PolicyName) }
  },

  async DeleteUserPolicy(context, { UserName, PolicyName }) {
    const user = await readUser(context, UserName)
    policyOf(user.record, PolicyName)
    const others = Object.entries(user.record.policies).filter(([name]) => name !== PolicyName)
    await change(context, user, { policies: Object.fromEntries(others) })
    return undefined
  },

  async ListUserPolicies(context, { UserName }) {
    return { PolicyNames: Object.keys((await readUser(context, UserName)).record.policies).sort() }
  },

  async TagUser(context, { UserName, Tags }) {
    const added = tagsOf(Tags)
    const user = await readUser(context, UserName)
    const others = user.record.tags.filter(({ key }) => !added.some((tag) => tag.key === key))
    await change(context, user, { tags: tagsOf([...others, ...added].map(({ key, value }) => tag(key, value))) })
    return undefined
  },

  async UntagUser(context, { UserName, TagKeys }) {
    const user = await readUser(context, UserName)
    await change(context, user, { tags: user.record.tags.filter(({ key }) => !TagKeys.includes(key)) })
    return undefined
  },

  async ListUserTags(context, { UserName }) {
    const { tags } = (await readUser(context, UserName)).record
    return { Tags: tags.map(({ key, value }) => tag(key, value)) }
  },
}

/** Names a secret for its sealing. */
export function describeAccessKey(
  account: string,
  accessKeyId: string,
  userId: string,
  rootKeyId: string,
): readonly string[] {
  return ['access key', account, accessKeyId, userId, rootKeyId]
}

async function change({ records }: DueContext, user: Stored<UserRecord>, changes: Partial<UserRecord>): Promise<void> {
  await records.put('identity', user.row.id, { ...user.record, ...changes }, user)
}

/** All users of the account: CreateUser makes no more than are read here. */
async function readUsers({ scope, records }: DueContext): Promise<readonly UserRecord[]> {
  const users = await records.list('identity', { prefix: userRow(scope, ''), limit: MAX_USERS })
  return users.flatMap(({ record }) => ('arn' in record ? [record] : []))
}

function userAnswer({ path, name, userId, arn, created }: UserRecord): IamUser {
  return { Path: path, UserName: name, UserId: userId, Arn: arn, CreateDate: new Date(created) }
}

function accessKeyAnswer({ accessKeyId, userName, created }: AccessKeyRecord): IamAccessKey {
  return { UserName: userName, AccessKeyId: accessKeyId, Status: 'Active', CreateDate: new Date(created) }
}

function policyOf({ policies }: UserRecord, name: string): string {
  const text = Object.hasOwn(policies, name) ? policies[name] : undefined
  if (text === undefined) throw absent(`user policy with name ${name}`)
  return text
}

function tag(Key: string, Value: string): IamTag {
  return { Key, Value }
}

/** Tags of users are those of keys, but for the names of the members. */
function tagsOf(tags: readonly IamTag[]): UserRecord['tags'] {
  const keyTags: readonly Tag[] = tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }))
  if (keyTags.some(({ TagKey, TagValue }) => TagKey.length < 1 || TagKey.length > 128 || TagValue.length > 256)) {
    throw invalid('The key of a tag is 1 to 128 characters, its value at most 256.')
  }
  return recordTags(keyTags)
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** One letter or digit for each byte. */
function base32(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => BASE32.charAt(byte & 31)).join('')
}

function overQuota(quota: string, most: number): KmsError {
  return new KmsError('LimitExceededException', `Cannot exceed quota for ${quota}: ${String(most)}`)
}

function invalid(message: string): KmsError {
  return new KmsError('ValidationException', message)
}

function absent(what: string): KmsError {
  return new KmsError('NoSuchEntityException', `The ${what} cannot be found.`)
}

function conflict(what: string): KmsError {
  return new KmsError('DeleteConflictException', `Cannot delete entity, must delete ${what} first.`)
}
