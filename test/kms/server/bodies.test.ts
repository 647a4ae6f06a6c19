import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../../kms/engine/index.ts'
import { anyCredential, userCredentials, type Answer, type Peer } from '../../../kms/server/index.ts'
import { allow, DELEGATION, policy } from '../users-setup.ts'
import { NOW } from '../engine-setup.ts'
import { newServer, ROOT, type ServerUnderTest } from './setup.ts'
import { sign, type Draft } from './sign.ts'

/** A request that has been answered, or waits for its body. */
interface Sent {
  answer: Answer | undefined
  readonly done: Promise<Answer>
  /** Lets the body come. */
  readonly give: () => void
  /** Whether the server waits for the body no more. */
  isEnded: boolean
  readonly bytes: Uint8Array
}

/** Everything that can go on without a body or an answer has gone on. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

async function send(
  { server }: Pick<ServerUnderTest, 'server'>,
  action: string,
  draft: Draft,
  peer: Peer = {},
): Promise<Sent> {
  const request = sign(action, NOW, draft)
  const bytes = new Uint8Array(await request.arrayBuffer())
  let give!: () => void
  const body = new Promise<Uint8Array>((resolve) => (give = () => resolve(bytes)))
  const headers = new Map(request.headers)
  const done = server.answer({
    method: 'POST',
    path: '/',
    query: '',
    headers,
    peer,
    body: ({ signal }) => {
      const ended = new Promise<never>((_, reject) => {
        signal?.addEventListener('abort', () => {
          sent.isEnded = true
          reject(signal.reason as Error)
        })
      })
      return Promise.race([body, ended])
    },
  })
  const sent: Sent = { answer: undefined, done, give, isEnded: false, bytes }
  void done.then((answer) => (sent.answer = answer))
  await settle()
  return sent
}

const typeOf = (answer: Answer | undefined): unknown =>
  answer && answer.status !== 200 ? (JSON.parse(answer.body) as { __type: string }).__type : answer?.status

describe('an access key that is deleted while a body is held back', () => {
  let under: ServerUnderTest
  let draft: Draft
  let AccessKeyId: string

  beforeEach(async () => {
    const { engine } = await newServer()
    const credentials = anyCredential(ROOT, userCredentials(engine))
    under = { ...(await newServer({ engine, credentials })), engine }
    await under.engine.iam('CreateUser', { UserName: 'alice' })
    const { AccessKey } = await under.engine.iam('CreateAccessKey', { UserName: 'alice' })
    ;({ AccessKeyId } = AccessKey)
    const Policy = policy(DELEGATION, allow('alice', 'kms:Encrypt'))
    const { KeyId } = (await under.engine.call('CreateKey', { Policy })).KeyMetadata
    draft = {
      accessKeyId: AccessKeyId,
      secret: AccessKey.SecretAccessKey,
      body: JSON.stringify({ KeyId, Plaintext: 'AAAA' }),
    }
  })

  it('is good before', async () => {
    const sent = await send(under, 'Encrypt', draft)
    sent.give()
    expect(typeOf(await sent.done)).toBe(200)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['the key', () => Promise.resolve()],
    ['the user as well', () => under.engine.iam('DeleteUser', { UserName: 'alice' })],
  ])('has ended: %s', async (_, more) => {
    const { records } = await under.engine.audit.verify()
    const sent = await send(under, 'Encrypt', draft)
    expect(sent.answer).toBeUndefined()
    await under.engine.iam('DeleteAccessKey', { UserName: 'alice', AccessKeyId })
    await more()
    const after = (await under.engine.audit.verify()).records
    sent.give()
    expect(typeOf(await sent.done)).toBe('UnrecognizedClientException')
    expect(sent.bytes).toEqual(new Uint8Array(sent.bytes.length))
    expect((await under.engine.audit.verify()).records).toBe(after)
    expect(after).toBeGreaterThan(records)
  })
})

describe('bodies that do not come', () => {
  const FORGED: Draft = { secret: 'not the secret' }

  it('keep out no request, from the same address either', async () => {
    const under = await newServer({ maxRequests: 2 })
    const waiting: Sent[] = []
    for (let count = 0; count < 10; count++) waiting.push(await send(under, 'ListKeys', FORGED))
    // The older ones have made room.
    expect(waiting.map(({ answer }) => typeOf(answer))).toEqual([
      ...Array.from({ length: 8 }, () => 'ThrottlingException'),
      undefined,
      undefined,
    ])
    expect(waiting.map(({ isEnded }) => isEnded)).toEqual([...Array.from({ length: 8 }, () => true), false, false])
    for (let count = 0; count < 3; count++) {
      const sent = await send(under, 'ListKeys', {})
      sent.give()
      expect(typeOf(await sent.done)).toBe(200)
    }
    expect(under.calls).toHaveLength(3)
  })

  it('make room first where most of them are from', async () => {
    const under = await newServer({ maxRequests: 4 })
    const other = await send(under, 'ListKeys', {}, { address: '192.0.2.1' })
    const attacker = { address: '198.51.100.7' }
    const waiting: Sent[] = []
    for (let count = 0; count < 6; count++) waiting.push(await send(under, 'ListKeys', FORGED, attacker))
    expect(waiting.map(({ isEnded }) => isEnded)).toEqual([true, true, true, false, false, false])
    const another = await send(under, 'ListKeys', {}, { address: '192.0.2.2' })
    expect(waiting[3]?.isEnded).toBe(true)
    for (const sent of [other, another]) {
      sent.give()
      expect(typeOf(await sent.done)).toBe(200)
    }
  })

  it('do not count among the requests that wait for their answers', async () => {
    let go!: () => void
    const held = new Promise<void>((resolve) => (go = resolve))
    const inner = await newServer()
    const engine: Engine = {
      ...inner.engine,
      call: async (action, input, options) => {
        await held
        return inner.engine.call(action, input, options)
      },
    }
    const under = await newServer({ engine, maxRequests: 2 })
    const waiting = await send(under, 'ListKeys', FORGED)
    const verified: Sent[] = []
    for (let count = 0; count < 2; count++) {
      const sent = await send(under, 'ListKeys', {})
      sent.give()
      await settle()
      verified.push(sent)
    }
    expect(typeOf((await send(under, 'ListKeys', {})).answer)).toBe('ThrottlingException')
    expect(waiting.isEnded).toBe(false)
    go()
    for (const { done } of verified) expect(typeOf(await done)).toBe(200)
  })
})
