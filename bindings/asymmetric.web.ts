import type {
  CryptoKeyLike,
  Ecdsa,
  KeyObjectLike,
  OaepHash,
  RsaAbilities,
  RsaKeyInput,
  RsaPrivateKey,
  RsaPublicKey,
} from './asymmetric.ts'
import { pkcs8ModulusBits, spkiModulusBits } from './der.ts'
import { UnsupportedError } from './errors.ts'

const MIN_RSA_BITS = 2048

/** What WebCrypto calls the hashes. */
const HASHES: Readonly<Record<OaepHash, string>> = {
  sha1: 'SHA-1',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
}

/** ECDSA in a part of its own, which is loaded when the first message is signed or its signature verified. */
export async function ecdsa(): Promise<Ecdsa> {
  const { ECDSA_BY_NOBLE } = await import('./ecdsa.web.ts')
  return ECDSA_BY_NOBLE
}

export const rsaAbilities: RsaAbilities = { isSynchronous: false, hasPkcs1: false, mayDropZeros: true }

/** Reads an RSA public key. Throws TypeError when it is none, RangeError below 2,048 bits. */
export function rsaPublicKey(input: RsaKeyInput): RsaPublicKey {
  const key = new OaepKey(input, 'public')
  return {
    modulusBits: key.modulusBits,
    encrypt: async (scheme, data) => {
      if (scheme === 'pkcs1') throw noPkcs1()
      const cryptoKey = await key.forHash(scheme)
      return new Uint8Array(await subtle().encrypt(RSA_OAEP, cryptoKey, data as BufferSource))
    },
  }
}

/** Reads an RSA private key. Throws TypeError when it is none, RangeError below 2,048 bits. */
export function rsaPrivateKey(input: RsaKeyInput): RsaPrivateKey {
  const key = new OaepKey(input, 'private')
  return {
    modulusBits: key.modulusBits,
    get rejectionKey(): never {
      throw noPkcs1()
    },
    decryptOaep: async (hash, ciphertext) => {
      const cryptoKey = await key.forHash(hash)
      try {
        return new Uint8Array(await subtle().decrypt(RSA_OAEP, cryptoKey, ciphertext as BufferSource))
      } catch {
        return undefined
      }
    },
    decryptRaw: () => {
      throw noPkcs1()
    },
  }
}

const RSA_OAEP = { name: 'RSA-OAEP' }

function noPkcs1(): UnsupportedError {
  return new UnsupportedError('WebCrypto has no RSA with PKCS #1 v1.5: use OAEP')
}

function subtle(): SubtleCrypto {
  const crypto = globalThis.crypto as Partial<Crypto> | undefined
  if (crypto?.subtle !== undefined) return crypto.subtle
  throw new UnsupportedError('this page has no crypto.subtle: serve it over https, or from localhost')
}

type KeyType = 'public' | 'private'

const FORMS = {
  public: {
    format: 'spki',
    label: 'PUBLIC KEY',
    name: 'SubjectPublicKeyInfo',
    usage: 'encrypt',
    modulusBits: spkiModulusBits,
  },
  private: {
    format: 'pkcs8',
    label: 'PRIVATE KEY',
    name: 'PKCS #8',
    usage: 'decrypt',
    modulusBits: pkcs8ModulusBits,
  },
} as const

/** An RSA key; WebCrypto binds a key to one hash, so that it is imported for each that is asked for. */
class OaepKey {
  readonly modulusBits: number
  readonly #type: KeyType
  readonly #source: Uint8Array<ArrayBuffer> | CryptoKey
  readonly #imported = new Map<OaepHash, Promise<CryptoKey>>()

