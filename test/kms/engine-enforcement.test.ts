import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Principal } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ABSENT, ACCOUNT, ARN_PREFIX, NOW, newKey, openEngine, refused, rowIdOf, writeRecords } from './engine-setup.ts'

const DAY = 86_400_000
const ROOT = `arn:aws:iam::${ACCOUNT}:root`
const plaintext = Uint8Array.of(1, 2, 3)
const userArn = (name: string): string => `arn:aws:iam::${ACCOUNT}:user/${name}`

let now: number
let store: Store
let engine: Engine
let KeyId: string
let arn: string
let alice: Principal
let bob: Principal

beforeEach(async () => {
  now = NOW
  store = memoryStore()
  engine = await openEngine(store, { clock: () => now })
  KeyId = await newKey(engine)
  arn = `${ARN_PREFIX}key/${KeyId}`
  ;[alice, bob] = [await newUser('alice'), await newUser('bob')]
})

async function newUser(UserName: string): Promise<Principal> {
  await engine.iam('CreateUser', { UserName })
  const { AccessKey } = await engine.iam('CreateAccessKey', { UserName })
  return (await engine.credentials.find(AccessKey.AccessKeyId))!.principal
}

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements })
}

const delegation = { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'kms:*', Resource: '*' }
const allow = (name: string, Action: string | readonly string[], more: object = {}): object => {
  return { Effect: 'Allow', Principal: { AWS: userArn(name) }, Action, Resource: '*', ...more }
}

const putPolicy = (...statements: readonly object[]): Promise<unknown> =>
  engine.call('PutKeyPolicy', { KeyId, Policy: policy(delegation, ...statements) })

const encrypt = (caller: Principal, EncryptionContext: Record<string, string> = {}): Promise<unknown> =>
  engine.call('Encrypt', { KeyId, Plaintext: plaintext, EncryptionContext }, { caller })

/** The call is denied, the audit shows it, and nobody used the key. */
async function denied(
  call: Promise<unknown>,
  message: string | RegExp = /is not authorized to perform/,
): Promise<void> {
  await refused(call, 'AccessDeniedException', message)
  const last = (await engine.audit.list()).at(-1)?.record
  expect(last).toMatchObject({ errorCode: 'AccessDenied', responseElements: null })
  expect(await engine.call('GetKeyLastUsage', { KeyId })).not.toHaveProperty('KeyLastUsage')
}

