import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { ed25519ph } from '@noble/curves/ed25519.js'
import type { ActionInput, Engine } from '../../kms/engine/index.ts'
import { memoryStore, type Store } from '../../kms/store/memory.ts'
import { ARN_PREFIX, newKey, openEngine, refused } from './engine-setup.ts'

const message = new TextEncoder().encode('a message')
const ECC = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521', 'ECC_SECG_P256K1'] as const
const ALL = ['RSA_2048', ...ECC, 'ECC_NIST_EDWARDS25519'] as const

let store: Store
let engine: Engine
const keys = new Map<string, string>()

async function make(KeySpec: string, KeyUsage: string): Promise<string> {
  const name = `${KeySpec} ${KeyUsage}`
  const known = keys.get(name)
  if (known !== undefined) return known
  const { KeyMetadata } = await engine.call('CreateKey', { KeySpec, KeyUsage })
  keys.set(name, KeyMetadata.KeyId)
  return KeyMetadata.KeyId
}

async function publicKey(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await engine.call('GetPublicKey', { KeyId })
  return createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
}

beforeAll(async () => {
  store = memoryStore()
  engine = await openEngine(store)
})

const hashOf = (algorithm: string): string => `sha${algorithm.slice(-3)}`
const digest = (algorithm: string): Buffer => createHash(hashOf(algorithm)).update(message).digest()

/** The signature is good for whoever has the public key. */
function isGood(key: KeyObject, algorithm: string, signature: Uint8Array): boolean {
  if (algorithm === 'ED25519_SHA_512') return verify(null, message, key, signature)
  if (algorithm === 'ED25519_PH_SHA_512') {
    const x = Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url')
    return ed25519ph.verify(signature, digest(algorithm), x)
  }
  if (!algorithm.startsWith('RSASSA_PSS')) return verify(hashOf(algorithm), message, key, signature)
  const padding = constants.RSA_PKCS1_PSS_PADDING
  return verify(hashOf(algorithm), message, { key, padding, saltLength: digest(algorithm).length }, signature)
}

describe.each(ALL)('signing with %s', (spec) => {
  it('makes signatures that others verify, and verifies them, of messages and of digests', async () => {
    const KeyId = await make(spec, 'SIGN_VERIFY')
    const key = await publicKey(KeyId)
    const { SigningAlgorithms = [] } = (await engine.call('DescribeKey', { KeyId })).KeyMetadata
    expect(SigningAlgorithms.length).toBeGreaterThan(0)
    for (const SigningAlgorithm of SigningAlgorithms) {
      for (const MessageType of ['RAW', 'DIGEST']) {
        const Message = MessageType === 'RAW' ? message : Uint8Array.from(digest(SigningAlgorithm))
        const input = { KeyId, Message, MessageType, SigningAlgorithm }
        const isOther = { ED25519_SHA_512: 'DIGEST', ED25519_PH_SHA_512: 'RAW' }[SigningAlgorithm] === MessageType
        if (isOther) {
          await refused(engine.call('Sign', input), 'ValidationException', /^MessageType .* is not valid for algorithm/)
          continue
        }
        const { Signature, ...answer } = await engine.call('Sign', input)
        expect(answer).toEqual({ KeyId: `${ARN_PREFIX}key/${KeyId}`, SigningAlgorithm })
        expect(isGood(key, SigningAlgorithm, Signature), `${SigningAlgorithm} ${MessageType}`).toBe(true)
        expect(await engine.call('Verify', { ...input, Signature })).toMatchObject({ SignatureValid: true })
        const hasOtherForm = !SigningAlgorithm.startsWith('ED25519')
        const other = MessageType === 'RAW' ? Uint8Array.from(digest(SigningAlgorithm)) : message
        const crossed = { ...input, Message: other, MessageType: MessageType === 'RAW' ? 'DIGEST' : 'RAW', Signature }
        if (hasOtherForm) expect(await engine.call('Verify', crossed)).toMatchObject({ SignatureValid: true })
        const wrong = Signature.slice()
        wrong[wrong.length - 1]! ^= 1
        for (const bad of [wrong, Signature.slice(0, -1), Uint8Array.of(1)]) {
          await refused(engine.call('Verify', { ...input, Signature: bad }), 'KMSInvalidSignatureException', '')
        }
        const changed = Message.slice()
        changed[0]! ^= 1
        const forged = engine.call('Verify', { ...input, Message: changed, Signature })
        await refused(forged, 'KMSInvalidSignatureException', '')
      }
    }
  }, 120_000)
})

