import {
  algorithmSuite,
  decrypt,
  decryptStream,
  decryptSync,
  inspect,
  multiKeyring,
  rawAesKeyring,
  rawRsaKeyring,
  type AlgorithmSuiteId,
  type DecryptResult,
  type DecryptSyncOptions,
  type Keyring,
  type MessageHeader,
  type RsaPadding,
} from 'waxseal'
import { decryptRange } from 'waxseal/range'
import { rawEcdhKeyring, type EcdhCurve } from 'waxseal/ecdh'
import { hierarchicalKeyring, staticBranchKeys } from 'waxseal/kms/hierarchical'
import { fromBase64 } from './bytes.ts'
import { equal, fail, failureOf, isFresh, rejects, sameBytes, throws, type Expected } from './check.ts'
import { EXPECTED, expectedOf } from './expected.ts'
import { staticKeyring } from './keyrings.ts'
import { pieces, pour, randomPieces, type Poured } from './pouring.ts'
import type { Case, Runtime } from './runtime.ts'

/** One keyring of a vector manifest. */
export interface KeyringEntry {
  readonly type: string
  readonly keyNamespace?: string
  readonly keyName?: string
  readonly key?: string
  readonly padding?: RsaPadding
  readonly plaintextDataKey?: string
  readonly curve?: EcdhCurve
  readonly schema?: 'static' | 'discovery'
  readonly recipientKey?: string
  readonly senderPublicKeySpkiBase64?: string
  readonly children?: readonly KeyringEntry[]
}

/** One message of a vector manifest; the two files are relative to the manifest. */
export interface MessageEntry {
  readonly id: string
  readonly kind: string
  readonly expect: 'ok' | 'fail'
  /** The `code` of the error where the manifest names it. */
  readonly code?: string
  readonly keyring: KeyringEntry
  readonly ciphertext: string
  readonly plaintext: string | null
  readonly headerEncryptionContext?: Readonly<Record<string, string>>
  readonly reproducedEncryptionContext?: Readonly<Record<string, string>>
  readonly requiredEncryptionContextKeys?: readonly string[]
  readonly suite?: string | null
  readonly contentType?: 'framed' | 'nonframed'
  readonly frameLength?: number
  readonly encryptedDataKeys?: number
}

export interface KeyEntry {
  readonly type: string
  readonly material: string
  readonly branchKeyId?: string
  readonly branchKeyVersion?: string
  readonly branchKey?: string
}

/** Messages of other implementations: a manifest, the keys and the files that it names, in base64. */
export interface MessageVectors {
  readonly name: string
  readonly tests: readonly MessageEntry[]
  readonly keys: Readonly<Record<string, KeyEntry>>
  readonly files: Readonly<Record<string, string>>
}

type Keys = MessageVectors['keys']

function keyringOf(keys: Keys, entry: KeyringEntry): Keyring {
  const { type, keyNamespace: namespace = '', keyName: name = '', padding = 'pkcs1', children = [] } = entry
  if (type === 'multi') return multiKeyring({ children: children.map((child) => keyringOf(keys, child)) })
  if (type === 'static-dek') return staticKeyring(fromBase64(entry.plaintextDataKey ?? ''))
  if (type === 'raw-ecdh') return ecdhKeyring(keys, entry)
  const key = keys[entry.key ?? ''] ?? fail(`no key ${String(entry.key)}`)
  if (type === 'aws-kms-hierarchy') return hierarchyKeyring(key)
  if (type === 'raw-aes') return rawAesKeyring({ namespace, name, wrappingKey: fromBase64(key.material) })
  if (type !== 'raw-rsa') fail(`no keyring of type ${type}`)
  const pair = key.type === 'rsa-public' ? { publicKey: key.material } : { privateKey: key.material }
  return rawRsaKeyring({ namespace, name, padding, ...pair })
}

