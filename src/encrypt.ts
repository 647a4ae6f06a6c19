import { assertBytes } from '../bindings/bytes.ts'
import { endWith, isThenable, now, whenHere, type MaybePromise } from '../bindings/maybe-promise.ts'
import { concatBytes } from './bytes.ts'
import { encryptionManager } from './encryption-materials.ts'
import {
  messageWriter,
  prepareEncryption,
  type DetachedEncryptOptions,
  type Encryption,
  type EncryptOptions,
  type EncryptSyncOptions,
} from './encryption.ts'
import { assertNotDetached, loadDetachedKeys } from './detached.ts'
import { UnsupportedError } from './errors.ts'
import type { EncryptionMaterials, Keyring, MaterialsManager } from './materials.ts'

/** A message, and beside it the record of its keys. */
export interface DetachedMessage {
  readonly message: Uint8Array<ArrayBuffer>
  /** Nothing opens without it; it is as public as the message. */
  readonly keys: Uint8Array<ArrayBuffer>
}

/**
 * Encrypts bytes to a message whose encrypted data keys stand in a record beside it, which `rewrapKeys` of
 * `waxseal/rewrap` replaces without reading the message. `decrypt` needs the record, as `detachedKeys`.
 *
 * @throws as without; UnsupportedError for a suite that does not commit to its key
 */
export function encrypt(
  source: Keyring | MaterialsManager,
  plaintext: Uint8Array,
  options: DetachedEncryptOptions,
): Promise<DetachedMessage>
/**
 * Encrypts bytes to a message in the AWS Encryption SDK format.
 *
 * The default suite authenticates with the data key alone: whoever can decrypt a message can also forge one. Ask for
 * a signed suite (0x0578) where readers must not be able to write; it costs about two milliseconds a message.
 *
 * @param source a keyring or a materials manager
 * @param plaintext any number of bytes; not to be changed before the promise settles
 * @returns the whole message
 * @throws TypeError or RangeError for arguments that are none, before any work
 * @throws CommitmentPolicyError when the policy forbids the suite
 * @throws LimitError when there are more encrypted data keys than `maxEncryptedDataKeys`
 * @throws UnsupportedError when `engine` is `host` and this runtime's AES is not there, or not for such keys or frames
 * @throws what the keyring throws when it cannot wrap; `signal.reason` once `signal` is aborted
 */
export function encrypt(
  source: Keyring | MaterialsManager,
  plaintext: Uint8Array,
  options?: EncryptOptions,
): Promise<Uint8Array<ArrayBuffer>>
export async function encrypt(
  source: Keyring | MaterialsManager,
  plaintext: Uint8Array,
  options: EncryptOptions | DetachedEncryptOptions = {},
): Promise<Uint8Array<ArrayBuffer> | DetachedMessage> {
  const manager = encryptionManager(source)
  assertBytes(plaintext, 'plaintext')
  const encryption = prepareEncryption(manager, options, plaintext.length, false)
  const { request, random } = encryption
  request.signal?.throwIfAborted()
  try {
    const detached = options.detachedKeys === true ? await loadDetachedKeys(request.suite) : undefined
    const answer = manager.encryptionMaterials(request)
    const materials = isThenable(answer) ? await answer : answer
    try {
      request.signal?.throwIfAborted()
      if (detached !== undefined) {
        const { materials: shown, record } = detached.detach(encryption, materials)
        const message = await write(encryption, shown, plaintext)
        return { message, keys: record(message) }
      }
      const message = write(encryption, materials, plaintext)
      return isThenable(message) ? await message : message
    } finally {
      materials.dispose()
    }
  } finally {
    random.wipe()
  }
}

/**
 * {@link encrypt} without waiting, for keyrings that need no I/O.
 *
 * @throws UnsupportedError when the keyring or manager works asynchronously only, before any work
 */
export function encryptSync(
  source: Keyring | MaterialsManager,
  plaintext: Uint8Array,
  options: EncryptSyncOptions = {},
): Uint8Array<ArrayBuffer> {
  const manager = encryptionManager(source)
  if (manager.encryptionMaterialsSync === undefined) {
    throw new UnsupportedError('encryptSync needs a keyring that works without waiting, this one does not: use encrypt')
  }
  assertBytes(plaintext, 'plaintext')
  const encryption = prepareEncryption(manager, options, plaintext.length, true)
  assertNotDetached(options)
  const { request, random } = encryption
  try {
    const materials = manager.encryptionMaterialsSync(request)
    try {
      return now(write(encryption, materials, plaintext))
    } finally {
      materials.dispose()
    }
  } finally {
    random.wipe()
  }
}

function write(
  encryption: Encryption,
  materials: EncryptionMaterials,
  plaintext: Uint8Array,
): MaybePromise<Uint8Array<ArrayBuffer>> {
  assertBytes(plaintext, 'plaintext')
  if (plaintext.length !== encryption.request.plaintextLength) {
    throw new TypeError('plaintext changed its length before encrypt settled')
  }
  const writer = messageWriter(encryption, materials, plaintext.length, plaintext.length)
  return endWith(
    () =>
      whenHere(writer.seal(plaintext, writer.bytes.subarray(writer.headerLength), true), () => {
        const footer = writer.footer()
        return footer.length === 0 ? writer.bytes : concatBytes(writer.bytes, footer)
      }),
    () => {
      writer.dispose()
    },
  )
}
