import { createECDH, type ECDH } from 'node:crypto'
import type { EcdhAbilities, EcdhCurve, EcdhPrivateKey, EcdhPublicKey, KeyInput, MaybePromise } from './asymmetric.ts'
import { AnotherCurveError, pkcs8Parts, spkiPoint } from './ec-key.ts'
import { compress, isCompressed, uncompress } from './ec-point.ts'
import { readKey } from './key-input.node.ts'
import { now } from './maybe-promise.ts'

/** What OpenSSL calls the curves. */
const NAMES: Readonly<Record<EcdhCurve, string>> = { 'P-256': 'prime256v1', 'P-384': 'secp384r1', 'P-521': 'secp521r1' }

export const ecdhAbilities: EcdhAbilities = { isSynchronous: true }

/** Reads a public key that errors call `name`. Throws TypeError when it is none of the curve. */
export function ecdhPublicKey(curve: EcdhCurve, input: KeyInput, name: string): EcdhPublicKey {
  const key = readKey(input, { name, algorithm: 'EC', type: 'public' })
  // OpenSSL reads the point at infinity, and does not write it.
  const read = (): Uint8Array => spkiPoint(curve, key.export({ format: 'der', type: 'spki' }))
  const point = uncompress(curve, ofCurve(curve, name, read))
  if (point === undefined) throw notOfCurve(curve, name)
  const compressed = compress(point)
  return { point: () => compressed }
}

/**
 * Reads a private key that errors call `name`. Throws TypeError when it is none of the curve, or when `publicKey` is
 * given and not the one that belongs to it.
 */
export function ecdhPrivateKey(
  curve: EcdhCurve,
  input: KeyInput,
  name: string,
  publicKey?: EcdhPublicKey,
): EcdhPrivateKey {
  const pkcs8 = readKey(input, { name, algorithm: 'EC', type: 'private' }).export({ format: 'der', type: 'pkcs8' })
  try {
    const { scalar, point } = ofCurve(curve, name, () => pkcs8Parts(curve, pkcs8))
    const key = createECDH(NAMES[curve])
    setScalar(key, scalar, name)
    const own = privateKey(curve, key)
    const full = point && uncompress(curve, point)
    if (point !== undefined && (full === undefined || !isSame(own.point(), compress(full)))) throw mismatch(name)
    if (publicKey !== undefined && !isSame(own.point(), publicKey.point())) throw mismatch(name)
    return own
  } finally {
    pkcs8.fill(0)
  }
}

/** Makes a key pair for one message. */
export function generateEcdhKey(curve: EcdhCurve): EcdhPrivateKey {
  const key = createECDH(NAMES[curve])
  key.generateKeys()
  return privateKey(curve, key)
}

function privateKey(curve: EcdhCurve, key: ECDH): EcdhPrivateKey {
  const own = new Uint8Array(key.getPublicKey(null, 'compressed'))
  return {
    point: () => own,
    agree: (point) => {
      if (!isCompressed(curve, point)) return undefined
      let secret: Buffer
      try {
        secret = key.computeSecret(point)
      } catch {
        return undefined // x is not the coordinate of a point
      }
      const copy = new Uint8Array(secret)
      secret.fill(0)
      return copy
    },
  }
}

function setScalar(key: ECDH, scalar: Uint8Array, name: string): void {
  try {
    key.setPrivateKey(scalar)
  } catch {
    throw new TypeError(`${name} is not a private key: its number is zero or not below the order of the curve`)
  }
}

function ofCurve<T>(curve: EcdhCurve, name: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof AnotherCurveError ? notOfCurve(curve, name) : new TypeError(`${name} is not a readable key`)
  }
}

function notOfCurve(curve: EcdhCurve, name: string): TypeError {
  return new TypeError(`${name} must be a key of ${curve}`)
}

function mismatch(name: string): TypeError {
  return new TypeError(`${name} and the public key beside it are not a pair`)
}

/** Public keys are there at once on this runtime. */
function isSame(a: MaybePromise<Uint8Array>, b: MaybePromise<Uint8Array>): boolean {
  const [first, second] = [now(a), now(b)]
  return first.length === second.length && first.every((byte, i) => byte === second[i])
}
