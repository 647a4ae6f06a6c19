import { createPublicKey } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { failed, Shell, succeeded } from './shell.ts'

const shell = new Shell()
let keyId: string
let arn: string

beforeAll(async () => {
  keyId = succeeded(await shell.waxseal(['kms', 'create-key'])).trim()
  arn = `arn:aws:kms:us-east-1:000000000000:key/${keyId}`
  expect(await kms('create-alias', '--alias-name', 'alias/it', '--target-key-id', keyId)).toBeUndefined()
})

afterAll(() => shell.remove())

/** Runs `waxseal kms`; answers what it printed, undefined if that is nothing. */
async function kms(...args: string[]): Promise<unknown> {
  const text = succeeded(await shell.waxseal(['kms', ...args]))
  return text === '' ? undefined : JSON.parse(text)
}

async function refused(code: number, reason: RegExp, ...args: string[]): Promise<void> {
  failed(await shell.waxseal(['kms', ...args]), code, reason)
}

const metadata = (): Promise<unknown> => kms('describe-key', '--json', keyId)
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00$/
const time = expect.stringMatching(TIME) as unknown

describe('waxseal kms', () => {
  it('disables and enables a key, by id, ARN and alias', async () => {
    expect(await kms('disable-key', keyId)).toBeUndefined()
    expect(await metadata()).toMatchObject({ KeyState: 'Disabled' })
    await refused(5, /is disabled/, 'rotate-key-on-demand', '--key-id', arn)
    expect(await kms('enable-key', '--key', 'alias/it')).toBeUndefined()
    expect(await metadata()).toMatchObject({ KeyState: 'Enabled' })
    await refused(2, /name one key/, 'enable-key')
    await refused(2, /name one key/, 'enable-key', keyId, '--key-id', keyId)
  })

  it('schedules a deletion and takes it back', async () => {
    expect(await kms('schedule-key-deletion', 'alias/it', '--pending-window-in-days', '7')).toEqual({
      KeyId: arn,
      DeletionDate: time,
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 7,
    })
    expect(await kms('cancel-key-deletion', keyId)).toEqual({ KeyId: arn })
    await kms('enable-key', keyId)
    await refused(2, /./, 'schedule-key-deletion', keyId, '--pending-window-in-days', '6')
    await refused(2, /whole number/, 'schedule-key-deletion', keyId, '--pending-window-in-days', 'x')
  })

  it('rotates, on demand and by itself', async () => {
    expect(await kms('rotate-key-on-demand', keyId)).toEqual({ KeyId: arn })
    expect(await kms('enable-key-rotation', keyId, '--rotation-period-in-days', '90')).toBeUndefined()
    expect(await kms('get-key-rotation-status', keyId)).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: time,
    })
    expect(await kms('disable-key-rotation', keyId)).toBeUndefined()
    expect(await kms('list-key-rotations', keyId)).toEqual({
      Rotations: [expect.objectContaining({ KeyId: keyId, RotationType: 'ON_DEMAND', RotationDate: time }) as unknown],
    })
    const all = (await kms('list-key-rotations', keyId, '--include-key-material', 'ALL_KEY_MATERIAL')) as {
      Rotations: unknown[]
    }
    expect(all.Rotations).toHaveLength(2)
  })

  it('lists, moves and deletes aliases', async () => {
    const other = succeeded(await shell.waxseal(['kms', 'create-key', '--tags', 'TagKey=a,TagValue=b'])).trim()
    expect(await kms('list-aliases')).toEqual({
      Aliases: [
        {
          AliasName: 'alias/it',
          AliasArn: 'arn:aws:kms:us-east-1:000000000000:alias/it',
          TargetKeyId: keyId,
          CreationDate: time,
          LastUpdatedDate: time,
        },
      ],
    })
    expect(await kms('update-alias', '--alias-name', 'alias/it', '--target-key-id', other)).toBeUndefined()
    expect(await kms('list-aliases', keyId)).toEqual({ Aliases: [] })
    expect(await kms('list-resource-tags', 'alias/it')).toEqual({ Tags: [{ TagKey: 'a', TagValue: 'b' }] })
    expect(await kms('delete-alias', '--alias-name', 'alias/it')).toBeUndefined()
    await refused(5, /alias\/it/, 'delete-alias', '--alias-name', 'alias/it')
    await kms('create-alias', 'alias/it', keyId)
  })

  it('joins the pages of long lists', async () => {
    for (let i = 0; i < 3; i++) {
      const tags = Array.from({ length: 15 }, (_, n) => `TagKey=${i}-${n},TagValue=x`)
      await kms('tag-resource', keyId, '--tags', ...tags)
    }
    const { Tags } = (await kms('list-resource-tags', keyId)) as { Tags: unknown[] }
    expect(Tags).toHaveLength(45)
    await kms('untag-resource', keyId, '--tag-keys', '0-0', '1-0')
    expect(((await kms('list-resource-tags', keyId)) as { Tags: unknown[] }).Tags).toHaveLength(43)
  })

  it('shows and replaces a policy, and keeps one that would lock everyone out', async () => {
    const { Policy, PolicyName } = (await kms('get-key-policy', keyId)) as { Policy: string; PolicyName: string }
    expect(PolicyName).toBe('default')
    const changed = JSON.stringify({ ...(JSON.parse(Policy) as object), Id: 'changed' })
    shell.write('policy.json', changed)
    expect(await kms('put-key-policy', keyId, '--policy', 'file://policy.json')).toBeUndefined()
    expect(await kms('get-key-policy', keyId)).toMatchObject({ Policy: changed })
    const locked = changed.replace(':root', ':user/nobody')
    await refused(2, /policy/, 'put-key-policy', keyId, '--policy', locked)
    await kms('put-key-policy', keyId, '--policy', locked, '--bypass-policy-lockout-safety-check')
    await refused(6, /not authorized/, 'put-key-policy', keyId, '--policy', changed)
  })

  it('grants and revokes', async () => {
    const key = succeeded(await shell.waxseal(['kms', 'create-key'])).trim()
    const grantee = ['--grantee-principal', 'arn:aws:iam::000000000000:user/alice']
    const constraints = '{"EncryptionContextSubset":{"tenant":"a"}}'
    const made = await kms(
      'create-grant',
      key,
      ...grantee,
      '--operations',
      'Decrypt',
      'Encrypt',
      '--constraints',
      constraints,
    )
    const { GrantId } = made as { GrantId: string; GrantToken: string }
    expect(await kms('list-grants', key)).toMatchObject({
      Grants: [{ GrantId, Operations: ['Decrypt', 'Encrypt'], Constraints: JSON.parse(constraints) as unknown }],
    })
    await kms('revoke-grant', key, '--grant-id', GrantId)
    expect(await kms('list-grants', key)).toEqual({ Grants: [] })
    await refused(
      2,
      /object in JSON/,
      'create-grant',
      key,
      ...grantee,
      '--operations',
      'Decrypt',
      '--constraints',
      '[]',
    )
  })

  it('makes keys of other kinds, in other Regions and accounts', async () => {
    const place = ['--region', 'eu-central-1', '--account', '111122223333']
    const id = succeeded(
      await shell.waxseal(['kms', 'create-key', '--key-spec', 'ECC_NIST_P256', '--key-usage', 'SIGN_VERIFY', ...place]),
    ).trim()
    const answer = (await kms('get-public-key', id, ...place)) as { PublicKey: string; KeyId: string }
    expect(answer.KeyId).toBe(`arn:aws:kms:eu-central-1:111122223333:key/${id}`)
    const der = Buffer.from(answer.PublicKey, 'base64')
    expect(createPublicKey({ key: der, format: 'der', type: 'spki' }).asymmetricKeyType).toBe('ec')
    await refused(5, /does not exist/, 'get-public-key', id)
    await refused(2, /region/i, 'create-key', '--region', 'nowhere')
  })
})
