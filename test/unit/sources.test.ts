import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SourceError } from '../../src/index.ts'
import { blobSource, decryptRange, fileHandleSource, httpSource, openMessage } from '../../src/range.ts'
import type { RandomAccessSource } from '../../src/range.ts'
import { keyring, text, writeFramed } from './framed-messages.ts'

const plaintext = text(100_000)
const message = writeFramed(plaintext, { frameLength: 1000 })
const small = writeFramed(text(100), { frameLength: 1000 })

async function checkRanges(source: RandomAccessSource): Promise<void> {
  const opened = await openMessage(keyring, source)
  expect(opened.size).toBe(100_000)
  for (const [start, end] of [[0, 1], [50_000, 53_333], [-5], [99_999]] as const) {
    expect(await opened.read(start, end)).toEqual(plaintext.slice(start, end))
  }
  opened.dispose()
}

describe('blobSource', () => {
  it('reads slices of a blob', async () => {
    await checkRanges(blobSource(new Blob([message.slice(0, 777), message.slice(777)])))
  })
})

describe('fileHandleSource', () => {
  it('reads parts of a file, also when the system answers fewer bytes at a time', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'waxseal-'))
    const path = join(folder, 'message')
    await writeFile(path, message)
    const handle = await open(path)
    await checkRanges(fileHandleSource(handle))
    await checkRanges(
      fileHandleSource({
        stat: () => handle.stat(),
        read: (buffer, offset, length, position) => handle.read(buffer, offset, Math.min(length, 333), position),
      }),
    )
    const opened = await openMessage(keyring, fileHandleSource(handle))
    await handle.truncate(50_000).catch(() => undefined)
    await writeFile(path, message.slice(0, 50_000))
    await expect(opened.read(90_000, 90_001)).rejects.toThrow(SourceError)
    await handle.close()
    await rm(folder, { recursive: true })
  })
})

describe('a source of somebody else', () => {
  const answer = (read: RandomAccessSource['read'], size: unknown = message.length): RandomAccessSource => ({
    size: size as number,
    read,
  })

  it.each([
    ['fewer bytes', (offset: number, length: number) => message.subarray(offset, offset + length - 1)],
    ['more bytes', (offset: number, length: number) => message.subarray(offset, offset + length + 1)],
    ['no bytes', () => new Uint8Array(0)],
  ])('that answers %s is refused', async (_, read) => {
    await expect(openMessage(keyring, answer(read))).rejects.toThrow(SourceError)
  })

  it.each([-1, 1.5, Number.NaN, Infinity, '5', null, undefined, 2 ** 60])('of size %s is refused', async (size) => {
    await expect(
      openMessage(
        keyring,
        answer(() => message, size),
      ),
    ).rejects.toThrow(SourceError)
    await expect(
      openMessage(
        keyring,
        answer(() => message, Promise.resolve(size)),
      ),
    ).rejects.toThrow(SourceError)
  })

  it('of more than 2^50 bytes is refused', async () => {
    const error = { code: 'ERR_WAXSEAL_LIMIT' }
    await expect(
      openMessage(
        keyring,
        answer(() => message, 2 ** 50 + 1),
      ),
    ).rejects.toMatchObject(error)
  })

  it.each([undefined, 'text', [1, 2, 3], new ArrayBuffer(5)])('that answers %s is refused', async (value) => {
    await expect(
      openMessage(
        keyring,
        answer(() => value as never),
      ),
    ).rejects.toThrow(TypeError)
  })

  it('rejects with its own error', async () => {
    const failure = new Error('the disk is on fire')
    await expect(
      openMessage(
        keyring,
        answer(() => Promise.reject(failure)),
      ),
    ).rejects.toBe(failure)
    await expect(
      openMessage(
        keyring,
        answer(() => message, Promise.reject(failure)),
      ),
    ).rejects.toBe(failure)
  })
})

