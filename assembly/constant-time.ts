// Comparison and selection whose time does not depend on what is compared.

/** Whether `length` bytes at `a` and `b` are equal; reads all of them. */
export function equalBytes(a: usize, b: usize, length: u32): bool {
  let difference: u32 = 0
  for (let i: u32 = 0; i < length; i++) difference |= load<u8>(a + i) ^ load<u8>(b + i)
  return difference == 0
}

/** All ones if `x` is zero, else zero. */
export function maskIfZero(x: u32): u32 {
  return ((x | (0 - x)) >>> 31) - 1
}
