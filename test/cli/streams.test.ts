import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Shell, failed, outcomeOf, start, succeeded } from './shell.ts'

const MIB = 0x100000
const shell = new Shell()
const RAW = ['-w', 'provider=raw-aes,namespace=test,name=k1,file=k1.key']
const plaintext = Buffer.from(Array.from({ length: 3 * MIB + 5 }, (_, index) => (index * 31 + (index >> 8)) & 0xff))
const SIGNED = ['--suite', '0x0578']
let message: Buffer

beforeAll(async () => {
  shell.write('k1.key', Buffer.alloc(32, 1))
  shell.write('plain', plaintext)
  succeeded(await shell.waxseal(['encrypt', ...RAW, '-i', 'plain', '-o', 'plain.wax']))
  succeeded(await shell.waxseal(['encrypt', ...RAW, ...SIGNED, '-i', 'plain', '-o', 'signed.wax']))
  message = shell.read('plain.wax')
})

afterAll(() => shell.remove())

describe('a large file', () => {
  it('has frames of 64 KiB, also from a pipe, and a small one frames of 4 KiB', async () => {
    const frameLength = async (file: string): Promise<unknown> =>
      (JSON.parse(succeeded(await shell.waxseal(['inspect', '--json', file]))) as { frameLength: unknown }).frameLength
    expect(await frameLength('plain.wax')).toBe(65_536)
    succeeded(await shell.waxseal(['encrypt', ...RAW, '-o', 'piped.wax'], 'x'))
    expect(await frameLength('piped.wax')).toBe(65_536)
    shell.write('small', 'x')
    succeeded(await shell.waxseal(['encrypt', ...RAW, '-i', 'small', '-o', 'small.wax']))
    expect(await frameLength('small.wax')).toBe(4096)
  })

  it('is written as it comes: the first frame leaves before the input has ended', async () => {
    const child = start(shell, ['encrypt', ...RAW, '--frame-length', '1024'])
    const outcome = outcomeOf(child)
    child.stdin!.write(plaintext.subarray(0, 4096))
    await new Promise((resolve) => child.stdout!.once('data', resolve))
    child.stdin!.end(plaintext.subarray(4096))
    const { code, stdout } = await outcome
    expect(code).toBe(0)
    same((await shell.waxseal(['decrypt', ...RAW], stdout)).stdout, plaintext)
  })

  it('that is cut off or changed leaves no file, and fails after the frames that were good on standard output', async () => {
    for (const [bad, code] of [
      [message.subarray(0, 2 * MIB), 4],
      [flipped(message, 2 * MIB), 3],
    ] as const) {
      const files = shell.files()
      failed(await shell.waxseal(['decrypt', ...RAW, '-o', 'out'], bad), code, /./)
      expect(shell.files()).toEqual(files)
      const piped = await shell.waxseal(['decrypt', ...RAW], bad)
      expect(piped.code).toBe(code)
      expect(piped.stdout.length).toBeGreaterThan(MIB)
      expect(piped.stdout.length).toBeLessThan(plaintext.length)
      same(piped.stdout, plaintext.subarray(0, piped.stdout.length))
    }
  })

  it('may have long frames where that is allowed', async () => {
    succeeded(await shell.waxseal(['encrypt', ...RAW, '--frame-length', '2000000', '-i', 'plain', '-o', 'long.wax']))
    const limit = ['--max-frame-length', '1999999']
    failed(await shell.waxseal(['decrypt', ...RAW, ...limit, '-i', 'long.wax', '-o', 'out']), 4, /2000000 bytes/)
    same((await shell.waxseal(['decrypt', ...RAW, '-i', 'long.wax'])).stdout, plaintext)
    failed(await shell.waxseal(['decrypt', ...RAW, '--max-frame-length', '0', '-i', 'long.wax']), 2, /from 1 to/)
  })
})

/** Without a comparison of millions of elements, and a report of them. */
function same(bytes: Buffer, expected: Buffer): void {
  expect({ length: bytes.length, isEqual: bytes.equals(expected) }).toEqual({ length: expected.length, isEqual: true })
}

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[at]! ^= 1
  return copy
}

