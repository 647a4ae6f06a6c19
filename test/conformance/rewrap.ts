import { algorithmSuites, decrypt, decryptStream, decryptSync, encrypt, encryptStream, inspect } from 'waxseal'
import { decryptRange } from 'waxseal/range'
import { detachedKeys, rewrap, rewrapKeys, rewrapStream } from 'waxseal/rewrap'
import { concat, pattern } from './bytes.ts'
import { equal, isFresh, rejects, sameBytes } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const old = aesKeyring(32, 'old')
const next = aesKeyring(24, 'next')
const plaintext = pattern(10_000)
const encryptionContext = { tenant: 'a' }
const READ_ANY = { commitmentPolicy: 'require-encrypt-allow-decrypt', signedStreams: 'allow' } as const

/** What comes out of a stream for these bytes, 1,000 at a time. */
async function through(
  { readable, writable }: TransformStream<Uint8Array, Uint8Array<ArrayBuffer>>,
  bytes: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const writing = async (): Promise<void> => {
    const writer = writable.getWriter()
    for (let at = 0; at < bytes.length; at += 1000) await writer.write(bytes.slice(at, at + 1000))
    await writer.close()
  }
  const reading = async (): Promise<Uint8Array<ArrayBuffer>> => {
    const chunks: Uint8Array[] = []
    const reader = readable.getReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return concat(...chunks)
      chunks.push(value)
    }
  }
  const [, result] = await Promise.all([writing(), reading()])
  return result
}

async function everySuite(): Promise<void> {
  for (const { id, isCommitting, signatureCurve, messageVersion } of algorithmSuites) {
    const commitmentPolicy = isCommitting ? undefined : 'forbid-encrypt-allow-decrypt'
    const options = { algorithmSuite: id, commitmentPolicy, encryptionContext } as const
    const message = await encrypt(old, plaintext, options)
    const isHeaderOnly = messageVersion === 1 && signatureCurve === undefined
    for (const changed of [
      await rewrap(old, next, message, READ_ANY),
      await through(rewrapStream(old, next, READ_ANY), message),
    ]) {
      const { plaintext: opened, header } = await decrypt(next, changed, { ...READ_ANY, encryptionContext })
      sameBytes(opened, plaintext, 'the plaintext')
      equal(header.messageId.join() === inspect(message).messageId.join(), isHeaderOnly, 'the message id is the same')
      await rejects(() => decrypt(old, changed, READ_ANY), EXPECTED.keyUnavailable, 'decrypt with the old key')
    }
    const forced = { ...READ_ANY, headerOnly: true }
    if (isHeaderOnly) await rewrap(old, next, message, forced)
    else await rejects(() => rewrap(old, next, message, forced), EXPECTED.unsupported, 'a new header alone')
  }
}

async function records(): Promise<void> {
  for (const algorithmSuite of [0x0478, 0x0578] as const) {
    const options = { algorithmSuite, encryptionContext, detachedKeys: true } as const
    const { message, keys } = await encrypt(old, plaintext, options)
    isFresh(message, 'the message')
    isFresh(keys, 'the record')
    const stream = encryptStream(old, options)
    const streamed = await through(stream, plaintext)
    await rejects(() => decrypt(old, message), EXPECTED.keyUnavailable, 'decrypt without the record')
    const foreign = { detachedKeys: await stream.keys }
    await rejects(() => decrypt(old, message, foreign), EXPECTED.keyUnavailable, 'decrypt with another record')
    for (const [sealed, record] of [
      [message, keys],
      [streamed, await stream.keys],
    ] as const) {
      const changed = await rewrapKeys(old, next, record)
      const reading = { ...READ_ANY, detachedKeys: changed }
      sameBytes((await decrypt(next, sealed, reading)).plaintext, plaintext, 'the plaintext')
      sameBytes((await decryptRange(next, sealed, 50, 99, reading)).plaintext, plaintext.subarray(50, 99), 'the range')
      sameBytes(await through(decryptStream(next, reading), sealed), plaintext, 'the stream')
      await rejects(() => decrypt(old, sealed, reading), EXPECTED.keyUnavailable, 'decrypt with the old key')
      const damaged = changed.slice()
      damaged[damaged.length - 200]! ^= 1
      await rejects(() => rewrapKeys(next, old, damaged.subarray(0, -1)), EXPECTED.format, 'a record that was cut off')
      await rejects(() => rewrapKeys(next, old, concat(changed, changed)), EXPECTED.format, 'a record that goes on')
    }
  }
}

async function synchronous(): Promise<void> {
  const { message, keys } = await encrypt(old, plaintext, { detachedKeys: true })
  sameBytes(decryptSync(detachedKeys(old, keys), message).plaintext, plaintext, 'the plaintext')
  const changed = keys.slice()
  changed[changed.length - 1]! ^= 1
  await rejects(() => decrypt(old, message, { detachedKeys: changed }), EXPECTED.authentication, 'another MAC')
  const forbidden = {
    detachedKeys: true,
    algorithmSuite: 0x0178,
    commitmentPolicy: 'forbid-encrypt-allow-decrypt',
  } as const
  await rejects(() => encrypt(old, plaintext, forbidden), EXPECTED.unsupported, 'a suite that does not commit')
}

/** New keys for old messages. */
export const rewrapCases: readonly Case[] = group('rewrap', {
  'every suite': everySuite,
  'detached keys': records,
  'detached keys, synchronous and refused': synchronous,
})
