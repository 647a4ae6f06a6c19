/** Encryption context: pairs that are authenticated, not encrypted. Own enumerable string keys count. */
export type KmsEncryptionContext = Readonly<Record<string, string>>

/** What every provider call carries beside its own fields. */
export interface KmsCall {
  /** Key id, key ARN, alias name (`alias/…`) or alias ARN; a provider may know further forms. */
  readonly keyId: string
  /** The pairs to bind to the wrapped key; the same pairs unwrap it. */
  readonly encryptionContext: KmsEncryptionContext
  /** Grant tokens (AWS KMS), at most ten. */
  readonly grantTokens?: readonly string[] | undefined
  /** Aborts the call; the promise rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What a key service must offer so that a data key can be wrapped under its keys.
 *
 * `keyId` of each answer is the full, unambiguous name of the key that was used (for AWS KMS its ARN):
 * it is written to the message and compared on decryption. A failure rejects; no method answers with
 * a key that it is not sure of. The bytes of an answer are fresh: whoever asked may change and wipe them.
 */
export interface KmsProvider {
  /** The Region of the service, where it has one: {@link kmsKeyring} with `multiRegion` needs it. */
  readonly region?: string | undefined
  /** Makes a data key of `numberOfBytes` bytes (1–1024) and answers it both plain and wrapped. */
  generateDataKey(
    request: KmsCall & { readonly numberOfBytes: number },
  ): Promise<{ readonly keyId: string; readonly plaintext: Uint8Array; readonly ciphertext: Uint8Array }>
  /** Wraps `plaintext` (1–4096 bytes). */
  encrypt(
    request: KmsCall & { readonly plaintext: Uint8Array },
  ): Promise<{ readonly keyId: string; readonly ciphertext: Uint8Array }>
  /** Unwraps `ciphertext` under exactly the named key. */
  decrypt(
    request: KmsCall & { readonly ciphertext: Uint8Array },
  ): Promise<{ readonly keyId: string; readonly plaintext: Uint8Array }>
  /**
   * Answers the full name of the key that `keyId` names now, as the other calls answer it. A provider that has it can
   * decrypt under aliases and short ids; without it a keyring decrypts only what its own full names match.
   */
  resolveKeyId?(request: { readonly keyId: string; readonly signal?: AbortSignal | undefined }): Promise<string>
  /** As `generateDataKey`, but for the plaintext, which stays in the service. */
  generateDataKeyWithoutPlaintext?(
    request: KmsCall & { readonly numberOfBytes: number },
  ): Promise<{ readonly keyId: string; readonly ciphertext: Uint8Array }>
  /** Unwraps and wraps again inside of the service, under the named key both times, for other pairs. */
  reEncrypt?(
    request: KmsCall & { readonly ciphertext: Uint8Array; readonly destinationEncryptionContext: KmsEncryptionContext },
  ): Promise<{ readonly keyId: string; readonly ciphertext: Uint8Array }>
}

/** What calls about a key pair of the service carry. */
export interface KmsPairCall {
  readonly keyId: string
  readonly grantTokens?: readonly string[] | undefined
  readonly signal?: AbortSignal | undefined
}

/** RSAES-OAEP with MGF1 over the same hash (RFC 8017 §7.1), by its name in the AWS KMS API. */
export type KmsRsaAlgorithm = 'RSAES_OAEP_SHA_1' | 'RSAES_OAEP_SHA_256'

/**
 * What a key service must offer beside so that data keys can be wrapped under its key pairs, whose private keys stay
 * there. As with {@link KmsProvider} the answers name the key in full, a failure rejects, and bytes are fresh.
 */
export interface KmsPairProvider {
  /** The public key as SubjectPublicKeyInfo, DER, and what the key is for, as the AWS KMS API names it. */
  getPublicKey(request: KmsPairCall): Promise<{
    readonly keyId: string
    readonly publicKey: Uint8Array
    readonly keySpec: string
    readonly keyUsage: string
  }>
  /** Decrypts what was encrypted with the public key of an RSA pair. */
  decryptRsa(
    request: KmsPairCall & { readonly algorithm: KmsRsaAlgorithm; readonly ciphertext: Uint8Array },
  ): Promise<{ readonly keyId: string; readonly plaintext: Uint8Array }>
  /** The shared secret Z with the owner of a public key (SubjectPublicKeyInfo, DER) of the same curve. */
  deriveSharedSecret(
    request: KmsPairCall & { readonly publicKey: Uint8Array },
  ): Promise<{ readonly keyId: string; readonly sharedSecret: Uint8Array }>
}
