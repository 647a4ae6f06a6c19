import { FormatError } from '../../bindings/errors.ts'
import { fromBase64, toBase64 } from '../base64.ts'
import type { KmsCall, KmsPairCall, KmsPairProvider, KmsProvider } from '../provider.ts'
import { AwsApi, type AwsApiOptions } from './aws-api.ts'

export type { AwsApiOptions as AwsKmsOptions } from './aws-api.ts'
export type { AwsCredentials } from './aws-sign.ts'

interface SdkOptions {
  readonly abortSignal?: AbortSignal
}

interface SdkInput {
  readonly KeyId: string
  readonly EncryptionContext: Record<string, string>
  readonly GrantTokens?: string[]
}

/** What is used of a `KMS` object of `@aws-sdk/client-kms`. */
export interface AwsSdkClient {
  generateDataKey(input: SdkInput & { readonly NumberOfBytes: number }, options: SdkOptions): Promise<object>
  encrypt(input: SdkInput & { readonly Plaintext: Uint8Array }, options: SdkOptions): Promise<object>
  decrypt(input: SdkInput & { readonly CiphertextBlob: Uint8Array }, options: SdkOptions): Promise<object>
  describeKey(input: { readonly KeyId: string }, options: SdkOptions): Promise<object>
  /** The following are for keyrings over key pairs and for branch key stores. */
  getPublicKey?(input: SdkPairInput, options: SdkOptions): Promise<object>
  deriveSharedSecret?(
    input: SdkPairInput & { readonly KeyAgreementAlgorithm: 'ECDH'; readonly PublicKey: Uint8Array },
    options: SdkOptions,
  ): Promise<object>
}

interface SdkPairInput {
  readonly KeyId: string
  readonly GrantTokens?: string[]
}

/** Runs an action whose input and output hold bytes as `Uint8Array`. */
type Call = (action: string, input: object, signal: AbortSignal | undefined) => Promise<Record<string, unknown>>

/**
 * AWS KMS, or what speaks its protocol, as a provider: over `fetch` with Signature Version 4, on every runtime; or over
 * a `KMS` object of `@aws-sdk/client-kms`, which then decides on endpoint, credentials and retries.
 *
 * Calls reject with a KmsError named as the service names its exception, or `KmsUnreachableException` if there is no
 * answer; and with `signal.reason` when aborted.
 *
 * @throws TypeError or RangeError for options that are not in their form
 */
export function awsKms(options: AwsApiOptions | { readonly client: AwsSdkClient }): KmsProvider & KmsPairProvider {
  if ('client' in options) return providerOver(sdkCall(options.client))
  const api = new AwsApi(options)
  return { ...providerOver((action, input, signal) => fetchCall(api, action, input, signal)), region: api.region }
}

async function fetchCall(
  api: AwsApi,
  action: string,
  input: object,
  signal: AbortSignal | undefined,
): Promise<Record<string, unknown>> {
  const members = Object.entries(input).map(([name, value]) => {
    return [name, value instanceof Uint8Array ? toBase64(value) : (value as unknown)]
  })
  const answer = await api.call(action, Object.fromEntries(members) as object, signal)
  for (const name of ['Plaintext', 'CiphertextBlob', 'PublicKey', 'SharedSecret']) {
    if (typeof answer[name] === 'string') answer[name] = fromBase64(answer[name])
  }
  return answer
}

function sdkCall(client: AwsSdkClient): Call {
  const methods = {
    GenerateDataKey: 'generateDataKey',
    Encrypt: 'encrypt',
    Decrypt: 'decrypt',
    DescribeKey: 'describeKey',
  }
  const others = {
    GetPublicKey: 'getPublicKey',
    DeriveSharedSecret: 'deriveSharedSecret',
    GenerateDataKeyWithoutPlaintext: 'generateDataKeyWithoutPlaintext',
    ReEncrypt: 'reEncrypt',
  }
  const target = client as unknown as Record<string, (input: object, options: SdkOptions) => Promise<object>>
  if (Object.values(methods).some((name) => typeof target[name] !== 'function')) {
    throw new TypeError('client must be a KMS object of @aws-sdk/client-kms: new KMS(…), not new KMSClient(…)')
  }
  return async (action, input, signal) => {
    signal?.throwIfAborted()
    const name = { ...methods, ...others }[action as keyof typeof methods]
    if (typeof target[name] !== 'function')
      throw new TypeError(`client has no ${name}: use a newer @aws-sdk/client-kms`)
    try {
      return { ...(await target[name](input, signal ? { abortSignal: signal } : {})) }
    } catch (error) {
      signal?.throwIfAborted()
      throw error
    }
  }
}

