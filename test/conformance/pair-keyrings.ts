import { decrypt, encrypt, inspect } from 'waxseal'
import { rawEcdhKeyring } from 'waxseal/ecdh'
import { kmsEcdhKeyring } from 'waxseal/kms/ecdh'
import { createEngine, type Engine } from 'waxseal/kms/engine'
import { kmsRsaKeyring, type KmsPairProvider } from 'waxseal/kms/rsa'
import { memoryStore } from 'waxseal/kms/store/memory'
import { pattern } from './bytes.ts'
import { equal, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { group, type Case } from './runtime.ts'

const CONTEXT = { encryptionContext: { tenant: 'a' } }
const SIGNED = { algorithmSuite: 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY-ECDSA-P384' } as const
const CURVES = ['P-256', 'P-384', 'P-521'] as const
const ALGORITHMS = ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] as const

/** An engine as the service of key pairs, as a user writes it where there are no files. */
function pairProvider(engine: Engine): KmsPairProvider {
  return {
    async getPublicKey({ keyId, signal }) {
      const answer = await engine.call('GetPublicKey', { KeyId: keyId }, { signal })
      const { KeyId, PublicKey, KeySpec, KeyUsage } = answer
      return { keyId: KeyId, publicKey: PublicKey, keySpec: KeySpec, keyUsage: KeyUsage }
    },
    async decryptRsa({ keyId, algorithm, ciphertext, signal }) {
      const input = { KeyId: keyId, CiphertextBlob: ciphertext, EncryptionAlgorithm: algorithm }
      const answer = await engine.call('Decrypt', input, { signal })
      return { keyId: answer.KeyId, plaintext: answer.Plaintext }
    },
    async deriveSharedSecret({ keyId, publicKey, signal }) {
      const input = { KeyId: keyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: publicKey }
      const answer = await engine.call('DeriveSharedSecret', input, { signal })
      return { keyId: answer.KeyId, sharedSecret: answer.SharedSecret }
    },
  }
}

async function newPair(
  engine: Engine,
  KeySpec: string,
  KeyUsage: string,
): Promise<{ readonly arn: string; readonly publicKey: Uint8Array }> {
  const { KeyMetadata } = await engine.call('CreateKey', { KeySpec, KeyUsage })
  const { PublicKey } = await engine.call('GetPublicKey', { KeyId: KeyMetadata.KeyId })
  return { arn: KeyMetadata.Arn, publicKey: PublicKey }
}

async function overRsa(): Promise<void> {
  const engine = await createEngine({ store: memoryStore(), rootKey: pattern(32, 4) })
  const provider = pairProvider(engine)
  const { arn: keyId, publicKey } = await newPair(engine, 'RSA_2048', 'ENCRYPT_DECRYPT')
  for (const algorithm of ALGORITHMS) {
    const writer = kmsRsaKeyring({ keyId, algorithm, publicKey })
    const reader = kmsRsaKeyring({ keyId, algorithm, provider })
    const message = await encrypt(writer, pattern(100), CONTEXT)
    equal(inspect(message).encryptedDataKeys[0]?.providerId, 'aws-kms-rsa', 'the provider id')
    sameBytes((await decrypt(reader, message)).plaintext, pattern(100), `the plaintext with ${algorithm}`)
    await rejects(() => decrypt(writer, message), EXPECTED.keyUnavailable, 'decrypt without a provider')
    await rejects(() => encrypt(reader, pattern(3)), EXPECTED.unsupported, 'encrypt without a public key')
    await rejects(() => encrypt(writer, pattern(3), SIGNED), EXPECTED.unsupported, 'encrypt with a signature')
    const changed = message.slice()
    changed[inspect(message).byteLength - 60]! ^= 1
    await rejects(() => decrypt(reader, changed), EXPECTED.authentication, 'decrypt')
  }
  throws(() => kmsRsaKeyring({ keyId: 'alias/x', algorithm: ALGORITHMS[0], publicKey }), EXPECTED.type, 'an alias')
  await engine.close()
}

async function overEcdh(): Promise<void> {
  const engine = await createEngine({ store: memoryStore(), rootKey: pattern(32, 4) })
  const provider = pairProvider(engine)
  for (const curve of CURVES) {
    const spec = `ECC_NIST_${curve.replace('-', '')}`
    const [alice, bob] = [await newPair(engine, spec, 'KEY_AGREEMENT'), await newPair(engine, spec, 'KEY_AGREEMENT')]
    const schema = 'KmsPrivateKeyToStaticPublicKey'
    const writer = kmsEcdhKeyring({
      schema,
      curve,
      provider,
      senderKeyId: alice.arn,
      recipientPublicKey: bob.publicKey,
    })
    const reader = kmsEcdhKeyring({ schema: 'KmsPublicKeyDiscovery', curve, provider, recipientKeyId: bob.arn })
    const message = await encrypt(writer, pattern(100), CONTEXT)
    equal(inspect(message).encryptedDataKeys[0]?.providerId, 'aws-kms-ecdh', 'the provider id')
    sameBytes((await decrypt(reader, message)).plaintext, pattern(100), `the plaintext on ${curve}`)
    sameBytes((await decrypt(writer, message)).plaintext, pattern(100), `the sender's plaintext on ${curve}`)
    const ephemeral = rawEcdhKeyring({
      schema: 'EphemeralPrivateKeyToStaticPublicKey',
      curve,
      recipientPublicKey: bob.publicKey,
    })
    const sealed = await encrypt(ephemeral, pattern(9), CONTEXT)
    sameBytes((await decrypt(reader, sealed)).plaintext, pattern(9), `the plaintext of a raw keyring on ${curve}`)
    await rejects(() => encrypt(reader, pattern(3)), EXPECTED.unsupported, 'encrypt by discovery')
  }
  await engine.close()
}

/** Keyrings whose private key is a pair in the embedded key management service. */
export const pairKeyringCases: readonly Case[] = group('keyrings over key pairs', { RSA: overRsa, ECDH: overEcdh })
