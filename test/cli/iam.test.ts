import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { client, rootCredentials, serve, type AccessKey, type Running } from './server.ts'
import { failed, Shell, succeeded } from './shell.ts'

const shell = new Shell()

afterAll(() => shell.remove())

/** Runs `waxseal iam`; answers what it printed, undefined if that is nothing. */
async function iam(...args: string[]): Promise<unknown> {
  const text = succeeded(await shell.waxseal(['iam', ...args, '--kms', shell.path('data')]))
  return text === '' ? undefined : JSON.parse(text)
}

async function refused(code: number, reason: RegExp, ...args: string[]): Promise<void> {
  failed(await shell.waxseal(['iam', ...args, '--kms', shell.path('data')]), code, reason)
}

const ALICE = ['--user-name', 'alice']
const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/) as unknown

function policy(Action: string): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource: '*' }] })
}

async function accessKey(): Promise<AccessKey> {
  const { AccessKey } = (await iam('create-access-key', ...ALICE)) as { AccessKey: Record<string, string> }
  return { accessKeyId: AccessKey.AccessKeyId!, secretAccessKey: AccessKey.SecretAccessKey! }
}

describe('waxseal iam', () => {
  it('lists the users of a KMS, not of one that is not there', async () => {
    await refused(5, /no KMS/, 'list-users')
    expect(shell.tree()).toEqual([])
  })

  it('makes users with the answers of the AWS CLI', async () => {
    const User = {
      Path: '/',
      UserName: 'alice',
      UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/) as unknown,
      Arn: 'arn:aws:iam::000000000000:user/alice',
      CreateDate: TIME,
    }
    expect(await iam('create-user', ...ALICE, '--tags', 'Key=team,Value=payroll', 'Key=x,Value="a,b"')).toEqual({
      User,
    })
    expect(await iam('create-user', '--user-name', 'bob', '--path', '/ops/')).toMatchObject({
      User: { Path: '/ops/', Arn: 'arn:aws:iam::000000000000:user/ops/bob' },
    })
    expect(await iam('list-users')).toEqual({
      Users: [User, expect.objectContaining({ UserName: 'bob' }) as unknown],
    })
    const text = succeeded(await shell.waxseal(['iam', 'list-user-tags', ...ALICE, '--kms', shell.path('data')]))
    const tags = [
      { Key: 'team', Value: 'payroll' },
      { Key: 'x', Value: 'a,b' },
    ]
    expect(text).toBe(`${JSON.stringify({ Tags: tags }, undefined, 4)}\n`)
    expect(await iam('delete-user', '--user-name', 'bob')).toBeUndefined()
  })

  it('sets and takes tags', async () => {
    expect(await iam('tag-user', ...ALICE, '--tags', '[{"Key":"team","Value":"audit"}]')).toBeUndefined()
    expect(await iam('untag-user', ...ALICE, '--tag-keys', 'x', 'y')).toBeUndefined()
    expect(await iam('list-user-tags', ...ALICE)).toEqual({ Tags: [{ Key: 'team', Value: 'audit' }] })
    await refused(2, /Key=…,Value=…/, 'tag-user', ...ALICE, '--tags', 'team=audit')
    await refused(2, /Name=value/, 'tag-user', ...ALICE, '--tags', 'Key="team,Value=audit')
    await refused(2, /reserved/, 'tag-user', ...ALICE, '--tags', 'Key=aws:x,Value=y')
    await refused(2, /JSON/, 'tag-user', ...ALICE, '--tags', '[{')
    await refused(2, /required/, 'tag-user', ...ALICE)
  })

  it('puts policies from text and file, shows and deletes them', async () => {
    shell.write('policy.json', policy('kms:Decrypt'))
    const named = [...ALICE, '--policy-name', 'decrypt']
    expect(await iam('put-user-policy', ...named, '--policy-document', 'file://policy.json')).toBeUndefined()
    expect(await iam('get-user-policy', ...named)).toEqual({
      UserName: 'alice',
      PolicyName: 'decrypt',
      PolicyDocument: JSON.parse(policy('kms:Decrypt')) as unknown,
    })
    expect(await iam('list-user-policies', ...ALICE)).toEqual({ PolicyNames: ['decrypt'] })
    await refused(2, /./, 'put-user-policy', ...named, '--policy-document', '{"Statement":[{"Effect":"Maybe"}]}')
    await refused(1, /absent.json/, 'put-user-policy', ...named, '--policy-document', 'file://absent.json')
    expect(await iam('delete-user-policy', ...named)).toBeUndefined()
    await refused(1, /decrypt cannot be found/, 'get-user-policy', ...named)
  })

  it('makes two access keys, and shows a secret once', async () => {
    const { accessKeyId, secretAccessKey } = await accessKey()
    expect(secretAccessKey).toHaveLength(40)
    await accessKey()
    await refused(1, /AccessKeysPerUser/, 'create-access-key', ...ALICE)
    const listed = succeeded(await shell.waxseal(['iam', 'list-access-keys', ...ALICE, '--kms', shell.path('data')]))
    const { AccessKeyMetadata } = JSON.parse(listed) as { AccessKeyMetadata: { AccessKeyId: string }[] }
    expect(AccessKeyMetadata).toContainEqual({
      UserName: 'alice',
      AccessKeyId: accessKeyId,
      Status: 'Active',
      CreateDate: TIME,
    })
    expect(listed).not.toContain(secretAccessKey)
    await refused(1, /must delete access keys/, 'delete-user', ...ALICE)
    for (const { AccessKeyId } of AccessKeyMetadata) {
      expect(await iam('delete-access-key', ...ALICE, '--access-key-id', AccessKeyId)).toBeUndefined()
    }
    await refused(1, /cannot be found/, 'delete-access-key', ...ALICE, '--access-key-id', accessKeyId)
  })

  it('refuses users that are there, are not, or could not be', async () => {
    await refused(1, /alice already exists/, 'create-user', ...ALICE)
    await refused(1, /carol cannot be found/, 'create-access-key', '--user-name', 'carol')
    await refused(2, /UserName/, 'create-user', '--user-name', 'a b')
    await refused(2, /--user-name/, 'create-user')
    await refused(2, /name a command: create-user/)
  })

  it('keeps the users of two accounts apart', async () => {
    const other = ['--account', '111122223333']
    await iam('create-user', ...ALICE, ...other)
    expect(await iam('list-users', ...other)).toMatchObject({
      Users: [{ Arn: 'arn:aws:iam::111122223333:user/alice' }],
    })
    expect(await iam('list-users')).toMatchObject({ Users: [{ Arn: 'arn:aws:iam::000000000000:user/alice' }] })
  })
})

