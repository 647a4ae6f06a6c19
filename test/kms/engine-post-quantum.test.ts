import { createHash } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { generatePostQuantum, type PostQuantumSpec } from '../../bindings/post-quantum.noble.ts'
import type { Engine } from '../../kms/engine/index.ts'
import { memoryEngine, newKey, refused } from './engine-setup.ts'

const ML_DSA = ['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'] as const
const ML_KEM = ['ML_KEM_512', 'ML_KEM_768', 'ML_KEM_1024'] as const
const message = new TextEncoder().encode('a message')

let engine: Engine

beforeAll(async () => {
  engine = await memoryEngine()
})

afterEach(() => {
  vi.restoreAllMocks()
})

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const shake256 = (...parts: Uint8Array[]): Buffer =>
  parts.reduce((hash, part) => hash.update(part), createHash('shake256', { outputLength: 64 })).digest()

/** RFC 9881 and RFC 9935, appendix C: seeds 00 01 02 …, and SHA-256 of SubjectPublicKeyInfo as OpenSSL 3.5 derives it. */
const EXAMPLES: readonly (readonly [PostQuantumSpec, string, string])[] = [
  [
    'ML_DSA_44',
    '3034020100300b060960864801650304031104228020',
    '837832708c5236d951581f1fddf2b79991b3424a0486d16da1ddad0fd69701be',
  ],
  [
    'ML_DSA_65',
    '3034020100300b060960864801650304031204228020',
    'b8b62131bfbe84433efb2273d7f5b87f7a22854a2cfd366fc2aead86d837c52d',
  ],
  [
    'ML_DSA_87',
    '3034020100300b060960864801650304031304228020',
    '07e57c4f14dbad1267f621ec3777b4e2e6c4fbc4c22fbb87510ff8e0b3c6a642',
  ],
  [
    'ML_KEM_512',
    '3054020100300b060960864801650304040104428040',
    '0e3c8b89b54202d2545f7aba2e2aaa3cffa7b6191919ad738fab35b4f313cf71',
  ],
  [
    'ML_KEM_768',
    '3054020100300b060960864801650304040204428040',
    'c23e23dd3d485a9256cda09358a4a286e00b373db10761eadf99f710649ca31c',
  ],
  [
    'ML_KEM_1024',
    '3054020100300b060960864801650304040304428040',
    'd2b7480ae006a14b37c1e8a8e45ea39022e32a9b1a7b90d594c84d869c6ac420',
  ],
]

describe('the example keys of the RFCs', () => {
  it.each(EXAMPLES)('%s', (spec, prefix, digest) => {
    vi.spyOn(globalThis.crypto, 'getRandomValues').mockImplementation((array) => {
      const bytes = array as unknown as Uint8Array
      bytes.forEach((_, index) => (bytes[index] = index))
      return array
    })
    const { privateKey, publicKey } = generatePostQuantum(spec)
    const seed = Uint8Array.from({ length: spec.startsWith('ML_DSA') ? 32 : 64 }, (_, index) => index)
    expect(Buffer.from(privateKey).toString('hex')).toBe(prefix + Buffer.from(seed).toString('hex'))
    expect(sha256(publicKey)).toBe(digest)
  })
})

async function publicKeyOf(KeyId: string): Promise<Uint8Array> {
  return (await engine.call('GetPublicKey', { KeyId })).PublicKey
}

describe.each(ML_DSA)('signing with %s', (spec) => {
  const use = { SigningAlgorithm: 'ML_DSA_SHAKE_256' }
  let KeyId: string
  /** The last bytes of SubjectPublicKeyInfo are the key. */
  const representative = async (): Promise<Uint8Array> => {
    const encoded = await publicKeyOf(KeyId)
    const bytes = { ML_DSA_44: 1312, ML_DSA_65: 1952, ML_DSA_87: 2592 }[spec]
    // FIPS 204 algorithm 2, line 10, with an empty context, and algorithm 7, line 6.
    const tr = shake256(encoded.subarray(-bytes))
    return Uint8Array.from(shake256(tr, Uint8Array.of(0, 0), message))
  }

  beforeAll(async () => {
    KeyId = await newKey(engine, { KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
  })

  it('signs a message and its representative, and verifies either as the other', async () => {
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId })
    expect(KeyMetadata.SigningAlgorithms).toEqual(['ML_DSA_SHAKE_256'])
    const mu = await representative()
    const raw = await engine.call('Sign', { KeyId, Message: message, ...use })
    const external = await engine.call('Sign', { KeyId, Message: mu, MessageType: 'EXTERNAL_MU', ...use })
    for (const { Signature } of [raw, external]) {
      expect(Signature).toHaveLength({ ML_DSA_44: 2420, ML_DSA_65: 3309, ML_DSA_87: 4627 }[spec])
      const asMessage = await engine.call('Verify', { KeyId, Message: message, Signature, ...use })
      const asMu = await engine.call('Verify', { KeyId, Message: mu, MessageType: 'EXTERNAL_MU', Signature, ...use })
      expect([asMessage.SignatureValid, asMu.SignatureValid]).toEqual([true, true])
    }
  })

  it('verifies nothing else', async () => {
    const { Signature } = await engine.call('Sign', { KeyId, Message: message, ...use })
    const flipped = Signature.slice()
    flipped[100] = (flipped[100] ?? 0) ^ 1
    const others = [flipped, Signature.subarray(1), new Uint8Array(1)]
    for (const other of others) {
      const verified = engine.call('Verify', { KeyId, Message: message, Signature: other, ...use })
      await refused(verified, 'KMSInvalidSignatureException', '')
    }
    const another = engine.call('Verify', { KeyId, Message: message.subarray(1), Signature, ...use })
    await refused(another, 'KMSInvalidSignatureException', '')
  })

  it('takes neither a digest nor a representative of another length', async () => {
    const digest = engine.call('Sign', { KeyId, Message: new Uint8Array(64), MessageType: 'DIGEST', ...use })
    await refused(digest, 'ValidationException', 'MessageType DIGEST is not valid for algorithm ML_DSA_SHAKE_256.')
    const short = engine.call('Sign', { KeyId, Message: new Uint8Array(63), MessageType: 'EXTERNAL_MU', ...use })
    await refused(short, 'ValidationException', 'Digest is invalid length for algorithm ML_DSA_SHAKE_256.')
  })
})

