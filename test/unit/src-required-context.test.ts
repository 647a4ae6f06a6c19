import { describe, expect, it } from 'vitest'
import { decrypt, decryptSync, encrypt, encryptSync, inspect, rawAesKeyring } from '../../src/index.ts'
import type { DecryptOptions, EncryptionContext } from '../../src/index.ts'
import { staticDataKeyKeyring } from '../../src/keyrings/static-data-key.ts'

const keyring = rawAesKeyring({ namespace: 'test', name: 'k1', wrappingKey: new Uint8Array(32).fill(7) })
/** A key that binds no context, so that only the header can tell. */
const unbound = staticDataKeyKeyring(new Uint8Array(32).fill(7))
const plaintext = Uint8Array.of(1, 2, 3)
const encryptionContext: EncryptionContext = { tenant: 'a', purpose: 'test' }

describe('pairs that must be present', () => {
  const message = encryptSync(keyring, plaintext, { encryptionContext })

  it.each<EncryptionContext>([{}, { tenant: 'a' }, { purpose: 'test', tenant: 'a' }])('are found (%o)', (given) => {
    expect(decryptSync(keyring, message, { encryptionContext: given }).plaintext).toEqual(plaintext)
  })

  it.each<EncryptionContext>([
    { tenant: 'b' },
    { tenant: '' },
    { tenant: 'a', other: '' },
    { Tenant: 'a' },
    { '': '' },
  ])('are missed in an authentic message (%o)', async (given) => {
    const refused = { code: 'ERR_WAXSEAL_ENCRYPTION_CONTEXT' }
    await expect(decrypt(keyring, message, { encryptionContext: given })).rejects.toMatchObject(refused)
  })

  it('are not compared before the header is authentic', async () => {
    const { byteLength } = inspect(message)
    const changed = message.slice()
    changed[byteLength - 1]! ^= 1
    const refused = { code: 'ERR_WAXSEAL_AUTHENTICATION' }
    await expect(decrypt(keyring, changed, { encryptionContext: { tenant: 'b' } })).rejects.toMatchObject(refused)
  })

  it('may be the public key of a signed message', () => {
    const signed = encryptSync(keyring, plaintext, { algorithmSuite: 0x0578 })
    const given = inspect(signed).encryptionContext
    expect(Object.keys(given)).toEqual(['aws-crypto-public-key'])
    expect(decryptSync(keyring, signed, { encryptionContext: given }).plaintext).toEqual(plaintext)
  })
})

describe.each([
  ['bound by the wrapping key', keyring],
  ['bound by the header alone', unbound],
])('required pairs, %s,', (_, source) => {
  const requiredEncryptionContextKeys = ['tenant']
  const message = encryptSync(source, plaintext, { encryptionContext, requiredEncryptionContextKeys })
  const code = (options: DecryptOptions): Promise<unknown> =>
    decrypt(source, message, options).then(
      ({ plaintext: opened }) => opened,
      (error: unknown) => (error as { code?: unknown }).code,
    )

  it('stay out of the message', () => {
    expect({ ...inspect(message).encryptionContext }).toEqual({ purpose: 'test' })
  })

  it('open it when they are given again', async () => {
    for (const given of [encryptionContext, { tenant: 'a' }]) {
      expect(await code({ encryptionContext: given, requiredEncryptionContextKeys })).toEqual(plaintext)
    }
  })

  it('authenticate it', async () => {
    expect(await code({})).toBe('ERR_WAXSEAL_AUTHENTICATION')
    expect(await code({ encryptionContext })).toBe('ERR_WAXSEAL_AUTHENTICATION')
    const other = { ...encryptionContext, tenant: 'b' }
    expect(await code({ encryptionContext: other, requiredEncryptionContextKeys })).toBe('ERR_WAXSEAL_AUTHENTICATION')
    const more = {
      encryptionContext: { ...encryptionContext, more: '' },
      requiredEncryptionContextKeys: ['tenant', 'more'],
    }
    expect(await code(more)).toBe('ERR_WAXSEAL_AUTHENTICATION')
  })

  it('do not excuse other pairs that the message lacks', async () => {
    const given = { tenant: 'a', other: 'x' }
    expect(await code({ encryptionContext: given, requiredEncryptionContextKeys })).toBe(
      'ERR_WAXSEAL_ENCRYPTION_CONTEXT',
    )
    const different = { tenant: 'a', purpose: 'else' }
    expect(await code({ encryptionContext: different, requiredEncryptionContextKeys })).toBe(
      'ERR_WAXSEAL_ENCRYPTION_CONTEXT',
    )
  })

  it('may be stored in the message nevertheless, where another writer did so', async () => {
    const stored = encryptSync(source, plaintext, { encryptionContext })
    const read = { encryptionContext, requiredEncryptionContextKeys }
    expect((await decrypt(source, stored, read)).plaintext).toEqual(plaintext)
    const wrong = { encryptionContext: { tenant: 'b' }, requiredEncryptionContextKeys }
    await expect(decrypt(source, stored, wrong)).rejects.toMatchObject({ code: 'ERR_WAXSEAL_ENCRYPTION_CONTEXT' })
  })
})

describe('keys of required pairs', () => {
  it('must be in the context, and not be reserved', async () => {
    const message = encryptSync(keyring, plaintext)
    for (const requiredEncryptionContextKeys of [['other'], ['toString']]) {
      const options = { encryptionContext, requiredEncryptionContextKeys }
      await expect(encrypt(keyring, plaintext, options)).rejects.toThrow(TypeError)
      await expect(decrypt(keyring, message, options)).rejects.toThrow(TypeError)
    }
    const reserved = { 'aws-crypto-public-key': 'AAAA' }
    const options = { encryptionContext: reserved, requiredEncryptionContextKeys: Object.keys(reserved) }
    await expect(decrypt(keyring, message, options)).rejects.toThrow(TypeError)
  })
})
