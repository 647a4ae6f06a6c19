/** What the suite expects of a runtime with `node:crypto`: see test/conformance/runtime.ts. */
export const NATIVE = {
  hasSyncAsymmetric: true,
  hasPkcs1: true,
  hasP521: true,
  hasSyncHost: true,
  hasHostAes192: true,
  hasBuffer: true,
  hasSharedMemory: true,
  hasSqlite: true,
  compilesBytes: true,
}

/** Of one with WebCrypto alone. */
export const WEB = { ...NATIVE, hasSyncAsymmetric: false, hasPkcs1: false, hasSyncHost: false, hasBuffer: false }

/** Of Cloudflare Workers, which compile nothing from bytes. */
export const WORKERS = { ...WEB, compilesBytes: false }
