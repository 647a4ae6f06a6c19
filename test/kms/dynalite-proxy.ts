import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
// @ts-expect-error TS7016: dynalite has no types
import dynalite from 'dynalite'

export const CREDENTIALS = { accessKeyId: 'AKIDDYNAMO', secretAccessKey: 'a secret of the test' } as const

type Item = Readonly<Record<string, object>>

interface Put {
  readonly TableName: string
  readonly Item: Item
}

/** Dynalite on a port, behind a server that checks signatures and adds TransactWriteItems, which it lacks. */
export class DynaliteProxy {
  readonly targets: string[] = []
  /** Answers instead of the database: a status and a body, each for one request. */
  readonly failures: (readonly [status: number, body: object])[] = []
  /** The next answers are lost, after the work. */
  lost = 0
  #database: Server | undefined
  #proxy: Server | undefined
  readonly #done = new Map<string, Promise<readonly [number, string]>>()
  #last: Promise<unknown> = Promise.resolve()

  async start(): Promise<string> {
    this.#database = (dynalite as (options: object) => Server)({ createTableMs: 0 }).listen(0, '127.0.0.1')
    await once(this.#database, 'listening')
    this.#proxy = createServer((request, response) => {
      void this.#answer(request).then(([status, body]) => {
        if (this.lost > 0 && this.lost-- > 0) request.socket.destroy()
        else response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(body)
      })
    }).listen(0, '127.0.0.1')
    await once(this.#proxy, 'listening')
    return `http://127.0.0.1:${(this.#proxy.address() as AddressInfo).port}`
  }

  stop(): void {
    for (const server of [this.#proxy, this.#database]) {
      server?.close()
      server?.closeAllConnections()
    }
  }

  async #answer(request: IncomingMessage): Promise<readonly [number, string]> {
    const body = Buffer.concat(await request.toArray()).toString()
    const target = String(request.headers['x-amz-target']).replace('DynamoDB_20120810.', '')
    this.targets.push(target)
    if (!isSigned(request, body)) return [400, JSON.stringify({ __type: 'x#InvalidSignatureException' })]
    const failure = this.failures.shift()
    if (failure) return [failure[0], JSON.stringify(failure[1])]
    if (target !== 'TransactWriteItems') return this.#forward(target, body)
    const { TransactItems, ClientRequestToken } = JSON.parse(body) as {
      readonly TransactItems: readonly { readonly Put: Put }[]
      readonly ClientRequestToken: string
    }
    // The same token is the same request, whose outcome is known.
    const known = this.#done.get(ClientRequestToken)
    if (known) return known
    const outcome = this.#last.then(() => this.#transact(TransactItems.map(({ Put }) => Put)))
    this.#last = outcome
    this.#done.set(ClientRequestToken, outcome)
    return outcome
  }

  /** One conditional put after the other, by the database itself; when one fails, those before it are undone. */
  async #transact(puts: readonly Put[]): Promise<readonly [number, string]> {
    const undo: (() => Promise<unknown>)[] = []
    for (const [index, put] of puts.entries()) {
      const { TableName, Item } = put
      const [status, text] = await this.#forward('PutItem', JSON.stringify({ ...put, ReturnValues: 'ALL_OLD' }))
      if (status === 200) {
        const { Attributes } = JSON.parse(text) as { readonly Attributes?: Item }
        const Key = { 'branch-key-id': Item['branch-key-id'], type: Item.type }
        undo.push(() =>
          Attributes
            ? this.#forward('PutItem', JSON.stringify({ TableName, Item: Attributes }))
            : this.#forward('DeleteItem', JSON.stringify({ TableName, Key })),
        )
        continue
      }
      for (const step of undo.reverse()) await step()
      if (!text.includes('ConditionalCheckFailedException')) return [status, text]
      const CancellationReasons = puts.map((_, i) => ({ Code: i === index ? 'ConditionalCheckFailed' : 'None' }))
      const __type = 'com.amazonaws.dynamodb.v20120810#TransactionCanceledException'
      return [400, JSON.stringify({ __type, Message: 'Transaction cancelled', CancellationReasons })]
    }
    return [200, '{}']
  }

  async #forward(target: string, body: string): Promise<readonly [number, string]> {
    const { port } = this.#database!.address() as AddressInfo
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `DynamoDB_20120810.${target}`,
      'x-amz-date': 'x',
      authorization: 'AWS4-HMAC-SHA256 Credential=x/y/z/dynamodb/aws4_request, SignedHeaders=host, Signature=x',
    }
    const response = await fetch(`http://127.0.0.1:${port}`, { method: 'POST', headers, body })
    return [response.status, await response.text()]
  }
}

/** Signature Version 4 once more, by node:crypto. */
function isSigned({ headers }: IncomingMessage, body: string): boolean {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=AKIDDYNAMO\/(\d{8})\/([a-z0-9-]+)\/dynamodb\/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/
  const [, date = '', region = '', names = '', signature = ''] = parts.exec(headers.authorization ?? '') ?? []
  const hash = (text: string): string => createHash('sha256').update(text).digest('hex')
  const lines = names.split(';').map((name) => `${name}:${String(headers[name])}\n`)
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${hash(body)}`
  const scope = `${date}/${region}/dynamodb/aws4_request`
  const toSign = `AWS4-HMAC-SHA256\n${String(headers['x-amz-date'])}\n${scope}\n${hash(canonical)}`
  const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()
  const key = [date, region, 'dynamodb', 'aws4_request'].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${CREDENTIALS.secretAccessKey}`),
  )
  const expected = hmac(key, toSign)
  const given = Buffer.from(signature, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}
