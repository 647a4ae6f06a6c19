import { copyBytes } from '../../bindings/bytes.ts'

/**
 * A record of a branch key store: every attribute but `enc` is authenticated by the KMS when `enc` is decrypted.
 *
 * The attributes are `branch-key-id`, `type` (`branch:ACTIVE`, `branch:version:…` or `beacon:ACTIVE`), `version` of the
 * active record, `kms-arn`, `create-time`, `hierarchy-version` and one `aws-crypto-ec:…` for each pair of the branch
 * key's own context; numbers as they are written in decimal.
 * Source: framework/branch-key-store.md#record-format.
 */
export interface BranchKeyItem {
  readonly attributes: Readonly<Record<string, string>>
  /** The wrapped key. */
  readonly enc: Uint8Array
}

/** A record to write. */
export interface BranchKeyPut {
  readonly item: BranchKeyItem
  /** `enc` of the record that it replaces; undefined when there must be none of its branch key id and type. */
  readonly replaces: Uint8Array | undefined
}

/** Where the records are kept: primary key `branch-key-id`, then `type`. Tables of DynamoDB have this shape. */
export interface BranchKeyItems {
  get(branchKeyId: string, type: string, signal?: AbortSignal): Promise<BranchKeyItem | undefined>
  /** Writes all or nothing: answers false, and writes nothing, when what one replaces is not what is there. */
  put(puts: readonly BranchKeyPut[], signal?: AbortSignal): Promise<boolean>
}

/** Records in memory. */
export function memoryBranchKeyItems(): BranchKeyItems {
  const items = new Map<string, BranchKeyItem>()
  const keyOf = (branchKeyId: string | undefined, type: string | undefined): string =>
    JSON.stringify([branchKeyId, type])
  const keyOfItem = ({ attributes }: BranchKeyItem): string => keyOf(attributes['branch-key-id'], attributes.type)
  return {
    get: async (branchKeyId, type) => {
      const item = items.get(keyOf(branchKeyId, type))
      return item && copyItem(item)
    },
    put: async (puts) => {
      const hold = puts.every(({ item, replaces }) => isSame(items.get(keyOfItem(item))?.enc, replaces))
      if (hold) for (const { item } of puts) items.set(keyOfItem(item), copyItem(item))
      return hold
    },
  }
}

function copyItem({ attributes, enc }: BranchKeyItem): BranchKeyItem {
  return { attributes: { ...attributes }, enc: copyBytes(enc) }
}

function isSame(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
