import { createHash, createHmac } from 'node:crypto'

// Signature Version 4 once more, over node:crypto and with every part open to change: what the server verifies is not
// judged by its own code.

export const ACCESS_KEY_ID = 'AKIDEXAMPLE'
export const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

/** What a test changes of an ordinary request before it is signed. */
export interface Draft {
  method?: string
  url?: string
  headers?: Record<string, string>
  body?: string | Uint8Array<ArrayBuffer>
  time?: string
  scope?: string
  accessKeyId?: string
  secret?: string
  /** Names in the order in which they are signed. Default: all that the request has, sorted. */
  signedHeaders?: readonly string[]
  payloadHash?: string
}

const sha256 = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex')
const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** `YYYYMMDDTHHMMSSZ`. */
export function amzDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

/** The request as `fetch` takes it, signed. */
export function sign(action: string, now: number, draft: Draft = {}): Request {
  const { method = 'POST', url = 'http://kms.test/', body = '{}', time = amzDate(now) } = draft
  const headers: Record<string, string> = {
    host: new URL(url).host,
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': time,
    'x-amz-target': `TrentService.${action}`,
    ...draft.headers,
  }
  const scope = draft.scope ?? `${time.slice(0, 8)}/eu-central-1/kms/aws4_request`
  const signedHeaders = draft.signedHeaders ?? Object.keys(headers).sort()
  const { pathname, search } = new URL(url)
  const canonical = [
    method,
    pathname,
    search.slice(1),
    ...signedHeaders.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}`),
    '',
    signedHeaders.join(';'),
    draft.payloadHash ?? createHash('sha256').update(body).digest('hex'),
  ].join('\n')
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${draft.secret ?? SECRET}`)
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n')
  const signature = hmac(key, toSign).toString('hex')
  headers.authorization =
    `AWS4-HMAC-SHA256 Credential=${draft.accessKeyId ?? ACCESS_KEY_ID}/${scope}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  return new Request(url, { method, headers, ...(method === 'GET' || method === 'HEAD' ? {} : { body }) })
}

/** The same request with other headers, body or address: what a man in the middle can make of it. */
export async function change(
  request: Request,
  { url = request.url, headers = {}, body }: { url?: string; headers?: Record<string, string>; body?: string },
): Promise<Request> {
  const all = new Headers(request.headers)
  for (const [name, value] of Object.entries(headers)) all.set(name, value)
  return new Request(url, { method: request.method, headers: all, body: body ?? (await request.clone().text()) })
}
