import { createHmac, createECDH } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  AuthenticationError,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  FormatError,
  KeyUnavailableError,
  UnsupportedError,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
} from '../../src/index.ts'
import { parseParties, serializeParties } from '../../src/keyrings/ecdh-wrapping.ts'
import { rawEcdhKeyring } from '../../src/keyrings/raw-ecdh.ts'
import { SEED, patternBytes } from './core-data.ts'
import { CURVE_FACTS, CURVES, ecPair, pkcs8Of, RFC_5903, spkiOf } from './ec-keys.ts'

const plaintext = patternBytes(30, 1)
const recipient = ecPair('P-256', RFC_5903['P-256'].r)
const discovery = rawEcdhKeyring({
  schema: 'PublicKeyDiscovery',
  curve: 'P-256',
  recipientPrivateKey: recipient.privateKey,
})
const ephemeral = rawEcdhKeyring({
  schema: 'EphemeralPrivateKeyToStaticPublicKey',
  curve: 'P-256',
  recipientPublicKey: recipient.publicKey,
})

/** Writes what `keyring` writes, with each encrypted data key replaced. */
function replacing(
  keyring: Keyring,
  replace: (key: EncryptedDataKey) => readonly EncryptedDataKey[],
): Required<Pick<Keyring, 'wrap' | 'unwrap' | 'wrapSync'>> {
  const wrapSync = (materials: EncryptionMaterials): void => {
    keyring.wrapSync?.({
      suite: materials.suite,
      encryptionContext: materials.encryptionContext,
      serializedContext: materials.serializedContext,
      get dataKey() {
        return materials.dataKey
      },
      encryptedDataKeys: materials.encryptedDataKeys,
      signingKey: materials.signingKey,
      signal: materials.signal,
      setDataKey: (dataKey) => {
        materials.setDataKey(dataKey)
      },
      addEncryptedDataKey: (key) => {
        for (const other of replace(key)) materials.addEncryptedDataKey(other)
      },
      random: (length) => materials.random(length),
      dispose: () => undefined,
    })
  }
  return { wrap: wrapSync, wrapSync, unwrap: () => undefined }
}

/** What decryption says of a message whose encrypted data keys were replaced. */
async function outcome(replace: (key: EncryptedDataKey) => readonly EncryptedDataKey[]): Promise<unknown> {
  const message = encryptSync(replacing(ephemeral, replace), plaintext, { encryptionContext: { a: 'b' } })
  const later = await decrypt(discovery, message).then(
    (result) => result.plaintext,
    (error: unknown) => error,
  )
  let now: unknown
  try {
    now = decryptSync(discovery, message).plaintext
  } catch (error) {
    now = error
  }
  expect(now).toEqual(later)
  return later
}

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at]! ^= 1
  return copy
}

