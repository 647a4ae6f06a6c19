import type {
  CryptoKeyLike,
  Ecdsa,
  OaepHash,
  RsaAbilities,
  RsaKeyInput,
  RsaPrivateKey,
  RsaPublicKey,
} from './asymmetric.ts'
import { pkcs8ModulusBits, spkiModulusBits } from './der.ts'
import { UnsupportedError } from './errors.ts'
import { anotherKey, readKey, subtle, unreadable, type KeyDescription } from './key-input.web.ts'

export { ecdhAbilities, ecdhPrivateKey, ecdhPublicKey, generateEcdhKey } from './ecdh.web.ts'

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

type KeyType = 'public' | 'private'

const FORMS = {
  public: { format: 'spki', usage: 'encrypt', modulusBits: spkiModulusBits },
  private: { format: 'pkcs8', usage: 'decrypt', modulusBits: pkcs8ModulusBits },
} as const

function describe(type: KeyType): KeyDescription {
  return { name: `${type}Key`, algorithm: 'RSA', type }
}

/** An RSA key; WebCrypto binds a key to one hash, so that it is imported for each that is asked for. */
class OaepKey {
  readonly modulusBits: number
  readonly #type: KeyType
  readonly #source: Uint8Array<ArrayBuffer> | CryptoKey
  readonly #imported = new Map<OaepHash, Promise<CryptoKey>>()

  constructor(input: RsaKeyInput, type: KeyType) {
    this.#type = type
    this.#source = readRsaKey(input, type)
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
    throw unreadable(describe(type))
  }
}

/** A private copy of the key's encoding, of which is known that it is an RSA key of this type, or a `CryptoKey`. */
function readRsaKey(input: RsaKeyInput, type: KeyType): Uint8Array<ArrayBuffer> | CryptoKey {
  const key = readKey(input, describe(type), FORMS[type].modulusBits)
  if (!(key instanceof Uint8Array) && !isRsa(key)) throw anotherKey(describe(type))
  return key
}

function isRsa({ algorithm }: CryptoKeyLike): boolean {
  return 'modulusLength' in algorithm && ((algorithm as Partial<KeyAlgorithm>).name ?? '').startsWith('RSA')
}
