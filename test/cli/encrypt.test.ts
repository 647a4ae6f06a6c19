import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shell, succeeded } from './shell.ts'

const shell = new Shell()
const plaintext = Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index * 7) % 251))

beforeAll(async () => {
  const key = succeeded(await shell.waxseal(['kms', 'create-key'])).trim()
  succeeded(await shell.waxseal(['kms', 'create-alias', 'alias/demo', key]))
  shell.write('plain', plaintext)
})

afterAll(() => shell.remove())

async function encrypted(...options: string[]): Promise<Buffer> {
  const outcome = await shell.waxseal(['encrypt', '--key', 'alias/demo', ...options], plaintext)
  succeeded(outcome)
  return outcome.stdout
}

async function header(message: Uint8Array): Promise<Record<string, unknown>> {
  return JSON.parse(succeeded(await shell.waxseal(['inspect', '--json'], message))) as Record<string, unknown>
}

describe('waxseal encrypt and decrypt', () => {
  it('restore a file in a shell', async () => {
    const outcome = await shell.bash(`
      waxseal encrypt -i plain -o plain.wax --key alias/demo --context tenant=a &&
        waxseal decrypt -i plain.wax -o plain.out --context tenant=a && cmp plain plain.out`)
    expect(succeeded(outcome)).toBe('')
    expect(shell.read('plain.wax').includes(plaintext.subarray(0, 64))).toBe(false)
  })

  it('connect by standard input and output', async () => {
    const outcome = await shell.bash(`
      waxseal encrypt --key alias/demo < plain | waxseal decrypt | cmp - plain &&
        waxseal encrypt -i - -o - --key alias/demo < plain | waxseal decrypt -i - -o - | cmp - plain`)
    expect(succeeded(outcome)).toBe('')
  })

  it.each(['', 'x', 'line\n'])('restore %j', async (text) => {
    const { stdout } = await shell.waxseal(['encrypt', '--key', 'alias/demo'], text)
    expect(succeeded(await shell.waxseal(['decrypt'], stdout))).toBe(text)
  })

  it.each([
    ['a pipe', [], 65_536],
    ['a small file', ['-i', 'plain'], 4096],
  ])('write the default suite and frame length of %s', async (_, input, frameLength) => {
    expect(await header(await encrypted(...input))).toMatchObject({
      messageVersion: 2,
      algorithmSuite: { id: '0x0478', name: 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY' },
      encryptionContext: {},
      contentType: 'framed',
      frameLength,
      encryptedDataKeys: [{ providerId: 'aws-kms' }],
    })
  })

  it.each(['0x0578', '0578', 'aes-256-gcm-hkdf-sha512-commit-key-ecdsa-p384'])('take the suite %s', async (suite) => {
    const message = await encrypted('--suite', suite)
    expect(await header(message)).toMatchObject({ algorithmSuite: { id: '0x0578' } })
    expect((await shell.waxseal(['decrypt'], message)).stdout).toEqual(plaintext)
  })

  it('take a suite without commitment when the policy allows it', async () => {
    const message = await encrypted('--suite', '0x0178', '--commitment-policy', 'forbid-encrypt-allow-decrypt')
    expect(await header(message)).toMatchObject({ messageVersion: 1, algorithmSuite: { id: '0x0178' } })
    const policy = ['--commitment-policy', 'require-encrypt-allow-decrypt']
    expect((await shell.waxseal(['decrypt', ...policy], message)).stdout).toEqual(plaintext)
  })

  it('take the frame length and every pair of context', async () => {
    const context = ['--context', 'a=1', '--context', '__proto__=x=y', '--context', 'empty=']
    const message = await encrypted('--frame-length', '512', ...context)
    const { frameLength, encryptionContext } = await header(message)
    expect(frameLength).toBe(512)
    expect(Object.entries(encryptionContext as object)).toEqual([
      ['__proto__', 'x=y'],
      ['a', '1'],
      ['empty', ''],
    ])
    expect((await shell.waxseal(['decrypt', ...context], message)).stdout).toEqual(plaintext)
  })

  it('describe the message with --json, away from the data', async () => {
    const toFile = await shell.waxseal([
      'encrypt',
      '-k',
      'alias/demo',
      '-i',
      'plain',
      '-o',
      'j.wax',
      '--json',
      '--context',
      'a=1',
    ])
    expect(JSON.parse(succeeded(toFile))).toMatchObject({
      mode: 'encrypt',
      input: shell.path('plain'),
      output: shell.path('j.wax'),
      header: { encryptionContext: { a: '1' } },
    })
    const toOutput = await shell.waxseal(['decrypt', '-i', 'j.wax', '--json'])
    expect(toOutput.stdout).toEqual(plaintext)
    expect(JSON.parse(toOutput.stderr)).toMatchObject({ output: '-', header: { encryptionContext: { a: '1' } } })
  })

  it('take the KMS from --kms, before or after the command', async () => {
    const env = { WAXSEAL_HOME: shell.path('nowhere') }
    const kms = ['--kms', shell.path('home/kms')]
    const { stdout } = await shell.waxseal([...kms, 'encrypt', '-k', 'alias/demo'], plaintext, env)
    expect((await shell.waxseal(['decrypt', ...kms], stdout, env)).stdout).toEqual(plaintext)
  })
})

describe('output files', () => {
  it('have the permissions of their inputs when they are new, and plaintext no more than its owner', async () => {
    const mode = (name: string): number => statSync(shell.path(name)).mode & 0o777
    shell.write('script', plaintext)
    chmodSync(shell.path('script'), 0o755)
    succeeded(await shell.waxseal(['encrypt', '-k', 'alias/demo', '-i', 'script', '-o', 'script.wax']))
    expect(mode('script.wax')).toBe(0o755)
    succeeded(await shell.waxseal(['decrypt', '-i', 'script.wax', '-o', 'script.out']))
    expect(mode('script.out')).toBe(0o700)
    succeeded(await shell.waxseal(['encrypt', '-k', 'alias/demo', '-o', 'piped'], plaintext))
    expect(mode('piped')).toBe(0o600)
  })

  it('keep their permissions when they are replaced', async () => {
    shell.write('old', 'old')
    chmodSync(shell.path('old'), 0o640)
    succeeded(await shell.waxseal(['encrypt', '-k', 'alias/demo', '-i', 'plain', '-o', 'old']))
    expect(statSync(shell.path('old')).mode & 0o777).toBe(0o640)
  })

  it('may be the input', async () => {
    shell.write('same', plaintext)
    succeeded(await shell.waxseal(['encrypt', '-k', 'alias/demo', '-i', 'same', '-o', 'same']))
    expect(shell.read('same')).not.toEqual(plaintext)
    succeeded(await shell.waxseal(['decrypt', '-i', 'same', '-o', 'same']))
    expect(shell.read('same')).toEqual(plaintext)
  })

  it('are written through a symbolic link', async () => {
    mkdirSync(shell.path('elsewhere'))
    shell.write('elsewhere/target', 'old')
    symlinkSync('elsewhere/target', shell.path('link'))
    succeeded(await shell.waxseal(['encrypt', '-k', 'alias/demo', '-i', 'plain', '-o', 'link']))
    expect(lstatSync(shell.path('link')).isSymbolicLink()).toBe(true)
    expect((await shell.waxseal(['decrypt', '-i', 'elsewhere/target'])).stdout).toEqual(plaintext)
  })

  it('may be a device, which stays one', async () => {
    succeeded(await shell.waxseal(['encrypt', '-k', 'alias/demo', '-i', 'plain', '-o', '/dev/null']))
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true)
  })

  it('may be a FIFO, and so may the input', async () => {
    execFileSync('mkfifo', [shell.path('in'), shell.path('out')])
    const outcome = await shell.bash(`
      cat plain > in & waxseal encrypt -k alias/demo -i in -o out & waxseal decrypt -i out | cmp - plain; code=$?; wait; exit $code`)
    expect(succeeded(outcome)).toBe('')
  })

  it.each(['a name with spaces', 'a\nnew line', '-leading', 'é😀'.repeat(20)])('may be called %j', async (name) => {
    writeFileSync(shell.path(name), plaintext)
    succeeded(await shell.waxseal(['encrypt', '-k', 'alias/demo', `--input=${name}`, `--output=${name}.wax`]))
    succeeded(await shell.waxseal(['decrypt', `--input=${name}.wax`, `--output=${name}.out`]))
    expect(readFileSync(shell.path(`${name}.out`))).toEqual(plaintext)
  })
})
