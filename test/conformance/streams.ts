import {
  algorithmSuites,
  decrypt,
  decryptStream,
  encrypt,
  encryptStream,
  inspect,
  type AlgorithmSuite,
  type DecryptStreamOptions,
  type Keyring,
} from 'waxseal'
import { concat, pattern } from './bytes.ts'
import { allZero, equal, isFresh, isTrue, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesPairKeyring } from './keyrings.ts'
import { pieces, pour, randomPieces, type Poured } from './pouring.ts'
import { nameOf, policyOf } from './round-trips.ts'
import { group, type Case } from './runtime.ts'
import { encryptPieces, fails, keyring, outputOf, settled, watched, ALLOW, SIGNED } from './stream-setup.ts'

/** Every chunking gives the message to readers of bytes, and the plaintext of what writers of bytes wrote. */
function suiteCase(suite: AlgorithmSuite): Case {
  return {
    name: `streams: round trips, ${nameOf(suite)}`,
    run: async () => {
      const isSigned = suite.signatureCurve !== undefined
      const commitmentPolicy = policyOf(suite)
      const options = { algorithmSuite: suite.id, commitmentPolicy, frameLength: 100, encryptionContext: { a: 'b' } }
      for (const length of [0, 1, 99, 100, 101, 200, 250]) {
        const plaintext = pattern(length, length)
        for (const step of isSigned ? [37] : [1, 37, 1000]) {
          const writing = encryptStream(keyring, options)
          const message = await outputOf(pour(writing, pieces(plaintext, step)))
          const size = await writing.size(length)
          if (isSigned) isTrue(message.length <= size && size - message.length < 8, `${size} bounds ${message.length}`)
          else equal(message.length, size, 'the size of the message')
          sameBytes((await decrypt(keyring, message, { commitmentPolicy })).plaintext, plaintext, 'decrypt')
          const reading = decryptStream(keyring, { commitmentPolicy, ...ALLOW })
          sameBytes(await outputOf(pour(reading, pieces(message, step))), plaintext, 'decryptStream')
          equal(await reading.header, inspect(message), 'the header')
        }
      }
    },
  }
}

async function engines(): Promise<void> {
  const plaintext = pattern(700_001)
  for (const engine of ['auto', 'wasm', 'host'] as const) {
    for (const frameLength of [1000, 65_536, 300_000]) {
      for (const longest of [5000, 200_000, 700_001]) {
        const options = { engine, frameLength }
        const message = await encryptPieces(randomPieces(plaintext, frameLength, longest), options)
        sameBytes((await decrypt(keyring, message)).plaintext, plaintext, `decrypt, ${engine}, ${frameLength}`)
        const reading = decryptStream(keyring, { engine })
        sameBytes(await outputOf(pour(reading, randomPieces(message, longest, longest))), plaintext, 'decryptStream')
      }
    }
  }
}

async function pipes(): Promise<void> {
  const plaintext = pattern(100_000)
  const input = pieces(plaintext, 1000, 1)
  const source = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = input.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
  })
  const { readable, writable } = encryptStream(keyring)
  const reading = decryptStream(keyring)
  const piped = source.pipeTo(writable)
  const second = readable.pipeThrough(reading)
  const reader = second.getReader()
  const chunks: Uint8Array[] = []
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    chunks.push(value)
  }
  await piped
  sameBytes(concat(...chunks), plaintext, 'the plaintext')
}

async function laziness(): Promise<void> {
  const watch = watched()
  const writing = encryptStream(watch.keyring)
  const reading = decryptStream(watch.keyring)
  await settled()
  equal(watch.calls, 0, 'the calls before the first chunk')
  const size = await writing.size(10)
  const message = await outputOf(pour(writing, pieces(pattern(10), 3)))
  equal(message.length, size, 'the size that was asked before the first chunk')
  equal(watch.calls, 1, 'the calls for a size and a message')
  const writer = reading.writable.getWriter()
  const written = writer.write(message).then(() => writer.close())
  // Before anything is read.
  equal(await reading.header, inspect(message), 'the header')
  const reader = reading.readable.getReader()
  sameBytes((await reader.read()).value ?? new Uint8Array(0), pattern(10), 'the plaintext')
  isTrue((await reader.read()).done, 'the stream ends')
  await written
  equal(watch.calls, 2, 'the calls of both')
}

async function backPressure(): Promise<void> {
  const message = await encrypt(keyring, pattern(100_000), { frameLength: 1000 })
  for (const [stream, bytes] of [
    [encryptStream(keyring, { frameLength: 1000 }), pattern(100_000)],
    [decryptStream(keyring), message],
  ] as const) {
    const writer = stream.writable.getWriter()
    let accepted = 0
    const writes = [...pieces(bytes, 2000)].map((piece) => writer.write(piece).then(() => accepted++))
    await settled()
    isTrue(accepted <= 2 && (writer.desiredSize ?? 0) <= 0, `${accepted} writes are accepted before a read`)
    const reader = stream.readable.getReader()
    for (let i = 0; i < 5; i++) await reader.read()
    await settled()
    isTrue(accepted >= 3 && accepted <= 12, `${accepted} writes are accepted after five reads`)
    await reader.cancel('enough')
    await Promise.allSettled(writes)
  }
}

