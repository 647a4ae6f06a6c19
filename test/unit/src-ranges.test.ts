import { describe, expect, it } from 'vitest'
import { algorithmSuites, encrypt, encryptSync, inspect, multiKeyring, rawAesKeyring } from '../../src/index.ts'
import { decryptRange, openMessage } from '../../src/range.ts'
import type { Keyring } from '../../src/index.ts'
import type { OpenedMessage, OpenOptions, RandomAccessSource } from '../../src/range.ts'
import { CountingSource, keyring, text, writeFramed } from './framed-messages.ts'
import { codeOf } from './src-setup.ts'

const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt' } as const
const REGULAR = 32

describe('every range of every small message', () => {
  it.each([false, true])('is the slice of its plaintext (empty final frame: %s)', async (isFinalEmpty) => {
    for (let frameLength = 1; frameLength <= 7; frameLength++) {
      for (let size = 0; size <= 22; size += isFinalEmpty ? frameLength : 1) {
        const plaintext = text(size)
        const message = await openMessage(keyring, writeFramed(plaintext, { frameLength, isFinalEmpty }))
        expect(message.size).toBe(size)
        for (let start = 0; start <= size; start++) {
          for (let end = start; end <= size; end++) {
            expect(await message.read(start, end)).toEqual(plaintext.slice(start, end))
          }
          expect(await message.read(start)).toEqual(plaintext.slice(start))
          expect(await message.read(-start)).toEqual(start === 0 ? plaintext : plaintext.slice(-start))
        }
        expect(await message.read()).toEqual(plaintext)
        message.dispose()
      }
    }
  })

  it.each(algorithmSuites)('with $name, in each engine', async ({ id, signatureCurve, isCommitting }) => {
    const plaintext = text(1000)
    const options = { algorithmSuite: id, frameLength: 64, encryptionContext: { tenant: 'a' } }
    const commitmentPolicy = isCommitting ? undefined : ('forbid-encrypt-allow-decrypt' as const)
    const message = await encrypt(keyring, plaintext, { ...options, commitmentPolicy })
    for (const engine of ['auto', 'wasm', 'host'] as const) {
      const read: OpenOptions = { ...READ_ANY, engine, signedStreams: 'allow', encryptionContext: { tenant: 'a' } }
      const opened = await openMessage(keyring, message, read)
      expect(opened.size).toBe(1000)
      const ranges = [0, 1, 63, 64, 65, 500, 960, 999].flatMap((start) => [
        [start, start + 1],
        [start, Math.min(start + 130, 1000)],
        [start, 1000],
      ])
      const reads = ranges.map(([start = 0, end]) => opened.read(start, end))
      expect(await Promise.all(reads)).toEqual(ranges.map(([start, end]) => plaintext.slice(start, end)))
      opened.dispose()
    }
    if (signatureCurve !== undefined) {
      expect(await codeOf(openMessage(keyring, message, READ_ANY))).toBe('ERR_WAXSEAL_UNSUPPORTED')
    }
  })
})

describe('a large message', () => {
  const FRAME_LENGTH = 4096
  const plaintext = text(20_000_000)
  const message = encryptSync(keyring, plaintext, { frameLength: FRAME_LENGTH })

  it.each([
    [10_000_000, 10_000_001],
    [10_000_000, 10_100_000],
    [FRAME_LENGTH * 100, FRAME_LENGTH * 101],
    [0, 10],
    [19_999_999, 20_000_000],
  ])('is read little more than its frames for %i to %i', async (start, end) => {
    const source = new CountingSource(message)
    const { plaintext: range, header } = await decryptRange(keyring, source, start, end)
    expect(Buffer.from(range).equals(plaintext.subarray(start, end))).toBe(true)
    expect(header).toEqual(inspect(message))
    const frames = Math.ceil(end / FRAME_LENGTH) - Math.floor(start / FRAME_LENGTH)
    expect(source.bytesRead).toBeLessThanOrEqual(4096 + frames * (FRAME_LENGTH + REGULAR) + 8)
    expect(source.reads.length).toBeLessThanOrEqual(2)
  })

  it('is read to its end in windows, by any way to say so', async () => {
    const source = new CountingSource(message)
    const opened = await openMessage(keyring, source)
    for (const [start, end] of [[5_000_000], [-15_000_000], [-15_000_000, 20_000_000]] as const) {
      const range = await opened.read(start, end)
      expect(Buffer.from(range).equals(plaintext.subarray(5_000_000))).toBe(true)
    }
    expect(Math.max(...source.reads.map(({ length }) => length))).toBeLessThan(2 ** 22 + 2 ** 16)
    opened.dispose()
  })
})

