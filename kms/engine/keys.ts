import { aesGcm, hkdf, hmac, timingSafeEqual } from '../../bindings/core.ts'
import { AuthenticationError } from '../../bindings/errors.ts'
import { fromHex, lengthPrefixed } from './bytes.ts'
import { UnsealedSecrets } from './unsealed.ts'

/** Bytes of a root key. */
export const ROOT_KEY_BYTES = 32

const SALT_BYTES = 32
const ZERO_IV = new Uint8Array(12)
const encoder = new TextEncoder()
const SEAL_INFO = encoder.encode('waxseal-kms-seal-v1')
const ROW_INFO = encoder.encode('waxseal-kms-row-v1')

/**
 * What the engine derives from its root key: the sealing of secrets and the authentication of rows.
 *
 * A sealed secret is salt 32 ‖ ciphertext ‖ tag. Its key is HKDF-SHA-512(root key, salt, label), used once, so the IV
 * is zero; what the secret is and whose stands in the additional data, each part with its length.
 */
export class RootKeys {
  readonly #root: Uint8Array
  readonly #rowKey: Uint8Array
  readonly #random: (length: number) => Uint8Array
  readonly #unsealed = new UnsealedSecrets()

  constructor(root: Uint8Array, random: (length: number) => Uint8Array) {
    this.#root = Uint8Array.from(root)
    this.#rowKey = hkdf('sha512', this.#root, { info: ROW_INFO, length: 32 })
    this.#random = random
  }

  seal(secret: Uint8Array, ...description: readonly string[]): Uint8Array<ArrayBuffer> {
    const salt = this.#random(SALT_BYTES)
    const sealed = this.#withSealingKey(salt, (cipher) => cipher.encrypt(ZERO_IV, secret, describe(description)))
    const result = new Uint8Array(SALT_BYTES + sealed.length)
    result.set(salt)
    result.set(sealed, SALT_BYTES)
    return result
  }

  /** @throws AuthenticationError if it was sealed under another root key or as something else */
  unseal(sealed: Uint8Array, ...description: readonly string[]): Uint8Array<ArrayBuffer> {
    if (sealed.length < SALT_BYTES + 16) throw new AuthenticationError()
    return this.#withSealingKey(sealed.subarray(0, SALT_BYTES), (cipher) =>
      cipher.decrypt(ZERO_IV, sealed.subarray(SALT_BYTES), describe(description)),
    )
  }

  /** As `unseal`, of what a row holds in hexadecimal digits; within a second of it, without the work. */
  unsealRow(name: string, sealed: string, ...description: readonly string[]): Uint8Array<ArrayBuffer> {
    const known = this.#unsealed.get(name, sealed, description)
    if (known) return known
    const secret = this.unseal(fromHex(sealed), ...description)
    this.#unsealed.add(name, sealed, description, secret)
    return secret
  }

  /** Wipes what is known of a row that is deleted. */
  forgetRow(name: string): void {
    this.#unsealed.drop(name)
  }

  #withSealingKey<T>(salt: Uint8Array, work: (cipher: ReturnType<typeof aesGcm>) => T): T {
    const key = hkdf('sha512', this.#root, { salt, info: SEAL_INFO, length: 32 })
    const cipher = aesGcm(key)
    key.fill(0)
    try {
      return work(cipher)
    } finally {
      cipher.dispose()
    }
  }

  /** HMAC-SHA-256 over the parts of a row. */
  authenticate(...parts: readonly string[]): Uint8Array<ArrayBuffer> {
    return hmac('sha256', this.#rowKey, lengthPrefixed('waxseal-kms-row-v1', ...parts))
  }

  isAuthentic(mac: Uint8Array, ...parts: readonly string[]): boolean {
    return timingSafeEqual(mac, this.authenticate(...parts))
  }

  wipe(): void {
    this.#root.fill(0)
    this.#rowKey.fill(0)
    this.#unsealed.wipe()
  }
}

function describe(description: readonly string[]): Uint8Array {
  return lengthPrefixed('waxseal-kms-seal-v1', ...description)
}