describe('httpSource', () => {
  let server: Server
  let url: string
  let requests: { readonly range: string | undefined; readonly ifRange: string | undefined; readonly token: unknown }[]
  let object: { bytes: Uint8Array; etag: string }
  /** What is wrong with the server: called with the right answer before that is sent. */
  let spoil: (response: Answer, count: number) => Partial<Answer>

  interface Answer {
    readonly status: number
    readonly headers: Readonly<Record<string, string>> & { readonly ETag?: string }
    readonly body: Uint8Array
  }

  function answerOf({ headers }: IncomingMessage): Answer {
    const { bytes, etag } = object
    const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    const ifRange = headers['if-range']
    const isRange = first !== '' && Number(first) < bytes.length && (ifRange === undefined || ifRange === etag)
    if (!isRange) return { status: 200, headers: { ETag: etag }, body: bytes }
    const end = Math.min(Number(last) + 1, bytes.length)
    const range = `bytes ${first}-${end - 1}/${bytes.length}`
    return { status: 206, headers: { ETag: etag, 'Content-Range': range }, body: bytes.subarray(Number(first), end) }
  }

  function serve(request: IncomingMessage, response: ServerResponse): void {
    const { headers } = request
    requests.push({
      range: headers.range,
      ifRange: headers['if-range'] as string | undefined,
      token: headers['x-token'],
    })
    const right = answerOf(request)
    const { status, headers: sent, body } = { ...right, ...spoil(right, requests.length) }
    response.writeHead(status, sent).end(body)
  }

  beforeAll(async () => {
    server = createServer(serve)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/message`
  })

  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  beforeEach(() => {
    requests = []
    object = { bytes: message, etag: '"v1"' }
    spoil = () => ({})
  })

  it('reads ranges, each under the tag of the first', async () => {
    await checkRanges(httpSource(new URL(url), { headers: { 'X-Token': 'abc' } }))
    expect(requests[0]).toEqual({ range: 'bytes=0-4095', ifRange: undefined, token: 'abc' })
    expect(requests.slice(1).every(({ ifRange, token }) => ifRange === '"v1"' && token === 'abc')).toBe(true)
    expect(requests).toHaveLength(4)
  })

  it('needs one request for a small message, and two for a range of a large one', async () => {
    object.bytes = small
    expect((await decryptRange(keyring, httpSource(url), -10)).plaintext).toEqual(text(100).slice(-10))
    expect(requests).toHaveLength(1)
    object.bytes = message
    await decryptRange(keyring, httpSource(url), 50_000, 50_001)
    expect(requests).toHaveLength(3)
  })

  it('takes the fetch that it is given', async () => {
    const addresses: string[] = []
    const source = httpSource('stored://message', {
      fetch: async (address, { headers }) => {
        addresses.push(address)
        return fetch(url, { headers })
      },
    })
    await checkRanges(source)
    expect(new Set(addresses)).toEqual(new Set(['stored://message']))
  })

  const FIRST: [string, (answer: Answer) => Partial<Answer>][] = [
    ['has no ranges', () => ({ status: 200, body: message })],
    ['fails', () => ({ status: 500 })],
    ['has nothing', () => ({ status: 404 })],
    ['refuses the range', () => ({ status: 416, headers: { 'Content-Range': 'bytes */0' } })],
    ['answers partly without a range', ({ headers }) => ({ headers: { ETag: headers.ETag ?? '' } })],
    ['does not tell the size', () => ({ headers: { ETag: '"v1"', 'Content-Range': 'bytes 0-4095/*' } })],
    ['answers another range', () => ({ headers: { ETag: '"v1"', 'Content-Range': 'bytes 1-4096/103248' } })],
    ['answers a shorter range', () => ({ headers: { ETag: '"v1"', 'Content-Range': 'bytes 0-99/103248' } })],
    ['answers several ranges', ({ headers }) => ({ headers: { ...headers, 'Content-Range': 'multipart/byteranges' } })],
    ['encodes the content', ({ headers }) => ({ headers: { ...headers, 'Content-Encoding': 'x-none' } })],
    ['sends fewer bytes', ({ body }) => ({ body: body.subarray(1) })],
    ['sends more bytes', ({ body }) => ({ body: Buffer.concat([body, body]) })],
  ]

  it.each(FIRST)('refuses a server that %s', async (_, change) => {
    spoil = change
    await expect(openMessage(keyring, httpSource(url))).rejects.toThrow(SourceError)
    spoil = (right, count) => (count > 1 ? change(right) : {})
    requests = []
    const opened = await openMessage(keyring, httpSource(url))
    await expect(opened.read(50_000, 50_001)).rejects.toThrow(SourceError)
    spoil = () => ({})
    expect(await opened.read(50_000, 50_001)).toEqual(plaintext.slice(50_000, 50_001))
  })

  it.each([undefined, '', 'W/"v1"', 'v1'])('refuses the tag %s', async (etag) => {
    spoil = ({ headers }) => ({
      headers: { 'Content-Range': headers['Content-Range'] ?? '', ...(etag === undefined ? {} : { ETag: etag }) },
    })
    await expect(openMessage(keyring, httpSource(url))).rejects.toThrow('has no strong ETag')
  })

  it('notices an object that was replaced, whether or not the server heeds If-Range', async () => {
    const opened = await openMessage(keyring, httpSource(url))
    object = { bytes: writeFramed(plaintext, { frameLength: 1000 }), etag: '"v2"' }
    await expect(opened.read(50_000, 50_001)).rejects.toThrow('the object has changed')
    spoil = ({ headers }) => ({
      status: 206,
      headers: { ...headers, 'Content-Range': `bytes 0-9/${object.bytes.length}` },
      body: text(10),
    })
    await expect(opened.read(50_000, 50_001)).rejects.toThrow('an object that has changed')
    object = { bytes: message.subarray(0, -1), etag: '"v1"' }
    spoil = () => ({})
    await expect(opened.read(50_000, 50_001)).rejects.toThrow(SourceError)
  })

  it('says so when there is no server, and tries again', async () => {
    let isDown = true
    const source = httpSource(url, {
      fetch: async (address, init) => (isDown ? Promise.reject(new TypeError('fetch failed')) : fetch(address, init)),
    })
    const error = await openMessage(keyring, source).catch((failure: unknown) => failure)
    expect(error).toBeInstanceOf(SourceError)
    expect((error as Error).cause).toEqual(new TypeError('fetch failed'))
    isDown = false
    await checkRanges(source)
  })

  it('says so when a body ends in the middle', async () => {
    const opened = await openMessage(keyring, httpSource(url))
    spoil = ({ headers }) => ({ headers: { ...headers, 'Content-Length': '5000' }, body: text(10) })
    const reading = opened.read(50_000, 50_001)
    setTimeout(() => {
      server.closeAllConnections()
    }, 50)
    await expect(reading).rejects.toThrow(SourceError)
  })

  it('heeds the signal', async () => {
    const opened = await openMessage(keyring, httpSource(url))
    const controller = new AbortController()
    spoil = () => {
      controller.abort(new Error('no longer wanted'))
      return {}
    }
    await expect(opened.read(50_000, 50_001, controller)).rejects.toThrow('no longer wanted')
  })

  it('takes no fetch that is none', () => {
    expect(() => httpSource(url, { fetch: 5 as never })).toThrow(TypeError)
  })
})