describe('the key service', () => {
  it('is called once for any number of ranges', async () => {
    let calls = 0
    const counting: Keyring = {
      wrap: (materials) => keyring.wrap(materials),
      unwrap: (materials, keys) => {
        calls++
        return keyring.unwrap(materials, keys)
      },
    }
    const opened = await openMessage(counting, writeFramed(text(100), { frameLength: 9 }))
    await Promise.all(Array.from({ length: 50 }, (_, i) => opened.read(i, 100 - i)))
    expect(calls).toBe(1)
  })

  it('is not called for a message that is refused', async () => {
    const never: Keyring = {
      wrap: () => Promise.reject(new Error('not to be called')),
      unwrap: () => Promise.reject(new Error('not to be called')),
    }
    const message = writeFramed(text(100), { frameLength: 50 })
    const signed = encryptSync(keyring, text(5), { algorithmSuite: 0x0578 })
    const many = encryptSync(multiKeyring({ children: [keyring, keyring, keyring] }), text(5))
    const old = writeFramed(text(9), { frameLength: 5, suite: 0x0178 })
    const attempts: [Uint8Array, OpenOptions, string][] = [
      [message, { maxFrameLength: 49 }, 'ERR_WAXSEAL_LIMIT'],
      [Buffer.concat([message, Uint8Array.of(0)]), {}, 'ERR_WAXSEAL_FORMAT'],
      [message.subarray(0, 30), {}, 'ERR_WAXSEAL_FORMAT'],
      [message.subarray(0, inspect(message).byteLength), {}, 'ERR_WAXSEAL_FORMAT'],
      [new Uint8Array(0), {}, 'ERR_WAXSEAL_FORMAT'],
      [text(500), {}, 'ERR_WAXSEAL_FORMAT'],
      [signed, {}, 'ERR_WAXSEAL_UNSUPPORTED'],
      [signed.subarray(0, -3), { signedStreams: 'allow' }, 'ERR_WAXSEAL_FORMAT'],
      [many, { maxEncryptedDataKeys: 2 }, 'ERR_WAXSEAL_LIMIT'],
      [old, {}, 'ERR_WAXSEAL_COMMITMENT_POLICY'],
    ]
    for (const [bytes, options, code] of attempts) expect(await codeOf(openMessage(never, bytes, options))).toBe(code)
  })
})

