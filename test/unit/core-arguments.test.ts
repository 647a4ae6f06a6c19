import { describe, expect, it } from 'vitest'
import { aesGcm, aesKw, aesKwp, hkdf, hmac, sha256, sha384, sha512, timingSafeEqual } from '../../bindings/core.ts'
import { expectSameBytes, patternBytes, thrownBy } from './core-data.ts'

const key = patternBytes(32, 1)
const iv = patternBytes(12, 2)
const data = patternBytes(64, 3)
const cipher = aesGcm(key)
const sealed = cipher.encrypt(iv, data, data)

/** Every place where the API takes bytes; `output` places are filled with room for their result. */
const inputs: Record<string, (bytes: Uint8Array) => unknown> = {
  'aesGcm key': (bytes) => aesGcm(bytes),
  'encrypt iv': (bytes) => cipher.encrypt(bytes, data),
  'encrypt plaintext': (bytes) => cipher.encrypt(iv, bytes),
  'encrypt aad': (bytes) => cipher.encrypt(iv, data, bytes),
  'decrypt iv': (bytes) => cipher.decrypt(bytes, sealed, data),
  'decrypt sealed': (bytes) => cipher.decrypt(iv, bytes, data),
  'decrypt aad': (bytes) => cipher.decrypt(iv, sealed, bytes),
  'encryptInto iv': (bytes) => cipher.encryptInto(bytes, data, new Uint8Array(80)),
  'encryptInto plaintext': (bytes) => cipher.encryptInto(iv, bytes, new Uint8Array(80)),
  'encryptInto output': (bytes) => cipher.encryptInto(iv, new Uint8Array(0), bytes),
  'encryptInto aad': (bytes) => cipher.encryptInto(iv, data, new Uint8Array(80), bytes),
  'decryptInto iv': (bytes) => cipher.decryptInto(bytes, sealed, new Uint8Array(64), data),
  'decryptInto sealed': (bytes) => cipher.decryptInto(iv, bytes, new Uint8Array(64), data),
  'decryptInto output': (bytes) => cipher.decryptInto(iv, sealed, bytes, data),
  'decryptInto aad': (bytes) => cipher.decryptInto(iv, sealed, new Uint8Array(64), bytes),
  sha256,
  sha384,
  sha512,
  'hmac key': (bytes) => hmac('sha256', bytes, data),
  'hmac data': (bytes) => hmac('sha512', key, bytes),
  'hkdf ikm': (bytes) => hkdf('sha256', bytes, { length: 32 }),
  'hkdf salt': (bytes) => hkdf('sha384', key, { salt: bytes, length: 32 }),
  'hkdf info': (bytes) => hkdf('sha512', key, { info: bytes, length: 32 }),
  'timingSafeEqual a': (bytes) => timingSafeEqual(bytes, data),
  'timingSafeEqual b': (bytes) => timingSafeEqual(data, bytes),
  'aesKw key': (bytes) => aesKw(bytes),
  'aesKw wrap': (bytes) => aesKw(key).wrap(bytes),
  'aesKw unwrap': (bytes) => aesKw(key).unwrap(bytes),
  'aesKwp key': (bytes) => aesKwp(bytes),
  'aesKwp wrap': (bytes) => aesKwp(key).wrap(bytes),
  'aesKwp unwrap': (bytes) => aesKwp(key).unwrap(bytes),
}

const optional = new Set(['encrypt aad', 'encryptInto aad', 'decrypt aad', 'decryptInto aad', 'hkdf salt', 'hkdf info'])

describe.each(Object.keys(inputs))('%s', (name) => {
  const call = inputs[name] ?? expect.fail(name)
  const callWith = (value: unknown) => (): unknown => call(value as Uint8Array)

  it('is a TypeError for anything that is not a Uint8Array', () => {
    const bytes = new Uint8Array(32)
    const others = {
      string: 'waxseal waxseal waxseal waxseal ',
      number: 32,
      array: Array.from(bytes),
      'array-like': { length: 32, byteLength: 32, 0: 1 },
      ArrayBuffer: bytes.buffer,
      DataView: new DataView(bytes.buffer),
      Uint8ClampedArray: new Uint8ClampedArray(bytes),
      Int8Array: new Int8Array(bytes),
      Uint16Array: new Uint16Array(16),
      null: null,
      'prototype only': Object.create(Uint8Array.prototype) as unknown,
    }
    for (const [kind, value] of Object.entries(others)) expect(callWith(value), kind).toThrow(TypeError)
    if (!optional.has(name)) expect(callWith(undefined), 'undefined').toThrow(TypeError)
  })

  it('is a TypeError for shared memory, also when it is empty', () => {
    for (const length of [32, 0]) {
      const shared = new Uint8Array(new SharedArrayBuffer(length))
      expect(callWith(shared), `${String(length)} bytes`).toThrow(TypeError)
    }
  })

  it('is a TypeError for a detached buffer', () => {
    const bytes = new Uint8Array(32)
    structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
    expect(bytes).toHaveLength(0)
    expect(callWith(bytes)).toThrow(TypeError)
  })
})

describe('lengths', () => {
  it('of AES keys other than 16, 24 and 32 bytes are a RangeError', () => {
    for (let length = 0; length <= 65; length++) {
      const make = (): unknown => aesGcm(new Uint8Array(length))
      if ([16, 24, 32].includes(length)) expect(make).not.toThrow()
      else expect(make, String(length)).toThrow(RangeError)
    }
  })

  it('of IVs other than 12 bytes are a RangeError, before any work', () => {
    const output = new Uint8Array(80).fill(0x55)
    for (const length of [0, 1, 8, 11, 13, 16, 60, 128]) {
      const wrong = new Uint8Array(length)
      expect(() => cipher.encrypt(wrong, data), String(length)).toThrow(RangeError)
      expect(() => cipher.decrypt(wrong, sealed, data), String(length)).toThrow(RangeError)
      expect(() => cipher.encryptInto(wrong, data, output), String(length)).toThrow(RangeError)
      expect(() => cipher.decryptInto(wrong, sealed, output, data), String(length)).toThrow(RangeError)
    }
    expect(output.every((byte) => byte === 0x55)).toBe(true)
  })

  it('are checked before data is authenticated: a RangeError, not a failed tag', () => {
    const forged = Uint8Array.from(sealed)
    forged[0]! ^= 1
    expect(thrownBy(() => cipher.decryptInto(iv, forged, new Uint8Array(63), data))).toBeInstanceOf(RangeError)
    expect(thrownBy(() => cipher.decrypt(new Uint8Array(13), forged, data))).toBeInstanceOf(RangeError)
  })
})

describe('names of hashes', () => {
  it.each(['sha1', 'SHA256', 'sha-256', 'md5', '', 'toString', '__proto__', 'constructor', 256, null, undefined])(
    'that are unknown are refused: %s',
    (name) => {
      for (const call of [() => hmac(name as 'sha256', key, data), () => hkdf(name as 'sha256', key, { length: 32 })]) {
        const error = thrownBy(call)
        expect(error instanceof RangeError || error instanceof TypeError, String(error)).toBe(true)
      }
    },
  )
})

describe('after refused calls', () => {
  it('the core works as before', () => {
    expectSameBytes(cipher.encrypt(iv, data, data), sealed)
    expectSameBytes(cipher.decrypt(iv, sealed, data), data)
  })
})
