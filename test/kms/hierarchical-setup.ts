import {
  branchKeyCache,
  hierarchicalKeyring,
  type BranchKeyMaterials,
  type BranchKeyStore,
  type HierarchicalKeyring,
  type HierarchicalKeyringOptions,
} from '../../kms/hierarchical/index.ts'
import type { EncryptionContext } from '../../src/index.ts'

export const VERSION = '83eec007-5659-4554-bf11-699b90f41ac6'
export const BRANCH_KEY: Uint8Array = Uint8Array.from({ length: 32 }, (_, i) => i)

/** The branch key of a message that says whose it is. */
export function tenantOf({ tenant = '' }: EncryptionContext): string {
  return tenant
}

/** Of one version; notes what it hands out. */
export class NotingStore implements BranchKeyStore {
  readonly name = 'noting'
  readonly calls: string[] = []
  readonly handedOut: Uint8Array[] = []
  readonly signals: (AbortSignal | undefined)[] = []
  wait: Promise<void> = Promise.resolve()
  answer: Partial<BranchKeyMaterials> = {}

  getActiveBranchKey({
    branchKeyId,
    signal,
  }: {
    branchKeyId: string
    signal?: AbortSignal | undefined
  }): Promise<BranchKeyMaterials> {
    return this.#get(`active ${branchKeyId}`, branchKeyId, signal)
  }

  getBranchKeyVersion({ branchKeyId, version }: { branchKeyId: string; version: string }): Promise<BranchKeyMaterials> {
    return this.#get(`version ${branchKeyId}`, branchKeyId, undefined, version)
  }

  getBeaconKey(): Promise<never> {
    return Promise.reject(new RangeError('no beacons here'))
  }

  async #get(call: string, branchKeyId: string, signal: AbortSignal | undefined, version = VERSION) {
    this.calls.push(call)
    this.signals.push(signal)
    await this.wait
    if (branchKeyId === 'broken') throw new RangeError('out of service')
    const branchKey = BRANCH_KEY.slice()
    this.handedOut.push(branchKey)
    return { branchKeyId, version, branchKey, encryptionContext: {}, ...this.answer }
  }
}

/** A store, and keyrings over it whose caches have a clock that the test sets. */
export interface Hierarchy {
  /** What the clock shows, in milliseconds. */
  now: number
  readonly clock: () => number
  readonly store: NotingStore
  readonly keyringOf: (options?: Partial<HierarchicalKeyringOptions>) => HierarchicalKeyring
}

export function newHierarchy(): Hierarchy {
  const store = new NotingStore()
  const clock = (): number => hierarchy.now
  const hierarchy: Hierarchy = {
    now: 1_000_000,
    clock,
    store,
    keyringOf: (options = {}) => {
      const names = 'branchKeyIdSupplier' in options ? {} : { branchKeyId: 'b1' }
      const cache = branchKeyCache({ clock })
      return hierarchicalKeyring({ branchKeyStore: store, ttl: 60, cache, ...names, ...options })
    },
  }
  return hierarchy
}
