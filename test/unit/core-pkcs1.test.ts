import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pkcs1Unpad } from '../../bindings/message.ts'
import { expectFresh, expectSameBytes, patternBytes, SEED } from './core-data.ts'

const MODULUS_BYTES = 256
const rejectionKey = patternBytes(32, 1)
const ciphertext = patternBytes(MODULUS_BYTES, 2)

/** RFC 8017 §7.2.1 step 2: 00 02 ‖ nonzero padding ‖ 00 ‖ message, as long as the modulus. */
function encode(message: Uint8Array, modulusBytes = MODULUS_BYTES): Uint8Array {
  const encoded = patternBytes(modulusBytes, 3).map((byte) => byte || 0xa5)
  encoded[0] = 0
  encoded[1] = 2
  encoded[modulusBytes - message.length - 1] = 0
  encoded.set(message, modulusBytes - message.length)
  return encoded
}

/** What stands for the data key when the padding is bad. */
function rejected(length: number): Uint8Array {
  return createHmac('sha256', rejectionKey).update(ciphertext).digest().subarray(0, length)
}

describe('PKCS #1 v1.5 unpadding with implicit rejection (RFC 8017 §7.2.2, rule 15)', () => {
  it.each([1, 16, 24, 31, 32])('gives the message if padding and length are right; %d bytes', (length) => {
    const message = patternBytes(length, 4)
    const dataKey = pkcs1Unpad(encode(message), length, rejectionKey, ciphertext)
    expectSameBytes(dataKey, message)
    expectFresh(dataKey)
  })

  it('gives the rejection for a message of any other length', () => {
    for (const length of [0, 1, 16, 24, 31, 33, 64, 245]) {
      const encoded = encode(patternBytes(length, 5))
      expectSameBytes(pkcs1Unpad(encoded, 32, rejectionKey, ciphertext), rejected(32), `${String(length)} bytes`)
    }
  })

  it('gives the rejection for each wrong byte in front of the message', () => {
    const message = patternBytes(32, 6)
    const separator = MODULUS_BYTES - 33
    for (let at = 0; at <= separator; at++) {
      for (const value of at < 2 ? [1, 0xff] : at < separator ? [0] : [1, 0x80]) {
        const encoded = encode(message)
        encoded[at] = value
        expectSameBytes(pkcs1Unpad(encoded, 32, rejectionKey, ciphertext), rejected(32), `byte ${String(at)}`)
      }
    }
  })

  it('always gives a key of the length that was asked for', () => {
    const random = fc.uint8Array({ minLength: MODULUS_BYTES, maxLength: MODULUS_BYTES })
    fc.assert(
      fc.property(random, fc.constantFrom(16, 24, 32), (encoded, length) => {
        // random bytes begin with 00 02 once in 65,536 times: the seed has no such case
        expectSameBytes(pkcs1Unpad(encoded, length, rejectionKey, ciphertext), rejected(length))
      }),
      { seed: SEED, numRuns: 200 },
    )
  })

  it('takes the shortest padding of eight bytes, and refuses lengths that leave less', () => {
    const shortest = 32 + 11
    const message = patternBytes(32, 7)
    const dataKey = pkcs1Unpad(encode(message, shortest), 32, rejectionKey, patternBytes(shortest, 8))
    expectSameBytes(dataKey, message)
    const calls = [
      () => pkcs1Unpad(encode(message, shortest - 1), 32, rejectionKey, patternBytes(shortest - 1, 8)),
      () => pkcs1Unpad(encode(message), 33, rejectionKey, ciphertext),
      () => pkcs1Unpad(encode(message), 0, rejectionKey, ciphertext),
      () => pkcs1Unpad(encode(message), 32, rejectionKey.subarray(1), ciphertext),
      () => pkcs1Unpad(encode(message), 32, rejectionKey, ciphertext.subarray(1)),
    ]
    for (const call of calls) expect(call).toThrow(RangeError)
  })
})