function ecdhKeyring(keys: Keys, entry: KeyringEntry): Keyring {
  const { curve = 'P-256', schema, recipientKey = '', senderPublicKeySpkiBase64 = '' } = entry
  const { material } = keys[recipientKey] ?? fail(`no key ${recipientKey}`)
  if (schema === 'discovery') {
    return rawEcdhKeyring({ schema: 'PublicKeyDiscovery', curve, recipientPrivateKey: material })
  }
  // The recipient's own key and the sender's: roles are exchanged on decryption.
  const recipientPublicKey = fromBase64(senderPublicKeySpkiBase64)
  const senderPrivateKey = material
  return rawEcdhKeyring({ schema: 'RawPrivateKeyToStaticPublicKey', curve, senderPrivateKey, recipientPublicKey })
}

/** Its cache knows the branch key from the first message that it is asked for. */
function hierarchyKeyring({ branchKeyId = '', branchKeyVersion = '', branchKey = '' }: KeyEntry): Keyring {
  const key = fromBase64(branchKey)
  const branchKeyStore = staticBranchKeys({ branchKeyId, version: branchKeyVersion, branchKey: key })
  return hierarchicalKeyring({ branchKeyStore, branchKeyId, ttl: 60 })
}

function someKeyring({ type, children = [], ...entry }: KeyringEntry, test: (entry: KeyringEntry) => boolean): boolean {
  return test({ type, ...entry }) || children.some((child) => someKeyring(child, test))
}

const usesAsymmetric = (entry: KeyringEntry): boolean =>
  someKeyring(entry, ({ type }) => type === 'raw-rsa' || type === 'raw-ecdh')
const usesP521 = (entry: KeyringEntry): boolean => someKeyring(entry, ({ curve }) => curve === 'P-521')
const usesPkcs1 = (entry: KeyringEntry): boolean =>
  someKeyring(entry, ({ type, padding = 'pkcs1' }) => type === 'raw-rsa' && padding === 'pkcs1')

function suiteOf({ suite }: MessageEntry): ReturnType<typeof algorithmSuite> | undefined {
  return typeof suite === 'string' ? algorithmSuite(parseInt(suite, 16) as AlgorithmSuiteId) : undefined
}

function optionsOf(entry: MessageEntry): DecryptSyncOptions {
  return {
    commitmentPolicy: suiteOf(entry)?.isCommitting === true ? undefined : 'require-encrypt-allow-decrypt',
    encryptionContext: entry.reproducedEncryptionContext,
    requiredEncryptionContextKeys: entry.requiredEncryptionContextKeys,
  }
}

async function checkEntry({ keys, files }: MessageVectors, entry: MessageEntry, runtime: Runtime): Promise<void> {
  const fileOf = (name: string): Uint8Array => fromBase64(files[name] ?? fail(`no file ${name}`))
  if (usesPkcs1(entry.keyring) && !runtime.hasPkcs1) {
    throws(() => keyringOf(keys, entry.keyring), EXPECTED.unsupported, 'rawRsaKeyring')
    return
  }
  const keyring = keyringOf(keys, entry.keyring)
  const message = fileOf(entry.ciphertext)
  if (usesP521(entry.keyring) && !runtime.hasP521) {
    await rejects(() => decrypt(keyring, message, optionsOf(entry)), EXPECTED.keyUnavailable, 'decrypt')
    return
  }
  const options = optionsOf(entry)
  const isSync =
    runtime.hasSyncAsymmetric || (!usesAsymmetric(entry.keyring) && suiteOf(entry)?.signatureCurve === undefined)
  const later = (): Promise<DecryptResult> => decrypt(keyring, message, options)
  const now = (): DecryptResult => decryptSync(keyring, message, options)
  if (entry.expect === 'ok') {
    const plaintext = fileOf(entry.plaintext ?? '')
    checkResult(await later(), plaintext, entry)
    if (isSync) checkResult(now(), plaintext, entry)
    else throws(now, EXPECTED.unsupported, 'decryptSync')
    checkHeader(inspect(message), entry)
    await checkRanges(keyring, message, plaintext, entry)
  } else {
    const expected = entry.code === undefined ? undefined : expectedOf(entry.code)
    const { code } = await checkFailure(later, now, expected, isSync)
    for (const { failures } of await readStreams(keyring, message, options)) {
      equal((failures[0] as { readonly code?: unknown } | undefined)?.code, code, 'the code of the error of a stream')
    }
  }
}

