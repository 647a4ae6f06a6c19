import { AwsClient } from 'aws4fetch'
import { describe, expect, it } from 'vitest'
import type { Credential } from '../../../kms/server/index.ts'
import { SigningKeys } from '../../../kms/server/signing-keys.ts'
import { hexDigest, signingKey } from '../../../kms/sigv4.ts'
import { ACCOUNT, NOW, REGION } from '../engine-setup.ts'
import { newServer, readError } from './setup.ts'
import { ACCESS_KEY_ID, amzDate, change, SECRET, sign, type Draft } from './sign.ts'

const TIME = amzDate(NOW)
const MINUTE = 60_000
const client = new AwsClient({ accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET, service: 'kms', region: REGION })
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

async function expectRefusal(request: Request, type: string, status = 400): Promise<void> {
  const { server, calls, errors } = await newServer()
  const response = await server.fetch(request)
  expect(await readError(response)).toMatchObject({ status, type })
  expect(response.headers.get('x-amzn-requestid')).toMatch(/^[0-9a-f-]{36}$/)
  expect({ calls, errors }).toEqual({ calls: [], errors: [] })
}

describe('what is accepted', () => {
  it.each<[string, Draft]>([
    ['an ordinary request', {}],
    ['headers with spaces', { headers: { 'x-amz-note': '  a   b ' } }],
    ['a digest of the body', { headers: { 'x-amz-content-sha256': hexDigest(utf8('{}')) } }],
    ['five minutes of skew', { time: amzDate(NOW - 5 * MINUTE + 1000) }],
    ['five minutes of skew the other way', { time: amzDate(NOW + 5 * MINUTE) }],
    ['an unsigned header that decides nothing', { signedHeaders: ['host', 'x-amz-date', 'x-amz-target'] }],
    ['bytes of a header that are no ASCII', { headers: { 'x-amz-note': 'caf\u00e9' } }],
  ])('%s', async (_, draft) => {
    const { server, calls } = await newServer()
    const response = await server.fetch(sign('ListKeys', NOW, draft))
    expect([response.status, await response.json()]).toEqual([200, { Keys: [], Truncated: false }])
    expect(calls).toHaveLength(1)
  })

  it('what aws4fetch signs', async () => {
    const { server } = await newServer()
    const headers = { 'x-amz-target': 'TrentService.ListKeys', 'content-type': 'application/x-amz-json-1.1' }
    const signed = await client.sign('https://kms.test/', {
      method: 'POST',
      headers,
      body: '{"Limit":5}',
      aws: { datetime: TIME },
    })
    expect((await server.fetch(signed)).status).toBe(200)
    const digested = await client.sign('https://kms.test/', {
      method: 'POST',
      headers: { ...headers, 'x-amz-content-sha256': hexDigest(utf8('{"Limit":5}')) },
      body: '{"Limit":5}',
      aws: { datetime: TIME },
    })
    expect((await server.fetch(digested)).status).toBe(200)
  })

  it('tells the engine who calls, from where and in which Region, and believes no header about it', async () => {
    const { server, calls } = await newServer()
    const headers = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https', 'user-agent': 'test/1' }
    const request = await change(sign('ListKeys', NOW), { headers })
    const response = await server.fetch(request, { address: '192.0.2.7', isSecure: false })
    expect(calls[0]?.options).toMatchObject({
      caller: { account: ACCOUNT, arn: `arn:aws:iam::${ACCOUNT}:root`, id: ACCOUNT, type: 'Account' },
      region: REGION,
      sourceIp: '192.0.2.7',
      isSecure: false,
      userAgent: 'test/1',
      requestId: response.headers.get('x-amzn-requestid'),
    })
  })
})