describe('a signed message', () => {
  it('reaches standard output, a device or a file after its signature was verified', async () => {
    same((await shell.waxseal(['decrypt', ...RAW, '-i', 'signed.wax'])).stdout, plaintext)
    expect(
      succeeded(await shell.bash(`waxseal decrypt ${RAW.join(' ')} -i signed.wax -o /dev/stdout | cmp - plain`)),
    ).toBe('')
    succeeded(await shell.waxseal(['decrypt', ...RAW, '-i', 'signed.wax', '-o', 'signed.out']))
    same(shell.read('signed.out'), plaintext)
  })

  it('whose signature is wrong gives nothing at all', async () => {
    const signed = shell.read('signed.wax')
    const bad = flipped(signed, signed.length - 40)
    failed(await shell.waxseal(['decrypt', ...RAW], bad), 3, /./)
    failed(await shell.waxseal(['decrypt', ...RAW, '-o', 'out'], bad), 3, /./)
    failed(await shell.waxseal(['decrypt', ...RAW], signed.subarray(0, -60)), 4, /./)
    expect(shell.files()).not.toContain('out')
  })

  it('that is longer than what is held needs a file', async () => {
    succeeded(
      await shell.bash(`head -c 40M /dev/zero | waxseal encrypt ${RAW.join(' ')} ${SIGNED.join(' ')} -o large.wax`),
    )
    failed(await shell.waxseal(['decrypt', ...RAW, '-i', 'large.wax']), 1, /use -o FILE/)
    succeeded(await shell.waxseal(['decrypt', ...RAW, '-i', 'large.wax', '-o', 'large']))
    expect(shell.read('large').length).toBe(40 * MIB)
  })

  it('is refused with --unsigned-only', async () => {
    failed(await shell.waxseal(['decrypt', ...RAW, '--unsigned-only', '-i', 'signed.wax', '-o', 'out']), 6, /signed/)
    expect(shell.files()).not.toContain('out')
    same((await shell.waxseal(['decrypt', ...RAW, '--unsigned-only', '-i', 'plain.wax'])).stdout, plaintext)
  })
})

