import {
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  verify as nodeVerify,
} from 'node:crypto'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { keyPairs as onNode } from '../../bindings/key-pairs.node.ts'
import type { KeyPair, KeyPairs, KeyPairSpec, SignedMessage, SigningAlgorithm } from '../../bindings/key-pairs.ts'
import { keyPairs as onWeb } from '../../bindings/key-pairs.web.ts'

const RSA: readonly SigningAlgorithm[] = [
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
]
const ALGORITHMS: Readonly<Record<KeyPairSpec, readonly SigningAlgorithm[]>> = {
  RSA_2048: RSA,
  RSA_3072: ['RSASSA_PSS_SHA_256', 'RSASSA_PKCS1_V1_5_SHA_512'],
  RSA_4096: ['RSASSA_PSS_SHA_512'],
  ECC_NIST_P256: ['ECDSA_SHA_256'],
  ECC_NIST_P384: ['ECDSA_SHA_384'],
  ECC_NIST_P521: ['ECDSA_SHA_512'],
  ECC_SECG_P256K1: ['ECDSA_SHA_256'],
  ECC_NIST_EDWARDS25519: ['ED25519_SHA_512', 'ED25519_PH_SHA_512'],
}
const SPECS = Object.keys(ALGORITHMS) as KeyPairSpec[]
const CURVES = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const
const BYTES = new TextEncoder().encode('a message')

const pairs = new Map<string, Promise<KeyPair>>()

/** One pair of each spec and maker: those of RSA take their time. */
function pairOf(maker: KeyPairs, spec: KeyPairSpec): Promise<KeyPair> {
  const name = `${spec} ${maker === onNode ? 'node' : 'web'}`
  const pair = pairs.get(name) ?? maker.generate(spec)
  pairs.set(name, pair)
  return pair
}

/** Every form in which a message can be given for an algorithm. */
function messagesFor(algorithm: SigningAlgorithm): SignedMessage[] {
  const hash = `sha${algorithm.slice(-3)}`
  const digest = { algorithm, bytes: new Uint8Array(createHash(hash).update(BYTES).digest()), isDigest: true }
  const whole = { algorithm, bytes: BYTES, isDigest: false }
  if (algorithm === 'ED25519_SHA_512') return [whole]
  return algorithm === 'ED25519_PH_SHA_512' ? [digest] : [whole, digest]
}

afterEach(() => vi.restoreAllMocks())

/** As a runtime whose WebCrypto has none of these. */
function withoutWebCrypto(): void {
  const lack = (): Promise<never> => Promise.reject(new DOMException('not here', 'NotSupportedError'))
  vi.spyOn(crypto.subtle, 'generateKey').mockImplementation(lack)
  vi.spyOn(crypto.subtle, 'importKey').mockImplementation(lack)
}

describe.each(SPECS)('%s', (spec) => {
  it('is encoded as OpenSSL encodes it, by both', async () => {
    for (const maker of [onWeb, onNode]) {
      const { publicKey, privateKey } = await pairOf(maker, spec)
      const spki = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' })
      const pkcs8 = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
      expect(new Uint8Array(spki.export({ format: 'der', type: 'spki' }))).toEqual(publicKey)
      expect(new Uint8Array(pkcs8.export({ format: 'der', type: 'pkcs8' }))).toEqual(privateKey)
      expect(createPublicKey(pkcs8).equals(spki)).toBe(true)
    }
  })

  it.each(ALGORITHMS[spec])('signs and verifies %s with the other', async (algorithm) => {
    for (const [signer, verifier, maker] of [
      [onWeb, onNode, onNode],
      [onNode, onWeb, onWeb],
      [onWeb, onWeb, onNode],
    ] as const) {
      const { publicKey, privateKey } = await pairOf(maker, spec)
      for (const message of messagesFor(algorithm)) {
        const before = privateKey.slice()
        const signature = await signer.sign(privateKey, message)
        expect(privateKey).toEqual(before)
        expect(await verifier.verify(publicKey, message, signature)).toBe(true)
        for (const other of messagesFor(algorithm))
          expect(await verifier.verify(publicKey, other, signature)).toBe(true)
        await isRefused(verifier, publicKey, message, signature)
      }
    }
  })

  it('works where WebCrypto lacks the curve', async () => {
    withoutWebCrypto()
    if (spec.startsWith('RSA')) return expect(onWeb.generate(spec)).rejects.toThrow('not here')
    const { publicKey, privateKey } = await onWeb.generate(spec)
    const pkcs8 = createPrivateKey({ key: Buffer.from(privateKey), format: 'der', type: 'pkcs8' })
    expect(new Uint8Array(pkcs8.export({ format: 'der', type: 'pkcs8' }))).toEqual(privateKey)
    expect(new Uint8Array(createPublicKey(pkcs8).export({ format: 'der', type: 'spki' }))).toEqual(publicKey)
    const ofNode = await pairOf(onNode, spec)
    for (const message of ALGORITHMS[spec].flatMap(messagesFor)) {
      const signature = await onWeb.sign(privateKey, message)
      expect(await onNode.verify(publicKey, message, signature)).toBe(true)
      const theirs = await onNode.sign(ofNode.privateKey, message)
      expect(await onWeb.verify(ofNode.publicKey, message, theirs)).toBe(true)
      await isRefused(onWeb, publicKey, message, signature)
    }
  })
})