describe('waxseal iam beside a server', () => {
  let running: Running

  beforeAll(async () => {
    running = await serve(shell)
  })

  it('makes users whom the server knows at once, with what their policies allow', async () => {
    const root = client(running.url, rootCredentials(shell))
    const { KeyMetadata } = await root.createKey({})
    const key = await accessKey()
    const alice = client(running.url, key)
    const call = { KeyId: KeyMetadata!.KeyId, NumberOfBytes: 32 }
    await expect(alice.generateDataKey(call)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    const put = [...ALICE, '--policy-name', 'all', '--policy-document']
    await iam('put-user-policy', ...put, policy('kms:GenerateDataKey'))
    expect((await alice.generateDataKey(call)).Plaintext).toHaveLength(32)
    await expect(alice.describeKey(call)).rejects.toMatchObject({ name: 'AccessDeniedException' })
    const thief = client(running.url, { ...key, secretAccessKey: 'x'.repeat(40) })
    await expect(thief.generateDataKey(call)).rejects.toMatchObject({ name: 'InvalidSignatureException' })
    await iam('delete-access-key', ...ALICE, '--access-key-id', key.accessKeyId)
    await expect(alice.generateDataKey(call)).rejects.toMatchObject({ name: 'UnrecognizedClientException' })
  })

  it('and a server under load get along: nothing is lost, and the log is one chain', async () => {
    const root = client(running.url, rootCredentials(shell))
    const { KeyMetadata } = await root.createKey({})
    let isOver = false
    let calls = 0
    const load = Promise.all(
      Array.from({ length: 8 }, async () => {
        for (; !isOver; calls++) await root.generateDataKey({ KeyId: KeyMetadata!.KeyId, NumberOfBytes: 32 })
      }),
    )
    const names = Array.from({ length: 6 }, (_, index) => `user-${index}`)
    await Promise.all(names.map(async (name) => iam('create-user', '--user-name', name)))
    isOver = true
    await load
    const { Users } = (await iam('list-users')) as { Users: { UserName: string }[] }
    expect(Users.map(({ UserName }) => UserName)).toEqual(['alice', ...names])
    expect(calls).toBeGreaterThan(0)
    expect((await running.stop()).code).toBe(0)
    succeeded(await shell.waxseal(['kms', 'audit', 'verify', '--kms', shell.path('data')]))
  })
})
