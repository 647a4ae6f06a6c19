import { keyPairs } from '#key-pairs'
import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeAll, expect, it, vi } from 'vitest'
import type * as core from '../../bindings/core.ts'
import { UnsupportedError } from '../../bindings/errors.ts'
import { RootKeys } from '../../kms/engine/keys.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { memoryEngine, newKey, openEngine, refused } from './engine-setup.ts'
import { importMaterial, NEVER, reuseWrappingKeys } from './import-setup.ts'

// What of secrets is left in memory when a call has ended.

const { authenticated } = vi.hoisted(() => ({ authenticated: [] as Uint8Array[] }))

vi.mock(import('../../bindings/core.ts'), async (original) => {
  const real: typeof core = await original()
  return {
    ...real,
    hmac: (hash, key, ...parts) => {
      authenticated.push(...(parts as Uint8Array[]))
      return real.hmac(hash, key, ...parts)
    },
  }
})

beforeAll(reuseWrappingKeys)

afterEach(() => {
  authenticated.length = 0
})

it('wipes what the id of imported material is made of', async () => {
  const engine = await memoryEngine()
  const KeyId = await newKey(engine, { Origin: 'EXTERNAL' })
  const material = Uint8Array.from({ length: 32 }, (_, index) => 0xa0 ^ index)
  const { KeyMaterialId } = await importMaterial(engine, KeyId, material)
  expect(KeyMaterialId).toMatch(/^[0-9a-f]{64}$/)
  expect(authenticated.length).toBeGreaterThan(0)
  expect(authenticated.filter((message) => Buffer.from(message).includes(Buffer.from(material)))).toEqual([])
})

it('wipes a private key that the runtime does not try', async () => {
  const engine = await memoryEngine()
  const KeyId = await newKey(engine, { Origin: 'EXTERNAL', KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pkcs8 = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))
  const given: Uint8Array[] = []
  const sign = vi.spyOn(keyPairs, 'sign').mockImplementation((key) => {
    given.push(key)
    return Promise.reject(new UnsupportedError('not in this runtime'))
  })
  try {
    const algorithm = { algorithm: 'RSAES_OAEP_SHA_256' }
    await refused(importMaterial(engine, KeyId, pkcs8, NEVER, algorithm), 'UnsupportedOperationException')
  } finally {
    sign.mockRestore()
  }
  expect(given).toEqual([new Uint8Array(pkcs8.length)])
})

it('wipes what work outside of a transaction would have had, if that transaction fails', async () => {
  const store = memoryStore()
  let fails = false
  const failing: Store = {
    ...store,
    transaction: (mode, work) =>
      store.transaction(mode, async (rows) => {
        const result = await work(rows)
        if (fails) throw new Error('the disk is full')
        return result
      }),
  }
  const engine = await openEngine(failing)
  const KeyId = await newKey(engine, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  const unseal = vi.spyOn(RootKeys.prototype, 'unseal')
  fails = true
  const input = { KeyId, Message: Uint8Array.of(1), SigningAlgorithm: 'ECDSA_SHA_256' }
  await expect(engine.call('Sign', input)).rejects.toThrow('the disk is full')
  const secrets = unseal.mock.results.map(({ value }) => value as Uint8Array)
  unseal.mockRestore()
  expect(secrets.map(({ length }) => length)).toEqual([expect.any(Number)])
  expect(secrets[0]).toEqual(new Uint8Array(secrets[0]!.length))
})
