import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  algorithmSuites,
  decryptSync,
  encrypt,
  encryptSync,
  inspect,
  multiKeyring,
  rawAesKeyring,
  WaxsealError,
} from '../../src/index.ts'
import type { AlgorithmSuite } from '../../src/index.ts'
import { rewrap, rewrapStream, type RewrapOptions, type RewrapStreamOptions } from '../../src/rewrap.ts'
import { freshHeaderIv, isUsed } from '../../src/rewrap-keys.ts'
import { join, keyring, takeApart, text, writeFramed } from './framed-messages.ts'
import { codeOf } from './src-setup.ts'

const keyringOf = (name: string): ReturnType<typeof rawAesKeyring> =>
  rawAesKeyring({ namespace: 'test', name, wrappingKey: createHash('sha256').update(name).digest() })

const old = keyringOf('old')
const next = keyringOf('next')
const plaintext = text(1000)
const encryptionContext = { tenant: 'a', ключ: 'значение' }
const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt' } as const

function writeWith({ id, isCommitting }: AlgorithmSuite): Uint8Array {
  const commitmentPolicy = isCommitting ? undefined : ('forbid-encrypt-allow-decrypt' as const)
  return encryptSync(old, plaintext, { algorithmSuite: id, commitmentPolicy, frameLength: 64, encryptionContext })
}

/** The message through the stream, in chunks of this length. */
async function throughStream(
  message: Uint8Array,
  options: RewrapStreamOptions,
  step: number,
  to = next,
): Promise<Uint8Array> {
  const chunks = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < message.length; at += step) controller.enqueue(message.slice(at, at + step))
      controller.close()
    },
  })
  const output = chunks.pipeThrough(rewrapStream(old, to, { signedStreams: 'allow', ...options }))
  return new Uint8Array(await new Response(output).arrayBuffer())
}

