import { encodeUtf8 } from '../../bindings/text.ts'

/** The call that asks a store for a branch key. */
export interface BranchKeyCall {
  readonly branchKeyId: string
  readonly signal?: AbortSignal | undefined
}

/** One version of a branch key. The bytes are fresh: whoever asked wipes them. */
export interface BranchKeyMaterials {
  readonly branchKeyId: string
  /** A UUID: 36 characters, lower case. */
  readonly version: string
  /** 32 bytes. */
  readonly branchKey: Uint8Array
  /** The pairs that were bound to the branch key when it was made. */
  readonly encryptionContext: Readonly<Record<string, string>>
}

/** The key that beacons of searchable encryption are derived from. The bytes are fresh. */
export interface BeaconKeyMaterials {
  readonly branchKeyId: string
  /** 32 bytes. */
  readonly beaconKey: Uint8Array
  readonly encryptionContext: Readonly<Record<string, string>>
}

/**
 * What a hierarchical keyring needs of a store of branch keys. A call rejects when the key is not there or its service
 * failed; none answers a key that is not authentic.
 *
 * Source: aws-encryption-sdk-specification, framework/branch-key-store.md.
 */
export interface BranchKeyStore {
  /** The logical key store name: stores with one name hold the same keys. */
  readonly name: string
  /** The version that is encrypted under now. */
  getActiveBranchKey(call: BranchKeyCall): Promise<BranchKeyMaterials>
  getBranchKeyVersion(call: BranchKeyCall & { readonly version: string }): Promise<BranchKeyMaterials>
  getBeaconKey(call: BranchKeyCall): Promise<BeaconKeyMaterials>
}

/** Bytes of a branch key and of a beacon key. */
export const BRANCH_KEY_BYTES = 32

/** Throws TypeError for what is no store. */
export function assertBranchKeyStore(store: unknown): asserts store is BranchKeyStore {
  const { name, getActiveBranchKey, getBranchKeyVersion } = Object(store) as Partial<BranchKeyStore>
  if (typeof getActiveBranchKey !== 'function' || typeof getBranchKeyVersion !== 'function') {
    throw new TypeError('branchKeyStore must be a BranchKeyStore')
  }
  assertName(name, 'the name of branchKeyStore')
}

/** Bytes that a name may have; it must leave room in a header. */
const MAX_NAME_BYTES = 0x7fff

/**
 * Checks a name that goes into the identifiers of the cache, where null bytes part them.
 *
 * @throws TypeError for what is no well-formed string, RangeError for one that is empty, too long or has a null character
 */
export function assertName(value: unknown, what: string): asserts value is string {
  const bytes = encodeUtf8(value, what)
  if (bytes.length === 0 || bytes.length > MAX_NAME_BYTES || bytes.includes(0)) {
    throw new RangeError(`${what} must have 1 to ${String(MAX_NAME_BYTES)} bytes of UTF-8, and no null character`)
  }
}