describe('waxseal inspect', () => {
  it.each([['hello\n'], ['AYAA']])('refuses %j at once, though more may come', async (beginning) => {
    const child = start(shell, ['inspect'])
    child.stdin!.write(beginning)
    failed(await outcomeOf(child), 4, /./)
  })

  it('reads on while a header is not whole, and no further', async () => {
    const child = start(shell, ['inspect', '--json'])
    const outcome = outcomeOf(child)
    child.stdin!.on('error', () => undefined)
    for (const part of [message.subarray(0, 1), message.subarray(1, 50), message.subarray(50, 1000)]) {
      child.stdin!.write(part)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(JSON.parse(succeeded(await outcome))).toMatchObject({ messageVersion: 2, frameLength: 65_536 })
    failed(await shell.waxseal(['inspect'], message.subarray(0, 50)), 4, /ends inside its header/)
    failed(await shell.waxseal(['inspect'], ''), 4, /ends inside its header/)
  })

  it('escapes what a terminal would obey or not show, also in JSON', async () => {
    const texts = ['\u009b31m', '\u202egnp.exe', '\u007f', '\u{e0041}', '\u2028', 'é']
    const pairs = texts.flatMap((text, index) => ['-c', `${index}=${text}`])
    shell.write('x', 'x')
    const line = succeeded(await shell.waxseal(['encrypt', ...RAW, ...pairs, '-i', 'x', '-o', 'x.wax', '--json']))
    const inspected = succeeded(await shell.waxseal(['inspect', '--json', 'x.wax']))
    const { code, stderr } = await shell.waxseal(['decrypt', ...RAW, '-i', 'x.wax', '--json'])
    expect(code).toBe(0)
    for (const json of [line, inspected, stderr]) {
      expect(json).toMatch(/^[^\p{Cc}\p{Cf}\u2028\u2029]+\n$/u)
      expect(json).toContain('\\u009b31m')
      expect(json).toContain('\\udb40\\udc41')
      expect(json).toContain('é')
      const value = JSON.parse(json) as { encryptionContext?: object; header?: { encryptionContext: object } }
      expect(value.encryptionContext ?? value.header?.encryptionContext).toMatchObject(
        Object.fromEntries(texts.entries()),
      )
    }
  })
})

describe('--caching', () => {
  const encryptedKeys = async (name: string): Promise<unknown> =>
    (JSON.parse(succeeded(await shell.waxseal(['inspect', '--json', name]))) as { encryptedDataKeys: unknown })
      .encryptedDataKeys

  it('lets several files have one data key, within its limits', async () => {
    const names = ['one', 'two', 'three']
    for (const name of names) shell.write(name, name)
    const caching = ['--caching', 'max-age=60,max-messages=2']
    succeeded(await shell.waxseal(['encrypt', ...RAW, ...caching, '-i', ...names, '-o', 'cached/']))
    const [one, two, three] = await Promise.all(names.map((name) => encryptedKeys(`cached/${name}.wax`)))
    expect(two).toEqual(one)
    expect(three).not.toEqual(one)
    succeeded(
      await shell.waxseal(['decrypt', ...RAW, '--caching', 'max-age=60', '-r', '-i', 'cached', '-o', 'restored']),
    )
    for (const name of names) expect(shell.read(`restored/${name}`).toString()).toBe(name)
  })

  it.each<[string, RegExp]>([
    ['capacity=3', /needs max-age/],
    ['max-age=0', /max-age must be/],
    ['max-age=1,max-messages=4294967297', /max-messages must be/],
    ['max-age=1,colour=red', /"colour" is none of/],
  ])('%s is refused', async (value, reason) => {
    failed(await shell.waxseal(['encrypt', ...RAW, '--caching', value, '-i', 'plain', '-o', 'out']), 2, reason)
  })
})

describe('waxseal cat', () => {
  let server: Server
  let url: string
  let bytesServed = 0

  beforeAll(async () => {
    server = createServer((request, response) => {
      const [, from = '', to = ''] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
      const part = message.subarray(Number(from), Number(to) + 1)
      if (request.url !== '/message') return response.writeHead(404).end()
      bytesServed += part.length
      const range = `bytes ${from}-${Number(from) + part.length - 1}/${message.length}`
      return response.writeHead(206, { 'content-range': range, etag: '"1"', 'content-length': part.length }).end(part)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/message`
  })

  afterAll(() => server.close())

  it.each<[string, number, number]>([
    ['0-0', 0, 1],
    ['65530-65540', 65_530, 65_541],
    ['1000000-', 1_000_000, plaintext.length],
    ['-7', plaintext.length - 7, plaintext.length],
    ['-99999999', 0, plaintext.length],
    ['3000000-99999999', 3_000_000, plaintext.length],
  ])('--range %s answers these bytes of a file', async (range, from, to) => {
    const { code, stdout, stderr } = await shell.waxseal(['cat', ...RAW, '--range', range, 'plain.wax'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    same(stdout, plaintext.subarray(from, to))
  })

  it('answers all of it without a range, also to a file', async () => {
    same((await shell.waxseal(['cat', ...RAW, 'plain.wax'])).stdout, plaintext)
    succeeded(await shell.waxseal(['cat', ...RAW, 'plain.wax', '-o', 'cat.out']))
    same(shell.read('cat.out'), plaintext)
  })

  it('reads little more than the frames of the range from a URL', async () => {
    bytesServed = 0
    const { stdout } = await shell.waxseal(['cat', ...RAW, '--range', '1000000-1000009', url])
    expect(stdout).toEqual(plaintext.subarray(1_000_000, 1_000_010))
    expect(bytesServed).toBeLessThan(80_000)
  })

  it.each(['5-4', '-', 'a-b', '1', '1-2-3', '99999999999999999999-'])('--range %s is refused', async (range) => {
    failed(await shell.waxseal(['cat', ...RAW, '--range', range, 'plain.wax']), 2, /./)
  })

  it('refuses what is behind the end, is changed, signed or not to be had', async () => {
    failed(await shell.waxseal(['cat', ...RAW, '--range', '9999999-', 'plain.wax']), 2, /behind the end/)
    shell.write('bad.wax', flipped(message, 1_000_000))
    failed(await shell.waxseal(['cat', ...RAW, '--range', '999000-999001', 'bad.wax']), 3, /./)
    same((await shell.waxseal(['cat', ...RAW, '--range', '0-9', 'bad.wax'])).stdout, plaintext.subarray(0, 10))
    failed(await shell.waxseal(['cat', ...RAW, '--range', '0-9', 'signed.wax']), 1, /sign/)
    const ignored = await shell.waxseal(['cat', ...RAW, '--ignore-signature', '--range', '0-9', 'signed.wax'])
    expect(ignored.stdout).toEqual(plaintext.subarray(0, 10))
    failed(await shell.waxseal(['cat', ...RAW, 'none']), 1, /cannot read none: no such file/)
    failed(await shell.waxseal(['cat', ...RAW, '/dev/null']), 1, /regular files/)
    failed(await shell.waxseal(['cat', ...RAW, `${url}-none`]), 1, /./)
    failed(await shell.waxseal(['cat', ...RAW, 'http://127.0.0.1:1/']), 1, /the server of the source did not answer/)
    failed(await shell.waxseal(['cat', ...RAW]), 2, /missing required argument/)
  })
})
