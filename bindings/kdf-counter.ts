import { hmac, type HashName } from './hash.ts'

/** Bytes of a counter and of an output length in bits: r = 32. */
const WORD_BYTES = 4

/** What a key derivation in counter mode is bound to. */
export interface KdfCounterInput {
  readonly label: Uint8Array
  readonly context: Uint8Array
  /** Bytes of output. */
  readonly length: number
}

/**
 * KDF in Counter Mode (SP 800-108 §4.1) with HMAC: blocks of HMAC(key, i u32 ‖ label ‖ 00 ‖ context ‖ bits u32), the
 * counter from 1. The caller wipes the result.
 */
export function kdfCounter(hash: HashName, key: Uint8Array, input: KdfCounterInput): Uint8Array<ArrayBuffer> {
  const { label, context, length } = input
  const block = new Uint8Array(WORD_BYTES + label.length + 1 + context.length + WORD_BYTES)
  block.set(label, WORD_BYTES)
  block.set(context, WORD_BYTES + label.length + 1)
  const words = new DataView(block.buffer)
  words.setUint32(block.length - WORD_BYTES, length * 8)
  const output = new Uint8Array(length)
  for (let at = 0, counter = 1; at < length; counter++) {
    words.setUint32(0, counter)
    const mac = hmac(hash, key, block)
    output.set(mac.subarray(0, length - at), at)
    at += mac.length
    mac.fill(0)
  }
  return output
}
