import { describe, expect, it } from 'vitest'
import { createKmsServer, rootCredential, type KmsServer } from '../../../kms/server/index.ts'
import { NOW, REGION } from '../engine-setup.ts'
import { newServer, readError } from './setup.ts'
import { change, sign } from './sign.ts'

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/

async function call(server: KmsServer, action: string, input: unknown): Promise<Response> {
  return server.fetch(sign(action, NOW, { body: typeof input === 'string' ? input : JSON.stringify(input) }))
}

async function newKeyId(server: KmsServer): Promise<string> {
  const { KeyMetadata } = (await (await call(server, 'CreateKey', {})).json()) as { KeyMetadata: { KeyId: string } }
  return KeyMetadata.KeyId
}

describe('answers', () => {
  it('are JSON with times in seconds, a request id, the date, and no leave to be stored', async () => {
    const { server } = await newServer()
    const response = await call(server, 'CreateKey', {
      Description: 'caf\u00e9',
      Tags: [{ TagKey: 'a', TagValue: '' }],
    })
    const body = (await response.json()) as { KeyMetadata: Record<string, unknown> }
    expect(body.KeyMetadata).toMatchObject({ CreationDate: NOW / 1000, Description: 'caf\u00e9', Enabled: true })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/x-amz-json-1.1',
      'x-amzn-requestid': expect.stringMatching(UUID) as string,
      date: new Date(NOW).toUTCString(),
      'cache-control': 'no-cache, no-store, must-revalidate, private',
    })
  })

  it('carry bytes as base64 both ways', async () => {
    const { server } = await newServer()
    const KeyId = await newKeyId(server)
    const EncryptionContext = { __proto__: 'x', tenant: 'a' }
    const Plaintext = Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('base64')
    const encrypted = await call(server, 'Encrypt', { KeyId, Plaintext, EncryptionContext })
    const { CiphertextBlob } = (await encrypted.json()) as { CiphertextBlob: string }
    const decrypted = await call(server, 'Decrypt', { CiphertextBlob, EncryptionContext })
    expect(await decrypted.json()).toMatchObject({ Plaintext, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
  })

  it('are empty for an action without output', async () => {
    const { server } = await newServer()
    const response = await call(server, 'CreateAlias', { AliasName: 'alias/a', TargetKeyId: await newKeyId(server) })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  it('say nothing of a failure that is no exception of the KMS, and tell the owner', async () => {
    const failure = new Error('a secret path')
    const { engine } = await newServer()
    const errors: unknown[] = []
    const server = createKmsServer({
      engine: { ...engine, call: () => Promise.reject(failure) },
      credentials: rootCredential({
        accessKeyId: 'AKIDEXAMPLE',
        secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      }),
      clock: () => NOW,
      onError: (error, requestId) => errors.push([error, requestId]),
    })
    const response = await call(server, 'ListKeys', {})
    expect(errors).toEqual([[failure, response.headers.get('x-amzn-requestid')]])
    expect(await readError(response)).toEqual({
      status: 500,
      type: 'KMSInternalException',
      message: 'The request failed because of an internal error.',
    })
  })
})

describe('errors', () => {
  it.each<[string, unknown, string, string | RegExp | undefined]>([
    ['DescribeKey', { KeyId: 'x' }, 'NotFoundException', "Invalid keyId 'x'"],
    ['DescribeKey', {}, 'ValidationException', /^1 validation error detected: Value null at 'keyId'/],
    ['DescribeKey', { KeyId: null }, 'ValidationException', /^1 validation error detected: Value null at 'keyId'/],
    ['Decrypt', { CiphertextBlob: 'AAAA' }, 'InvalidCiphertextException', undefined],
    ['CreateAlias', { AliasName: 'alias/aws/x', TargetKeyId: 'x' }, 'NotAuthorizedException', /./],
    ['DoesNotExist', {}, 'UnknownOperationException', /./],
    ['constructor', {}, 'UnknownOperationException', /./],
    ['ListKeys', 'no JSON', 'SerializationException', /./],
    ['ListKeys', '', 'SerializationException', /./],
    ['ListKeys', '\ufeff{}', 'SerializationException', /./],
    ['ListKeys', '[]', 'SerializationException', 'LIST_VALUE cannot be converted to Structure or Map'],
    ['ListKeys', 'null', 'SerializationException', 'NULL_VALUE cannot be converted to Structure or Map'],
    ['ListKeys', { Limit: '5' }, 'SerializationException', 'STRING_VALUE cannot be converted to Integer'],
    ['ListKeys', { Limit: 1.5 }, 'SerializationException', 'NUMBER_VALUE cannot be converted to Integer'],
    ['DescribeKey', { KeyId: 5 }, 'SerializationException', 'NUMBER_VALUE cannot be converted to String'],
    ['CreateKey', { MultiRegion: 'no' }, 'SerializationException', 'STRING_VALUE cannot be converted to Boolean'],
    ['CreateKey', { Tags: {} }, 'SerializationException', 'OBJECT_VALUE cannot be converted to List'],
    ['Decrypt', { CiphertextBlob: 'A' }, 'SerializationException', 'A blob must be base64, padded.'],
    ['Decrypt', { CiphertextBlob: 'AA-_' }, 'SerializationException', 'A blob must be base64, padded.'],
    ['Encrypt', { KeyId: 'x', Plaintext: 7 }, 'SerializationException', 'NUMBER_VALUE cannot be converted to Blob'],
    [
      'Encrypt',
      { KeyId: 'x', Plaintext: 'AA==', EncryptionContext: { a: null } },
      'ValidationException',
      /^1 validation error detected: Value null at 'encryptionContext\.a\.member' failed/,
    ],
    ['Encrypt', { KeyId: 'x', Plaintext: 'AA==', EncryptionContext: { a: 1 } }, 'SerializationException', /String$/],
  ])('%s %j: %s', async (action, input, type, message) => {
    const { server, errors } = await newServer()
    const answer = await readError(await call(server, action, input))
    expect(answer).toMatchObject({ status: 400, type })
    if (message === undefined) expect(answer.message).toBeUndefined()
    else expect(answer.message).toMatch(message)
    expect(errors).toEqual([])
  })

  it('refuse bytes that are not UTF-8', async () => {
    const { server } = await newServer()
    const body = new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])
    expect((await readError(await server.fetch(sign('ListKeys', NOW, { body })))).type).toBe('SerializationException')
  })

  it.each(['Tags', 'Unknown'])('survive JSON as deep as the body is long: %s', async (name) => {
    const { server, errors } = await newServer()
    const deep = '['.repeat(200_000) + ']'.repeat(200_000)
    expect((await call(server, 'CreateKey', `{"${name}":${deep}}`)).status).toBe(400)
    expect(errors).toEqual([])
  })
})

