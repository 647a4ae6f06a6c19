import {
  algorithmSuites,
  decrypt,
  decryptSync,
  encrypt,
  encryptSync,
  inspect,
  multiKeyring,
  requiredContextMaterials,
  type AlgorithmSuite,
  type CommitmentPolicy,
  type DecryptResult,
  type EncryptSyncOptions,
  type Keyring,
} from 'waxseal'
import { pattern } from './bytes.ts'
import { equal, isFresh, isTrue, rejects, sameBytes, throws } from './check.ts'
import { EXPECTED } from './expected.ts'
import { aesKeyring, aesPairKeyring, RSA_PADDINGS, rsaKeyring, staticKeyring, type RsaPair } from './keyrings.ts'
import type { Case, Runtime } from './runtime.ts'

const CONTEXT = { tenant: 'a', '🔒': 'beyond the BMP', '～': '', __proto__x: 'own' }

export const POLICIES: readonly CommitmentPolicy[] = [
  'forbid-encrypt-allow-decrypt',
  'require-encrypt-allow-decrypt',
  'require-encrypt-require-decrypt',
]

/** A policy under which the suite can be written and read. */
export function policyOf({ isCommitting }: AlgorithmSuite): CommitmentPolicy {
  return isCommitting ? 'require-encrypt-require-decrypt' : 'forbid-encrypt-allow-decrypt'
}

export function nameOf(suite: AlgorithmSuite): string {
  return `0x${suite.id.toString(16).padStart(4, '0')}`
}

interface RoundTrip {
  readonly keyring: Keyring
  readonly plaintext: Uint8Array
  readonly options?: EncryptSyncOptions
  /** Whether the synchronous calls are expected to work. */
  readonly isSync: boolean
}

/** Writes and reads at once and later, all four ways where the synchronous calls work. */
async function roundTrip({ keyring, plaintext, options = {}, isSync }: RoundTrip): Promise<DecryptResult> {
  const copy = plaintext.slice()
  const { encryptionContext, commitmentPolicy } = options
  const reading = { encryptionContext, commitmentPolicy }
  const message = await encrypt(keyring, plaintext, options)
  isFresh(message, 'the message')
  const result = await decrypt(keyring, message, reading)
  checkPlaintext(result, copy)
  const now = (): DecryptResult => decryptSync(keyring, message, reading)
  if (isSync) {
    checkPlaintext(now(), copy)
    checkPlaintext(await decrypt(keyring, encryptSync(keyring, plaintext, options), reading), copy)
  } else {
    throws(now, EXPECTED.unsupported, 'decryptSync')
    throws(() => encryptSync(keyring, plaintext, options), EXPECTED.unsupported, 'encryptSync')
  }
  sameBytes(plaintext, copy, 'the plaintext that was given')
  return result
}

function checkPlaintext({ plaintext }: DecryptResult, expected: Uint8Array): void {
  sameBytes(plaintext, expected, 'the plaintext')
  isFresh(plaintext, 'the plaintext')
}

function suiteCases(suite: AlgorithmSuite): readonly Case[] {
  const isSyncIn = (runtime: Runtime): boolean => suite.signatureCurve === undefined || runtime.hasSyncAsymmetric
  const options = { algorithmSuite: suite.id, commitmentPolicy: policyOf(suite), frameLength: 100 }
  const keyrings = {
    'raw AES': aesKeyring(),
    'multi-keyring': aesPairKeyring(),
    'own keyring': staticKeyring(pattern(suite.keyBytes, 9)),
  }
  const withKeyrings = Object.entries(keyrings).map(([name, keyring]): Case => ({
    name: `round trip, ${nameOf(suite)}: ${name}`,
    run: async (runtime) => {
      const plaintext = pattern(250)
      const trip = {
        keyring,
        plaintext,
        isSync: isSyncIn(runtime),
        options: { ...options, encryptionContext: CONTEXT },
      }
      const { header } = await roundTrip(trip)
      equal(header.algorithmSuite.id, suite.id, 'the suite')
      equal(header.messageVersion, suite.messageVersion, 'the version of the message')
      for (const [key, value] of Object.entries(CONTEXT)) equal(header.encryptionContext[key], value, `pair ${key}`)
      equal('aws-crypto-public-key' in header.encryptionContext, suite.signatureCurve !== undefined, 'a public key')
    },
  }))
  const sizes: Case = {
    name: `round trip, ${nameOf(suite)}: whole frames, a frame more or less, nothing at all`,
    run: async (runtime) => {
      for (const length of [0, 1, 99, 100, 101, 200]) {
        const plaintext = pattern(length, length)
        await roundTrip({ keyring: aesKeyring(), plaintext, isSync: isSyncIn(runtime), options })
      }
    },
  }
  const tampered: Case = { name: `round trip, ${nameOf(suite)}: a changed byte`, run: () => checkTampering(suite) }
  return [...withKeyrings, sizes, tampered]
}

