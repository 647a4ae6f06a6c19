import { concatBytes, copyBytes } from '../../bindings/bytes.ts'
import { sha384, timingSafeEqual } from '../../bindings/hash.ts'
import { canonicalContext } from '../../src/context.ts'
import { AuthenticationError, FormatError, KeyUnavailableError } from '../../src/index.ts'
import type { KmsProvider } from '../provider.ts'
import type { BranchKeyItem } from './branch-key-items.ts'
import { BRANCH_KEY_BYTES } from './branch-key-store.ts'

/** All attributes of a record but `enc`. */
export type Attributes = BranchKeyItem['attributes']

/** How the records of a branch key are protected: by the KMS's context, or by a digest beside the key. */
export type HierarchyVersion = '1' | '2'

export const HIERARCHY_VERSIONS: readonly string[] = ['1', '2'] satisfies readonly HierarchyVersion[]

/** What stands before the names of a caller's pairs. */
export const CONTEXT_PREFIX = 'aws-crypto-ec:'

/** The attributes that are not pairs of the branch key's own. */
const RESTRICTED = new Set([
  'branch-key-id',
  'type',
  'version',
  'create-time',
  'hierarchy-version',
  'kms-arn',
  'tablename',
])

/** SHA-384 over the whole context stands before the key in `enc` of hierarchy version 2. */
const DIGEST_BYTES = 48

export interface WrappingOptions {
  readonly provider: KmsProvider
  /** The logical key store name. */
  readonly name: string
  readonly grantTokens: readonly string[] | undefined
  /** The key that is called for a record's `kms-arn`. */
  readonly keyIdOf: (kmsArn: string) => string
}

/**
 * Wraps and unwraps the keys in the records of a branch key store.
 *
 * Hierarchy version 1 gives the KMS every attribute as encryption context, and the key never leaves the KMS when it is
 * made, if the provider has the calls for that. Hierarchy version 2 gives it the pairs of the branch key alone, and
 * wraps a digest of all attributes with the key.
 * Source: framework/branch-key-store.md#wrapped-branch-key-creation and #aws-kms-branch-key-decryption.
 */
export class BranchKeyWrapping {
  readonly #options: WrappingOptions

  constructor(options: WrappingOptions) {
    this.#options = options
  }