describe('limits', () => {
  const endless = (): ReadableStream => {
    return new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1000)) })
  }
  const withBody = async (body: BodyInit, headers: Record<string, string> = {}): Promise<Request> => {
    const { headers: signed } = await change(sign('ListKeys', NOW), { headers })
    return new Request('http://kms.test/', { method: 'POST', headers: signed, body, duplex: 'half' } as RequestInit)
  }

  it('a body that is longer than allowed, declared or not', async () => {
    const { server, calls } = await newServer({ maxBodyBytes: 10_000 })
    const declared = await withBody(endless(), { 'content-length': '10001' })
    expect(await readError(await server.fetch(declared))).toMatchObject({
      status: 413,
      type: 'RequestEntityTooLargeException',
    })
    expect((await server.fetch(await withBody(endless()))).status).toBe(413)
    expect((await server.fetch(await withBody('x'.repeat(10_001)))).status).toBe(413)
    expect((await server.fetch(await withBody('x'.repeat(10_000)))).status).toBe(400)
    expect(calls).toEqual([])
  })

  it('a body that does not come, which is cancelled', async () => {
    const { server } = await newServer({ bodyTimeout: 1 })
    let isCancelled = false
    const silent = new ReadableStream({ cancel: () => void (isCancelled = true) })
    expect(await readError(await server.fetch(await withBody(silent)))).toMatchObject({ status: 408 })
    expect(isCancelled).toBe(true)
  })

  it('a body of an access key that nobody has is not read', async () => {
    const { server } = await newServer({ credentials: () => undefined })
    const request = await withBody(endless())
    expect((await readError(await server.fetch(request))).type).toBe('UnrecognizedClientException')
    expect(request.bodyUsed).toBe(false)
  })

  it('headers that are longer than allowed', async () => {
    const { server } = await newServer({ maxHeaderBytes: 1000 })
    const request = sign('ListKeys', NOW, { headers: { 'x-amz-note': 'x'.repeat(1000) } })
    expect((await server.fetch(request)).status).toBe(431)
  })

  it('more requests than allowed at once', async () => {
    const { server } = await newServer({ maxRequests: 2 })
    const answers = await Promise.all([1, 2, 3, 4].map(() => server.fetch(sign('ListKeys', NOW))))
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 200, 400, 400])
    expect((await readError(answers[3]!)).type).toBe('ThrottlingException')
    expect((await server.fetch(sign('ListKeys', NOW))).status).toBe(200)
  })

  it.each([
    { maxBodyBytes: 0 },
    { bodyTimeout: NaN },
    { maxRequests: 1.5 },
    { metricsToken: '' },
    { regions: [] },
    { regions: [REGION, 'us-east-1'] },
  ])('options %j are a RangeError', async (options) => {
    await expect(newServer(options)).rejects.toThrow(RangeError)
  })
})

