import type { EcdhAbilities, EcdhCurve, EcdhPrivateKey, EcdhPublicKey, KeyInput } from './asymmetric.ts'
import { AnotherCurveError, pkcs8Parts, spkiPoint } from './ec-key.ts'
import { compress, fieldBytes, isCompressed, uncompress } from './ec-point.ts'
import { UnsupportedError } from './errors.ts'
import { readKey, subtle, unreadable, type KeyDescription } from './key-input.web.ts'

export const ecdhAbilities: EcdhAbilities = { isSynchronous: false }

/**
 * Reads a public key that errors call `name`. Throws TypeError when it is none of the curve.
 */
export function ecdhPublicKey(curve: EcdhCurve, input: KeyInput, name: string): EcdhPublicKey {
  const source = readEcKey(curve, input, { name, algorithm: 'EC', type: 'public' }, (spki) =>
    compressedPoint(curve, name, spkiPoint(curve, spki)),
  )
  if (source instanceof Uint8Array) {
    const point = compressedPoint(curve, name, spkiPoint(curve, source))
    return { point: () => point }
  }
  if (!source.extractable) throw new TypeError(`${name} must be extractable: its point is written to messages`)
  let exported: Promise<Uint8Array> | undefined
  return { point: () => (exported ??= exportPoint(source)) }
}

async function exportPoint(key: CryptoKey): Promise<Uint8Array> {
  return compress(new Uint8Array(await subtle().exportKey('raw', key)))
}

/**
 * Reads a private key that errors call `name`. Throws TypeError when it is none of the curve, or when its point is
 * neither in its encoding nor given as `publicKey`; `point` and `agree` reject with one when the two are not a pair.
 */
export function ecdhPrivateKey(
  curve: EcdhCurve,
  input: KeyInput,
  name: string,
  publicKey?: EcdhPublicKey,
): EcdhPrivateKey {
  const description: KeyDescription = { name, algorithm: 'EC', type: 'private' }
  const source = readEcKey(curve, input, description, (pkcs8) => {
    const { point } = pkcs8Parts(curve, pkcs8)
    if (point !== undefined) compressedPoint(curve, name, point)
  })
  const encoded = source instanceof Uint8Array ? pkcs8Parts(curve, source).point : undefined
  const points = [encoded && compressedPoint(curve, name, encoded), publicKey].filter((point) => point !== undefined)
  if (points.length === 0) {
    throw new TypeError(`${name} does not say its public key: give that beside it`)
  }
  if (!(source instanceof Uint8Array) && !source.usages.includes('deriveBits')) {
    throw new TypeError(`${name} must have the usage 'deriveBits'`)
  }
  let pair: Promise<Pair> | undefined
  return ofPair(curve, () => (pair ??= readPair(curve, source, description, points)))
}

/** Makes a key pair for one message. */
export async function generateEcdhKey(curve: EcdhCurve): Promise<EcdhPrivateKey> {
  const pair = await generatePair(curve)
  return ofPair(curve, async () => pair)
}

interface Pair {
  readonly key: CryptoKey
  readonly point: Uint8Array
}

function ofPair(curve: EcdhCurve, pair: () => Promise<Pair>): EcdhPrivateKey {
  return {
    point: async () => (await pair()).point,
    agree: async (point) => {
      const full = isCompressed(curve, point) ? uncompress(curve, point) : undefined
      const { key } = await pair()
      return full && deriveSecret(curve, key, full)
    },
  }
}

async function readPair(
  curve: EcdhCurve,
  source: Uint8Array<ArrayBuffer> | CryptoKey,
  description: KeyDescription,
  points: readonly (Uint8Array | EcdhPublicKey)[],
): Promise<Pair> {
  // Where the runtime lacks the curve, this says so.
  const ephemeral = await generatePair(curve)
  const key = source instanceof Uint8Array ? await importPrivateKey(curve, source, description) : source
  let own: Uint8Array | undefined
  for (const given of points) {
    const point = given instanceof Uint8Array ? given : await given.point()
    await assertPair(curve, key, point, ephemeral, description.name)
    own = point
  }
  return { key, point: own ?? new Uint8Array(0) }
}

/** A key and a point are a pair when both agree on the same secret with a third party (SP 800-56A §5.6.2.1.4). */
async function assertPair(
  curve: EcdhCurve,
  key: CryptoKey,
  point: Uint8Array,
  ephemeral: Pair,
  name: string,
): Promise<void> {
  const full = uncompress(curve, point)
  const theirs = uncompress(curve, ephemeral.point)
  if (full !== undefined && theirs !== undefined) {
    const first = await deriveSecret(curve, key, theirs)
    const second = await deriveSecret(curve, ephemeral.key, full)
    const isSame = first.every((byte, i) => byte === second[i])
    first.fill(0)
    second.fill(0)
    if (isSame) return
  }
  throw new TypeError(`${name} and the public key beside it are not a pair`)
}

async function deriveSecret(
  curve: EcdhCurve,
  key: CryptoKey,
  full: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const other = await subtle().importKey('raw', full, algorithmOf(curve), false, [])
  const bits = await subtle().deriveBits({ name: 'ECDH', public: other }, key, 8 * fieldBytes(curve))
  return new Uint8Array(bits)
}

async function generatePair(curve: EcdhCurve): Promise<Pair> {
  const crypto = subtle()
  let pair: CryptoKeyPair
  try {
    pair = await crypto.generateKey(algorithmOf(curve), false, ['deriveBits'])
  } catch (cause) {
    throw new UnsupportedError(`this runtime has no ECDH on ${curve}`, { cause })
  }
  return { key: pair.privateKey, point: await exportPoint(pair.publicKey) }
}

async function importPrivateKey(
  curve: EcdhCurve,
  pkcs8: Uint8Array<ArrayBuffer>,
  description: KeyDescription,
): Promise<CryptoKey> {
  const crypto = subtle()
  try {
    return await crypto.importKey('pkcs8', pkcs8, algorithmOf(curve), false, ['deriveBits'])
  } catch {
    throw unreadable(description)
  } finally {
    pkcs8.fill(0)
  }
}

function algorithmOf(curve: EcdhCurve): EcKeyAlgorithm {
  return { name: 'ECDH', namedCurve: curve }
}

function readEcKey(
  curve: EcdhCurve,
  input: KeyInput,
  description: KeyDescription,
  check: (encoded: Uint8Array) => unknown,
): Uint8Array<ArrayBuffer> | CryptoKey {
  const key = readKey(input, description, (encoded) => {
    try {
      check(encoded)
    } catch (error) {
      throw error instanceof AnotherCurveError ? notOfCurve(curve, description.name) : error
    }
  })
  if (key instanceof Uint8Array) return key
  const { name, namedCurve } = key.algorithm as Partial<EcKeyAlgorithm>
  if (name !== 'ECDH' || namedCurve !== curve) throw notOfCurve(curve, description.name)
  return key
}

function compressedPoint(curve: EcdhCurve, name: string, point: Uint8Array): Uint8Array {
  const full = uncompress(curve, point)
  if (full === undefined) throw notOfCurve(curve, name)
  return compress(full)
}

function notOfCurve(curve: EcdhCurve, name: string): TypeError {
  return new TypeError(`${name} must be an ECDH key of ${curve}`)
}
