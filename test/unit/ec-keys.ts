import { createECDH } from 'node:crypto'
import type { EcdhCurve } from '../../bindings/asymmetric.ts'

export const CURVES: readonly EcdhCurve[] = ['P-256', 'P-384', 'P-521']

/** What OpenSSL calls the curves, their identifiers in DER, and bytes of a coordinate. */
export const CURVE_FACTS = {
  'P-256': { openssl: 'prime256v1', identifier: '06082a8648ce3d030107', bytes: 32 },
  'P-384': { openssl: 'secp384r1', identifier: '06052b81040022', bytes: 48 },
  'P-521': { openssl: 'secp521r1', identifier: '06052b81040023', bytes: 66 },
} as const

/** RFC 5903 §8: both secrets, and the first coordinate of what they agree on. */
export const RFC_5903 = {
  'P-256': {
    i: 'c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433',
    r: 'c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53',
    secret: 'd6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de',
  },
  'P-384': {
    i: '099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655e35b538041e649ee3faef896783ab194',
    r: '41cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942e0308312916b8ed2960e4bd55a7448fc',
    secret: '11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d09cf5d4a270f59746',
  },
  'P-521': {
    i: '0037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a095aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a52',
    r: '0145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb9',
    secret:
      '01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1427e73ca4baa240a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea',
  },
} as const

/** An element of DER (X.690 §8.1), of up to 255 bytes. */
function der(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const length = content.length < 0x80 ? [content.length] : [0x81, content.length]
  return Buffer.concat([Uint8Array.of(tag, ...length), content])
}

function algorithm(curve: EcdhCurve): Buffer {
  return der(0x30, Buffer.from('06072a8648ce3d0201', 'hex'), Buffer.from(CURVE_FACTS[curve].identifier, 'hex'))
}

/** SubjectPublicKeyInfo around these bytes, whatever they are. */
export function spkiOf(curve: EcdhCurve, point: Uint8Array): Buffer {
  return der(0x30, algorithm(curve), der(0x03, Uint8Array.of(0), point))
}

/** PKCS #8 around a secret number, with a point or without. */
export function pkcs8Of(curve: EcdhCurve, scalar: Uint8Array, point?: Uint8Array): Buffer {
  const publicKey = point === undefined ? [] : [der(0xa1, der(0x03, Uint8Array.of(0), point))]
  const version = Uint8Array.of(0x02, 0x01, 0x01)
  const ecPrivateKey = der(0x30, version, der(0x04, scalar), ...publicKey)
  return der(0x30, Uint8Array.of(0x02, 0x01, 0x00), algorithm(curve), der(0x04, ecPrivateKey))
}

export function pem(label: string, encoded: Uint8Array): string {
  const lines = Buffer.from(encoded).toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

/** A key pair with this secret number in every form that a caller may have it. */
export interface EcPair {
  readonly scalar: Buffer
  readonly full: Buffer
  readonly compressed: Uint8Array
  readonly publicKey: string
  readonly privateKey: string
}

export function ecPair(curve: EcdhCurve, secret?: string): EcPair {
  const key = createECDH(CURVE_FACTS[curve].openssl)
  if (secret === undefined) key.generateKeys()
  else key.setPrivateKey(secret, 'hex')
  const full = key.getPublicKey()
  const number = key.getPrivateKey()
  const scalar = Buffer.concat([Buffer.alloc(CURVE_FACTS[curve].bytes - number.length), number])
  return {
    scalar,
    full,
    compressed: new Uint8Array(key.getPublicKey(null, 'compressed')),
    publicKey: pem('PUBLIC KEY', spkiOf(curve, full)),
    privateKey: pem('PRIVATE KEY', pkcs8Of(curve, scalar, full)),
  }
}
