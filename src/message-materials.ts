import { ecdsa } from '#asymmetric'
import type { Ecdsa } from '../bindings/asymmetric.ts'
import { canonicalContext, type EncryptionContext } from './context.ts'
import { DisposedError, UnsupportedError } from './errors.ts'
import type { Keyring, MaterialsManager } from './materials.ts'
import { wrongDataKeyLength } from './materials.ts'
import type { AlgorithmSuite } from './suites.ts'

/** Keyrings answer small fresh arrays, of which a look at `buffer` would cost more than the rest of the work. */
export function assertArray(value: unknown, name: string): void {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${name} must be a Uint8Array`)
}

/** What both kinds of materials hold: a data key that is wiped at the end, and the context in canonical form. */
export class Materials {
  readonly suite: AlgorithmSuite
  readonly encryptionContext: EncryptionContext
  readonly signal: AbortSignal | undefined
  #serializedContext: Uint8Array | undefined
  #dataKey: Uint8Array | undefined
  #isDisposed = false

  constructor(suite: AlgorithmSuite, encryptionContext: EncryptionContext, signal: AbortSignal | undefined) {
    this.suite = suite
    this.encryptionContext = encryptionContext
    this.signal = signal
  }

  get serializedContext(): Uint8Array {
    return (this.#serializedContext ??= canonicalContext(this.encryptionContext))
  }

  get dataKey(): Uint8Array | undefined {
    return this.#dataKey
  }

  setDataKey(dataKey: Uint8Array): void {
    assertArray(dataKey, 'dataKey')
    if (this.#isDisposed) {
      dataKey.fill(0)
      throw new DisposedError('the materials of this message')
    }
    if (this.#dataKey !== undefined) throw new TypeError('these materials have a data key already')
    if (dataKey.length !== this.suite.keyBytes)
      throw new RangeError(wrongDataKeyLength(this.suite, dataKey.length).message)
    this.#dataKey = dataKey
  }

  dispose(): void {
    this.#isDisposed = true
    this.#dataKey?.fill(0)
    this.#dataKey = undefined
  }
}

/** What signed suites need, where it is to be had without waiting. */
export function ecdsaNow(): Ecdsa {
  const now = ecdsa()
  if (now instanceof Promise) throw new UnsupportedError('signed suites are asynchronous on this runtime')
  return now
}

/** Throws TypeError for what is neither a keyring nor a manager; answers the keyring, or undefined for a manager. */
export function keyringOf(source: Keyring | MaterialsManager): Keyring | undefined {
  if (typeof source !== 'object' || (source as unknown) === null) {
    throw new TypeError('the first argument must be a keyring')
  }
  if ('encryptionMaterials' in source) return undefined
  if (typeof source.wrap !== 'function' || typeof source.unwrap !== 'function') {
    throw new TypeError('a keyring has the methods wrap and unwrap')
  }
  return source
}