describe('what is refused', () => {
  const other = amzDate(NOW - 24 * 60 * MINUTE)

  it.each<[string, string, Draft]>([
    [
      'a region that is not served',
      'InvalidSignatureException',
      { scope: `${TIME.slice(0, 8)}/us-east-1/kms/aws4_request` },
    ],
    ['another service', 'InvalidSignatureException', { scope: `${TIME.slice(0, 8)}/${REGION}/s3/aws4_request` }],
    ['another terminator', 'InvalidSignatureException', { scope: `${TIME.slice(0, 8)}/${REGION}/kms/aws5_request` }],
    [
      'another date than that of x-amz-date',
      'InvalidSignatureException',
      { scope: `${other.slice(0, 8)}/${REGION}/kms/aws4_request` },
    ],
    [
      'a scope of more parts',
      'IncompleteSignatureException',
      { scope: `${TIME.slice(0, 8)}/${REGION}/kms/aws4_request/x` },
    ],
    ['more than five minutes ago', 'InvalidSignatureException', { time: amzDate(NOW - 5 * MINUTE - 1000) }],
    ['more than five minutes from now', 'InvalidSignatureException', { time: amzDate(NOW + 5 * MINUTE + 1000) }],
    ['a day that there is not', 'IncompleteSignatureException', { time: '20260199T000000Z' }],
    [
      'a time in another form',
      'IncompleteSignatureException',
      { time: '2026-01-02T03:04:05Z', scope: `2026-01-/${REGION}/kms/aws4_request` },
    ],
    ['host that is not signed', 'InvalidSignatureException', { signedHeaders: ['x-amz-date', 'x-amz-target'] }],
    ['x-amz-date that is not signed', 'InvalidSignatureException', { signedHeaders: ['host', 'x-amz-target'] }],
    ['x-amz-target that is not signed', 'InvalidSignatureException', { signedHeaders: ['host', 'x-amz-date'] }],
    [
      'another x-amz- header that is not signed',
      'InvalidSignatureException',
      { headers: { 'x-amz-note': 'x' }, signedHeaders: ['host', 'x-amz-date', 'x-amz-target'] },
    ],
    [
      'a signed header that is not there',
      'InvalidSignatureException',
      { signedHeaders: ['absent', 'host', 'x-amz-date', 'x-amz-target'] },
    ],
    [
      'signed headers out of order',
      'IncompleteSignatureException',
      { signedHeaders: ['x-amz-date', 'host', 'x-amz-target'] },
    ],
    [
      'a signed header twice',
      'IncompleteSignatureException',
      { signedHeaders: ['host', 'host', 'x-amz-date', 'x-amz-target'] },
    ],
    [
      'signed headers in capitals',
      'IncompleteSignatureException',
      { signedHeaders: ['Host', 'x-amz-date', 'x-amz-target'] },
    ],
    [
      'a digest that is not that of the body',
      'InvalidSignatureException',
      { headers: { 'x-amz-content-sha256': '0'.repeat(64) } },
    ],
    [
      'a body outside the signature',
      'InvalidSignatureException',
      { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, payloadHash: 'UNSIGNED-PAYLOAD' },
    ],
    [
      'a body in signed chunks',
      'InvalidSignatureException',
      {
        headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
        payloadHash: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      },
    ],
    ['the digest of another body', 'InvalidSignatureException', { payloadHash: hexDigest(utf8('')) }],
    ['a session token', 'UnrecognizedClientException', { headers: { 'x-amz-security-token': 'token' } }],
    ['an access key that nobody has', 'UnrecognizedClientException', { accessKeyId: 'AKIDOTHER' }],
    ['an access key id that is none', 'IncompleteSignatureException', { accessKeyId: 'a b' }],
    ['another secret', 'InvalidSignatureException', { secret: `${SECRET}x` }],
  ])('%s', async (_, type, draft) => {
    await expectRefusal(sign('ListKeys', NOW, draft), type)
  })

  it.each<[string, Draft]>([
    ['PUT', { method: 'PUT' }],
    ['another path', { url: 'http://kms.test/other' }],
    ['two slashes', { url: 'http://kms.test//' }],
  ])('%s', async (_, draft) => {
    await expectRefusal(sign('ListKeys', NOW, draft), 'UnknownOperationException', 404)
  })

  it('a query, and with it a presigned request', async () => {
    await expectRefusal(sign('ListKeys', NOW, { url: 'http://kms.test/?a=b' }), 'InvalidSignatureException')
    const presigned = await client.sign('http://kms.test/?Action=ListKeys', {
      method: 'POST',
      body: '{}',
      aws: { signQuery: true, datetime: TIME },
    })
    await expectRefusal(presigned, 'InvalidSignatureException')
  })

  it('a request without Authorization', async () => {
    const request = sign('ListKeys', NOW)
    request.headers.delete('authorization')
    await expectRefusal(request, 'MissingAuthenticationTokenException')
  })

  it('two Authorization headers', async () => {
    const request = sign('ListKeys', NOW)
    request.headers.append('authorization', request.headers.get('authorization') ?? '')
    await expectRefusal(request, 'IncompleteSignatureException')
  })

  it.each([
    'Bearer abc',
    'AWS4-HMAC-SHA256',
    'AWS4-HMAC-SHA256 Credential=a/b/c/d/e',
    'AWS4-ECDSA-P256-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=00',
    `AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=${'0'.repeat(64)}, Signature=${'0'.repeat(64)}`,
    `AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=${'A'.repeat(64)}`,
    `AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=, Signature=${'0'.repeat(64)}`,
  ])('Authorization: %s', async (authorization) => {
    await expectRefusal(
      await change(sign('ListKeys', NOW), { headers: { authorization } }),
      'IncompleteSignatureException',
    )
  })

  it('any changed bit of the signature', async () => {
    const { server, calls } = await newServer()
    const request = sign('ListKeys', NOW)
    const authorization = request.headers.get('authorization') ?? ''
    for (let bit = 0; bit < 256; bit++) {
      const bytes = Buffer.from(authorization.slice(-64), 'hex')
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      const headers = { authorization: authorization.slice(0, -64) + bytes.toString('hex') }
      expect((await readError(await server.fetch(await change(request, { headers })))).type).toBe(
        'InvalidSignatureException',
      )
    }
    expect(calls).toEqual([])
  })
})

