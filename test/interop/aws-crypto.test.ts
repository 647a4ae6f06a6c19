import {
  buildClient,
  CommitmentPolicy as AmazonPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
} from '@aws-crypto/client-node'
import type { AlgorithmSuiteIdentifier } from '@aws-crypto/client-node'
import { constants, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { algorithmSuites, decrypt, encrypt, rawAesKeyring, rawRsaKeyring } from '../../src/index.ts'
import type { AlgorithmSuite, EncryptOptions, RsaPadding } from '../../src/index.ts'

const NAMES = { namespace: 'interop', name: 'k1' }
const SIZES = [0, 1, 4095, 4096, 4097, 100_000]
const CONTEXTS = [{}, { tenant: 'a', purpose: 'interoperation', ключ: 'значение' }]

const wrappingKey = new Uint8Array(32).map((_, i) => i)
const ours = rawAesKeyring({ ...NAMES, wrappingKey })
const amazons = new RawAesKeyringNode({
  keyNamespace: NAMES.namespace,
  keyName: NAMES.name,
  unencryptedMasterKey: wrappingKey,
  wrappingSuite: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
})

const committing = buildClient(AmazonPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT)
const allowing = buildClient(AmazonPolicy.FORBID_ENCRYPT_ALLOW_DECRYPT)

function plaintextOf(size: number): Uint8Array {
  return new Uint8Array(size).map((_, i) => (i * 31 + (i >> 8)) & 0xff)
}

function optionsFor(suite: AlgorithmSuite): EncryptOptions {
  const commitmentPolicy = suite.isCommitting ? 'require-encrypt-require-decrypt' : 'forbid-encrypt-allow-decrypt'
  return { algorithmSuite: suite.id, commitmentPolicy }
}

describe.each(algorithmSuites)('$name', (suite) => {
  const client = suite.isCommitting ? committing : allowing
  const suiteId = suite.id as unknown as AlgorithmSuiteIdentifier
  const cases = SIZES.flatMap((size) => CONTEXTS.map((encryptionContext) => ({ size, encryptionContext })))

  it.each(cases)(
    'Amazon reads what waxseal writes ($size bytes, $encryptionContext)',
    async ({ size, encryptionContext }) => {
      const plaintext = plaintextOf(size)
      const message = await encrypt(ours, plaintext, { ...optionsFor(suite), encryptionContext })
      const opened = await client.decrypt(amazons, Buffer.from(message))
      expect(new Uint8Array(opened.plaintext)).toEqual(plaintext)
      expect(opened.messageHeader.encryptionContext).toMatchObject(encryptionContext)
      expect(opened.messageHeader.suiteId).toBe(suite.id)
    },
  )

  it.each(cases)(
    'waxseal reads what Amazon writes ($size bytes, $encryptionContext)',
    async ({ size, encryptionContext }) => {
      const plaintext = plaintextOf(size)
      const { result } = await client.encrypt(amazons, Buffer.from(plaintext), { suiteId, encryptionContext })
      const { commitmentPolicy } = optionsFor(suite)
      const opened = await decrypt(ours, result, { commitmentPolicy, encryptionContext })
      expect(opened.plaintext).toEqual(plaintext)
      expect(opened.header.algorithmSuite).toBe(suite)
    },
  )
})

describe('RSA', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { format: 'pem', type: 'spki' },
    privateKeyEncoding: { format: 'pem', type: 'pkcs8' },
  })
  const oaep = { padding: constants.RSA_PKCS1_OAEP_PADDING }
  const paddings: readonly [RsaPadding, { padding: number; oaepHash?: 'sha1' | 'sha256' | 'sha384' | 'sha512' }][] = [
    ['oaep-sha1', { ...oaep, oaepHash: 'sha1' }],
    ['oaep-sha256', { ...oaep, oaepHash: 'sha256' }],
    ['oaep-sha384', { ...oaep, oaepHash: 'sha384' }],
    ['oaep-sha512', { ...oaep, oaepHash: 'sha512' }],
  ]

  it.each(paddings)('%s is wrapped and unwrapped by both', async (padding, amazonPadding) => {
    const keyring = rawRsaKeyring({ ...NAMES, padding, publicKey, privateKey })
    const names = { keyNamespace: NAMES.namespace, keyName: NAMES.name }
    const peer = new RawRsaKeyringNode({ ...names, rsaKey: { publicKey, privateKey }, ...amazonPadding })
    const plaintext = plaintextOf(5000)
    const opened = await committing.decrypt(peer, Buffer.from(await encrypt(keyring, plaintext)))
    expect(new Uint8Array(opened.plaintext)).toEqual(plaintext)
    const { result } = await committing.encrypt(peer, Buffer.from(plaintext))
    expect((await decrypt(keyring, result)).plaintext).toEqual(plaintext)
  })

  it('pkcs1 is unwrapped by waxseal where Amazon wrote it', async () => {
    const keyring = rawRsaKeyring({ ...NAMES, padding: 'pkcs1', privateKey })
    const names = { keyNamespace: NAMES.namespace, keyName: NAMES.name }
    const padding = constants.RSA_PKCS1_PADDING
    const peer = new RawRsaKeyringNode({ ...names, rsaKey: { publicKey }, padding })
    const plaintext = plaintextOf(5000)
    const { result } = await committing.encrypt(peer, Buffer.from(plaintext))
    expect((await decrypt(keyring, result)).plaintext).toEqual(plaintext)
  })
})
