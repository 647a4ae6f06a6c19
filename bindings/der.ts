/** As much DER (X.690) as it takes to see what a key in SubjectPublicKeyInfo or PKCS #8 is. */

export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
export const OBJECT_IDENTIFIER = 0x06
export const SEQUENCE = 0x30

/** rsaEncryption, 1.2.840.113549.1.1.1 (RFC 8017 appendix C). */
const RSA_ENCRYPTION = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]

/** Reads the elements of one encoding, one after the other. */
export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The content of the next element, which must have this tag and a length in its shortest form (X.690 §10.1). */
  read(tag: number): Uint8Array {
    if (this.#byte() !== tag) throw new RangeError('not the element that belongs here')
    let length = this.#byte()
    if (length >= 0x80) {
      const count = length - 0x80
      if (count < 1 || count > 3) throw new RangeError('not a definite length of a key')
      length = 0
      for (let i = 0; i < count; i++) length = length * 256 + this.#byte()
      if (length < (count === 1 ? 0x80 : 256 ** (count - 1))) throw new RangeError('not the shortest length')
    }
    const start = this.#at
    this.#at += length
    if (this.#at > this.#bytes.length) throw new RangeError('cut off')
    return this.#bytes.subarray(start, this.#at)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError('cut off')
    return byte
  }

  /** The tag of the next element; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at]
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new RangeError('bytes follow the end')
  }
}

/**
 * Bits of the modulus of an RSA public key in SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 8017 appendix A.1.1).
 *
 * @throws RangeError if it is none
 */
export function spkiModulusBits(spki: Uint8Array): number {
  const outer = new DerReader(spki)
  const info = new DerReader(outer.read(SEQUENCE))
  outer.end()
  assertRsa(info.read(SEQUENCE))
  const key = info.read(BIT_STRING)
  info.end()
  // The first byte counts unused bits: none.
  if (key[0] !== 0) throw new RangeError('not whole bytes')
  return bitLength(new DerReader(new DerReader(key.subarray(1)).read(SEQUENCE)).read(INTEGER))
}

/**
 * Bits of the modulus of an RSA private key in PKCS #8 (RFC 5208 §5, RFC 8017 appendix A.1.2).
 *
 * @throws RangeError if it is none
 */
export function pkcs8ModulusBits(pkcs8: Uint8Array): number {
  const outer = new DerReader(pkcs8)
  const info = new DerReader(outer.read(SEQUENCE))
  outer.end()
  info.read(INTEGER)
  assertRsa(info.read(SEQUENCE))
  const key = new DerReader(new DerReader(info.read(OCTET_STRING)).read(SEQUENCE))
  key.read(INTEGER)
  return bitLength(key.read(INTEGER))
}

function assertRsa(algorithm: Uint8Array): void {
  const identifier = new DerReader(algorithm).read(OBJECT_IDENTIFIER)
  const isRsa = identifier.length === RSA_ENCRYPTION.length && RSA_ENCRYPTION.every((byte, i) => byte === identifier[i])
  if (!isRsa) throw new RangeError('not an RSA key')
}

/** Bits of a positive integer: a leading zero byte is there for its sign. */
function bitLength(integer: Uint8Array): number {
  const zeros = integer[0] === 0 ? 1 : 0
  return (integer.length - zeros) * 8 - Math.clz32(integer[zeros] ?? 0) + 24
}