describe.each(algorithmSuites)('a message of $name', (suite) => {
  const isOld = suite.messageVersion === 1 && suite.signatureCurve === undefined
  const message = writeWith(suite)
  const before = inspect(message)
  const ways: Readonly<Record<string, (options: RewrapOptions) => Promise<Uint8Array>>> = {
    rewrap: (options) => rewrap(old, next, message, options),
    rewrapStream: (options) => throughStream(message, options, 333),
    'rewrapStream, byte by byte': (options) => throughStream(message, options, 1),
  }

  it.each(Object.entries(ways))('opens with the new key and no longer with the old one: %s', async (_, change) => {
    const changed = await change(READ_ANY)
    expect(decryptSync(next, changed, { ...READ_ANY, encryptionContext }).plaintext).toEqual(plaintext)
    const stranger = expect.objectContaining({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE' }) as Error
    expect(() => decryptSync(old, changed, READ_ANY)).toThrow(stranger)
    const after = inspect(changed)
    expect(after.frameLength).toBe(before.frameLength)
    expect(after.encryptionContext).toMatchObject(encryptionContext)
    expect(Object.keys(after.encryptionContext)).toHaveLength(suite.signatureCurve === undefined ? 2 : 3)
    const expectedSuite = isOld ? suite.id : suite.signatureCurve === undefined ? 0x0478 : 0x0578
    expect(after.algorithmSuite.id).toBe(expectedSuite)
    const isKept = Buffer.from(after.messageId).equals(before.messageId)
    expect(isKept).toBe(isOld)
    const body = changed.subarray(after.byteLength)
    expect(Buffer.from(body).equals(message.subarray(before.byteLength))).toBe(isOld)
    if (isOld)
      expect(isUsed(changed.subarray(after.byteLength - 28, after.byteLength - 16), new Uint8Array(12))).toBe(false)
  })

  it.each(Object.entries(ways))('is encrypted again when that is asked for, or its suite: %s', async (_, change) => {
    for (const options of [{ headerOnly: false }, { algorithmSuite: 0x0478 }, { frameLength: 10 }] as const) {
      const changed = await change({ ...READ_ANY, ...options })
      const after = inspect(changed)
      expect(after.messageId).not.toEqual(before.messageId)
      expect(after.algorithmSuite.isCommitting).toBe(true)
      expect(decryptSync(next, changed).plaintext).toEqual(plaintext)
    }
  })

  it.each(Object.entries(ways))('has a new header alone only where rule 1 lets it: %s', async (_, change) => {
    const outcome = await codeOf(change({ ...READ_ANY, headerOnly: true }))
    expect(outcome).toBe(isOld ? 'it was done' : 'ERR_WAXSEAL_UNSUPPORTED')
  })

  it('keeps its suite where the policy lets it', async () => {
    const options = { commitmentPolicy: 'forbid-encrypt-allow-decrypt', headerOnly: false } as const
    const changed = await rewrap(old, next, message, options)
    const committing = suite.signatureCurve === undefined ? 0x0178 : 0x0378
    expect(inspect(changed).algorithmSuite.id).toBe(suite.isCommitting ? committing : suite.id)
  })
})

describe('rewrap', () => {
  const v1 = writeFramed(plaintext, { frameLength: 64, suite: 0x0178 })
  const v2 = writeFramed(plaintext, { frameLength: 64 })

  it('carries required pairs over', async () => {
    const required = { encryptionContext: { tenant: 'a', b: 'c' }, requiredEncryptionContextKeys: ['tenant'] }
    for (const algorithmSuite of [0x0478, 0x0178] as const) {
      const commitmentPolicy = algorithmSuite === 0x0178 ? ('forbid-encrypt-allow-decrypt' as const) : undefined
      const message = encryptSync(old, plaintext, { ...required, algorithmSuite, commitmentPolicy })
      for (const changed of [
        await rewrap(old, next, message, { ...READ_ANY, ...required }),
        await throughStream(message, { ...READ_ANY, ...required }, 100),
      ]) {
        expect({ ...inspect(changed).encryptionContext }).toEqual({ b: 'c' })
        expect(decryptSync(next, changed, { ...READ_ANY, ...required }).plaintext).toEqual(plaintext)
        expect(() => decryptSync(next, changed, READ_ANY)).toThrow(WaxsealError)
      }
    }
  })

  it('reads a message with detached keys, and any that was given a new header before', async () => {
    const { message, keys } = await encrypt(old, plaintext, { detachedKeys: true })
    expect(decryptSync(next, await rewrap(old, next, message, { detachedKeys: keys })).plaintext).toEqual(plaintext)
    const streamed = await throughStream(message, { detachedKeys: keys }, 77)
    expect(decryptSync(next, streamed).plaintext).toEqual(plaintext)
    const twice = await rewrap(next, old, await rewrap(keyring, next, v1, READ_ANY), READ_ANY)
    expect(decryptSync(old, twice, READ_ANY).plaintext).toEqual(plaintext)
  })

  it('refuses arguments that are none, before any work', async () => {
    const wrong: [Partial<RewrapOptions>, string][] = [
      [{ headerOnly: 1 as never }, 'TypeError'],
      [{ algorithmSuite: 5 as never }, 'RangeError'],
      [{ frameLength: 0 }, 'RangeError'],
      [{ maxEncryptedDataKeys: 0 }, 'RangeError'],
      [{ signal: {} as never }, 'TypeError'],
    ]
    for (const [options, name] of wrong) {
      expect(await codeOf(rewrap(keyring, next, v2, options))).toBe(name)
      expect(() => rewrapStream(keyring, next, options)).toThrow(expect.objectContaining({ name }) as Error)
    }
    expect(await codeOf(rewrap(keyring, null as never, v2))).toBe('TypeError')
    expect(await codeOf(rewrap(keyring, next, 'text' as never))).toBe('TypeError')
    expect(() => rewrapStream(keyring, null as never)).toThrow(TypeError)
  })

  it('passes failures on, and stops when it is aborted', async () => {
    const out = { ...next, wrap: () => Promise.reject(new Error('out of service')) }
    for (const message of [v1, v2]) {
      await expect(rewrap(keyring, out, message, READ_ANY)).rejects.toThrow('out of service')
      const reason = new Error('no longer wanted')
      const signal = AbortSignal.abort(reason)
      await expect(rewrap(keyring, next, message, { ...READ_ANY, signal })).rejects.toBe(reason)
      const controller = new AbortController()
      const stream = rewrapStream(keyring, next, { ...READ_ANY, signal: controller.signal })
      const writer = stream.writable.getWriter()
      const writing = writer.write(message.slice(0, 10)).catch(() => undefined)
      const reading = stream.readable.getReader().read()
      controller.abort(reason)
      await expect(reading).rejects.toBe(reason)
      await expect(writer.closed).rejects.toBe(reason)
      await writing
    }
    await expect(throughStream(writeWith(algorithmSuites[9]!), READ_ANY, 50, out)).rejects.toThrow('out of service')
    for (const cut of [0, 5, 100, 500]) {
      expect(await codeOf(throughStream(writeWith(algorithmSuites[9]!).slice(0, cut), READ_ANY, 50))).toBe(
        'ERR_WAXSEAL_FORMAT',
      )
    }
  })

  it('writes no more keys than allowed', async () => {
    const three = multiKeyring({ children: [next, next, next] })
    const two = { ...READ_ANY, maxEncryptedDataKeys: 2 }
    for (const message of [v1, v2]) expect(await codeOf(rewrap(keyring, three, message, two))).toBe('ERR_WAXSEAL_LIMIT')
  })

  it('draws header IVs that no header and no frame has', () => {
    const ivs = Array.from({ length: 100 }, () => Buffer.from(freshHeaderIv(new Uint8Array(12))).toString('hex'))
    expect(new Set(ivs).size).toBe(100)
    const frameLike = [
      new Uint8Array(12),
      new Uint8Array(12).fill(255),
      Uint8Array.of(...new Uint8Array(8), 0, 0, 0, 7),
    ]
    for (const iv of frameLike) expect(isUsed(iv, text(12))).toBe(true)
    expect(isUsed(text(12), text(12))).toBe(true)
    expect(isUsed(text(12), new Uint8Array(12))).toBe(false)
  })
})

describe('a message whose frames were moved', () => {
  const other = takeApart(writeFramed(text(300), { frameLength: 30 }))
  const message = writeFramed(text(300), { frameLength: 30 })
  const { header, frames } = takeApart(message)
  const count = frames.length

  it('is not encrypted again: cut, extended, reordered, doubled, or with a frame of another message', async () => {
    const property = fc.asyncProperty(fc.nat(count - 1), fc.nat(count - 1), fc.nat(4), async (i, j, kind) => {
      const moved = [...frames]
      if (kind === 0) moved.splice(i, 1)
      else if (kind === 1) moved.splice(i, 0, frames[j]!)
      else if (kind === 2) [moved[i], moved[j]] = [frames[j]!, frames[i]!]
      else if (kind === 3) moved[i] = other.frames[i]!
      else moved.push(text(j + 1))
      const changed = join(header, moved)
      fc.pre(!Buffer.from(changed).equals(message))
      await expect(rewrap(keyring, next, changed)).rejects.toThrow(WaxsealError)
      const stream = new Blob([changed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(rewrapStream(keyring, next))
      await expect(new Response(stream).arrayBuffer()).rejects.toThrow(WaxsealError)
    })
    await fc.assert(property, { seed: 1, numRuns: 100 })
  })

  it('is as broken under a new header, which does not touch the frames', async () => {
    const v1 = takeApart(writeFramed(text(300), { frameLength: 30, suite: 0x0178 }))
    const moved = join(v1.header, [...v1.frames.slice(0, 2), v1.frames[3]!, v1.frames[2]!, ...v1.frames.slice(4)])
    const changed = await rewrap(keyring, next, moved, { ...READ_ANY, headerOnly: true })
    expect(() => decryptSync(next, changed, READ_ANY)).toThrow(WaxsealError)
    for (let place = 0; place < v1.header.length; place++) {
      const damaged = moved.slice()
      damaged[place]! ^= 1
      expect(await codeOf(rewrap(keyring, next, damaged, { ...READ_ANY, headerOnly: true }))).toMatch(/^ERR_WAXSEAL_/)
    }
  })
})