/** A large chunk comes out in parts, as it is asked for. */
async function largeChunks(): Promise<void> {
  const plaintext = pattern(2_000_000)
  const message = await encrypt(keyring, plaintext)
  const { chunks, output } = await pour(decryptStream(keyring), [message])
  sameBytes(output, plaintext, 'the plaintext')
  for (const { length } of chunks) isTrue(length <= 300_000, `a part has ${length} bytes`)
  const writing = await pour(encryptStream(keyring), [plaintext])
  sameBytes((await decrypt(keyring, writing.output)).plaintext, plaintext, 'the plaintext')
  for (const { length } of writing.chunks) isTrue(length <= 300_000, `a part has ${length} bytes`)
}

async function signed(): Promise<void> {
  const plaintext = pattern(40)
  const message = await encrypt(keyring, plaintext, SIGNED)
  const watch = watched()
  const refused = await pour(decryptStream(watch.keyring), pieces(message, 50))
  fails(refused, EXPECTED.unsupported, 'a signed message')
  equal(watch.calls, 0, 'the calls of the keyring')
  for (const step of [1, 50, 1000]) {
    const reading = (bytes: Uint8Array): Promise<Poured> => pour(decryptStream(keyring, ALLOW), pieces(bytes, step))
    sameBytes(await outputOf(reading(message)), plaintext, 'the plaintext')
    const forged = message.slice()
    forged[forged.length - 1]! ^= 1
    const poured = await reading(forged)
    fails(poured, EXPECTED.authentication, 'another signature')
    sameBytes(poured.output, plaintext.subarray(0, 32), 'what came out: all but the final frame')
    for (const chunk of poured.chunks) isFresh(chunk, 'each chunk')
    const cut = await reading(message.subarray(0, -1))
    fails(cut, EXPECTED.format, 'a cut signature')
    sameBytes(cut.output, plaintext.subarray(0, 32), 'what came out: all but the final frame')
    fails(await reading(concat(message, pattern(1))), EXPECTED.format, 'a byte after the signature')
    fails(await reading(concat(message, pattern(100_000))), EXPECTED.format, 'many bytes after the signature')
  }
}

/** Cut off at each byte, it is a prefix of the plaintext and then an error. */
async function truncation(): Promise<void> {
  for (const options of [{ frameLength: 16 }, SIGNED]) {
    const plaintext = pattern(40)
    const message = await encrypt(keyring, plaintext, options)
    for (let length = 0; length < message.length; length++) {
      const poured = await pour(decryptStream(keyring, ALLOW), pieces(message.subarray(0, length), 29, 64, 1))
      fails(poured, EXPECTED.format, `the first ${length} bytes`)
      sameBytes(poured.output, plaintext.subarray(0, poured.output.length), 'what came out')
    }
  }
  const message = await encrypt(keyring, pattern(40))
  fails(await pour(decryptStream(keyring), [message, pattern(1)]), EXPECTED.format, 'a byte after the message')
  fails(await pour(decryptStream(keyring), [message, message]), EXPECTED.format, 'the message twice')
}

async function tampering(): Promise<void> {
  const plaintext = pattern(64)
  const message = await encrypt(keyring, plaintext, { frameLength: 16 })
  const { byteLength } = inspect(message)
  const watch = watched()
  for (const step of [1, 1000]) {
    for (const at of [byteLength - 1, byteLength + 4, byteLength + 16, byteLength + 47, byteLength + 48 + 16]) {
      const changed = message.slice()
      changed[at]! ^= 1
      const reading = decryptStream(watch.keyring)
      const poured = await pour(reading, pieces(changed, step))
      fails(poured, EXPECTED.authentication, `byte ${at}`)
      isTrue(poured.output.length === (at > byteLength + 48 && step === 1 ? 16 : 0), 'only frames before it came out')
      if (at < byteLength) await rejects(() => reading.header, EXPECTED.authentication, 'header')
      else equal(await reading.header, inspect(message), 'the header')
    }
  }
  for (const dataKey of watch.dataKeys) allZero(dataKey, 'the data key')
}

