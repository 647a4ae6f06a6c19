import {
  constants,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  publicEncrypt,
  verify,
  type KeyObject,
  type VerifyKeyObjectInput,
} from 'node:crypto'
import type { KeySpec, MacAlgorithmSpec, SigningAlgorithmSpec } from '@aws-sdk/client-kms'
import { describe, expect, it } from 'vitest'
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js'
import { ml_kem1024, ml_kem512, ml_kem768 } from '@noble/post-quantum/ml-kem.js'
import { bytes, PLAINTEXT, type Served } from './sdk-setup.ts'

type Serving = () => Served

const DIGESTS = { SHA_256: 'sha256', SHA_384: 'sha384', SHA_512: 'sha512' } as const

/** Keys of every other spec than SYMMETRIC_DEFAULT, on the server that runs when a test does. */
export function describeKeySpecs(serving: Serving): void {
  const groups: Readonly<Record<string, (serving: Serving) => void>> = {
    'asymmetric encryption': encryption,
    signatures,
    MACs: macs,
    'shared secrets': sharedSecrets,
    'data key pairs': dataKeyPairs,
    'post-quantum keys': postQuantum,
  }
  for (const [name, declare] of Object.entries(groups)) {
    describe(name, () => {
      declare(serving)
    })
  }
}

function encryption(serving: Serving): void {
  it.each([
    ['RSAES_OAEP_SHA_1', 'sha1'],
    ['RSAES_OAEP_SHA_256', 'sha256'],
  ] as const)(
    '%s: what was encrypted offline decrypts, and the ciphertext is the raw block',
    async (algorithm, oaepHash) => {
      const { kms, newKey, publicKeyOf } = serving()
      const KeyId = await newKey('RSA_2048')
      const key = await publicKeyOf(KeyId)
      const CiphertextBlob = publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, PLAINTEXT)
      const opened = await kms.decrypt({ KeyId, CiphertextBlob, EncryptionAlgorithm: algorithm })
      expect(bytes(opened.Plaintext)).toEqual(Buffer.from(PLAINTEXT))
      const sealed = await kms.encrypt({ KeyId, Plaintext: PLAINTEXT, EncryptionAlgorithm: algorithm })
      expect(sealed.CiphertextBlob).toHaveLength(256)
    },
  )
}

const SIGNATURES: readonly (readonly [KeySpec, readonly SigningAlgorithmSpec[]])[] = [
  [
    'RSA_2048',
    [
      'RSASSA_PSS_SHA_256',
      'RSASSA_PSS_SHA_384',
      'RSASSA_PSS_SHA_512',
      'RSASSA_PKCS1_V1_5_SHA_256',
      'RSASSA_PKCS1_V1_5_SHA_384',
      'RSASSA_PKCS1_V1_5_SHA_512',
    ],
  ],
  ['RSA_3072', ['RSASSA_PSS_SHA_256']],
  ['RSA_4096', ['RSASSA_PKCS1_V1_5_SHA_512']],
  ['ECC_NIST_P256', ['ECDSA_SHA_256']],
  ['ECC_NIST_P384', ['ECDSA_SHA_384']],
  ['ECC_NIST_P521', ['ECDSA_SHA_512']],
  ['ECC_SECG_P256K1', ['ECDSA_SHA_256']],
  ['ECC_NIST_EDWARDS25519', ['ED25519_SHA_512']],
]

/** Judged by node:crypto, over the downloaded public key. */
function isSignature(algorithm: string, key: KeyObject, signature: Buffer): boolean {
  if (algorithm.startsWith('ED25519')) return verify(null, PLAINTEXT, key, signature)
  const digest = DIGESTS[algorithm.slice(-7) as keyof typeof DIGESTS]
  const { RSA_PKCS1_PSS_PADDING: padding, RSA_PSS_SALTLEN_DIGEST: saltLength } = constants
  const options: VerifyKeyObjectInput = algorithm.startsWith('RSASSA_PSS') ? { key, padding, saltLength } : { key }
  return verify(digest, PLAINTEXT, options, signature)
}

function signatures(serving: Serving): void {
  it.each(SIGNATURES)('of %s by %j verify outside', async (KeySpec, algorithms) => {
    const { kms, newKey, publicKeyOf } = serving()
    const KeyId = await newKey(KeySpec, 'SIGN_VERIFY')
    const key = await publicKeyOf(KeyId)
    for (const SigningAlgorithm of algorithms) {
      const raw = await kms.sign({ KeyId, Message: PLAINTEXT, SigningAlgorithm })
      expect(isSignature(SigningAlgorithm, key, bytes(raw.Signature))).toBe(true)
      const checked = await kms.verify({ KeyId, Message: PLAINTEXT, SigningAlgorithm, Signature: raw.Signature })
      expect(checked.SignatureValid).toBe(true)
      if (SigningAlgorithm === 'ED25519_SHA_512') continue
      const digest = DIGESTS[SigningAlgorithm.slice(-7) as keyof typeof DIGESTS]
      const Message = createHash(digest).update(PLAINTEXT).digest()
      const signed = await kms.sign({ KeyId, Message, MessageType: 'DIGEST', SigningAlgorithm })
      expect(isSignature(SigningAlgorithm, key, bytes(signed.Signature))).toBe(true)
    }
    const [SigningAlgorithm] = algorithms
    await expect(
      kms.verify({ KeyId, Message: PLAINTEXT, SigningAlgorithm, Signature: Buffer.alloc(64) }),
    ).rejects.toMatchObject({ name: 'KMSInvalidSignatureException' })
  })
}

