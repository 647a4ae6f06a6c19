import { compileCore } from '#wasm'
import { WaxsealError } from './errors.ts'

/** Answers of the calls that take a key. */
export const NO = 0
export const STALE = -1

type Bool = boolean | number

/** The exports of `assembly/index.ts`, whose comments say what each does. */
export interface CoreExports {
  readonly memory: WebAssembly.Memory
  readonly ioAddress: WebAssembly.Global
  readonly ioBytes: WebAssembly.Global
  readonly outAddress: WebAssembly.Global
  readonly frameResultAddress: WebAssembly.Global
  readonly headerResultAddress: WebAssembly.Global
  readonly slotCount: WebAssembly.Global
  wipeArena(offset: number, length: number): void
  setKey(slot: number, keyBytes: number): number
  releaseKey(slot: number, generation: number): void
  setMessageKey(slot: number, suiteId: number): number
  exportMessageKey(suiteId: number): number
  readCommitment(slot: number, generation: number): number
  matchesCommitment(slot: number, generation: number): number
  gcmSeal(slot: number, generation: number, aadBytes: number, textBytes: number): number
  gcmOpen(slot: number, generation: number, aadBytes: number, textBytes: number): number
  gcmBegin(slot: number, generation: number): number
  gcmBeginFrame(
    slot: number,
    generation: number,
    kind: number,
    sequenceNumber: number,
    lengthHigh: number,
    lengthLow: number,
  ): number
  gcmAad(length: number): number
  gcmEncrypt(length: number, isLast: Bool): number
  gcmAuthenticate(length: number, isLast: Bool): number
  gcmDecrypt(length: number, isLast: Bool): number
  sealFrames(
    slot: number,
    generation: number,
    length: number,
    frameLength: number,
    sequenceNumber: number,
    isFinal: Bool,
  ): number
  openFrames(slot: number, generation: number, length: number, frameLength: number, sequenceNumber: number): number
  readFrameHead(length: number, frameLength: number, sequenceNumber: number): number
  writeFrameHead(kind: number, sequenceNumber: number, length: number): number
  putStart(suiteId: number): void
  putCount(count: number): void
  putField(length: number): void
  putEnd(suiteId: number, frameLength: number): void
  writerTake(): number
  scanBegin(maxKeys: number): void
  scanHeader(length: number): number
  shaBegin(hash: number): void
  shaUpdate(hash: number, length: number): void
  shaSuspend(): void
  shaResume(): void
  shaEnd(hash: number, length: number): void
  hmacBegin(hash: number, keyBytes: number): void
  hmacEnd(hash: number, length: number): void
  hkdf(hash: number, saltBytes: number, ikmBytes: number, infoBytes: number, length: number): void
  equal(length: number): Bool
  wrapKey(keyBytes: number, length: number): void
  unwrapKey(keyBytes: number, length: number): Bool
  wrapKeyPadded(keyBytes: number, length: number): number
  unwrapKeyPadded(keyBytes: number, length: number): number
  unpadPkcs1Key(encodedBytes: number, length: number): void
}

/** The instantiated core: its exports, its memory, and where the arena is. */
export interface Core {
  readonly exports: CoreExports
  /** All linear memory; it never grows, so the view stays good. */
  readonly heap: Uint8Array<ArrayBuffer>
  /** Address and bytes of the arena, and the address of its second half. */
  readonly io: number
  readonly ioBytes: number
  readonly out: number
  readonly slotCount: number
  /** Where frame calls answer, u32 words; and the header scanner, f64 words. The next call overwrites them. */
  readonly frameResult: Uint32Array
  readonly headerResult: Float64Array
}

const FRAME_RESULT_WORDS = 6
const HEADER_RESULT_WORDS = 11

let instance: Core | undefined

/**
 * Answers the core, compiled and instantiated at the first call. It is synchronous on the main thread of current
 * browsers too, so nothing needs an `init()`.
 *
 * @throws WaxsealError `ERR_WAXSEAL_WASM` where WebAssembly may not be compiled
 */
export function core(): Core {
  instance ??= instantiate()
  return instance
}

function instantiate(): Core {
  let exports: CoreExports
  try {
    exports = new WebAssembly.Instance(compileCore()).exports as unknown as CoreExports
  } catch (cause) {
    throw new WaxsealError(
      'ERR_WAXSEAL_WASM',
      "the WebAssembly core did not compile: a page with a Content-Security-Policy needs 'wasm-unsafe-eval' in " +
        'script-src, and the runtime needs WebAssembly SIMD',
      { cause },
    )
  }
  const { buffer } = exports.memory
  return {
    exports,
    frameResult: new Uint32Array(buffer, Number(exports.frameResultAddress.value), FRAME_RESULT_WORDS),
    headerResult: new Float64Array(buffer, Number(exports.headerResultAddress.value), HEADER_RESULT_WORDS),
    heap: new Uint8Array(buffer),
    io: Number(exports.ioAddress.value),
    ioBytes: Number(exports.ioBytes.value),
    out: Number(exports.outAddress.value),
    slotCount: Number(exports.slotCount.value),
  }
}

/** Copies `length` bytes of the arena to fresh memory and wipes them there. */
export function takeBytes(from: Core, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const start = from.io + offset
  try {
    return from.heap.slice(start, start + length)
  } finally {
    from.exports.wipeArena(offset, length)
  }
}
