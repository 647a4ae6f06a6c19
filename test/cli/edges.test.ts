import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Shell, failed, outcomeOf, start, succeeded } from './shell.ts'

const IS_ROOT = process.getuid?.() === 0
const NOBODY = 65534
const KIB = 1024

const shells: Shell[] = []
let shell: Shell
let raw: string[]

beforeEach(() => {
  shell = new Shell()
  shells.push(shell)
  raw = ['-w', `provider=raw-aes,namespace=test,name=k1,file=${shell.write('home.key', Buffer.alloc(32, 1))}`]
  shell.write('plain', 'a line of text\n')
  chmodSync(shell.folder, 0o755)
})

afterAll(() => {
  for (const each of shells) each.remove()
})

const encrypting = (...args: string[]) => shell.waxseal(['encrypt', ...raw, ...args])

describe('a user without rights', () => {
  it('cannot write where he may not, and nothing is there then', async () => {
    mkdirSync(shell.path('shut'), { mode: 0o755 })
    if (!IS_ROOT) chmodSync(shell.path('shut'), 0o555)
    const outcome = await shell.unprivileged(['encrypt', ...raw, '-i', 'plain', '-o', 'shut/out'])
    failed(outcome, 1, /cannot write shut\/out: permission denied/)
    expect(readdirSync(shell.path('shut'))).toEqual([])
    const folders = await shell.unprivileged(['encrypt', ...raw, '-i', 'plain', '-o', 'shut/deep/'])
    failed(folders, 1, /cannot write shut\/deep: permission denied|1 of 1/)
  })

  it('cannot read what he may not, and an output that was there stays', async () => {
    mkdirSync(shell.path('open'), { mode: 0o777 })
    chmodSync(shell.path('open'), 0o777)
    shell.write('open/out', 'mine')
    chmodSync(shell.path('plain'), 0)
    failed(
      await shell.unprivileged(['encrypt', ...raw, '-i', 'plain', '-o', 'open/out']),
      1,
      /cannot read plain: permission/,
    )
    expect(readdirSync(shell.path('open'))).toEqual(['out'])
    expect(shell.read('open/out').toString()).toBe('mine')
  })
})

describe.runIf(IS_ROOT)('root', () => {
  it('leaves a file that it replaces to its owner', async () => {
    shell.write('theirs', 'old')
    chownSync(shell.path('theirs'), NOBODY, NOBODY)
    chmodSync(shell.path('theirs'), 0o640)
    succeeded(await encrypting('-i', 'plain', '-o', 'theirs'))
    const { uid, gid, mode } = statSync(shell.path('theirs'))
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: NOBODY, gid: NOBODY, mode: 0o640 })
  })

  it('is needed to keep a group: without, another one may do nothing', async () => {
    mkdirSync(shell.path('open'))
    chmodSync(shell.path('open'), 0o777)
    shell.write('open/out', 'old')
    chownSync(shell.path('open/out'), NOBODY, 2000)
    chmodSync(shell.path('open/out'), 0o664)
    chmodSync(shell.path('home.key'), 0o644)
    succeeded(await shell.unprivileged(['encrypt', ...raw, '-i', 'plain', '-o', 'open/out']))
    const { uid, gid, mode } = statSync(shell.path('open/out'))
    expect({ uid, gid, mode: mode & 0o777 }).toEqual({ uid: NOBODY, gid: NOBODY, mode: 0o604 })
  })
})

describe('a full disk', () => {
  let disk: string
  let isMounted = false

  beforeEach(() => {
    disk = shell.path('disk')
    mkdirSync(disk)
    isMounted = IS_ROOT && spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]).status === 0
  })

  afterEach(() => {
    if (isMounted) execFileSync('umount', [disk])
  })

  /** Where no file system of a size can be had, files are limited instead. */
  const limited = (command: string): string => (isMounted ? command : `ulimit -f 256; ${command}`)

  it('leaves nothing of a new file, and an old one as it was', async () => {
    shell.write('large', Buffer.alloc(600 * KIB))
    shell.write('disk/old', 'mine')
    for (const name of ['new', 'old']) {
      const outcome = await shell.bash(limited(`waxseal encrypt ${raw.join(' ')} -i large -o disk/${name}`))
      failed(outcome, 1, /cannot write disk\/(?:new|old): (?:no space left on the device|the file would be larger)/)
      expect(readdirSync(disk)).toEqual(['old'])
      expect(shell.read('disk/old').toString()).toBe('mine')
    }
  })

  it('does not keep small files of a folder from being written', async () => {
    mkdirSync(shell.path('tree'))
    shell.write('tree/1', Buffer.alloc(20 * KIB))
    shell.write('tree/2', Buffer.alloc(600 * KIB))
    shell.write('tree/3', Buffer.alloc(20 * KIB))
    const { code, stderr } = await shell.bash(limited(`waxseal encrypt ${raw.join(' ')} -r -i tree -o disk/out`))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^waxseal: cannot write disk\/out\/2\.wax: [^\n]+\nwaxseal: 1 of 3 inputs failed\n$/)
    expect(readdirSync(shell.path('disk/out')).sort()).toEqual(['1.wax', '3.wax'])
  })
})

