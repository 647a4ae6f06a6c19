import {
  algorithmSuites,
  cachingMaterials,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  inspect,
  materialsCache,
  requiredContextMaterials,
  type CachingMaterialsOptions,
  type Keyring,
} from 'waxseal'
import { pattern } from './bytes.ts'
import { allZero, equal, failureOf, isTrue, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring } from './keyrings.ts'
import { nameOf, policyOf } from './round-trips.ts'
import { group, type Case } from './runtime.ts'

const A = { encryptionContext: { tenant: 'a' } }
const B = { encryptionContext: { tenant: 'b' } }
const plaintext = pattern(30)

/** A keyring that answers later, counts its calls and shows its data keys. */
function counting(): { readonly keyring: Keyring; readonly calls: string[]; readonly dataKeys: Uint8Array[] } {
  const inner = aesKeyring()
  const calls: string[] = []
  const dataKeys: Uint8Array[] = []
  const keyring: Keyring = {
    wrap: async (materials) => {
      calls.push('wrap')
      await Promise.resolve()
      await inner.wrap(materials)
      dataKeys.push(materials.dataKey!)
    },
    unwrap: async (materials, encryptedDataKeys) => {
      calls.push('unwrap')
      await Promise.resolve()
      const dataKey = await inner.unwrap(materials, encryptedDataKeys)
      if (dataKey !== undefined) dataKeys.push(dataKey)
      return dataKey
    },
  }
  return { keyring, calls, dataKeys }
}

async function concurrency(): Promise<void> {
  const { keyring, calls } = counting()
  const materials = cachingMaterials({ keyring, maxAge: 60 })
  throws(() => encryptSync(materials, plaintext, A), EXPECTED.unsupported, 'encryptSync with a cold cache')
  const messages = await Promise.all(Array.from({ length: 200 }, () => encrypt(materials, plaintext, A)))
  messages.push(encryptSync(materials, plaintext, A))
  equal(calls, ['wrap'], 'the calls')
  const ids = new Set(messages.map((message) => inspect(message).messageId.join()))
  equal(ids.size, messages.length, 'the number of message ids')
  await Promise.all(messages.map((message) => decrypt(materials, message, A)))
  equal(calls, ['wrap', 'unwrap'], 'the calls')
  for (const message of messages) sameBytes(decryptSync(materials, message).plaintext, plaintext, 'the plaintext')
  sameBytes((await decrypt(aesKeyring(), messages[7]!)).plaintext, plaintext, 'the plaintext without a cache')
}

async function abort(): Promise<void> {
  const { keyring, calls } = counting()
  const materials = cachingMaterials({ keyring, maxAge: 60 })
  const controller = new AbortController()
  const gone = encrypt(materials, plaintext, { ...A, signal: controller.signal })
  const staying = encrypt(materials, plaintext, A)
  const reason = new RangeError('no longer wanted')
  controller.abort(reason)
  equal(await failureOf(gone), reason, 'the reason')
  sameBytes((await decrypt(aesKeyring(), await staying)).plaintext, plaintext, 'the plaintext')
  equal(calls, ['wrap'], 'the calls')
}

async function limits(): Promise<void> {
  let now = 0
  const made = (options: Partial<CachingMaterialsOptions>): (() => Promise<number>) => {
    const { keyring, calls } = counting()
    const materials = cachingMaterials({ keyring, maxAge: 60, clock: () => now, gracePeriod: 0, ...options })
    return async () => {
      await encrypt(materials, plaintext, A)
      return calls.length
    }
  }
  const aging = made({})
  equal(await aging(), 1, 'the calls at first')
  now = 59_999
  equal(await aging(), 1, 'the calls before maxAge')
  now = 60_000
  equal(await aging(), 2, 'the calls at maxAge')
  const messages = made({ maxMessages: 2 })
  for (const calls of [1, 1, 2, 2, 3]) equal(await messages(), calls, 'the calls with maxMessages')
  const bytes = made({ maxBytes: 60 })
  for (const calls of [1, 1, 2]) equal(await bytes(), calls, 'the calls with maxBytes')
  const none = made({ capacity: 0 })
  for (const calls of [1, 2]) equal(await none(), calls, 'the calls without capacity')
}

