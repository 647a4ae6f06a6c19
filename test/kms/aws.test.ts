import { KMS, KMSClient } from '@aws-sdk/client-kms'
import { describe, expect, it } from 'vitest'
import { FormatError, decrypt, encrypt } from '../../src/index.ts'
import { KmsError } from '../../kms/errors.ts'
import { kmsKeyring } from '../../kms/index.ts'
import { awsKms, type AwsKmsOptions } from '../../kms/providers/aws.ts'
import { NOW, REGION } from './engine-setup.ts'
import { newServer } from './server/setup.ts'
import { ACCESS_KEY_ID, SECRET } from './server/sign.ts'

const CREDENTIALS = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET }
const OPTIONS: AwsKmsOptions = { region: REGION, credentials: CREDENTIALS, clock: () => NOW, retryDelay: () => 0 }
const CALL = { keyId: 'alias/a', encryptionContext: {} }

type Reply = (request: Request) => Response | Promise<Response>

/** A provider whose service gives these answers in turn, and what it was asked. */
function scripted(
  replies: readonly Reply[],
  options: Partial<AwsKmsOptions> = {},
): {
  provider: ReturnType<typeof awsKms>
  requests: Request[]
} {
  const requests: Request[] = []
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    init.signal?.throwIfAborted()
    const request = new Request(url, init)
    requests.push(request.clone())
    return (replies[requests.length - 1] ?? replies.at(-1)!)(request)
  }
  const provider = awsKms({ ...OPTIONS, fetch: fetch as typeof globalThis.fetch, ...options })
  return { provider, requests }
}

const json =
  (status: number, body: unknown): Reply =>
  () =>
    new Response(JSON.stringify(body), { status })
const fails = (status: number, type: string, message?: string): Reply => json(status, { __type: type, message })
const opened = json(200, { KeyId: 'arn', Plaintext: 'AQID', CiphertextBlob: 'BAUG' })

async function failureOf(call: Promise<unknown>): Promise<Error> {
  return call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => error as Error,
  )
}

