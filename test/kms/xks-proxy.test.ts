import { readFileSync } from 'node:fs'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { beforeEach, describe, expect, it } from 'vitest'
import { KeyStoreError, type KeyStore, type StoreFault, type StoreRequest } from '../../kms/key-stores/key-store.ts'
import { xksProxy, type XksProxyOptions } from '../../kms/key-stores/xks-proxy.ts'
import { ACCESS_KEY_ID, ENDPOINT, failure, PATH, SECRET_ACCESS_KEY, XksProxy } from './xks-proxy.ts'

const request: StoreRequest = {
  operation: 'Encrypt',
  requestId: '4112f4d6-db54-4af4-ae30-c55a22a8dfae',
  principalArn: 'arn:aws:iam::111122223333:user/Alice',
  keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
}
const plaintext = new TextEncoder().encode('a secret plaintext')
const aad = new TextEncoder().encode('what is authenticated')

let proxy: XksProxy
let store: KeyStore

beforeEach(() => {
  proxy = new XksProxy()
  proxy.addKey('key-1')
  store = open()
})

function open(options: Partial<XksProxyOptions> = {}): KeyStore {
  return xksProxy({
    endpoint: ENDPOINT,
    path: PATH,
    accessKeyId: ACCESS_KEY_ID,
    secretAccessKey: new TextEncoder().encode(SECRET_ACCESS_KEY),
    region: 'eu-central-1',
    fetch: proxy.fetch,
    timeout: 20_000,
    clock: Date.now,
    ...options,
  })
}

async function fails(work: Promise<unknown>, fault: StoreFault): Promise<void> {
  const error: unknown = await work.catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(KeyStoreError)
  expect((error as KeyStoreError).fault).toBe(fault)
}

describe('a proxy', () => {
  it('encrypts and decrypts with a key that it alone has', async () => {
    await store.check(request)
    await store.addKey('key-1', request)
    const sealed = await store.encrypt('key-1', plaintext, aad, request)
    expect(sealed.ciphertext).toHaveLength(plaintext.length)
    expect(Buffer.from(sealed.metadata).toString()).toBe('key=1')
    expect(await store.decrypt('key-1', sealed, aad, request)).toEqual(plaintext)
  })

  it.each([0, 20])('may send %i bytes of metadata', async (length) => {
    proxy.metadata = Buffer.alloc(length, 7)
    const sealed = await store.encrypt('key-1', plaintext, aad, request)
    expect(sealed.metadata).toHaveLength(length)
    expect(await store.decrypt('key-1', sealed, aad, request)).toEqual(plaintext)
  })

  it('takes the longest plaintext', async () => {
    const long = new Uint8Array(4300).fill(1)
    const sealed = await store.encrypt('key-1', long, aad, request)
    expect(await store.decrypt('key-1', sealed, aad, request)).toEqual(long)
  })

  it('is told on whose behalf it is asked, but for its health', async () => {
    await store.check(request)
    await store.encrypt('key-1', plaintext, aad, request)
    expect(proxy.asked.map(({ body }) => body.requestMetadata)).toEqual([
      { kmsOperation: 'Encrypt', kmsRequestId: request.requestId },
      {
        awsPrincipalArn: request.principalArn,
        kmsKeyArn: request.keyArn,
        kmsOperation: 'Encrypt',
        kmsRequestId: request.requestId,
      },
    ])
  })

  it('finds every changed part of a ciphertext', async () => {
    const sealed = await store.encrypt('key-1', plaintext, aad, request)
    for (const part of ['ciphertext', 'iv', 'tag', 'metadata'] as const) {
      const changed = sealed[part].slice()
      changed[0]! ^= 1
      await fails(store.decrypt('key-1', { ...sealed, [part]: changed }, aad, request), 'invalidCiphertext')
    }
    await fails(store.decrypt('key-1', sealed, plaintext, request), 'invalidCiphertext')
  })

  it('does not know another secret, access key, Region or time', async () => {
    const clock = (): number => Date.now() - 301_000
    await fails(open({ secretAccessKey: plaintext }).check(request), 'authenticationFailed')
    await fails(open({ accessKeyId: 'A'.repeat(20) }).check(request), 'authenticationFailed')
    await fails(open({ region: 'us-east-1' }).check(request), 'authenticationFailed')
    await fails(open({ clock }).check(request), 'authenticationFailed')
  })

  it('says what is wrong with a key', async () => {
    await fails(store.addKey('key-2', request), 'keyNotFound')
    const key = proxy.keys.get('key-1')!
    key.isEnabled = false
    await fails(store.addKey('key-1', request), 'keyDisabled')
    await fails(store.encrypt('key-1', plaintext, aad, request), 'keyDisabled')
    key.isEnabled = true
    key.usage = ['ENCRYPT']
    await fails(store.addKey('key-1', request), 'keyUsage')
    key.usage = ['ENCRYPT', 'DECRYPT', 'WRAP']
    key.spec = 'AES_128'
    await fails(store.addKey('key-1', request), 'keyUsage')
  })

  it('has nothing at another path', async () => {
    await fails(open({ path: '/other/kms/xks/v1' }).check(request), 'uriPath')
  })
})

