import { createCipheriv, createHash, createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aesKw, aesKwp, hkdf, hmac, sha256, sha384, sha512, timingSafeEqual } from '../../bindings/core.ts'
import type { HashName } from '../../bindings/core.ts'
import { AuthenticationError } from '../../bindings/errors.ts'
import { expectFresh, expectSameBytes, HASH_BYTES, HASHES, patternBytes, SEED, withNeighbours } from './core-data.ts'

const digests: Readonly<Record<HashName, (data: Uint8Array) => Uint8Array>> = { sha256, sha384, sha512 }
const LARGE = [0xffff, 0x50000, 0x57fff, 0x58000, 0x58001, 0x60001, 1_048_576, 5 * 1024 * 1024 + 111]

/** RFC 5869 over node's HMAC: node's own hkdf refuses an info longer than 1,024 bytes. */
function hkdfOracle(hash: HashName, ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  const prk = createHmac(hash, salt).update(ikm).digest()
  const blocks: Buffer[] = []
  let previous: Uint8Array = new Uint8Array(0)
  for (let i = 1; blocks.length * HASH_BYTES[hash] < length; i++) {
    const block = createHmac(hash, prk).update(previous).update(info).update(Buffer.of(i)).digest()
    blocks.push(block)
    previous = block
  }
  return Buffer.concat(blocks).subarray(0, length)
}

function wrapOracle(key: Uint8Array, plaintext: Uint8Array, isPadded: boolean): Uint8Array {
  const name = `id-aes${String(key.length * 8)}-wrap${isPadded ? '-pad' : ''}`
  const cipher = createCipheriv(name, key, Buffer.from(isPadded ? 'a65959a6' : 'a6a6a6a6a6a6a6a6', 'hex'))
  return Buffer.concat([cipher.update(plaintext), cipher.final()])
}

describe.each(HASHES)('%s agrees with OpenSSL', (hash) => {
  it('for every length from 0 to 600, and large ones', () => {
    for (const length of [...Array(601).keys(), ...LARGE]) {
      const data = patternBytes(length, length)
      expectSameBytes(digests[hash](data), createHash(hash).update(data).digest(), `${String(length)} bytes`)
    }
  })

  it('as HMAC, for keys from 0 to 300 bytes and messages from 0 to 600', () => {
    for (let length = 0; length <= 600; length++) {
      const key = patternBytes((length * 7) % 301, length)
      const data = patternBytes(length, length + 1)
      expectSameBytes(hmac(hash, key, data), createHmac(hash, key).update(data).digest(), `${String(length)} bytes`)
    }
    for (let keyLength = 0; keyLength <= 300; keyLength++) {
      const key = patternBytes(keyLength, keyLength)
      expectSameBytes(hmac(hash, key, key), createHmac(hash, key).update(key).digest(), `key ${String(keyLength)}`)
    }
  })

  it('as HMAC, for large messages and keys', () => {
    for (const length of LARGE) {
      const data = patternBytes(length, length)
      const key = patternBytes(50, 1)
      expectSameBytes(hmac(hash, key, data), createHmac(hash, key).update(data).digest(), `${String(length)} bytes`)
      expectSameBytes(hmac(hash, data, key), createHmac(hash, data).update(key).digest(), `key ${String(length)}`)
    }
  })

  it('as HKDF, for every output length of up to five blocks, and the longest', () => {
    const most = 255 * HASH_BYTES[hash]
    const lengths = [...Array(5 * HASH_BYTES[hash] + 1).keys()].slice(1)
    for (const length of [...lengths, most - 1, most]) {
      const [ikm, salt, info] = [
        patternBytes(length % 80, 1),
        patternBytes(length % 200, 2),
        patternBytes(length % 150, 3),
      ]
      const okm = hkdf(hash, ikm, { salt, info, length })
      expectSameBytes(okm, hkdfOracle(hash, ikm, salt, info, length), `${String(length)} bytes`)
      expectFresh(okm)
    }
  })

  it('as HKDF, for salt, info and ikm of many lengths', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat({ max: 5000 }).map((n) => patternBytes(n, n)),
    )
    fc.assert(
      fc.property(bytes, bytes, bytes, fc.integer({ min: 1, max: 500 }), (ikm, salt, info, length) => {
        expectSameBytes(hkdf(hash, ikm, { salt, info, length }), hkdfOracle(hash, ikm, salt, info, length))
      }),
      { seed: SEED, numRuns: 200 },
    )
    const large = patternBytes(600_000, 9)
    const small = patternBytes(20, 10)
    for (const [ikm, salt] of [
      [large, small],
      [small, large],
    ] as const) {
      expectSameBytes(hkdf(hash, ikm, { salt, length: 99 }), hkdfOracle(hash, ikm, salt, new Uint8Array(0), 99))
    }
  })

  it('reads subarrays and changes no input', () => {
    const data = withNeighbours(patternBytes(1000, 5))
    const expected = createHash(hash).update(data.view).digest()
    const digest = digests[hash](data.view)
    expectSameBytes(digest, expected)
    digests[hash](patternBytes(999, 6))
    expectSameBytes(digest, expected)
    expectSameBytes(hmac(hash, data.view, data.view), createHmac(hash, data.view).update(data.view).digest())
    expectSameBytes(data.view, patternBytes(1000, 5))
    expect(data.neighboursIntact()).toBe(true)
  })
})

