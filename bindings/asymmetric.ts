/** What one runtime's RSA, ECDSA and ECDH must offer to the envelope; `#asymmetric` resolves to the runtime's own. */

import type { MaybePromise } from './maybe-promise.ts'

export type { MaybePromise } from './maybe-promise.ts'

export type EcdsaCurve = 'P-256' | 'P-384'

/** Takes the message in any number of parts; ECDSA with SHA-256 (P-256) or SHA-384 (P-384), FIPS 186-5 §6. */
export interface EcdsaSigner {
  update(data: Uint8Array): void
  /** Answers the DER encoding of Ecdsa-Sig-Value (RFC 3279 §2.2.3); the signer is spent. */
  sign(): Uint8Array<ArrayBuffer>
}

export interface EcdsaVerifier {
  update(data: Uint8Array): void
  /** Answers whether the DER signature is one over the data; the verifier is spent. */
  verify(signature: Uint8Array): boolean
}

export interface EcdsaSigningKey {
  /** Compressed point, SEC 1 §2.3.3: 33 bytes for P-256, 49 for P-384. */
  readonly publicKey: Uint8Array
  createSigner(): EcdsaSigner
}

export interface EcdsaVerificationKey {
  createVerifier(): EcdsaVerifier
}

export interface Ecdsa {
  generateKey(curve: EcdsaCurve): EcdsaSigningKey
  /** Reads a compressed point; undefined when it is none of the curve. */
  importPublicKey(curve: EcdsaCurve, point: Uint8Array): EcdsaVerificationKey | undefined
}

export type OaepHash = 'sha1' | 'sha256' | 'sha384' | 'sha512'

/** RSAES-OAEP with MGF1 over the same hash and an empty label, or RSAES-PKCS1-v1_5 (RFC 8017 §7.1, §7.2). */
export type RsaEncryptionScheme = OaepHash | 'pkcs1'

/** A WebCrypto key, described by its shape so that no runtime's global types are needed. */
export interface CryptoKeyLike {
  readonly type: string
  readonly extractable: boolean
  readonly algorithm: object
  readonly usages: readonly string[]
}

/** A key of Node's `node:crypto`, described by its shape. */
export interface KeyObjectLike {
  readonly type: string
  export(options?: object): unknown
}

/** A PEM string, DER bytes (SubjectPublicKeyInfo or PKCS #8), a `CryptoKey` or a `KeyObject`. */
export type KeyInput = string | Uint8Array | CryptoKeyLike | KeyObjectLike

export type RsaKeyInput = KeyInput

/** What this runtime's RSA can do. */
export interface RsaAbilities {
  /** It answers at once, so that keyrings over it work in `encryptSync` and `decryptSync`. */
  readonly isSynchronous: boolean
  /** It encrypts with PKCS #1 v1.5, and decrypts without unpadding, which implicit rejection needs. */
  readonly hasPkcs1: boolean
  /** OAEP plaintexts may come back without their leading zero bytes (WebKit over libgcrypt takes them for numbers). */
  readonly mayDropZeros: boolean
}

export interface RsaPublicKey {
  readonly modulusBits: number
  encrypt(scheme: RsaEncryptionScheme, data: Uint8Array): MaybePromise<Uint8Array<ArrayBuffer>>
}

export interface RsaPrivateKey {
  readonly modulusBits: number
  /**
   * SHA-256 over the PKCS #8 encoding: the key of PKCS #1 v1.5 implicit rejection.
   *
   * @throws UnsupportedError where the runtime has no PKCS #1 v1.5, as does `decryptRaw`
   */
  readonly rejectionKey: Uint8Array
  /** Answers undefined when the ciphertext does not decrypt, whatever the reason. */
  decryptOaep(hash: OaepHash, ciphertext: Uint8Array): MaybePromise<Uint8Array<ArrayBuffer> | undefined>
  /** RSADP (RFC 8017 §5.1.2) without unpadding: modulus length bytes, or undefined for a representative out of range. */
  decryptRaw(ciphertext: Uint8Array): Uint8Array<ArrayBuffer> | undefined
}

/** Curves of SP 800-186 §3.2.1 whose primes are 3 modulo 4. */
export type EcdhCurve = 'P-256' | 'P-384' | 'P-521'

/** What this runtime's ECDH can do. */
export interface EcdhAbilities {
  /** It answers at once, so that keyrings over it work in `encryptSync` and `decryptSync`. */
  readonly isSynchronous: boolean
}

/** A public key whose point is known now, or when the runtime has exported it. */
export interface EcdhPublicKey {
  /** The compressed point, SEC 1 §2.3.3: 33 bytes for P-256, 49 for P-384, 67 for P-521. */
  point(): MaybePromise<Uint8Array>
}

/** A private key and the point that belongs to it. */
export interface EcdhPrivateKey extends EcdhPublicKey {
  /**
   * The shared secret Z with the owner of a compressed point (SP 800-56A §5.7.1.2): 32, 48 or 66 bytes, which the
   * caller wipes. Undefined when the bytes are no point of the curve.
   */
  agree(point: Uint8Array): MaybePromise<Uint8Array<ArrayBuffer> | undefined>
}