async function limits(): Promise<void> {
  const message = await encrypt(keyring, pattern(1000), { frameLength: 1000 })
  const watch = watched()
  const long = decryptStream(watch.keyring, { maxFrameLength: 999 })
  fails(await pour(long, pieces(message, 7)), EXPECTED.limit, 'a frame of 1000 bytes')
  equal(watch.calls, 0, 'the calls of the keyring')
  const allowed = decryptStream(keyring, { maxFrameLength: 1000 })
  sameBytes(await outputOf(pour(allowed, pieces(message, 7))), pattern(1000), 'the plaintext')
  const huge = await encrypt(keyring, pattern(10), { frameLength: 2 ** 32 - 1 })
  fails(await pour(decryptStream(keyring), [huge]), EXPECTED.limit, 'frames of four gibibytes')
  const raised = { maxFrameLength: 2 ** 32 }
  sameBytes(await outputOf(pour(decryptStream(keyring, raised), pieces(huge, 9))), pattern(10), 'the plaintext')

  const bounded = { plaintextLength: 100, frameLength: 30 }
  fails(await pour(encryptStream(keyring, bounded), pieces(pattern(101), 10)), EXPECTED.limit, 'a byte too much')
  for (const length of [0, 99, 100]) {
    const written = await encryptPieces(pieces(pattern(length), 10), bounded)
    sameBytes((await decrypt(keyring, written)).plaintext, pattern(length), 'the plaintext')
  }
  const three = await encrypt(aesPairKeyring(), pattern(1))
  const few = decryptStream(watch.keyring, { maxEncryptedDataKeys: 2 })
  fails(await pour(few, pieces(three, 1)), EXPECTED.limit, 'three encrypted data keys')
  equal(watch.calls, 0, 'the calls of the keyring')
}

async function requiredContext(): Promise<void> {
  const required = { encryptionContext: { tenant: 'a', b: 'c' }, requiredEncryptionContextKeys: ['tenant'] }
  const message = await encryptPieces(pieces(pattern(50), 8), required)
  equal({ ...inspect(message).encryptionContext }, { b: 'c' }, 'the stored context')
  const read = (options: DecryptStreamOptions): Promise<Poured> => pour(decryptStream(keyring, options), [message])
  sameBytes(await outputOf(read(required)), pattern(50), 'the plaintext')
  fails(await read({}), EXPECTED.authentication, 'without the pair')
  fails(await read({ ...required, encryptionContext: { tenant: 'a', d: 'e' } }), EXPECTED.encryptionContext, 'a lack')
}

async function mistakes(): Promise<void> {
  const mistake = (value: unknown): never => value as never
  for (const open of [encryptStream, decryptStream]) {
    throws(() => open(mistake(undefined)), EXPECTED.type, 'no keyring')
    throws(() => open(keyring, mistake(null)), EXPECTED.type, 'null for options')
    throws(() => open(keyring, { signal: mistake({}) }), EXPECTED.type, 'a signal that is none')
    throws(() => open(keyring, { engine: mistake('fast') }), EXPECTED.type, 'an engine that is none')
    for (const chunk of ['text', null, 5, new ArrayBuffer(5), new Uint16Array(5), [1, 2]]) {
      fails(await pour(open(keyring), [mistake(chunk)]), EXPECTED.type, Object.prototype.toString.call(chunk))
    }
  }
  for (const length of [-1, 1.5, NaN, Infinity, 2 ** 50 + 1, mistake('5')]) {
    throws(() => encryptStream(keyring, { plaintextLength: length }), EXPECTED.range, `plaintextLength ${length}`)
    await rejects(() => encryptStream(keyring).size(length), EXPECTED.range, `size of ${length}`)
    if (length !== 2 ** 50 + 1) {
      throws(() => decryptStream(keyring, { maxFrameLength: length }), EXPECTED.range, `maxFrameLength ${length}`)
    }
  }
  await rejects(() => encryptStream(keyring, { frameLength: 1 }).size(2 ** 32), EXPECTED.range, 'too many frames')
  throws(() => decryptStream(keyring, { signedStreams: mistake(true) }), EXPECTED.type, 'true for signedStreams')
  const failing: Keyring = {
    wrap: () => Promise.reject(new RangeError('out of service')),
    unwrap: () => Promise.reject(new RangeError('out of service')),
  }
  fails(await pour(encryptStream(failing), [pattern(5)]), EXPECTED.range, 'a keyring that fails')
  await rejects(() => encryptStream(failing).size(5), EXPECTED.range, 'size with a keyring that fails')
  const message = await encrypt(keyring, pattern(5))
  fails(await pour(decryptStream(failing), [message]), EXPECTED.keyUnavailable, 'a keyring that fails')
  fails(await pour(decryptStream(keyring), [new TextEncoder().encode('no message')]), EXPECTED.format, 'no message')
}

/** Messages and plaintexts of any length in constant memory. */
export const streamCases: readonly Case[] = [
  ...algorithmSuites.map(suiteCase),
  ...group('streams', {
    'every engine, frames and chunks of any length': engines,
    'through pipes': pipes,
    'nothing is asked before the first chunk, and the header is there before a read': laziness,
    'back-pressure': backPressure,
    'chunks that are long': largeChunks,
    'signed messages': signed,
    'cut off at any byte, or followed by one': truncation,
    'a changed byte': tampering,
    limits,
    'required encryption context': requiredContext,
    "a caller's mistakes": mistakes,
  }),
]
