import type { Ecdsa, EcdsaVerificationKey } from '../bindings/asymmetric.ts'
import { concatBytes } from './bytes.ts'
import { PUBLIC_KEY_CONTEXT_KEY, type EncryptionContext } from './context.ts'
import { FormatError } from './errors.ts'
import type { AlgorithmSuite } from './suites.ts'

const LENGTH_BYTES = 2

/** The value of `aws-crypto-public-key`: base64 of the compressed point. */
export function encodePublicKey(point: Uint8Array): string {
  return btoa(String.fromCharCode(...point))
}

/**
 * Refuses a header whose context and suite disagree on the signature: a signed suite without a public key cannot be
 * verified, and a public key under an unsigned suite is what is left of a signed message that was changed.
 */
export function assertPublicKeyMatchesSuite(suite: AlgorithmSuite, headerContext: EncryptionContext): void {
  const isPresent = Object.hasOwn(headerContext, PUBLIC_KEY_CONTEXT_KEY)
  if (isPresent === (suite.signatureCurve !== undefined)) return
  throw new FormatError(
    isPresent
      ? `${suite.name} does not sign, but the encryption context holds ${PUBLIC_KEY_CONTEXT_KEY}`
      : `${suite.name} signs, but the encryption context lacks ${PUBLIC_KEY_CONTEXT_KEY}`,
  )
}

/**
 * Reads the public key that a signed message carries in its context; undefined for an unsigned suite.
 *
 * @throws FormatError when it is no compressed point of the suite's curve in canonical base64.
 */
export function readVerificationKey(
  signatures: Ecdsa,
  suite: AlgorithmSuite,
  context: EncryptionContext,
): EcdsaVerificationKey | undefined {
  if (suite.signatureCurve === undefined) return undefined
  const point = decodeBase64(context[PUBLIC_KEY_CONTEXT_KEY] ?? '')
  const key = point && signatures.importPublicKey(suite.signatureCurve, point)
  if (key === undefined) {
    throw new FormatError(`${PUBLIC_KEY_CONTEXT_KEY} is not a compressed point of ${suite.signatureCurve}`)
  }
  return key
}

/** Undefined unless `text` is what {@link encodePublicKey} writes: `atob` also takes spaces and stray bits. */
function decodeBase64(text: string): Uint8Array | undefined {
  try {
    const point = Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
    return encodePublicKey(point) === text ? point : undefined
  } catch {
    return undefined
  }
}

/** The message footer: length u16 ‖ DER signature. */
export function serializeFooter(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(Uint8Array.of(signature.length >>> 8, signature.length & 0xff), signature)
}

/** The most bytes that the footer of this suite takes: both integers of Ecdsa-Sig-Value with a sign byte (RFC 3279 §2.2.3). */
export function footerBound({ signatureCurve }: AlgorithmSuite): number {
  if (signatureCurve === undefined) return 0
  const integerBytes = signatureCurve === 'P-256' ? 33 : 49
  return LENGTH_BYTES + 2 + 2 * (2 + integerBytes)
}

export interface ParsedFooter {
  readonly signature: Uint8Array
  readonly byteLength: number
}

/** The longest footer that its length field allows. */
export const MAX_FOOTER_BYTES: number = LENGTH_BYTES + 0xffff

/** Reads the footer at the start of `bytes`; `needed` is a lower bound of its length when `bytes` ends inside it. */
export function parseFooter(bytes: Uint8Array): ParsedFooter | { readonly needed: number } {
  if (bytes.length < LENGTH_BYTES) return { needed: LENGTH_BYTES }
  const byteLength = LENGTH_BYTES + ((bytes[0] ?? 0) << 8) + (bytes[1] ?? 0)
  if (bytes.length < byteLength) return { needed: byteLength }
  return { signature: bytes.subarray(LENGTH_BYTES, byteLength), byteLength }
}
