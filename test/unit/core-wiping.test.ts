import { describe, expect, it } from 'vitest'
import { aesGcm, aesKw, aesKwp, hkdf, hmac, sha256, sha384, sha512, timingSafeEqual } from '../../bindings/core.ts'
import { AuthenticationError } from '../../bindings/errors.ts'
import { patternBytes } from './core-data.ts'

interface CapturedCore {
  readonly heap: Uint8Array<ArrayBuffer>
  readonly ioAddress: number
}

/** The core that the bindings make at their first call. */
function captureCore(): CapturedCore {
  const Original = WebAssembly.Instance
  const captured: WebAssembly.Instance[] = []
  WebAssembly.Instance = class extends Original {
    constructor(module: WebAssembly.Module, imports?: WebAssembly.Imports) {
      super(module, imports)
      captured.push(this)
    }
  }
  try {
    sha256(new Uint8Array(0))
  } finally {
    WebAssembly.Instance = Original
  }
  const exports = (captured[0] ?? expect.fail('the core was not instantiated')).exports as unknown as {
    memory: WebAssembly.Memory
    ioAddress: WebAssembly.Global
  }
  return { heap: new Uint8Array(exports.memory.buffer), ioAddress: Number(exports.ioAddress.value) }
}

const { heap, ioAddress } = captureCore()

/** Fails if any eight bytes in a row of `secret`, at a multiple of eight, stand in the core's memory. */
function expectGone(secret: Uint8Array, what: string): void {
  const memory = Buffer.from(heap.buffer)
  for (let at = 0; at + 8 <= secret.length; at += 8) {
    expect(memory.indexOf(secret.subarray(at, at + 8)), `${what}, from its byte ${String(at)}`).toBe(-1)
  }
}

const iv = patternBytes(12, 1)
const lengths = [0, 64, 1000, 70_000, 400_000]

/** Samples of a secret of any length, for memory is searched once for each eight bytes. */
function ends(secret: Uint8Array): Uint8Array[] {
  return secret.length <= 512 ? [secret] : [secret.slice(0, 256), secret.slice(-256)]
}

describe('after a call the core holds no', () => {
  it.each(lengths)('plaintext and key of AES-GCM; %d bytes', (length) => {
    const key = patternBytes(32, 100 + length)
    const plaintext = patternBytes(length, 101 + length)
    const aad = patternBytes(40, 102 + length)
    const cipher = aesGcm(key)
    const sealed = cipher.encrypt(iv, plaintext, aad)
    const check = (what: string): void => {
      for (const part of [key, ...ends(plaintext)]) expectGone(part, what)
    }
    check('after encrypt')
    cipher.decrypt(iv, sealed, aad)
    check('after decrypt')
    cipher.decryptInto(iv, sealed, new Uint8Array(length), aad)
    check('after decryptInto')
    cipher.encryptInto(iv, plaintext, new Uint8Array(length + 16), aad)
    check('after encryptInto')
    sealed[length] = (sealed[length] ?? 0) ^ 1
    expect(() => cipher.decrypt(iv, sealed, aad)).toThrow(AuthenticationError)
    check('after a forged message')
    cipher.dispose()
    check('after dispose')
  })

  it.each(lengths)('message or key of a hash; %d bytes', (length) => {
    const data = patternBytes(length, 200 + length)
    const key = patternBytes(100, 201 + length)
    for (const digest of [sha256, sha384, sha512]) expectGone(digest(data), 'a digest')
    expectGone(hmac('sha512', key, data), 'a MAC')
    expectGone(hmac('sha256', data, key), 'a MAC under a long key')
    for (const part of [key, ...ends(data)]) expectGone(part, 'a message or a key')
  })

  it.each(lengths)('secret of HKDF; %d bytes', (length) => {
    const ikm = patternBytes(length, 300 + length)
    const salt = patternBytes(64, 301 + length)
    const info = patternBytes(48, 302 + length)
    expectGone(hkdf('sha512', ikm, { salt, info, length: 200 }), 'output')
    expectGone(hkdf('sha384', salt, { salt: ikm, info, length: 100 }), 'output')
    for (const part of [...ends(ikm), salt]) expectGone(part, 'input')
  })

  it('key of key wrapping', () => {
    for (const [n, wrapping] of [aesKw(patternBytes(32, 400)), aesKwp(patternBytes(32, 400))].entries()) {
      const key = patternBytes(256, 401 + n)
      const wrapped = wrapping.wrap(key)
      expectGone(key, 'after wrap')
      wrapping.unwrap(wrapped)
      expectGone(key, 'after unwrap')
      wrapped[0] = (wrapped[0] ?? 0) ^ 1
      expect(() => wrapping.unwrap(wrapped)).toThrow(AuthenticationError)
      expectGone(key, 'after a forged one')
      expectGone(patternBytes(32, 400), 'the wrapping key')
    }
  })

  it('value that was compared', () => {
    const secret = patternBytes(300, 500)
    timingSafeEqual(secret, patternBytes(300, 500))
    expectGone(secret, 'a value')
  })
})

describe('a key context', () => {
  it('is gone once its cipher is disposed', () => {
    const before = heap.slice(0, ioAddress)
    const cipher = aesGcm(patternBytes(32, 600))
    // long enough for the tables of the powers of the hash subkey
    cipher.encrypt(iv, new Uint8Array(1024))
    const during = heap.slice(0, ioAddress)
    const written = [...during.keys()].filter((at) => during[at] !== before[at] && during[at] !== 0)
    // round keys and GHASH tables
    expect(written.length).toBeGreaterThan(2000)
    cipher.dispose()
    // the slot's generation, of four bytes, stays
    expect(written.filter((at) => heap[at] !== 0).length).toBeLessThanOrEqual(4)
  })
})

describe('this search', () => {
  it('finds a secret that was left behind', () => {
    const secret = patternBytes(40, 700)
    heap.set(secret.subarray(8, 16), ioAddress + 3)
    expect(() => {
      expectGone(secret, 'a secret')
    }).toThrow('from its byte 8')
    heap.fill(0, ioAddress, ioAddress + 40)
  })
})