describe('an error', () => {
  it.each<[string, number, StoreFault]>([
    ['ValidationException', 400, 'invalidResponse'],
    ['InvalidStateException', 400, 'keyDisabled'],
    ['InvalidCiphertextException', 400, 'invalidCiphertext'],
    ['InvalidKeyUsageException', 400, 'keyUsage'],
    ['AuthenticationFailedException', 401, 'authenticationFailed'],
    ['AccessDeniedException', 403, 'accessDenied'],
    ['KeyNotFoundException', 404, 'keyNotFound'],
    ['InvalidUriPathException', 404, 'uriPath'],
    ['ThrottlingException', 429, 'throttled'],
    ['UnsupportedOperationException', 501, 'unsupported'],
    ['DependencyTimeoutException', 503, 'dependencyTimeout'],
    ['InternalException', 500, 'internal'],
    ['toString', 400, 'invalidResponse'],
    ['__proto__', 400, 'invalidResponse'],
  ])('%s is %i and means %s', async (name, status, fault) => {
    proxy.intercept = () => failure(status, name)
    await fails(store.encrypt('key-1', plaintext, aad, request), fault)
  })

  it('is what cannot be reached, and what is not answered in time', async () => {
    const refuse = (): never => {
      throw new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) })
    }
    await fails(open({ fetch: refuse }).check(request), 'unreachable')
    const never: typeof fetch = (_, init) =>
      new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => {
          reject(init.signal?.reason as Error)
        })
      })
    await fails(open({ fetch: never, timeout: 1 }).check(request), 'timeout')
  })

  it('is an answer that never ends', async () => {
    proxy.intercept = () =>
      new Response(
        new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(0x1000).fill(0x20)) }),
      )
    await fails(store.check(request), 'invalidResponse')
  })

  it.each<[string, Response]>([
    ['no JSON', new Response('<html>')],
    ['nothing', new Response(null, { status: 204 })],
    ['an array', Response.json([])],
    ['a redirection', new Response(null, { status: 307, headers: { location: 'https://elsewhere.example.test/' } })],
    ['success under another status', Response.json({}, { status: 201 })],
  ])('is %s', async (_, response) => {
    proxy.intercept = () => response
    await fails(store.check(request), 'invalidResponse')
    expect(proxy.asked).toHaveLength(1)
  })

  it.each<[string, Record<string, unknown>]>([
    ['no ciphertext', { ciphertext: undefined }],
    ['a ciphertext of another length', { ciphertext: 'AAAA' }],
    ['an IV of 13 bytes', { initializationVector: Buffer.alloc(13).toString('base64') }],
    ['a tag of 12 bytes', { authenticationTag: Buffer.alloc(12).toString('base64') }],
    ['21 bytes of metadata', { ciphertextMetadata: Buffer.alloc(21).toString('base64') }],
    ['no base64', { authenticationTag: '!' }],
    ['no digest', { ciphertextDataIntegrityValue: undefined }],
    ['another digest', { ciphertextDataIntegrityValue: Buffer.alloc(32).toString('base64') }],
    ['another tag than the digest is of', { authenticationTag: Buffer.alloc(16).toString('base64') }],
  ])('is %s in a ciphertext', async (_, change) => {
    proxy.intercept = ({ status, body }) => ({ status, body: { ...(body as object), ...change } })
    await fails(store.encrypt('key-1', plaintext, aad, request), 'invalidResponse')
  })

  it('is a plaintext of another length', async () => {
    const sealed = await store.encrypt('key-1', plaintext, aad, request)
    proxy.intercept = () => ({ status: 200, body: { plaintext: 'AAAA' } })
    await fails(store.decrypt('key-1', sealed, aad, request), 'invalidResponse')
  })

  it.each<[string, unknown, StoreFault]>([
    ['no proxy', { xksProxyFleetSize: 0 }, 'invalidResponse'],
    ['no key manager', { ekmFleetDetails: [] }, 'invalidResponse'],
    [
      'eleven of them',
      { ekmFleetDetails: Array.from({ length: 11 }, () => ({ healthStatus: 'ACTIVE' })) },
      'invalidResponse',
    ],
    ['an unknown status', { ekmFleetDetails: [{ healthStatus: 'FINE' }] }, 'invalidResponse'],
    ['null', { ekmFleetDetails: [null] }, 'invalidResponse'],
    ['none that works', { ekmFleetDetails: [{ healthStatus: 'UNAVAILABLE' }] }, 'internal'],
  ])('is a health of %s', async (_, change, fault) => {
    proxy.health = { ...(proxy.health as object), ...(change as object) }
    await fails(store.check(request), fault)
  })

  it.each<[string, unknown]>([
    ['without a spec', { keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'ENABLED' }],
    ['without usages', { keySpec: 'AES_256', keyStatus: 'ENABLED' }],
    ['with an unknown status', { keySpec: 'AES_256', keyUsage: ['ENCRYPT', 'DECRYPT'], keyStatus: 'ON' }],
  ])('is a key %s', async (_, body) => {
    proxy.intercept = () => ({ status: 200, body })
    await fails(store.addKey('key-1', request), 'invalidResponse')
  })
})

