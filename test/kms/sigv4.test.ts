import { expect, it } from 'vitest'
import { canonicalRequest, hexDigest, signature, signingKey, stringToSign } from '../../kms/sigv4.ts'
import { SECRET } from './server/sign.ts'

const SCOPE = { date: '20150830', region: 'us-east-1', service: 'service' }
const HOST: [string, string] = ['host', 'example.amazonaws.com']
const DATE: [string, string] = ['x-amz-date', '20150830T123600Z']
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

interface Published {
  readonly method?: 'GET' | 'POST'
  readonly query?: string
  /** Beside {@link DATE}, in their order before it. Default: the host. */
  readonly headers?: readonly [string, string][]
  readonly body?: string
  readonly expected: string
}

/** Cases of the test suite that AWS publishes for Signature Version 4. */
const PUBLISHED: Readonly<Record<string, Published>> = {
  'get-vanilla': { expected: '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31' },
  'post-vanilla': {
    method: 'POST',
    expected: '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b',
  },
  'get-header-key-duplicate': {
    headers: [HOST, ['my-header1', 'value2,value2,value1']],
    expected: 'c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea',
  },
  'get-header-value-multiline': {
    headers: [HOST, ['my-header1', 'value1,value2,value3']],
    expected: 'ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790',
  },
  'get-header-value-trim': {
    headers: [HOST, ['my-header1', ' value1'], ['my-header2', ' "a   b   c"']],
    expected: 'acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736',
  },
  'get-vanilla-query-order-key-case': {
    query: 'Param1=value1&Param2=value2',
    expected: 'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
  },
  'post-header-key-sort': {
    method: 'POST',
    headers: [HOST, ['my-header1', 'value1']],
    expected: 'c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c',
  },
  'post-header-value-case': {
    method: 'POST',
    headers: [HOST, ['my-header1', 'VALUE1']],
    expected: 'cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d',
  },
  'post-x-www-form-urlencoded': {
    method: 'POST',
    headers: [['content-type', 'application/x-www-form-urlencoded'], HOST],
    body: 'Param1=value1',
    expected: 'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
  },
}

it.each(Object.entries(PUBLISHED))('the published case %s', (_, { headers = [HOST], ...published }) => {
  const { method = 'GET', query = '', body = '', expected } = published
  const request = { method, path: '/', query, headers: [...headers, DATE] }
  const canonical = canonicalRequest(request, hexDigest(utf8(body)))
  const key = signingKey(utf8(SECRET), SCOPE)
  const signed = signature(key, stringToSign('20150830T123600Z', SCOPE, canonical))
  expect(Buffer.from(signed).toString('hex')).toBe(expected)
})
