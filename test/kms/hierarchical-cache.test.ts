import { beforeEach, describe, expect, it } from 'vitest'
import { branchKeyCache, memoryBranchKeys } from '../../kms/hierarchical/index.ts'
import { decrypt, encrypt, encryptSync, UnsupportedError } from '../../src/index.ts'
import { plaintext } from '../unit/src-setup.ts'
import { newHierarchy, NotingStore, tenantOf, type Hierarchy } from './hierarchical-setup.ts'
import { arns, spied } from './keyring-setup.ts'

const TENANTS = Array.from({ length: 100 }, (_, i) => `tenant-${String(i)}`)

let hierarchy: Hierarchy
let store: Hierarchy['store']
let clock: Hierarchy['clock']
let keyringOf: Hierarchy['keyringOf']

beforeEach(() => {
  hierarchy = newHierarchy()
  ;({ store, clock, keyringOf } = hierarchy)
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
    hierarchy.now += 60_001
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
    hierarchy.now += 60_000
    await encrypt(keyring, plaintext)
    expect(store.calls).toHaveLength(1)
    hierarchy.now += 1
    expect(() => encryptSync(keyring, plaintext)).toThrow(UnsupportedError)
    await encrypt(keyring, plaintext)
    expect(store.calls).toHaveLength(2)
    hierarchy.now -= 10
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
    hierarchy.now += 10_001
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
