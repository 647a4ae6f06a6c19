import type { EcdhCurve } from './asymmetric.ts'

/** Domain parameters of SP 800-186 §3.2.1.3 to §3.2.1.5; a is −3 on each. */
const CURVES = {
  'P-256': {
    fieldBytes: 32,
    p: 'ffffffff00000001000000000000000000000000ffffffffffffffffffffffff',
    b: '5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b',
  },
  'P-384': {
    fieldBytes: 48,
    p: 'fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff0000000000000000ffffffff',
    b: 'b3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef',
  },
  'P-521': {
    fieldBytes: 66,
    p: `1${'f'.repeat(130)}`,
    b: '051953eb9618e1c9a1f929a21a0b68540eea2da725b99b315f3b8b489918ef109e156193951ec7e937b1652c0bd3bb1bf073573df883d2c34f1ef451fd46b503f00',
  },
} as const

/** Bytes of a coordinate of the curve, and of a shared secret. */
export function fieldBytes(curve: EcdhCurve): number {
  return CURVES[curve].fieldBytes
}

/** Whether the bytes have the form of a compressed point of the curve (SEC 1 §2.3.3); it need not be on it. */
export function isCompressed(curve: EcdhCurve, point: Uint8Array): boolean {
  return point.length === 1 + fieldBytes(curve) && (point[0] === 0x02 || point[0] === 0x03)
}

/** 02 or 03 by the parity of y, then x, of 04 ‖ x ‖ y (SEC 1 §2.3.3). */
export function compress(uncompressed: Uint8Array): Uint8Array<ArrayBuffer> {
  const parity = (uncompressed[uncompressed.length - 1] ?? 0) & 1
  const point = new Uint8Array(uncompressed.subarray(0, (uncompressed.length + 1) / 2))
  point[0] = 0x02 + parity
  return point
}

/**
 * 04 ‖ x ‖ y of a compressed or uncompressed point (SEC 1 §2.3.4). Undefined when it is none of the curve; the point at
 * infinity has another form than both. Points are public: the time may depend on them.
 */
export function uncompress(curve: EcdhCurve, point: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const length = fieldBytes(curve)
  const isFull = point.length === 1 + 2 * length && point[0] === 0x04
  if (!isFull && !isCompressed(curve, point)) return undefined
  const p = BigInt(`0x${CURVES[curve].p}`)
  const x = toInteger(point.subarray(1, 1 + length))
  if (x >= p) return undefined
  const ySquared = (x * x * x + (p - 3n) * x + BigInt(`0x${CURVES[curve].b}`)) % p
  const y = isFull ? toInteger(point.subarray(1 + length)) : squareRoot(ySquared, p, (point[0] ?? 0) & 1)
  // Of a number without a root the square of what was computed is another number.
  if (y >= p || (y * y) % p !== ySquared) return undefined
  const full = new Uint8Array(1 + 2 * length)
  full[0] = 0x04
  full.set(point.subarray(1, 1 + length), 1)
  writeInteger(full.subarray(1 + length), y)
  return full
}

/** The root with this parity, of a number that has one: p is 3 modulo 4 (SP 800-186 appendix E). */
function squareRoot(square: bigint, p: bigint, parity: number): bigint {
  let root = 1n
  let power = square
  for (let exponent = (p + 1n) >> 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) root = (root * power) % p
    power = (power * power) % p
  }
  return (root & 1n) === BigInt(parity) ? root : p - root
}

function toInteger(bytes: Uint8Array): bigint {
  let hex = '0x'
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0')
  return BigInt(hex)
}

function writeInteger(bytes: Uint8Array, value: bigint): void {
  const hex = value.toString(16).padStart(2 * bytes.length, '0')
  for (let i = 0; i < bytes.length; i++) bytes[i] = parseInt(hex.slice(2 * i, 2 * i + 2), 16)
}
