import { createHmac } from 'node:crypto'
import { expect, it, vi } from 'vitest'
import type { Engine, Signal } from '../../kms/engine/index.ts'
import { webhook, type WebhookOptions } from '../../kms/server/index.ts'
import { memoryStore } from '../../kms/store/memory.ts'
import { ACCOUNT, ARN_PREFIX, NOW, REGION, newKey, openEngine, refused } from './engine-setup.ts'
import { importMaterial } from './import-setup.ts'

const DAY = 86_400_000

async function listening(): Promise<{
  engine: Engine
  signals: Signal[]
  wait: (days: number) => void
  stop: () => void
}> {
  let now = NOW
  const engine = await openEngine(memoryStore(), { clock: () => now })
  const signals: Signal[] = []
  const stop = engine.subscribe((signal) => void signals.push(signal))
  engine.subscribe(() => {
    throw new Error('a listener that fails')
  })
  return { engine, signals, stop, wait: (days) => void (now += days * DAY) }
}

it('tells of rotations, use of a key that is pending deletion, and deletions', async () => {
  const { engine, signals, wait, stop } = await listening()
  const KeyId = await newKey(engine)
  const keyArn = `${ARN_PREFIX}key/${KeyId}`
  await engine.call('RotateKeyOnDemand', { KeyId })
  await engine.call('EnableKeyRotation', { KeyId })
  wait(366)
  await engine.runDueWork()
  await engine.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  await refused(engine.call('GenerateDataKey', { KeyId, NumberOfBytes: 32 }), 'KMSInvalidStateException')
  await refused(engine.call('ScheduleKeyDeletion', { KeyId }), 'KMSInvalidStateException')
  wait(8)
  await engine.runDueWork()
  const records = await engine.audit.list()
  const common = { account: ACCOUNT, region: REGION, keyArn }
  expect(signals).toEqual([
    expect.objectContaining({ ...common, type: 'rotation', time: new Date(NOW).toISOString().replace('.678', '') }),
    expect.objectContaining({ ...common, type: 'rotation' }),
    expect.objectContaining({
      ...common,
      type: 'pending-deletion-use',
      action: 'GenerateDataKey',
      caller: `arn:aws:iam::${ACCOUNT}:root`,
    }),
    expect.objectContaining({ ...common, type: 'key-deleted' }),
  ])
  for (const { id } of signals) expect(records.map(({ record }) => record.eventID)).toContain(id)
  stop()
  await engine.call('RotateKeyOnDemand', { KeyId: await newKey(engine) })
  expect(signals).toHaveLength(4)
})

it('names the key of ReEncrypt that is pending deletion', async () => {
  const { engine, signals } = await listening()
  const [source, destination] = [await newKey(engine), await newKey(engine)]
  const { CiphertextBlob } = await engine.call('Encrypt', { KeyId: source, Plaintext: Uint8Array.of(1) })
  const reEncrypt = () => engine.call('ReEncrypt', { CiphertextBlob, DestinationKeyId: destination })
  const use = (keyId: string): unknown =>
    expect.objectContaining({
      type: 'pending-deletion-use',
      keyArn: `${ARN_PREFIX}key/${keyId}`,
      action: 'ReEncrypt',
      caller: `arn:aws:iam::${ACCOUNT}:root`,
    })
  await engine.call('ScheduleKeyDeletion', { KeyId: destination })
  await refused(reEncrypt(), 'KMSInvalidStateException')
  expect(signals).toEqual([use(destination)])
  await engine.call('CancelKeyDeletion', { KeyId: destination })
  await engine.call('EnableKey', { KeyId: destination })
  await engine.call('ScheduleKeyDeletion', { KeyId: source })
  await refused(reEncrypt(), 'KMSInvalidStateException')
  expect(signals).toEqual([use(destination), use(source)])
})

it('tells nothing of a name that only reads like that', async () => {
  const { engine, signals } = await listening()
  const KeyId = await newKey(engine)
  for (const name of ['x is pending deletion.', `${ARN_PREFIX}key/${KeyId} is pending deletion.`]) {
    await refused(engine.call('Encrypt', { KeyId: name, Plaintext: Uint8Array.of(1) }), 'NotFoundException')
  }
  expect(signals).toEqual([])
})

