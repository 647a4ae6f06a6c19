/**
 * A module in AssemblyScript whose `leaky…` functions break each rule of constant time once, and whose `steady…`
 * functions do the same work by the rules. The check must report every one of the first and none of the others.
 * The secrets are the 32 bytes at 1024; a table of 256 bytes stands at 2048.
 */
export const source = `
const SECRET: usize = 1024
const TABLE: usize = 2048

export function leakyLookup(): u32 {
  return load<u8>(TABLE + load<u8>(SECRET))
}

export function steadyLookup(): u32 {
  const wanted: u32 = load<u8>(SECRET)
  let found: u32 = 0
  for (let i: u32 = 0; i < 256; i++) {
    const difference = i ^ wanted
    found |= load<u8>(TABLE + i) & (((difference | (0 - difference)) >>> 31) - 1)
  }
  return found
}

export function leakyEqual(): bool {
  for (let i: usize = 0; i < 16; i++) {
    if (load<u8>(SECRET + i) != load<u8>(SECRET + 16 + i)) return false
  }
  return true
}

export function steadyEqual(): bool {
  let difference: u32 = 0
  for (let i: usize = 0; i < 16; i++) difference |= load<u8>(SECRET + i) ^ load<u8>(SECRET + 16 + i)
  return difference == 0
}

export function leakyVectorEqual(): u32 {
  if (i8x16.all_true(i8x16.eq(v128.load(SECRET), v128.load(SECRET, 16)))) return 7
  store<u8>(TABLE, 1)
  return 9
}

export function steadyVectorLookup(): u32 {
  return <u32>i32x4.extract_lane(i8x16.swizzle(v128.load(TABLE), v128.and(v128.load(SECRET), i8x16.splat(15))), 0)
}

export function leakyDivision(): u32 {
  return load<u32>(SECRET) / load<u32>(TABLE + 4)
}

export function leakyLoop(): u32 {
  let sum: u32 = 0
  for (let i: u32 = load<u8>(SECRET); i > 0; i--) sum += load<u8>(TABLE + i)
  return sum
}
`
