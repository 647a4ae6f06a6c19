import { assertEngineNow } from '../bindings/host-message.ts'
import { snapshotKeys } from './context.ts'
import type { MaterialsManager } from './materials.ts'

const MAX_FRAME_LENGTH = 0xffffffff
const MAX_FRAMES = 0xffffffff
const MAX_ENCRYPTED_DATA_KEYS = 0xffff

/** What one message key may be used for, whatever the format could count. */
export const MAX_MESSAGE_BYTES: number = 2 ** 50

/** The required keys of the options and those of the manager. Throws TypeError for what is no array of strings. */
export function requiredContextKeys(
  manager: Pick<MaterialsManager, 'requiredEncryptionContextKeys'>,
  keys: unknown,
): readonly string[] {
  const asked = snapshotKeys(keys, 'requiredEncryptionContextKeys')
  const own = manager.requiredEncryptionContextKeys
  return own === undefined ? asked : snapshotKeys([...own, ...asked], 'requiredEncryptionContextKeys')
}

/** Throws TypeError for what is no options object. */
export function assertOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null) throw new TypeError('options must be an object')
}

/** Throws TypeError for what is no AbortSignal. */
export function assertSignal(signal: AbortSignal | undefined): void {
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.throwIfAborted !== 'function') {
    throw new TypeError('signal must be an AbortSignal')
  }
}

/**
 * Throws TypeError for what is no engine, and UnsupportedError for the runtime's own AES where the answer is wanted at
 * once and it cannot give it.
 */
export function assertEngine(engine: unknown, isSynchronous: boolean): void {
  if (engine !== 'auto' && engine !== 'wasm' && engine !== 'host') {
    throw new TypeError("engine must be 'auto', 'wasm' or 'host'")
  }
  if (isSynchronous) assertEngineNow(engine)
}

/** Throws RangeError unless `frameLength` is 1 to 2^32−1. */
export function assertFrameLength(frameLength: number): void {
  if (Number.isInteger(frameLength) && frameLength >= 1 && frameLength <= MAX_FRAME_LENGTH) return
  throw new RangeError(`frameLength must be an integer from 1 to ${String(MAX_FRAME_LENGTH)}`)
}

/** Throws RangeError when a plaintext takes more than 2^32−1 frames (data-format/message-body.md). */
export function assertFrameCount(plaintextLength: number, frameLength: number): void {
  if (Math.ceil(plaintextLength / frameLength) <= MAX_FRAMES) return
  throw new RangeError(`the plaintext takes more than ${String(MAX_FRAMES)} frames: raise frameLength`)
}

/** Throws RangeError unless `length` is a number of bytes that a message may hold. */
export function assertPlaintextLength(length: number): void {
  if (Number.isInteger(length) && length >= 0 && length <= MAX_MESSAGE_BYTES) return
  throw new RangeError('plaintextLength must be an integer from 0 to 2^50')
}

/** Throws RangeError unless `length` is 1 to 2^50. */
export function assertMaxFrameLength(length: number): void {
  if (Number.isInteger(length) && length >= 1 && length <= MAX_MESSAGE_BYTES) return
  throw new RangeError('maxFrameLength must be an integer from 1 to 2^50')
}

/** Throws TypeError for what does not say whether plaintext may leave before its signature is verified. */
export function assertSignedStreams(signedStreams: unknown): void {
  if (signedStreams === 'allow' || signedStreams === 'refuse') return
  throw new TypeError("signedStreams must be 'allow' or 'refuse'")
}

/** Throws RangeError unless `limit` is 1 to 65,535, the most that the format holds. */
export function assertEncryptedDataKeyLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_ENCRYPTED_DATA_KEYS) return
  throw new RangeError(`maxEncryptedDataKeys must be an integer from 1 to ${String(MAX_ENCRYPTED_DATA_KEYS)}`)
}