async function refreshing(): Promise<void> {
  let now = 0
  const { keyring, calls } = counting()
  const materials = cachingMaterials({ keyring, maxAge: 100, gracePeriod: 10, clock: () => now })
  await encrypt(materials, plaintext, A)
  now = 90_000
  const refresher = encrypt(materials, plaintext, A)
  encryptSync(materials, plaintext, A)
  await encrypt(materials, plaintext, A)
  await refresher
  equal(calls, ['wrap', 'wrap'], 'the calls')
  now = 100_000
  encryptSync(materials, plaintext, A)
}

async function eviction(): Promise<void> {
  const { keyring, dataKeys } = counting()
  const cache = materialsCache({ capacity: 1 })
  const materials = cachingMaterials({ keyring, maxAge: 60, cache })
  const pair = await Promise.all([encrypt(materials, plaintext, A), encrypt(materials, plaintext, B)])
  equal(cache.size, 1, 'the entries')
  allZero(dataKeys[0]!, 'the data key that had to go')
  isTrue(
    dataKeys[1]!.some((byte) => byte !== 0),
    'the other one is kept',
  )
  materials.clear()
  equal(cache.size, 0, 'the entries')
  for (const message of pair) await decrypt(materials, message)
  const late = encrypt(materials, plaintext, A)
  materials.dispose()
  await rejects(() => late, EXPECTED.disposed, 'a call that waits')
  throws(() => encryptSync(materials, plaintext, A), EXPECTED.disposed, 'encryptSync')
  // The keyring does not heed its signal: what it answers after all is wiped as well.
  await new Promise((resolve) => setTimeout(resolve, 0))
  for (const dataKey of dataKeys) allZero(dataKey, 'a data key')
}

async function partitions(): Promise<void> {
  const cache = materialsCache()
  const { keyring, calls } = counting()
  for (const partition of [undefined, undefined, 'p', 'p']) {
    await encrypt(cachingMaterials({ keyring, maxAge: 60, cache, partition }), plaintext, A)
  }
  equal(calls.length, 3, 'the calls')
}

async function required(): Promise<void> {
  const { keyring } = counting()
  const inner = requiredContextMaterials({ keyring, requiredEncryptionContextKeys: ['tenant'] })
  const materials = cachingMaterials({ materials: inner, maxAge: 60 })
  const message = await encrypt(materials, plaintext, A)
  equal(Object.keys(inspect(message).encryptionContext), [], 'the stored keys')
  await decrypt(materials, message, A)
  await rejects(() => encrypt(materials, plaintext), EXPECTED.type, 'encrypt without the pair')
  await rejects(() => decrypt(materials, message), EXPECTED.type, 'decrypt without the pair')
  await rejects(() => decrypt(materials, message, B), EXPECTED.authentication, 'decrypt with another value')
}

const suites = algorithmSuites.map((suite) => ({
  name: `caching: ${nameOf(suite)}`,
  run: async () => {
    const { keyring, calls } = counting()
    const materials = cachingMaterials({ keyring, maxAge: 60 })
    const options = { ...A, algorithmSuite: suite.id, commitmentPolicy: policyOf(suite) }
    const { commitmentPolicy } = options
    for (let i = 0; i < 2; i++) {
      const message = await encrypt(materials, plaintext, options)
      for (let k = 0; k < 2; k++) {
        const opened = await decrypt(materials, message, { commitmentPolicy })
        sameBytes(opened.plaintext, plaintext, 'the plaintext')
      }
    }
    equal(calls.length, suite.kdf === 'identity' ? 6 : 2, 'the calls')
  },
}))

/** The cache of data keys, with a clock that stands still. */
export const cachingCases: readonly Case[] = [
  ...suites,
  ...group('caching', {
    'one request for many calls': concurrency,
    'a call that is aborted': abort,
    limits,
    'an entry that is about to expire': refreshing,
    'entries are wiped when they go': eviction,
    partitions,
    'required pairs are checked on hits': required,
  }),
]
