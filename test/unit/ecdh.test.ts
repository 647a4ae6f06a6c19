import { createHmac, createPublicKey, generateKeyPairSync, KeyObject, webcrypto } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { EcdhCurve, KeyInput } from '../../bindings/asymmetric.ts'
import * as node from '../../bindings/asymmetric.node.ts'
import * as web from '../../bindings/asymmetric.web.ts'
import { compress, isCompressed, uncompress } from '../../bindings/ec-point.ts'
import { kdfCounter } from '../../bindings/kdf-counter.ts'
import { CURVE_FACTS, CURVES, ecPair, pem, pkcs8Of, RFC_5903, spkiOf } from './ec-keys.ts'

const RUNTIMES = { node, web }
const { subtle } = webcrypto
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))

/** The call throws at once, or what it answers rejects. */
async function fails(use: () => unknown): Promise<unknown> {
  try {
    await use()
  } catch (error) {
    return error
  }
  return undefined
}

describe.each(Object.entries(RUNTIMES))('ECDH on %s', (_, { ecdhPrivateKey, ecdhPublicKey, generateEcdhKey }) => {
  it.each(CURVES)('agrees as RFC 5903 §8 does on %s', async (curve) => {
    const { i, r, secret } = RFC_5903[curve]
    const [first, second] = [ecPair(curve, i), ecPair(curve, r)]
    const own = ecdhPrivateKey(curve, first.privateKey, 'own')
    expect(await own.point()).toEqual(first.compressed)
    expect(await own.agree(second.compressed)).toEqual(bytes(secret))
    const other = ecdhPrivateKey(curve, second.privateKey, 'other')
    expect(await other.agree(first.compressed)).toEqual(bytes(secret))
  })

  it.each(CURVES)('agrees with the other implementation on %s', async (curve) => {
    for (const other of Object.values(RUNTIMES)) {
      const [one, two] = [await generateEcdhKey(curve), await other.generateEcdhKey(curve)]
      const secret = await one.agree(await two.point())
      expect(secret).toHaveLength(CURVE_FACTS[curve].bytes)
      expect(await two.agree(await one.point())).toEqual(secret)
    }
  })

  it.each(CURVES)('reads keys of %s in every form', async (curve) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curve })
    const spki = publicKey.export({ format: 'der', type: 'spki' })
    const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
    const algorithm = { name: 'ECDH', namedCurve: curve }
    const point = compress(uncompress(curve, spki.subarray(-1 - 2 * CURVE_FACTS[curve].bytes)) ?? new Uint8Array(0))
    const publicKeys: readonly KeyInput[] = [
      spki,
      pem('PUBLIC KEY', spki),
      spkiOf(curve, point),
      publicKey,
      await subtle.importKey('spki', spki, algorithm, true, []),
    ]
    for (const input of publicKeys) expect(await ecdhPublicKey(curve, input, 'key').point()).toEqual(point)
    const privateKeys: readonly KeyInput[] = [pkcs8, pem('PRIVATE KEY', pkcs8), privateKey]
    for (const input of privateKeys) expect(await ecdhPrivateKey(curve, input, 'key').point()).toEqual(point)
    const cryptoKey = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['deriveBits'])
    const beside = ecdhPublicKey(curve, spki, 'beside')
    expect(await ecdhPrivateKey(curve, cryptoKey, 'key', beside).point()).toEqual(point)
    expect(pkcs8.some((byte) => byte !== 0)).toBe(true)
  })

  it.each(CURVES)('refuses what is no public key of %s', async (curve) => {
    const { full, compressed, privateKey } = ecPair(curve)
    const offCurve = Buffer.from(full)
    offCurve[offCurve.length - 1]! ^= 1
    const another = curve === 'P-256' ? 'P-384' : 'P-256'
    const algorithm = { name: 'ECDSA', namedCurve: another }
    const inputs: readonly unknown[] = [
      spkiOf(curve, offCurve),
      spkiOf(curve, Uint8Array.of(0)), // the point at infinity
      spkiOf(curve, new Uint8Array(0)),
      spkiOf(curve, full.subarray(0, -1)),
      spkiOf(curve, full).subarray(0, -3),
      pem('PUBLIC KEY', spkiOf(curve, offCurve)),
      ecPair(another).publicKey,
      privateKey,
      compressed,
      new Uint8Array(0),
      '',
      5,
      null,
      undefined,
      RSA.publicKey,
      RSA.publicKey.export({ format: 'der', type: 'spki' }),
      (await subtle.generateKey(algorithm, true, ['sign', 'verify'])).publicKey,
    ]
    for (const input of inputs) {
      expect(await fails(() => ecdhPublicKey(curve, input as KeyInput, 'theKey').point())).toBeInstanceOf(TypeError)
    }
    expect(await fails(() => ecdhPublicKey(curve, '', 'theKey'))).toMatchObject({
      message: expect.stringContaining('theKey') as unknown,
    })
  })

  it.each(CURVES)('refuses what is no private key of %s', async (curve) => {
    const { scalar, full, publicKey, privateKey } = ecPair(curve)
    const another = ecPair(curve)
    const otherCurve = curve === 'P-256' ? 'P-384' : 'P-256'
    const inputs: readonly unknown[] = [
      pkcs8Of(curve, scalar, another.full),
      pkcs8Of(curve, Buffer.alloc(scalar.length), full),
      pkcs8Of(curve, Buffer.alloc(scalar.length, 0xff), full),
      pkcs8Of(curve, scalar.subarray(8), full),
      pkcs8Of(curve, scalar, full).subarray(0, -3),
      ecPair(otherCurve).privateKey,
      publicKey,
      scalar,
      '',
      undefined,
      RSA.privateKey,
      RSA.privateKey.export({ format: 'der', type: 'pkcs8' }),
    ]
    for (const [index, input] of inputs.entries()) {
      const error = await fails(() => ecdhPrivateKey(curve, input as KeyInput, 'theKey').point())
      expect(error, String(index)).toBeInstanceOf(TypeError)
      expect(error).not.toHaveProperty('cause')
    }
    const beside = ecdhPublicKey(curve, another.publicKey, 'beside')
    const mismatch = await fails(() => ecdhPrivateKey(curve, privateKey, 'theKey', beside).point())
    expect(mismatch).toMatchObject({ message: expect.stringContaining('not a pair') as unknown })
  })

  it.each(CURVES)('agrees on nothing with what is no point of %s', async (curve) => {
    const own = ecdhPrivateKey(curve, ecPair(curve).privateKey, 'own')
    const { compressed, full } = ecPair(curve)
    const otherX = Uint8Array.from(compressed)
    do otherX[otherX.length - 1]! += 1
    while (uncompress(curve, otherX) !== undefined)
    const tooLarge = new Uint8Array(compressed.length).fill(0xff)
    tooLarge[0] = 2
    const points = [otherX, tooLarge, full, compressed.subarray(1), new Uint8Array(0), Uint8Array.of(0)]
    for (const point of points) expect(await own.agree(point)).toBeUndefined()
  })
})

