import { createCipheriv } from 'node:crypto'
import type { CipherGCMTypes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { aesGcm, hkdf, hmac } from '../../bindings/core.ts'
import type { AesGcm } from '../../bindings/core.ts'
import { AuthenticationError, DisposedError } from '../../bindings/errors.ts'
import { expectSameBytes, patternBytes, SEED, thrownBy } from './core-data.ts'

const iv = patternBytes(12, 1)
const aad = patternBytes(5, 2)

/** The key of the n-th cipher of a test; key sizes alternate. */
function keyOf(n: number): Uint8Array {
  return patternBytes([16, 24, 32][n % 3] ?? 32, 1000 + n)
}

function oracle(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(`aes-${String(key.length * 8)}-gcm` as CipherGCMTypes, key, iv)
  cipher.setAAD(aad)
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()])
}

function expectWorks(cipher: AesGcm, n: number, length: number): void {
  const plaintext = patternBytes(length, n)
  const sealed = cipher.encrypt(iv, plaintext, aad)
  expectSameBytes(sealed, oracle(keyOf(n), plaintext), `cipher ${String(n)}`)
  expectSameBytes(cipher.decrypt(iv, sealed, aad), plaintext, `cipher ${String(n)}`)
}

function expectDisposed(cipher: AesGcm): void {
  const output = new Uint8Array(64).fill(0x33)
  const sealed = new Uint8Array(20)
  const calls = [
    () => cipher.encrypt(iv, aad),
    () => cipher.decrypt(iv, sealed),
    () => cipher.encryptInto(iv, aad, output),
    () => cipher.decryptInto(iv, sealed, output),
  ]
  for (const call of calls) {
    const error = thrownBy(call)
    expect(error).toBeInstanceOf(DisposedError)
    expect(error).toHaveProperty('code', 'ERR_WAXSEAL_DISPOSED')
  }
  expect(output.every((byte) => byte === 0x33)).toBe(true)
}

describe('key handles (rule 9)', () => {
  it('500 live ciphers, used in turn, each keep their own key', () => {
    const ciphers = Array.from({ length: 500 }, (_, n) => aesGcm(keyOf(n)))
    ciphers.forEach((cipher, n) => {
      expectWorks(cipher, n, n % 200)
    })
    for (let step = 0; step < 1500; step++) {
      const n = (step * 211) % 500
      const cipher = ciphers[n]
      if (cipher !== undefined) expectWorks(cipher, n, (step * 13) % 97)
    }
    for (const cipher of ciphers) cipher.dispose()
  })

  it('a disposed one throws, also twice disposed; the others go on', () => {
    const ciphers = Array.from({ length: 100 }, (_, n) => aesGcm(keyOf(n)))
    for (const cipher of ciphers.filter((_, n) => n % 2 === 0)) {
      cipher.dispose()
      cipher.dispose()
    }
    const later = Array.from({ length: 100 }, (_, i) => aesGcm(keyOf(100 + i)))
    const all = [...ciphers, ...later]
    for (const [n, cipher] of all.entries()) {
      if (n < 100 && n % 2 === 0) expectDisposed(cipher)
      else expectWorks(cipher, n, 50)
    }
    for (const cipher of all) cipher.dispose()
    for (const cipher of all) expectDisposed(cipher)
  })

  it('disposing an evicted one does not touch the key that took its place', () => {
    const first = aesGcm(keyOf(0))
    expectWorks(first, 0, 10)
    const others = Array.from({ length: 300 }, (_, i) => aesGcm(keyOf(1 + i)))
    others.forEach((cipher, i) => {
      expectWorks(cipher, 1 + i, 10)
    })
    first.dispose()
    others.forEach((cipher, i) => {
      expectWorks(cipher, 1 + i, 10)
    })
    for (const cipher of others) cipher.dispose()
  })

  it('one that was evicted still authenticates with its own key only', () => {
    const ciphers = Array.from({ length: 80 }, (_, n) => aesGcm(keyOf(n)))
    const sealed = ciphers.map((cipher) => cipher.encrypt(iv, aad, aad))
    ciphers.forEach((cipher, n) => {
      const other = sealed[(n + 1) % sealed.length] ?? expect.fail('no message')
      expect(() => cipher.decrypt(iv, other, aad)).toThrow(AuthenticationError)
      expectSameBytes(cipher.decrypt(iv, sealed[n] ?? other, aad), aad)
    })
    for (const cipher of ciphers) cipher.dispose()
  })

  it('has Symbol.dispose where the engine has it, the same as dispose', () => {
    const symbol = (Symbol as { dispose?: symbol }).dispose
    const cipher = aesGcm(keyOf(1))
    if (symbol === undefined) {
      cipher.dispose()
    } else {
      const dispose = Reflect.get(cipher, symbol) as () => void
      dispose.call(cipher)
    }
    expectDisposed(cipher)
  })

  it('any order of making, using and disposing gives what single ciphers give', () => {
    const command = fc.record({
      what: fc.constantFrom('make', 'use', 'use', 'use', 'large', 'dispose', 'hash'),
      which: fc.nat({ max: 400 }),
      length: fc.nat({ max: 300 }),
    })
    fc.assert(
      fc.property(fc.array(command, { minLength: 60, maxLength: 400 }), (commands) => {
        const live: { cipher: AesGcm; n: number; isDisposed: boolean }[] = []
        for (const { what, which, length } of commands) {
          const chosen = live[which % Math.max(1, live.length)]
          if (what === 'make' || chosen === undefined) {
            live.push({ cipher: aesGcm(keyOf(live.length)), n: live.length, isDisposed: false })
          } else if (what === 'hash') {
            hmac('sha256', keyOf(which), aad)
            hkdf('sha512', keyOf(which), { length: 1 + length })
          } else if (what === 'dispose') {
            chosen.cipher.dispose()
            chosen.isDisposed = true
          } else if (chosen.isDisposed) {
            expectDisposed(chosen.cipher)
          } else {
            expectWorks(chosen.cipher, chosen.n, what === 'large' ? 1000 * length : length)
          }
        }
        for (const { cipher } of live) cipher.dispose()
      }),
      { seed: SEED, numRuns: 20 },
    )
  })
})