/** Another message, each kind of change to the signature, and what is none. */
async function isRefused(
  verifier: KeyPairs,
  publicKey: Uint8Array,
  message: SignedMessage,
  signature: Uint8Array,
): Promise<void> {
  const bytes = message.bytes.map((byte, index) => (index === 0 ? byte ^ 1 : byte))
  expect(await verifier.verify(publicKey, { ...message, bytes }, signature)).toBe(false)
  for (const at of [0, 1, 3, signature.length - 1]) {
    const changed = signature.map((byte, index) => (index === at ? byte ^ 1 : byte))
    expect(await verifier.verify(publicKey, message, changed), String(at)).toBe(false)
  }
  const longer = Uint8Array.from([...signature, 0])
  const zeros = new Uint8Array(signature.length)
  const ones = new Uint8Array(signature.length).fill(0xff)
  for (const wrong of [new Uint8Array(0), signature.subarray(1), signature.subarray(0, -1), longer, zeros, ones]) {
    expect(await verifier.verify(publicKey, message, wrong)).toBe(false)
  }
}

describe('ECDSA signatures', () => {
  it('are read in their shortest form only (X.690 §8.3.2)', async () => {
    const { publicKey, privateKey } = await pairOf(onNode, 'ECC_NIST_P256')
    const message = { algorithm: 'ECDSA_SHA_256', bytes: BYTES, isDigest: false } as const
    const signature = await onWeb.sign(privateKey, message)
    const rLength = signature[3] ?? 0
    const r = signature.slice(4, 4 + rLength)
    const rest = signature.slice(4 + rLength)
    const padded = Uint8Array.from([0x30, signature.length - 1, 0x02, rLength + 1, 0, ...r, ...rest])
    expect(await onWeb.verify(publicKey, message, padded)).toBe(false)
    expect(await onNode.verify(publicKey, message, padded)).toBe(false)
  })

  it('hold integers of every length', async () => {
    const { publicKey, privateKey } = await pairOf(onNode, 'ECC_NIST_P256')
    const message = { algorithm: 'ECDSA_SHA_256', bytes: BYTES, isDigest: false } as const
    const lengths = new Set<number>()
    for (let i = 0; i < 600; i++) {
      const signature = await onWeb.sign(privateKey, message)
      lengths.add(signature.length)
      if (signature.length < 70) expect(await onNode.verify(publicKey, message, signature)).toBe(true)
      if (signature.length < 70) expect(await onWeb.verify(publicKey, message, signature)).toBe(true)
    }
    expect(lengths.size).toBeGreaterThan(2)
  })
})

describe.each(CURVES)('ECDH on %s', (spec) => {
  it('agrees with the other, with and without the runtime', async () => {
    const a = await pairOf(onNode, spec)
    const b = await pairOf(onWeb, spec)
    const secret = await onNode.agree(a.privateKey, b.publicKey)
    expect(await onWeb.agree(b.privateKey, a.publicKey)).toEqual(secret)
    withoutWebCrypto()
    expect(await onWeb.agree(a.privateKey, b.publicKey)).toEqual(secret)
  })

  it('takes keys of the same curve alone', async () => {
    const { privateKey, publicKey } = await pairOf(onWeb, spec)
    const others = SPECS.filter((other) => other !== spec && !other.startsWith('RSA_3') && !other.startsWith('RSA_4'))
    for (const other of others) {
      expect(await onWeb.agree(privateKey, (await pairOf(onWeb, other)).publicKey)).toBeUndefined()
    }
    const notOnCurve = publicKey.slice()
    notOnCurve[notOnCurve.length - 1]! ^= 1
    for (const wrong of [notOnCurve, publicKey.subarray(1), new Uint8Array(0)]) {
      expect(await onWeb.agree(privateKey, wrong)).toBeUndefined()
      expect(await onNode.agree(privateKey, wrong)).toBeUndefined()
    }
  })
})

