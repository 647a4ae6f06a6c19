import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Shell, failed, succeeded } from './shell.ts'

const shell = new Shell()
const key = (name: string): string => `provider=raw-aes,namespace=test,name=${name},file=keys/${name}`
const K1 = ['-w', key('k1')]
const K2 = ['-w', key('k2')]
const plaintext = Buffer.from(Array.from({ length: 10_000 }, (_, index) => (index * 7) % 251))

beforeAll(() => {
  mkdirSync(shell.path('keys'))
  shell.write('keys/k1', Buffer.alloc(32, 1))
  shell.write('keys/k2', Buffer.alloc(32, 2))
})

beforeEach(async () => {
  for (const name of shell.files()) if (name !== 'keys') rmSync(shell.path(name), { recursive: true })
  shell.write('plain', plaintext)
  succeeded(await shell.waxseal(['encrypt', ...K1, '--detached-keys', '-c', 'a=1', '-i', 'plain', '-o', 'm.wax']))
})

afterAll(() => shell.remove())

async function opened(...options: string[]): Promise<Buffer> {
  const outcome = await shell.waxseal(['decrypt', ...options])
  succeeded(outcome)
  return outcome.stdout
}

/** The run fails as told, and no file is new, gone or changed. */
async function fails(args: readonly string[], code: number, reason: RegExp, input?: Uint8Array): Promise<void> {
  const [files, message, record] = [shell.tree(), shell.read('m.wax'), shell.read('m.wax.keys')]
  failed(await shell.waxseal(args, input), code, reason)
  expect(shell.tree()).toEqual(files)
  expect([shell.read('m.wax'), shell.read('m.wax.keys')]).toEqual([message, record])
}

