// The eleven algorithm suites of the message format (AWS Encryption SDK specification,
// framework/algorithm-suites.md), as far as the core needs them.

import { Hash, SHA256, SHA384, SHA512 } from '../sha2'

/** Message version of a suite; zero if the id is unknown. */
export function suiteVersion(id: u32): u32 {
  switch (id) {
    case 0x0014:
    case 0x0046:
    case 0x0078:
    case 0x0114:
    case 0x0146:
    case 0x0178:
    case 0x0214:
    case 0x0346:
    case 0x0378:
      return 1
    case 0x0478:
    case 0x0578:
      return 2
    default:
      return 0
  }
}

/** Bytes of the data key and of the encryption key, which the low byte of the id names. */
export function suiteKeyBytes(id: u32): u32 {
  const low = id & 0xff
  return low == 0x14 ? 16 : low == 0x46 ? 24 : 32
}

/** Whether the data key itself encrypts, without HKDF. */
export function suiteIsIdentity(id: u32): bool {
  return id < 0x100
}

/** The hash of HKDF. */
export function suiteHash(id: u32): Hash {
  if (suiteVersion(id) == 2) return SHA512
  return id == 0x0346 || id == 0x0378 ? SHA384 : SHA256
}