describe('a range', () => {
  const message = writeFramed(text(100), { frameLength: 9 })

  it.each([
    [0, 101, RangeError],
    [101, undefined, RangeError],
    [101, 101, RangeError],
    [50, 49, RangeError],
    [-10, 50, RangeError],
    [0, -1, RangeError],
    [0.5, 1, RangeError],
    [Number.NaN, 1, RangeError],
    [0, Infinity, RangeError],
    [-Infinity, 5, RangeError],
    ['0', 5, TypeError],
    [null, 5, TypeError],
    [0, null, TypeError],
  ] as const)('from %s to %s is refused', async (start, end, error) => {
    const [from, to] = [start, end] as unknown as [number, number]
    await expect(decryptRange(keyring, message, from, to)).rejects.toThrow(error)
    const opened = await openMessage(keyring, message)
    await expect(opened.read(from, to)).rejects.toThrow(error)
  })

  it('beyond the end of a message that was cut off is an error of the message', async () => {
    const whole = writeFramed(text(64), { frameLength: 16 })
    const { byteLength } = inspect(whole)
    // At a frame's end: what remains has the length of a message with a final frame of 8 bytes.
    const cut = whole.subarray(0, byteLength + 3 * 48)
    const opened = await openMessage(keyring, cut)
    expect(opened.size).toBe(40)
    expect(await opened.read(0, 32)).toEqual(text(32))
    expect(await codeOf(opened.read(0, 50))).toBe('ERR_WAXSEAL_FORMAT')
    expect(await codeOf(opened.read(0, 40))).toBe('ERR_WAXSEAL_FORMAT')
    expect(await codeOf(opened.read(0, 33))).toBe('ERR_WAXSEAL_FORMAT')
    expect(await codeOf(opened.read(40, 40))).toBe('ERR_WAXSEAL_FORMAT')
    expect(await codeOf(opened.read(-40, 5))).toBe('ERR_WAXSEAL_FORMAT')
    expect(await codeOf(opened.read())).toBe('ERR_WAXSEAL_FORMAT')
  })

  it('counted from the end needs the final frame, though it is not in the range', async () => {
    const source = new CountingSource(writeFramed(text(9000), { frameLength: 900 }))
    const opened = await openMessage(keyring, source)
    source.reads = []
    expect(await opened.read(-9000, 10)).toEqual(text(10))
    expect(source.reads.at(0)).toEqual({ offset: source.size - 940, length: 940 })
    expect(await opened.read(-9000, 10)).toEqual(text(10))
    expect(source.reads).toHaveLength(1)
  })

  it('leaves no bytes when a later frame of it is forged', async () => {
    const large = encryptSync(keyring, text(9_000_000), { frameLength: 100_000 })
    large[large.length - 200_000]! ^= 1
    const opened = await openMessage(keyring, large)
    expect(await codeOf(opened.read(0, 9_000_000))).toBe('ERR_WAXSEAL_AUTHENTICATION')
    expect(Buffer.from(await opened.read(0, 8_000_000)).equals(text(8_000_000))).toBe(true)
  })
})

describe('a key, header or context', () => {
  const message = encryptSync(keyring, text(100), { encryptionContext: { tenant: 'a' }, frameLength: 10 })
  const other = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32) })

  it('that is another one is refused when the message is opened', async () => {
    const { byteLength } = inspect(message)
    expect(await codeOf(openMessage(other, message))).toBe('ERR_WAXSEAL_AUTHENTICATION')
    const wrong = { encryptionContext: { tenant: 'b' } }
    expect(await codeOf(openMessage(keyring, message, wrong))).toBe('ERR_WAXSEAL_ENCRYPTION_CONTEXT')
    for (let place = 0; place < byteLength; place++) {
      const changed = message.slice()
      changed[place]! ^= 1
      expect(await codeOf(openMessage(keyring, changed)), String(place)).toMatch(/^ERR_WAXSEAL_/)
    }
  })

  it('of required pairs is bound', async () => {
    const required = { encryptionContext: { tenant: 'a' }, requiredEncryptionContextKeys: ['tenant'] }
    const sealed = encryptSync(keyring, text(100), required)
    expect((await decryptRange(keyring, sealed, 5, 9, required)).plaintext).toEqual(text(9).slice(5))
    expect(await codeOf(decryptRange(keyring, sealed, 5, 9))).toBe('ERR_WAXSEAL_AUTHENTICATION')
  })

  it('of more than 4,096 bytes is read whole', async () => {
    const encryptionContext = Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`key ${i}`, 'x'.repeat(900)]))
    const sealed = encryptSync(keyring, text(100), { encryptionContext })
    const source = new CountingSource(sealed)
    const { plaintext, header } = await decryptRange(keyring, source, 5, 9)
    expect(plaintext).toEqual(text(9).slice(5))
    expect(header.byteLength).toBeGreaterThan(54_000)
    expect(source.bytesRead).toBe(sealed.length)
  })
})