  /** One new key in a record, or in two with different attributes. */
  async wrapNew(
    attributes: Attributes,
    signal: AbortSignal | undefined,
    copy?: Attributes,
  ): Promise<readonly BranchKeyItem[]> {
    if (isDigested(attributes)) return this.#digestNew([attributes, ...(copy ? [copy] : [])], signal)
    const { provider } = this.#options
    const request = { ...this.#request(attributes, signal), numberOfBytes: BRANCH_KEY_BYTES }
    if (!provider.generateDataKeyWithoutPlaintext || !provider.reEncrypt) {
      return this.#wrapInTheClear(attributes, signal, copy)
    }
    const { keyId, ciphertext } = await provider.generateDataKeyWithoutPlaintext(request)
    this.#assertKey(attributes, keyId)
    const item = itemOf(attributes, ciphertext)
    return copy ? [item, itemOf(copy, await this.#reEncrypt(item, copy, signal))] : [item]
  }

  /** The key of a record, which the caller wipes. @throws AuthenticationError or KmsError if the record was changed */
  async unwrap({ attributes, enc }: BranchKeyItem, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const request = { ...this.#request(attributes, signal), ciphertext: enc }
    const { keyId, plaintext } = await this.#options.provider.decrypt(request)
    try {
      this.#assertKey(attributes, keyId)
      const digestBytes = isDigested(attributes) ? DIGEST_BYTES : 0
      assertLength(plaintext, digestBytes + BRANCH_KEY_BYTES)
      const isSame = timingSafeEqual(
        plaintext.subarray(0, digestBytes),
        this.#digest(attributes).subarray(0, digestBytes),
      )
      if (!isSame) throw new AuthenticationError()
      return copyBytes(plaintext.subarray(digestBytes))
    } finally {
      plaintext.fill(0)
    }
  }

  /** Refuses a record that was changed (#authenticating-a-keystore-item). */
  async authenticate(item: BranchKeyItem, signal: AbortSignal | undefined): Promise<void> {
    if (this.#options.provider.reEncrypt && !isDigested(item.attributes)) {
      await this.#reEncrypt(item, item.attributes, signal)
    } else {
      const key = await this.unwrap(item, signal)
      key.fill(0)
    }
  }

  async #reEncrypt(
    { attributes, enc }: BranchKeyItem,
    to: Attributes,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    const destinationEncryptionContext = this.#context(to)
    const request = { ...this.#request(attributes, signal), ciphertext: enc, destinationEncryptionContext }
    const answer = await this.#options.provider.reEncrypt!(request)
    this.#assertKey(attributes, answer.keyId)
    return answer.ciphertext
  }

  /** For a provider without calls that keep a key inside of the KMS; the records are the same. */
  async #wrapInTheClear(
    attributes: Attributes,
    signal: AbortSignal | undefined,
    copy: Attributes | undefined,
  ): Promise<readonly BranchKeyItem[]> {
    const { provider } = this.#options
    const request = { ...this.#request(attributes, signal), numberOfBytes: BRANCH_KEY_BYTES }
    const { keyId, plaintext, ciphertext } = await provider.generateDataKey(request)
    try {
      this.#assertKey(attributes, keyId)
      assertLength(plaintext, BRANCH_KEY_BYTES)
      const item = itemOf(attributes, ciphertext)
      return copy ? [item, await this.#encrypt(copy, plaintext, signal)] : [item]
    } finally {
      plaintext.fill(0)
    }
  }

  async #digestNew(records: readonly Attributes[], signal: AbortSignal | undefined): Promise<readonly BranchKeyItem[]> {
    const [first = {}] = records
    const request = { ...this.#request(first, signal), numberOfBytes: BRANCH_KEY_BYTES }
    const { keyId, plaintext } = await this.#options.provider.generateDataKey(request)
    try {
      this.#assertKey(first, keyId)
      assertLength(plaintext, BRANCH_KEY_BYTES)
      const items: BranchKeyItem[] = []
      for (const attributes of records) {
        const tuple = concatBytes(this.#digest(attributes), plaintext)
        items.push(await this.#encrypt(attributes, tuple, signal).finally(() => tuple.fill(0)))
      }
      return items
    } finally {
      plaintext.fill(0)
    }
  }

  async #encrypt(
    attributes: Attributes,
    plaintext: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<BranchKeyItem> {
    const { keyId, ciphertext } = await this.#options.provider.encrypt({
      ...this.#request(attributes, signal),
      plaintext,
    })
    this.#assertKey(attributes, keyId)
    return itemOf(attributes, ciphertext)
  }

  #request(
    attributes: Attributes,
    signal: AbortSignal | undefined,
  ): Omit<Parameters<KmsProvider['decrypt']>[0], 'ciphertext'> {
    const { grantTokens, keyIdOf } = this.#options
    const encryptionContext = this.#context(attributes)
    return { keyId: keyIdOf(attributes['kms-arn'] ?? ''), encryptionContext, grantTokens, signal }
  }

  /** What the KMS is given as encryption context. */
  #context(attributes: Attributes): Attributes {
    if (!isDigested(attributes)) return Object.freeze({ ...attributes, tablename: this.#options.name })
    const pairs = Object.entries(attributes).filter(([name]) => !RESTRICTED.has(name))
    const named = pairs.map(([name, value]): readonly [string, string] => [
      name.startsWith(CONTEXT_PREFIX) ? name.slice(CONTEXT_PREFIX.length) : name,
      value,
    ])
    if (new Set(named.map(([name]) => name)).size !== named.length) {
      throw new FormatError('the record of a branch key has two attributes for one pair of its context')
    }
    return Object.freeze(Object.fromEntries(named))
  }

  #digest(attributes: Attributes): Uint8Array {
    return sha384(canonicalContext({ ...attributes, tablename: this.#options.name }))
  }

  #assertKey(attributes: Attributes, keyId: string): void {
    if (keyId === this.#options.keyIdOf(attributes['kms-arn'] ?? '')) return
    throw new KeyUnavailableError(`the KMS answered with key ${keyId} for a branch key`)
  }
}

function isDigested(attributes: Attributes): boolean {
  return attributes['hierarchy-version'] === '2'
}

function itemOf(attributes: Attributes, ciphertext: Uint8Array): BranchKeyItem {
  return { attributes, enc: Uint8Array.from(ciphertext) }
}

function assertLength({ length }: Uint8Array, expected: number): void {
  if (length === expected) return
  throw new KeyUnavailableError(`the KMS answered a branch key of ${String(length)} bytes, not ${String(expected)}`)
}
