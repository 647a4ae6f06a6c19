import { UnsupportedError } from '../../bindings/errors.ts'
import { encodeUtf8 } from '../../bindings/text.ts'
import { FormatError, KeyUnavailableError } from '../../src/index.ts'
import { KmsError } from '../errors.ts'
import { parseKeyArn } from '../key-arn.ts'
import type { KmsProvider } from '../provider.ts'
import { memoryBranchKeyItems, type BranchKeyItem, type BranchKeyItems } from './branch-key-items.ts'
import {
  assertName,
  BRANCH_KEY_BYTES,
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
  readonly grantTokens?: readonly string[] | undefined
  /** Milliseconds since 1970, for `create-time`. Default `Date.now`. */
  readonly clock?: (() => number) | undefined
}

export interface CreateBranchKey {
  /** Default a random UUID. */
  readonly branchKeyId?: string | undefined
  /** Pairs that are bound to all versions; needed beside a `branchKeyId` of one's own. */
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined
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
const CONTEXT_PREFIX = 'aws-crypto-ec:'
const HIERARCHY_VERSION = '1'

/**
 * A branch key store over records and a KMS: each branch key is wrapped by the KMS with every other attribute of its
 * record as encryption context.
 *
 * A `KmsProvider` has no calls that keep a key inside of the KMS, so that making a version asks for the key in the clear
 * and encrypts it a second time, where the specification re-encrypts it; the records are the same. Records of
 * `hierarchy-version` 1.
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
  readonly #provider: KmsProvider
  readonly #keyArn: string | undefined
  readonly #grantTokens: readonly string[] | undefined
  readonly #clock: () => number

  constructor(options: KmsBranchKeysOptions) {
    const { name, items, provider, keyArn, discovery, grantTokens, clock = Date.now } = options
    assertName(name, 'name')
    assertMethods(provider, 'provider', 'generateDataKey', 'encrypt', 'decrypt')
    assertMethods(items, 'items', 'get', 'put')
    if ((keyArn === undefined) !== (discovery === true)) throw new TypeError('give either keyArn, or discovery: true')
    if (keyArn !== undefined && parseKeyArn(keyArn) === undefined)
      throw new TypeError('keyArn must be the ARN of a key')
    this.name = name
    this.#items = items
    this.#provider = provider
    this.#keyArn = keyArn
    this.#grantTokens = grantTokens && [...grantTokens]
    this.#clock = clock
  }

  async createKey({ branchKeyId, encryptionContext = {}, signal }: CreateBranchKey = {}): Promise<string> {
    const keyArn = this.#ownKeyArn()
    const pairs = snapshotPairs(encryptionContext)
    if (branchKeyId !== undefined) {
      assertName(branchKeyId, 'branchKeyId')
      if (pairs.length === 0) throw new TypeError('a branchKeyId of your own needs an encryptionContext')
    }
    const id = branchKeyId ?? randomUuid()
    const shared = this.#attributes(id, keyArn, Object.fromEntries(pairs))
    const [version, active] = await this.#newVersion(randomUuid(), shared, signal)
    const beacon = await this.#wrapNew({ ...shared, type: BEACON }, signal)
    beacon.plaintext.fill(0)
    const puts = [version, active, beacon.item].map((item) => ({ item, replaces: undefined }))
    if (await this.#items.put(puts, signal)) return id
    throw new KmsError('AlreadyExistsException', `branch key ${id} is in key store ${this.name} already`)
  }

  async versionKey({ branchKeyId, signal }: BranchKeyCall): Promise<string> {
    this.#ownKeyArn()
    const old = await this.#item(branchKeyId, ACTIVE, signal)
    // The old record must be authentic, or its context would be carried on.
    const key = await this.#unwrap(old, signal)
    key.fill(0)
    const { 'kms-arn': keyArn = '' } = old.attributes
    const version = randomUuid()
    const shared = this.#attributes(branchKeyId, keyArn, contextOf(old.attributes, CONTEXT_PREFIX))
    const [item, active] = await this.#newVersion(version, shared, signal)
    const puts = [
      { item, replaces: undefined },
      { item: active, replaces: old.enc },
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
    const beaconKey = await this.#unwrap(item, signal)
    return { branchKeyId, beaconKey, encryptionContext: contextOf(item.attributes, CONTEXT_PREFIX, '') }
  }

  #ownKeyArn(): string {
    if (this.#keyArn !== undefined) return this.#keyArn
    throw new UnsupportedError('a branch key store by discovery makes no keys: give it a keyArn')
  }

  /** What the records of one branch key share, but for their type. */
  #attributes(
    branchKeyId: string,
    keyArn: string,
    context: Readonly<Record<string, string>>,
  ): Readonly<Record<string, string>> {
    return {
      'branch-key-id': branchKeyId,
      'kms-arn': keyArn,
      // To the microsecond, as others write it.
      'create-time': new Date(this.#clock()).toISOString().replace('Z', '000Z'),
      'hierarchy-version': HIERARCHY_VERSION,
      ...context,
    }
  }

  /** The records of a new version: the one that decrypts, and the one that is active until the next. */
  async #newVersion(
    version: string,
    shared: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<readonly [BranchKeyItem, BranchKeyItem]> {
    const type = `${VERSION_PREFIX}${version}`
    const { item, plaintext } = await this.#wrapNew({ ...shared, type }, signal)
    try {
      const attributes = { ...shared, type: ACTIVE, version: type }
      const request = { ...this.#request(attributes, signal), plaintext }
      const { keyId, ciphertext } = await this.#provider.encrypt(request)
      assertKey(attributes, keyId)
      return [item, { attributes, enc: Uint8Array.from(ciphertext) }]
    } finally {
      plaintext.fill(0)
    }
  }

  async #wrapNew(
    attributes: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly item: BranchKeyItem; readonly plaintext: Uint8Array }> {
    const request = { ...this.#request(attributes, signal), numberOfBytes: BRANCH_KEY_BYTES }
    const { keyId, plaintext, ciphertext } = await this.#provider.generateDataKey(request)
    try {
      assertKey(attributes, keyId)
      assertLength(plaintext)
    } catch (error) {
      plaintext.fill(0)
      throw error
    }
    return { item: { attributes, enc: Uint8Array.from(ciphertext) }, plaintext }
  }

  #request(
    attributes: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Omit<Parameters<KmsProvider['decrypt']>[0], 'ciphertext'> {
    const encryptionContext = Object.freeze({ ...attributes, tablename: this.name })
    return { keyId: attributes['kms-arn'] ?? '', encryptionContext, grantTokens: this.#grantTokens, signal }
  }

  async #item(branchKeyId: string, type: string, signal: AbortSignal | undefined): Promise<BranchKeyItem> {
    assertName(branchKeyId, 'branchKeyId')
    const item = await this.#items.get(branchKeyId, type, signal)
    if (item === undefined) {
      throw new KmsError('NotFoundException', `branch key ${branchKeyId} has no ${type} in key store ${this.name}`)
    }
    assertItem(item, branchKeyId, type)
    const { 'kms-arn': keyArn = '' } = item.attributes
    if (parseKeyArn(keyArn) === undefined || (this.#keyArn !== undefined && keyArn !== this.#keyArn)) {
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
    const branchKey = await this.#unwrap(item, signal)
    return { branchKeyId, version, branchKey, encryptionContext: contextOf(attributes, CONTEXT_PREFIX, '') }
  }

  async #unwrap({ attributes, enc }: BranchKeyItem, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const request = { ...this.#request(attributes, signal), ciphertext: enc }
    const { keyId, plaintext } = await this.#provider.decrypt(request)
    try {
      assertKey(attributes, keyId)
      assertLength(plaintext)
      return Uint8Array.from(plaintext)
    } finally {
      plaintext.fill(0)
    }
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
  if (hierarchyVersion !== HIERARCHY_VERSION) {
    throw new UnsupportedError(`branch key ${branchKeyId} has hierarchy-version ${hierarchyVersion}: 1 is supported`)
  }
}

function malformed(branchKeyId: string, attribute: string): FormatError {
  return new FormatError(`the record of branch key ${branchKeyId} has no ${attribute} as it must be`)
}

function assertKey(attributes: Readonly<Record<string, string>>, keyId: string): void {
  if (keyId !== attributes['kms-arn']) {
    throw new KeyUnavailableError(`the KMS answered with key ${keyId} for a branch key`)
  }
}

function assertLength({ length }: Uint8Array): void {
  if (length === BRANCH_KEY_BYTES) return
  throw new KeyUnavailableError(`the KMS answered a branch key of ${String(length)} bytes, not 32`)
}
