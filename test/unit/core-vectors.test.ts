import { describe, expect, it } from 'vitest'
import { aesGcm, aesKw, aesKwp, hkdf, hmac, sha256, sha384, sha512 } from '../../bindings/core.ts'
import type { HashName } from '../../bindings/core.ts'
import { AuthenticationError } from '../../bindings/errors.ts'
import type { GcmCase, HashCase, HkdfCase, HmacCase, WrapCase } from '../conformance/core-vectors.ts'
import { expectFresh, fromHex, readVectors, toHex } from './core-data.ts'

interface Cases<T> {
  readonly source: string
  readonly cases: readonly T[]
}

const digests: Readonly<Record<HashName, (data: Uint8Array) => Uint8Array>> = { sha256, sha384, sha512 }

describe.each(['aes-gcm-specification.json', 'aes-gcm-cavp.json'])('AES-GCM, %s', (name) => {
  it.each((readVectors(name) as Cases<GcmCase>).cases)('$source', ({ key, iv, aad, plaintext, ciphertext, tag }) => {
    const cipher = aesGcm(fromHex(key))
    const sealed = fromHex(ciphertext + tag)
    const open = (): Uint8Array => cipher.decrypt(fromHex(iv), sealed, fromHex(aad))
    if (fromHex(iv).length !== 12) {
      expect(open).toThrow(RangeError)
      expect(() => cipher.encrypt(fromHex(iv), fromHex(plaintext ?? ''), fromHex(aad))).toThrow(RangeError)
    } else if (plaintext === null) {
      expect(open).toThrow(AuthenticationError)
    } else {
      expect(toHex(open())).toBe(plaintext)
      const result = cipher.encrypt(fromHex(iv), fromHex(plaintext), fromHex(aad))
      expect(toHex(result)).toBe(ciphertext + tag)
      expectFresh(result)
    }
    cipher.dispose()
  })
})

describe('SHA-2', () => {
  const { cases } = readVectors('sha2.json') as Cases<HashCase>
  it.each(cases)('$hash, $source', ({ hash, message, repeat, digest }) => {
    const result = digests[hash](fromHex(message.repeat(repeat)))
    expect(toHex(result)).toBe(digest)
    expectFresh(result)
  })

  const monte = readVectors('sha2-monte.json') as Cases<{
    source: string
    hash: HashName
    seed: string
    checkpoints: string[]
  }>
  it.each(monte.cases)('$source', ({ hash, seed, checkpoints }) => {
    let next = fromHex(seed)
    const length = next.length
    for (const checkpoint of checkpoints) {
      // SHAVS section 6.4: the last three digests, the seed three times at first
      const window = new Uint8Array(3 * length)
      for (let i = 0; i < 3; i++) window.set(next, i * length)
      for (let i = 0; i < 1000; i++) {
        const digest = digests[hash](window)
        window.copyWithin(0, length)
        window.set(digest, 2 * length)
      }
      next = window.slice(2 * length)
      expect(toHex(next)).toBe(checkpoint)
    }
  })
})

describe('HMAC, RFC 4231', () => {
  const { cases } = readVectors('hmac.json') as Cases<HmacCase>
  it.each(cases)('$hash, $source', ({ hash, key, message, mac }) => {
    const result = hmac(hash, fromHex(key), fromHex(message))
    expect(toHex(result).slice(0, mac.length)).toBe(mac)
    expectFresh(result)
  })
})

describe('HKDF, RFC 5869', () => {
  const { cases } = readVectors('hkdf.json') as Cases<HkdfCase>
  it.each(cases)('$source', ({ hash, ikm, salt, info, length, okm }) => {
    const result = hkdf(hash, fromHex(ikm), { salt: fromHex(salt), info: fromHex(info), length })
    expect(toHex(result)).toBe(okm)
    expectFresh(result)
  })

  it('takes salt and info that are left out as empty', () => {
    const { ikm, length, okm } = cases.at(-1) ?? expect.fail('RFC 5869 A.3 is missing')
    expect(toHex(hkdf('sha256', fromHex(ikm), { length }))).toBe(okm)
  })
})

describe.each([
  { name: 'aes-kw.json', keyWrap: aesKw },
  { name: 'aes-kwp.json', keyWrap: aesKwp },
])('key wrap, $name', ({ name, keyWrap }) => {
  it.each((readVectors(name) as Cases<WrapCase>).cases)('$source', ({ key, plaintext, ciphertext }) => {
    const wrapping = keyWrap(fromHex(key))
    if (plaintext === null) {
      expect(() => wrapping.unwrap(fromHex(ciphertext))).toThrow(AuthenticationError)
      return
    }
    const wrapped = wrapping.wrap(fromHex(plaintext))
    expect(toHex(wrapped)).toBe(ciphertext)
    expectFresh(wrapped)
    const unwrapped = wrapping.unwrap(fromHex(ciphertext))
    expect(toHex(unwrapped)).toBe(plaintext)
    expectFresh(unwrapped)
  })
})