describe.each(ML_KEM)('encapsulating for %s', (spec) => {
  const use = { EncapsulationAlgorithm: 'ML_KEM' }
  const KeyUsage = 'ENCAPSULATE_DECAPSULATE'
  let KeyId: string

  beforeAll(async () => {
    KeyId = await newKey(engine, { KeySpec: spec, KeyUsage })
  })

  it('gives the same secret to the owner of the key', async () => {
    const { KeyMetadata } = await engine.call('DescribeKey', { KeyId })
    expect(KeyMetadata.EncapsulationAlgorithms).toEqual(['ML_KEM'])
    const made = await engine.call('Encapsulate', { KeyId, ...use })
    expect(made.KeyId).toBe(KeyMetadata.Arn)
    expect(made.SharedSecret).toHaveLength(32)
    const bytes = { ML_KEM_512: 768, ML_KEM_768: 1088, ML_KEM_1024: 1568 }[spec]
    expect(made.SharedSecretCiphertextBlob).toHaveLength(bytes)
    const { SharedSecretCiphertextBlob } = made
    const opened = await engine.call('Decapsulate', { KeyId, SharedSecretCiphertextBlob, ...use })
    expect(opened.SharedSecret).toEqual(made.SharedSecret)
  })

  it('gives another secret for what is not of this key, and refuses what is not as long', async () => {
    const other = await newKey(engine, { KeySpec: spec, KeyUsage })
    const { SharedSecret, SharedSecretCiphertextBlob } = await engine.call('Encapsulate', { KeyId: other, ...use })
    const opened = await engine.call('Decapsulate', { KeyId, SharedSecretCiphertextBlob, ...use })
    expect(opened.SharedSecret).toHaveLength(32)
    expect(opened.SharedSecret).not.toEqual(SharedSecret)
    const cut = SharedSecretCiphertextBlob.subarray(1)
    const refusal = engine.call('Decapsulate', { KeyId, SharedSecretCiphertextBlob: cut, ...use })
    await refused(refusal, 'InvalidCiphertextException', '')
  })

  it('makes data key pairs', async () => {
    const wrapping = await newKey(engine)
    const pair = await engine.call('GenerateDataKeyPair', { KeyId: wrapping, KeyPairSpec: spec })
    const { Plaintext } = await engine.call('Decrypt', { CiphertextBlob: pair.PrivateKeyCiphertextBlob })
    expect(Plaintext).toEqual(pair.PrivateKeyPlaintext)
  })
})

it('says what a dry run would have done, and refuses keys for something else', async () => {
  const KeyId = await newKey(engine, { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
  const use = { KeyId, EncapsulationAlgorithm: 'ML_KEM' }
  await refused(engine.call('Encapsulate', { ...use, DryRun: true }), 'DryRunOperationException')
  const { SharedSecretCiphertextBlob } = await engine.call('Encapsulate', use)
  const dry = engine.call('Decapsulate', { ...use, SharedSecretCiphertextBlob, DryRun: true })
  await refused(dry, 'DryRunOperationException')
  const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256', AttestationDocument: new Uint8Array(1) }
  const attested = engine.call('Decapsulate', { ...use, SharedSecretCiphertextBlob, Recipient })
  await refused(attested, 'UnsupportedOperationException')
  const symmetric = await newKey(engine)
  await refused(engine.call('Encapsulate', { ...use, KeyId: symmetric }), 'InvalidKeyUsageException')
  const signing = engine.call('Sign', { KeyId, Message: message, SigningAlgorithm: 'ML_DSA_SHAKE_256' })
  await refused(signing, 'InvalidKeyUsageException')
})
