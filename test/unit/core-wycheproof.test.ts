import { afterAll, describe, expect, it } from 'vitest'
import { aesGcm, aesKw, aesKwp, hkdf, hmac } from '../../bindings/core.ts'
import type { HashName } from '../../bindings/core.ts'
import { AuthenticationError, WaxsealError } from '../../bindings/errors.ts'
import { fromHex, readExtraVectors, readVectors, thrownBy, toHex } from './core-data.ts'

interface Case {
  readonly tcId: number
  readonly comment: string
  readonly result: 'valid' | 'invalid' | 'acceptable'
}
interface Group<T extends Case> {
  readonly ivSize: number
  readonly tagSize: number
  readonly tests: readonly T[]
}
interface WycheproofFile<T extends Case> {
  readonly testGroups: readonly Group<T>[]
}
interface GcmCase extends Case {
  readonly key: string
  readonly iv: string
  readonly aad: string
  readonly msg: string
  readonly ct: string
  readonly tag: string
}
interface HmacCase extends Case {
  readonly key: string
  readonly msg: string
  readonly tag: string
}
interface HkdfCase extends Case {
  readonly ikm: string
  readonly salt: string
  readonly info: string
  readonly size: number
  readonly okm: string
}
interface WrapCase extends Case {
  readonly key: string
  readonly msg: string
  readonly ct: string
}

const selection = (readVectors('wycheproof.json') as { files: Record<string, WycheproofFile<never> | undefined> }).files
const ran = new Map<string, number>()

/** Registers every case of the committed selection, and of the whole file where the extra vectors are. */
function describeFile<T extends Case>(name: string, check: (test: T, group: Group<T>) => void): void {
  const files = {
    [`${name}, selection`]: selection[name] as WycheproofFile<T> | undefined,
    [name]: readExtraVectors(`wycheproof/${name}`) as WycheproofFile<T> | undefined,
  }
  for (const [title, file] of Object.entries(files)) {
    if (file === undefined) continue
    describe(title, () => {
      for (const group of file.testGroups) {
        for (const test of group.tests) {
          it(`tcId ${String(test.tcId)} ${test.result} ${test.comment}`, () => {
            check(test, group)
            ran.set(title, (ran.get(title) ?? 0) + 1)
          })
        }
      }
    })
  }
}

afterAll(() => {
  const total = [...ran.values()].reduce((sum, n) => sum + n, 0)
  const each = [...ran].map(([title, n]) => `${title}: ${String(n)}`).join('\n  ')
  console.log(`Wycheproof cases that ran: ${String(total)}\n  ${each}`)
})

function checkGcm({ key, iv, aad, msg, ct, tag, result }: GcmCase, { ivSize, tagSize }: Group<GcmCase>): void {
  const cipher = aesGcm(fromHex(key))
  const seal = (): Uint8Array => cipher.encrypt(fromHex(iv), fromHex(msg), fromHex(aad))
  const open = (): Uint8Array => cipher.decrypt(fromHex(iv), fromHex(ct + tag), fromHex(aad))
  if (ivSize !== 96 || tagSize !== 128) {
    expect(seal).toThrow(RangeError)
    expect(open).toThrow(RangeError)
  } else if (result === 'valid') {
    expect(toHex(seal())).toBe(ct + tag)
    expect(toHex(open())).toBe(msg)
  } else {
    expect(open).toThrow(AuthenticationError)
  }
  cipher.dispose()
}

describeFile<GcmCase>('aes_gcm_test.json', checkGcm)

for (const hash of ['sha256', 'sha384', 'sha512'] satisfies HashName[]) {
  describeFile<HmacCase>(`hmac_${hash}_test.json`, ({ key, msg, tag, result }, { tagSize }) => {
    const prefix = toHex(hmac(hash, fromHex(key), fromHex(msg)).subarray(0, tagSize / 8))
    if (result === 'valid') expect(prefix).toBe(tag)
    else expect(prefix).not.toBe(tag)
  })

  describeFile<HkdfCase>(`hkdf_${hash}_test.json`, ({ ikm, salt, info, size, okm, result }) => {
    const derive = (): Uint8Array =>
      hkdf(hash, fromHex(ikm), { salt: fromHex(salt), info: fromHex(info), length: size })
    if (result === 'valid') expect(toHex(derive())).toBe(okm)
    else expect(derive).toThrow(RangeError)
  })
}

/** Neither direction may accept: `wrap` refuses the length or gives other bytes, `unwrap` throws a typed error. */
function checkRefused(keyWrap: ReturnType<typeof aesKw>, msg: string, ct: string): void {
  const error = thrownBy(() => keyWrap.unwrap(fromHex(ct)))
  expect(error instanceof WaxsealError || error instanceof RangeError, String(error)).toBe(true)
  let wrapped: string
  try {
    wrapped = toHex(keyWrap.wrap(fromHex(msg)))
  } catch (refusal) {
    expect(refusal).toBeInstanceOf(RangeError)
    return
  }
  expect(wrapped).not.toBe(ct)
}

function checkWrap(keyWrap: ReturnType<typeof aesKw>, { msg, ct, result }: WrapCase): void {
  if (result === 'valid') {
    expect(toHex(keyWrap.wrap(fromHex(msg)))).toBe(ct)
    expect(toHex(keyWrap.unwrap(fromHex(ct)))).toBe(msg)
  } else {
    // 'acceptable' is AES-KW of a single 64-bit block: SP 800-38F section 5.3.1 wants at least two
    checkRefused(keyWrap, msg, ct)
  }
}

describeFile<WrapCase>('aes_wrap_test.json', (test) => {
  checkWrap(aesKw(fromHex(test.key)), test)
})
describeFile<WrapCase>('aes_kwp_test.json', (test) => {
  checkWrap(aesKwp(fromHex(test.key)), test)
})
