import { copyFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { afterAll, describe, expect, it } from 'vitest'
import { client, rootCredentials, serve } from './server.ts'
import { failed, outcomeOf, Shell, start, succeeded } from './shell.ts'

const shell = new Shell()
const DATABASE = 'home/kms/kms.sqlite'

afterAll(() => shell.remove())

async function kms(...args: string[]): Promise<string> {
  return succeeded(await shell.waxseal(['kms', ...args]))
}

const audit = (...args: string[]): Promise<string> => kms('audit', ...args)

interface Sqlite {
  exec(sql: string): void
  close(): void
}

/** Changes the database as somebody does who has its file. */
function tamper(sql: string, file = shell.path(DATABASE)): void {
  const Database = createRequire(import.meta.url)('libsql') as new (file: string) => Sqlite
  const database = new Database(file)
  database.exec(sql)
  database.close()
}

/** Works on a copy of the KMS, which is put back. */
async function onCopy(work: () => Promise<void>): Promise<void> {
  for (const suffix of ['-wal', '-shm']) rmSync(shell.path(`${DATABASE}${suffix}`), { force: true })
  copyFileSync(shell.path(DATABASE), shell.path('copy'))
  try {
    await work()
  } finally {
    putBack()
  }
}

function putBack(): void {
  for (const suffix of ['-wal', '-shm']) rmSync(shell.path(`${DATABASE}${suffix}`), { force: true })
  copyFileSync(shell.path('copy'), shell.path(DATABASE))
}

const ID = (number: number): string => `id = 'main/${String(number).padStart(16, '0')}'`

describe('waxseal kms audit', () => {
  let keyId: string

  it('lists a line for each call, and the lines as JSON', async () => {
    keyId = (await kms('create-key')).trim()
    failed(await shell.waxseal(['kms', 'describe-key', 'alias/none']), 5, /alias\/none/)
    await kms('describe-key', keyId)
    const lines = (await audit('list')).trimEnd().split('\n')
    const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ'
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^1  ${TIME}  root  kms:CreateKey  ok  key/${keyId}$`)),
      expect.stringMatching(new RegExp(`^2  ${TIME}  root  kms:DescribeKey  NotFoundException$`)),
      expect.stringMatching(new RegExp(`^3  ${TIME}  root  kms:DescribeKey  ok  key/${keyId}$`)),
    ])
    const entries = (await audit('list', '--json', '--after', '1', '--limit', '1')).trimEnd().split('\n')
    expect(entries.map((line) => JSON.parse(line) as unknown)).toEqual([
      { number: 2, record: expect.objectContaining({ errorCode: 'NotFoundException' }) as unknown },
    ])
    expect(await audit('list', '--after', '3')).toBe('')
  })

  it('exports records as JSON lines', async () => {
    await audit('export', '-o', 'audit.jsonl')
    const lines = shell.read('audit.jsonl').toString().trimEnd().split('\n')
    expect(lines.map((line) => (JSON.parse(line) as { eventName: string }).eventName)).toEqual([
      'CreateKey',
      'DescribeKey',
      'DescribeKey',
    ])
    expect(await audit('export')).toBe(shell.read('audit.jsonl').toString())
    expect(await audit('export', '--limit', '1')).toBe(`${lines[0]}\n`)
  })

  it('follows what comes', async () => {
    const child = start(shell, ['kms', 'audit', 'follow', '--after', '3'])
    const outcome = outcomeOf(child)
    const shown = once(child.stdout!, 'data')
    await kms('create-alias', 'alias/followed', keyId)
    expect(String((await shown)[0])).toMatch(/^4 {2}.* {2}kms:CreateAlias {2}ok {2}/)
    child.kill('SIGINT')
    expect((await outcome).code).toBe(130)
  })

  it('verifies, and finds a changed, a removed and a moved record', async () => {
    expect(await audit('verify')).toBe('4 records, as they were written\n')
    const { mac } = JSON.parse(await audit('verify', '--json')) as { mac: string }
    expect(mac).toMatch(/^[0-9a-f]{64}$/)
    const CHANGES: readonly (readonly [string, RegExp])[] = [
      [`UPDATE row SET body = replace(body, 'Root', 'User') WHERE ${ID(2)}`, /record 2 of/],
      [`DELETE FROM row WHERE ${ID(3)}`, /record 3 of/],
      [`DELETE FROM row WHERE ${ID(4)}`, /record 4 of/],
      [
        `UPDATE row SET id = 'x' WHERE ${ID(2)}; UPDATE row SET id = 'main/0000000000000002' WHERE ${ID(3)}; ` +
          `UPDATE row SET id = 'main/0000000000000003' WHERE id = 'x'`,
        /record 2 of/,
      ],
    ]
    for (const [sql, reason] of CHANGES) {
      await onCopy(async () => {
        tamper(sql)
        failed(await shell.waxseal(['kms', 'audit', 'verify']), 3, reason)
      })
    }
    await audit('verify')
  })

  it('shows against a signed head that an older database was put back', async () => {
    const older = await audit('head')
    shell.write('heads.jsonl', older)
    await onCopy(async () => {
      await kms('describe-key', keyId)
      shell.write('heads.jsonl', `${older}${await audit('head')}`)
      expect(await audit('verify', '--head', 'heads.jsonl')).toMatch(/^5 records, as they were written, 2 signed heads/)
    })
    expect(await audit('verify')).toMatch(/^4 records/)
    failed(await shell.waxseal(['kms', 'audit', 'verify', '--head', 'heads.jsonl']), 3, /record 5 of the audit log/)
  })

  it('refuses heads that this KMS did not sign, and files without any', async () => {
    const head = JSON.parse(await audit('head')) as Record<string, unknown>
    const verify = async (text: string): ReturnType<Shell['waxseal']> => {
      shell.write('heads.jsonl', text)
      return shell.waxseal(['kms', 'audit', 'verify', '--head', 'heads.jsonl'])
    }
    failed(await verify(JSON.stringify({ ...head, time: '2020-01-01T00:00:00.000Z' })), 3, /not signed by this KMS/)
    failed(await verify('{"records":1}'), 2, /line 1 of heads.jsonl/)
    failed(await verify('{'), 2, /no signed head/)
    failed(await verify(''), 2, /no signed head/)
    const torn = await verify(`${JSON.stringify(head)}\n{"records":4,"mac"`)
    expect([torn.code, torn.stderr]).toEqual([0, 'waxseal: line 2 of heads.jsonl is cut off: it was left out\n'])
    failed(await shell.waxseal(['kms', 'audit', 'verify', '--head', 'absent']), 1, /absent/)
  })
})

describe('waxseal serve --audit-anchor', () => {
  const verify = (): ReturnType<Shell['waxseal']> =>
    shell.waxseal(['kms', 'audit', 'verify', '--kms', shell.path('data'), '--head', shell.path('anchor/heads')])
  const heads = (): { records: number }[] =>
    shell
      .read('anchor/heads')
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { records: number })

  it('keeps heads elsewhere, and the log goes on from them', async () => {
    const first = await serve(shell, '--audit-anchor', shell.path('anchor/heads'))
    const root = client(first.url, rootCredentials(shell))
    for (let i = 0; i < 3; i++) await root.createKey({})
    await first.stop()
    expect(heads().map(({ records }) => records)).toEqual([3])
    copyFileSync(shell.path('data/kms.sqlite'), shell.path('older'))
    const second = await serve(shell, '--audit-anchor', shell.path('anchor/heads'), '--audit-anchor-every', '1')
    await client(second.url, rootCredentials(shell)).listKeys({})
    await second.stop()
    expect(heads().at(-1)).toMatchObject({ records: 4 })
    expect(succeeded(await verify())).toMatch(/^4 records, as they were written, 2 signed heads/)
  })

  it('does not serve an older database than the heads are of', async () => {
    copyFileSync(shell.path('older'), shell.path('data/kms.sqlite'))
    const args = ['serve', '--port', '0', '--data', shell.path('data'), '--audit-anchor']
    failed(await shell.waxseal([...args, 'anchor/heads']), 3, /does not go on from .* record 4 of the audit log/)
    failed(await verify(), 3, /record 4 of the audit log/)
  })

  it('refuses a file among the data', async () => {
    const args = ['serve', '--port', '0', '--data', shell.path('data'), '--audit-anchor']
    failed(await shell.waxseal([...args, shell.path('data/heads')]), 2, /must not be in the directory/)
    expect(shell.tree()).not.toContain('data/heads')
  })
})
