import { describe, expect, it } from 'vitest'
import { kmsKeyring } from '../../kms/index.ts'
import { cachingMaterials, decrypt, encrypt, encryptSync, inspect } from '../../src/index.ts'
import type { CachingMaterialsOptions, MaterialsManager } from '../../src/index.ts'
import { plaintext } from '../unit/src-setup.ts'
import { arns, provider, spied } from './keyring-setup.ts'

const [generatorKeyId] = arns

interface Counted {
  readonly materials: MaterialsManager
  readonly calls: readonly string[]
}

function cached(options: Partial<CachingMaterialsOptions> = {}): Counted {
  const { provider: counting, calls } = spied()
  const keyring = kmsKeyring({ provider: counting, generatorKeyId })
  return { materials: cachingMaterials({ keyring, maxAge: 300, ...options }), calls }
}

describe('a KMS behind a cache', () => {
  it('gets one call for 1,000 concurrent encryptions of one context, and one for their decryption', async () => {
    const { materials, calls } = cached()
    const options = { encryptionContext: { tenant: 'a' } }
    const messages = await Promise.all(Array.from({ length: 1000 }, () => encrypt(materials, plaintext, options)))
    expect(calls).toEqual([`generateDataKey ${generatorKeyId}`])
    expect(new Set(messages.map((message) => inspect(message).messageId.join())).size).toBe(1000)
    const results = await Promise.all(messages.map((message) => decrypt(materials, message, options)))
    expect(results.every(({ plaintext: opened }) => Buffer.compare(opened, plaintext) === 0)).toBe(true)
    expect(calls).toEqual([`generateDataKey ${generatorKeyId}`, `decrypt ${generatorKeyId}`])
    expect(encryptSync(materials, plaintext, options)).toBeInstanceOf(Uint8Array)
    expect(calls).toHaveLength(2)
  })

  it('sees a permission that was taken away after maxAge at the latest', async () => {
    let now = 0
    let isAllowed = true
    const refused = Object.assign(new Error('not allowed'), { name: 'AccessDeniedException' })
    const { provider: limited } = spied({
      generateDataKey: (request) => (isAllowed ? provider.generateDataKey(request) : Promise.reject(refused)),
    })
    const keyring = kmsKeyring({ provider: limited, generatorKeyId })
    const materials = cachingMaterials({ keyring, maxAge: 300, clock: () => now })
    await encrypt(materials, plaintext)
    isAllowed = false
    for (now = 0; now < 300_000; now += 1000) await encrypt(materials, plaintext)
    await expect(encrypt(materials, plaintext)).rejects.toBe(refused)
  })

  it('is saved most calls in a mix of tenants, reads and writes over an hour', async () => {
    let now = 0
    const { materials, calls } = cached({ maxMessages: 1000, clock: () => now })
    const random = sequence(0x5ea1)
    const written: Uint8Array[] = []
    const requests = 6000
    for (let i = 0; i < requests; i++) {
      now = (i / requests) * 3_600_000
      // Of 20 tenants a few write most: the square of a uniform number leans to the first ones.
      const encryptionContext = { tenant: String(Math.floor(20 * random() ** 2)) }
      const isWrite = written.length === 0 || random() < 0.3
      if (isWrite) written.push(await encrypt(materials, plaintext, { encryptionContext }))
      // Most is read soon after it was written.
      else await decrypt(materials, written[Math.floor((written.length - 1) * (1 - random() ** 4))]!)
    }
    const saved = 100 * (1 - calls.length / requests)
    console.log(
      `${String(requests)} messages of 20 tenants in an hour, maxAge 300 s: ${String(calls.length)} calls, ` +
        `${saved.toFixed(1)} % saved`,
    )
    expect(written.length).toBeGreaterThan(1500)
    expect(calls.length).toBeLessThan(requests / 3)
  }, 120_000)
})

/** Numbers from 0 to 1 by xorshift32, the same in every run. */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}
