import type { EcdhCurve } from './asymmetric.ts'
import { BIT_STRING, DerReader, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE } from './der.ts'
import { fieldBytes } from './ec-point.ts'

/** id-ecPublicKey (RFC 5480 §2.1.1) and the named curves (§2.1.1.1), as the contents of their identifiers. */
const EC_PUBLIC_KEY = '2a8648ce3d0201'
const NAMED_CURVES: Readonly<Record<EcdhCurve, string>> = {
  'P-256': '2a8648ce3d030107',
  'P-384': '2b81040022',
  'P-521': '2b81040023',
}

/** [0] and [1], constructed (RFC 5915 §3). */
const PARAMETERS = 0xa0
const PUBLIC_KEY = 0xa1

/** Thrown for a key of another kind or another curve, which is well-formed otherwise. */
export class AnotherCurveError extends RangeError {}

/**
 * The point of an EC public key in SubjectPublicKeyInfo (RFC 5480 §2), in the form that it has there.
 *
 * @throws RangeError if it is none; AnotherCurveError if it is a key of something else
 */
export function spkiPoint(curve: EcdhCurve, spki: Uint8Array): Uint8Array {
  const outer = new DerReader(spki)
  const info = new DerReader(outer.read(SEQUENCE))
  outer.end()
  assertCurve(curve, info.read(SEQUENCE))
  const point = wholeBytes(info.read(BIT_STRING))
  info.end()
  return point
}

/** The secret of an EC private key, and its point if the encoding has one. */
export interface EcPrivateKeyParts {
  /** Big-endian, as long as a coordinate; a view of the encoding. */
  readonly scalar: Uint8Array
  readonly point: Uint8Array | undefined
}

/**
 * The parts of an EC private key in PKCS #8 (RFC 5208 §5) around ECPrivateKey (RFC 5915 §3).
 *
 * @throws RangeError if it is none; AnotherCurveError if it is a key of something else
 */
export function pkcs8Parts(curve: EcdhCurve, pkcs8: Uint8Array): EcPrivateKeyParts {
  const outer = new DerReader(pkcs8)
  const info = new DerReader(outer.read(SEQUENCE))
  outer.end()
  info.read(INTEGER)
  assertCurve(curve, info.read(SEQUENCE))
  const encoded = new DerReader(info.read(OCTET_STRING))
  const key = new DerReader(encoded.read(SEQUENCE))
  encoded.end()
  key.read(INTEGER)
  const scalar = key.read(OCTET_STRING)
  if (scalar.length !== fieldBytes(curve)) throw new RangeError('not a private key of this curve')
  if (key.nextTag === PARAMETERS) key.read(PARAMETERS)
  const point =
    key.nextTag === PUBLIC_KEY ? wholeBytes(new DerReader(key.read(PUBLIC_KEY)).read(BIT_STRING)) : undefined
  key.end()
  return { scalar, point }
}

function assertCurve(curve: EcdhCurve, algorithm: Uint8Array): void {
  const reader = new DerReader(algorithm)
  const isEc = toHex(reader.read(OBJECT_IDENTIFIER)) === EC_PUBLIC_KEY
  if (!isEc || toHex(reader.read(OBJECT_IDENTIFIER)) !== NAMED_CURVES[curve])
    throw new AnotherCurveError(`not of ${curve}`)
  reader.end()
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/** The first byte of a bit string counts unused bits: none. */
function wholeBytes(bits: Uint8Array): Uint8Array {
  if (bits[0] !== 0) throw new RangeError('not whole bytes')
  return bits.subarray(1)
}
