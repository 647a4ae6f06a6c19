import {
  decrypt,
  encrypt,
  encryptSync,
  inspect,
  KeyUnavailableError,
  multiKeyring,
  rawAesKeyring,
  rawRsaKeyring,
  WaxsealError,
  type EncryptOptions,
  type Keyring,
} from 'waxseal'
import { AuthenticationError as AuthenticationErrorOfCore } from 'waxseal/core'
import { toBase64, pattern, utf8 } from './bytes.ts'
import { equal, failureOf, isTrue, rejects, throws, type Expected } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring, aesPairKeyring, NAMESPACE, RSA_PADDINGS, staticKeyring, type RsaPair } from './keyrings.ts'
import { group, type Case } from './runtime.ts'

const keyring = aesKeyring()
const plaintext = pattern(30)

/** Both calls must refuse, the synchronous one at once. */
async function refuses(options: EncryptOptions, expected: Expected, what: string): Promise<void> {
  await rejects(() => encrypt(keyring, plaintext, options), expected, `encrypt with ${what}`)
  throws(() => encryptSync(keyring, plaintext, options), expected, `encryptSync with ${what}`)
}

async function classes(): Promise<void> {
  const other = rawAesKeyring({ namespace: NAMESPACE, name: 'aes-32', wrappingKey: new Uint8Array(32) })
  const message = await encrypt(keyring, plaintext)
  for (const damaged of [utf8('not a message'), message.subarray(0, 20), utf8(toBase64(message))]) {
    const error = await rejects(() => decrypt(keyring, damaged), EXPECTED.format, 'decrypt')
    isTrue(error instanceof WaxsealError && error instanceof Error, 'it extends WaxsealError and Error')
    equal(error.name, 'FormatError', 'its name')
    throws(() => inspect(damaged), EXPECTED.format, 'inspect')
  }
  const error = await failureOf(decrypt(other, message))
  isTrue(error instanceof WaxsealError, 'another key under the same name is refused')
  equal(AuthenticationErrorOfCore, EXPECTED.authentication.class, 'the class is the same in waxseal/core')
}

async function noKey(): Promise<void> {
  const message = await encrypt(keyring, plaintext)
  const stranger = aesKeyring(32, 'another name')
  const error = await rejects(() => decrypt(stranger, message), EXPECTED.keyUnavailable, 'decrypt')
  isTrue(error instanceof KeyUnavailableError && Array.isArray(error.errors), 'it lists reasons')
  const failing: Keyring = {
    wrap: () => Promise.reject(new RangeError('out of service')),
    unwrap: () => Promise.reject(new RangeError('out of service')),
  }
  await rejects(() => encrypt(failing, plaintext), EXPECTED.range, 'encrypt passes the error of a keyring on')
  const multi = multiKeyring({ children: [failing, aesKeyring(16)] })
  const both = await rejects(() => decrypt(multi, message), EXPECTED.keyUnavailable, 'decrypt with two keyrings')
  isTrue(both instanceof KeyUnavailableError && both.errors.length > 0, 'it lists the reason of the one that failed')
}

async function asynchronousOnly(): Promise<void> {
  const keyring = staticKeyring(pattern(32))
  const only: Keyring = {
    wrap: (materials) => keyring.wrap(materials),
    unwrap: (materials, encryptedDataKeys) => keyring.unwrap(materials, encryptedDataKeys),
  }
  throws(() => encryptSync(only, plaintext), EXPECTED.unsupported, 'encryptSync')
  await decrypt(only, await encrypt(only, plaintext))
}

async function aborted(): Promise<void> {
  const reason = new RangeError('no longer wanted')
  const signal = AbortSignal.abort(reason)
  const message = await encrypt(keyring, plaintext)
  equal(await rejects(() => encrypt(keyring, plaintext, { signal }), EXPECTED.range, 'encrypt'), reason, 'its reason')
  equal(await rejects(() => decrypt(keyring, message, { signal }), EXPECTED.range, 'decrypt'), reason, 'its reason')
}

