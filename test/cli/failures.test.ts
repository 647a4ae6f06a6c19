import { mkdirSync, renameSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shell, failed, outcomeOf, start, succeeded } from './shell.ts'

const shell = new Shell()
let message: Buffer

beforeAll(async () => {
  const key = succeeded(await shell.waxseal(['kms', 'create-key'])).trim()
  succeeded(await shell.waxseal(['kms', 'create-alias', 'alias/demo', key]))
  shell.write('plain', 'a line of text\n')
  succeeded(
    await shell.waxseal(['encrypt', '-i', 'plain', '-o', 'plain.wax', '-k', 'alias/demo', '--context', 'tenant=a']),
  )
  message = shell.read('plain.wax')
  mkdirSync(shell.path('folder'))
})

afterAll(() => shell.remove())

/** The run fails as told, and no file is new, gone or changed. */
async function fails(
  args: readonly string[],
  code: number,
  reason: RegExp,
  input?: Uint8Array | string,
): Promise<void> {
  shell.write('out', 'what was there before')
  const files = shell.files()
  failed(await shell.waxseal(args, input), code, reason)
  expect(shell.files()).toEqual(files)
  expect(shell.read('out').toString()).toBe('what was there before')
  expect(shell.read('plain.wax')).toEqual(message)
}

const decrypting = ['decrypt', '-o', 'out']
const encrypting = ['encrypt', '-k', 'alias/demo', '-i', 'plain', '-o', 'out']

describe('exit code 2: wrong use', () => {
  it.each<[string[], RegExp]>([
    [[], /name a command: encrypt, decrypt, cat, rewrap, inspect, kms/],
    [['kms'], /name a command: create-key/],
    [['conceal'], /unknown command 'conceal'/],
    [['kms', 'destroy'], /unknown command 'destroy'/],
    [['encrypt', '-i', 'plain', '-o', 'out'], /name what to encrypt under/],
    [[...encrypting, '--loud'], /unknown option '--loud'/],
    [[...encrypting, 'more'], /too many arguments/],
    [[...encrypting, '--context', 'tenant'], /key=value/],
    [[...encrypting, '--context', '=a'], /key=value/],
    [[...encrypting, '--context', 'a=1', '--context', 'a=2'], /"a" is given twice/],
    [[...encrypting, '--context', 'aws-crypto-public-key=x'], /reserved/],
    [[...encrypting, '--suite', '0x9999'], /the suites are/],
    [[...encrypting, '--frame-length', '0'], /from 1 to 4294967295/],
    [[...encrypting, '--frame-length', '4294967296'], /from 1 to 4294967295/],
    [[...encrypting, '--frame-length', '1e3'], /from 1 to 4294967295/],
    [[...encrypting, '--commitment-policy', 'none'], /Allowed choices are/],
    [['decrypt', '-i', 'plain.wax', '-o', 'out', '--kms', 'https://kms.example'], /directory/],
  ])('%j', async (args, reason) => fails(args, 2, reason))
})

describe('exit code 3: authentication', () => {
  it('a flipped bit anywhere behind the context', async () => {
    for (const position of [message.length - 1, message.length - 20, message.length - 60]) {
      const flipped = Buffer.from(message)
      flipped[position]! ^= 1
      await fails(decrypting, 3, /authentication failed/, flipped)
    }
  })
})

describe('exit code 4: format', () => {
  it.each<[string, () => Uint8Array | string]>([
    ['an empty file', () => ''],
    ['a text', () => 'this is no message, but it is long enough to be one'],
    ['a message that is cut off', () => message.subarray(0, -1)],
    ['a message with something behind it', () => Buffer.concat([message, Buffer.from('x')])],
    ['a message in base64', () => message.toString('base64')],
  ])('%s', async (_, input) => fails(decrypting, 4, /./, input()))

  it('inspect of what is no message', async () => fails(['inspect', 'plain'], 4, /./))
})