describe('keys that are none, or of another kind', () => {
  it('are a TypeError without a cause', async () => {
    const { privateKey, publicKey } = await pairOf(onWeb, 'ECC_NIST_P256')
    const message = { algorithm: 'ECDSA_SHA_256', bytes: BYTES, isDigest: false } as const
    const isTypeError = async (promise: Promise<unknown>): Promise<void> => {
      const error: unknown = await promise.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(TypeError)
      expect(error).not.toHaveProperty('cause')
    }
    for (const wrong of [new Uint8Array(0), publicKey, privateKey.subarray(1), Uint8Array.of(0x30, 0x80)]) {
      await isTypeError(onWeb.sign(wrong, message))
      await isTypeError(onWeb.agree(wrong, publicKey))
    }
    await isTypeError(onWeb.verify(privateKey, message, BYTES))
    await isTypeError(onWeb.sign(privateKey, { ...message, algorithm: 'RSASSA_PSS_SHA_256' }))
    await isTypeError(onWeb.sign(privateKey, { ...message, algorithm: 'ED25519_SHA_512' }))
    await isTypeError(onWeb.agree((await pairOf(onWeb, 'ECC_SECG_P256K1')).privateKey, publicKey))
  })

  it('sign nothing when an RSA key is spoilt: the primes would be given away', async () => {
    const { privateKey } = await pairOf(onWeb, 'RSA_2048')
    const spoilt = privateKey.slice()
    // Within the exponent dQ: qInv, the last integer, has about 128 bytes, and dQ about as many before it.
    spoilt[spoilt.length - 200]! ^= 1
    const digest = { algorithm: 'RSASSA_PKCS1_V1_5_SHA_256', bytes: new Uint8Array(32), isDigest: true } as const
    await expect(onWeb.sign(spoilt, digest)).rejects.toBeInstanceOf(TypeError)
  })
})

it('an RSA signature has all of its leading zero bytes (RFC 8017 §8.1.2, step 1)', async () => {
  const { privateKey, publicKey } = await pairOf(onNode, 'RSA_2048')
  const found = new Map<boolean, number>()
  for (let i = 0; found.size < 2; i++) {
    const isDigest = i % 2 === 1
    const message = { algorithm: 'RSASSA_PSS_SHA_256', bytes: new Uint8Array(32).fill(i), isDigest } as const
    const signature = await onNode.sign(privateKey, message)
    if (signature[0] !== 0) continue
    found.set(isDigest, i)
    for (const verifier of [onNode, onWeb]) {
      expect(await verifier.verify(publicKey, message, signature)).toBe(true)
      expect(await verifier.verify(publicKey, message, signature.subarray(1))).toBe(false)
    }
  }
})

it('RFC 8032 §7.1, test 1 is signed and verified, without the runtime as well', async () => {
  const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
  const seed = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
  const point = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
  const signature = hex(
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  )
  const privateKey = hex(`302e020100300506032b657004220420${seed}`)
  const publicKey = hex(`302a300506032b6570032100${point}`)
  const message = { algorithm: 'ED25519_SHA_512', bytes: new Uint8Array(0), isDigest: false } as const
  expect(await onWeb.sign(privateKey, message)).toEqual(signature)
  withoutWebCrypto()
  expect(await onWeb.sign(privateKey, message)).toEqual(signature)
  expect(await onWeb.verify(publicKey, message, signature)).toBe(true)
})

it.each(['sha224', 'sha256', 'sha384', 'sha512'] as const)('HMAC with %s is that of node:crypto', async (hash) => {
  const key = new Uint8Array(64).fill(3)
  expect(await onWeb.mac(hash, key, BYTES)).toEqual(new Uint8Array(createHmac(hash, key).update(BYTES).digest()))
})

it('keys of other programs are read', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2049 })
  const encoded = new Uint8Array(privateKey.export({ format: 'der', type: 'pkcs8' }))
  for (const algorithm of RSA) {
    for (const message of messagesFor(algorithm).filter(({ isDigest }) => isDigest)) {
      const signature = await onWeb.sign(encoded, message)
      const spki = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }))
      expect(await onNode.verify(spki, message, signature)).toBe(true)
      expect(await onWeb.verify(spki, message, signature)).toBe(true)
      const isPkcs1 = algorithm.includes('PKCS1')
      if (isPkcs1) expect(nodeVerify(`sha${algorithm.slice(-3)}`, BYTES, publicKey, signature)).toBe(true)
    }
  }
})
