import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Principal } from '../../kms/engine/index.ts'
import { ABSENT, ACCOUNT, NOW, refused, writeRecords } from './engine-setup.ts'
import { openTwoUsers, policy, userArn, type TwoUsers } from './users-setup.ts'

let kms: TwoUsers
let engine: Engine
let alice: Principal

beforeEach(async () => {
  kms = await openTwoUsers()
  ;({ engine, alice } = kms)
})

describe('users', () => {
  it('are made, listed, tagged and deleted as in AWS IAM', async () => {
    const { User } = await engine.iam('CreateUser', {
      UserName: 'dan',
      Path: '/ops/',
      Tags: [{ Key: 'a', Value: 'b' }],
    })
    expect(User).toEqual({
      Path: '/ops/',
      UserName: 'dan',
      UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/) as unknown,
      Arn: `arn:aws:iam::${ACCOUNT}:user/ops/dan`,
      CreateDate: new Date(NOW),
    })
    await refused(engine.iam('CreateUser', { UserName: 'DAN' }), 'EntityAlreadyExistsException')
    await engine.iam('TagUser', { UserName: 'dan', Tags: [{ Key: 'c', Value: 'd' }] })
    await engine.iam('UntagUser', { UserName: 'dan', TagKeys: ['a'] })
    expect(await engine.iam('ListUserTags', { UserName: 'dan' })).toEqual({ Tags: [{ Key: 'c', Value: 'd' }] })
    expect((await engine.iam('ListUsers', {})).Users.map(({ UserName }) => UserName)).toEqual(['alice', 'bob', 'dan'])
    await engine.iam('DeleteUser', { UserName: 'dan' })
    await refused(engine.iam('DeleteUser', { UserName: 'dan' }), 'NoSuchEntityException')
    await refused(engine.iam('DeleteUser', { UserName: 'alice' }), 'DeleteConflictException')
    for (const UserName of ['', 'a b', 'x'.repeat(65), undefined as unknown as string]) {
      await refused(engine.iam('CreateUser', { UserName }), 'ValidationException')
    }
  })

  it('are at most as many as ListUsers answers', async () => {
    const { User } = await engine.iam('CreateUser', { UserName: 'first' })
    const user = { path: '/', userId: User.UserId, created: NOW, tags: [], policies: {}, accessKeyIds: [] }
    await writeRecords(kms.store, async (records) => {
      for (let count = 3; count < 4999; count++) {
        const name = `user-${String(count)}`
        await records.put('identity', `${ACCOUNT}/user/${name}`, { ...user, name, arn: userArn(name) })
      }
    })
    await engine.iam('CreateUser', { UserName: 'last' })
    await refused(
      engine.iam('CreateUser', { UserName: 'one-more' }),
      'LimitExceededException',
      'Cannot exceed quota for UsersPerAccount: 5000',
    )
    await refused(engine.iam('CreateUser', { UserName: 'LAST' }), 'EntityAlreadyExistsException')
    expect((await engine.iam('ListUsers', {})).Users).toHaveLength(5000)
    await engine.iam('DeleteUser', { UserName: 'user-7' })
    await engine.iam('CreateUser', { UserName: 'one-more' })
    expect((await engine.iam('ListUsers', {})).Users).toHaveLength(5000)
  })

  it('have access keys whose secret is told once and sealed', async () => {
    const { AccessKey } = await engine.iam('CreateAccessKey', { UserName: 'alice' })
    expect(AccessKey.SecretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/)
    await refused(engine.iam('CreateAccessKey', { UserName: 'alice' }), 'LimitExceededException')
    const found = await engine.credentials.find(AccessKey.AccessKeyId)
    expect(new TextDecoder().decode(found?.secretAccessKey)).toBe(AccessKey.SecretAccessKey)
    expect(found?.principal).toEqual(alice)
    const listed = (await engine.iam('ListAccessKeys', { UserName: 'alice' })).AccessKeyMetadata
    expect(listed).toHaveLength(2)
    const texts = await kms.store.transaction('read', async (rows) => {
      const tables = ['identity', 'audit'] as const
      return JSON.stringify(await Promise.all(tables.map(async (table) => rows.list(table, { prefix: '', limit: 99 }))))
    })
    expect(texts).not.toContain(AccessKey.SecretAccessKey)
    expect(texts).not.toContain(Buffer.from(AccessKey.SecretAccessKey).toString('hex'))
    await engine.iam('DeleteAccessKey', { UserName: 'alice', AccessKeyId: AccessKey.AccessKeyId })
    expect(await engine.credentials.find(AccessKey.AccessKeyId)).toBeUndefined()
    for (const id of ['', 'x', '../x', ABSENT]) expect(await engine.credentials.find(id)).toBeUndefined()
  })

  it('leave records of what is done to them', async () => {
    await refused(engine.iam('DeleteUser', { UserName: 'alice' }), 'DeleteConflictException')
    const records = (await engine.audit.list()).map(({ record }) => record)
    expect(records.at(-1)).toMatchObject({
      eventSource: 'iam.amazonaws.com',
      eventName: 'DeleteUser',
      requestParameters: { userName: 'alice' },
      errorCode: 'DeleteConflictException',
    })
    expect(records.find(({ eventName }) => eventName === 'CreateAccessKey')?.responseElements).toEqual({
      accessKey: expect.not.objectContaining({ secretAccessKey: expect.anything() as unknown }) as unknown,
    })
    await engine.audit.verify()
  })

  it('have policies that parse', async () => {
    const put = (PolicyDocument: string): Promise<unknown> =>
      engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    await refused(put('{}'), 'MalformedPolicyDocumentException')
    const document = policy({ Effect: 'Allow', Action: 'kms:*', Resource: '*' })
    await put(document)
    expect(await engine.iam('ListUserPolicies', { UserName: 'alice' })).toEqual({ PolicyNames: ['p'] })
    const PolicyName = 'p'
    expect(await engine.iam('GetUserPolicy', { UserName: 'alice', PolicyName })).toEqual({
      UserName: 'alice',
      PolicyName,
      PolicyDocument: document,
    })
    await refused(engine.iam('GetUserPolicy', { UserName: 'alice', PolicyName: 'q' }), 'NoSuchEntityException')
  })

  it('are refused when their row was changed', async () => {
    await kms.store.transaction('write', async (rows) => {
      const row = (await rows.get('identity', `${ACCOUNT}/user/alice`))!
      await rows.put('identity', { ...row, body: row.body.replace('"policies":{}', '"policies":{"p":"{}"}') })
    })
    await refused(kms.encryptAs(alice), 'KMSInternalException', /^the identity row .* is not authentic/)
    await refused(engine.iam('ListUsers', {}), 'KMSInternalException')
  })
})
