import { assertBytes, assertLength, assertOutput, bytesFrom } from './bytes.ts'
import { AuthenticationError } from './errors.ts'
import { NO, takeBytes, type Core } from './instance.ts'
import { assertFresh, KeyHandle } from './slots.ts'

export const IV_BYTES = 12
export const TAG_BYTES = 16

/** In a one-piece call the IV stands at 0 and the additional data here; text and tag follow. */
const AAD_OFFSET = 16
/** Text of a call in windows; a multiple of 128, and small enough to stay in the second-level cache. */
const WINDOW_BYTES = 0x10000

/** AES in Galois/Counter Mode under one key (SP 800-38D) with 12-byte IVs and 16-byte tags. */
export interface AesGcm {
  /**
   * Encrypts and authenticates. An IV must never be used twice under one key.
   *
   * @param iv 12 bytes
   * @param plaintext up to 2^36 − 32 bytes
   * @param aad additional authenticated data, nothing by default
   * @returns ciphertext ‖ tag, 16 bytes longer than the plaintext
   * @throws RangeError for another length of IV; TypeError for what is no `Uint8Array`; DisposedError
   */
  encrypt(iv: Uint8Array, plaintext: Uint8Array, aad?: Uint8Array): Uint8Array<ArrayBuffer>
  /**
   * Verifies and decrypts what {@link AesGcm.encrypt} answered.
   *
   * @throws AuthenticationError if key, IV, additional data or any byte differ; RangeError if `sealed` has fewer than
   *   16 bytes; otherwise as `encrypt`
   */
  decrypt(iv: Uint8Array, sealed: Uint8Array, aad?: Uint8Array): Uint8Array<ArrayBuffer>
  /**
   * As {@link AesGcm.encrypt}, to the start of `output`, which may begin where the plaintext begins and must not
   * overlap it otherwise. Answers the bytes written.
   */
  encryptInto(iv: Uint8Array, plaintext: Uint8Array, output: Uint8Array, aad?: Uint8Array): number
  /** As {@link AesGcm.decrypt}, to the start of `output`, which stays untouched on failure. Answers the bytes written. */
  decryptInto(iv: Uint8Array, sealed: Uint8Array, output: Uint8Array, aad?: Uint8Array): number
  /** Wipes the key; every later call throws DisposedError. */
  dispose(): void
}

const NOTHING = new Uint8Array(0)

/**
 * Prepares AES-GCM under `key`. The key is copied; dispose of the result when it is no longer needed. It also has
 * `[Symbol.dispose]` where the engine knows that symbol.
 *
 * @param key 16, 24 or 32 bytes
 * @throws RangeError for another length; TypeError for what is no `Uint8Array`
 */
export function aesGcm(key: Uint8Array): AesGcm {
  assertLength(key, 'key', 16, 24, 32)
  const gcm = new GcmKey(key)
  return withSymbolDispose({
    encrypt(iv, plaintext, aad = NOTHING) {
      assertArguments(iv, plaintext, aad, 'plaintext', 0)
      return gcm.seal(iv, plaintext, aad)
    },
    decrypt(iv, sealed, aad = NOTHING) {
      assertArguments(iv, sealed, aad, 'sealed', TAG_BYTES)
      return gcm.open(iv, sealed, aad)
    },
    encryptInto(iv, plaintext, output, aad = NOTHING) {
      assertArguments(iv, plaintext, aad, 'plaintext', 0)
      assertOutput(output, plaintext, plaintext.length + TAG_BYTES)
      return gcm.sealInto(iv, plaintext, output, aad)
    },
    decryptInto(iv, sealed, output, aad = NOTHING) {
      assertArguments(iv, sealed, aad, 'sealed', TAG_BYTES)
      assertOutput(output, sealed, sealed.length - TAG_BYTES)
      return gcm.openInto(iv, sealed, output, aad)
    },
    dispose() {
      gcm.dispose()
    },
  })
}

/** Adds `[Symbol.dispose]` where the engine knows it. */
export function withSymbolDispose<T extends { dispose(): void }>(object: T): T {
  const symbol = (Symbol as { readonly dispose?: symbol }).dispose
  if (symbol !== undefined) {
    Object.defineProperty(object, symbol, {
      value: () => {
        object.dispose()
      },
    })
  }
  return object
}

