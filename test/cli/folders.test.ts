import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, linkSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { Shell, failed, succeeded } from './shell.ts'

const shells: Shell[] = []
let shell: Shell
let keyOption: string[]

/** A fresh folder: `tree` with files of several kinds, and a key in a file, so that no KMS is needed. */
beforeEach(() => {
  shell = new Shell()
  shells.push(shell)
  keyOption = ['-w', `provider=raw-aes,namespace=test,name=k1,file=${shell.write('home.key', Buffer.alloc(32, 7))}`]
  mkdirSync(shell.path('tree/a/b'), { recursive: true })
  for (const [name, content] of Object.entries(TREE)) shell.write(`tree/${name}`, content)
})

afterAll(() => {
  for (const each of shells) each.remove()
})

const TREE: Readonly<Record<string, string>> = {
  'one.txt': 'the first',
  'a/two.txt': 'the second',
  'a/b/three words.txt': '',
  'a/b/new\nline': 'with a break in its name',
  'a/.hidden': 'dot',
}
const NAMES = Object.keys(TREE).sort()

function filesIn(folder: string): string[] {
  const entries = readdirSync(shell.path(folder), { recursive: true, withFileTypes: true })
  const root = shell.path(folder)
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `${entry.parentPath}/${entry.name}`.slice(root.length + 1))
    .sort()
}

const encrypting = (...args: string[]) => shell.waxseal(['encrypt', ...keyOption, ...args])
const decrypting = (...args: string[]) => shell.waxseal(['decrypt', ...keyOption, ...args])

describe('waxseal encrypt -r and decrypt -r', () => {
  it('put a folder of messages beside a folder of files, and restore it', async () => {
    expect(succeeded(await encrypting('-r', '-i', 'tree', '-o', 'vault'))).toBe('')
    expect(filesIn('vault')).toEqual(NAMES.map((name) => `${name}.wax`))
    expect(filesIn('tree')).toEqual(NAMES)
    expect(succeeded(await decrypting('-r', '-i', 'vault', '-o', 'restored'))).toBe('')
    expect(filesIn('restored')).toEqual(NAMES)
    for (const name of NAMES) expect(shell.read(`restored/${name}`).toString()).toBe(TREE[name])
  })

  it('put messages beside their files where there is no output, and take no message for a file', async () => {
    succeeded(await encrypting('-r', '-i', 'tree'))
    succeeded(await encrypting('-r', '-i', 'tree'))
    expect(filesIn('tree')).toEqual([...NAMES, ...NAMES.map((name) => `${name}.wax`)].sort())
    shell.write('tree/one.txt', 'lost')
    succeeded(await decrypting('-r', '-i', 'tree'))
    expect(shell.read('tree/one.txt').toString()).toBe('the first')
  })

  it('leave the output alone where it is in the input', async () => {
    succeeded(await encrypting('-r', '-i', 'tree', '-o', 'tree/out'))
    succeeded(await encrypting('-r', '-i', 'tree', '-o', 'tree/out'))
    expect(filesIn('tree/out')).toEqual(NAMES.map((name) => `${name}.wax`))
  })

  it('take no links, pipes and sockets from a folder, and say so unless told to be quiet', async () => {
    symlinkSync('/etc/passwd', shell.path('tree/link'))
    symlinkSync('..', shell.path('tree/loop'))
    execFileSync('mkfifo', [shell.path('tree/pipe')])
    const { code, stderr } = await encrypting('-r', '-i', 'tree', '-o', 'vault')
    expect(code).toBe(0)
    expect(stderr.trimEnd().split('\n')).toEqual(
      ['link', 'loop', 'pipe'].map((name) => `waxseal: skipped tree/${name}: it is no regular file`),
    )
    expect(filesIn('vault')).toEqual(NAMES.map((name) => `${name}.wax`))
    succeeded(await encrypting('-r', '-i', 'tree', '-o', 'quiet', '--quiet'))
  })

  it('follow a link that is named', async () => {
    symlinkSync('tree', shell.path('link'))
    succeeded(await encrypting('-r', '-i', 'link', '-o', 'vault'))
    expect(filesIn('vault')).toHaveLength(NAMES.length)
  })

  it('go on after a failure, tell each one, and fail in the end', async () => {
    succeeded(await encrypting('-r', '-i', 'tree', '-o', 'vault'))
    shell.write('vault/a/two.txt.wax', 'no message, but long enough to be taken for one')
    const flipped = shell.read('vault/one.txt.wax')
    flipped[flipped.length - 1]! ^= 1
    shell.write('vault/one.txt.wax', flipped)
    const { code, stdout, stderr } = await decrypting('-r', '-i', 'vault', '-o', 'restored')
    expect({ code, stdout: stdout.toString() }).toEqual({ code: 4, stdout: '' })
    expect(stderr).toMatch(
      /^waxseal: vault\/a\/two\.txt\.wax: [^\n]+\nwaxseal: vault\/one\.txt\.wax: [^\n]+\nwaxseal: 2 of 5 inputs failed\n$/,
    )
    expect(filesIn('restored')).toEqual(NAMES.filter((name) => name !== 'one.txt' && name !== 'a/two.txt'))
  })

  it('leave no empty folders of a failure', async () => {
    shell.write('other.key', Buffer.alloc(32, 8))
    succeeded(await encrypting('-r', '-i', 'tree', '-o', 'vault'))
    const wrong = ['-w', 'provider=raw-aes,namespace=test,name=k1,file=other.key']
    const { code } = await shell.waxseal(['decrypt', ...wrong, '-r', '-i', 'vault', '-o', 'restored/deep'])
    expect(code).toBe(3)
    expect(existsSync(shell.path('restored'))).toBe(false)
  })

  it('have nothing to do in an empty folder', async () => {
    mkdirSync(shell.path('empty'))
    const { code, stderr } = await encrypting('-r', '-i', 'empty', '-o', 'vault')
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'waxseal: there is nothing to do\n' })
    expect(existsSync(shell.path('vault'))).toBe(false)
  })
})