describe('HKDF', () => {
  it.each(HASHES)('refuses lengths that %s cannot give', (hash) => {
    const ikm = patternBytes(32, 1)
    for (const length of [255 * HASH_BYTES[hash] + 1, 0, -1, 1.5, NaN, Infinity, 2 ** 32 + 32]) {
      expect(() => hkdf(hash, ikm, { length }), String(length)).toThrow(RangeError)
    }
  })
})

describe.each([
  { name: 'AES-KW', keyWrap: aesKw, isPadded: false },
  { name: 'AES-KWP', keyWrap: aesKwp, isPadded: true },
])('$name', ({ keyWrap, isPadded }) => {
  const lengths = isPadded ? [...Array(200).keys()].slice(1) : [...Array(60).keys()].slice(2).map((n) => n * 8)

  it.each([16, 24, 32])('agrees with OpenSSL, key of %d bytes', (keyBytes) => {
    for (const length of [...lengths, 4096]) {
      const key = patternBytes(keyBytes, length)
      const plaintext = patternBytes(length, length + 1)
      const wrapping = keyWrap(key)
      const wrapped = wrapping.wrap(plaintext)
      expectSameBytes(wrapped, wrapOracle(key, plaintext, isPadded), `${String(length)} bytes`)
      expectSameBytes(wrapping.unwrap(wrapped), plaintext, `${String(length)} bytes`)
    }
  })

  it('rejects each changed bit, another key and a wrong length', () => {
    const wrapping = keyWrap(patternBytes(32, 3))
    for (const length of isPadded ? [1, 8, 9, 16, 31] : [16, 24, 32]) {
      const wrapped = wrapping.wrap(patternBytes(length, 4))
      for (let bit = 0; bit < wrapped.length * 8; bit++) {
        wrapped[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => wrapping.unwrap(wrapped), `bit ${String(bit)}`).toThrow(AuthenticationError)
        wrapped[bit >> 3]! ^= 1 << (bit & 7)
      }
      expect(() => keyWrap(patternBytes(32, 5)).unwrap(wrapped)).toThrow(AuthenticationError)
      for (const wrong of [0, 1, 7, 8, wrapped.length - 1]) {
        expect(() => wrapping.unwrap(wrapped.subarray(0, wrong)), `${String(wrong)} bytes`).toThrow(RangeError)
      }
    }
  })

  it('refuses keys and plaintexts that the standard has no place for', () => {
    for (const length of [0, 15, 17, 31, 33, 64]) expect(() => keyWrap(new Uint8Array(length))).toThrow(RangeError)
    for (const length of isPadded ? [0] : [0, 1, 7, 8, 15, 17, 20]) {
      expect(() => keyWrap(new Uint8Array(16)).wrap(new Uint8Array(length)), `${String(length)} bytes`).toThrow(
        RangeError,
      )
    }
  })
})

describe('timingSafeEqual', () => {
  it('is true for equal bytes only', () => {
    for (const length of [0, 1, 15, 16, 17, 64, 1000, 400_000]) {
      const a = patternBytes(length, 7)
      const b = withNeighbours(a)
      expect(timingSafeEqual(a, b.view)).toBe(true)
      expect(timingSafeEqual(a, patternBytes(length + 1, 7))).toBe(false)
      for (const at of [0, length >> 1, length - 1].filter((i) => i >= 0 && i < length)) {
        for (let bit = 0; bit < 8; bit++) {
          b.view[at]! ^= 1 << bit
          expect(timingSafeEqual(a, b.view)).toBe(false)
          b.view[at]! ^= 1 << bit
        }
      }
    }
  })
})