function assertArguments(iv: Uint8Array, text: Uint8Array, aad: Uint8Array, name: string, minimum: number): void {
  assertBytes(iv, 'iv')
  if (iv.length !== IV_BYTES) throw new RangeError(`iv must be 12 bytes long, not ${String(iv.length)}`)
  assertBytes(text, name)
  if (text.length < minimum) throw new RangeError(`${name} must hold at least the tag of 16 bytes`)
  if (aad !== NOTHING) assertBytes(aad, 'aad')
}

function isOnePiece(to: Core, text: Uint8Array, aad: Uint8Array): boolean {
  return text.length <= WINDOW_BYTES && AAD_OFFSET + aad.length + text.length + TAG_BYTES <= to.ioBytes
}

function fill(to: Core, iv: Uint8Array, text: Uint8Array, aad: Uint8Array): number {
  to.heap.set(iv, to.io)
  if (aad.length > 0) to.heap.set(aad, to.io + AAD_OFFSET)
  const start = to.io + AAD_OFFSET + aad.length
  to.heap.set(text, start)
  return start
}

/**
 * What {@link aesGcm} checks the arguments for. Arguments are trusted here: the envelope's own small arrays are not to
 * pay for a check that makes the engine allocate their buffers.
 */
export class GcmKey {
  readonly #key: KeyHandle

