import { UnsupportedError } from '../../bindings/errors.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import { FormatError, KeyUnavailableError } from '../../src/index.ts'
import { KmsError } from '../errors.ts'
import { isMultiRegionMatch, parseKeyArn, replicaIn } from '../key-arn.ts'
import type { KmsProvider } from '../provider.ts'
import { BranchKeyWrapping, CONTEXT_PREFIX, HIERARCHY_VERSIONS, type Attributes } from './branch-key-wrapping.ts'
import { memoryBranchKeyItems, type BranchKeyItem, type BranchKeyItems } from './branch-key-items.ts'
import {
  assertName,
  type BeaconKeyMaterials,
  type BranchKeyCall,
  type BranchKeyMaterials,
  type BranchKeyStore,
} from './branch-key-store.ts'
import { isUuid, randomUuid } from './uuid.ts'

export interface KmsBranchKeysOptions {
  /** The logical key store name: bound to every key, and never to be changed. */
  readonly name: string
  readonly items: BranchKeyItems
  readonly provider: KmsProvider
  /** ARN of the key that wraps the branch keys. */
  readonly keyArn?: string | undefined
  /** Instead of `keyArn`: unwraps under the key that each record names, and makes no branch keys. */
  readonly discovery?: true | undefined
  /**
   * Whether the replicas of a multi-Region key stand for each other: `keyArn` for the key that a record names, or with
   * `discovery` the one of the provider's Region, which it must have. Default false.
   */
  readonly multiRegion?: boolean | undefined
  readonly grantTokens?: readonly string[] | undefined
  /** Milliseconds since 1970, for `create-time`. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

export interface CreateBranchKey {
  /** Default a random UUID. */
  readonly branchKeyId?: string | undefined
  /** Pairs that are bound to all versions; needed beside a `branchKeyId` of one's own. */
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined
  /** How its records are protected; 2 gives the KMS the pairs of `encryptionContext` alone. Default 1, as AWS has it. */
  readonly hierarchyVersion?: 1 | 2 | undefined
  readonly signal?: AbortSignal | undefined
}

/** A store that makes branch keys. */
export interface BranchKeyAdministration extends BranchKeyStore {
  /** Makes a branch key with its first version and its beacon key; answers its id. */
  createKey(request?: CreateBranchKey): Promise<string>
  /** Makes a new version and lets it be the active one; answers it. Older versions go on decrypting. */
  versionKey(call: BranchKeyCall): Promise<string>
}

const ACTIVE = 'branch:ACTIVE'
const BEACON = 'beacon:ACTIVE'
const VERSION_PREFIX = 'branch:version:'

/**
 * A branch key store over records and a KMS, in both hierarchy versions: every attribute of a record is authenticated
 * by what the KMS wrapped. A new branch key does not leave the KMS (version 1) if the provider has
 * `generateDataKeyWithoutPlaintext` and `reEncrypt`; the records are the same otherwise.
 *
 * Source: aws-encryption-sdk-specification, framework/branch-key-store.md.
 *
 * @throws TypeError for what is no provider or store of records, or unless there is either `keyArn` or `discovery`;
 *   RangeError for a name that is empty, too long or has a null character
 */
export function kmsBranchKeys(options: KmsBranchKeysOptions): BranchKeyAdministration {
  return new KmsBranchKeyStore(options)
}

/** {@link kmsBranchKeys} in memory: they are gone with the process. */
export function memoryBranchKeys(options: Omit<KmsBranchKeysOptions, 'items'>): BranchKeyAdministration {
  return new KmsBranchKeyStore({ ...options, items: memoryBranchKeyItems() })
}

class KmsBranchKeyStore implements BranchKeyAdministration {
  readonly name: string
  readonly #items: BranchKeyItems
  readonly #wrapping: BranchKeyWrapping
  readonly #keyArn: string | undefined
  readonly #multiRegion: boolean
  readonly #clock: () => number