async function checkTampering(suite: AlgorithmSuite): Promise<void> {
  const commitmentPolicy = policyOf(suite)
  const options = { algorithmSuite: suite.id, commitmentPolicy, frameLength: 16 }
  const keyring = aesKeyring()
  const message = await encrypt(keyring, pattern(40), options)
  const { byteLength } = inspect(message)
  // Of the header's tag, of a frame's IV, content and tag, and of the end: the last tag or the signature.
  const bodyAt = byteLength + 4
  for (const at of [byteLength - 1, bodyAt, bodyAt + 12, bodyAt + 12 + 16]) {
    const changed = message.slice()
    changed[at]! ^= 1
    await rejects(() => decrypt(keyring, changed, { commitmentPolicy }), EXPECTED.authentication, `byte ${at}`)
  }
  const last = message.slice()
  last[last.length - 1]! ^= 1
  await rejects(() => decrypt(keyring, last, { commitmentPolicy }), EXPECTED.authentication, 'the last byte')
  await rejects(() => decrypt(keyring, message.subarray(0, -1), { commitmentPolicy }), EXPECTED.format, 'cut')
}

function rsaCases(pair: RsaPair): readonly Case[] {
  return RSA_PADDINGS.map((padding) => ({
    name: `round trip, RSA: ${padding}`,
    run: async (runtime) => {
      if (padding === 'pkcs1' && !runtime.hasPkcs1) {
        for (const keys of [pair, { publicKey: pair.publicKey }, { privateKey: pair.privateKey }]) {
          throws(() => rsaKeyring(padding, keys), EXPECTED.unsupported, 'rawRsaKeyring')
        }
        return
      }
      const isSync = runtime.hasSyncAsymmetric
      await roundTrip({ keyring: rsaKeyring(padding, pair), plaintext: pattern(40), isSync })
      const sealing = rsaKeyring(padding, { publicKey: pair.publicKey })
      const opening = rsaKeyring(padding, { privateKey: pair.privateKey })
      const message = await encrypt(sealing, pattern(3))
      sameBytes((await decrypt(opening, message)).plaintext, pattern(3), 'the plaintext')
      await rejects(() => decrypt(sealing, message), EXPECTED.keyUnavailable, 'decrypt without a private key')
      await rejects(() => encrypt(opening, message), EXPECTED.unsupported, 'encrypt without a public key')
    },
  }))
}

/** Some engines take the decrypted key for a number: the zeros before it must not get lost. */
function zerosCase(pair: RsaPair): Case {
  return {
    name: 'round trip, RSA: data keys that begin or end with zeros',
    run: async () => {
      for (const padding of RSA_PADDINGS.filter((padding) => padding !== 'pkcs1')) {
        const keyring = rsaKeyring(padding, pair)
        for (const [zeros, rest] of [
          [1, 31],
          [2, 30],
          [31, 1],
          [0, 16],
        ] as const) {
          const dataKey = new Uint8Array(32)
          dataKey.set(pattern(rest).fill(255), zeros)
          const both = multiKeyring({ generator: staticKeyring(dataKey), children: [keyring] })
          const { plaintext } = await decrypt(keyring, await encrypt(both, pattern(10)))
          sameBytes(plaintext, pattern(10), `the plaintext under ${padding}, a data key with ${zeros} zeros before it`)
        }
      }
    },
  }
}

