/** What the suite is told about the runtime that it runs in: either side of each flag is asserted, nothing is skipped. */
export interface Runtime {
  /** RSA and ECDSA answer at once, so that `encryptSync` and `decryptSync` can use them. */
  readonly hasSyncAsymmetric: boolean
  /** RSA with PKCS #1 v1.5 padding, both ways. */
  readonly hasPkcs1: boolean
  /** ECDH on P-521; on P-256 and P-384 it is everywhere. */
  readonly hasP521: boolean
  /** The runtime's own AES answers at once, so that `encryptSync` and `decryptSync` can use it. */
  readonly hasSyncHost: boolean
  /** The runtime's own AES takes keys of 192 bits. */
  readonly hasHostAes192: boolean
  /** `Buffer` is a global. */
  readonly hasBuffer: boolean
  /** Shared memory can be made: by `SharedArrayBuffer`, or by a shared `WebAssembly.Memory`. */
  readonly hasSharedMemory: boolean
  /** SQLite is part of it. Without files it does not matter. */
  readonly hasSqlite?: boolean
  /** WebAssembly may be compiled from bytes while the program runs. */
  readonly compilesBytes: boolean
  /** Code may not be compiled from bytes: nothing works, and that is what is asserted. */
  readonly isWasmForbidden?: boolean
}

/** One thing that holds in every runtime. It throws, or rejects, when it does not. */
export interface Case {
  readonly name: string
  readonly run: (runtime: Runtime) => void | Promise<void>
}

/** What a group of cases is called and consists of. */
export function group(name: string, cases: Readonly<Record<string, Case['run']>>): readonly Case[] {
  return Object.entries(cases).map(([what, run]) => ({ name: `${name}: ${what}`, run }))
}