describe('a key’s policy', () => {
  it('is the one of AWS unless another is given, and can be read', async () => {
    const { Policy, PolicyName } = await engine.call('GetKeyPolicy', { KeyId })
    expect(PolicyName).toBe('default')
    expect(JSON.parse(Policy)).toMatchObject({ Id: 'key-default-1', Statement: [{ Principal: { AWS: ROOT } }] })
    expect(await engine.call('ListKeyPolicies', { KeyId })).toEqual({ PolicyNames: ['default'], Truncated: false })
    const Policy2 = policy(delegation)
    const made = await engine.call('CreateKey', { Policy: Policy2 })
    expect((await engine.call('GetKeyPolicy', { KeyId: made.KeyMetadata.KeyId })).Policy).toBe(Policy2)
    for (const PolicyName of ['other', 'x']) {
      await refused(engine.call('GetKeyPolicy', { KeyId, PolicyName }), 'NotFoundException', 'No such policy exists')
    }
  })

  it('gives nobody but the account anything by itself', async () => {
    const message = `User: ${userArn('alice')} is not authorized to perform: kms:Encrypt on resource: ${arn} because no identity-based policy allows the kms:Encrypt action`
    await denied(encrypt(alice), message)
    await denied(engine.call('DisableKey', { KeyId }, { caller: alice }))
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Enabled')
  })

  it('allows whom it names, what it names, and nobody else', async () => {
    await putPolicy(allow('alice', 'kms:Encrypt'))
    await encrypt(alice)
    await refused(encrypt(bob), 'AccessDeniedException')
    await refused(engine.call('DescribeKey', { KeyId }, { caller: alice }), 'AccessDeniedException')
  })

  it('delegates to the policies of users, until they are taken away', async () => {
    const PolicyDocument = policy({ Effect: 'Allow', Action: 'kms:Encrypt', Resource: arn })
    await engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    await encrypt(alice)
    await refused(encrypt(bob), 'AccessDeniedException')
    await engine.iam('DeleteUserPolicy', { UserName: 'alice', PolicyName: 'p' })
    await refused(encrypt(alice), 'AccessDeniedException')
    await engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    const own = policy({ Effect: 'Allow', Principal: { AWS: userArn('bob') }, Action: 'kms:*', Resource: '*' })
    await engine.call('PutKeyPolicy', { KeyId, Policy: own, BypassPolicyLockoutSafetyCheck: true })
    await refused(encrypt(alice), 'AccessDeniedException')
    await refused(engine.call('DescribeKey', { KeyId }), 'AccessDeniedException')
    await encrypt(bob)
  })

  it('denies over everything', async () => {
    await putPolicy(allow('alice', 'kms:*'), {
      Effect: 'Deny',
      Principal: '*',
      Action: 'kms:Encrypt',
      Resource: '*',
      Condition: { StringEquals: { 'kms:EncryptionContext:tenant': 'b' } },
    })
    await denied(encrypt(alice, { tenant: 'b' }), /explicit deny in a resource-based policy$/)
    await encrypt(alice, { tenant: 'a' })
  })

  it('sees conditions of the call and the key', async () => {
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
    await engine.call('TagResource', { KeyId, Tags: [{ TagKey: 'team', TagValue: 'x' }] })
    await putPolicy(
      allow('alice', 'kms:Encrypt', {
        Condition: {
          StringEquals: { 'kms:RequestAlias': 'alias/a', 'aws:ResourceTag/team': 'x' },
          IpAddress: { 'aws:SourceIp': '192.0.2.0/24' },
          Bool: { 'aws:SecureTransport': 'true' },
        },
      }),
    )
    const options = { caller: alice, sourceIp: '192.0.2.9', isSecure: true }
    const call = (keyId: string, changes: object = {}): Promise<unknown> =>
      engine.call('Encrypt', { KeyId: keyId, Plaintext: plaintext }, { ...options, ...changes })
    await call('alias/a')
    await refused(call(KeyId), 'AccessDeniedException')
    await refused(call('alias/a', { sourceIp: '198.51.100.1' }), 'AccessDeniedException')
    await refused(call('alias/a', { isSecure: false }), 'AccessDeniedException')
    await engine.call('UntagResource', { KeyId, TagKeys: ['team'] })
    await refused(call('alias/a'), 'AccessDeniedException')
  })

  it('tells re-encryption on one key from that to another', async () => {
    const other = await newKey(engine)
    const Policy = policy(delegation, allow('alice', ['kms:ReEncryptTo']))
    await engine.call('PutKeyPolicy', { KeyId: other, Policy })
    const Condition = { Bool: { 'kms:ReEncryptOnSameKey': 'true' } }
    await putPolicy(
      allow('alice', ['kms:ReEncryptFrom', 'kms:ReEncryptTo'], { Condition }),
      allow('alice', 'kms:Encrypt'),
    )
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: plaintext }, { caller: alice })
    const call = (DestinationKeyId: string): Promise<unknown> =>
      engine.call('ReEncrypt', { CiphertextBlob, DestinationKeyId }, { caller: alice })
    await call(KeyId)
    await refused(call(other), 'AccessDeniedException', /kms:ReEncryptFrom/)
  })

  it('is refused if it does not parse or would lock everybody out, and the old one stays', async () => {
    const name = 'MalformedPolicyDocumentException'
    const put = (Policy: string): Promise<unknown> => engine.call('PutKeyPolicy', { KeyId, Policy })
    await refused(put('{'), name)
    await refused(put(policy({ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*', Unknown: 1 })), name)
    const lockOut = 'The new key policy will not allow you to update the key policy in the future.'
    await refused(put(policy(allow('alice', 'kms:*'))), name, lockOut)
    await refused(engine.call('CreateKey', { Policy: policy(allow('alice', 'kms:*')) }), name, lockOut)
    await refused(put(policy(delegation) + ' '.repeat(40_000)), 'LimitExceededException')
    expect((await engine.call('ListKeys', {})).Keys).toHaveLength(1)
    expect((await engine.call('GetKeyPolicy', { KeyId })).Policy).toMatch(/key-default-1/)
  })

  it('takes a principal that nobody has, who then is nobody who comes later', async () => {
    await putPolicy(allow('carol', 'kms:Encrypt'))
    await refused(encrypt(await newUser('carol')), 'AccessDeniedException')
  })

  it('means the user that was there, not another one of his name', async () => {
    await putPolicy(allow('alice', 'kms:Encrypt'))
    await encrypt(alice)
    const [accessKey] = (await engine.iam('ListAccessKeys', { UserName: 'alice' })).AccessKeyMetadata
    await engine.iam('DeleteAccessKey', { UserName: 'alice', AccessKeyId: accessKey!.AccessKeyId })
    await engine.iam('DeleteUser', { UserName: 'alice' })
    await refused(encrypt(await newUser('alice')), 'AccessDeniedException')
  })

  it('is gone with its key', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    now += 7 * DAY
    await engine.runDueWork()
    const left = await store.transaction('read', (rows) => rows.list('policy', { prefix: '', limit: 9 }))
    expect(left).toEqual([])
  })
})

describe('aliases', () => {
  it('need rights on the alias and on the key', async () => {
    const create = (): Promise<unknown> =>
      engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId }, { caller: alice })
    const give = (...Resource: string[]): Promise<unknown> => {
      const PolicyDocument = policy({ Effect: 'Allow', Action: 'kms:CreateAlias', Resource })
      return engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    }
    for (const resource of [arn, `${ARN_PREFIX}alias/a`]) {
      await give(resource)
      await denied(create())
    }
    await give(arn, `${ARN_PREFIX}alias/a`)
    await create()
  })
})