/** The proxy over TLS on this machine, under the name that the certificate is for. */
async function overTls(
  work: (fetch: (ca: Buffer | undefined) => typeof globalThis.fetch) => Promise<void>,
): Promise<void> {
  const file = (name: string): Buffer => readFileSync(new URL(`server/tls/first.${name}.pem`, import.meta.url))
  const cert = file('cert')
  const server = createServer({ cert, key: file('key') }, (incoming, outgoing) => {
    void text(incoming).then(async (body) => {
      const { method, headers, url } = incoming
      const host = headers.host ?? ''
      const entries = Object.entries(headers).map(([name, value]): [string, string] => [name, String(value)])
      const received = new Request(`https://${host}${url ?? ''}`, { method: method ?? '', headers: entries, body })
      const response = await proxy.handle(received, host)
      outgoing.writeHead(response.status, { 'content-type': 'application/json' }).end(await response.text())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const fetchOver = (ca: Buffer | undefined): typeof globalThis.fetch => {
    return (url, init) =>
      new Promise((resolve, reject) => {
        const { pathname } = new URL(url as string)
        const headers = { ...(init?.headers as Record<string, string>), host: new URL(ENDPOINT).host }
        const options = { host: '127.0.0.1', port, path: pathname, method: 'POST', headers, servername: 'localhost' }
        const sent = httpsRequest({ ...options, ...(ca && { ca }) }, (incoming) => {
          void text(incoming).then((body) => {
            resolve(new Response(body, { status: incoming.statusCode ?? 0 }))
          })
        })
        sent.on('error', (cause) => {
          reject(new TypeError('fetch failed', { cause }))
        })
        sent.end(init?.body)
      })
  }
  try {
    await work((ca) => fetchOver(ca ?? undefined))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

describe('over TLS', () => {
  it('works with a certificate that is trusted', async () => {
    const ca = readFileSync(new URL('server/tls/first.cert.pem', import.meta.url))
    await overTls(async (fetch) => {
      const remote = open({ fetch: fetch(ca) })
      await remote.check(request)
      const sealed = await remote.encrypt('key-1', plaintext, aad, request)
      expect(await remote.decrypt('key-1', sealed, aad, request)).toEqual(plaintext)
    })
  })

  it('says that a certificate is not trusted', async () => {
    await overTls(async (fetch) => {
      await fails(open({ fetch: fetch(undefined) }).check(request), 'tls')
    })
    expect(proxy.asked).toEqual([])
  })
})