it('tells of material a week before it expires, once, and when it has', async () => {
  const { engine, signals, wait } = await listening()
  const KeyId = await newKey(engine, { Origin: 'EXTERNAL' })
  const expiring = (days: number): object => ({
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo: new Date(NOW + days * DAY),
  })
  const material = new Uint8Array(32).fill(7)
  const { KeyMaterialId } = await importMaterial(engine, KeyId, material, expiring(30))
  wait(22)
  await engine.runDueWork()
  expect(signals).toEqual([])
  wait(1)
  await engine.runDueWork()
  await engine.runDueWork()
  const keyArn = `${ARN_PREFIX}key/${KeyId}`
  expect(signals).toEqual([expect.objectContaining({ type: 'material-expiring', keyArn })])
  const { record } = (await engine.audit.list()).at(-1)!
  expect(record).toMatchObject({
    eventName: 'AnnounceKeyMaterialExpiration',
    serviceEventDetails: { keyMaterialId: KeyMaterialId, validTo: new Date(NOW + 30 * DAY).toISOString() },
  })
  await importMaterial(engine, KeyId, material, expiring(28))
  wait(5)
  expect(await engine.runDueWork()).toBeUndefined()
  expect(signals.slice(1)).toEqual([expect.objectContaining({ type: 'material-expired', keyArn })])
})

const SIGNAL: Signal = {
  type: 'pending-deletion-use',
  id: 'id-1',
  time: '2026-01-02T03:04:05Z',
  account: ACCOUNT,
  region: REGION,
  keyArn: `${ARN_PREFIX}key/k`,
  action: 'Decrypt',
  caller: `arn:aws:iam::${ACCOUNT}:user/alice`,
}

interface Sent {
  readonly body: string
  readonly signature: string | null
}

/** A webhook whose receiver answers with these statuses, and then with 200. */
function sending(
  statuses: number[],
  options: Partial<WebhookOptions> = {},
): {
  hook: ReturnType<typeof webhook>
  sent: Sent[]
  pauses: number[]
  errors: string[]
} {
  const sent: Sent[] = []
  const pauses: number[] = []
  const errors: string[] = []
  const hook = webhook({
    url: 'http://receiver.test/hook',
    secret: 'a secret',
    clock: () => NOW,
    fetch: async (request) => {
      sent.push({ body: await request.text(), signature: request.headers.get('x-waxseal-signature') })
      const status = statuses.shift() ?? 200
      if (status === 0) throw new TypeError('no connection')
      return new Response(null, { status })
    },
    sleep: (milliseconds) => Promise.resolve(void pauses.push(milliseconds)),
    onError: ({ message }) => errors.push(message),
    ...options,
  })
  return { hook, sent, pauses, errors }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resume) => setTimeout(resume, 1))
}

it('sends a signal in the shape of EventBridge, signed', async () => {
  const { hook, sent } = sending([])
  hook.listener(SIGNAL)
  await hook.close()
  const [{ body, signature } = { body: '', signature: '' }] = sent
  expect(JSON.parse(body)).toEqual({
    version: '0',
    id: 'id-1',
    'detail-type': 'KMS CMK Use While Pending Deletion',
    source: 'waxseal.kms',
    account: ACCOUNT,
    time: SIGNAL.time,
    region: REGION,
    resources: [SIGNAL.keyArn],
    detail: { 'key-id': 'k', 'event-name': 'Decrypt', 'user-arn': SIGNAL.caller },
  })
  const time = String(Math.floor(NOW / 1000))
  const mac = createHmac('sha256', 'a secret').update(`${time}.${body}`).digest('hex')
  expect(signature).toBe(`t=${time},v1=${mac}`)
})