describe('pages', () => {
  const get = (path: string, headers: Record<string, string> = {}): Request =>
    new Request(`http://kms.test${path}`, { headers })

  it('/healthz is for everybody', async () => {
    const { server } = await newServer()
    const response = await server.fetch(get('/healthz'))
    expect([response.status, await response.text()]).toEqual([200, 'ok\n'])
  })

  it('there are no others', async () => {
    const { server } = await newServer()
    for (const path of ['/', '/healthz?x', '/metrics/', '/%6detrics'])
      expect((await server.fetch(get(path))).status).toBe(404)
  })

  it.each(['127.0.0.1', '127.255.0.3', '::1', '::ffff:127.0.0.1'])('/metrics is for %s', async (address) => {
    const { server } = await newServer()
    expect((await server.fetch(get('/metrics'), { address })).status).toBe(200)
  })

  it.each([undefined, '192.0.2.1', '128.0.0.1', '127.0.0.1.example', '::ffff:10.0.0.1', '1::1'])(
    '/metrics is not for %s without the token',
    async (address) => {
      const { server } = await newServer({ metricsToken: 'secret' })
      expect((await server.fetch(get('/metrics'), { address })).status).toBe(403)
      expect((await server.fetch(get('/metrics', { 'x-forwarded-for': '127.0.0.1' }), { address })).status).toBe(403)
      expect((await server.fetch(get('/metrics', { authorization: 'Bearer wrong' }), { address })).status).toBe(403)
      expect((await server.fetch(get('/metrics', { authorization: 'Bearer secret' }), { address })).status).toBe(200)
    },
  )

  it('/metrics counts by action, outcome and reason of refusal, never in the words of a caller', async () => {
    const { server } = await newServer()
    await call(server, 'ListKeys', {})
    await call(server, 'DescribeKey', { KeyId: 'x' })
    await call(server, 'Evil', {})
    await server.fetch(sign('ListKeys', NOW, { accessKeyId: 'EVIL' }))
    const text = await (await server.fetch(get('/metrics'), { address: '::1' })).text()
    expect(text.split('\n')).toEqual(
      expect.arrayContaining([
        'waxseal_kms_requests_total{action="ListKeys",outcome="ok"} 1',
        'waxseal_kms_requests_total{action="DescribeKey",outcome="NotFoundException"} 1',
        'waxseal_kms_requests_total{action="Unknown",outcome="UnknownOperationException"} 1',
        'waxseal_kms_refused_requests_total{error="UnrecognizedClientException"} 1',
        'waxseal_kms_requests_in_progress 1',
        'waxseal_kms_request_duration_seconds_count 3',
        'waxseal_kms_request_duration_seconds_bucket{le="+Inf"} 3',
      ]),
    )
    expect(text).not.toMatch(/evil/i)
  })
})
