import { Buffer } from 'node:buffer'
import { timingSafeEqual } from '../../bindings/core.ts'
import { KeyStoreError, type HsmCluster, type HsmKeyStore, type StoreCiphertext } from './key-store.ts'
import type { KeyObject } from './pkcs11-module.node.ts'
import { Pkcs11Token, returnValue, type OpenSession } from './pkcs11-token.node.ts'

/** Options of {@link pkcs11Cluster}. */
export interface Pkcs11Options {
  /** Path of the module's PKCS #11 library. It is loaded into this process. */
  readonly library: string
  /** Label of the token: slots change their numbers, tokens keep their labels. */
  readonly token: string
  /**
   * The PIN of the token's user. A custom key store must name the same as its KeyStorePassword, and another one is refused
   * without asking the token, which counts wrong PINs. Default: that of the custom key store.
   */
  readonly pin?: string | undefined
  /** PEM of the certificate that CreateCustomKeyStore has to name. Default: any. */
  readonly trustAnchor?: string | undefined
  /** Sessions that work at the same time. Default 8. */
  readonly maxSessions?: number | undefined
}

const IV_BYTES = 12
const TAG_BYTES = 16
const KEY_BYTES = 32
const MAX_SESSIONS = 8

/** Return values of a decryption whose ciphertext or additional data are not what was encrypted. */
const NOT_AUTHENTIC = ['CKR_ENCRYPTED_DATA_INVALID', 'CKR_ENCRYPTED_DATA_LEN_RANGE', 'CKR_AEAD_DECRYPT_FAILED']

/**
 * A hardware security module by its PKCS #11 library, for custom key stores of type AWS_CLOUDHSM. Keys are AES-256 keys
 * that the token makes, sensitive and not extractable, with the id of the KMS key as CKA_ID; they encrypt with AES-GCM
 * (PKCS #11 version 2.40 mechanisms, §2.12.1), IVs are 96 bits of the token's random numbers, so that a key should not
 * encrypt more than 2^32 times (SP 800-38D §8.3).
 *
 * Needs the package `graphene-pk11`. Nothing is loaded before a custom key store is made or used.
 *
 * @throws TypeError or RangeError for options that are not in their form
 */
export function pkcs11Cluster(options: Pkcs11Options): HsmCluster {
  const { library, token: label, pin: ownPin, trustAnchor, maxSessions = MAX_SESSIONS } = options
  for (const [name, value] of Object.entries({ library, token: label })) {
    if (typeof value !== 'string' || value === '') throw new TypeError(`${name} must be a string`)
  }
  if (!Number.isSafeInteger(maxSessions) || maxSessions < 1) {
    throw new RangeError('maxSessions must be a positive integer')
  }
  const token = new Pkcs11Token({ library, token: label, maxSessions })
  const expected = ownPin === undefined ? undefined : new TextEncoder().encode(ownPin)
  return {
    ...(trustAnchor !== undefined && { trustAnchor }),
    async probe() {
      await token.probe()
    },
    keyStore: (pin) => storeBehind(token, pin, expected),
    async removeKey(id) {
      // A removal comes after the end of a key, without the store's PIN.
      await token.withSession(undefined, (open) => {
        removeKeys(open, id)
        return Promise.resolve()
      })
    },
    disconnect() {
      token.disconnect()
      return Promise.resolve()
    },
  }
}

function storeBehind(token: Pkcs11Token, pin: Uint8Array, expected: Uint8Array | undefined): HsmKeyStore {
  const work = async <T>(run: (open: OpenSession) => Promise<T>): Promise<T> => {
    if (expected && !timingSafeEqual(pin, expected)) throw new KeyStoreError('hsmWrongPin')
    return token.withSession(pin, run)
  }
  return {
    async check() {
      token.disconnect()
      await work(() => Promise.resolve())
    },
    addKey: (id) => work((open) => makeKey(open, id)),
    random: (length) => work(({ session }) => Promise.resolve(taken(session.generateRandom(length)))),
    encrypt: (id, plaintext, aad) => work((open) => encrypt(open, id, plaintext, aad)),
    decrypt: (id, sealed, aad) => work((open) => decrypt(open, id, sealed, aad)),
  }
}

