import { decrypt, decryptSync, encrypt, encryptSync, inspect, rawAesKeyring, type Keyring } from 'waxseal'
import { aesGcm, aesKw, aesKwp, hkdf, hmac, sha256, sha384, sha512, timingSafeEqual } from 'waxseal/core'
import { concat, pattern } from './bytes.ts'
import { equal, fail, isFresh, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring, NAMESPACE } from './keyrings.ts'
import { group, type Case, type Runtime } from './runtime.ts'

const IV = pattern(12, 2)
const KEY = pattern(32, 3)
const keyring = aesKeyring()

/** A call that takes bytes: what it is called, an input that is right, and what it answers to it. */
interface Taker {
  readonly name: string
  readonly input: Uint8Array
  readonly act: (bytes: Uint8Array) => Uint8Array | undefined
}

/** Every parameter of the public calls that takes bytes and answers at once. */
function takers(): readonly Taker[] {
  const gcm = aesGcm(KEY)
  const message = encryptSync(keyring, pattern(100))
  const into = (act: (output: Uint8Array) => number, length: number): Uint8Array => {
    const output = new Uint8Array(length)
    equal(act(output), length, 'the bytes written')
    return output
  }
  const text = pattern(40)
  const sealed = gcm.encrypt(IV, text, text)
  return [
    { name: 'aesGcm key', input: KEY, act: (key) => aesGcm(key).encrypt(IV, text) },
    { name: 'aesGcm encrypt iv', input: IV, act: (iv) => gcm.encrypt(iv, text) },
    { name: 'aesGcm encrypt plaintext', input: text, act: (plaintext) => gcm.encrypt(IV, plaintext) },
    { name: 'aesGcm encrypt aad', input: text, act: (aad) => gcm.encrypt(IV, text, aad) },
    {
      name: 'aesGcm encryptInto',
      input: text,
      act: (bytes) => into((output) => gcm.encryptInto(IV, bytes, output), 56),
    },
    { name: 'aesGcm decrypt sealed', input: sealed, act: (bytes) => gcm.decrypt(IV, bytes, text) },
    { name: 'aesGcm decrypt aad', input: text, act: (aad) => gcm.decrypt(IV, sealed, aad) },
    {
      name: 'aesGcm decryptInto',
      input: sealed,
      act: (bytes) => into((output) => gcm.decryptInto(IV, bytes, output, text), 40),
    },
    { name: 'sha256', input: text, act: sha256 },
    { name: 'sha384', input: text, act: sha384 },
    { name: 'sha512', input: text, act: sha512 },
    { name: 'hmac key', input: KEY, act: (key) => hmac('sha256', key, text) },
    { name: 'hmac data', input: text, act: (data) => hmac('sha512', KEY, data) },
    { name: 'hkdf ikm', input: KEY, act: (ikm) => hkdf('sha256', ikm, { length: 50 }) },
    { name: 'hkdf salt', input: IV, act: (salt) => hkdf('sha256', KEY, { salt, length: 50 }) },
    { name: 'hkdf info', input: text, act: (info) => hkdf('sha512', KEY, { info, length: 50 }) },
    { name: 'timingSafeEqual', input: text, act: (bytes) => Uint8Array.of(Number(timingSafeEqual(bytes, text))) },
    { name: 'aesKw key', input: KEY, act: (key) => aesKw(key).wrap(KEY) },
    { name: 'aesKw wrap', input: KEY, act: (key) => aesKw(KEY).wrap(key) },
    { name: 'aesKw unwrap', input: aesKw(KEY).wrap(KEY), act: (wrapped) => aesKw(KEY).unwrap(wrapped) },
    { name: 'aesKwp wrap', input: text, act: (key) => aesKwp(KEY).wrap(key) },
    { name: 'inspect', input: message, act: (bytes) => Uint8Array.from(inspect(bytes).messageId) },
    { name: 'decryptSync', input: message, act: (bytes) => decryptSync(keyring, bytes).plaintext },
    {
      name: 'encryptSync',
      input: text,
      act: (bytes) => decryptSync(keyring, encryptSync(keyring, bytes)).plaintext,
    },
    {
      name: 'rawAesKeyring wrappingKey',
      input: pattern(32, 32),
      act: (wrappingKey) =>
        decryptSync(rawAesKeyring({ namespace: NAMESPACE, name: 'aes-32', wrappingKey }), message).plaintext,
    },
  ]
}