describe('several inputs', () => {
  it('may be paths, and patterns that the shell did not expand', async () => {
    succeeded(await encrypting('-i', 'tree/one.txt', 'tree/a/two.txt', '-o', 'vault'))
    expect(filesIn('vault')).toEqual(['one.txt.wax', 'two.txt.wax'])
    succeeded(await encrypting('-i', 'tree/**/*.txt', '-o', 'more/'))
    expect(filesIn('more')).toEqual(['one.txt.wax', 'three words.txt.wax', 'two.txt.wax'])
  })

  it('are taken once, though a pattern answers folders and the files in them', async () => {
    succeeded(await encrypting('-r', '-i', 'tree/**', 'tree/one.txt', './tree/one.txt', '-o', 'vault/'))
    expect(filesIn('vault')).toEqual(
      ['b/new\nline.wax', 'b/three words.txt.wax', 'one.txt.wax', 'two.txt.wax', '.hidden.wax'].sort(),
    )
    succeeded(await encrypting('-r', '-i', 'tree/**'))
    expect(filesIn('tree')).toEqual([...NAMES, ...NAMES.map((name) => `${name}.wax`)].sort())
  })

  it('may be one file for a folder', async () => {
    mkdirSync(shell.path('vault'))
    succeeded(await encrypting('-i', 'tree/one.txt', '-o', 'vault'))
    expect(filesIn('vault')).toEqual(['one.txt.wax'])
  })

  it('may be a file that is called like a pattern', async () => {
    shell.write('[a]*', 'x')
    succeeded(await encrypting('-i', '[a]*', '-o', 'out'))
    expect((await decrypting('-i', 'out')).stdout.toString()).toBe('x')
  })

  it('do not all need to be there', async () => {
    const { code, stderr } = await encrypting('-i', 'tree/one.txt', 'none', '-o', 'vault')
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'waxseal: cannot read none: no such file or directory\nwaxseal: 1 of 2 inputs failed\n',
    })
    expect(filesIn('vault')).toEqual(['one.txt.wax'])
  })

  it('are refused before any work where one result would take the place of another or of an input', async () => {
    shell.write('tree/a/one.txt', 'another first')
    shell.write('tree/one.txt.wax', 'precious')
    const before = shell.tree()
    failed(await encrypting('-i', 'tree/one.txt', 'tree/a/one.txt', '-o', 'vault'), 2, /would both be written to/)
    failed(await encrypting('-i', 'tree/one.txt', 'tree/one.txt.wax'), 2, /which is another input/)
    failed(await encrypting('-i', 'tree/one.txt', '-', '-o', 'vault'), 2, /standard input goes with no other/)
    failed(await encrypting('-i', 'tree/one.txt', 'home.key', '-o', '-'), 2, /standard output takes the result of one/)
    failed(await encrypting('-i', 'none*', '-o', 'vault'), 1, /no file matches/)
    failed(await encrypting('-i', 'tree', '-o', 'vault'), 1, /cannot read tree: it is a directory: -r/)
    expect(shell.tree()).toEqual(before)
  })
})

