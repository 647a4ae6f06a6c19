import { copyFileSync, utimesSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { connect as connectSecurely } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { KmsServer, KmsServerOptions } from '../../../kms/server/index.ts'
import { listen, type ListenOptions, type NodeListener } from '../../../kms/server/listen.node.ts'
import { NOW } from '../engine-setup.ts'
import { temporaryFolder } from '../temporary.ts'
import { newServer, type ServerUnderTest } from './setup.ts'
import { sign } from './sign.ts'

const TLS = fileURLToPath(new URL('tls/', import.meta.url))
const folder = temporaryFolder()
const open: NodeListener[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((listener) => listener.close()))
})

async function start(
  options: Partial<ListenOptions> = {},
  serverOptions: Partial<KmsServerOptions> = {},
): Promise<ServerUnderTest & { listener: NodeListener; port: number; host: string }> {
  const under = await newServer(serverOptions)
  const listener = await listen({ server: under.server, port: 0, ...options })
  open.push(listener)
  return { ...under, listener, port: Number(new URL(listener.url).port), host: new URL(listener.url).host }
}

/** A signed request as bytes, with what a test does to its header lines. */
async function rawRequest(host: string, edit: (lines: string[]) => string[] = (lines) => lines): Promise<string> {
  const request = sign('ListKeys', NOW, { url: `http://${host}/` })
  const body = await request.text()
  const lines = [...request.headers].map(([name, value]) => `${name}: ${value}`)
  return ['POST / HTTP/1.1', ...edit([...lines, `content-length: ${body.length}`]), '', body].join('\r\n')
}

/** Sends bytes; answers everything that comes back until the server closes, or `isEnough`. */
function exchange(socket: Socket, bytes: string, isEnough: (text: string) => boolean = () => false): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (isEnough(text)) socket.end()
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(text))
    socket.write(bytes)
  })
}

const exchangeAt = (port: number, bytes: string): Promise<string> => {
  return exchange(connect(port, '127.0.0.1'), bytes, (text) => /\r\n\r\n[^]+[}\n]$/.test(text))
}

describe('a Node server', () => {
  it('answers a signed request, and tells who sent it', async () => {
    const { port, host, calls } = await start()
    const answer = await exchangeAt(port, await rawRequest(host))
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toContain('{"Keys":[],"Truncated":false}')
    expect(calls[0]?.options).toMatchObject({ sourceIp: '127.0.0.1', isSecure: false })
  })

  it.each<[string, (lines: string[]) => string[]]>([
    ['two Authorization headers', (lines) => [...lines, ...lines.filter((line) => line.startsWith('authorization'))]],
    ['a second, worthless one', (lines) => [...lines, 'authorization: AWS4-HMAC-SHA256 x']],
    ['two targets', (lines) => [...lines, 'x-amz-target: TrentService.CreateKey']],
    ['two dates', (lines) => [...lines, 'X-Amz-Date: 20260102T030405Z']],
  ])('refuses %s', async (_, edit) => {
    const { port, host, calls } = await start()
    expect(await exchangeAt(port, await rawRequest(host, edit))).toMatch(/^HTTP\/1\.1 400 /)
    expect(calls).toEqual([])
  })

  it('refuses two Host headers, and what is no HTTP', async () => {
    const { port, host, calls } = await start()
    expect(await exchangeAt(port, await rawRequest(host, (lines) => [...lines, 'host: other']))).toMatch(
      /^HTTP\/1\.1 400 /,
    )
    expect(await exchange(connect(port, '127.0.0.1'), 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(calls).toEqual([])
  })

  it('refuses paths and queries as they are sent, not as a URL would read them', async () => {
    const { port, host, calls } = await start()
    for (const target of ['/x/..', '//', '/%2f', '*', `http://${host}/`, '/?', '/#']) {
      const raw = (await rawRequest(host)).replace('POST / ', `POST ${target} `)
      const answer = await exchangeAt(port, raw)
      // A question mark with nothing after it is an empty query.
      expect({ target, answer }).toMatchObject({
        answer: expect.stringMatching(target === '/?' ? /^HTTP\/1\.1 200/ : /^HTTP\/1\.1 40[04]/) as string,
      })
    }
    expect(calls).toHaveLength(1)
  })

  it('cuts off a body that is too long or too slow', async () => {
    const { port, host } = await start({}, { maxBodyBytes: 100, bodyTimeout: 20 })
    const long = (lines: string[]): string[] =>
      lines.map((line) => line.replace(/^content-length: .*/, 'content-length: 101'))
    const declared = await exchange(connect(port, '127.0.0.1'), await rawRequest(host, long))
    expect(declared).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i)
    const chunked = (lines: string[]): string[] =>
      lines.map((line) => line.replace(/^content-length: .*/, 'transfer-encoding: chunked'))
    const endless = (await rawRequest(host, chunked)).replace(/\{\}$/, `1000\r\n${'x'.repeat(0x1000)}\r\n`)
    expect(await exchange(connect(port, '127.0.0.1'), endless)).toMatch(/^HTTP\/1\.1 413 [^]*connection: close/i)
    const silent = (await rawRequest(host, long)).replace('content-length: 101', 'content-length: 50')
    expect(await exchange(connect(port, '127.0.0.1'), silent)).toMatch(/^HTTP\/1\.1 408 [^]*connection: close/i)
  })

  it('cuts off bodies that do not come, when there are too many, and answers the others', async () => {
    const { port, host } = await start({}, { maxRequests: 2, bodyTimeout: 60_000 })
    const silent = (await rawRequest(host)).replace('content-length: 2', 'content-length: 50')
    const first = [1, 2].map(() => exchange(connect(port, '127.0.0.1'), silent))
    const more = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    for (const socket of more) socket.write(silent)
    for (const answer of await Promise.all(first)) {
      expect(answer).toMatch(/^HTTP\/1\.1 400 [^]*connection: close[^]*ThrottlingException/i)
    }
    expect(await exchangeAt(port, await rawRequest(host))).toMatch(/^HTTP\/1\.1 200 /)
    for (const socket of more) socket.destroy()
  })

  it('survives clients that leave in the middle', async () => {
    const { port, host, errors } = await start()
    const raw = await rawRequest(host, (lines) =>
      lines.map((line) => line.replace(/^content-length: .*/, 'content-length: 50')),
    )
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => socket.write(raw, () => socket.destroy()))
      socket.once('close', () => resolve())
    })
    expect(await exchangeAt(port, await rawRequest(host))).toMatch(/^HTTP\/1\.1 200/)
    expect(errors).toEqual([])
  })

  it('answers what is in progress when it closes, and takes nothing new', async () => {
    let release: (() => void) | undefined
    const held = new Promise<void>((resolve) => (release = resolve))
    let hasBegun: (() => void) | undefined
    const begun = new Promise<void>((resolve) => (hasBegun = resolve))
    const inner = await newServer()
    const server: KmsServer = {
      ...inner.server,
      answer: async (request) => {
        hasBegun?.()
        await held
        return inner.server.answer(request)
      },
    }
    const { port, host, listener } = await start({ server })
    const answer = exchange(connect(port, '127.0.0.1'), await rawRequest(host))
    await begun
    const closed = listener.close()
    await expect(exchange(connect(port, '127.0.0.1'), 'x')).rejects.toThrow('ECONNREFUSED')
    release?.()
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK[^]*connection: close/i)
    await closed
    open.splice(0)
  })

  it('cuts off at the end of its patience', async () => {
    let ask: () => void = () => undefined
    const isAsked = new Promise<void>((resolve) => (ask = resolve))
    const server: KmsServer = {
      ...(await newServer()).server,
      answer: () => {
        ask()
        return new Promise(() => undefined)
      },
    }
    const { port, host, listener } = await start({ server, shutdownTimeout: 1 })
    const received = exchange(connect(port, '127.0.0.1'), await rawRequest(host))
    await isAsked
    open.splice(0)
    await listener.close()
    expect(await received).toBe('')
  })

  it('fails for a port that is taken', async () => {
    const { port } = await start()
    await expect(start({ port })).rejects.toThrow('EADDRINUSE')
  })
})

