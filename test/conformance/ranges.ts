import { algorithmSuites, encrypt } from 'waxseal'
import { blobSource, decryptRange, httpSource, openMessage, type HttpFetch, type OpenOptions } from 'waxseal/range'
import { pattern } from './bytes.ts'
import { equal, isFresh, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const keyring = aesKeyring()
const SIZE = 100_000
const plaintext = pattern(SIZE)
/** Start and end, around the ends of frames of 4,096 and of 65,536 bytes. */
const RANGES: readonly (readonly [number, number?])[] = [
  [0, 1],
  [0, SIZE],
  [4095, 4097],
  [8192, 12_288],
  [50_000, 90_000],
  [65_535, 65_537],
  [98_303, 98_305],
  [SIZE - 1],
  [-1],
  [-SIZE, 10],
  [500, 500],
]

async function everySuite(): Promise<void> {
  for (const { id, signatureCurve, isCommitting } of algorithmSuites) {
    const commitmentPolicy = isCommitting ? undefined : 'forbid-encrypt-allow-decrypt'
    const message = await encrypt(keyring, pattern(1000), { algorithmSuite: id, commitmentPolicy, frameLength: 100 })
    const options: OpenOptions = { commitmentPolicy: 'require-encrypt-allow-decrypt' }
    if (signatureCurve !== undefined) {
      await rejects(
        () => openMessage(keyring, message, options),
        EXPECTED.unsupported,
        'openMessage of a signed message',
      )
    }
    const allowing = { ...options, signedStreams: 'allow' } as const
    const range = await decryptRange(keyring, message, 99, 301, allowing)
    sameBytes(range.plaintext, pattern(1000).subarray(99, 301), 'the range')
    equal(range.header.algorithmSuite.id, id, 'the suite')
  }
}

async function everyEngine(): Promise<void> {
  for (const frameLength of [4096, 65_536]) {
    const message = await encrypt(keyring, plaintext, { frameLength })
    for (const engine of ['auto', 'wasm', 'host'] as const) {
      const opened = await openMessage(keyring, message, { engine })
      equal(opened.size, SIZE, 'the size')
      const reads = await Promise.all(RANGES.map(([start, end]) => opened.read(start, end)))
      reads.forEach((range, i) => {
        const [start, end] = RANGES[i]!
        sameBytes(range, plaintext.slice(start, end), `the range from ${start}`)
        isFresh(range, 'the range')
      })
      opened.dispose()
      await rejects(() => opened.read(0, 1), EXPECTED.disposed, 'read after dispose')
    }
  }
}

/** A server that knows ranges, and a fetch that asks it. */
function serving(bytes: Uint8Array<ArrayBuffer>, etag: string): HttpFetch {
  return async (_, { headers }) => {
    const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(headers.Range ?? '') ?? []
    const end = Math.min(Number(last) + 1, bytes.length)
    const range = `bytes ${first}-${end - 1}/${bytes.length}`
    return new Response(bytes.slice(Number(first), end), {
      status: 206,
      headers: { ETag: etag, 'Content-Range': range },
    })
  }
}

async function sources(): Promise<void> {
  const message = await encrypt(keyring, plaintext)
  const http = httpSource('https://example.test/message', { fetch: serving(message, '"1"') })
  const own = {
    size: Promise.resolve(message.length),
    read: (at: number, length: number) => message.slice(at, at + length),
  }
  for (const source of [message, blobSource(new Blob([message])), http, own]) {
    const range = await decryptRange(keyring, source, 40_000, 60_000)
    sameBytes(range.plaintext, plaintext.subarray(40_000, 60_000), 'the range')
  }
  const weak = httpSource('https://example.test/message', { fetch: serving(message, 'W/"1"') })
  await rejects(() => decryptRange(keyring, weak, 0, 1), EXPECTED.source, 'a weak tag')
  await rejects(() => decryptRange(keyring, { ...own, read: () => message }, 0, 1), EXPECTED.source, 'too many bytes')
  throws(() => httpSource('https://example.test/', { fetch: 5 as never }), EXPECTED.type, 'no fetch')
  await rejects(() => openMessage(keyring, new Blob([message]) as never), EXPECTED.type, 'a blob without its source')
}

async function failures(): Promise<void> {
  const message = await encrypt(keyring, plaintext, { encryptionContext: { tenant: 'a' }, frameLength: 10_000 })
  const changed = message.slice()
  changed[message.length - 50_000]! ^= 1
  for (const engine of ['wasm', 'host'] as const) {
    const opened = await openMessage(keyring, changed, { engine })
    sameBytes(await opened.read(0, 40_000), plaintext.subarray(0, 40_000), 'the frames before')
    await rejects(() => opened.read(), EXPECTED.authentication, 'the frame that was changed')
    opened.dispose()
  }
  await rejects(() => decryptRange(keyring, message, 0, SIZE + 1), EXPECTED.range, 'beyond the end')
  await rejects(() => decryptRange(keyring, message, 2, 1), EXPECTED.range, 'an end before the start')
  await rejects(() => decryptRange(keyring, message, '0' as never), EXPECTED.type, 'a start that is no number')
  await rejects(
    () => decryptRange(keyring, message.slice(0, -1), 99_999),
    EXPECTED.format,
    'a message that was cut off',
  )
  await rejects(() => openMessage(keyring, message, { maxFrameLength: 9999 }), EXPECTED.limit, 'long frames')
  const other = { encryptionContext: { tenant: 'b' } }
  await rejects(() => openMessage(keyring, message, other), EXPECTED.encryptionContext, 'another context')
  const reason = new RangeError('no longer wanted')
  const aborted = { signal: AbortSignal.abort(reason) }
  equal(await rejects(() => decryptRange(keyring, message, 0, 1, aborted), EXPECTED.range, 'aborted'), reason, 'reason')
}

/** Ranges of messages, from sources of each kind. */
export const rangeCases: readonly Case[] = group('ranges', {
  'every suite': everySuite,
  'every engine, several at once': everyEngine,
  'every source': sources,
  failures,
})