describe('exit code 5: key or KMS', () => {
  it('a key that does not exist', async () => {
    await fails(['encrypt', '-k', 'alias/other', '-i', 'plain', '-o', 'out'], 5, /alias\/other/)
  })

  it('a KMS that does not exist, which is not made by asking it', async () => {
    const nowhere = ['--kms', shell.path('nowhere')]
    await fails([...decrypting, '-i', 'plain.wax', ...nowhere], 5, /nowhere/)
    await fails([...encrypting, ...nowhere], 5, /nowhere/)
    await fails(['kms', 'list-keys', ...nowhere], 5, /nowhere/)
    await fails(['kms', 'describe-key', 'alias/demo', ...nowhere], 5, /nowhere/)
  })

  it('a deleted database, which is not made again', async () => {
    renameSync(shell.path('home/kms'), shell.path('home/moved'))
    try {
      await fails([...decrypting, '-i', 'plain.wax'], 5, /./)
      await fails([...decrypting, '-i', 'plain.wax'], 5, /./)
    } finally {
      renameSync(shell.path('home/moved'), shell.path('home/kms'))
    }
    succeeded(await shell.waxseal(['decrypt', '-i', 'plain.wax']))
  })

  it("another KMS's message", async () => {
    const other = ['--kms', shell.path('home/other'), '--root-key', shell.path('home/other.key')]
    succeeded(await shell.waxseal(['kms', 'create-key', ...other]))
    await fails([...decrypting, '-i', 'plain.wax', ...other], 5, /./)
  })

  it('a root key of another KMS', async () => {
    await fails([...decrypting, '-i', 'plain.wax', '--root-key', shell.path('home/other.key')], 5, /root key/)
  })

  it('a root key that is missing', async () => {
    await fails([...decrypting, '-i', 'plain.wax', '--root-key', shell.path('home/none.key')], 5, /root key/)
  })
})

describe('exit code 6: policy', () => {
  it('a required pair that differs', async () => {
    await fails([...decrypting, '-i', 'plain.wax', '--context', 'tenant=b'], 6, /./)
  })

  it('a required pair that is absent', async () => {
    await fails([...decrypting, '-i', 'plain.wax', '--context', 'tenant=a', '--context', 'more=x'], 6, /./)
  })

  it('a suite that the commitment policy forbids', async () => {
    await fails([...encrypting, '--suite', '0x0178'], 6, /commitment policy/)
  })
})

describe('exit code 1: files', () => {
  it.each<[string[], RegExp]>([
    [['decrypt', '-i', 'none', '-o', 'out'], /cannot read none: no such file or directory/],
    [['decrypt', '-i', 'folder', '-o', 'out'], /cannot read folder: it is a directory: -r/],
    [['inspect', 'folder'], /cannot read folder: it is a directory/],
    [
      ['encrypt', '-k', 'alias/demo', '-i', 'plain', '-o', 'none/out'],
      /cannot write none\/out: no such file or directory/,
    ],
    [['encrypt', '-k', 'alias/demo', '-i', 'plain', '-o', 'plain/out'], /cannot write plain\/out: a part of the path/],
    [['encrypt', '-k', 'alias/demo', '-i', 'plain', '-o', '/dev/full'], /cannot write \/dev\/full: no space left/],
  ])('%j', async (args, reason) => fails(args, 1, reason))

  it('shows a name without its control characters', async () => {
    await fails(['inspect', 'a\nb\u001b[31m'], 1, /cannot read a; b\\u\{1b\}\[31m/)
  })

  it('a reader that does not wait for the end', async () => {
    shell.write('large', Buffer.alloc(4_000_000))
    const script = 'waxseal encrypt -k alias/demo < large | head -c 10 > head; echo "${PIPESTATUS[0]}"'
    expect(succeeded(await shell.bash(script))).toBe('1\n')
  })
})

describe('exit code 130: interrupted', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('%s leaves nothing behind', async (signal) => {
    const child = start(
      shell,
      encrypting.map((argument) => (argument === 'plain' ? '-' : argument)),
    )
    const outcome = outcomeOf(child)
    const files = shell.files()
    child.stdin!.write('the beginning')
    await unfinishedOutput(files)
    child.kill(signal)
    failed(await outcome, 130, /interrupted/)
    expect(shell.files()).toEqual(files)
  })
})

/** Waits until the command has begun its output: a file that was not there. */
async function unfinishedOutput(files: readonly string[]): Promise<void> {
  await expect.poll(() => shell.files().filter((name) => !files.includes(name)), { timeout: 20_000 }).toHaveLength(1)
}