it('tries again with longer pauses, in order, and gives up in the end', async () => {
  const { hook, sent, pauses, errors } = sending([500, 0, 429])
  hook.listener(SIGNAL)
  hook.listener({ ...SIGNAL, id: 'id-2' })
  await until(() => sent.length === 5)
  expect(pauses).toEqual([1000, 2000, 4000])
  expect(sent.map(({ body }) => (JSON.parse(body) as { id: string }).id)).toEqual([
    'id-1',
    'id-1',
    'id-1',
    'id-1',
    'id-2',
  ])
  await hook.close()
  expect(errors).toEqual([])
  const failing = sending([500, 500, 500], { attempts: 3 })
  failing.hook.listener(SIGNAL)
  await until(() => failing.errors.length > 0)
  expect(failing.errors).toEqual(['a pending-deletion-use signal could not be delivered to the webhook: status 500'])
  await failing.hook.close()
})

it('drops what is too much, and waits for no pause when it ends', async () => {
  const { hook, sent, errors } = sending([500, 500], {
    maxWaiting: 1,
    sleep: (_, signal) => {
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve()))
    },
  })
  for (let i = 0; i < 3; i++) hook.listener(SIGNAL)
  expect(errors).toEqual(['a pending-deletion-use signal was dropped: too many wait for the webhook'])
  await until(() => sent.length === 1)
  await hook.close()
  hook.listener(SIGNAL)
  expect(errors.length).toBeGreaterThan(1)
})

/** A fetch that is answered by nobody, but can be cut short. */
const unanswered = (request: Request): Promise<Response> =>
  new Promise((_, reject) => request.signal.addEventListener('abort', () => reject(request.signal.reason as Error)))

it('ends at the latest when it must, and says what it dropped', async () => {
  vi.useFakeTimers()
  const asked: string[] = []
  const { hook, errors } = sending([], {
    fetch: (request) => {
      asked.push(request.url)
      return unanswered(request)
    },
  })
  for (let i = 0; i < 3; i++) hook.listener(SIGNAL)
  const closing = hook.close(500)
  await vi.advanceTimersByTimeAsync(500)
  await closing
  vi.useRealTimers()
  expect(asked).toHaveLength(1)
  const dropped = 'a pending-deletion-use signal was dropped: the webhook was closed'
  expect(errors).toEqual([
    'a pending-deletion-use signal could not be delivered to the webhook: AbortError',
    dropped,
    dropped,
  ])
})

it('sends on whatever is thrown by what is told of errors, and by a pause that is cut short', async () => {
  const { hook, sent } = sending([500, 500], {
    attempts: 2,
    sleep: () => Promise.reject(new Error('cut short')),
    onError: () => {
      throw new Error('told of an error')
    },
  })
  hook.listener(SIGNAL)
  await until(() => sent.length === 2)
  hook.listener({ ...SIGNAL, id: 'id-2' })
  await until(() => sent.length === 3)
  await hook.close()
})

it('pauses for an hour at most', async () => {
  const { hook, pauses, errors } = sending(new Array<number>(40).fill(500), { attempts: 40 })
  hook.listener(SIGNAL)
  await until(() => errors.length > 0)
  expect(pauses.slice(10, 14)).toEqual([1_024_000, 2_048_000, 3_600_000, 3_600_000])
  expect(Math.max(...pauses)).toBe(3_600_000)
  await hook.close()
})

it('refuses what is no URL of the web or has a password, an empty secret, and numbers that are none', () => {
  expect(() => webhook({ url: 'file:///x', secret: 'x' })).toThrow(TypeError)
  expect(() => webhook({ url: 'https://user:password@x', secret: 'x' })).toThrow(TypeError)
  expect(() => webhook({ url: 'https://user@x', secret: 'x' })).toThrow(TypeError)
  expect(() => webhook({ url: 'http://x', secret: '' })).toThrow(RangeError)
  for (const number of [0, -1, 1.5, NaN, Infinity]) {
    expect(() => webhook({ url: 'http://x', secret: 'x', attempts: number })).toThrow('attempts must be')
    expect(() => webhook({ url: 'http://x', secret: 'x', maxWaiting: number })).toThrow('maxWaiting must be')
  }
})
