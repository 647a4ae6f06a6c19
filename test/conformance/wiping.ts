import { decrypt, decryptSync, encrypt, encryptSync, rawAesKeyring, type Keyring } from 'waxseal'
import { aesGcm } from 'waxseal/core'
import { pattern } from './bytes.ts'
import { allZero, equal, failureOf, isTrue, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring, NAMESPACE } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const IV = pattern(12)

function disposedCipher(): void {
  const cipher = aesGcm(pattern(32))
  const sealed = cipher.encrypt(IV, pattern(5))
  cipher.dispose()
  cipher.dispose()
  throws(() => cipher.encrypt(IV, pattern(5)), EXPECTED.disposed, 'encrypt')
  throws(() => cipher.decrypt(IV, sealed), EXPECTED.disposed, 'decrypt')
  throws(() => cipher.encryptInto(IV, pattern(5), new Uint8Array(21)), EXPECTED.disposed, 'encryptInto')
  throws(() => cipher.decryptInto(IV, sealed, new Uint8Array(5)), EXPECTED.disposed, 'decryptInto')
}

function symbolDispose(): void {
  const cipher = aesGcm(pattern(32))
  const symbol = (Symbol as { readonly dispose?: symbol }).dispose
  const dispose = symbol === undefined ? undefined : (cipher as unknown as Record<symbol, () => void>)[symbol]
  equal(typeof dispose, symbol === undefined ? 'undefined' : 'function', '[Symbol.dispose]')
  if (dispose === undefined) cipher.dispose()
  else dispose()
  throws(() => cipher.encrypt(IV, pattern(5)), EXPECTED.disposed, 'encrypt')
}

function copiedKey(): void {
  const key = pattern(32)
  const cipher = aesGcm(key)
  const before = cipher.encrypt(IV, pattern(100))
  sameBytes(key, pattern(32), 'the key that was given')
  key.fill(0)
  sameBytes(cipher.encrypt(IV, pattern(100)), before, 'the ciphertext after the caller wiped the key')
  cipher.dispose()
}

function manyKeys(): void {
  const handles = Array.from({ length: 100 }, (_, i) => aesGcm(pattern(32, i)))
  const sealed = handles.map((cipher) => cipher.encrypt(IV, pattern(20)))
  handles.forEach((cipher, i) => {
    sameBytes(cipher.decrypt(IV, sealed[i]!), pattern(20), `the plaintext under key ${i}`)
    cipher.dispose()
  })
}

function untouchedOutput(): void {
  const cipher = aesGcm(pattern(16))
  // One that is opened in one piece, one that takes several.
  for (const length of [64, 200_000]) {
    const sealed = cipher.encrypt(IV, pattern(length))
    sealed[length]! ^= 1
    const output = pattern(length, 7)
    throws(() => cipher.decryptInto(IV, sealed, output), EXPECTED.authentication, 'decryptInto')
    sameBytes(output, pattern(length, 7), 'the output')
  }
  cipher.dispose()
}

async function disposedKeyring(): Promise<void> {
  const wrappingKey = pattern(32)
  const keyring = rawAesKeyring({ namespace: NAMESPACE, name: 'k', wrappingKey })
  const message = await encrypt(keyring, pattern(5))
  wrappingKey.fill(0)
  await decrypt(keyring, message)
  keyring.dispose()
  keyring.dispose()
  await rejects(() => encrypt(keyring, pattern(5)), EXPECTED.disposed, 'encrypt')
  const error = await failureOf(decrypt(keyring, message))
  isTrue(error instanceof Error, 'a disposed keyring does not decrypt')
}

/** A keyring that shows the arrays that the library takes over. */
function watched(): { readonly keyring: Required<Keyring>; readonly taken: Uint8Array[] } {
  const taken: Uint8Array[] = []
  const dataKey = (): Uint8Array => {
    const bytes = pattern(32)
    taken.push(bytes)
    return bytes
  }
  const keyring: Required<Keyring> = {
    wrapSync: (materials) => {
      materials.setDataKey(dataKey())
      materials.addEncryptedDataKey({
        providerId: 'watched',
        providerInfo: new Uint8Array(0),
        ciphertext: new Uint8Array(0),
      })
    },
    unwrapSync: dataKey,
    wrap: async (materials) => {
      keyring.wrapSync(materials)
    },
    unwrap: async () => dataKey(),
  }
  return { keyring, taken }
}

async function dataKeys(): Promise<void> {
  const { keyring, taken } = watched()
  const message = await encrypt(keyring, pattern(50))
  await decrypt(keyring, message)
  decryptSync(keyring, encryptSync(keyring, pattern(50)))
  const changed = message.slice()
  changed[changed.length - 1]! ^= 1
  await rejects(() => decrypt(keyring, changed), EXPECTED.authentication, 'decrypt')
  throws(() => decryptSync(keyring, changed), EXPECTED.authentication, 'decryptSync')
  equal(taken.length, 6, 'the number of data keys')
  for (const bytes of taken) allZero(bytes, 'a data key')
}

async function inputsKept(): Promise<void> {
  const keyring = aesKeyring()
  const plaintext = pattern(9000)
  const message = await encrypt(keyring, plaintext)
  const copy = message.slice()
  await decrypt(keyring, message)
  sameBytes(plaintext, pattern(9000), 'the plaintext that was given')
  sameBytes(message, copy, 'the message that was given')
}

/** What belongs to the library is wiped, what belongs to the caller is not. */
export const wipingCases: readonly Case[] = group('wiping', {
  'a disposed key': disposedCipher,
  '[Symbol.dispose] where the engine has it': symbolDispose,
  'a key is copied, the caller may wipe his': copiedKey,
  'more keys than the core has room for': manyKeys,
  'no output of what is not authentic': untouchedOutput,
  'a disposed keyring': disposedKeyring,
  'data keys that keyrings hand over': dataKeys,
  'plaintext and message of the caller stay as they are': inputsKept,
})
