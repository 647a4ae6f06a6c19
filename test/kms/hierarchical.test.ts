import { createCipheriv, createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import {
  branchKeyCache,
  hierarchicalKeyring,
  memoryBranchKeys,
  staticBranchKeys,
  type BranchKeyMaterials,
  type BranchKeyStore,
  type HierarchicalKeyring,
  type HierarchicalKeyringOptions,
} from '../../kms/hierarchical/index.ts'
import {
  AuthenticationError,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  FormatError,
  inspect,
  KeyUnavailableError,
  UnsupportedError,
  type EncryptionContext,
  type Keyring,
} from '../../src/index.ts'
import { plaintext, preceded } from '../unit/src-setup.ts'
import { arns, spied } from './keyring-setup.ts'

const VERSION = '83eec007-5659-4554-bf11-699b90f41ac6'
const BRANCH_KEY = Uint8Array.from({ length: 32 }, (_, i) => i)
const TENANTS = Array.from({ length: 100 }, (_, i) => `tenant-${String(i)}`)
const tenantOf = ({ tenant = '' }: EncryptionContext): string => tenant

/** Of one version; notes what it hands out. */
class NotingStore implements BranchKeyStore {
  readonly name = 'noting'
  readonly calls: string[] = []
  readonly handedOut: Uint8Array[] = []
  readonly signals: (AbortSignal | undefined)[] = []
  wait: Promise<void> = Promise.resolve()
  answer: Partial<BranchKeyMaterials> = {}

  getActiveBranchKey({ branchKeyId, signal }: { branchKeyId: string; signal?: AbortSignal | undefined }) {
    return this.#get(`active ${branchKeyId}`, branchKeyId, signal)
  }

  getBranchKeyVersion({ branchKeyId, version }: { branchKeyId: string; version: string }) {
    return this.#get(`version ${branchKeyId}`, branchKeyId, undefined, version)
  }

  getBeaconKey() {
    return Promise.reject(new RangeError('no beacons here'))
  }

  async #get(call: string, branchKeyId: string, signal: AbortSignal | undefined, version = VERSION) {
    this.calls.push(call)
    this.signals.push(signal)
    await this.wait
    if (branchKeyId === 'broken') throw new RangeError('out of service')
    const branchKey = BRANCH_KEY.slice()
    this.handedOut.push(branchKey)
    return { branchKeyId, version, branchKey, encryptionContext: {}, ...this.answer }
  }
}

let store: NotingStore
let now: number
const clock = (): number => now

beforeEach(() => {
  store = new NotingStore()
  now = 1_000_000
})

function keyringOf(options: Partial<HierarchicalKeyringOptions> = {}): HierarchicalKeyring {
  const names = 'branchKeyIdSupplier' in options ? {} : { branchKeyId: 'b1' }
  return hierarchicalKeyring({ branchKeyStore: store, ttl: 60, cache: branchKeyCache({ clock }), ...names, ...options })
}

describe('what a hierarchical keyring writes', () => {
  it('is what the specification says', () => {
    const branchKeyStore = staticBranchKeys({ branchKeyId: 'b1', version: VERSION, branchKey: BRANCH_KEY })
    const keyring = keyringOf({ branchKeyStore })
    return encrypt(keyring, plaintext, { encryptionContext: { a: 'b' } }).then(async (message) => {
      const [key] = inspect(message).encryptedDataKeys
      expect(key?.providerId).toBe('aws-kms-hierarchy')
      expect(Buffer.from(key!.providerInfo).toString()).toBe('b1')
      const ciphertext = Buffer.from(key!.ciphertext)
      expect(ciphertext).toHaveLength(16 + 12 + 16 + 32 + 16)
      const version = Buffer.from(VERSION.replaceAll('-', ''), 'hex')
      expect(ciphertext.subarray(28, 44)).toEqual(version)
      // Wraps a data key as the keyring does, and lets the keyring open it.
      const [salt, iv] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)]
      const input = Buffer.concat([
        Buffer.from('00000001', 'hex'),
        Buffer.from('aws-kms-hierarchy\0'),
        salt,
        Buffer.from('00000100', 'hex'),
      ])
      const cipher = createCipheriv('aes-256-gcm', createHmac('sha256', BRANCH_KEY).update(input).digest(), iv)
      cipher.setAAD(
        Buffer.concat([Buffer.from('aws-kms-hierarchyb1'), version, Buffer.from('0001000161000162', 'hex')]),
      )
      const dataKey = Buffer.alloc(32, 3)
      const sealed = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
      let opened: Uint8Array | undefined
      const noting = preceded(keyring, {
        providerId: 'aws-kms-hierarchy',
        providerInfo: Buffer.from('b1'),
        ciphertext: Buffer.concat([salt, iv, version, sealed]),
      })
      const spying: Keyring = {
        wrap: (materials) => noting.wrap(materials),
        unwrap: async (materials, keys) => {
          const unwrapped = await keyring.unwrap(materials, keys)
          opened = unwrapped?.slice()
          return unwrapped
        },
      }
      const ofBoth = await encrypt(spying, plaintext, { encryptionContext: { a: 'b' } })
      // Another data key than the message's: it is unwrapped, and does not authenticate the header.
      await expect(decrypt(spying, ofBoth)).rejects.toBeInstanceOf(AuthenticationError)
      expect(opened).toEqual(new Uint8Array(dataKey))
    })
  })

  it('is bound to the encryption context, and never wrapped twice in the same way', async () => {
    const keyring = keyringOf()
    const [one, two] = [await encrypt(keyring, plaintext), encryptSync(keyring, plaintext)]
    const salts = [one, two].map((message) => inspect(message).encryptedDataKeys[0]!.ciphertext.slice(0, 28))
    expect(salts[0]).not.toEqual(salts[1])
    const options = { encryptionContext: { a: 'b' }, requiredEncryptionContextKeys: ['a'] }
    const message = await encrypt(keyring, plaintext, options)
    const other = { encryptionContext: { a: 'c' }, requiredEncryptionContextKeys: ['a'] }
    await expect(decrypt(keyring, message, other)).rejects.toBeInstanceOf(AuthenticationError)
  })
})