describe('an address that others can reach', () => {
  it.each(['0.0.0.0', '::', '192.0.2.1', 'kms.example', '128.0.0.1', ''])(
    '%j needs TLS, or insecureHttp',
    async (host) => {
      await expect(start({ host })).rejects.toThrow(RangeError)
    },
  )

  it('is allowed with insecureHttp', async () => {
    const { port } = await start({ host: '0.0.0.0', insecureHttp: true })
    expect(port).toBeGreaterThan(0)
  })

  it.each(['127.0.0.1', 'localhost'])('is not %s', async (host) => {
    const { listener } = await start({ host })
    expect(listener.url).toMatch(/^http:/)
  })
})

describe('TLS', () => {
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  let ticks = 1000

  /** Replaces one of the files, with a time of its own. */
  function put(name: 'first' | 'second', part: 'cert' | 'key'): void {
    const file = part === 'cert' ? files.certFile : files.keyFile
    copyFileSync(join(TLS, `${name}.${part}.pem`), file)
    utimesSync(file, ++ticks, ticks)
  }

  function commonName(port: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.end()
      })
      socket.once('error', reject)
    })
  }

  it('serves, and takes a new certificate when both files fit', async () => {
    put('first', 'cert')
    put('first', 'key')
    const errors: unknown[] = []
    const { port, listener, calls } = await start({
      tls: files,
      host: '0.0.0.0',
      onError: (error) => errors.push(error),
    })
    expect(listener.url).toMatch(/^https:/)
    expect(await commonName(port)).toBe('waxseal test first')
    put('second', 'cert')
    listener.checkTls()
    expect([errors.length, await commonName(port)]).toEqual([1, 'waxseal test first'])
    listener.checkTls()
    expect(errors).toHaveLength(1)
    put('second', 'key')
    listener.checkTls()
    expect([errors.length, await commonName(port)]).toEqual([1, 'waxseal test second'])
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const answer = await exchange(socket, await rawRequest(`127.0.0.1:${port}`), (text) => text.endsWith('}'))
    expect(answer).toMatch(/^HTTP\/1\.1 200/)
    expect(calls[0]?.options).toMatchObject({ isSecure: true })
  })

  it('does not start with a key of another certificate, or without the files', async () => {
    put('first', 'cert')
    put('second', 'key')
    await expect(start({ tls: files })).rejects.toThrow(/key values mismatch/)
    await expect(start({ tls: { ...files, keyFile: join(folder, 'none') } })).rejects.toThrow('ENOENT')
  })

  it('is 1.2 or later', async () => {
    put('second', 'cert')
    const { port } = await start({ tls: files })
    const attempt = new Promise((resolve, reject) => {
      const socket = connectSecurely(
        { port, host: '127.0.0.1', maxVersion: 'TLSv1.1', minVersion: 'TLSv1', rejectUnauthorized: false },
        () => resolve(undefined),
      )
      socket.once('error', reject)
    })
    await expect(attempt).rejects.toThrow()
  })
})