async function callersMistakes(): Promise<void> {
  const mistake = (value: unknown): never => value as never
  await rejects(() => encrypt(mistake(undefined), plaintext), EXPECTED.type, 'no keyring')
  await rejects(() => encrypt(mistake('k'), plaintext), EXPECTED.type, 'a string for a keyring')
  await refuses({ encryptionContext: mistake(new Map()) }, EXPECTED.type, 'a Map for a context')
  await refuses({ encryptionContext: mistake({ a: 1 }) }, EXPECTED.type, 'a number in the context')
  await refuses({ encryptionContext: { 'aws-crypto-x': 'a' } }, EXPECTED.type, 'a reserved key')
  await refuses({ encryptionContext: { a: '\ud800' } }, EXPECTED.type, 'half a surrogate pair')
  await refuses({ requiredEncryptionContextKeys: ['a'] }, EXPECTED.type, 'a required key that is not there')
  await refuses({ algorithmSuite: mistake(0x0479) }, EXPECTED.range, 'an unknown suite')
  await refuses({ commitmentPolicy: mistake('none') }, EXPECTED.range, 'an unknown policy')
  await refuses(mistake(null), EXPECTED.type, 'null for options')
  await rejects(() => encrypt(keyring, plaintext, { signal: mistake({}) }), EXPECTED.type, 'a signal that is none')
}

function keyringMistakes(): void {
  const wrappingKey = pattern(32)
  const mistake = (value: unknown): never => value as never
  const aes = (change: object): unknown => rawAesKeyring({ namespace: 'a', name: 'b', wrappingKey, ...change })
  throws(() => aes({ wrappingKey: pattern(31) }), EXPECTED.range, '31 bytes')
  throws(() => aes({ wrappingKey: 'a'.repeat(32) }), EXPECTED.type, 'a string for a key')
  throws(() => aes({ namespace: 'aws-kms' }), EXPECTED.range, 'a reserved namespace')
  throws(() => aes({ name: '' }), EXPECTED.range, 'no name')
  throws(() => aes({ name: 5 }), EXPECTED.type, 'a number for a name')
  throws(() => multiKeyring({}), EXPECTED.type, 'a multi-keyring of none')
  throws(() => multiKeyring({ children: [mistake({})] }), EXPECTED.type, 'a child that is none')
}

function rsaMistakes({ publicKey, privateKey }: RsaPair): void {
  const rsa = (change: object): unknown =>
    rawRsaKeyring({ namespace: 'a', name: 'b', padding: 'oaep-sha256', ...change })
  throws(() => rsa({}), EXPECTED.type, 'no key at all')
  throws(() => rsa({ padding: 'oaep', publicKey }), EXPECTED.type, 'an unknown padding')
  throws(() => rsa({ publicKey: privateKey }), EXPECTED.type, 'a private key for a public one')
  throws(() => rsa({ privateKey: publicKey }), EXPECTED.type, 'a public key for a private one')
  throws(() => rsa({ publicKey: publicKey.slice(0, 200) }), EXPECTED.type, 'half a PEM')
  throws(() => rsa({ publicKey: pattern(294) }), EXPECTED.type, 'bytes that are no key')
  throws(() => rsa({ publicKey: 5 }), EXPECTED.type, 'a number for a key')
  isTrue(RSA_PADDINGS.length === 5, 'there are five paddings')
}

async function contextMissing(): Promise<void> {
  const message = await encrypt(keyring, plaintext, { encryptionContext: { tenant: 'a' } })
  for (const encryptionContext of [{ tenant: 'b' }, { purpose: 'a' }]) {
    await rejects(() => decrypt(keyring, message, { encryptionContext }), EXPECTED.encryptionContext, 'decrypt')
  }
}

/** Class and `code` of each error, and that the caller's mistakes are refused before any work. */
export function errorCases(pair: RsaPair): readonly Case[] {
  return group('errors', {
    'a message that is none': classes,
    'no key for a message': noKey,
    'a keyring that needs to wait, in encryptSync': asynchronousOnly,
    'a signal that is aborted': aborted,
    "a caller's mistakes": callersMistakes,
    'mistakes in keyrings': keyringMistakes,
    'mistakes in RSA keys': () => rsaMistakes(pair),
    'an encryption context that a message lacks': contextMissing,
    'a multi-keyring opens with any of its keys': async () => {
      const message = await encrypt(aesPairKeyring(), plaintext)
      for (const keyBytes of [16, 24, 32] as const) await decrypt(aesKeyring(keyBytes), message)
    },
  })
}