function eachTaker(check: (taker: Taker) => void): void {
  for (const taker of takers()) {
    try {
      check(taker)
    } catch (error) {
      fail(`${taker.name}: ${String(error)}`)
    }
  }
}

/** Every taker must answer to the variant what it answers to the plain array, in memory of its own. */
function takesLike(variantOf: (input: Uint8Array) => { readonly bytes: Uint8Array; readonly check: () => void }): void {
  eachTaker(({ input, act }) => {
    const expected = act(input.slice())
    const { bytes, check } = variantOf(input)
    const answer = act(bytes)
    if (expected !== undefined && answer !== undefined) {
      sameBytes(answer, expected, 'the answer')
      isFresh(answer, 'the answer')
    }
    check()
  })
}

const BEFORE = pattern(13, 50)
const AFTER = pattern(29, 51)

function subarrays(): void {
  takesLike((input) => {
    const whole = concat(BEFORE, input, AFTER)
    const expected = whole.slice()
    const bytes = whole.subarray(BEFORE.length, BEFORE.length + input.length)
    return { bytes, check: () => sameBytes(whole, expected, 'the buffer around the input') }
  })
}

function outputsInLargerBuffers(): void {
  const gcm = aesGcm(KEY)
  const sealed = gcm.encrypt(IV, pattern(40))
  const whole = pattern(200, 8)
  gcm.encryptInto(IV, pattern(40), whole.subarray(20, 100))
  sameBytes(whole, concat(pattern(200, 8).subarray(0, 20), sealed, pattern(200, 8).subarray(76)), 'encryptInto')
  gcm.decryptInto(IV, sealed, whole.subarray(20, 100))
  sameBytes(whole.subarray(20, 60), pattern(40), 'decryptInto')
  sameBytes(whole.subarray(60, 76), sealed.subarray(40), 'behind the output of decryptInto')
  gcm.dispose()
}

interface BufferLike extends Uint8Array {
  readonly inspect: unknown
}

function bufferClass(): { from(bytes: Uint8Array): BufferLike } | undefined {
  return (globalThis as unknown as { readonly Buffer?: { from(bytes: Uint8Array): BufferLike } }).Buffer
}

/** A small Buffer is a view of a pool that it shares with others. */
function buffers({ hasBuffer }: Runtime): void {
  const Buffer = bufferClass()
  equal(Buffer !== undefined, hasBuffer, 'there is a Buffer')
  if (Buffer === undefined) return
  takesLike((input) => {
    const bytes = Buffer.from(input)
    return { bytes, check: () => sameBytes(bytes, input, 'the input') }
  })
}

function sharedMemory(pages: number): ArrayBufferLike | undefined {
  // Browsers hide the constructor from pages that are not isolated, and not the memory itself.
  if (typeof SharedArrayBuffer === 'function') return new SharedArrayBuffer(pages * 65_536)
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer
  } catch {
    return undefined
  }
}

async function shared({ hasSharedMemory }: Runtime): Promise<void> {
  const memory = sharedMemory(1)
  equal(memory !== undefined, hasSharedMemory, 'there is shared memory')
  if (memory === undefined) return
  const sharedCopy = (input: Uint8Array): Uint8Array => {
    const view = new Uint8Array(memory, 0, input.length)
    view.set(input)
    return view
  }
  eachTaker(({ input, act }) => {
    throws(() => act(sharedCopy(input)), EXPECTED.type, 'shared memory')
  })
  await rejects(() => encrypt(keyring, sharedCopy(KEY)), EXPECTED.type, 'encrypt')
  await rejects(() => decrypt(keyring, sharedCopy(KEY)), EXPECTED.type, 'decrypt')
  throws(() => aesGcm(KEY).encryptInto(IV, pattern(4), sharedCopy(KEY)), EXPECTED.type, 'a shared output')
}

function detachedCopy(input: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(input)
  structuredClone(copy.buffer, { transfer: [copy.buffer] })
  equal(copy.length, 0, 'the length of a detached array')
  return copy
}

async function detached(): Promise<void> {
  eachTaker(({ input, act }) => {
    throws(() => act(detachedCopy(input)), EXPECTED.type, 'a detached buffer')
  })
  await rejects(() => encrypt(keyring, detachedCopy(KEY)), EXPECTED.type, 'encrypt')
  await rejects(() => decrypt(keyring, detachedCopy(KEY)), EXPECTED.type, 'decrypt')
}