function policyCases(policy: CommitmentPolicy): readonly Case[] {
  const keyring = aesKeyring()
  return algorithmSuites.map((suite) => ({
    name: `commitment policy, ${policy}: ${nameOf(suite)}`,
    run: async () => {
      const mayEncrypt = suite.isCommitting === (policy !== 'forbid-encrypt-allow-decrypt')
      const mayDecrypt = suite.isCommitting || policy !== 'require-encrypt-require-decrypt'
      const options = { algorithmSuite: suite.id, commitmentPolicy: policy }
      const sealing = (): Promise<Uint8Array> => encrypt(keyring, pattern(5), options)
      if (mayEncrypt) equal(inspect(await sealing()).algorithmSuite.id, suite.id, 'the suite')
      else await rejects(sealing, EXPECTED.commitmentPolicy, 'encrypt')
      const written = await encrypt(keyring, pattern(5), { ...options, commitmentPolicy: policyOf(suite) })
      const opening = (): Promise<DecryptResult> => decrypt(keyring, written, { commitmentPolicy: policy })
      if (mayDecrypt) sameBytes((await opening()).plaintext, pattern(5), 'the plaintext')
      else await rejects(opening, EXPECTED.commitmentPolicy, 'decrypt')
    },
  }))
}

const defaults: Case = {
  name: 'round trip: the defaults',
  run: async () => {
    const keyring = aesKeyring()
    const header = inspect(await encrypt(keyring, pattern(5000)))
    equal(header.algorithmSuite.name, 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY', 'the suite')
    equal(header.frameLength, 4096, 'the frame length')
    equal(Object.keys(header.encryptionContext), [], 'the encryption context')
    const named = await encrypt(keyring, pattern(1), {
      algorithmSuite: 'AES-256-GCM-HKDF-SHA512-COMMIT-KEY-ECDSA-P384',
    })
    equal(inspect(named).algorithmSuite.id, 0x0578, 'the suite of the name')
    isTrue(Object.isFrozen(header.algorithmSuite), 'the suite is frozen')
  },
}

const requiredContext: Case = {
  name: 'round trip: required encryption context',
  run: async () => {
    const keyring = aesKeyring()
    const encryptionContext = { tenant: 'a', purpose: 'test' }
    const required = { requiredEncryptionContextKeys: ['tenant'] }
    const message = await encrypt(keyring, pattern(10), { encryptionContext, ...required })
    equal({ ...inspect(message).encryptionContext }, { purpose: 'test' }, 'the stored context')
    const result = await decrypt(keyring, message, { encryptionContext: { tenant: 'a' }, ...required })
    sameBytes(result.plaintext, pattern(10), 'the plaintext')
    await rejects(() => decrypt(keyring, message), EXPECTED.authentication, 'decrypt without the pair')
    const other = { encryptionContext: { tenant: 'b' }, ...required }
    await rejects(() => decrypt(keyring, message, other), EXPECTED.authentication, 'decrypt with another value')
  },
}

const requiredContextOfManager: Case = {
  name: 'round trip: required encryption context by the materials',
  run: async () => {
    const materials = requiredContextMaterials({ keyring: aesKeyring(), requiredEncryptionContextKeys: ['tenant'] })
    const encryptionContext = { tenant: 'a', purpose: 'test' }
    const message = await encrypt(materials, pattern(10), { encryptionContext })
    equal({ ...inspect(message).encryptionContext }, { purpose: 'test' }, 'the stored context')
    sameBytes((await decrypt(materials, message, { encryptionContext })).plaintext, pattern(10), 'the plaintext')
    sameBytes(decryptSync(materials, message, { encryptionContext }).plaintext, pattern(10), 'the plaintext at once')
    await rejects(() => encrypt(materials, pattern(10)), EXPECTED.type, 'encrypt without the pair')
    await rejects(() => decrypt(materials, message), EXPECTED.type, 'decrypt without the pair')
    const other = { encryptionContext: { tenant: 'b' } }
    await rejects(() => decrypt(materials, message, other), EXPECTED.authentication, 'decrypt with another value')
  },
}

/** Every suite with every keyring, every padding, every commitment policy. */
export function roundTripCases(pair: RsaPair): readonly Case[] {
  return [
    defaults,
    requiredContext,
    requiredContextOfManager,
    ...algorithmSuites.flatMap(suiteCases),
    ...rsaCases(pair),
    zerosCase(pair),
    ...POLICIES.flatMap(policyCases),
  ]
}
