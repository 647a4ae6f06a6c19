import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import { KMS } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../../kms/engine/index.ts'
import { listen, type NodeListener } from '../../../kms/server/listen.node.ts'
import { createKmsServer, rootCredential } from '../../../kms/server/index.ts'
import { memoryStore } from '../../../kms/store/memory.ts'
import { REGION, ROOT_KEY } from '../engine-setup.ts'

// A request of the AWS SDK as it went over the wire, in the hands of somebody who can send what he likes.

const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

let engine: Engine
let listener: NodeListener
let wire: Server
let captured: string
let keyId: string
let otherId: string

/** A wire that keeps what the client sends. */
function recordingWire(port: number): Promise<Server> {
  const server = createServer((socket) => {
    const upstream = connect(port, '127.0.0.1')
    socket.on('data', (chunk) => (captured += chunk.toString('latin1')))
    socket.pipe(upstream).pipe(socket)
    for (const end of [socket, upstream]) end.on('error', () => undefined)
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

beforeAll(async () => {
  engine = await createEngine({ store: memoryStore(), rootKey: ROOT_KEY, regions: [REGION, 'us-west-2'] })
  keyId = (await engine.call('CreateKey', {})).KeyMetadata.KeyId
  otherId = (await engine.call('CreateKey', {})).KeyMetadata.KeyId
  const credentials = rootCredential(CREDENTIALS)
  listener = await listen({ server: createKmsServer({ engine, credentials }), port: 0 })
  wire = await recordingWire(Number(new URL(listener.url).port))
  captured = ''
  const endpoint = `http://127.0.0.1:${(wire.address() as AddressInfo).port}`
  const sdk = new KMS({ region: REGION, endpoint, credentials: CREDENTIALS, maxAttempts: 1 })
  await sdk.disableKey({ KeyId: keyId })
  sdk.destroy()
  await engine.call('EnableKey', { KeyId: keyId })
})

afterAll(async () => {
  wire.close()
  await listener.close()
  await engine.close()
})

/** Sends bytes on a connection of their own; answers the status and the body. */
function send(bytes: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(listener.url).port), '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      const [head = '', body] = answer.split('\r\n\r\n')
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? NaN)
      if (body?.length !== length) return
      socket.destroy()
      resolve({ status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), body })
    })
    socket.on('error', reject)
    socket.end(bytes, 'latin1')
  })
}

async function stateOf(id: string): Promise<string> {
  return (await engine.call('DescribeKey', { KeyId: id })).KeyMetadata.KeyState
}

/** The request with another body, and the length of that. */
function withBody(request: string, body: string): string {
  const [head = ''] = request.split('\r\n\r\n')
  return `${head.replace(/content-length: \d+/i, `content-length: ${String(body.length)}`)}\r\n\r\n${body}`
}

const CHANGES: Readonly<Record<string, (request: string) => string>> = {
  'another action': (request) => request.replace('TrentService.DisableKey', 'TrentService.ScheduleKeyDeletion'),
  'another key in its body': (request) => request.replace(keyId, otherId),
  'a body of its own': (request) => withBody(request, JSON.stringify({ KeyId: otherId, PendingWindowInDays: 7 })),
  'another body and its digest': (request) =>
    withBody(request, JSON.stringify({ KeyId: otherId })).replace(
      /x-amz-content-sha256: [0-9a-f]{64}/i,
      'x-amz-content-sha256: UNSIGNED-PAYLOAD',
    ),
  'another host': (request) => request.replace(/host: \S+/i, 'host: kms.example'),
  'another Region': (request) => request.replace(`/${REGION}/kms/`, '/us-west-2/kms/'),
  'another time': (request) =>
    request.replace(/(x-amz-date: \d{8}T)(\d)/i, (_, start: string, digit: string) => {
      return `${start}${digit === '0' ? '1' : '0'}`
    }),
  'a second target': (request) => request.replace('\r\n', '\r\nx-amz-target: TrentService.ScheduleKeyDeletion\r\n'),
  'a target that is not signed': (request) => request.replace(/;x-amz-target/, ''),
  'no signature': (request) => request.replace(/authorization: [^\r]+\r\n/i, ''),
}

describe('a captured request', () => {
  it('is whole, and can be sent again as it is', async () => {
    expect(captured).toMatch(/^POST \/ HTTP\/1\.1\r\n/)
    expect(captured).toContain(`{"KeyId":"${keyId}"}`)
    expect(await send(captured)).toEqual({ status: 200, body: '' })
    expect(await stateOf(keyId)).toBe('Disabled')
    await engine.call('EnableKey', { KeyId: keyId })
  })

  it.each(Object.entries(CHANGES))('does nothing with %s', async (_, change) => {
    const request = change(captured)
    expect(request).not.toBe(captured)
    const { records } = await engine.audit.head()
    const { status, body } = await send(request)
    expect(status).toBe(400)
    expect(body).toMatch(/"__type":"(?:InvalidSignature|IncompleteSignature|MissingAuthenticationToken)Exception"/)
    // Nobody was authenticated: no record, and no effect.
    expect((await engine.audit.head()).records).toBe(records)
    expect([await stateOf(keyId), await stateOf(otherId)]).toEqual(['Enabled', 'Enabled'])
  })
})