function providerOver(call: Call): KmsProvider & KmsPairProvider {
  return { ...symmetricOver(call), ...pairsOver(call) }
}

function symmetricOver(call: Call): KmsProvider {
  return {
    async generateDataKey({ numberOfBytes, signal, ...request }) {
      const answer = await call('GenerateDataKey', { ...common(request), NumberOfBytes: numberOfBytes }, signal)
      return { keyId: text(answer.KeyId), plaintext: bytes(answer.Plaintext), ciphertext: bytes(answer.CiphertextBlob) }
    },
    async encrypt({ plaintext, signal, ...request }) {
      const answer = await call('Encrypt', { ...common(request), Plaintext: plaintext }, signal)
      return { keyId: text(answer.KeyId), ciphertext: bytes(answer.CiphertextBlob) }
    },
    async decrypt({ ciphertext, signal, ...request }) {
      const answer = await call('Decrypt', { ...common(request), CiphertextBlob: ciphertext }, signal)
      return { keyId: text(answer.KeyId), plaintext: bytes(answer.Plaintext) }
    },
    async resolveKeyId({ keyId, signal }) {
      const { KeyMetadata } = await call('DescribeKey', { KeyId: keyId }, signal)
      return text((Object(KeyMetadata) as { readonly Arn?: unknown }).Arn)
    },
    async generateDataKeyWithoutPlaintext({ numberOfBytes, signal, ...request }) {
      const input = { ...common(request), NumberOfBytes: numberOfBytes }
      const answer = await call('GenerateDataKeyWithoutPlaintext', input, signal)
      return { keyId: text(answer.KeyId), ciphertext: bytes(answer.CiphertextBlob) }
    },
    async reEncrypt({ keyId, ciphertext, encryptionContext, destinationEncryptionContext, signal, ...request }) {
      const { GrantTokens } = ofPair({ keyId, ...request })
      const input = {
        CiphertextBlob: ciphertext,
        SourceKeyId: keyId,
        SourceEncryptionContext: { ...encryptionContext },
        DestinationKeyId: keyId,
        DestinationEncryptionContext: { ...destinationEncryptionContext },
        ...(GrantTokens ? { GrantTokens } : {}),
      }
      const answer = await call('ReEncrypt', input, signal)
      return { keyId: text(answer.KeyId), ciphertext: bytes(answer.CiphertextBlob) }
    },
  }
}

function pairsOver(call: Call): KmsPairProvider {
  return {
    async getPublicKey({ signal, ...request }) {
      const answer = await call('GetPublicKey', ofPair(request), signal)
      const { KeyId, KeySpec, KeyUsage, PublicKey } = answer
      return { keyId: text(KeyId), publicKey: bytes(PublicKey), keySpec: text(KeySpec), keyUsage: text(KeyUsage) }
    },
    async decryptRsa({ algorithm, ciphertext, signal, ...request }) {
      const input = { ...ofPair(request), CiphertextBlob: ciphertext, EncryptionAlgorithm: algorithm }
      const answer = await call('Decrypt', input, signal)
      return { keyId: text(answer.KeyId), plaintext: bytes(answer.Plaintext) }
    },
    async deriveSharedSecret({ publicKey, signal, ...request }) {
      const input = { ...ofPair(request), KeyAgreementAlgorithm: 'ECDH', PublicKey: publicKey }
      const answer = await call('DeriveSharedSecret', input, signal)
      return { keyId: text(answer.KeyId), sharedSecret: bytes(answer.SharedSecret) }
    },
  }
}

function common({ keyId, encryptionContext, grantTokens }: Omit<KmsCall, 'signal'>): object {
  return {
    KeyId: keyId,
    EncryptionContext: { ...encryptionContext },
    ...(grantTokens === undefined || grantTokens.length === 0 ? {} : { GrantTokens: [...grantTokens] }),
  }
}

function ofPair({ keyId, grantTokens }: Omit<KmsPairCall, 'signal'>): SdkPairInput {
  return { KeyId: keyId, ...(grantTokens ? { GrantTokens: [...grantTokens] } : {}) }
}

function text(value: unknown): string {
  if (typeof value !== 'string') throw new FormatError('the KMS answered without the name of the key')
  return value
}

/** A copy: the SDK may answer a view of a larger buffer. */
function bytes(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new FormatError('the KMS answered without the bytes that were asked for')
  return Uint8Array.from(value)
}
