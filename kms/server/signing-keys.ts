import { sha256, timingSafeEqual } from '../../bindings/hash.ts'
import { signingKey, type CredentialScope } from '../sigv4.ts'

interface Entry {
  readonly secretDigest: Uint8Array
  readonly key: Uint8Array
}

/**
 * Signing keys by access key and scope, the least recently used of which make room. A key is used only while the access
 * key has the secret that it was derived from.
 */
export class SigningKeys {
  readonly #capacity: number
  /** In the order of use. */
  readonly #entries = new Map<string, Entry>()

  constructor(capacity = 256) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.size
  }

  /** The answer is the cache's own: it is used at once, not kept. */
  of(accessKeyId: string, secretAccessKey: Uint8Array, scope: CredentialScope): Uint8Array {
    const name = `${accessKeyId}/${scope.date}/${scope.region}/${scope.service}`
    const secretDigest = sha256(secretAccessKey)
    const known = this.#entries.get(name)
    if (known && timingSafeEqual(known.secretDigest, secretDigest)) {
      this.#entries.delete(name)
      this.#entries.set(name, known)
      return known.key
    }
    this.#forget(name)
    const key = signingKey(secretAccessKey, scope)
    this.#entries.set(name, { secretDigest, key })
    if (this.#entries.size > this.#capacity) for (const [oldest] of this.#entries) return this.#evict(oldest, key)
    return key
  }

  #evict(oldest: string, key: Uint8Array): Uint8Array {
    this.#forget(oldest)
    return key
  }

  /** Wipes everything. */
  clear(): void {
    for (const name of [...this.#entries.keys()]) this.#forget(name)
  }

  #forget(name: string): void {
    this.#entries.get(name)?.key.fill(0)
    this.#entries.delete(name)
  }
}
