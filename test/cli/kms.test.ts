import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { Shell, failed, succeeded } from './shell.ts'

const shell = new Shell()
const KEY_ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

afterAll(() => shell.remove())

async function kms(...args: string[]): Promise<string> {
  return succeeded(await shell.waxseal(['kms', ...args]))
}

async function kmsJson(...args: string[]): Promise<unknown> {
  return JSON.parse(await kms(...args, '--json'))
}

describe('waxseal kms', () => {
  it('creates a key and prints its id', async () => {
    expect((await kms('create-key')).trimEnd()).toMatch(KEY_ID)
  })

  it('creates a key with a description and answers its metadata as JSON', async () => {
    expect(await kmsJson('create-key', '--description', 'for a test')).toMatchObject({
      KeyId: expect.stringMatching(KEY_ID) as unknown,
      Arn: expect.stringContaining('arn:aws:kms:us-east-1:000000000000:key/') as unknown,
      Description: 'for a test',
      KeyState: 'Enabled',
      KeySpec: 'SYMMETRIC_DEFAULT',
    })
  })

  it('lists the keys with their aliases', async () => {
    const id = (await kms('create-key')).trimEnd()
    await kms('create-alias', 'alias/first', id)
    await kms('create-alias', 'alias/second', '--key', id)
    const lines = (await kms('list-keys')).trimEnd().split('\n')
    expect(lines).toHaveLength(3)
    expect(lines).toContain(`${id}  alias/first alias/second`)
    expect(await kmsJson('list-keys')).toContainEqual({
      KeyId: id,
      KeyArn: `arn:aws:kms:us-east-1:000000000000:key/${id}`,
      Aliases: ['alias/first', 'alias/second'],
    })
  })

  it('describes a key by id, ARN and alias', async () => {
    const metadata = (await kmsJson('describe-key', 'alias/first')) as { KeyId: string; Arn: string }
    expect(await kmsJson('describe-key', metadata.KeyId)).toEqual(metadata)
    expect(await kmsJson('describe-key', '--key', metadata.Arn)).toEqual(metadata)
    expect(await kms('describe-key', 'alias/first')).toMatch(new RegExp(`^KeyId +${metadata.KeyId}$`, 'm'))
  })

  it('gives an alias once', async () => {
    const id = (await kms('create-key')).trimEnd()
    failed(await shell.waxseal(['kms', 'create-alias', 'alias/first', id]), 1, /alias\/first/)
  })

  it('refuses a name that is no alias, and a key that does not exist', async () => {
    const id = (await kms('create-key')).trimEnd()
    failed(await shell.waxseal(['kms', 'create-alias', 'first', id]), 2, /alias/)
    failed(await shell.waxseal(['kms', 'create-alias', 'alias/aws/x', id]), 2, /alias/)
    const absent = '00000000-0000-0000-0000-000000000000'
    failed(await shell.waxseal(['kms', 'create-alias', 'alias/x', absent]), 5, /does not exist/)
    failed(await shell.waxseal(['kms', 'describe-key', 'alias/x']), 5, /alias\/x/)
    failed(await shell.waxseal(['kms', 'describe-key']), 2, /key/)
  })

  it('keeps its files in the data directory of the user', async () => {
    mkdirSync(shell.path('home/data'), { recursive: true })
    succeeded(await shell.waxseal(['kms', 'create-key'], undefined, { WAXSEAL_HOME: '' }))
    expect(readdirSync(shell.path('home/data'))).toContain('waxseal')
  })
})

describe('waxseal --help', () => {
  it('lists the commands and the exit codes', async () => {
    const text = succeeded(await shell.waxseal(['--help']))
    for (const word of ['encrypt', 'decrypt', 'inspect', 'kms', '--kms', 'Exit codes']) expect(text).toContain(word)
  })

  it('of a command lists its options and those of all', async () => {
    const text = succeeded(await shell.waxseal(['encrypt', '--help']))
    for (const option of ['--key', '--context', '--suite', '--frame-length', '--root-key'])
      expect(text).toContain(option)
  })
})

describe('waxseal kms rotate-root', () => {
  it('puts the KMS under a new root key, under which everything opens, and says where the old one is', async () => {
    const other = new Shell()
    const run = async (...args: string[]): Promise<string> => succeeded(await other.waxseal(args))
    const key = (await run('kms', 'create-key')).trimEnd()
    other.write('plain', 'a text')
    await run('encrypt', '--key', key, '-i', 'plain', '-o', 'message')
    const text = await run('kms', 'rotate-root')
    const [, now = '', before = ''] = /^The KMS is under a new root key: (.+)\n.*: (.+)\nDestroy it/.exec(text) ?? []
    expect(before).toBe(`${now}.old-1`)
    expect(statSync(now).mode & 0o777).toBe(0o600)
    expect(readFileSync(now, 'utf8')).not.toBe(readFileSync(before, 'utf8'))
    expect(await run('decrypt', '-i', 'message')).toBe('a text')
    failed(await other.waxseal(['kms', 'list-keys', '--root-key', before]), 5, /this is not the root key of the KMS/)
    expect(JSON.parse(await run('kms', 'rotate-root', '--json'))).toEqual({
      rootKeyFile: now,
      oldRootKeyFile: `${now}.old-2`,
    })
    await run('kms', 'audit', 'verify')
    other.remove()
  })

  it('makes nothing where there is no KMS', async () => {
    const other = new Shell()
    failed(await other.waxseal(['kms', 'rotate-root']), 5, /there is no KMS/)
    expect(other.files()).toEqual([])
    other.remove()
  })
})
