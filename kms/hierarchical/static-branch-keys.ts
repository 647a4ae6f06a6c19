import { assertLength, copyBytes } from '../../bindings/bytes.ts'
import { KmsError } from '../errors.ts'
import { assertName, BRANCH_KEY_BYTES, type BranchKeyStore } from './branch-key-store.ts'
import { isUuid } from './uuid.ts'

export interface StaticBranchKeysOptions {
  /** The logical key store name. Default `static`. */
  readonly name?: string | undefined
  readonly branchKeyId: string
  /** A UUID, lower case. */
  readonly version: string
  /** 32 bytes. Copied; the caller may wipe it. */
  readonly branchKey: Uint8Array
  /** 32 bytes. */
  readonly beaconKey?: Uint8Array | undefined
}

/**
 * A store of one version of one branch key that you hold outright: for tests, and for programs that get it elsewhere.
 *
 * @throws TypeError or RangeError for names, a version or keys that are none
 */
export function staticBranchKeys(options: StaticBranchKeysOptions): BranchKeyStore {
  const { name = 'static', branchKeyId, version, branchKey, beaconKey } = options
  assertName(name, 'name')
  assertName(branchKeyId, 'branchKeyId')
  if (!isUuid(version)) throw new TypeError('version must be a UUID in lower case')
  assertLength(branchKey, 'branchKey', BRANCH_KEY_BYTES)
  if (beaconKey !== undefined) assertLength(beaconKey, 'beaconKey', BRANCH_KEY_BYTES)
  const own = copyBytes(branchKey)
  const ownBeacon = beaconKey && copyBytes(beaconKey)
  const assertAsked = (id: string, askedVersion = version): void => {
    if (id === branchKeyId && askedVersion === version) return
    throw new KmsError('NotFoundException', `branch key ${id}, version ${askedVersion}, is not in this store`)
  }
  const materials = () => ({ branchKeyId, version, branchKey: copyBytes(own), encryptionContext: {} })
  return {
    name,
    getActiveBranchKey: async (call) => {
      assertAsked(call.branchKeyId)
      return materials()
    },
    getBranchKeyVersion: async (call) => {
      assertAsked(call.branchKeyId, call.version)
      return materials()
    },
    getBeaconKey: async (call) => {
      assertAsked(call.branchKeyId)
      if (ownBeacon === undefined) throw new KmsError('NotFoundException', 'there is no beacon key in this store')
      return { branchKeyId, beaconKey: copyBytes(ownBeacon), encryptionContext: {} }
    },
  }
}
