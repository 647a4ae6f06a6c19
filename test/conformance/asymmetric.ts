import { createEngine, type Engine } from 'waxseal/kms/engine'
import { sha256, sha384, sha512 } from 'waxseal/core'
import { memoryStore } from 'waxseal/kms/store/memory'
import { pattern } from './bytes.ts'
import { equal, isTrue, rejects, sameBytes } from './check.ts'
import { EXPECTED } from './expected.ts'
import { group, type Case } from './runtime.ts'

const DIGESTS: Readonly<Record<string, (data: Uint8Array) => Uint8Array>> = { 256: sha256, 384: sha384, 512: sha512 }
const SIGNING = [
  'RSA_2048',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
] as const
const NIST = ['ECC_NIST_P256', 'ECC_NIST_P384', 'ECC_NIST_P521'] as const
const MESSAGE = pattern(1000, 3)

function newEngine(): Promise<Engine> {
  return createEngine({ store: memoryStore(), rootKey: pattern(32, 4) })
}

async function fails(act: () => Promise<unknown>, name: string): Promise<void> {
  equal((await rejects(act, EXPECTED.kms, name)).name, name, 'the name of the exception')
}

/** Every algorithm of a key, over the message and over its digest, as far as the algorithm takes both. */
async function signatures(): Promise<void> {
  const engine = await newEngine()
  for (const KeySpec of SIGNING) {
    const { KeyMetadata } = await engine.call('CreateKey', { KeySpec, KeyUsage: 'SIGN_VERIFY' })
    const { KeyId, SigningAlgorithms = [] } = KeyMetadata
    for (const SigningAlgorithm of SigningAlgorithms) {
      for (const MessageType of ['RAW', 'DIGEST']) {
        const only: Readonly<Record<string, string>> = { ED25519_SHA_512: 'RAW', ED25519_PH_SHA_512: 'DIGEST' }
        if ((only[SigningAlgorithm] ?? MessageType) !== MessageType) continue
        const digest = DIGESTS[SigningAlgorithm.slice(-3)]?.(MESSAGE) ?? MESSAGE
        const Message = MessageType === 'RAW' ? MESSAGE : digest
        const input = { KeyId, SigningAlgorithm, MessageType, Message }
        const { Signature } = await engine.call('Sign', input)
        const what = `${SigningAlgorithm} of ${KeySpec}, ${MessageType}`
        isTrue((await engine.call('Verify', { ...input, Signature })).SignatureValid, what)
        // What was signed as a digest is a signature of the message, and the reverse.
        const other = MessageType === 'RAW' ? { MessageType: 'DIGEST', Message: digest } : { Message: MESSAGE }
        if (only[SigningAlgorithm] === undefined) {
          const { SignatureValid } = await engine.call('Verify', { KeyId, SigningAlgorithm, Signature, ...other })
          isTrue(SignatureValid, `${what}, the other way`)
        }
        const changed = Signature.slice()
        changed[changed.length - 1]! ^= 1
        await fails(() => engine.call('Verify', { ...input, Signature: changed }), 'KMSInvalidSignatureException')
      }
    }
  }
  await engine.close()
}

async function encryption(): Promise<void> {
  const engine = await newEngine()
  const { KeyMetadata } = await engine.call('CreateKey', { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  const { KeyId } = KeyMetadata
  for (const EncryptionAlgorithm of ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256']) {
    const Plaintext = pattern(32, 9)
    const { CiphertextBlob } = await engine.call('Encrypt', { KeyId, EncryptionAlgorithm, Plaintext })
    equal(CiphertextBlob.length, 256, 'bytes of the block')
    const opened = await engine.call('Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob })
    sameBytes(opened.Plaintext, Plaintext, 'the plaintext')
  }
  await engine.close()
}

async function agreement(): Promise<void> {
  const engine = await newEngine()
  const KeyAgreementAlgorithm = 'ECDH'
  for (const KeySpec of NIST) {
    const make = async (): Promise<{ readonly KeyId: string; readonly PublicKey: Uint8Array }> => {
      const { KeyMetadata } = await engine.call('CreateKey', { KeySpec, KeyUsage: 'KEY_AGREEMENT' })
      return engine.call('GetPublicKey', { KeyId: KeyMetadata.KeyId })
    }
    const [a, b] = [await make(), await make()]
    const secretOf = async (KeyId: string, PublicKey: Uint8Array): Promise<Uint8Array> => {
      return (await engine.call('DeriveSharedSecret', { KeyId, KeyAgreementAlgorithm, PublicKey })).SharedSecret
    }
    sameBytes(await secretOf(a.KeyId, b.PublicKey), await secretOf(b.KeyId, a.PublicKey), `the secret of ${KeySpec}`)
    const wrong = b.PublicKey.slice()
    wrong[wrong.length - 1]! ^= 1
    await fails(() => secretOf(a.KeyId, wrong), 'ValidationException')
  }
  await engine.close()
}

async function dataKeyPairs(): Promise<void> {
  const engine = await newEngine()
  const { KeyId } = (await engine.call('CreateKey', {})).KeyMetadata
  for (const KeyPairSpec of SIGNING) {
    const pair = await engine.call('GenerateDataKeyPair', { KeyId, KeyPairSpec })
    const opened = await engine.call('Decrypt', { CiphertextBlob: pair.PrivateKeyCiphertextBlob })
    sameBytes(opened.Plaintext, pair.PrivateKeyPlaintext, `the private key of ${KeyPairSpec}`)
  }
  await engine.close()
}

async function macs(): Promise<void> {
  const engine = await newEngine()
  for (const bits of [224, 256, 384, 512]) {
    const input = { KeySpec: `HMAC_${bits}`, KeyUsage: 'GENERATE_VERIFY_MAC' }
    const { KeyId } = (await engine.call('CreateKey', input)).KeyMetadata
    const request = { KeyId, MacAlgorithm: `HMAC_SHA_${bits}`, Message: MESSAGE }
    const { Mac } = await engine.call('GenerateMac', request)
    equal(Mac.length, bits / 8, 'bytes of the MAC')
    isTrue((await engine.call('VerifyMac', { ...request, Mac })).MacValid, `HMAC_SHA_${bits}`)
    const Message = pattern(1000, 4)
    await fails(() => engine.call('VerifyMac', { ...request, Message, Mac }), 'KMSInvalidMacException')
  }
  await engine.close()
}

/** The engine's keys that are pairs, by whatever the runtime has for them, and those for MACs. */
export const asymmetricCases: readonly Case[] = group('asymmetric keys of the engine', {
  'signatures of messages and digests': signatures,
  'RSA encryption': encryption,
  'key agreement': agreement,
  'data key pairs': dataKeyPairs,
  MACs: macs,
})