function macs(serving: Serving): void {
  it.each([224, 256, 384, 512] as const)('of HMAC_%d verify, and those of others do not', async (bits) => {
    const { kms, newKey } = serving()
    const KeyId = await newKey(`HMAC_${bits}`, 'GENERATE_VERIFY_MAC')
    const MacAlgorithm: MacAlgorithmSpec = `HMAC_SHA_${bits}`
    const { Mac } = await kms.generateMac({ KeyId, Message: PLAINTEXT, MacAlgorithm })
    expect(Mac).toHaveLength(bits / 8)
    expect((await kms.verifyMac({ KeyId, Message: PLAINTEXT, MacAlgorithm, Mac })).MacValid).toBe(true)
    const forged = createHmac(`sha${bits}`, 'another key').update(PLAINTEXT).digest()
    await expect(kms.verifyMac({ KeyId, Message: PLAINTEXT, MacAlgorithm, Mac: forged })).rejects.toMatchObject({
      name: 'KMSInvalidMacException',
    })
  })
}

function sharedSecrets(serving: Serving): void {
  it.each([
    ['ECC_NIST_P256', 'prime256v1'],
    ['ECC_NIST_P384', 'secp384r1'],
    ['ECC_NIST_P521', 'secp521r1'],
  ] as const)('of %s are those that the other side derives', async (KeySpec, namedCurve) => {
    const { kms, newKey, publicKeyOf } = serving()
    const KeyId = await newKey(KeySpec, 'KEY_AGREEMENT')
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve })
    const PublicKey = publicKey.export({ format: 'der', type: 'spki' })
    const { SharedSecret } = await kms.deriveSharedSecret({ KeyId, KeyAgreementAlgorithm: 'ECDH', PublicKey })
    expect(bytes(SharedSecret)).toEqual(diffieHellman({ privateKey, publicKey: await publicKeyOf(KeyId) }))
  })
}

function dataKeyPairs(serving: Serving): void {
  it.each([
    'RSA_2048',
    'ECC_NIST_P256',
    'ECC_NIST_P384',
    'ECC_NIST_P521',
    'ECC_SECG_P256K1',
    'ECC_NIST_EDWARDS25519',
  ] as const)('%s: both halves belong together, and the private one decrypts', async (KeyPairSpec) => {
    const { kms, newKey } = serving()
    const KeyId = await newKey()
    const EncryptionContext = { pair: KeyPairSpec }
    const pair = await kms.generateDataKeyPair({ KeyId, KeyPairSpec, EncryptionContext })
    const key = createPrivateKey({ key: bytes(pair.PrivateKeyPlaintext), format: 'der', type: 'pkcs8' })
    expect(createPublicKey(key).export({ format: 'der', type: 'spki' })).toEqual(bytes(pair.PublicKey))
    const opened = await kms.decrypt({ CiphertextBlob: pair.PrivateKeyCiphertextBlob, EncryptionContext })
    expect(opened.Plaintext).toEqual(pair.PrivateKeyPlaintext)
    const sealed = await kms.generateDataKeyPairWithoutPlaintext({ KeyId, KeyPairSpec, EncryptionContext })
    expect(sealed).not.toHaveProperty('PrivateKeyPlaintext')
    const other = await kms.decrypt({ CiphertextBlob: sealed.PrivateKeyCiphertextBlob, EncryptionContext })
    const otherKey = createPrivateKey({ key: bytes(other.Plaintext), format: 'der', type: 'pkcs8' })
    expect(createPublicKey(otherKey).export({ format: 'der', type: 'spki' })).toEqual(bytes(sealed.PublicKey))
  })
}

function postQuantum(serving: Serving): void {
  it.each([
    ['ML_DSA_44', ml_dsa44],
    ['ML_DSA_65', ml_dsa65],
    ['ML_DSA_87', ml_dsa87],
  ] as const)('%s: a signature verifies outside', async (KeySpec, scheme) => {
    const { kms, newKey } = serving()
    const KeyId = await newKey(KeySpec, 'SIGN_VERIFY')
    const { PublicKey } = await kms.getPublicKey({ KeyId })
    const input = { KeyId, Message: PLAINTEXT, SigningAlgorithm: 'ML_DSA_SHAKE_256' as const }
    const { Signature } = await kms.sign(input)
    // The key is what SubjectPublicKeyInfo ends with.
    const key = new Uint8Array(bytes(PublicKey)).subarray(-scheme.lengths.publicKey!)
    expect(scheme.verify(new Uint8Array(bytes(Signature)), PLAINTEXT, key)).toBe(true)
    expect((await kms.verify({ ...input, Signature })).SignatureValid).toBe(true)
  })

  it.each([
    ['ML_KEM_512', ml_kem512],
    ['ML_KEM_768', ml_kem768],
    ['ML_KEM_1024', ml_kem1024],
  ] as const)('%s: a secret that was made outside comes out, and one that was made here', async (KeySpec, scheme) => {
    const { kms, newKey } = serving()
    const KeyId = await newKey(KeySpec, 'ENCAPSULATE_DECAPSULATE')
    const { PublicKey } = await kms.getPublicKey({ KeyId })
    const { cipherText, sharedSecret } = scheme.encapsulate(
      new Uint8Array(bytes(PublicKey)).subarray(-scheme.lengths.publicKey!),
    )
    const input = { KeyId, EncapsulationAlgorithm: 'ML_KEM' as const }
    const opened = await kms.decapsulate({ ...input, SharedSecretCiphertextBlob: cipherText })
    expect(bytes(opened.SharedSecret)).toEqual(Buffer.from(sharedSecret))
    const { SharedSecret, SharedSecretCiphertextBlob } = await kms.encapsulate(input)
    expect((await kms.decapsulate({ ...input, SharedSecretCiphertextBlob })).SharedSecret).toEqual(SharedSecret)
  })
}