describe('encrypt --detached-keys', () => {
  it('writes the keys beside the message, where decrypt and cat find them', async () => {
    expect(shell.files()).toEqual(['keys', 'm.wax', 'm.wax.keys', 'plain'])
    const header = JSON.parse(succeeded(await shell.waxseal(['inspect', '--json', 'm.wax']))) as object
    expect(header).toMatchObject({ encryptedDataKeys: [{ providerId: 'waxseal-detached' }] })
    expect(await opened(...K1, '-c', 'a=1', '-i', 'm.wax')).toEqual(plaintext)
    const range = await shell.waxseal(['cat', ...K1, '--range', '100-199', 'm.wax'])
    expect(range.stdout).toEqual(plaintext.subarray(100, 200))
  })

  it('takes pipes with --keys', async () => {
    const outcome = await shell.bash(`
      waxseal encrypt ${K1.join(' ')} --detached-keys --keys r < plain > n.wax &&
        waxseal decrypt ${K1.join(' ')} --keys r < n.wax | cmp - plain && waxseal cat ${K1.join(' ')} --keys r n.wax | cmp - plain`)
    expect(succeeded(outcome)).toBe('')
    await fails(['encrypt', ...K1, '--detached-keys'], 2, /with --keys FILE/, plaintext)
    await fails(['encrypt', ...K1, '--detached-keys', '-o', '/dev/null'], 2, /with --keys FILE/, plaintext)
    await fails(['decrypt', ...K1], 2, /with --keys FILE/, shell.read('n.wax'))
  })

  it('gives each file of a folder its record, and takes no record for a file', async () => {
    mkdirSync(shell.path('tree'))
    shell.write('tree/a', 'a')
    shell.write('tree/b', 'b')
    succeeded(await shell.waxseal(['encrypt', ...K1, '--detached-keys', '-r', '-i', 'tree']))
    succeeded(await shell.waxseal(['encrypt', ...K1, '--detached-keys', '-r', '-i', 'tree']))
    const inTree = shell.tree().filter((path) => path.startsWith('tree/'))
    expect(inTree).toEqual(['a', 'a.wax', 'a.wax.keys', 'b', 'b.wax', 'b.wax.keys'].map((name) => `tree/${name}`))
    succeeded(await shell.waxseal(['decrypt', ...K1, '-r', '-i', 'tree', '-o', 'out']))
    expect(shell.tree().filter((path) => path.startsWith('out/'))).toEqual(['out/a', 'out/b'])
    await fails(['encrypt', ...K1, '--detached-keys', '--keys', 'r', '-r', '-i', 'tree'], 2, /of one message/)
    await fails(['decrypt', ...K1, '--keys', 'm.wax.keys', '-r', '-i', 'tree'], 2, /of one message/)
  })

  it('goes with base64, caching, signed suites, --json and names of all sorts', async () => {
    const options = ['--detached-keys', '--encode', '--suite', '0x0578', '--caching', 'max-age=9', '--json']
    const told = succeeded(await shell.waxseal(['encrypt', ...K1, ...options, '-i', 'plain', '-o', 'a\nb c']))
    expect(JSON.parse(told)).toMatchObject({ keys: shell.path('a\nb c.keys') })
    expect(await opened(...K1, '--decode', '-i', 'a\nb c')).toEqual(plaintext)
  })

  it('replaces both files or none', async () => {
    const options = [...K1, '--detached-keys', '-i', 'plain', '-o', 'm.wax']
    succeeded(await shell.waxseal(['encrypt', ...options]))
    expect(await opened(...K1, '-i', 'm.wax')).toEqual(plaintext)
    expect(shell.files()).toEqual(['keys', 'm.wax', 'm.wax.keys', 'plain'])
    rmSync(shell.path('m.wax'))
    failed(await shell.waxseal(['encrypt', ...options, '--no-overwrite']), 1, /cannot write m\.wax\.keys: it exists/)
    mkdirSync(shell.path('n.wax.keys'))
    failed(
      await shell.waxseal(['encrypt', ...K1, '--detached-keys', '-i', 'plain', '-o', 'n.wax']),
      1,
      /cannot write n\.wax\.keys: it is a directory/,
    )
    expect(shell.files()).toEqual(['keys', 'm.wax.keys', 'n.wax.keys', 'plain'])
  })

  it('puts the old record back when the message cannot get its name', async () => {
    const record = shell.read('m.wax.keys')
    mkdirSync(shell.path('there'))
    const script = `
      mkfifo in; waxseal encrypt ${K1.join(' ')} --detached-keys --keys m.wax.keys -i in -o there/n & exec 3> in
      printf text >&3; until ls -A there | grep -q tmp; do :; done; mkdir there/n there/n/full; exec 3>&-; wait $!`
    failed(await shell.bash(script), 1, /cannot write there\/n: /)
    expect(shell.read('m.wax.keys')).toEqual(record)
    expect(shell.tree().filter((path) => /tmp|old/.test(path))).toEqual([])
  })

  it('is refused where it cannot be', async () => {
    const more = ['-i', 'plain', '-o', 'n.wax']
    await fails(['encrypt', ...K1, '--keys', 'r', ...more], 2, /--keys goes with --detached-keys/)
    await fails(['encrypt', ...K1, '--detached-keys', '--keys', 'n.wax', ...more], 2, /would be written over n\.wax/)
    await fails(['encrypt', ...K1, '--detached-keys', '--keys', 'plain', ...more], 2, /would be written over plain/)
    await fails(['encrypt', ...K1, '--detached-keys', '--keys', '/dev/null', ...more], 1, /no regular file/)
    const old = ['--suite', '0x0178', '--commitment-policy', 'forbid-encrypt-allow-decrypt']
    await fails(['encrypt', ...K1, '--detached-keys', ...old, ...more], 1, /no detached keys/)
  })

  it('gives the record the permissions of the message', async () => {
    chmodSync(shell.path('plain'), 0o640)
    succeeded(await shell.waxseal(['encrypt', ...K1, '--detached-keys', '-i', 'plain', '-o', 'p.wax']))
    expect(['p.wax', 'p.wax.keys'].map((name) => statSync(shell.path(name)).mode & 0o777)).toEqual([0o640, 0o640])
  })
})

