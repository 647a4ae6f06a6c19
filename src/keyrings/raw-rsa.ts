import { rsaAbilities, rsaPrivateKey, rsaPublicKey } from '#asymmetric'
import type {
  MaybePromise,
  OaepHash,
  RsaEncryptionScheme,
  RsaKeyInput,
  RsaPrivateKey,
  RsaPublicKey,
} from '../../bindings/asymmetric.ts'
import { pkcs1Unpad } from '../../bindings/message.ts'
import { AuthenticationError, UnsupportedError } from '../errors.ts'
import type { DecryptionMaterials, EncryptedDataKey, EncryptionMaterials, Keyring } from '../materials.ts'
import { unwrapFailure, wrongDataKeyLength } from '../materials.ts'
import { compareBytes } from '../bytes.ts'
import { keyName, type KeyName } from './key-name.ts'

export type { RsaKeyInput } from '../../bindings/asymmetric.ts'

export type RsaPadding = 'pkcs1' | 'oaep-sha1' | 'oaep-sha256' | 'oaep-sha384' | 'oaep-sha512'

const SCHEMES: ReadonlyMap<unknown, RsaEncryptionScheme> = new Map<RsaPadding, RsaEncryptionScheme>([
  ['pkcs1', 'pkcs1'],
  ['oaep-sha1', 'sha1'],
  ['oaep-sha256', 'sha256'],
  ['oaep-sha384', 'sha384'],
  ['oaep-sha512', 'sha512'],
])

export interface RawRsaKeyringOptions {
  /** Names the source of the key, like a folder; must not begin with `aws-kms`. */
  readonly namespace: string
  /** Names the key within the namespace. Neither name is secret; both are stored in the message. */
  readonly name: string
  /** OAEP with MGF1 over the same hash; `pkcs1` only where other software demands it. */
  readonly padding: RsaPadding
  /** Needed to encrypt: a PEM string, DER SubjectPublicKeyInfo bytes, a `CryptoKey` or a `KeyObject`; 2,048 bits or more. */
  readonly publicKey?: RsaKeyInput | undefined
  /** Needed to decrypt: a PEM string, DER PKCS #8 bytes, a `CryptoKey` or a `KeyObject`; 2,048 bits or more. */
  readonly privateKey?: RsaKeyInput | undefined
}

interface RsaKeys {
  readonly key: KeyName
  readonly scheme: RsaEncryptionScheme
  readonly publicKey: RsaPublicKey | undefined
  readonly privateKey: RsaPrivateKey | undefined
}

/**
 * Wraps data keys with RSA. The encryption context is not bound to the wrapped key, only to the message.
 *
 * PKCS #1 v1.5 is decrypted with implicit rejection, so that it tells nothing about the padding; it throws
 * `UnsupportedError` where the runtime has only WebCrypto, which lacks it. There RSA is asynchronous too: no
 * `encryptSync` and `decryptSync`.
 * Source: aws-encryption-sdk-specification, framework/raw-rsa-keyring.md; RFC 8017 §7.
 *
 * @throws TypeError when a name, the padding or a key is not one, or both keys are absent
 * @throws RangeError for an empty name, a namespace that begins with `aws-kms`, or a key below 2,048 bits
 * @throws UnsupportedError for `pkcs1` where the runtime has only WebCrypto
 */
export function rawRsaKeyring(options: RawRsaKeyringOptions): Keyring {
  const { padding, publicKey, privateKey } = options
  const scheme = SCHEMES.get(padding)
  if (scheme === undefined) throw new TypeError(`padding must be one of ${[...SCHEMES.keys()].join(', ')}`)
  if (publicKey === undefined && privateKey === undefined) throw new TypeError('give publicKey, privateKey or both')
  if (scheme === 'pkcs1' && !rsaAbilities.hasPkcs1) {
    throw new UnsupportedError('this runtime has no RSA with PKCS #1 v1.5: use OAEP')
  }
  const keys: RsaKeys = {
    key: keyName(options),
    scheme,
    publicKey: publicKey === undefined ? undefined : rsaPublicKey(publicKey),
    privateKey: privateKey === undefined ? undefined : rsaPrivateKey(privateKey),
  }
  const keyring: Keyring = {
    wrap: (materials) => wrap(keys, materials),
    unwrap: (materials, encryptedDataKeys) => unwrap(keys, materials, encryptedDataKeys),
  }
  if (!rsaAbilities.isSynchronous) return keyring
  return {
    ...keyring,
    wrapSync: (materials) => {
      addWrapped(keys, materials, now(startWrap(keys, materials)))
    },
    unwrapSync: (materials, encryptedDataKeys) => unwrapSync(keys, materials, encryptedDataKeys),
  }
}

async function wrap(keys: RsaKeys, materials: EncryptionMaterials): Promise<void> {
  addWrapped(keys, materials, await startWrap(keys, materials))
}