  constructor(options: KmsBranchKeysOptions) {
    const { name, items, provider, keyArn, discovery, multiRegion = false, grantTokens, clock = Date.now } = options
    assertName(name, 'name')
    assertMethods(provider, 'provider', 'generateDataKey', 'encrypt', 'decrypt')
    assertMethods(items, 'items', 'get', 'put')
    if ((keyArn === undefined) !== (discovery === true)) throw new TypeError('give either keyArn, or discovery: true')
    if (keyArn !== undefined && parseKeyArn(keyArn) === undefined)
      throw new TypeError('keyArn must be the ARN of a key')
    if (discovery && multiRegion && provider.region === undefined) {
      throw new TypeError('discovery with multiRegion needs a provider that has a region')
    }
    this.name = name
    this.#items = items
    this.#keyArn = keyArn
    this.#multiRegion = multiRegion
    const keyIdOf = (kmsArn: string): string =>
      keyArn ?? (multiRegion ? replicaIn(provider.region ?? '', kmsArn) : kmsArn)
    this.#wrapping = new BranchKeyWrapping({ provider, name, grantTokens: grantTokens && [...grantTokens], keyIdOf })
    this.#clock = clock
  }

  async createKey(request: CreateBranchKey = {}): Promise<string> {
    const { branchKeyId, encryptionContext = {}, hierarchyVersion = 1, signal } = request
    const keyArn = this.#ownKeyArn()
    if (!HIERARCHY_VERSIONS.includes(String(hierarchyVersion))) throw new TypeError('hierarchyVersion must be 1 or 2')
    const pairs = snapshotPairs(encryptionContext)
    if (branchKeyId !== undefined) {
      assertName(branchKeyId, 'branchKeyId')
      if (pairs.length === 0) throw new TypeError('a branchKeyId of your own needs an encryptionContext')
    }
    const id = branchKeyId ?? randomUuid()
    const kept = { 'kms-arn': keyArn, 'hierarchy-version': String(hierarchyVersion) }
    const shared = this.#attributes(id, kept, Object.fromEntries(pairs))
    const branchKeys = await this.#newVersion(randomUuid(), shared, signal)
    const beaconKeys = await this.#wrapping.wrapNew({ ...shared, type: BEACON }, signal)
    const puts = [...branchKeys, ...beaconKeys].map((item) => ({ item, replaces: undefined }))
    if (await this.#items.put(puts, signal)) return id
    throw new KmsError('AlreadyExistsException', `branch key ${id} is in key store ${this.name} already`)
  }

  async versionKey({ branchKeyId, signal }: BranchKeyCall): Promise<string> {
    this.#ownKeyArn()
    const old = await this.#item(branchKeyId, ACTIVE, signal)
    // The old record must be authentic, or its context would be carried on.
    await this.#wrapping.authenticate(old, signal)
    const version = randomUuid()
    const shared = this.#attributes(branchKeyId, old.attributes, contextOf(old.attributes, CONTEXT_PREFIX))
    const [item, active] = await this.#newVersion(version, shared, signal)
    const puts = [
      { item: item!, replaces: undefined },
      { item: active!, replaces: old.enc },
    ]
    if (await this.#items.put(puts, signal)) return version
    throw new KmsError('KMSInvalidStateException', `branch key ${branchKeyId} got another version meanwhile: try again`)
  }

  async getActiveBranchKey({ branchKeyId, signal }: BranchKeyCall): Promise<BranchKeyMaterials> {
    return this.#branchKey(await this.#item(branchKeyId, ACTIVE, signal), signal)
  }

  async getBranchKeyVersion(call: BranchKeyCall & { readonly version: string }): Promise<BranchKeyMaterials> {
    const { branchKeyId, version, signal } = call
    if (!isUuid(version)) throw new TypeError('version must be a UUID in lower case')
    return this.#branchKey(await this.#item(branchKeyId, `${VERSION_PREFIX}${version}`, signal), signal)
  }

  async getBeaconKey({ branchKeyId, signal }: BranchKeyCall): Promise<BeaconKeyMaterials> {
    const item = await this.#item(branchKeyId, BEACON, signal)
    const beaconKey = await this.#wrapping.unwrap(item, signal)
    return { branchKeyId, beaconKey, encryptionContext: contextOf(item.attributes, CONTEXT_PREFIX, '') }
  }

  #ownKeyArn(): string {
    if (this.#keyArn !== undefined) return this.#keyArn
    throw new UnsupportedError('a branch key store by discovery makes no keys: give it a keyArn')
  }

  /** What the records of one branch key share, but for their type. */
  #attributes(branchKeyId: string, kept: Attributes, context: Attributes): Attributes {
    const { 'kms-arn': kmsArn = '', 'hierarchy-version': hierarchyVersion = '' } = kept
    return {
      'branch-key-id': branchKeyId,
      'kms-arn': kmsArn,
      // To the microsecond, as others write it.
      'create-time': new Date(this.#clock()).toISOString().replace('Z', '000Z'),
      'hierarchy-version': hierarchyVersion,
      ...context,
    }
  }

  /** The records of a new version: the one that decrypts, and the one that is active until the next. */
  async #newVersion(
    version: string,
    shared: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly BranchKeyItem[]> {
    const type = `${VERSION_PREFIX}${version}`
    return this.#wrapping.wrapNew({ ...shared, type }, signal, { ...shared, type: ACTIVE, version: type })
  }

  async #item(branchKeyId: string, type: string, signal: AbortSignal | undefined): Promise<BranchKeyItem> {
    assertName(branchKeyId, 'branchKeyId')
    const item = await this.#items.get(branchKeyId, type, signal)
    if (item === undefined) {
      throw new KmsError('NotFoundException', `branch key ${branchKeyId} has no ${type} in key store ${this.name}`)
    }
    assertItem(item, branchKeyId, type)
    const { 'kms-arn': keyArn = '' } = item.attributes
    const isMatch = this.#multiRegion ? isMultiRegionMatch : (a: string, b: string): boolean => a === b
    if (parseKeyArn(keyArn) === undefined || (this.#keyArn !== undefined && !isMatch(this.#keyArn, keyArn))) {
      throw new KeyUnavailableError(`branch key ${branchKeyId} is not wrapped under the key of this store`)
    }
    return item
  }

  async #branchKey(item: BranchKeyItem, signal: AbortSignal | undefined): Promise<BranchKeyMaterials> {
    const { attributes } = item
    const { type = '', 'branch-key-id': branchKeyId = '' } = attributes
    const named = type === ACTIVE ? (attributes.version ?? '') : type
    const version = named.slice(VERSION_PREFIX.length)
    if (!named.startsWith(VERSION_PREFIX) || !isUuid(version)) throw malformed(branchKeyId, 'version')
    const branchKey = await this.#wrapping.unwrap(item, signal)
    return { branchKeyId, version, branchKey, encryptionContext: contextOf(attributes, CONTEXT_PREFIX, '') }
  }
}

function assertMethods(value: unknown, name: string, ...methods: readonly string[]): void {
  const object = Object(value) as Readonly<Record<string, unknown>>
  if (methods.some((method) => typeof object[method] !== 'function')) {
    throw new TypeError(`${name} must have the methods ${methods.join(', ')}`)
  }
}

/** Attribute names and values of a caller's pairs. */
function snapshotPairs(context: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(context).map(([key, value]) => {
    encodeUtf8(key, 'a key of encryptionContext')
    encodeUtf8(value, 'each value of encryptionContext')
    return [`${CONTEXT_PREFIX}${key}`, value]
  })
}

/** The attributes that begin with `prefix`, which is replaced if that is asked for. */
function contextOf(
  attributes: Readonly<Record<string, string>>,
  prefix: string,
  replacement: string = prefix,
): Readonly<Record<string, string>> {
  const own = Object.entries(attributes).filter(([name]) => name.startsWith(prefix))
  return Object.fromEntries(own.map(([name, value]) => [replacement + name.slice(prefix.length), value]))
}

function assertItem({ attributes, enc }: BranchKeyItem, branchKeyId: string, type: string): void {
  if (attributes['branch-key-id'] !== branchKeyId) throw malformed(branchKeyId, 'branch-key-id')
  if (attributes.type !== type) throw malformed(branchKeyId, 'type')
  if (!attributes['create-time']) throw malformed(branchKeyId, 'create-time')
  if (!(enc instanceof Uint8Array) || enc.length === 0) throw malformed(branchKeyId, 'enc')
  for (const name of ['enc', 'tablename']) if (Object.hasOwn(attributes, name)) throw malformed(branchKeyId, name)
  const { 'hierarchy-version': hierarchyVersion = '' } = attributes
  if (!HIERARCHY_VERSIONS.includes(hierarchyVersion)) {
    throw new UnsupportedError(`branch key ${branchKeyId} has hierarchy-version ${hierarchyVersion}: 1 and 2 are known`)
  }
}

function malformed(branchKeyId: string, attribute: string): FormatError {
  return new FormatError(`the record of branch key ${branchKeyId} has no ${attribute} as it must be`)
}