describe('a captured request', () => {
  it('can be sent again, as it is, within five minutes', async () => {
    const request = sign('ListKeys', NOW)
    const replay = request.clone()
    const { server } = await newServer()
    expect([(await server.fetch(request)).status, (await server.fetch(replay)).status]).toEqual([200, 200])
    const { server: later } = await newServer({ clock: () => NOW + 6 * MINUTE })
    expect(await readError(await later.fetch(sign('ListKeys', NOW)))).toMatchObject({
      type: 'InvalidSignatureException',
    })
  })

  it.each<[string, Parameters<typeof change>[1]]>([
    ['another target', { headers: { 'x-amz-target': 'TrentService.CreateKey' } }],
    ['another body', { body: '{"Limit":1}' }],
    ['a longer body', { body: '{} ' }],
    [
      'another body and its digest',
      { body: '{"Limit":1}', headers: { 'x-amz-content-sha256': hexDigest(utf8('{"Limit":1}')) } },
    ],
    ['another host', { headers: { host: 'other.test' } }],
    ['another time', { headers: { 'x-amz-date': amzDate(NOW + 1000) } }],
    ['another access key', { headers: { authorization: '' } }],
    ['an unsigned x-amz- header', { headers: { 'x-amz-user-agent': 'x' } }],
    ['a query', { url: 'http://kms.test/?x' }],
    ['another type of body', { headers: { 'content-type': 'text/plain' } }],
  ])('cannot be given %s', async (_, changes) => {
    const { server, calls } = await newServer()
    const response = await server.fetch(await change(sign('ListKeys', NOW), changes))
    expect(response.status).toBe(400)
    expect(calls).toEqual([])
  })
})

describe('credentials', () => {
  it('are looked up for each request, and a changed secret counts at once', async () => {
    let secret: string | undefined = SECRET
    const arn = `arn:aws:iam::${ACCOUNT}:root`
    const principal = { account: ACCOUNT, arn, id: ACCOUNT, type: 'Account' as const, tags: {} }
    const credentials = (): Credential | undefined =>
      secret === undefined ? undefined : { secretAccessKey: utf8(secret), principal }
    const { server } = await newServer({ credentials })
    expect((await server.fetch(sign('ListKeys', NOW))).status).toBe(200)
    secret = 'another'
    expect((await readError(await server.fetch(sign('ListKeys', NOW)))).type).toBe('InvalidSignatureException')
    expect((await server.fetch(sign('ListKeys', NOW, { secret }))).status).toBe(200)
    secret = undefined
    expect((await readError(await server.fetch(sign('ListKeys', NOW)))).type).toBe('UnrecognizedClientException')
  })

  it('have a bounded number of signing keys, and what goes is wiped', () => {
    const keys = new SigningKeys(3)
    const scope = { date: '20260102', region: REGION, service: 'kms' }
    const first = keys.of('A', utf8(SECRET), scope)
    expect(hex(first)).toBe(hex(signingKey(utf8(SECRET), scope)))
    for (const name of ['B', 'C']) keys.of(name, utf8(SECRET), scope)
    expect(keys.of('A', utf8(SECRET), scope)).toBe(first)
    for (const name of ['D', 'E', 'F']) keys.of(name, utf8(SECRET), scope)
    expect([keys.size, hex(first)]).toEqual([3, '00'.repeat(32)])
    const last = keys.of('F', utf8(SECRET), scope)
    keys.clear()
    expect([keys.size, hex(last)]).toEqual([0, '00'.repeat(32)])
  })
})