describe('the cache', () => {
  it('asks once for each branch key and life of its entry: 10,000 messages of 100 tenants', async () => {
    const { provider, calls } = spied()
    const [keyArn] = arns
    const branchKeyStore = memoryBranchKeys({ name: 'tenants', provider, keyArn })
    for (const branchKeyId of TENANTS) await branchKeyStore.createKey({ branchKeyId, encryptionContext: { a: 'b' } })
    calls.length = 0
    const options = { branchKeyStore, branchKeyIdSupplier: tenantOf, ttl: 60 }
    const keyring = keyringOf(options)
    const messages: Uint8Array[] = []
    for (let i = 0; i < 100; i++) {
      const written = TENANTS.map((tenant) => encrypt(keyring, plaintext, { encryptionContext: { tenant } }))
      messages.push(...(await Promise.all(written)))
    }
    expect(messages).toHaveLength(10_000)
    expect(calls).toEqual(Array<string>(100).fill(`decrypt ${keyArn}`))
    // They are read with the keys that they were written with, by an own cache with as many calls.
    for (const message of messages.slice(0, 1000))
      expect((await decrypt(keyring, message)).plaintext).toEqual(plaintext)
    expect(calls).toHaveLength(100)
    const reader = keyringOf(options)
    await Promise.all(messages.map((message) => decrypt(reader, message)))
    expect(calls).toHaveLength(200)
    now += 60_001
    await Promise.all(messages.slice(0, 100).map((message) => decrypt(reader, message)))
    expect(calls).toHaveLength(300)
  }, 120_000)

  it('asks once for 1,000 messages at once', async () => {
    const keyring = keyringOf()
    const messages = await Promise.all(Array.from({ length: 1000 }, () => encrypt(keyring, plaintext)))
    expect(store.calls).toEqual(['active b1'])
    await Promise.all(messages.map((message) => decrypt(keyring, message)))
    expect(store.calls).toEqual(['active b1'])
  })

  it('lets a key live as long as the keyring says, and no longer', async () => {
    const keyring = keyringOf({ ttl: 60 })
    await encrypt(keyring, plaintext)
    now += 60_000
    await encrypt(keyring, plaintext)
    expect(store.calls).toHaveLength(1)
    now += 1
    expect(() => encryptSync(keyring, plaintext)).toThrow(UnsupportedError)
    await encrypt(keyring, plaintext)
    expect(store.calls).toHaveLength(2)
    now -= 10
    await encrypt(keyring, plaintext)
    expect(store.calls).toHaveLength(3)
  })

  it('is shared by keyrings of one partition, each with its own lifetime', async () => {
    const cache = branchKeyCache({ clock })
    const long = keyringOf({ cache, partition: 'p', ttl: 600 })
    const short = keyringOf({ cache, partition: 'p', ttl: 10 })
    const apart = keyringOf({ cache })
    const elsewhere = keyringOf({
      cache,
      partition: 'p',
      branchKeyStore: Object.assign(new NotingStore(), { name: 'b' }),
    })
    await encrypt(long, plaintext)
    encryptSync(short, plaintext)
    expect(store.calls).toHaveLength(1)
    expect(() => encryptSync(apart, plaintext)).toThrow(UnsupportedError)
    expect(() => encryptSync(elsewhere, plaintext)).toThrow(UnsupportedError)
    now += 10_001
    encryptSync(long, plaintext)
    expect(() => encryptSync(short, plaintext)).toThrow(UnsupportedError)
    await encrypt(short, plaintext)
    expect(store.calls).toHaveLength(2)
  })

  it('holds as many keys as it may, forgets the one not used for longest, and wipes it', async () => {
    const cache = branchKeyCache({ capacity: 2, clock })
    const keyring = keyringOf({ cache, branchKeyIdSupplier: tenantOf })
    const of = (tenant: string) => ({ encryptionContext: { tenant } })
    await encrypt(keyring, plaintext, of('a'))
    await encrypt(keyring, plaintext, of('b'))
    encryptSync(keyring, plaintext, of('a'))
    await encrypt(keyring, plaintext, of('c'))
    expect(cache.size).toBe(2)
    expect(() => encryptSync(keyring, plaintext, of('b'))).toThrow(UnsupportedError)
    encryptSync(keyring, plaintext, of('a'))
    expect(store.handedOut.map((key) => key.some((byte) => byte !== 0))).toEqual([true, false, true])
    cache.dispose()
    expect(store.handedOut.every((key) => key.every((byte) => byte === 0))).toBe(true)
    await expect(encrypt(keyring, plaintext, of('a'))).rejects.toMatchObject({ code: 'ERR_WAXSEAL_DISPOSED' })
  })

  it('wipes a key after its last user only, even if it was forgotten while they waited', async () => {
    const cache = branchKeyCache({ capacity: 1, clock })
    const keyring = keyringOf({ cache, branchKeyIdSupplier: tenantOf })
    const messages = await Promise.all(
      TENANTS.flatMap((tenant) => [1, 2, 3].map(() => encrypt(keyring, plaintext, { encryptionContext: { tenant } }))),
    )
    expect(store.calls).toHaveLength(100)
    expect(store.handedOut.filter((key) => key.some((byte) => byte !== 0))).toHaveLength(1)
    keyring.dispose()
    for (const message of messages.slice(0, 10)) await decrypt(keyringOf({ branchKeyIdSupplier: tenantOf }), message)
  })

  it('keeps no failure', async () => {
    const keyring = keyringOf({ branchKeyIdSupplier: tenantOf })
    const options = { encryptionContext: { tenant: 'broken' } }
    const failures = await Promise.allSettled([1, 2].map(() => encrypt(keyring, plaintext, options)))
    expect(failures.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(store.calls).toHaveLength(1)
    await expect(encrypt(keyring, plaintext, options)).rejects.toThrow('out of service')
    expect(store.calls).toHaveLength(2)
  })

  it("lets one caller's abort stop nobody else", async () => {
    let go = (): void => undefined
    store.wait = new Promise((resolve) => (go = resolve))
    const keyring = keyringOf()
    const [first, second] = [new AbortController(), new AbortController()]
    const one = encrypt(keyring, plaintext, { signal: first.signal })
    const two = encrypt(keyring, plaintext, { signal: second.signal })
    first.abort(new RangeError('no longer wanted'))
    await expect(one).rejects.toThrow('no longer wanted')
    expect(store.signals[0]?.aborted).toBe(false)
    go()
    await two
    expect(store.calls).toHaveLength(1)
  })

  it('stops a question that nobody waits for any more, and asks anew', async () => {
    store.wait = new Promise(() => undefined)
    const keyring = keyringOf()
    const controllers = [new AbortController(), new AbortController()]
    const waiting = controllers.map(({ signal }) => encrypt(keyring, plaintext, { signal }))
    for (const controller of controllers) controller.abort(new RangeError('no longer wanted'))
    expect((await Promise.allSettled(waiting)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(store.signals[0]?.aborted).toBe(true)
    store.wait = Promise.resolve()
    await encrypt(keyring, plaintext)
    expect(store.calls).toHaveLength(2)
  })
})

describe('a message', () => {
  it('opens with old versions of its branch key', async () => {
    const branchKeyStore = memoryBranchKeys({ name: 'versions', provider: spied().provider, keyArn: arns[0] })
    const branchKeyId = await branchKeyStore.createKey()
    const keyring = keyringOf({ branchKeyStore, branchKeyId })
    const old = await encrypt(keyring, plaintext)
    const version = await branchKeyStore.versionKey({ branchKeyId })
    now += 60_001
    const message = await encrypt(keyring, plaintext)
    expect(Buffer.from(inspect(message).encryptedDataKeys[0]!.ciphertext.slice(28, 44)).toString('hex')).toBe(
      version.replaceAll('-', ''),
    )
    for (const each of [old, message]) expect((await decrypt(keyring, each)).plaintext).toEqual(plaintext)
    for (const each of [old, message]) expect(decryptSync(keyring, each).plaintext).toEqual(plaintext)
  })

  it('of a branch key that is not in the cache needs waiting', async () => {
    const message = await encrypt(keyringOf(), plaintext)
    const cold = keyringOf()
    expect(() => encryptSync(cold, plaintext)).toThrow(UnsupportedError)
    expect(() => decryptSync(cold, message)).toThrow(KeyUnavailableError)
    await decrypt(cold, message)
    expect(decryptSync(cold, message).plaintext).toEqual(plaintext)
    // What is active is not known from a version that was decrypted with.
    expect(() => encryptSync(cold, plaintext)).toThrow(UnsupportedError)
  })

  it('is left to others when its branch key is another', async () => {
    const message = await encrypt(keyringOf(), plaintext)
    const other = decrypt(keyringOf({ branchKeyIdSupplier: () => 'b2' }), message)
    await expect(other).rejects.toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE', errors: [] })
  })

  it('opens although an encrypted data key before its own is broken', async () => {
    const providerInfo = Buffer.from('b1')
    const broken = [new Uint8Array(0), new Uint8Array(92), new Uint8Array(91)].map((ciphertext) => ({
      providerId: 'aws-kms-hierarchy',
      providerInfo,
      ciphertext,
    }))
    const keyring = keyringOf()
    const message = await encrypt(preceded(keyring, ...broken), plaintext)
    for (const reader of [keyring, keyringOf()]) expect((await decrypt(reader, message)).plaintext).toEqual(plaintext)
    const short = preceded(keyring, broken[2]!)
    const firstOnly: Keyring = {
      wrap: (materials) => short.wrap(materials),
      unwrap: (materials, keys) => keyring.unwrap(materials, keys.slice(0, 1)),
    }
    const error = decrypt(firstOnly, await encrypt(firstOnly, plaintext))
    await expect(error).rejects.toMatchObject({ errors: [expect.any(FormatError) as unknown] })
  })
})

describe('what is no hierarchical keyring', () => {
  it('is refused', () => {
    const make = (options: object) => () => keyringOf(options)
    for (const ttl of [0, -1, NaN, '60', undefined]) expect(make({ ttl })).toThrow(RangeError)
    expect(make({ branchKeyId: undefined })).toThrow('either branchKeyId or')
    expect(make({ branchKeyIdSupplier: () => 'b', branchKeyId: 'b' })).toThrow('either branchKeyId or')
    expect(make({ branchKeyIdSupplier: 'b' })).toThrow(TypeError)
    for (const branchKeyId of ['', 'a\0b', 'x'.repeat(40_000)]) expect(make({ branchKeyId })).toThrow(RangeError)
    for (const partition of ['', 'a\0b']) expect(make({ partition })).toThrow(RangeError)
    for (const partition of [5, '\ud800']) expect(make({ partition })).toThrow(TypeError)
    expect(make({ branchKeyStore: {} })).toThrow(TypeError)
    expect(make({ cache: { size: 0, dispose: () => undefined } })).toThrow(TypeError)
    for (const capacity of [0, 1.5, -1, NaN]) expect(() => branchKeyCache({ capacity })).toThrow(RangeError)
    expect(() => branchKeyCache({ clock: 5 as never })).toThrow(TypeError)
  })

  it('is refused when a supplier names no branch key', async () => {
    for (const supplied of [undefined, 5, '', 'a\0']) {
      const keyring = keyringOf({ branchKeyIdSupplier: () => supplied as string })
      await expect(encrypt(keyring, plaintext)).rejects.toThrow('branchKeyIdSupplier')
    }
    expect(store.calls).toEqual([])
  })

  it('is refused when a store answers something else', async () => {
    for (const answer of [
      { branchKeyId: 'b2' },
      { version: 'E9CE18A3-EDB5-4272-9F86-1CACB7997FF6' },
      { version: '' },
      { branchKey: new Uint8Array(31) },
      { branchKey: 'key' as never },
    ]) {
      store.answer = answer
      await expect(encrypt(keyringOf(), plaintext)).rejects.toBeInstanceOf(KeyUnavailableError)
    }
    store.answer = {}
    const message = await encrypt(keyringOf(), plaintext)
    store.answer = { version: 'e9ce18a3-edb5-4272-9f86-1cacb7997ff6' }
    await expect(decrypt(keyringOf(), message)).rejects.toBeInstanceOf(KeyUnavailableError)
  })
})
