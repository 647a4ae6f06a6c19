/** What one runtime's asymmetric keys must offer to the key service; `#key-pairs` resolves to the runtime's own. */

export type KeyPairSpec =
  | 'RSA_2048'
  | 'RSA_3072'
  | 'RSA_4096'
  | 'ECC_NIST_P256'
  | 'ECC_NIST_P384'
  | 'ECC_NIST_P521'
  | 'ECC_SECG_P256K1'
  | 'ECC_NIST_EDWARDS25519'

export interface KeyPair {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array<ArrayBuffer>
  /** PKCS #8, DER; the caller wipes it. */
  readonly privateKey: Uint8Array<ArrayBuffer>
}

/** Names of the AWS KMS API. PSS salts are as long as the hash, and its MGF1 uses the same one. */
export type SigningAlgorithm =
  | 'RSASSA_PSS_SHA_256'
  | 'RSASSA_PSS_SHA_384'
  | 'RSASSA_PSS_SHA_512'
  | 'RSASSA_PKCS1_V1_5_SHA_256'
  | 'RSASSA_PKCS1_V1_5_SHA_384'
  | 'RSASSA_PKCS1_V1_5_SHA_512'
  | 'ECDSA_SHA_256'
  | 'ECDSA_SHA_384'
  | 'ECDSA_SHA_512'
  | 'ED25519_SHA_512'
  | 'ED25519_PH_SHA_512'

/** What is signed: a message, or the digest of one. Ed25519 takes messages only, Ed25519ph digests only. */
export interface SignedMessage {
  readonly algorithm: SigningAlgorithm
  readonly bytes: Uint8Array
  readonly isDigest: boolean
}

export type MacHash = 'sha224' | 'sha256' | 'sha384' | 'sha512'

/** Methods reject with UnsupportedError for what the runtime has not, and with TypeError for a key that is none. */
export interface KeyPairs {
  generate(spec: KeyPairSpec): Promise<KeyPair>
  /** The public key of a private key in PKCS #8; undefined if that is not one of the spec, in its usual encoding. */
  publicKeyOf(spec: KeyPairSpec, privateKey: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** ECDSA signatures are DER (RFC 3279 §2.2.3), the others as their standards write them. */
  sign(privateKey: Uint8Array, message: SignedMessage): Promise<Uint8Array<ArrayBuffer>>
  /** False for whatever is not a signature of this message under this key. */
  verify(publicKey: Uint8Array, message: SignedMessage, signature: Uint8Array): Promise<boolean>
  /** The shared secret Z (SP 800-56A §5.7.1.2); undefined if the peer's key is none of the same curve. */
  agree(privateKey: Uint8Array, peerPublicKey: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** HMAC (FIPS 198-1). */
  mac(hash: MacHash, key: Uint8Array, message: Uint8Array): Promise<Uint8Array<ArrayBuffer>>
}