describe('decrypt and cat with a record', () => {
  it.each(['decrypt', 'cat'])('%s refuses one that is absent, damaged, huge or of another message', async (command) => {
    const reading = [command, ...K1, ...(command === 'cat' ? ['m.wax'] : ['-i', 'm.wax']), '-o', 'out', '--keys']
    await fails([...reading, 'none'], 1, /cannot read none: no such file/)
    await fails([...reading, '/dev/zero'], 1, /more than 16777216 bytes/)
    shell.write('empty', '')
    await fails([...reading, 'empty'], 4, /./)
    await fails([...reading, 'plain'], 4, /./)
    const changed = shell.read('m.wax.keys')
    changed[changed.length - 1]! ^= 1
    shell.write('changed', changed)
    await fails([...reading, 'changed'], 3, /./)
    succeeded(await shell.waxseal(['encrypt', ...K1, '--detached-keys', '-i', 'plain', '-o', 'other.wax']))
    await fails([...reading, 'other.wax.keys'], 5, /of another message/)
    succeeded(await shell.waxseal(['encrypt', ...K1, '-i', 'plain', '-o', 'own.wax']))
    const own = [command, ...K1, ...(command === 'cat' ? ['own.wax'] : ['-i', 'own.wax']), '--keys', 'm.wax.keys']
    await fails(own, 5, /in its header/)
  })

  it('wants --keys for a URL', async () => {
    const message = shell.read('m.wax')
    const server = createServer(({ headers, method }, response) => {
      const [, first = '0', last = ''] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? []
      const end = last === '' ? message.length : Math.min(Number(last) + 1, message.length)
      const range = `bytes ${first}-${end - 1}/${message.length}`
      response.writeHead(206, { etag: '"1"', 'content-range': range, 'content-length': end - Number(first) })
      response.end(method === 'HEAD' ? undefined : message.subarray(Number(first), end))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/m.wax`
      const { stdout } = await shell.waxseal(['cat', ...K1, '--keys', 'm.wax.keys', url])
      expect(stdout).toEqual(plaintext)
      await fails(['cat', ...K1, url], 2, /with --keys FILE/)
    } finally {
      server.close()
    }
  })
})

describe('rewrap of a message with detached keys', () => {
  const toK2 = [...K2, '--from-wrapping-key', key('k1')]

  it('replaces the record and leaves the message', async () => {
    const message = shell.read('m.wax')
    expect(succeeded(await shell.waxseal(['rewrap', 'm.wax', ...toK2]))).toBe('')
    expect(shell.read('m.wax')).toEqual(message)
    expect(shell.files()).toEqual(['keys', 'm.wax', 'm.wax.keys', 'plain'])
    expect(await opened(...K2, '-c', 'a=1', '-i', 'm.wax')).toEqual(plaintext)
    await fails(['decrypt', ...K1, '-i', 'm.wax'], 5, /./)
  })

  it('does not read the body', async () => {
    const message = shell.read('m.wax')
    shell.write('m.wax', message.subarray(0, message.length - plaintext.length))
    succeeded(await shell.waxseal(['rewrap', 'm.wax', ...toK2]))
    shell.write('m.wax', message)
    expect(await opened(...K2, '-i', 'm.wax')).toEqual(plaintext)
  })

  it('takes the record from elsewhere, the header from a pipe, and writes where it is told', async () => {
    symlinkSync('m.wax.keys', shell.path('link'))
    succeeded(await shell.waxseal(['rewrap', '-', '--keys', 'link', ...toK2, '-o', 'new'], shell.read('m.wax')))
    expect(await opened(...K2, '--keys', 'new', '-i', 'm.wax')).toEqual(plaintext)
    expect(await opened(...K1, '-i', 'm.wax')).toEqual(plaintext)
    const { stdout } = await shell.waxseal(['rewrap', 'm.wax', ...toK2, '-o', '-'])
    shell.write('m.wax.keys', stdout)
    expect(await opened(...K2, '-i', 'm.wax')).toEqual(plaintext)
  })

  it('leaves all as it was after a failure', async () => {
    await fails(['rewrap', 'm.wax', ...K1, '--from-wrapping-key', key('k2')], 5, /./)
    await fails(['rewrap', 'm.wax', ...toK2, '-c', 'a=2'], 6, /./)
    await fails(['rewrap', 'm.wax', ...toK2, '--keys', 'none'], 1, /cannot read none/)
    await fails(['rewrap', 'm.wax', ...toK2, '--keys', 'plain'], 4, /./)
    await fails(['rewrap', '-', ...toK2], 2, /with --keys FILE/, shell.read('m.wax'))
    succeeded(await shell.waxseal(['encrypt', ...K1, '-i', 'plain', '-o', 'own.wax']))
    await fails(['rewrap', 'own.wax', ...toK2, '--keys', 'm.wax.keys'], 2, /leave --keys out/)
    const signed = ['--detached-keys', '--suite', '0x0578', '-i', 'plain', '-o', 's.wax']
    succeeded(await shell.waxseal(['encrypt', ...K1, ...signed]))
    await fails(['rewrap', 's.wax', ...toK2, '--unsigned-only'], 6, /--unsigned-only/)
    succeeded(await shell.waxseal(['rewrap', 's.wax', ...toK2]))
    expect(await opened(...K2, '-i', 's.wax')).toEqual(plaintext)
  })
})
