import { createCipheriv } from 'node:crypto'
import type { CipherGCMTypes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aesGcm } from '../../bindings/core.ts'
import { AuthenticationError } from '../../bindings/errors.ts'
import { expectFresh, expectSameBytes, patternBytes, SEED, thrownBy, withNeighbours } from './core-data.ts'

const KEY_SIZES = [16, 24, 32] as const
const TAG_BYTES = 16

/** node:crypto as the oracle: ciphertext ‖ tag. */
function oracle(key: Uint8Array, iv: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${String(key.length * 8)}-gcm` as CipherGCMTypes, key, iv)
  cipher.setAAD(aad)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

/** Seals and opens `length` bytes in all four forms and compares with the oracle. */
function checkAgainstOracle(keyBytes: number, length: number, aadLength: number): void {
  const seed = keyBytes + 64 * length + aadLength
  const key = patternBytes(keyBytes, seed)
  const iv = patternBytes(12, seed + 1)
  const plaintext = patternBytes(length, seed + 2)
  const aad = patternBytes(aadLength, seed + 3)
  const expected = oracle(key, iv, plaintext, aad)
  const what = `AES-${String(keyBytes * 8)}, ${String(length)} bytes, AAD ${String(aadLength)} bytes`
  const cipher = aesGcm(key)
  const sealed = cipher.encrypt(iv, plaintext, aad)
  expectSameBytes(sealed, expected, `${what}, encrypt`)
  const opened = cipher.decrypt(iv, sealed, aad)
  expectSameBytes(opened, plaintext, `${what}, decrypt`)
  const buffer = new Uint8Array(length + TAG_BYTES)
  expect(cipher.encryptInto(iv, plaintext, buffer, aad)).toBe(length + TAG_BYTES)
  expectSameBytes(buffer, expected, `${what}, encryptInto`)
  expect(cipher.decryptInto(iv, sealed, buffer.subarray(0, length), aad)).toBe(length)
  expectSameBytes(buffer.subarray(0, length), plaintext, `${what}, decryptInto`)
  cipher.dispose()
}

describe('AES-GCM agrees with OpenSSL', () => {
  it.each(KEY_SIZES)('for every length from 0 to 600, key of %d bytes', (keyBytes) => {
    for (let length = 0; length <= 600; length++) checkAgainstOracle(keyBytes, length, (length * 7) % 53)
  })

  it('for every AAD length from 0 to 600', () => {
    for (let aadLength = 0; aadLength <= 600; aadLength++) checkAgainstOracle(32, (aadLength * 5) % 67, aadLength)
  })

  it('around multiples of 64 KiB up to 768 KiB, where windows of the arena begin and end', () => {
    for (let base = 0x10000; base <= 0xc0000; base += 0x10000) {
      for (const delta of [-129, -128, -17, -16, -1, 0, 1, 15, 16, 17, 127, 128]) {
        checkAgainstOracle(32, base + delta, 20)
      }
    }
  })

  it.each([300 * 1024, 0x80000, 1024 * 1024 + 1, 2 * 1024 * 1024 + 77, 5 * 1024 * 1024 + 13])(
    'for %d bytes',
    (length) => {
      for (const keyBytes of KEY_SIZES) checkAgainstOracle(keyBytes, length, 33)
    },
  )

  it.each([0xffff, 300 * 1024 + 5, 1024 * 1024, 5 * 1024 * 1024 + 3])('for AAD of %d bytes', (aadLength) => {
    for (const length of [0, 1, 100, 400_001]) checkAgainstOracle(32, length, aadLength)
  })

  it('for random keys, IVs, data and AAD', () => {
    const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ maxLength })
    const keys = fc.constantFrom(...KEY_SIZES).chain((n) => fc.uint8Array({ minLength: n, maxLength: n }))
    fc.assert(
      fc.property(
        keys,
        fc.uint8Array({ minLength: 12, maxLength: 12 }),
        bytes(2000),
        bytes(300),
        (key, iv, plaintext, aad) => {
          const cipher = aesGcm(key)
          const sealed = cipher.encrypt(iv, plaintext, aad)
          expectSameBytes(sealed, oracle(key, iv, plaintext, aad))
          expectSameBytes(cipher.decrypt(iv, sealed, aad), plaintext)
          cipher.dispose()
        },
      ),
      { seed: SEED, numRuns: 500 },
    )
  })

  it('for random lengths up to 1.5 MiB, data and AAD', () => {
    const lengths = fc.integer({ min: 0, max: 1_500_000 })
    fc.assert(fc.property(fc.constantFrom(...KEY_SIZES), lengths, fc.nat({ max: 800_000 }), checkAgainstOracle), {
      seed: SEED,
      numRuns: 40,
    })
  })

  it('takes AAD that is left out as empty', () => {
    const cipher = aesGcm(patternBytes(32, 1))
    const iv = patternBytes(12, 2)
    const plaintext = patternBytes(40, 3)
    expectSameBytes(cipher.encrypt(iv, plaintext), cipher.encrypt(iv, plaintext, new Uint8Array(0)))
    expectSameBytes(cipher.decrypt(iv, cipher.encrypt(iv, plaintext)), plaintext)
  })
})

describe('AES-GCM rejects what was changed', () => {
  const key = patternBytes(32, 11)
  const iv = patternBytes(12, 12)
  const aad = patternBytes(21, 13)

  it.each([0, 5, 64, 200])('each bit of tag, ciphertext, AAD and IV; %d bytes of plaintext', (length) => {
    const cipher = aesGcm(key)
    const sealed = cipher.encrypt(iv, patternBytes(length, 14), aad)
    for (const field of [sealed, aad, iv]) {
      for (let bit = 0; bit < field.length * 8; bit++) {
        field[bit >> 3]! ^= 1 << (bit & 7)
        expect(() => cipher.decrypt(iv, sealed, aad), `bit ${String(bit)}`).toThrow(AuthenticationError)
        field[bit >> 3]! ^= 1 << (bit & 7)
      }
    }
    expect(cipher.decrypt(iv, sealed, aad)).toHaveLength(length)
  })

  it('a truncated or extended message, and data moved between AAD and ciphertext', () => {
    const cipher = aesGcm(key)
    const sealed = cipher.encrypt(iv, patternBytes(48, 15), aad)
    for (let length = TAG_BYTES; length < sealed.length; length++) {
      expect(() => cipher.decrypt(iv, sealed.subarray(0, length), aad)).toThrow(AuthenticationError)
      expect(() => cipher.decrypt(iv, sealed.subarray(sealed.length - length), aad)).toThrow(AuthenticationError)
    }
    expect(() => cipher.decrypt(iv, Buffer.concat([sealed, Buffer.alloc(1)]), aad)).toThrow(AuthenticationError)
    const moved = Buffer.concat([aad, sealed.subarray(0, 16)])
    expect(() => cipher.decrypt(iv, sealed.subarray(16), moved)).toThrow(AuthenticationError)
    for (let length = 0; length < TAG_BYTES; length++) {
      expect(() => cipher.decrypt(iv, sealed.subarray(0, length), aad)).toThrow(RangeError)
    }
  })

  it('the last bit of megabytes, with one constant error', () => {
    const cipher = aesGcm(key)
    const messages = [16, 1_000_000].map((length) => {
      const sealed = cipher.encrypt(iv, patternBytes(length, 16), aad)
      sealed[length - 1]! ^= 0x80
      const error = thrownBy(() => cipher.decrypt(iv, sealed, aad)) as AuthenticationError
      expect([error.code, error.cause]).toEqual(['ERR_WAXSEAL_AUTHENTICATION', undefined])
      return error.message
    })
    expect(messages[0]).toBe(messages[1])
  })
})

describe('encryptInto and decryptInto', () => {
  const key = patternBytes(32, 21)
  const iv = patternBytes(12, 22)
  const aad = patternBytes(9, 23)
  const sizes = [0, 1, 16, 129, 400_003]

  it.each(sizes)('leave the output as it was when authentication fails; %d bytes', (length) => {
    const cipher = aesGcm(key)
    const sealed = cipher.encrypt(iv, patternBytes(length, 24), aad)
    sealed[sealed.length - 1]! ^= 1
    const { view, neighboursIntact } = withNeighbours(patternBytes(length, 25))
    expect(() => cipher.decryptInto(iv, sealed, view, aad)).toThrow(AuthenticationError)
    expectSameBytes(view, patternBytes(length, 25))
    expect(neighboursIntact()).toBe(true)
    // in place, the ciphertext itself is the output
    const inPlace = Uint8Array.from(sealed)
    expect(() => cipher.decryptInto(iv, inPlace, inPlace.subarray(0, length), aad)).toThrow(AuthenticationError)
    expectSameBytes(inPlace, sealed)
  })

  it.each(sizes)('write their result and nothing beside it; %d bytes', (length) => {
    const cipher = aesGcm(key)
    const plaintext = patternBytes(length, 26)
    const sealed = withNeighbours(new Uint8Array(length + TAG_BYTES))
    expect(cipher.encryptInto(iv, plaintext, sealed.view, aad)).toBe(length + TAG_BYTES)
    expectSameBytes(sealed.view, oracle(key, iv, plaintext, aad))
    const opened = withNeighbours(new Uint8Array(length))
    expect(cipher.decryptInto(iv, sealed.view, opened.view, aad)).toBe(length)
    expectSameBytes(opened.view, plaintext)
    expect([sealed.neighboursIntact(), opened.neighboursIntact()]).toEqual([true, true])
  })

  it('leave room beyond the result alone and refuse an output that is too small', () => {
    const cipher = aesGcm(key)
    const roomy = new Uint8Array(100).fill(0x77)
    expect(cipher.encryptInto(iv, patternBytes(50, 27), roomy, aad)).toBe(66)
    expect(roomy.subarray(66).every((byte) => byte === 0x77)).toBe(true)
    const sealed = roomy.slice(0, 66)
    const output = new Uint8Array(60).fill(0x77)
    expect(cipher.decryptInto(iv, sealed, output, aad)).toBe(50)
    expect(output.subarray(50).every((byte) => byte === 0x77)).toBe(true)
    const small = new Uint8Array(65).fill(0x77)
    expect(() => cipher.encryptInto(iv, patternBytes(50, 27), small, aad)).toThrow(RangeError)
    expect(() => cipher.decryptInto(iv, sealed, small.subarray(0, 49), aad)).toThrow(RangeError)
    expect(small.every((byte) => byte === 0x77)).toBe(true)
  })

  it.each(sizes)('work in place; %d bytes', (length) => {
    const cipher = aesGcm(key)
    const plaintext = patternBytes(length, 28)
    const { view, neighboursIntact } = withNeighbours(new Uint8Array(length + TAG_BYTES))
    view.set(plaintext)
    cipher.encryptInto(iv, view.subarray(0, length), view, aad)
    expectSameBytes(view, oracle(key, iv, plaintext, aad))
    cipher.decryptInto(iv, view, view.subarray(0, length), aad)
    expectSameBytes(view.subarray(0, length), plaintext)
    expect(neighboursIntact()).toBe(true)
  })

  it.each([64, 400_000])('refuse an input and output that overlap in part; %d bytes', (length) => {
    const cipher = aesGcm(key)
    const sealed = cipher.encrypt(iv, patternBytes(length, 29), aad)
    for (const shift of [1, 16, length - 1]) {
      const memory = new Uint8Array(2 * length + 2 * TAG_BYTES)
      const before = memory.subarray(0, length)
      const after = memory.subarray(shift, shift + length + TAG_BYTES)
      expect(() => cipher.encryptInto(iv, before, after, aad)).toThrow(RangeError)
      const head = memory.subarray(0, length + TAG_BYTES)
      expect(() => cipher.encryptInto(iv, memory.subarray(shift, shift + length), head, aad)).toThrow(RangeError)
      expect(memory.every((byte) => byte === 0)).toBe(true)
      after.set(sealed)
      expect(() => cipher.decryptInto(iv, after, before, aad)).toThrow(RangeError)
      expectSameBytes(after, sealed)
    }
  })

  it('take an input and output that are neighbours in one buffer', () => {
    const cipher = aesGcm(key)
    const memory = new Uint8Array(1000)
    memory.set(patternBytes(300, 30), 100)
    cipher.encryptInto(iv, memory.subarray(100, 400), memory.subarray(400, 716), aad)
    expectSameBytes(memory.subarray(400, 716), oracle(key, iv, patternBytes(300, 30), aad))
    cipher.decryptInto(iv, memory.subarray(400, 716), memory.subarray(100, 400), aad)
    expectSameBytes(memory.subarray(100, 400), patternBytes(300, 30))
  })
})

describe('inputs and results', () => {
  it('reads subarrays of larger buffers and Buffers, and changes no input', () => {
    const key = withNeighbours(patternBytes(24, 41))
    const iv = withNeighbours(patternBytes(12, 42))
    const plaintext = withNeighbours(patternBytes(333, 43))
    const aad = withNeighbours(patternBytes(44, 44))
    const expected = oracle(key.view, iv.view, plaintext.view, aad.view)
    const cipher = aesGcm(Buffer.from(key.view.buffer, key.view.byteOffset, key.view.length))
    const sealed = cipher.encrypt(iv.view, plaintext.view, aad.view)
    expectSameBytes(sealed, expected)
    const sealedView = withNeighbours(sealed)
    expectSameBytes(cipher.decrypt(Buffer.from(iv.view), sealedView.view, aad.view), plaintext.view)
    expectSameBytes(plaintext.view, patternBytes(333, 43))
    expectSameBytes(sealedView.view, expected)
    expectSameBytes(key.view, patternBytes(24, 41))
    for (const input of [key, iv, plaintext, aad, sealedView]) expect(input.neighboursIntact()).toBe(true)
  })

  it('gives results that own their memory and outlive later calls', () => {
    const cipher = aesGcm(patternBytes(16, 45))
    const iv = patternBytes(12, 46)
    for (const length of [0, 1, 64, 65, 5000, 500_000]) {
      const first = cipher.encrypt(iv, patternBytes(length, 47))
      const copy = first.slice()
      expectFresh(first)
      const opened = cipher.decrypt(iv, first)
      expectFresh(opened)
      cipher.encrypt(iv, patternBytes(length + 99, 48))
      expectSameBytes(first, copy)
      expectSameBytes(opened, patternBytes(length, 47))
    }
  })

  it('uses the key as it was when the cipher was made', () => {
    const key = patternBytes(32, 49)
    const iv = patternBytes(12, 50)
    const cipher = aesGcm(key)
    const expected = oracle(key, iv, iv, iv)
    key.fill(0)
    expectSameBytes(cipher.encrypt(iv, iv, iv), expected)
  })
})