describe.each(CURVES)('a data key wrapped on %s', (curve) => {
  it('is bound by the derivation of the specification', () => {
    const [one, two] = [ecPair(curve, RFC_5903[curve].i), ecPair(curve, RFC_5903[curve].r)]
    const keyring = rawEcdhKeyring({
      schema: 'RawPrivateKeyToStaticPublicKey',
      curve,
      senderPrivateKey: one.privateKey,
      recipientPublicKey: two.publicKey,
    })
    let seen: EncryptedDataKey | undefined
    const noting = replacing(keyring, (key) => {
      seen = key
      return [key]
    })
    encryptSync(noting, plaintext, { encryptionContext: { a: 'b' } })
    const { providerId, providerInfo, ciphertext } = seen!
    const length = CURVE_FACTS[curve].bytes + 1
    const field = (point: Uint8Array): Buffer => Buffer.concat([Uint8Array.of(0, 0, 0, length), point])
    expect(providerId).toBe('raw-ecdh')
    const info = Buffer.concat([Uint8Array.of(1), field(two.compressed), field(one.compressed)])
    expect(Buffer.from(providerInfo)).toEqual(info)
    // framework/raw-ecdh-keyring.md: nonce 32, commitment 32, data key 32, tag 16.
    expect(ciphertext).toHaveLength(112)
    const names = `ecdh-key-derivation\0${curve.replace('-', '').toLowerCase()}\0HMAC_SHA384\0`
    const context = Buffer.from('0001000161000162', 'hex')
    const points = Buffer.concat([one.compressed, two.compressed])
    const fixedInfo = Buffer.concat([Buffer.from(names), points, Buffer.from('000100', 'hex'), context])
    const input = Buffer.concat([
      Buffer.from('00000001', 'hex'),
      fixedInfo,
      Uint8Array.of(0),
      ciphertext.subarray(0, 32),
      Buffer.from('00000200', 'hex'),
    ])
    const secret = Buffer.from(RFC_5903[curve].secret, 'hex')
    const block = createHmac('sha384', secret).update(input).digest()
    expect(Buffer.from(ciphertext.subarray(32, 64))).toEqual(block.subarray(0, 32))
  })

  it('opens with either of the two keys, and with no third', async () => {
    const [one, two, three] = [ecPair(curve), ecPair(curve), ecPair(curve)]
    const between = (own: typeof one, other: typeof one): Keyring =>
      rawEcdhKeyring({
        schema: 'RawPrivateKeyToStaticPublicKey',
        curve,
        senderPrivateKey: own.privateKey,
        recipientPublicKey: other.publicKey,
      })
    const message = await encrypt(between(one, two), plaintext)
    for (const keyring of [between(one, two), between(two, one)]) {
      expect((await decrypt(keyring, message)).plaintext).toEqual(plaintext)
    }
    for (const keyring of [between(one, three), between(three, two), between(three, one)]) {
      await expect(decrypt(keyring, message)).rejects.toBeInstanceOf(KeyUnavailableError)
    }
  })

  it('is never wrapped twice in the same way', () => {
    const { publicKey } = ecPair(curve)
    const keyring = rawEcdhKeyring({
      schema: 'EphemeralPrivateKeyToStaticPublicKey',
      curve,
      recipientPublicKey: publicKey,
    })
    const seen = new Set<string>()
    const noting = replacing(keyring, (key) => {
      seen.add(Buffer.from(key.providerInfo).toString('hex'))
      seen.add(Buffer.from(key.ciphertext.subarray(0, 32)).toString('hex'))
      return [key]
    })
    for (let i = 0; i < 3; i++) encryptSync(noting, plaintext)
    expect(seen.size).toBe(6)
  })
})

describe('what is done to an encrypted data key', () => {
  it('changes nothing where it means the same', async () => {
    expect(await outcome((key) => [key])).toEqual(plaintext)
    expect(await outcome((key) => [{ ...key, providerId: 'aws-kms-ecdh' }])).toEqual(plaintext)
  })

  it.each([0, 31, 32, 63, 64, 95, 96, 111])('is seen at byte %i', async (at) => {
    expect(await outcome((key) => [{ ...key, ciphertext: flipped(key.ciphertext, at) }])).toBeInstanceOf(
      AuthenticationError,
    )
  })

  it('is seen in its length', async () => {
    for (const length of [0, 31, 64, 79, 80, 96, 111]) {
      const error = await outcome((key) => [{ ...key, ciphertext: key.ciphertext.slice(0, length) }])
      expect(error).toMatchObject({ errors: [expect.any(FormatError) as unknown] })
    }
  })

  it('is recorded, and the next one tried', async () => {
    const broken = (key: EncryptedDataKey): EncryptedDataKey => ({ ...key, ciphertext: flipped(key.ciphertext, 70) })
    expect(await outcome((key) => [broken(key), key])).toEqual(plaintext)
    expect(await outcome((key) => [{ ...key, providerInfo: new Uint8Array(0) }, key])).toEqual(plaintext)
  })

  it('leaves it to others when its parties are others, or no parties', async () => {
    const other = ecPair('P-256').compressed
    const infos = [
      serializeParties({ sender: other, recipient: other }),
      serializeParties({ sender: recipient.compressed, recipient: other }),
      serializeParties({ sender: other, recipient: recipient.compressed }).slice(0, -1),
      new Uint8Array(0),
      Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff),
    ]
    for (const providerInfo of infos) {
      const error = await outcome((key) => [{ ...key, providerInfo }])
      expect(error).toMatchObject({ code: 'ERR_WAXSEAL_KEY_UNAVAILABLE', errors: [] })
    }
    expect(await outcome((key) => [{ ...key, providerInfo: flipped(key.providerInfo, 0) }])).toMatchObject({
      errors: [],
    })
    expect(await outcome((key) => [{ ...key, providerId: 'raw-ecdh2' }])).toMatchObject({ errors: [] })
  })

  it('is refused when it names a sender that is no point', async () => {
    const off = Uint8Array.from(recipient.compressed)
    do off[off.length - 1]! += 1
    while (isPoint(off))
    for (const sender of [off, recipient.full, new Uint8Array(33), new Uint8Array(0)]) {
      const providerInfo = serializeParties({ sender, recipient: recipient.compressed })
      const error = await outcome((edk) => [{ ...edk, providerInfo }])
      expect(error).toMatchObject({ errors: [expect.any(FormatError) as unknown] })
    }
  })
})

