import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine, Principal } from '../../kms/engine/index.ts'
import { ARN_PREFIX, newKey, refused } from './engine-setup.ts'
import { DAY, PLAINTEXT } from './one-key-setup.ts'
import { allow, DELEGATION, newUser, openTwoUsers, policy, ROOT, userArn, type TwoUsers } from './users-setup.ts'

let kms: TwoUsers
let engine: Engine
let KeyId: string
let arn: string
let alice: Principal
let bob: Principal

beforeEach(async () => {
  kms = await openTwoUsers()
  ;({ engine, KeyId, arn, alice, bob } = kms)
})

describe('a key’s policy', () => {
  it('is the one of AWS unless another is given, and can be read', async () => {
    const { Policy, PolicyName } = await engine.call('GetKeyPolicy', { KeyId })
    expect(PolicyName).toBe('default')
    expect(JSON.parse(Policy)).toMatchObject({ Id: 'key-default-1', Statement: [{ Principal: { AWS: ROOT } }] })
    expect(await engine.call('ListKeyPolicies', { KeyId })).toEqual({ PolicyNames: ['default'], Truncated: false })
    const Policy2 = policy(DELEGATION)
    const made = await engine.call('CreateKey', { Policy: Policy2 })
    expect((await engine.call('GetKeyPolicy', { KeyId: made.KeyMetadata.KeyId })).Policy).toBe(Policy2)
    for (const PolicyName of ['other', 'x']) {
      await refused(engine.call('GetKeyPolicy', { KeyId, PolicyName }), 'NotFoundException', 'No such policy exists')
    }
  })

  it('gives nobody but the account anything by itself', async () => {
    const message = `User: ${userArn('alice')} is not authorized to perform: kms:Encrypt on resource: ${arn} because no identity-based policy allows the kms:Encrypt action`
    await kms.denied(kms.encryptAs(alice), message)
    await kms.denied(engine.call('DisableKey', { KeyId }, { caller: alice }))
    expect((await engine.call('DescribeKey', { KeyId })).KeyMetadata.KeyState).toBe('Enabled')
  })

  it('allows whom it names, what it names, and nobody else', async () => {
    await kms.putPolicy(allow('alice', 'kms:Encrypt'))
    await kms.encryptAs(alice)
    await refused(kms.encryptAs(bob), 'AccessDeniedException')
    await refused(engine.call('DescribeKey', { KeyId }, { caller: alice }), 'AccessDeniedException')
  })

  it('delegates to the policies of users, until they are taken away', async () => {
    const PolicyDocument = policy({ Effect: 'Allow', Action: 'kms:Encrypt', Resource: arn })
    await engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    await kms.encryptAs(alice)
    await refused(kms.encryptAs(bob), 'AccessDeniedException')
    await engine.iam('DeleteUserPolicy', { UserName: 'alice', PolicyName: 'p' })
    await refused(kms.encryptAs(alice), 'AccessDeniedException')
    await engine.iam('PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument })
    const own = policy({ Effect: 'Allow', Principal: { AWS: userArn('bob') }, Action: 'kms:*', Resource: '*' })
    await engine.call('PutKeyPolicy', { KeyId, Policy: own, BypassPolicyLockoutSafetyCheck: true })
    await refused(kms.encryptAs(alice), 'AccessDeniedException')
    await refused(engine.call('DescribeKey', { KeyId }), 'AccessDeniedException')
    await kms.encryptAs(bob)
  })

  it('denies over everything', async () => {
    await kms.putPolicy(allow('alice', 'kms:*'), {
      Effect: 'Deny',
      Principal: '*',
      Action: 'kms:Encrypt',
      Resource: '*',
      Condition: { StringEquals: { 'kms:EncryptionContext:tenant': 'b' } },
    })
    await kms.denied(kms.encryptAs(alice, { tenant: 'b' }), /explicit deny in a resource-based policy$/)
    await kms.encryptAs(alice, { tenant: 'a' })
  })

  it('sees conditions of the call and the key', async () => {
    await engine.call('CreateAlias', { AliasName: 'alias/a', TargetKeyId: KeyId })
    await engine.call('TagResource', { KeyId, Tags: [{ TagKey: 'team', TagValue: 'x' }] })
    await kms.putPolicy(
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
      engine.call('Encrypt', { KeyId: keyId, Plaintext: PLAINTEXT }, { ...options, ...changes })
    await call('alias/a')
    await refused(call(KeyId), 'AccessDeniedException')
    await refused(call('alias/a', { sourceIp: '198.51.100.1' }), 'AccessDeniedException')
    await refused(call('alias/a', { isSecure: false }), 'AccessDeniedException')
    await engine.call('UntagResource', { KeyId, TagKeys: ['team'] })
    await refused(call('alias/a'), 'AccessDeniedException')
  })

  it('tells re-encryption on one key from that to another', async () => {
    const other = await newKey(engine)
    const Policy = policy(DELEGATION, allow('alice', ['kms:ReEncryptTo']))
    await engine.call('PutKeyPolicy', { KeyId: other, Policy })
    const Condition = { Bool: { 'kms:ReEncryptOnSameKey': 'true' } }
    await kms.putPolicy(
      allow('alice', ['kms:ReEncryptFrom', 'kms:ReEncryptTo'], { Condition }),
      allow('alice', 'kms:Encrypt'),
    )
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, Plaintext: PLAINTEXT }, { caller: alice })
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
    await refused(put(policy(DELEGATION) + ' '.repeat(40_000)), 'LimitExceededException')
    expect((await engine.call('ListKeys', {})).Keys).toHaveLength(1)
    expect((await engine.call('GetKeyPolicy', { KeyId })).Policy).toMatch(/key-default-1/)
  })

  it('takes a principal that nobody has, who then is nobody who comes later', async () => {
    await kms.putPolicy(allow('carol', 'kms:Encrypt'))
    await refused(kms.encryptAs(await newUser(engine, 'carol')), 'AccessDeniedException')
  })

  it('means the user that was there, not another one of his name', async () => {
    await kms.putPolicy(allow('alice', 'kms:Encrypt'))
    await kms.encryptAs(alice)
    const [accessKey] = (await engine.iam('ListAccessKeys', { UserName: 'alice' })).AccessKeyMetadata
    await engine.iam('DeleteAccessKey', { UserName: 'alice', AccessKeyId: accessKey!.AccessKeyId })
    await engine.iam('DeleteUser', { UserName: 'alice' })
    await refused(kms.encryptAs(await newUser(engine, 'alice')), 'AccessDeniedException')
  })

  it('is gone with its key', async () => {
    await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    kms.now += 7 * DAY
    await engine.runDueWork()
    const left = await kms.store.transaction('read', (rows) => rows.list('policy', { prefix: '', limit: 9 }))
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
      await kms.denied(create())
    }
    await give(arn, `${ARN_PREFIX}alias/a`)
    await create()
  })
})
