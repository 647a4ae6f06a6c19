import { describe, expect, it, vi } from 'vitest'
import { cachingMaterials, decrypt, decryptSync, encrypt, encryptSync, inspect } from '../../src/index.ts'
import type { EncryptOptions } from '../../src/index.ts'
import { isWiped, setUp, settled, SlowKeyring } from './src-caching-setup.ts'
import { aes, plaintext } from './src-setup.ts'

const A: EncryptOptions = { encryptionContext: { tenant: 'a' } }
const B: EncryptOptions = { encryptionContext: { tenant: 'b' } }
const DISPOSED = expect.objectContaining({ code: 'ERR_WAXSEAL_DISPOSED' }) as unknown

describe('eviction', () => {
  it('hides an entry at once and wipes it after its last user', async () => {
    const { keyring, materials } = setUp()
    const { algorithmSuite: suite } = inspect(encryptSync(aes, plaintext))
    const random = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length)
    const request = {
      suite,
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
      plaintextLength: 5,
      random,
      signal: undefined,
    }
    const users = [await materials.encryptionMaterials(request), materials.encryptionMaterialsSync(request)] as const
    materials.clear()
    const [dataKey] = keyring.dataKeys
    expect(isWiped(dataKey)).toBe(false)
    users[0].dispose()
    users[0].dispose()
    expect(isWiped(dataKey)).toBe(false)
    expect(users[1].dataKey).toBe(dataKey)
    users[1].dispose()
    expect(isWiped(dataKey)).toBe(true)
    await encrypt(materials, plaintext)
    expect(keyring.wraps).toBe(2)
  })

  it('between any two steps of a message leaves it whole', async () => {
    for (const end of ['clear', 'dispose'] as const) {
      for (let steps = 0; steps < 25; steps++) {
        const { keyring, materials } = setUp()
        const message = await encrypt(materials, plaintext, A)
        const pending = [
          encrypt(materials, plaintext, A),
          encrypt(materials, plaintext, B),
          decrypt(materials, message),
        ]
        for (let i = 0; i < steps; i++) await Promise.resolve()
        materials[end]()
        for (const outcome of await Promise.allSettled(pending)) {
          if (outcome.status === 'rejected') expect([end, outcome.reason]).toEqual(['dispose', DISPOSED])
          else if (outcome.value instanceof Uint8Array) {
            expect(decryptSync(aes, outcome.value).plaintext).toEqual(plaintext)
          } else expect(outcome.value.plaintext).toEqual(plaintext)
        }
        await settled()
        if (end === 'dispose') expect(keyring.dataKeys.every(isWiped)).toBe(true)
      }
    }
  })

  it('by dispose ends every call, now and later', async () => {
    const { keyring, materials } = setUp()
    await encrypt(materials, plaintext, A)
    keyring.hold()
    const waiting = [encrypt(materials, plaintext, B), encrypt(materials, plaintext, B)]
    await settled()
    materials.dispose()
    materials.dispose()
    for (const call of waiting) await expect(call).rejects.toThrow(DISPOSED)
    expect(keyring.signals.at(-1)?.aborted).toBe(true)
    await expect(encrypt(materials, plaintext, A)).rejects.toThrow(DISPOSED)
    expect(() => encryptSync(materials, plaintext, A)).toThrow(DISPOSED)
    await settled()
    expect(keyring.dataKeys.every(isWiped)).toBe(true)
  })

  it('by clear keeps out what was asked for before', async () => {
    const { keyring, materials } = setUp()
    keyring.hold()
    const before = encrypt(materials, plaintext, A)
    await settled()
    materials.clear()
    const after = encrypt(materials, plaintext, A)
    await settled()
    expect(keyring.wraps).toBe(2)
    keyring.release()
    await Promise.all([before, after])
    expect(keyring.dataKeys.map(isWiped)).toEqual([true, false])
  })
})

it('has Symbol.dispose where there is one', () => {
  const { materials } = setUp()
  const symbol = (Symbol as { readonly dispose?: symbol }).dispose
  if (symbol !== undefined) (materials as unknown as Record<symbol, () => void>)[symbol]?.()
  else materials.dispose()
  expect(() => encryptSync(materials, plaintext, A)).toThrow(DISPOSED)
})

it('draws nothing when it is made', async () => {
  const keyring = new SlowKeyring()
  const random = vi.spyOn(globalThis.crypto, 'getRandomValues')
  const materials = cachingMaterials({ keyring, maxAge: 1 })
  expect(random).not.toHaveBeenCalled()
  await encrypt(materials, plaintext)
  expect(random).toHaveBeenCalled()
  random.mockRestore()
})
