import { createPublicKey, generateKeyPairSync, verify, type KeyObject } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Engine } from '../../kms/engine/index.ts'
import { memoryEngine, refused } from './engine-setup.ts'

const keyId = '800d5768-3fd7-4edd-a4b8-4c81c3e4c147'
const SIGNS = { keyId, KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }

const ec = (namedCurve: string): KeyObject => generateKeyPairSync('ec', { namedCurve }).privateKey
const pkcs8 = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ format: 'der', type: 'pkcs8' }))

let engine: Engine

beforeEach(async () => {
  engine = await memoryEngine()
})

describe('a seeded key pair', () => {
  it('has the public key of its private key, whatever else is given', async () => {
    const own = ec('P-256')
    const stranger = createPublicKey(ec('P-256')).export({ format: 'der', type: 'spki' })
    const key = { ...SIGNS, materials: [pkcs8(own)], publicKey: new Uint8Array(stranger) }
    await engine.seedKey(key)
    const { PublicKey } = await engine.call('GetPublicKey', { KeyId: keyId })
    expect(PublicKey).toEqual(new Uint8Array(createPublicKey(own).export({ format: 'der', type: 'spki' })))
    const Message = Uint8Array.of(1, 2, 3)
    const { Signature } = await engine.call('Sign', { KeyId: keyId, Message, SigningAlgorithm: 'ECDSA_SHA_256' })
    expect(verify('sha256', Message, createPublicKey(own), Signature)).toBe(true)
  })

  it.each<[string, object]>([
    ['a private key of another curve', { ...SIGNS, materials: [pkcs8(ec('P-384'))] }],
    ['what is no private key', { ...SIGNS, materials: [new Uint8Array(32)] }],
    ['nothing', { ...SIGNS, materials: [] }],
    ['two private keys', { ...SIGNS, materials: [pkcs8(ec('P-256')), pkcs8(ec('P-256'))] }],
    ['a kind of key that cannot be seeded', { ...SIGNS, KeySpec: 'ML_DSA_44', materials: [new Uint8Array(32)] }],
    ['a symmetric key of another length', { keyId, materials: [new Uint8Array(31)] }],
  ])('is not made of %s', async (_, key) => {
    const seeding = engine.seedKey(key as Parameters<Engine['seedKey']>[0])
    await refused(seeding, 'ValidationException', /^the material of key .* is not that of a \w+ key$/)
    await refused(engine.call('DescribeKey', { KeyId: keyId }), 'NotFoundException')
  })
})