  constructor(input: RsaKeyInput, type: KeyType) {
    this.#type = type
    this.#source = readKey(input, type)
    this.modulusBits =
      this.#source instanceof Uint8Array
        ? FORMS[type].modulusBits(this.#source)
        : (this.#source.algorithm as RsaHashedKeyAlgorithm).modulusLength
    if (this.modulusBits < MIN_RSA_BITS) throw new RangeError(`${type}Key must have at least ${MIN_RSA_BITS} bits`)
  }

  forHash(hash: OaepHash): Promise<CryptoKey> {
    let imported = this.#imported.get(hash)
    if (imported === undefined) {
      imported = this.#import(hash)
      this.#imported.set(hash, imported)
    }
    return imported
  }

  async #import(hash: OaepHash): Promise<CryptoKey> {
    const { format, usage } = FORMS[this.#type]
    const source = this.#source
    if (source instanceof Uint8Array) return importKey(source, this.#type, hash)
    const algorithm = source.algorithm as RsaHashedKeyAlgorithm
    const suits = algorithm.name === RSA_OAEP.name && algorithm.hash.name === HASHES[hash]
    if (suits && source.usages.includes(usage)) return source
    if (!source.extractable) {
      throw new TypeError(`${this.#type}Key must be extractable, or for RSA-OAEP with ${HASHES[hash]} and '${usage}'`)
    }
    const encoded = new Uint8Array(await subtle().exportKey(format, source))
    try {
      return await importKey(encoded, this.#type, hash)
    } finally {
      encoded.fill(0)
    }
  }
}

async function importKey(encoded: Uint8Array<ArrayBuffer>, type: KeyType, hash: OaepHash): Promise<CryptoKey> {
  const { format, usage } = FORMS[type]
  const crypto = subtle()
  try {
    return await crypto.importKey(format, encoded, { name: RSA_OAEP.name, hash: HASHES[hash] }, false, [usage])
  } catch {
    throw unreadable(type)
  }
}

/** No cause: it could quote the key. */
function unreadable(type: KeyType): TypeError {
  return new TypeError(`${type}Key is not a readable ${type} key: give ${FORMS[type].name}, as PEM or DER`)
}

/** A private copy of the key's encoding, of which is known that it is an RSA key of this type, or a `CryptoKey`. */
function readKey(input: RsaKeyInput, type: KeyType): Uint8Array<ArrayBuffer> | CryptoKey {
  if (typeof input === 'string') return checkedEncoding(decodePem(input, type), type)
  if (input instanceof Uint8Array) return checkedEncoding(new Uint8Array(input), type)
  if (isCryptoKey(input)) {
    if (input.type !== type || !isRsa(input)) throw new TypeError(`${type}Key must be an RSA ${type} key`)
    return input as CryptoKey
  }
  if (typeof (input as Partial<KeyObjectLike> | null)?.type === 'string' && 'export' in input) {
    return readKeyObject(input, type)
  }
  throw new TypeError(`${type}Key must be a PEM string, DER bytes, a CryptoKey or a KeyObject`)
}

function checkedEncoding(encoded: Uint8Array<ArrayBuffer>, type: KeyType): Uint8Array<ArrayBuffer> {
  try {
    FORMS[type].modulusBits(encoded)
    return encoded
  } catch {
    encoded.fill(0)
    throw unreadable(type)
  }
}

/** Of the runtimes without native node:crypto Deno and Workers know its keys. */
function readKeyObject(key: KeyObjectLike, type: KeyType): Uint8Array<ArrayBuffer> {
  if (key.type !== type) throw new TypeError(`${type}Key must be an RSA ${type} key`)
  const encoded = key.export({ format: 'der', type: FORMS[type].format })
  if (!(encoded instanceof Uint8Array)) throw unreadable(type)
  const copy = new Uint8Array(encoded)
  encoded.fill(0)
  return checkedEncoding(copy, type)
}

/** The text between the lines of RFC 7468 §2; explanatory text may stand around them. */
function decodePem(text: string, type: KeyType): Uint8Array<ArrayBuffer> {
  const { label } = FORMS[type]
  // Not to be taken for the public key that can be derived from it: a secret where none belongs.
  if (type === 'public' && text.includes('PRIVATE KEY-----')) throw new TypeError('publicKey is a private key')
  const begin = `-----BEGIN ${label}-----`
  const start = text.indexOf(begin)
  const end = text.indexOf(`-----END ${label}-----`, start)
  if (start < 0 || end < 0) throw unreadable(type)
  try {
    return Uint8Array.from(atob(text.slice(start + begin.length, end)), (character) => character.charCodeAt(0))
  } catch {
    throw unreadable(type)
  }
}

function isCryptoKey(input: CryptoKeyLike | KeyObjectLike): input is CryptoKeyLike {
  return (input as { readonly [Symbol.toStringTag]?: unknown } | null)?.[Symbol.toStringTag] === 'CryptoKey'
}

function isRsa({ algorithm }: CryptoKeyLike): boolean {
  return 'modulusLength' in algorithm && ((algorithm as Partial<KeyAlgorithm>).name ?? '').startsWith('RSA')
}