describe('over fetch', () => {
  it('encrypts and decrypts a message under a key of the server', async () => {
    const { server, engine } = await newServer()
    const { KeyMetadata } = await engine.call('CreateKey', {})
    const provider = awsKms({ ...OPTIONS, fetch: (url, init) => server.fetch(new Request(url, init)) })
    const keyring = kmsKeyring({ provider, generatorKeyId: KeyMetadata.Arn })
    const plaintext = new TextEncoder().encode('a message')
    const message = await encrypt(keyring, plaintext, { encryptionContext: { tenant: 'ä' } })
    expect(await decrypt(keyring, message)).toMatchObject({ plaintext })
    const byId = kmsKeyring({ provider, keyIds: [KeyMetadata.KeyId] })
    expect(await decrypt(byId, message)).toMatchObject({ plaintext })
  })

  it('sends what AWS asks for, and the session token signed', async () => {
    const { provider, requests } = scripted([opened], { credentials: { ...CREDENTIALS, sessionToken: 'token' } })
    const answer = await provider.generateDataKey({ ...CALL, numberOfBytes: 32, grantTokens: ['g'] })
    expect(answer).toEqual({
      keyId: 'arn',
      plaintext: new Uint8Array([1, 2, 3]),
      ciphertext: new Uint8Array([4, 5, 6]),
    })
    const [request] = requests
    expect(request?.url).toBe('https://kms.eu-central-1.amazonaws.com/')
    expect(await request?.json()).toEqual({
      KeyId: 'alias/a',
      EncryptionContext: {},
      GrantTokens: ['g'],
      NumberOfBytes: 32,
    })
    expect(Object.fromEntries(request?.headers ?? [])).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'TrentService.GenerateDataKey',
      'x-amz-security-token': 'token',
      authorization: expect.stringContaining(
        'SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target,',
      ) as string,
    })
  })

  it.each([
    ['cn-north-1', 'https://kms.cn-north-1.amazonaws.com.cn/'],
    ['us-gov-west-1', 'https://kms.us-gov-west-1.amazonaws.com/'],
  ])('knows the endpoint of %s', async (region, url) => {
    const { provider, requests } = scripted([opened], { region })
    await provider.decrypt({ ...CALL, ciphertext: new Uint8Array(1) })
    expect(requests[0]?.url).toBe(url)
  })

  it.each<[string, Reply]>([
    ['throttling', fails(400, 'ThrottlingException')],
    ['a failure of the service', fails(500, 'KMSInternalException')],
    ['a failure of what stands before it', () => new Response('<html>', { status: 503 })],
    ['a connection that breaks', () => Promise.reject(new TypeError('fetch failed'))],
  ])('tries again after %s, signed anew', async (_, reply) => {
    let asked = 0
    const credentials = (): typeof CREDENTIALS => ({ ...CREDENTIALS, accessKeyId: `AKID${++asked}` })
    const { provider, requests } = scripted([reply, reply, opened], { credentials })
    expect(await provider.decrypt({ ...CALL, ciphertext: new Uint8Array(1) })).toMatchObject({ keyId: 'arn' })
    expect(requests.map(({ headers }) => /AKID\d/.exec(headers.get('authorization') ?? '')?.[0])).toEqual([
      'AKID1',
      'AKID2',
      'AKID3',
    ])
    const { provider: impatient, requests: once } = scripted([reply], { maxAttempts: 1 })
    await failureOf(impatient.decrypt({ ...CALL, ciphertext: new Uint8Array(1) }))
    expect(once).toHaveLength(1)
  })

  it('gives up with the last error, named as the service names it', async () => {
    const { provider, requests } = scripted([fails(400, 'ThrottlingException', 'Rate exceeded')])
    const error = await failureOf(provider.encrypt({ ...CALL, plaintext: new Uint8Array(1) }))
    expect(error).toBeInstanceOf(KmsError)
    expect([error.name, error.message, requests.length]).toEqual(['ThrottlingException', 'Rate exceeded', 3])
  })

  it.each<[Reply, string, string]>([
    [fails(400, 'NotFoundException', 'no'), 'NotFoundException', 'no'],
    [fails(400, 'com.amazonaws.kms#DisabledException', 'd'), 'DisabledException', 'd'],
    [fails(400, 'InvalidCiphertextException'), 'InvalidCiphertextException', ''],
    [json(400, { __type: 'AccessDeniedException', Message: 'User' }), 'AccessDeniedException', 'User'],
    [json(200, []), 'FormatError', 'the KMS answered without the name of the key'],
    [
      json(200, { KeyId: 'arn', Plaintext: 'A' }),
      'FormatError',
      'the KMS answered without the bytes that were asked for',
    ],
    [
      json(200, { KeyId: 'arn', Plaintext: [1] }),
      'FormatError',
      'the KMS answered without the bytes that were asked for',
    ],
    [() => new Response('hello'), 'FormatError', 'the answer is not one of AWS KMS: status 200'],
    [json(400, { __type: '<script>' }), 'FormatError', 'the answer is not one of AWS KMS: status 400'],
    [
      () => new Response(null, { status: 302, headers: { location: 'http://evil.test' } }),
      'FormatError',
      'the answer is not one of AWS KMS: status 302',
    ],
  ])('does not try again when that is no use: %#', async (reply, name, message) => {
    const { provider, requests } = scripted([reply])
    const error = await failureOf(provider.decrypt({ ...CALL, ciphertext: new Uint8Array(1) }))
    expect([error.name, error.message, requests.length]).toEqual([name, message, 1])
    if (name === 'FormatError') expect(error).toBeInstanceOf(FormatError)
  })

  it('stops when it is aborted: before, during and between attempts', async () => {
    const reason = new Error('enough')
    const { provider: before, requests } = scripted([opened])
    expect(
      await failureOf(before.decrypt({ ...CALL, ciphertext: new Uint8Array(1), signal: AbortSignal.abort(reason) })),
    ).toBe(reason)
    expect(requests).toHaveLength(0)
    const during = new AbortController()
    const { provider } = scripted([], {
      fetch: (_, init) => {
        return new Promise((_resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
          during.abort(reason)
        })
      },
    })
    expect(await failureOf(provider.decrypt({ ...CALL, ciphertext: new Uint8Array(1), signal: during.signal }))).toBe(
      reason,
    )
    const between = new AbortController()
    const { provider: waiting } = scripted([fails(500, 'KMSInternalException')], {
      retryDelay: () => {
        queueMicrotask(() => between.abort(reason))
        return 1_000_000
      },
    })
    expect(await failureOf(waiting.decrypt({ ...CALL, ciphertext: new Uint8Array(1), signal: between.signal }))).toBe(
      reason,
    )
  })

  it('does not wait for ever for an answer', async () => {
    const { provider } = scripted([], {
      timeout: 1,
      maxAttempts: 1,
      fetch: (_, init) => {
        return new Promise((_resolve, reject) =>
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)),
        )
      },
    })
    const error = await failureOf(provider.decrypt({ ...CALL, ciphertext: new Uint8Array(1) }))
    expect([error.name, error.message]).toEqual([
      'KmsUnreachableException',
      'kms.eu-central-1.amazonaws.com cannot be reached: no answer within 1 milliseconds',
    ])
  })

  it.each([
    { endpoint: 'http://kms.example/' },
    { endpoint: 'http://127.0.0.1.example/' },
    { endpoint: 'ftp://127.0.0.1/' },
    { endpoint: 'https://kms.example/path' },
    { endpoint: 'https://user:secret@kms.example/' },
    { endpoint: 'https://kms.example/?a' },
    { region: 'us-iso-east-1' },
    { region: 'evil.test/' },
    { maxAttempts: 0 },
    { timeout: 0.5 },
  ])('%j is a RangeError', (options) => {
    expect(() => awsKms({ ...OPTIONS, ...options })).toThrow(RangeError)
  })

  it.each([
    { endpoint: 'http://127.0.0.1:8080' },
    { endpoint: 'http://[::1]:8080' },
    { endpoint: 'http://kms:8080', insecureHttp: true },
  ])('%j is allowed', (options) => {
    expect(awsKms({ ...OPTIONS, ...options }).region).toBe(REGION)
  })

  it.each([undefined, {}, { accessKeyId: 'a' }, { ...CREDENTIALS, sessionToken: 1 }])(
    'credentials %j are a TypeError',
    async (credentials) => {
      expect(() => awsKms({ ...OPTIONS, credentials: credentials as never })).toThrow(TypeError)
      const { provider, requests } = scripted([opened], { credentials: () => credentials as never })
      expect(await failureOf(provider.decrypt({ ...CALL, ciphertext: new Uint8Array(1) }))).toBeInstanceOf(TypeError)
      expect(requests).toHaveLength(0)
    },
  )
})

describe('over a client of the SDK', () => {
  it('refuses one that has no methods', () => {
    const client = new KMSClient({ region: REGION, credentials: CREDENTIALS })
    expect(() => awsKms({ client: client as never })).toThrow('new KMS(…)')
    expect(() => awsKms({ client: undefined as never })).toThrow(TypeError)
  })

  it('passes on what it is asked, the signal and the error', async () => {
    const client = new KMS({ region: REGION, credentials: CREDENTIALS, endpoint: 'http://127.0.0.1:9', maxAttempts: 1 })
    const provider = awsKms({ client })
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    expect(await failureOf(provider.encrypt({ ...CALL, plaintext: new Uint8Array(1), signal }))).toBe(reason)
    expect(await failureOf(provider.encrypt({ ...CALL, plaintext: new Uint8Array(1) }))).toMatchObject({
      code: 'ECONNREFUSED',
    })
  })
})