describe('signing', () => {
  it('verifies what others signed over a digest', async () => {
    const KeyId = await make('RSA_2048', 'SIGN_VERIFY')
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const Signature = sign('sha256', message, privateKey)
    const input = { KeyId, Message: message, SigningAlgorithm: 'RSASSA_PKCS1_V1_5_SHA_256', Signature }
    await refused(engine.call('Verify', input), 'KMSInvalidSignatureException', '')
  })

  it('refuses what does not fit, with the texts of AWS', async () => {
    const KeyId = await make('ECC_NIST_P256', 'SIGN_VERIFY')
    const arn = `${ARN_PREFIX}key/${KeyId}`
    const SigningAlgorithm = 'ECDSA_SHA_256'
    const call = (input: object): Promise<unknown> =>
      engine.call('Sign', { KeyId, Message: message, SigningAlgorithm, ...input })
    const short = 'Digest is invalid length for algorithm ECDSA_SHA_256.'
    await refused(call({ MessageType: 'DIGEST' }), 'ValidationException', short)
    await refused(call({ MessageType: 'EXTERNAL_MU' }), 'ValidationException')
    await refused(
      call({ SigningAlgorithm: 'ECDSA_SHA_384' }),
      'InvalidKeyUsageException',
      'Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.',
    )
    await refused(call({ DryRun: true }), 'DryRunOperationException')
    const symmetric = await newKey(engine)
    await refused(
      call({ KeyId: symmetric }),
      'InvalidKeyUsageException',
      `${ARN_PREFIX}key/${symmetric} key usage is ENCRYPT_DECRYPT which is not valid for Sign.`,
    )
    await refused(
      engine.call('Encrypt', { KeyId, Plaintext: message }),
      'InvalidKeyUsageException',
      `${arn} key usage is SIGN_VERIFY which is not valid for Encrypt.`,
    )
    for (const action of [
      'EnableKeyRotation',
      'RotateKeyOnDemand',
      'ListKeyRotations',
      'GetKeyRotationStatus',
    ] as const) {
      await refused(engine.call(action, { KeyId }), 'UnsupportedOperationException', '')
    }
  })

  it('says no when the key was disabled while it signed', async () => {
    const { KeyId } = (await engine.call('CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }))
      .KeyMetadata
    const signing = engine.call('Sign', { KeyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' })
    const disabling = engine.call('DisableKey', { KeyId })
    await refused(signing, 'DisabledException')
    await disabling
    const names = (await engine.audit.list()).slice(-2).map(({ record }) => [record.eventName, record.errorCode])
    expect(names).toEqual([
      ['DisableKey', undefined],
      ['Sign', 'DisabledException'],
    ])
  })
})

describe('RSA encryption', () => {
  const limits = { RSAES_OAEP_SHA_1: 214, RSAES_OAEP_SHA_256: 190 } as const

  it.each(Object.entries(limits))('%s decrypts what others encrypted, and the reverse', async (algorithm, limit) => {
    const KeyId = await make('RSA_2048', 'ENCRYPT_DECRYPT')
    const key = await publicKey(KeyId)
    const Plaintext = new Uint8Array(limit).fill(7)
    const oaepHash = algorithm === 'RSAES_OAEP_SHA_1' ? 'sha1' : 'sha256'
    const offline = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, Plaintext)
    const decrypt = (input: Partial<ActionInput<'Decrypt'>>) =>
      engine.call('Decrypt', { KeyId, EncryptionAlgorithm: algorithm, ...input })
    expect((await decrypt({ CiphertextBlob: offline })).Plaintext).toEqual(Plaintext)
    const sealed = await engine.call('Encrypt', { KeyId, Plaintext, EncryptionAlgorithm: algorithm })
    expect(sealed.CiphertextBlob).toHaveLength(256)
    expect(await decrypt({ CiphertextBlob: sealed.CiphertextBlob })).toEqual({
      Plaintext,
      KeyId: `${ARN_PREFIX}key/${KeyId}`,
      EncryptionAlgorithm: algorithm,
    })
    const longer = engine.call('Encrypt', {
      KeyId,
      Plaintext: new Uint8Array(limit + 1),
      EncryptionAlgorithm: algorithm,
    })
    const text = `Algorithm ${algorithm} and key spec RSA_2048 cannot encrypt data larger than ${String(limit)} bytes.`
    await refused(longer, 'ValidationException', text)
    const EncryptionContext = { a: 'b' }
    await refused(decrypt({ CiphertextBlob: offline, EncryptionContext }), 'ValidationException', /symmetric/)
    const changed = Uint8Array.from(offline)
    changed[9]! ^= 1
    for (const CiphertextBlob of [changed, Uint8Array.of(1)]) {
      await refused(decrypt({ CiphertextBlob }), 'InvalidCiphertextException', '')
    }
    await refused(decrypt({ CiphertextBlob: offline, KeyId: undefined }), 'ValidationException')
  })

  it('goes to and from symmetric keys by ReEncrypt', async () => {
    const [rsa, symmetric] = [await make('RSA_2048', 'ENCRYPT_DECRYPT'), await newKey(engine)]
    const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
    const first = await engine.call('Encrypt', { KeyId: symmetric, Plaintext: message })
    const toRsa = await engine.call('ReEncrypt', {
      CiphertextBlob: first.CiphertextBlob,
      DestinationKeyId: rsa,
      DestinationEncryptionAlgorithm: EncryptionAlgorithm,
    })
    expect(toRsa).not.toHaveProperty('DestinationKeyMaterialId')
    const again = await engine.call('ReEncrypt', {
      CiphertextBlob: toRsa.CiphertextBlob,
      SourceKeyId: rsa,
      SourceEncryptionAlgorithm: EncryptionAlgorithm,
      DestinationKeyId: rsa,
      DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    })
    const back = await engine.call('ReEncrypt', {
      CiphertextBlob: again.CiphertextBlob,
      SourceKeyId: rsa,
      SourceEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
      DestinationKeyId: symmetric,
    })
    expect((await engine.call('Decrypt', { CiphertextBlob: back.CiphertextBlob })).Plaintext).toEqual(message)
  })
})

describe('MACs', () => {
  it.each([224, 256, 384, 512])('of HMAC_%i are those of HMAC', async (bits) => {
    const KeyId = await make(`HMAC_${String(bits)}`, 'GENERATE_VERIFY_MAC')
    const MacAlgorithm = `HMAC_SHA_${String(bits)}`
    const input = { KeyId, Message: message, MacAlgorithm }
    const { Mac, ...answer } = await engine.call('GenerateMac', input)
    expect(Mac).toHaveLength(bits / 8)
    expect(answer).toEqual({ KeyId: `${ARN_PREFIX}key/${KeyId}`, MacAlgorithm })
    expect(await engine.call('VerifyMac', { ...input, Mac })).toEqual({ ...answer, MacValid: true })
    const changed = Mac.slice()
    changed[0]! ^= 1
    for (const bad of [changed, Mac.slice(1), Uint8Array.of(...Mac, 0)]) {
      await refused(engine.call('VerifyMac', { ...input, Mac: bad }), 'KMSInvalidMacException', '')
    }
    await refused(engine.call('GenerateMac', { ...input, DryRun: true }), 'DryRunOperationException')
    const MacWrong = bits === 256 ? 'HMAC_SHA_512' : 'HMAC_SHA_256'
    await refused(engine.call('GenerateMac', { ...input, MacAlgorithm: MacWrong }), 'InvalidKeyUsageException')
    await refused(engine.call('GetPublicKey', { KeyId }), 'UnsupportedOperationException')
  })

  it('are HMAC of node:crypto under the same bytes', async () => {
    const drawn: Uint8Array[] = []
    const unsafeRandom = (length: number): Uint8Array => {
      const bytes = createHash('sha512').update(String(drawn.length)).digest().subarray(0, length)
      drawn.push(bytes)
      return Uint8Array.from(bytes)
    }
    const seeded = await openEngine(memoryStore(), { unsafeRandom })
    const { KeyId } = (await seeded.call('CreateKey', { KeySpec: 'HMAC_512', KeyUsage: 'GENERATE_VERIFY_MAC' }))
      .KeyMetadata
    const key = drawn.find(({ length }) => length === 64)!
    const { Mac } = await seeded.call('GenerateMac', { KeyId, Message: message, MacAlgorithm: 'HMAC_SHA_512' })
    expect(Buffer.from(Mac)).toEqual(createHmac('sha512', key).update(message).digest())
  })
})

describe.each(['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const)('DeriveSharedSecret with %s', (spec) => {
  it('answers what the other side has', async () => {
    const KeyId = await make(spec, 'KEY_AGREEMENT')
    const curve = spec.replace('ECC_NIST_P', 'P-')
    const peer = generateKeyPairSync('ec', { namedCurve: curve })
    const call = (PublicKey: Uint8Array, input: object = {}) =>
      engine.call('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey, ...input })
    const spki = peer.publicKey.export({ format: 'der', type: 'spki' })
    const { SharedSecret, ...answer } = await call(spki)
    const expected = diffieHellman({ privateKey: peer.privateKey, publicKey: await publicKey(KeyId) })
    expect(Buffer.from(SharedSecret)).toEqual(expected)
    expect(answer).toEqual({ KeyId: `${ARN_PREFIX}key/${KeyId}`, KeyAgreementAlgorithm: 'ECDH', KeyOrigin: 'AWS_KMS' })
    await refused(call(spki, { DryRun: true }), 'DryRunOperationException')
    await refused(call(spki, { Recipient: {} }), 'UnsupportedOperationException')
    const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({
      format: 'der',
      type: 'spki',
    })
    const off = Uint8Array.from(spki)
    off[off.length - 1]! ^= 1
    for (const bad of [other, off, Uint8Array.of(1), spki.subarray(1)]) {
      await refused(call(bad), 'ValidationException', `PublicKey is not a public key of the key spec ${spec}.`)
    }
  })
})

describe('data key pairs', () => {
  it.each(ALL)(
    'of %s are pairs, wrapped and plain',
    async (KeyPairSpec) => {
      const KeyId = await newKey(engine)
      const EncryptionContext = { a: 'b' }
      const made = await engine.call('GenerateDataKeyPair', { KeyId, KeyPairSpec, EncryptionContext })
      const opened = await engine.call('Decrypt', { CiphertextBlob: made.PrivateKeyCiphertextBlob, EncryptionContext })
      expect(opened.Plaintext).toEqual(made.PrivateKeyPlaintext)
      expect(made).toMatchObject({
        KeyId: `${ARN_PREFIX}key/${KeyId}`,
        KeyPairSpec,
        KeyMaterialId: opened.KeyMaterialId,
      })
      const key = Buffer.from(made.PrivateKeyPlaintext)
      const spki = createPublicKey(createPrivateKey({ key, format: 'der', type: 'pkcs8' })).export({
        format: 'der',
        type: 'spki',
      })
      expect(Buffer.from(made.PublicKey)).toEqual(spki)
      const without = await engine.call('GenerateDataKeyPairWithoutPlaintext', { KeyId, KeyPairSpec })
      expect(without).not.toHaveProperty('PrivateKeyPlaintext')
    },
    60_000,
  )

  it('are refused where they cannot be', async () => {
    const KeyId = await newKey(engine)
    const call = (input: object) =>
      engine.call('GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256', ...input })
    await refused(call({ KeyPairSpec: 'SM2' }), 'UnsupportedOperationException')
    await refused(call({ Recipient: {} }), 'UnsupportedOperationException')
    await refused(call({ DryRun: true }), 'DryRunOperationException')
    await refused(call({ KeyId: await make('ECC_NIST_P256', 'SIGN_VERIFY') }), 'InvalidKeyUsageException')
  })
})

it('keeps private keys sealed', async () => {
  const { KeyId } = (await engine.call('CreateKey', { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })).KeyMetadata
  const point = (await publicKey(KeyId)).export({ format: 'jwk' })
  const rows = await store.transaction('read', (found) => found.list('material', { prefix: '', limit: 1000 }))
  // A private key in PKCS #8 has the public one in it, which is nowhere but in the key's own row.
  const x = Buffer.from(point.x ?? '', 'base64url').toString('hex')
  for (const { body } of rows) expect(body).not.toContain(x)
})