describe('grants', () => {
  const give = (input: object = {}, caller?: Principal) =>
    engine.call(
      'CreateGrant',
      { KeyId, GranteePrincipal: userArn('alice'), Operations: ['Encrypt'], ...input },
      { caller },
    )

  it('allow their operations to their grantee, at once, until they are revoked', async () => {
    await denied(encrypt(alice))
    const { GrantId, GrantToken } = await give()
    expect(GrantId).toMatch(/^[0-9a-f]{64}$/)
    await encrypt(alice)
    await engine.call('Encrypt', { KeyId, Plaintext: plaintext, GrantTokens: [GrantToken] }, { caller: alice })
    await refused(encrypt(bob), 'AccessDeniedException')
    await refused(engine.call('DescribeKey', { KeyId }, { caller: alice }), 'AccessDeniedException')
    await engine.call('RevokeGrant', { KeyId, GrantId })
    await refused(encrypt(alice), 'AccessDeniedException')
    await refused(engine.call('RevokeGrant', { KeyId, GrantId }), 'NotFoundException', `Grant ID ${GrantId} not found`)
  })

  it('hold their constraints', async () => {
    await give({ Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } })
    await give({ Constraints: { EncryptionContextSubset: { c: '3' } } })
    for (const context of [{}, { a: '1' }, { a: '1', b: '2', d: '' }, { C: '3' }, { c: '4' }]) {
      await denied(encrypt(alice, context))
    }
    await encrypt(alice, { b: '2', a: '1' })
    await encrypt(alice, { c: '3', x: 'y' })
  })

  it('do not win over a deny', async () => {
    await give()
    await putPolicy({ Effect: 'Deny', Principal: { AWS: userArn('alice') }, Action: 'kms:Encrypt', Resource: '*' })
    await denied(encrypt(alice), /explicit deny/)
  })

  it('are made once for one name and the same parameters, with a token of its own each time', async () => {
    const first = await give({ Name: 'n' })
    const second = await give({ Name: 'n' })
    expect(second.GrantId).toBe(first.GrantId)
    expect(second.GrantToken).not.toBe(first.GrantToken)
    expect((await give({ Name: 'n', Operations: ['Decrypt'] })).GrantId).not.toBe(first.GrantId)
    expect((await give()).GrantId).not.toBe((await give()).GrantId)
    expect((await engine.call('ListGrants', { KeyId })).Grants).toHaveLength(4)
  })

  it('are retired by whom they name, by token or by id, and by no other', async () => {
    const retiring = { RetiringPrincipal: userArn('bob') }
    const one = await give(retiring)
    const two = await give(retiring)
    const three = await give({ Operations: ['RetireGrant', 'Encrypt'] })
    await denied(engine.call('RetireGrant', { GrantToken: one.GrantToken }, { caller: alice }))
    await denied(engine.call('RetireGrant', { KeyId: arn, GrantId: three.GrantId }, { caller: bob }))
    await refused(
      engine.call('RetireGrant', { GrantToken: one.GrantToken, DryRun: true }, { caller: bob }),
      'DryRunOperationException',
    )
    await engine.call('RetireGrant', { GrantToken: one.GrantToken }, { caller: bob })
    await engine.call('RetireGrant', { KeyId: arn, GrantId: two.GrantId }, { caller: bob })
    await engine.call('RetireGrant', { GrantToken: three.GrantToken }, { caller: alice })
    expect((await engine.call('ListGrants', { KeyId })).Grants).toEqual([])
    await denied(encrypt(alice))
    await refused(engine.call('RetireGrant', { GrantToken: one.GrantToken }), 'NotFoundException')
    await engine.call('RetireGrant', { KeyId: arn, GrantId: (await give()).GrantId })
  })

  it.each([
    [{}, 'ValidationException'],
    [{ GrantToken: 'x', GrantId: 'y' }, 'ValidationException'],
    [{ GrantToken: 'AAAA' }, 'InvalidGrantTokenException'],
    [{ KeyId: ABSENT, GrantId: 'x' }, 'InvalidArnException'],
  ] as const)('are not retired by %j', async (input, name) => {
    await refused(engine.call('RetireGrant', input), name)
  })

  it('have tokens that nobody can make or change', async () => {
    const { GrantToken } = await give()
    const bytes = Buffer.from(GrantToken, 'base64')
    for (let index = 0; index < bytes.length; index++) {
      const changed = Buffer.from(bytes)
      changed[index]! ^= 1
      const GrantTokens = [changed.toString('base64')]
      await refused(engine.call('DescribeKey', { KeyId, GrantTokens }), 'InvalidGrantTokenException')
    }
    await engine.call('DescribeKey', { KeyId, GrantTokens: [GrantToken] })
  })

  it('are passed on in part only', async () => {
    const Constraints = { EncryptionContextSubset: { a: '1' } }
    await give({ Operations: ['CreateGrant', 'Encrypt', 'Decrypt'], Constraints })
    const pass = (input: object) => give({ GranteePrincipal: userArn('bob'), ...input }, alice)
    await refused(pass({ Operations: ['Encrypt'] }), 'AccessDeniedException')
    await refused(pass({ Operations: ['GenerateDataKey'], Constraints }), 'AccessDeniedException')
    await refused(
      pass({ Operations: ['Encrypt'], Constraints: { EncryptionContextSubset: { b: '1' } } }),
      'AccessDeniedException',
    )
    expect((await engine.call('ListGrants', { KeyId })).Grants).toHaveLength(1)
    await pass({ Operations: ['Encrypt'], Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } })
    await encrypt(bob, { a: '1', b: '2' })
    await refused(encrypt(bob, { a: '1' }), 'AccessDeniedException')
  })

  it('are listed by key, id, grantee and who may retire them, in pages', async () => {
    const other = await newKey(engine)
    const made = [
      await give({
        Name: 'one',
        RetiringPrincipal: userArn('bob'),
        Constraints: { EncryptionContextEquals: { a: 'b' } },
      }),
      await give({ GranteePrincipal: userArn('bob'), RetiringPrincipal: userArn('alice') }),
      await give({ KeyId: other, RetiringPrincipal: userArn('bob') }),
    ]
    const [one, two] = made.map(({ GrantId }) => GrantId)
    const list = async (input: object) => (await engine.call('ListGrants', { KeyId, ...input })).Grants
    expect(await list({ GrantId: one })).toEqual([
      {
        KeyId: arn,
        GrantId: one,
        Name: 'one',
        CreationDate: new Date(NOW),
        GranteePrincipal: userArn('alice'),
        RetiringPrincipal: userArn('bob'),
        IssuingAccount: ROOT,
        Operations: ['Encrypt'],
        Constraints: { EncryptionContextEquals: { a: 'b' } },
      },
    ])
    expect((await list({ GranteePrincipal: userArn('bob') })).map(({ GrantId }) => GrantId)).toEqual([two])
    const first = await engine.call('ListGrants', { KeyId, Limit: 1 })
    const second = await engine.call('ListGrants', { KeyId, Limit: 1, Marker: first.NextMarker })
    expect([...first.Grants, ...second.Grants].map(({ GrantId }) => GrantId)).toEqual([one, two].sort())
    expect(second.Truncated).toBe(false)
    const retirable = await engine.call('ListRetirableGrants', { RetiringPrincipal: userArn('bob') })
    expect(retirable.Grants.map((grant) => grant.KeyId).sort()).toEqual([arn, `${ARN_PREFIX}key/${other}`].sort())
    await refused(list({ Limit: 101 }), 'ValidationException')
  })

  it.each([
    [{ Operations: [] }, 'ValidationException'],
    [{ Operations: ['Sign'] }, 'ValidationException'],
    [{ Operations: ['NoOperation'] }, 'ValidationException'],
    [{ GranteePrincipal: 'alice' }, 'InvalidArnException'],
    [{ RetiringPrincipal: 'bob' }, 'InvalidArnException'],
    [{ DryRun: true }, 'DryRunOperationException'],
    [{ GrantTokens: ['no token'] }, 'InvalidGrantTokenException'],
    [{ KeyId: 'alias/a' }, 'NotFoundException'],
  ] as const)('are not made with %j', async (input, name) => {
    await refused(give(input), name)
    expect((await engine.call('ListGrants', { KeyId })).Grants).toEqual([])
  })

  it.each([
    ['Disabled', 'DisabledException'],
    ['PendingDeletion', 'KMSInvalidStateException'],
    ['PendingImport', 'KMSInvalidStateException'],
    ['Creating', 'KMSInvalidStateException'],
    ['Unavailable', undefined],
    ['Updating', undefined],
  ] as const)('on a key in state %s', async (state, name) => {
    await writeRecords(store, async (records) => {
      const key = (await records.get('key', rowIdOf(KeyId)))!
      await records.put('key', rowIdOf(KeyId), { ...key.record, state }, key)
    })
    if (name === undefined) await give()
    else await refused(give(), name)
  })

  it('end with their key', async () => {
    await give({ RetiringPrincipal: userArn('bob') })
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    now += 7 * DAY
    expect((await engine.call('ListRetirableGrants', { RetiringPrincipal: userArn('bob') })).Grants).toEqual([])
    const left = await store.transaction('read', async (rows) => {
      const tables = ['grant', 'retiring', 'policy'] as const
      return Promise.all(tables.map(async (table) => rows.list(table, { prefix: '', limit: 9 })))
    })
    expect(left.flat()).toEqual([])
  })

  it('are refused when their row was changed, or put back after it was revoked', async () => {
    const { GrantId } = await give()
    const id = `${rowIdOf(KeyId)}/${GrantId}`
    const row = (await store.transaction('read', (rows) => rows.get('grant', id)))!
    const put = (body: string): Promise<void> =>
      store.transaction('write', (rows) => rows.put('grant', { ...row, body }))
    await put(row.body.replace('"Encrypt"', '"Decrypt"'))
    await refused(encrypt(alice), 'KMSInternalException', /is not authentic/)
    await put(row.body)
    await engine.call('RevokeGrant', { KeyId, GrantId })
    await give({ GranteePrincipal: userArn('bob') })
    await put(row.body)
    await refused(encrypt(alice), 'KMSInternalException', /is not authentic/)
  })
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

  it('have access keys whose secret is told once and sealed', async () => {
    const { AccessKey } = await engine.iam('CreateAccessKey', { UserName: 'alice' })
    expect(AccessKey.SecretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/)
    await refused(engine.iam('CreateAccessKey', { UserName: 'alice' }), 'LimitExceededException')
    const found = await engine.credentials.find(AccessKey.AccessKeyId)
    expect(new TextDecoder().decode(found?.secretAccessKey)).toBe(AccessKey.SecretAccessKey)
    expect(found?.principal).toEqual(alice)
    const listed = (await engine.iam('ListAccessKeys', { UserName: 'alice' })).AccessKeyMetadata
    expect(listed).toHaveLength(2)
    const texts = await store.transaction('read', async (rows) => {
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
    await store.transaction('write', async (rows) => {
      const row = (await rows.get('identity', `${ACCOUNT}/user/alice`))!
      await rows.put('identity', { ...row, body: row.body.replace('"policies":{}', '"policies":{"p":"{}"}') })
    })
    await refused(encrypt(alice), 'KMSInternalException', /^the identity row .* is not authentic/)
    await refused(engine.iam('ListUsers', {}), 'KMSInternalException')
  })
})
