import { decrypt, encrypt, inspect, multiKeyring } from 'waxseal'
import { aesGcm, hkdf, timingSafeEqual } from 'waxseal/core'
import { pattern } from './bytes.ts'
import { equal, failureOf, isTrue, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const keyring = aesKeyring()

async function frameLengths(): Promise<void> {
  for (const frameLength of [0, -1, 1.5, NaN, 2 ** 32, Infinity]) {
    await rejects(() => encrypt(keyring, pattern(1), { frameLength }), EXPECTED.range, `frameLength ${frameLength}`)
  }
  for (const frameLength of [1, 70_000, 300_000, 2 ** 32 - 1]) {
    const plaintext = pattern(frameLength === 1 ? 300 : 150_000)
    const message = await encrypt(keyring, plaintext, { frameLength })
    equal(inspect(message).frameLength, frameLength, 'the frame length')
    sameBytes((await decrypt(keyring, message)).plaintext, plaintext, `the plaintext in frames of ${frameLength}`)
  }
}

async function encryptedDataKeys(): Promise<void> {
  const three = multiKeyring({ children: [aesKeyring(16), aesKeyring(24), aesKeyring(32)] })
  const message = await encrypt(three, pattern(5), { maxEncryptedDataKeys: 3 })
  const encryptTwo = { maxEncryptedDataKeys: 2 }
  await rejects(() => encrypt(three, pattern(5), encryptTwo), EXPECTED.limit, 'encrypt')
  await rejects(() => decrypt(three, message, encryptTwo), EXPECTED.limit, 'decrypt')
  await decrypt(three, message, { maxEncryptedDataKeys: 3 })
  for (const maxEncryptedDataKeys of [0, 1.5, 65_536]) {
    await rejects(() => decrypt(three, message, { maxEncryptedDataKeys }), EXPECTED.range, 'a limit that is none')
  }
}

async function contexts(): Promise<void> {
  const encryptionContext = { a: 'x'.repeat(65_528) }
  const message = await encrypt(keyring, pattern(5), { encryptionContext })
  equal(inspect(message).encryptionContext.a?.length, 65_528, 'the length of the value')
  await decrypt(keyring, message, { encryptionContext })
  const tooLong = { encryptionContext: { a: 'x'.repeat(65_529) } }
  const error = await failureOf(encrypt(keyring, pattern(5), tooLong))
  isTrue(error instanceof Error, 'a context of more than 65,535 bytes is refused')
}

async function megabytes(): Promise<void> {
  const plaintext = pattern(3_000_001)
  for (const frameLength of [4096, 65_536, 1_048_576]) {
    const message = await encrypt(keyring, plaintext, { frameLength })
    sameBytes((await decrypt(keyring, message)).plaintext, plaintext, `the plaintext in frames of ${frameLength}`)
  }
  const cipher = aesGcm(pattern(32))
  const aad = pattern(100_000, 3)
  const sealed = cipher.encrypt(pattern(12), plaintext, aad)
  sameBytes(cipher.decrypt(pattern(12), sealed, aad), plaintext, 'the plaintext')
  cipher.dispose()
}

function coreLengths(): void {
  const cipher = aesGcm(pattern(16))
  for (const length of [0, 11, 13, 16]) {
    throws(() => cipher.encrypt(pattern(length), pattern(1)), EXPECTED.range, `an IV of ${length} bytes`)
  }
  throws(() => cipher.decrypt(pattern(12), pattern(15)), EXPECTED.range, 'less than a tag')
  throws(() => cipher.encryptInto(pattern(12), pattern(5), new Uint8Array(20)), EXPECTED.range, 'a short output')
  cipher.dispose()
  for (const length of [0, 15, 33]) throws(() => aesGcm(pattern(length)), EXPECTED.range, `a key of ${length} bytes`)
  for (const length of [0, -1, 1.5, 255 * 32 + 1]) {
    throws(() => hkdf('sha256', pattern(32), { length }), EXPECTED.range, `hkdf of ${length} bytes`)
  }
  equal(hkdf('sha256', pattern(32), { length: 255 * 32 }).length, 255 * 32, 'the longest output')
  throws(() => hkdf('md5' as 'sha256', pattern(32), { length: 1 }), EXPECTED.type, 'an unknown hash')
  equal(timingSafeEqual(pattern(10), pattern(11)), false, 'values of different lengths')
  equal(timingSafeEqual(pattern(100_000), pattern(100_000)), true, 'equal values')
}

/** The ends of what is allowed. */
export const limitCases: readonly Case[] = group('limits', {
  'frame lengths': frameLengths,
  'encrypted data keys': encryptedDataKeys,
  'the size of an encryption context': contexts,
  'megabytes in fixed memory': megabytes,
  'lengths in the core': coreLengths,
})
