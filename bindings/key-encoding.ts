import { concatBytes } from './bytes.ts'
import { BIT_STRING, DerReader, INTEGER, OCTET_STRING, SEQUENCE } from './der.ts'

// Keys of every kind in SubjectPublicKeyInfo (RFC 5280 §4.1) and PKCS #8 (RFC 5208 §5), as every runtime writes them.

export type SigningCurve = 'P-256' | 'P-384' | 'P-521' | 'secp256k1' | 'Ed25519'
export type KeyKind = 'RSA' | SigningCurve

/** What an encoding says: `key` is the content of its bit string or octet string, a view. */
export interface EncodedKey {
  readonly kind: KeyKind
  readonly key: Uint8Array
}

/** AlgorithmIdentifier without its tag and length: RFC 8017 appendix A.1, RFC 5480 §2.1.1, SEC 2 §A.2, RFC 8410 §3. */
const ALGORITHMS: Readonly<Record<KeyKind, string>> = {
  RSA: '06092a864886f70d0101010500',
  'P-256': '06072a8648ce3d020106082a8648ce3d030107',
  'P-384': '06072a8648ce3d020106052b81040022',
  'P-521': '06072a8648ce3d020106052b81040023',
  secp256k1: '06072a8648ce3d020106052b8104000a',
  Ed25519: '06032b6570',
}

/** [1], constructed (RFC 5915 §3). */
const PUBLIC_KEY = 0xa1

/** @throws TypeError if it is no public key of these kinds */
export function readPublicKey(spki: Uint8Array): EncodedKey {
  return readable(() => {
    const info = onlyElement(spki)
    const kind = kindOf(info.read(SEQUENCE))
    const key = info.read(BIT_STRING)
    info.end()
    // The first byte counts unused bits: none.
    if (key[0] !== 0) throw new RangeError('not whole bytes')
    return { kind, key: key.subarray(1) }
  })
}

/** @throws TypeError if it is no private key of these kinds */
export function readPrivateKey(pkcs8: Uint8Array): EncodedKey {
  return readable(() => {
    const info = onlyElement(pkcs8)
    info.read(INTEGER)
    const kind = kindOf(info.read(SEQUENCE))
    return { kind, key: info.read(OCTET_STRING) }
  })
}

/** The secret scalar (RFC 5915 §3), or the seed of Ed25519 (RFC 8410 §7): a view. @throws TypeError */
export function secretOf({ kind, key }: EncodedKey): Uint8Array {
  return readable(() => {
    const reader = new DerReader(key)
    if (kind === 'Ed25519') return reader.read(OCTET_STRING)
    const fields = new DerReader(reader.read(SEQUENCE))
    fields.read(INTEGER)
    return fields.read(OCTET_STRING)
  })
}

/** The integers of an RSAPublicKey, or the first nine of an RSAPrivateKey (RFC 8017 appendix A.1). @throws TypeError */
export function rsaIntegers({ key }: EncodedKey): readonly bigint[] {
  return readable(() => {
    const fields = new DerReader(new DerReader(key).read(SEQUENCE))
    const integers: bigint[] = []
    while (fields.nextTag === INTEGER) integers.push(toInteger(fields.read(INTEGER)))
    return integers
  })
}

/** The public key of an RSA private key: its first two integers (RFC 8017 appendix A.1). @throws TypeError */
export function rsaPublicKeyOf({ key }: EncodedKey): Uint8Array<ArrayBuffer> {
  return readable(() => {
    const fields = new DerReader(new DerReader(key).read(SEQUENCE))
    fields.read(INTEGER)
    const integers = [element(INTEGER, fields.read(INTEGER)), element(INTEGER, fields.read(INTEGER))]
    const algorithm = element(SEQUENCE, fromHex(ALGORITHMS.RSA))
    return element(SEQUENCE, algorithm, element(BIT_STRING, Uint8Array.of(0), element(SEQUENCE, ...integers)))
  })
}