describe('a private key that does not say its public key', () => {
  it.each(CURVES)('of %s works on Node, and elsewhere beside its public key', async (curve) => {
    const { scalar, compressed, publicKey } = ecPair(curve)
    const pkcs8 = pkcs8Of(curve, scalar)
    expect(node.ecdhPrivateKey(curve, pkcs8, 'key').point()).toEqual(compressed)
    expect(() => web.ecdhPrivateKey(curve, pkcs8, 'key')).toThrow(TypeError)
    const beside = web.ecdhPublicKey(curve, publicKey, 'beside')
    expect(await web.ecdhPrivateKey(curve, pkcs8, 'key', beside).point()).toEqual(compressed)
  })

  it('as a CryptoKey, works on Node, and elsewhere beside its public key', async () => {
    const algorithm = { name: 'ECDH', namedCurve: 'P-256' }
    const pair = await subtle.generateKey(algorithm, true, ['deriveBits'])
    expect(() => web.ecdhPrivateKey('P-256', pair.privateKey, 'key')).toThrow(TypeError)
    const noBits = await subtle.generateKey(algorithm, true, ['deriveKey'])
    const beside = web.ecdhPublicKey('P-256', noBits.publicKey, 'beside')
    expect(() => web.ecdhPrivateKey('P-256', noBits.privateKey, 'key', beside)).toThrow("'deriveBits'")
    expect(node.ecdhPrivateKey('P-256', pair.privateKey, 'key').point()).toEqual(
      await web.ecdhPublicKey('P-256', KeyObject.from(pair.publicKey), 'key').point(),
    )
  })
})

describe.each(CURVES)('points of %s', (curve: EcdhCurve) => {
  it('are what OpenSSL says they are', () => {
    for (let i = 0; i < 20; i++) {
      const { full, compressed } = ecPair(curve)
      expect(compress(full)).toEqual(compressed)
      expect(uncompress(curve, compressed)).toEqual(new Uint8Array(full))
      expect(uncompress(curve, full)).toEqual(new Uint8Array(full))
    }
  })

  it('are told from the numbers that are none', () => {
    const { compressed } = ecPair(curve)
    for (let last = 0; last < 64; last++) {
      const point = Uint8Array.from(compressed)
      point[point.length - 1] = last
      expect(isCompressed(curve, point)).toBe(true)
      expect(uncompress(curve, point) !== undefined).toBe(opensslReads(curve, point))
    }
  })
})

function opensslReads(curve: EcdhCurve, point: Uint8Array): boolean {
  try {
    createPublicKey({ key: spkiOf(curve, point), format: 'der', type: 'spki' })
    return true
  } catch {
    return false
  }
}

describe('KDF in counter mode', () => {
  it.each(['sha256', 'sha384', 'sha512'] as const)('over HMAC-%s is made of HMACs', (hash) => {
    const key = Buffer.from('a key')
    const [label, context] = [Buffer.from('label'), Buffer.from('context')]
    for (const length of [1, 16, 32, 48, 64, 65, 129, 200]) {
      const bits = Buffer.alloc(4)
      bits.writeUInt32BE(length * 8)
      const blocks = [1, 2, 3, 4, 5, 6, 7].map((i) =>
        createHmac(hash, key)
          .update(Buffer.concat([Uint8Array.of(0, 0, 0, i), label, Uint8Array.of(0), context, bits]))
          .digest(),
      )
      const expected = new Uint8Array(Buffer.concat(blocks)).slice(0, length)
      expect(kdfCounter(hash, key, { label, context, length })).toEqual(expected)
    }
  })
})