  /** @param key 16, 24 or 32 bytes; copied */
  constructor(key: Uint8Array) {
    const copy = new Uint8Array(key)
    this.#key = new KeyHandle('the AES-GCM key', [copy], (into, slot) => {
      into.heap.set(copy, into.io)
      return into.exports.setKey(slot, copy.length)
    })
  }

  // The ciphertext and the additional data that a call leaves in the arena are no secrets and are not wiped.
  seal(iv: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): Uint8Array<ArrayBuffer> {
    const to = this.#key.acquire()
    const length = plaintext.length + TAG_BYTES
    if (!isOnePiece(to, plaintext, aad)) {
      const sealed = new Uint8Array(length)
      this.#sealWindows(to, iv, plaintext, sealed, aad)
      return sealed
    }
    const start = this.#sealInArena(to, iv, plaintext, aad)
    return to.heap.slice(start, start + length)
  }

  /** Writes to `output` from `at` on. */
  sealInto(iv: Uint8Array, plaintext: Uint8Array, output: Uint8Array, aad: Uint8Array, at = 0): number {
    const to = this.#key.acquire()
    const length = plaintext.length + TAG_BYTES
    if (!isOnePiece(to, plaintext, aad)) {
      this.#sealWindows(to, iv, plaintext, bytesFrom(output, at), aad)
      return length
    }
    const start = this.#sealInArena(to, iv, plaintext, aad)
    output.set(to.heap.subarray(start, start + length), at)
    return length
  }

  open(iv: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Uint8Array<ArrayBuffer> {
    const to = this.#key.acquire()
    const length = sealed.length - TAG_BYTES
    if (!isOnePiece(to, sealed, aad)) {
      const plaintext = new Uint8Array(length)
      this.#openWindows(to, iv, sealed, plaintext, aad)
      return plaintext
    }
    return takeBytes(to, this.#openInArena(to, iv, sealed, aad) - to.io, length)
  }

  openInto(iv: Uint8Array, sealed: Uint8Array, output: Uint8Array, aad: Uint8Array): number {
    const to = this.#key.acquire()
    const length = sealed.length - TAG_BYTES
    if (!isOnePiece(to, sealed, aad)) {
      this.#openWindows(to, iv, sealed, output, aad)
      return length
    }
    const start = this.#openInArena(to, iv, sealed, aad)
    try {
      output.set(to.heap.subarray(start, start + length))
    } finally {
      to.exports.wipeArena(start - to.io, length)
    }
    return length
  }

  /** Answers where ciphertext and tag stand. */
  #sealInArena(to: Core, iv: Uint8Array, plaintext: Uint8Array, aad: Uint8Array): number {
    const start = fill(to, iv, plaintext, aad)
    assertFresh(to.exports.gcmSeal(this.#key.slot, this.#key.generation, aad.length, plaintext.length))
    return start
  }

  /** Answers where the plaintext stands, which the caller wipes. */
  #openInArena(to: Core, iv: Uint8Array, sealed: Uint8Array, aad: Uint8Array): number {
    const start = fill(to, iv, sealed, aad)
    const length = sealed.length - TAG_BYTES
    const status = to.exports.gcmOpen(this.#key.slot, this.#key.generation, aad.length, length)
    assertFresh(status)
    if (status === NO) throw new AuthenticationError()
    return start
  }

  #begin(to: Core, iv: Uint8Array, aad: Uint8Array): void {
    to.heap.set(iv, to.io)
    assertFresh(to.exports.gcmBegin(this.#key.slot, this.#key.generation))
    feedAad(to, aad)
  }

  #sealWindows(to: Core, iv: Uint8Array, plaintext: Uint8Array, output: Uint8Array, aad: Uint8Array): void {
    this.#begin(to, iv, aad)
    encryptWindows(to, plaintext, output)
  }

  #openWindows(to: Core, iv: Uint8Array, sealed: Uint8Array, output: Uint8Array, aad: Uint8Array): void {
    this.#begin(to, iv, aad)
    if (!decryptWindows(to, sealed, output)) throw new AuthenticationError()
  }

  /** Wipes the key; harmless when repeated. */
  dispose(): void {
    this.#key.dispose()
  }
}

/** Feeds additional data of any length to the message that was begun. */
export function feedAad(to: Core, aad: Uint8Array): void {
  if (aad.length <= WINDOW_BYTES) {
    to.heap.set(aad, to.io)
    assertFresh(to.exports.gcmAad(aad.length))
    return
  }
  for (let at = 0; at < aad.length; at += WINDOW_BYTES) {
    const window = aad.subarray(at, at + WINDOW_BYTES)
    to.heap.set(window, to.io)
    assertFresh(to.exports.gcmAad(window.length))
  }
}

/** Encrypts the text of the message that was begun, window by window, and writes the tag behind it. */
export function encryptWindows(to: Core, plaintext: Uint8Array, output: Uint8Array): void {
  let at = 0
  for (; plaintext.length - at > WINDOW_BYTES; at += WINDOW_BYTES) {
    to.heap.set(plaintext.subarray(at, at + WINDOW_BYTES), to.io)
    assertFresh(to.exports.gcmEncrypt(WINDOW_BYTES, 0))
    output.set(to.heap.subarray(to.io, to.io + WINDOW_BYTES), at)
  }
  const rest = plaintext.subarray(at)
  to.heap.set(rest, to.io)
  assertFresh(to.exports.gcmEncrypt(rest.length, 1))
  output.set(to.heap.subarray(to.io, to.io + rest.length + TAG_BYTES), at)
}

/**
 * Opens the text ‖ tag of the message that was begun: authenticates all of it before the first byte is decrypted.
 * False, and `output` untouched, if the tag is not its tag.
 */
export function decryptWindows(to: Core, sealed: Uint8Array, output: Uint8Array): boolean {
  const length = sealed.length - TAG_BYTES
  let at = 0
  for (; length - at > WINDOW_BYTES; at += WINDOW_BYTES) {
    to.heap.set(sealed.subarray(at, at + WINDOW_BYTES), to.io)
    assertFresh(to.exports.gcmAuthenticate(WINDOW_BYTES, 0))
  }
  to.heap.set(sealed.subarray(at), to.io)
  const status = to.exports.gcmAuthenticate(length - at, 1)
  assertFresh(status)
  if (status === NO) return false
  for (at = 0; at === 0 || at < length; at += WINDOW_BYTES) {
    const window = sealed.subarray(at, Math.min(at + WINDOW_BYTES, length))
    to.heap.set(window, to.io)
    assertFresh(to.exports.gcmDecrypt(window.length, at + WINDOW_BYTES >= length ? 1 : 0))
    output.set(to.heap.subarray(to.io, to.io + window.length), at)
  }
  to.exports.wipeArena(0, Math.min(length, WINDOW_BYTES))
  return true
}