/** A buffer that can be resized, where the runtime has such (ES2024), with the bytes in it. */
function resizableBuffer(input: Uint8Array): {
  readonly buffer: ArrayBuffer
  readonly resize: (length: number) => void
} {
  const options = { maxByteLength: input.length }
  const buffer = new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(input.length, options)
  new Uint8Array(buffer).set(input)
  return {
    buffer,
    resize: (length) => {
      if ('resize' in buffer) (buffer.resize as (length: number) => void)(length)
      else structuredClone(buffer, { transfer: [buffer] })
    },
  }
}

const resizableCopy = (input: Uint8Array): Uint8Array => new Uint8Array(resizableBuffer(input).buffer, 0, input.length)

async function resizable(): Promise<void> {
  takesLike((input) => ({ bytes: resizableCopy(input), check: () => undefined }))
  for (const engine of ['wasm', 'auto'] as const) {
    // Long enough for the runtime's own AES.
    const plaintext = pattern(300_000)
    const options = { engine, frameLength: 65_536 }
    const message = await encrypt(keyring, resizableCopy(plaintext), options)
    const opened = await decrypt(keyring, resizableCopy(message), { engine })
    sameBytes(opened.plaintext, plaintext, `the plaintext, ${engine}`)
    const forged = resizableCopy(message)
    forged[200_000]! ^= 1
    await rejects(() => decrypt(keyring, forged, { engine }), EXPECTED.authentication, 'a changed message')
  }
  eachTaker(({ input, act }) => {
    const { buffer, resize } = resizableBuffer(input)
    const bytes = new Uint8Array(buffer, 0, input.length)
    resize(input.length - 1)
    throws(() => act(bytes), EXPECTED.type, 'a buffer that was shrunk')
  })
}

/** A buffer that is shrunk while a key service is asked: a view of a part of it, and one that is as long as it. */
async function shrunkMeanwhile(): Promise<void> {
  for (const length of [500, undefined]) {
    const { buffer, resize } = resizableBuffer(pattern(1000))
    const shrinking: Keyring = {
      unwrap: () => undefined,
      wrap: async (materials) => {
        resize(10)
        await keyring.wrap(materials)
      },
    }
    await rejects(() => encrypt(shrinking, new Uint8Array(buffer, 0, length)), EXPECTED.type, `a view of ${length}`)
  }
}

async function otherTypes(): Promise<void> {
  const others = [undefined, null, 'text', 5, [1, 2], new ArrayBuffer(32), new DataView(new ArrayBuffer(32))]
  for (const other of [...others, new Uint16Array(16), new Uint8ClampedArray(32), { length: 32 }]) {
    const value = other as never
    eachTaker(({ name, act }) => {
      // What may be left out may be undefined.
      const isOptional = /aad|salt|info/.test(name) && other === undefined
      if (!isOptional) throws(() => act(value), EXPECTED.type, Object.prototype.toString.call(value))
    })
    await rejects(() => encrypt(keyring, value), EXPECTED.type, 'encrypt')
    await rejects(() => decrypt(keyring, value), EXPECTED.type, 'decrypt')
  }
}

/** A whole message round as a view of a larger buffer, later as well as at once. */
async function asynchronous(runtime: Runtime): Promise<void> {
  const Buffer = runtime.hasBuffer ? bufferClass() : undefined
  const variants = [
    (bytes: Uint8Array) => concat(BEFORE, bytes, AFTER).subarray(BEFORE.length, BEFORE.length + bytes.length),
    ...(Buffer === undefined ? [] : [(bytes: Uint8Array) => Buffer.from(bytes)]),
  ]
  for (const variant of variants) {
    const message = await encrypt(keyring, variant(pattern(10_000)))
    isFresh(message, 'the message')
    const { plaintext, header } = await decrypt(keyring, variant(message))
    isFresh(plaintext, 'the plaintext')
    isFresh(header.messageId, 'the message id')
    sameBytes(plaintext, pattern(10_000), 'the plaintext')
  }
}

/** Bytes in whatever form a user has them: the right bytes and no neighbours', or a TypeError. */
export const inputCases: readonly Case[] = group('inputs', {
  'a subarray of a larger buffer': subarrays,
  'an output in a larger buffer': outputsInLargerBuffers,
  'a Buffer': buffers,
  'shared memory': shared,
  'a detached buffer': detached,
  'a resizable buffer': resizable,
  'a buffer that shrinks during a call': shrunkMeanwhile,
  'other types': otherTypes,
  'messages in views of larger buffers': asynchronous,
})