/** What the token says that it has made is looked at: some tokens take a template for a wish. */
async function makeKey({ session, graphene }: OpenSession, id: string): Promise<void> {
  const template = {
    class: graphene.ObjectClass.SECRET_KEY,
    id: Buffer.from(id),
    label: `waxseal ${id}`,
    token: true,
    private: true,
    sensitive: true,
    extractable: false,
    encrypt: true,
    decrypt: true,
    wrap: false,
    unwrap: false,
    modifiable: false,
    valueLen: KEY_BYTES,
  }
  const key = await new Promise<KeyObject>((resolve, reject) => {
    session.generateKey(graphene.KeyGenMechanism.AES, template, (error, made) => {
      if (error) reject(error)
      else resolve(made)
    })
  })
  const { extractable, sensitive } = key.getAttribute({ extractable: null, sensitive: null })
  if (extractable === false && sensitive === true) return
  key.destroy()
  throw new KeyStoreError('hsmUnsuitable')
}

async function encrypt(
  { session, graphene }: OpenSession,
  id: string,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Promise<StoreCiphertext> {
  const key = findKey({ session, graphene }, id)
  const iv = session.generateRandom(IV_BYTES)
  const algorithm = { name: 'AES_GCM', params: new graphene.AesGcmParams(iv, Buffer.from(aad), 8 * TAG_BYTES) }
  const cipher = session.createCipher(algorithm, key)
  const sealed = await once(cipher, plaintext, plaintext.length + TAG_BYTES)
  if (sealed.length !== plaintext.length + TAG_BYTES) throw new KeyStoreError('hsmUnsuitable')
  return {
    ciphertext: sealed.slice(0, plaintext.length),
    iv: taken(iv),
    tag: sealed.slice(plaintext.length),
    metadata: new Uint8Array(),
  }
}

async function decrypt(
  { session, graphene }: OpenSession,
  id: string,
  { ciphertext, iv, tag, metadata }: StoreCiphertext,
  aad: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  // Such a blob was never made here.
  if (metadata.length > 0 || iv.length !== IV_BYTES) throw new KeyStoreError('invalidCiphertext')
  const key = findKey({ session, graphene }, id)
  const algorithm = {
    name: 'AES_GCM',
    params: new graphene.AesGcmParams(Buffer.from(iv), Buffer.from(aad), 8 * TAG_BYTES),
  }
  const sealed = Buffer.concat([ciphertext, tag])
  try {
    return await once(session.createDecipher(algorithm, key), sealed, sealed.length)
  } catch (error) {
    if (isNotAuthentic(error, session)) throw new KeyStoreError('invalidCiphertext', { cause: error })
    throw error
  }
}

/** SoftHSM answers CKR_GENERAL_ERROR; it means that if the token still works. */
function isNotAuthentic(error: unknown, session: OpenSession['session']): boolean {
  const value = returnValue(error)
  if (value !== 'CKR_GENERAL_ERROR') return NOT_AUTHENTIC.includes(value)
  try {
    session.generateRandom(1)
    return true
  } catch {
    return false
  }
}

/** Does one piece of work on a copy of its input, in a thread of its own, and wipes what it leaves. */
async function once(
  cipher: ReturnType<OpenSession['session']['createCipher']>,
  input: Uint8Array,
  outputBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const [own, output] = [Buffer.from(input), Buffer.alloc(outputBytes)]
  try {
    return await new Promise<Uint8Array<ArrayBuffer>>((resolve, reject) => {
      cipher.once(own, output, (error, data) => {
        if (error) reject(error)
        else resolve(taken(data))
      })
    })
  } finally {
    own.fill(0)
    output.fill(0)
  }
}

function findKey({ session, graphene }: OpenSession, id: string): KeyObject {
  const found = session.find({ class: graphene.ObjectClass.SECRET_KEY, id: Buffer.from(id) })
  if (found.length !== 1) throw new KeyStoreError('hsmKeyNotFound')
  return found.items(0).toType()
}

function removeKeys({ session, graphene }: OpenSession, id: string): void {
  const found = session.find({ class: graphene.ObjectClass.SECRET_KEY, id: Buffer.from(id) })
  for (let index = 0; index < found.length; index++) found.items(index).destroy()
}

/** A copy, and no Buffer. */
function taken(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(bytes)
}