/** In chunks of any length, and byte by byte, which takes long for long messages in many runtimes. */
async function readStreams(keyring: Keyring, message: Uint8Array, options: DecryptSyncOptions): Promise<Poured[]> {
  const read = (input: Iterable<Uint8Array>): Promise<Poured> =>
    pour(decryptStream(keyring, { ...options, signedStreams: 'allow' }), input)
  return [
    await read(randomPieces(message, message.length, 1000)),
    await read(pieces(message, message.length < 1000 ? 1 : 97)),
  ]
}

/** Ranges equal the slices of the plaintext; of what has none, or none that could be verified, they are refused. */
async function checkRanges(
  keyring: Keyring,
  message: Uint8Array,
  plaintext: Uint8Array,
  entry: MessageEntry,
): Promise<void> {
  const read = (start: number, end?: number): Promise<DecryptResult> =>
    decryptRange(keyring, message, start, end, optionsOf(entry))
  if (entry.contentType === 'nonframed' || suiteOf(entry)?.signatureCurve !== undefined) {
    await rejects(() => read(0), EXPECTED.unsupported, 'decryptRange')
    return
  }
  const [start, end] = [Math.floor(plaintext.length / 3), Math.ceil(plaintext.length / 2)]
  sameBytes((await read(start, end)).plaintext, plaintext.slice(start, end), `the range from ${start} to ${end}`)
  sameBytes((await read(-5)).plaintext, plaintext.slice(-5), 'the last 5 bytes')
}

async function checkFailure(
  later: () => Promise<DecryptResult>,
  now: () => DecryptResult,
  expected: Expected | undefined,
  isSync: boolean,
): Promise<{ readonly code?: unknown }> {
  if (expected === undefined) {
    const { code } = Object(await failureOf(later())) as { readonly code?: unknown }
    expected = typeof code === 'string' ? expectedOf(code) : fail('decrypt did not reject with a code')
  }
  const error = await rejects(later, expected, 'decrypt')
  // What cannot be checked at once is refused, unless the message is refused before it comes to that.
  if (isSync) equal(throws(now, expected, 'decryptSync').message, error.message, 'the message of decryptSync')
  else throwsEither(now, EXPECTED.unsupported, expected)
  return error as { readonly code?: unknown }
}

function throwsEither(act: () => unknown, first: Expected, second: Expected): void {
  try {
    throws(act, first, 'decryptSync')
  } catch {
    throws(act, second, 'decryptSync')
  }
}

function checkResult({ plaintext, header }: DecryptResult, expected: Uint8Array, entry: MessageEntry): void {
  sameBytes(plaintext, expected, 'the plaintext')
  isFresh(plaintext, 'the plaintext')
  checkHeader(header, entry)
}

function checkHeader(header: MessageHeader, entry: MessageEntry): void {
  equal(header.algorithmSuite.id, suiteOf(entry)?.id, 'the suite')
  equal(header.contentType === 'framed' ? 'framed' : 'nonframed', entry.contentType, 'the content type')
  equal(header.frameLength, entry.frameLength, 'the frame length')
  equal(header.encryptedDataKeys.length, entry.encryptedDataKeys, 'the number of encrypted data keys')
  equal(sorted(header.encryptionContext), sorted(entry.headerEncryptionContext ?? {}), 'the encryption context')
}

function sorted(context: Readonly<Record<string, string>>): readonly (readonly string[])[] {
  return Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** Messages that others have written: `decrypt` and `decryptSync` agree, or the latter says that it cannot. */
export function messageVectorCases(vectors: MessageVectors): readonly Case[] {
  return vectors.tests.map((entry) => ({
    name: `${vectors.name}, ${entry.kind} ${entry.id}`,
    run: (runtime) => checkEntry(vectors, entry, runtime),
  }))
}