describe('an interrupted run', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s leaves no file, folder or metadata', async (signal) => {
    execFileSync('mkfifo', [shell.path('pipe')])
    const before = shell.tree()
    const child = start(shell, [
      'encrypt',
      ...raw,
      '-i',
      'pipe',
      'plain',
      '-o',
      'new/folder/',
      '--metadata-output',
      'meta',
    ])
    const outcome = outcomeOf(child)
    await expect
      .poll(() => existsSync(shell.path('new/folder')) && readdirSync(shell.path('new/folder')), { timeout: 20_000 })
      .toHaveLength(1)
    child.kill(signal)
    failed(await outcome, 130, /interrupted/)
    expect(shell.tree()).toEqual(before)
  })

  it('keeps what was finished before', async () => {
    execFileSync('mkfifo', [shell.path('pipe')])
    const child = start(shell, ['encrypt', ...raw, '-i', 'plain', 'pipe', '-o', 'out/', '--metadata-output', 'meta'])
    const outcome = outcomeOf(child)
    await expect
      .poll(() => existsSync(shell.path('out')) && readdirSync(shell.path('out')), { timeout: 20_000 })
      .toHaveLength(2)
    child.kill('SIGINT')
    expect((await outcome).code).toBe(130)
    expect(readdirSync(shell.path('out'))).toEqual(['plain.wax'])
    expect(shell.read('meta').toString().trimEnd().split('\n')).toHaveLength(1)
  })
})

describe('an input', () => {
  it('may be a symbolic link to a file', async () => {
    symlinkSync('plain', shell.path('link'))
    succeeded(await encrypting('-i', 'link', '-o', 'link.wax'))
    expect(succeeded(await shell.waxseal(['decrypt', ...raw, '-i', 'link.wax']))).toBe('a line of text\n')
    symlinkSync('nowhere', shell.path('broken'))
    failed(await encrypting('-i', 'broken', '-o', 'out'), 1, /cannot read broken: no such file/)
  })

  it('may be an empty file, whose message is none', async () => {
    shell.write('empty', '')
    succeeded(await encrypting('-i', 'empty', '-o', 'empty.wax'))
    expect(shell.read('empty.wax').length).toBeGreaterThan(0)
    succeeded(await shell.waxseal(['decrypt', ...raw, '-i', 'empty.wax', '-o', 'empty.out']))
    expect(shell.read('empty.out').length).toBe(0)
    failed(await shell.waxseal(['decrypt', ...raw, '-i', 'empty', '-o', 'out']), 4, /./)
  })

  it('may be a file whose length is not what the system says', async () => {
    succeeded(await encrypting('-i', '/proc/self/status', '-o', 'status.wax'))
    expect(succeeded(await shell.waxseal(['decrypt', ...raw, '-i', 'status.wax']))).toContain('VmPeak')
  })

  it('may not be a socket', async () => {
    const server: Server = createServer()
    await new Promise<void>((resolve) => server.listen(shell.path('socket'), resolve))
    failed(await encrypting('-i', 'socket', '-o', 'out'), 1, /cannot read socket/)
    server.close()
    expect(existsSync(shell.path('out'))).toBe(false)
  })

  it('may be the output, through a link as well', async () => {
    symlinkSync('plain', shell.path('link'))
    succeeded(await encrypting('-i', 'link', '-o', 'plain'))
    expect(shell.read('plain').includes('text')).toBe(false)
    succeeded(await shell.waxseal(['decrypt', ...raw, '-i', 'plain', '-o', 'link']))
    expect(shell.read('plain').toString()).toBe('a line of text\n')
  })
})