describe('--suffix', () => {
  it('is what names of messages end in', async () => {
    succeeded(await encrypting('-r', '-i', 'tree', '-o', 'vault', '--suffix', '.sealed'))
    expect(filesIn('vault')).toEqual(NAMES.map((name) => `${name}.sealed`))
    shell.write('vault/note', 'no message, and not looked at')
    succeeded(await decrypting('-r', '-i', 'vault', '-o', 'restored', '--suffix', '.sealed'))
    expect(filesIn('restored')).toEqual(NAMES)
  })

  it('puts a single result beside its input', async () => {
    succeeded(await encrypting('-i', 'tree/one.txt', '--suffix', '.x'))
    expect(filesIn('tree')).toContain('one.txt.x')
    succeeded(await decrypting('-i', 'tree/one.txt.x', '-o', './'))
    expect(shell.read('one.txt.x.decrypted').toString()).toBe('the first')
  })

  it('may be nothing, which replaces each file by its message and back', async () => {
    succeeded(await encrypting('-r', '-i', 'tree', '--suffix', ''))
    expect(filesIn('tree')).toEqual(NAMES)
    expect(shell.read('tree/one.txt').includes('first')).toBe(false)
    succeeded(await decrypting('-r', '-i', 'tree', '--suffix', ''))
    expect(shell.read('tree/one.txt').toString()).toBe('the first')
  })
})

describe('--no-overwrite', () => {
  it('skips outputs that exist, with a note and a line of metadata', async () => {
    mkdirSync(shell.path('vault'))
    shell.write('vault/one.txt.wax', 'mine')
    const args = ['-r', '-i', 'tree', '-o', 'vault', '--no-overwrite', '--metadata-output', 'meta']
    const { code, stderr } = await encrypting(...args)
    expect({ code, stderr }).toEqual({ code: 0, stderr: 'waxseal: skipped tree/one.txt: vault/one.txt.wax exists\n' })
    expect(shell.read('vault/one.txt.wax').toString()).toBe('mine')
    expect(filesIn('vault')).toHaveLength(NAMES.length)
    const records = shell
      .read('meta')
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    expect(records).toHaveLength(NAMES.length)
    expect(records).toContainEqual({
      mode: 'encrypt',
      input: shell.path('tree/one.txt'),
      output: shell.path('vault/one.txt.wax'),
      skipped: 'the output exists',
    })
  })

  it('refuses a single one', async () => {
    shell.write('out', 'mine')
    failed(await encrypting('-i', 'tree/one.txt', '-o', 'out', '--no-overwrite'), 1, /cannot write out: it exists/)
    expect(shell.read('out').toString()).toBe('mine')
    succeeded(await encrypting('-i', 'tree/one.txt', '-o', 'new', '--no-overwrite'))
    succeeded(await encrypting('-i', 'tree/one.txt', '-o', 'out', '--overwrite'))
    expect(shell.read('out').toString()).not.toBe('mine')
  })
})

