import { concatBytes } from '../../bindings/bytes.ts'
import { sha256, timingSafeEqual } from '../../bindings/core.ts'
import { fromBase64, toBase64 } from '../base64.ts'
import { toHex } from '../engine/bytes.ts'
import { ALGORITHM, canonicalRequest, hexDigest, signature, signingKey, stringToSign, TERMINATOR } from '../sigv4.ts'
import { KeyStoreError, type KeyStore, type StoreCiphertext, type StoreRequest } from './key-store.ts'
import { exchange, type Exchange } from './xks-exchange.ts'

/** Where an external key store proxy is, and what it knows this KMS by. */
export interface XksProxyOptions extends Exchange {
  /** `https://` and a host name. */
  readonly endpoint: string
  /** Ends in `/kms/xks/v1`. */
  readonly path: string
  readonly accessKeyId: string
  /** UTF-8; not copied. */
  readonly secretAccessKey: Uint8Array
  /** From which the KMS asks. */
  readonly region: string
  /** Milliseconds since 1970. */
  readonly clock: () => number
}

const SERVICE = 'kms-xks-proxy'
const IV_BYTES: readonly number[] = [12, 16]
const TAG_BYTES = 16
const MAX_METADATA_BYTES = 20
const MAX_MANAGERS = 10
const EMPTY = new Uint8Array()

/**
 * The keys behind an external key store proxy (AWS KMS External Key Store Proxy API Specification, version 1): it
 * encrypts and decrypts with keys of an external key manager, over HTTPS with requests signed by Signature Version 4.
 */
export function xksProxy(options: XksProxyOptions): KeyStore {
  const ask = async (path: string, request: StoreRequest, body: object = {}): Promise<Record<string, unknown>> => {
    const payload = new TextEncoder().encode(JSON.stringify({ requestMetadata: requestMetadata(request), ...body }))
    try {
      return await exchange(options.endpoint + options.path + path, sign(options, path, payload), payload, options)
    } finally {
      payload.fill(0)
    }
  }
  return {
    async check({ operation, requestId }) {
      assertHealth(await ask('/health', { operation, requestId, principalArn: '' }))
    },
    async addKey(id, request) {
      assertKey(await ask(`/keys/${id}/metadata`, request))
    },
    async encrypt(id, plaintext, aad, request) {
      const answer = await ask(`/keys/${id}/encrypt`, request, {
        additionalAuthenticatedData: toBase64(aad),
        plaintext: toBase64(plaintext),
        encryptionAlgorithm: 'AES_GCM',
        ciphertextDataIntegrityValueAlgorithm: 'SHA_256',
      })
      return readCiphertext(answer, plaintext.length, aad)
    },
    async decrypt(id, { ciphertext, iv, tag, metadata }, aad, request) {
      const answer = await ask(`/keys/${id}/decrypt`, request, {
        additionalAuthenticatedData: toBase64(aad),
        ciphertext: toBase64(ciphertext),
        ...(metadata.length > 0 && { ciphertextMetadata: toBase64(metadata) }),
        encryptionAlgorithm: 'AES_GCM',
        initializationVector: toBase64(iv),
        authenticationTag: toBase64(tag),
      })
      return readBytes(answer.plaintext, [ciphertext.length])
    },
  }
}

/** Health checks are not on anybody's behalf: they name no principal ("GetHealthStatus"). */
function requestMetadata({ operation, requestId, principalArn, keyArn }: StoreRequest): object {
  return {
    ...(principalArn !== '' && { awsPrincipalArn: principalArn }),
    ...(keyArn !== undefined && { kmsKeyArn: keyArn }),
    kmsOperation: operation,
    kmsRequestId: requestId,
  }
}

/** Appendix A: the scope names the service `kms-xks-proxy`; Host and X-Amz-Date are signed, and the body's digest. */
function sign(options: XksProxyOptions, path: string, payload: Uint8Array): Record<string, string> {
  const { endpoint, accessKeyId, secretAccessKey, region, clock } = options
  const time = new Date(clock()).toISOString().replace(/[:-]|\.\d{3}/g, '')
  const scope = { date: time.slice(0, 8), region, service: SERVICE }
  const headers: readonly (readonly [string, string])[] = [
    ['host', new URL(endpoint).host],
    ['x-amz-date', time],
  ]
  const parts = { method: 'POST', path: options.path + path, query: '', headers }
  const key = signingKey(secretAccessKey, scope)
  const signed = toHex(signature(key, stringToSign(time, scope, canonicalRequest(parts, hexDigest(payload)))))
  key.fill(0)
  const credential = `${accessKeyId}/${scope.date}/${region}/${SERVICE}/${TERMINATOR}`
  return {
    'content-type': 'application/json',
    'x-amz-date': time,
    authorization: `${ALGORITHM} Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${signed}`,
  }
}

/** One key manager at least must be able to work. */
function assertHealth({ xksProxyFleetSize, xksProxyVendor, ekmFleetDetails }: Record<string, unknown>): void {
  const isProxy = Number.isSafeInteger(xksProxyFleetSize) && Number(xksProxyFleetSize) > 0
  if (!isProxy || typeof xksProxyVendor !== 'string' || !Array.isArray(ekmFleetDetails)) throw invalidResponse()
  const managers = ekmFleetDetails.map((one: unknown) => (Object(one) as Record<string, unknown>).healthStatus)
  const isKnown = managers.every((status) => ['ACTIVE', 'DEGRADED', 'UNAVAILABLE'].includes(String(status)))
  if (managers.length === 0 || managers.length > MAX_MANAGERS || !isKnown) throw invalidResponse()
  if (managers.every((status) => status === 'UNAVAILABLE')) throw new KeyStoreError('internal')
}

function assertKey({ keySpec, keyUsage, keyStatus }: Record<string, unknown>): void {
  if (typeof keySpec !== 'string' || !Array.isArray(keyUsage)) throw invalidResponse()
  if (keyStatus !== 'ENABLED' && keyStatus !== 'DISABLED') throw invalidResponse()
  if (keySpec !== 'AES_256' || !keyUsage.includes('ENCRYPT') || !keyUsage.includes('DECRYPT')) {
    throw new KeyStoreError('keyUsage')
  }
  if (keyStatus === 'DISABLED') throw new KeyStoreError('keyDisabled')
}

/** Checks the lengths, and the digest by which the proxy says that it could decrypt this again (Appendix C). */
function readCiphertext(answer: Record<string, unknown>, length: number, aad: Uint8Array): StoreCiphertext {
  const { ciphertextMetadata: given } = answer
  const metadata = given === undefined || given === null ? EMPTY : readBytes(given)
  const ciphertext = readBytes(answer.ciphertext, [length])
  const iv = readBytes(answer.initializationVector, IV_BYTES)
  const tag = readBytes(answer.authenticationTag, [TAG_BYTES])
  if (metadata.length > MAX_METADATA_BYTES) throw invalidResponse()
  const expected = sha256(concatBytes(aad, metadata, iv, ciphertext, tag))
  if (!timingSafeEqual(expected, readBytes(answer.ciphertextDataIntegrityValue, [expected.length]))) {
    throw invalidResponse()
  }
  return { ciphertext, iv, tag, metadata }
}

function readBytes(value: unknown, lengths?: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === 'string' ? fromBase64(value) : undefined
  if (!bytes || lengths?.includes(bytes.length) === false) throw invalidResponse()
  return bytes
}

function invalidResponse(): KeyStoreError {
  return new KeyStoreError('invalidResponse')
}