function startWrap({ key, scheme, publicKey }: RsaKeys, materials: EncryptionMaterials): MaybePromise<Uint8Array> {
  if (publicKey === undefined)
    throw new UnsupportedError(`raw RSA keyring ${key.label} has no publicKey to encrypt with`)
  if (materials.dataKey === undefined) materials.setDataKey(materials.random(materials.suite.keyBytes))
  return publicKey.encrypt(scheme, materials.dataKey ?? new Uint8Array(0))
}

function addWrapped({ key }: RsaKeys, materials: EncryptionMaterials, ciphertext: Uint8Array): void {
  materials.addEncryptedDataKey({ providerId: key.namespace, providerInfo: key.nameBytes, ciphertext })
}

async function unwrap(
  keys: RsaKeys,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array | undefined> {
  const reasons: unknown[] = []
  for (const open of ownAttempts(keys, materials, encryptedDataKeys)) {
    materials.signal?.throwIfAborted()
    const dataKey = accept(keys, materials, await open(), reasons)
    if (dataKey !== undefined) return dataKey
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure(`raw RSA keyring ${keys.key.label}`, reasons)
}

function unwrapSync(
  keys: RsaKeys,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Uint8Array | undefined {
  const reasons: unknown[] = []
  for (const open of ownAttempts(keys, materials, encryptedDataKeys)) {
    const dataKey = accept(keys, materials, now(open()), reasons)
    if (dataKey !== undefined) return dataKey
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure(`raw RSA keyring ${keys.key.label}`, reasons)
}

/** One attempt for each encrypted data key of this keyring; none without a private key. */
function ownAttempts(
  { key, scheme, privateKey }: RsaKeys,
  { suite }: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): readonly (() => MaybePromise<Uint8Array | undefined>)[] {
  if (privateKey === undefined) return []
  return encryptedDataKeys
    .filter(
      ({ providerId, providerInfo }) => providerId === key.namespace && compareBytes(providerInfo, key.nameBytes) === 0,
    )
    .map(
      ({ ciphertext }) =>
        () =>
          scheme === 'pkcs1'
            ? decryptPkcs1(privateKey, suite.keyBytes, ciphertext)
            : decryptOaep(privateKey, scheme, ciphertext),
    )
}

function decryptOaep(
  privateKey: RsaPrivateKey,
  hash: OaepHash,
  ciphertext: Uint8Array,
): MaybePromise<Uint8Array | undefined> {
  return isModulusLength(privateKey, ciphertext) ? privateKey.decryptOaep(hash, ciphertext) : undefined
}

/** Always answers a key of the right length when the ciphertext is a number below the modulus, which is public. */
function decryptPkcs1(privateKey: RsaPrivateKey, keyBytes: number, ciphertext: Uint8Array): Uint8Array | undefined {
  if (!isModulusLength(privateKey, ciphertext)) return undefined
  const encodedMessage = privateKey.decryptRaw(ciphertext)
  if (encodedMessage === undefined) return undefined
  try {
    return pkcs1Unpad(encodedMessage, keyBytes, privateKey.rejectionKey, ciphertext)
  } finally {
    encodedMessage.fill(0)
  }
}

function isModulusLength({ modulusBits }: RsaPrivateKey, ciphertext: Uint8Array): boolean {
  return ciphertext.length === Math.ceil(modulusBits / 8)
}

/** A key out of PKCS #1 v1.5 is only a candidate: it counts when it authenticates the header. */
function accept(
  { scheme }: RsaKeys,
  materials: DecryptionMaterials,
  opened: Uint8Array | undefined,
  reasons: unknown[],
): Uint8Array | undefined {
  if (opened === undefined) {
    reasons.push(new AuthenticationError())
    return undefined
  }
  const isShort = opened.length < materials.suite.keyBytes
  const isCandidate = scheme === 'pkcs1' || (rsaAbilities.mayDropZeros && isShort)
  const dataKey = isCandidate && isShort ? withLeadingZeros(opened, materials.suite.keyBytes) : opened
  const hasRightLength = dataKey.length === materials.suite.keyBytes
  if (hasRightLength && (!isCandidate || materials.confirm(dataKey))) return dataKey
  reasons.push(hasRightLength ? new AuthenticationError() : wrongDataKeyLength(materials.suite, dataKey.length))
  dataKey.fill(0)
  return undefined
}

/** Puts back the zeros that the runtime dropped; whether they were there is for the message to confirm. */
function withLeadingZeros(bytes: Uint8Array, length: number): Uint8Array {
  const padded = new Uint8Array(length)
  padded.set(bytes, length - bytes.length)
  bytes.fill(0)
  return padded
}

function now<T>(value: MaybePromise<T>): T {
  if (value instanceof Promise) throw new UnsupportedError('RSA is asynchronous on this runtime')
  return value
}
