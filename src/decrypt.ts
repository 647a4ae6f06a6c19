import { assertNotDetached, readingManager } from './detached.ts'
import { assertBytes } from '../bindings/bytes.ts'
import { FINAL_OVERHEAD, isFinalFrame, REGULAR_OVERHEAD, SINGLE_BLOCK_OVERHEAD } from '../bindings/frames.ts'
import { endWith, isThenable, now, whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { decryptionManager, type DecryptionManager } from './decryption-materials.ts'
import {
  decryptionCall,
  decryptionOf,
  type Decryption,
  type DecryptOptions,
  type DecryptSyncOptions,
} from './decryption.ts'
import { FormatError, UnsupportedError } from './errors.ts'
import type { DecryptionMaterials, Keyring, MaterialsManager } from './materials.ts'
import { describeHeader, readWholeHeader, type DecodedHeader, type MessageHeader } from './message-header.ts'
import { MessageReader } from './message-reader.ts'

export interface DecryptResult {
  readonly plaintext: Uint8Array<ArrayBuffer>
  /** The header, authenticated. */
  readonly header: MessageHeader
}

/**
 * Decrypts a message in the AWS Encryption SDK format, versions 1 and 2, framed and non-framed. Nothing is returned
 * before all of it is verified: key commitment, header, every frame, and the signature if there is one.
 *
 * @param source a keyring or a materials manager
 * @param message the whole message; not to be changed before the promise settles
 * @throws TypeError or RangeError for arguments that are none, before any work
 * @throws FormatError when the bytes are no message, are cut off, or bytes follow it
 * @throws CommitmentPolicyError when the policy forbids the message's suite
 * @throws LimitError when it has more encrypted data keys than `maxEncryptedDataKeys`
 * @throws KeyUnavailableError when no keyring has a key for it; its `errors` hold each keyring's reason
 * @throws AuthenticationError when anything in it, or the key, is not what was sealed
 * @throws UnsupportedError when `engine` is `host` and this runtime's AES is not there, or not for such keys or frames
 * @throws EncryptionContextError when it is authentic and lacks a pair of `encryptionContext`
 * @throws `signal.reason` once `signal` is aborted
 */
export async function decrypt(
  source: Keyring | MaterialsManager,
  message: Uint8Array,
  options: DecryptOptions = {},
): Promise<DecryptResult> {
  const manager = readingManager(source, options)
  const decryption = prepare(manager, message, options, false)
  const { request } = decryption
  request.signal?.throwIfAborted()
  const answer = manager.decryptionMaterials(request)
  const materials = isThenable(answer) ? await answer : answer
  try {
    request.signal?.throwIfAborted()
    const result = read(decryption, materials, message)
    return isThenable(result) ? await result : result
  } finally {
    materials.dispose()
  }
}

/**
 * {@link decrypt} without waiting, for keyrings that need no I/O.
 *
 * @throws UnsupportedError when the keyring or manager works asynchronously only, before any work
 */
export function decryptSync(
  source: Keyring | MaterialsManager,
  message: Uint8Array,
  options: DecryptSyncOptions = {},
): DecryptResult {
  const manager = decryptionManager(source)
  if (manager.decryptionMaterialsSync === undefined) {
    throw new UnsupportedError('decryptSync needs a keyring that works without waiting, this one does not: use decrypt')
  }
  const decryption = prepare(manager, message, options, true)
  assertNotDetached(options)
  const materials = manager.decryptionMaterialsSync(decryption.request)
  try {
    return now(read(decryption, materials, message))
  } finally {
    materials.dispose()
  }
}

function prepare(
  manager: DecryptionManager,
  message: Uint8Array,
  options: DecryptOptions,
  isSynchronous: boolean,
): Decryption {
  assertBytes(message, 'message')
  const call = decryptionCall(manager, options, isSynchronous)
  return decryptionOf(readWholeHeader(message, call.maxEncryptedDataKeys), call)
}

function read(
  decryption: Decryption,
  materials: DecryptionMaterials,
  message: Uint8Array,
): MaybePromise<DecryptResult> {
  const { header, expected, call } = decryption
  assertBytes(message, 'message')
  const body = message.subarray(header.parsed.byteLength)
  const { engine, isSynchronous } = call
  const choice = { engine, isSynchronous, frameLength: header.parsed.frameLength, length: body.length }
  const reader = new MessageReader(header, expected, materials, choice)
  return endWith(
    () => whenHere(readBody(reader, header, body), (plaintext) => ({ plaintext, header: describeHeader(header) })),
    () => {
      reader.dispose()
    },
  )
}

function readBody(
  reader: MessageReader,
  { parsed }: DecodedHeader,
  body: Uint8Array,
): MaybePromise<Uint8Array<ArrayBuffer>> {
  const output = new Uint8Array(plaintextBound(body, parsed.frameLength))
  let isComplete = false
  return endWith(
    () =>
      whenHere(reader.open(body, output), ({ read, written, isFinal }) => {
        if (!isFinal) throw new FormatError('the message ends inside its body')
        reader.verifyFooter(body.subarray(read))
        isComplete = written === output.length
        return isComplete ? output : output.slice(0, written)
      }),
    () => {
      if (!isComplete) output.fill(0)
    },
  )
}

/**
 * Room for the plaintext of a body (and footer): the exact length for an unsigned message whose final frame stands
 * where the lengths say, else an upper bound.
 */
function plaintextBound(body: Uint8Array, frameLength: number): number {
  if (frameLength === 0) return Math.max(body.length - SINGLE_BLOCK_OVERHEAD, 0)
  const rest = body.length - FINAL_OVERHEAD
  const frames = Math.floor(rest / (frameLength + REGULAR_OVERHEAD))
  const finalFrame = frames * (frameLength + REGULAR_OVERHEAD)
  const isExact = rest >= 0 && rest - finalFrame <= frameLength && isFinalFrame(body, finalFrame)
  return isExact ? frames * frameLength + (rest - finalFrame) : body.length
}