describe('--metadata-output', () => {
  it('adds a line for each message to what the file holds', async () => {
    succeeded(await encrypting('-i', 'tree/one.txt', '-o', 'one.wax', '--metadata-output', 'meta', '-c', 'a=1'))
    succeeded(await decrypting('-i', 'one.wax', '-o', 'one', '--metadata-output', 'meta'))
    const records = shell
      .read('meta')
      .toString()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
    const header = { encryptionContext: { a: '1' }, messageVersion: 2 }
    expect(records).toMatchObject([
      { mode: 'encrypt', input: shell.path('tree/one.txt'), output: shell.path('one.wax'), header },
      { mode: 'decrypt', input: shell.path('one.wax'), output: shell.path('one'), header },
    ])
    expect(statSync(shell.path('meta')).mode & 0o777).toBe(0o600)
  })

  it('may not go where the result or an input is', async () => {
    succeeded(await encrypting('-i', 'tree/one.txt', '-o', 'one.wax', '--detached-keys'))
    symlinkSync('one.wax', shell.path('link'))
    linkSync(shell.path('one.wax'), shell.path('hard'))
    mkdirSync(shell.path('vault'))
    const before = shell.tree()
    const contents = (): string[] =>
      ['one.wax', 'one.wax.keys', 'tree/one.txt'].map((name) => shell.read(name).toString('hex'))
    const were = contents()
    for (const [args, reason] of [
      [['-i', 'one.wax', '--metadata-output', '-'], /the result on standard output/],
      [['-i', 'one.wax', '-o', '-', '--metadata-output', '-'], /the result on standard output/],
      [['-i', 'one.wax', '-o', 'one', '--metadata-output', 'one.wax'], /would write into one\.wax/],
      [['-i', 'one.wax', '-o', 'one', '--metadata-output', 'link'], /would write into one\.wax/],
      [['-i', 'one.wax', '-o', 'one', '--metadata-output', 'hard'], /would write into one\.wax/],
      [['-i', 'one.wax', '-o', 'one', '--metadata-output', './vault/../one'], /would write into one/],
      [['-i', 'one.wax', '-o', 'one', '--metadata-output', 'one.wax.keys'], /would write into one\.wax\.keys/],
      [['-i', 'hard', '--keys', 'one.wax.keys', '-o', 'one', '--metadata-output', 'one.wax.keys'], /one\.wax\.keys/],
    ] as const) {
      failed(await decrypting(...args), 2, reason)
    }
    const detached = ['-o', 'out.wax', '--detached-keys', '--metadata-output', 'out.wax.keys']
    failed(await encrypting('-i', 'tree/one.txt', ...detached), 2, /would write into out\.wax\.keys/)
    failed(
      await encrypting('-r', '-i', 'tree', '-o', 'vault', '--metadata-output', 'vault/one.txt.wax'),
      2,
      /one\.txt\.wax/,
    )
    failed(await encrypting('-r', '-i', 'tree', '-o', 'vault', '--metadata-output', 'tree/a/two.txt'), 2, /a\/two\.txt/)
    const args = `encrypt ${keyOption.join(' ')}`
    failed(await shell.bash(`waxseal ${args} -o out < tree/one.txt --metadata-output tree/one.txt`), 2, /the input/)
    failed(await shell.bash(`waxseal ${args} -i tree/one.txt --metadata-output hard > one.wax`), 2, /standard output/)
    expect(shell.tree()).toEqual(before)
    expect(contents().slice(1)).toEqual(were.slice(1))
  })

  it('may be standard output where no result goes', async () => {
    const line = succeeded(await encrypting('-i', 'tree/one.txt', '-o', 'one.wax', '--metadata-output', '-'))
    expect(JSON.parse(line)).toMatchObject({ mode: 'encrypt', output: shell.path('one.wax') })
  })

  it('is left by no failure, and fails before any work', async () => {
    failed(await decrypting('-i', 'tree/one.txt', '-o', 'out', '--metadata-output', 'meta'), 4, /./)
    expect(existsSync(shell.path('meta'))).toBe(false)
    failed(await encrypting('-i', 'tree/one.txt', '-o', 'out', '--metadata-output', 'tree'), 1, /cannot write tree/)
    expect(existsSync(shell.path('out'))).toBe(false)
  })
})

it('tells how far it is with --progress json, and nothing else unless it is a terminal', async () => {
  const { code, stderr } = await encrypting('-r', '-i', 'tree', '-o', 'vault', '--progress', 'json')
  expect(code).toBe(0)
  const total = Object.values(TREE).reduce((sum, content) => sum + content.length, 0)
  const last = JSON.parse(stderr.trimEnd().split('\n').at(-1)) as object
  expect(last).toMatchObject({ progress: { bytes: total, total, done: true } })
  failed(await encrypting('-i', 'tree/one.txt', '-o', 'x', '--progress', 'loud'), 2, /Allowed choices are auto, bar/)
})

it('leaves a folder that may not be read, and says so', async () => {
  chmodSync(shell.path('tree/a/b'), 0)
  chmodSync(shell.folder, 0o777)
  const { code, stderr } = await shell.unprivileged(['encrypt', ...keyOption, '-r', '-i', 'tree', '-o', 'vault'])
  chmodSync(shell.path('tree/a/b'), 0o755)
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: 'waxseal: cannot read tree/a/b: permission denied\nwaxseal: 1 of 4 inputs failed\n',
  })
  expect(filesIn('vault')).toEqual(['a/.hidden.wax', 'a/two.txt.wax', 'one.txt.wax'])
})