/** @param key an uncompressed point (SEC 1 §2.3.3), or the 32 bytes of Ed25519 */
export function encodePublicKey(curve: SigningCurve, key: Uint8Array): Uint8Array<ArrayBuffer> {
  const algorithm = element(SEQUENCE, fromHex(ALGORITHMS[curve]))
  return element(SEQUENCE, algorithm, element(BIT_STRING, Uint8Array.of(0), key))
}

/** With the public key in it, as others write it; Ed25519 without, as they do. The caller wipes both. */
export function encodePrivateKey(
  curve: SigningCurve,
  secret: Uint8Array,
  publicKey: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const octets = element(OCTET_STRING, secret)
  const point = element(PUBLIC_KEY, element(BIT_STRING, Uint8Array.of(0), publicKey))
  const inner = curve === 'Ed25519' ? octets : element(SEQUENCE, Uint8Array.of(INTEGER, 1, 1), octets, point)
  const key = element(OCTET_STRING, inner)
  const algorithm = element(SEQUENCE, fromHex(ALGORITHMS[curve]))
  const encoded = element(SEQUENCE, Uint8Array.of(INTEGER, 1, 0), algorithm, key)
  for (const part of [octets, inner, key]) part.fill(0)
  return encoded
}

/** r ‖ s as DER (RFC 3279 §2.2.3). */
export function signatureToDer(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const half = signature.length / 2
  const parts = [signature.subarray(0, half), signature.subarray(half)].map((part) => {
    const start = part.findIndex((byte) => byte !== 0)
    const digits = part.subarray(start < 0 ? half - 1 : start)
    return element(INTEGER, (digits[0] ?? 0) < 0x80 ? digits : concatBytes(Uint8Array.of(0), digits))
  })
  return element(SEQUENCE, ...parts)
}

/** r ‖ s, each of `length` bytes; undefined for whatever is not the DER encoding of two such integers. */
export function signatureFromDer(der: Uint8Array, length: number): Uint8Array<ArrayBuffer> | undefined {
  try {
    const outer = new DerReader(der)
    const reader = new DerReader(outer.read(SEQUENCE))
    const parts = [positive(reader.read(INTEGER)), positive(reader.read(INTEGER))]
    outer.end()
    reader.end()
    const signature = new Uint8Array(2 * length)
    parts.forEach((part, index) => signature.set(part, (index + 1) * length - part.length))
    return parts.every((part) => part.length <= length) ? signature : undefined
  } catch {
    return undefined
  }
}

/** The digits of a positive integer in its shortest form (X.690 §8.3.2). */
function positive(integer: Uint8Array): Uint8Array {
  const [first = 0x80, second = 0x80] = integer
  const isPadded = first === 0 && integer.length > 1
  if (first >= 0x80 || (isPadded && second < 0x80)) throw new RangeError('not a positive integer in its shortest form')
  return isPadded ? integer.subarray(1) : integer
}

function onlyElement(encoded: Uint8Array): DerReader {
  const outer = new DerReader(encoded)
  const content = outer.read(SEQUENCE)
  outer.end()
  return new DerReader(content)
}

function kindOf(algorithm: Uint8Array): KeyKind {
  const hex = toHex(algorithm)
  const kind = (Object.keys(ALGORITHMS) as KeyKind[]).find((name) => ALGORITHMS[name] === hex)
  if (kind === undefined) throw new RangeError('not a key of these kinds')
  return kind
}

/** No cause: it could quote the key. */
function readable<T>(read: () => T): T {
  try {
    return read()
  } catch {
    throw new TypeError('not a readable key')
  }
}

/** One DER element with its length in the shortest form. */
function element(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const long = length < 0x80 ? [] : length < 0x100 ? [0x81] : [0x82, length >> 8]
  return concatBytes(Uint8Array.of(tag, ...long, length & 0xff), ...parts)
}

export function toInteger(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`)
}

/** Big-endian, `length` bytes (I2OSP, RFC 8017 §4.1). */
export function toOctets(value: bigint, length: number): Uint8Array<ArrayBuffer> {
  return fromHex(value.toString(16).padStart(2 * length, '0'))
}

function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function fromHex(hex: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: hex.length / 2 }, (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16))
}