describe('disposing and aborting', () => {
  /** Answers nothing before it is told to. */
  class SlowSource extends CountingSource {
    readonly waiting: (() => void)[] = []
    isSlow = false

    override async read(offset: number, length: number): Promise<Uint8Array> {
      if (this.isSlow) await new Promise<void>((resolve) => this.waiting.push(resolve))
      return super.read(offset, length)
    }
  }

  it.each(['wasm', 'host'] as const)('ends reads that are under way (engine %s)', async (engine) => {
    const source = new SlowSource(writeFramed(text(90_000), { frameLength: 900 }))
    const opened = await openMessage(keyring, source, { engine })
    source.isSlow = true
    const reads = [opened.read(50_000, 60_000), opened.read()]
    opened.dispose()
    opened.dispose()
    for (const proceed of source.waiting) proceed()
    for (const read of reads) expect(await codeOf(read)).toBe('ERR_WAXSEAL_DISPOSED')
    expect(await codeOf(opened.read(0, 1))).toBe('ERR_WAXSEAL_DISPOSED')
  })

  it('ends one read and no other', async () => {
    const source = new SlowSource(writeFramed(text(90_000), { frameLength: 900 }))
    const opened = await openMessage(keyring, source)
    source.isSlow = true
    const controller = new AbortController()
    const aborted = opened.read(50_000, 60_000, { signal: controller.signal })
    const other = opened.read(70_000, 70_001)
    controller.abort(new Error('no longer wanted'))
    await expect(aborted).rejects.toThrow('no longer wanted')
    for (const proceed of source.waiting) proceed()
    expect(await other).toEqual(text(70_001).slice(70_000))
    await expect(opened.read(0, 1, { signal: controller.signal })).rejects.toThrow('no longer wanted')
  })

  it('ends the opening, though source or key service do not listen', async () => {
    const reason = new Error('no longer wanted')
    const source: RandomAccessSource = { size: 500, read: () => new Promise(() => undefined) }
    const controller = new AbortController()
    const opening = openMessage(keyring, source, { signal: controller.signal })
    const sizing = openMessage(keyring, { ...source, size: new Promise<number>(() => undefined) }, controller)
    setTimeout(() => {
      controller.abort(reason)
    })
    await expect(opening).rejects.toBe(reason)
    await expect(sizing).rejects.toBe(reason)
    const aborted = { signal: AbortSignal.abort(reason) }
    await expect(openMessage(keyring, source, aborted)).rejects.toBe(reason)
  })

  it('is Symbol.dispose as well, where there is one', async () => {
    const opened: OpenedMessage = await openMessage(keyring, writeFramed(text(1), { frameLength: 1 }))
    const { dispose } = Symbol as { readonly dispose?: symbol }
    if (dispose !== undefined) (opened as unknown as Record<symbol, () => void>)[dispose]?.()
    else opened.dispose()
    expect(await codeOf(opened.read())).toBe('ERR_WAXSEAL_DISPOSED')
  })
})

describe('arguments', () => {
  const message = writeFramed(text(1), { frameLength: 1 })

  it.each([undefined, null, 5, 'text', [], {}, { size: 5 }, { read: () => message }, new Blob([])])(
    'that are no source are refused: %s',
    async (source) => {
      await expect(openMessage(keyring, source as never)).rejects.toThrow(TypeError)
    },
  )

  it.each([
    [{ maxFrameLength: 0 }, RangeError],
    [{ maxFrameLength: 1.5 }, RangeError],
    [{ signedStreams: 'yes' }, TypeError],
    [{ signal: {} }, TypeError],
    [{ engine: 'fast' }, TypeError],
    [null, TypeError],
  ] as const)('that are no options are refused: %o', async (options, error) => {
    await expect(openMessage(keyring, message, options as never)).rejects.toThrow(error)
  })

  it('that are no keyring are refused', async () => {
    await expect(openMessage(null as never, message)).rejects.toThrow(TypeError)
    await expect(decryptRange({} as never, message, 0)).rejects.toThrow(TypeError)
  })
})
