// The constants of SHA-384 and SHA-512 (FIPS 180-4 §4.2.3, §5.3.4, §5.3.5), computed from their definition at first use:
// they are the least compressible part of a module that is sent over networks. SHA-256 has their upper halves.

const PRIMES: u32 = 80

/** The first 64 bits of the fractional parts of the cube roots of the first eighty primes. */
export const K: usize = memory.data(PRIMES * 8, 16)
/** The same of the square roots of the first eight primes, then of the next eight. */
export const SHA512_INITIAL: usize = memory.data(128, 16)
export const SHA384_INITIAL: usize = SHA512_INITIAL + 64

/** Computes the constants unless they are there. Nothing here is secret. */
// @ts-ignore: decorator
@inline
export function ensureConstants(): void {
  if (load<u64>(K) == 0) compute()
}

function compute(): void {
  for (let n: u32 = 0, candidate: u32 = 2; n < PRIMES; candidate++) {
    if (!isPrime(candidate)) continue
    store<u64>(K + (n << 3), cubeRootFraction(candidate))
    if (n < 16) store<u64>(SHA512_INITIAL + (n << 3), squareRootFraction(candidate))
    n++
  }
}

function isPrime(candidate: u32): bool {
  for (let divisor: u32 = 2; divisor * divisor <= candidate; divisor++) if (candidate % divisor == 0) return false
  return true
}

// The root in steps of 2^-28 is exact to half a step, and the rest e of it solves 2·root·e + e² = prime − root², whose
// right side is exact in 64 bits. 53 bits of e begin below the step.
function squareRootFraction(prime: u32): u64 {
  const root = nearest(sqrt<f64>(prime) * <f64>(1 << 28))
  const integer = <u64>root
  const difference = <f64>(<i64>((<u64>prime << 56) - integer * integer))
  let e: f64 = 0
  for (let i = 0; i < 4; i++) e = difference / (2 * root + e)
  return (integer << 36) + <u64>(<i64>floor(e * <f64>(<u64>1 << 36)))
}

// As above in steps of 2^-20, with 3·root²·e + 3·root·e² + e³ = prime − root³; modulo 2^64 on the right side, which is small.
function cubeRootFraction(prime: u32): u64 {
  let approximation: f64 = 4
  for (let i = 0; i < 8; i++) approximation -= (approximation - prime / (approximation * approximation)) / 3
  const root = nearest(approximation * <f64>(1 << 20))
  const integer = <u64>root
  const difference = <f64>(<i64>((<u64>prime << 60) - integer * integer * integer))
  let e: f64 = 0
  for (let i = 0; i < 4; i++) e = difference / (3 * root * (root + e) + e * e)
  return (integer << 44) + <u64>(<i64>floor(e * <f64>(<u64>1 << 44)))
}