function isPoint(point: Uint8Array): boolean {
  const key = createECDH('prime256v1')
  key.generateKeys()
  try {
    return key.computeSecret(point).length > 0
  } catch {
    return false
  }
}

describe('provider information', () => {
  it('is read as it was written, and everything else is told from it', () => {
    const point = fc.uint8Array({ maxLength: 80 })
    fc.assert(
      fc.property(point, point, fc.nat(200), fc.uint8Array({ maxLength: 200 }), (sender, other, cut, noise) => {
        const info = serializeParties({ sender, recipient: other })
        expect(parseParties(info)).toEqual({ sender, recipient: other })
        if (cut > 0) expect(parseParties(info.slice(0, -cut))).toBeUndefined()
        expect(parseParties(Uint8Array.of(...info, 0))).toBeUndefined()
        const parsed = parseParties(noise)
        if (parsed !== undefined) expect(serializeParties(parsed)).toEqual(noise)
      }),
      { seed: SEED },
    )
  })
})

describe('the schemas', () => {
  it('say what they cannot do', async () => {
    await expect(encrypt(discovery, plaintext)).rejects.toBeInstanceOf(UnsupportedError)
    expect(() => encryptSync(discovery, plaintext)).toThrow(UnsupportedError)
    const message = encryptSync(ephemeral, plaintext)
    const reasons = { errors: [expect.any(UnsupportedError) as unknown] }
    await expect(decrypt(ephemeral, message)).rejects.toMatchObject(reasons)
  })

  it('need their keys', () => {
    const { privateKey, publicKey } = ecPair('P-256')
    const make = (options: object) => () => rawEcdhKeyring({ curve: 'P-256', ...options } as never)
    expect(make({})).toThrow('schema must be')
    expect(make({ schema: 'PublicKeyDiscovery' })).toThrow('recipientPrivateKey must be')
    expect(make({ schema: 'EphemeralPrivateKeyToStaticPublicKey' })).toThrow('recipientPublicKey must be')
    const schema = 'RawPrivateKeyToStaticPublicKey'
    expect(make({ schema, senderPrivateKey: privateKey })).toThrow('recipientPublicKey must be')
    expect(make({ schema, recipientPublicKey: publicKey })).toThrow('senderPrivateKey must be')
    const keys = { senderPrivateKey: privateKey, recipientPublicKey: publicKey }
    expect(make({ schema, ...keys, senderPublicKey: ecPair('P-256').publicKey })).toThrow('not a pair')
    expect(make({ schema, ...keys, curve: 'secp256k1' })).toThrow('curve must be one of')
  })

  it('take keys without their public key, and compressed ones', async () => {
    const { scalar, compressed } = ecPair('P-256')
    const curve = 'P-256'
    const recipientPrivateKey = pkcs8Of(curve, scalar)
    const own = rawEcdhKeyring({ schema: 'PublicKeyDiscovery', curve, recipientPrivateKey })
    const recipientPublicKey = spkiOf(curve, compressed)
    const to = rawEcdhKeyring({ schema: 'EphemeralPrivateKeyToStaticPublicKey', curve, recipientPublicKey })
    expect((await decrypt(own, await encrypt(to, plaintext))).plaintext).toEqual(plaintext)
  })
})
