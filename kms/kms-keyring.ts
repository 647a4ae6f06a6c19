import { FormatError, KeyUnavailableError } from '../bindings/errors.ts'
import {
  unwrapFailure,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
} from '../src/index.ts'
import { isAnswerFor, isMultiRegionMatch, parseKeyArn, replicaIn } from './key-arn.ts'
import { readArn, reasonOf } from './provider-info.ts'
import type { KmsProvider } from './provider.ts'

/** Which keys of the service a discovery keyring tries: those that match what is given, which is at least one. */
export interface DiscoveryFilter {
  /** For example `aws`. */
  readonly partition?: string | undefined
  /** Twelve digits each. */
  readonly accounts?: readonly string[] | undefined
}

/** Options of {@link kmsKeyring}. */
export interface KmsKeyringOptions {
  /** The service, or a function that answers the service of a region. */
  readonly provider: KmsProvider | ((region: string) => KmsProvider)
  /** The key that makes data keys: id, ARN or alias as the provider knows them (ARN if `provider` is a function). */
  readonly generatorKeyId?: string | undefined
  /** Further keys, each of which can decrypt. */
  readonly keyIds?: readonly string[] | undefined
  /**
   * Decrypts under the key that a message names: `true` for whatever key, or a filter. Excludes the two above, and
   * cannot encrypt.
   */
  readonly discovery?: true | DiscoveryFilter | undefined
  /**
   * Whether the replicas of a multi-Region key (`mrk-…`) stand for each other: what was wrapped under one is unwrapped
   * under the configured one, or with `discovery` under that of the provider's Region. `discovery` then needs one
   * provider that has a `region`, and leaves the other keys of other Regions alone. Default false.
   */
  readonly multiRegion?: boolean | undefined
  /** At most ten. */
  readonly grantTokens?: readonly string[] | undefined
}

/** Provider id of data keys that a KMS wrapped, as the AWS Encryption SDKs write it. */
const PROVIDER_ID = 'aws-kms'

/**
 * Wraps data keys under keys of a KMS, with the encryption context bound to them.
 *
 * A message names its keys by ARN. The keyring decrypts only under the keys that it was given: by their ARNs, or by
 * aliases and ids if the provider can resolve them (`resolveKeyId`); the name is resolved for each message, so that an
 * alias stands for the key that it points to at that time. Without `resolveKeyId` aliases and ids encrypt only, as in
 * the AWS Encryption SDKs. It never tries keys that it was not given unless `discovery` says so.
 *
 * Source: aws-encryption-sdk-specification, framework/aws-kms/aws-kms-keyring.md and aws-kms-discovery-keyring.md; with
 * `multiRegion` aws-kms-mrk-aware-symmetric-keyring.md and aws-kms-mrk-aware-symmetric-region-discovery-keyring.md.
 *
 * @throws TypeError for options that name no key and no discovery, or both, or are of another type; with `multiRegion`
 *   also for two replicas of one key, and for discovery without a Region
 */
export function kmsKeyring(options: KmsKeyringOptions): Keyring {
  const { generatorKeyId, keyIds = [], discovery, multiRegion = false, grantTokens } = options
  const configured = [...(generatorKeyId === undefined ? [] : [generatorKeyId]), ...snapshotStrings(keyIds, 'keyIds')]
  if (!configured.every((keyId: unknown) => typeof keyId === 'string' && keyId !== '')) {
    throw new TypeError('generatorKeyId and keyIds must be strings that name keys')
  }
  if ((discovery === undefined) === (configured.length === 0)) {
    throw new TypeError('kmsKeyring needs either generatorKeyId or keyIds, or discovery')
  }
  const filter = discovery === undefined ? undefined : snapshotFilter(discovery)
  const service = new Service(options.provider, grantTokens && snapshotStrings(grantTokens, 'grantTokens'))
  for (const keyId of configured) service.of(keyId)
  if (multiRegion) assertNoReplicas(configured)
  const choose = filter
    ? discovered(filter, multiRegion ? service.region() : undefined)
    : (materials: DecryptionMaterials, reasons: unknown[]) => own(service, configured, multiRegion, materials, reasons)
  return {
    wrap: (materials) => wrap(service, { generatorKeyId, configured }, materials),
    unwrap: (materials, encryptedDataKeys) => unwrap(service, choose, materials, encryptedDataKeys),
  }
}

/** Which key to ask for a data key that was wrapped under this one; undefined for a key that is not the keyring's. */
type Chosen = (arn: string) => string | undefined
type Choose = (materials: DecryptionMaterials, reasons: unknown[]) => Chosen | Promise<Chosen>

/** aws-kms-mrk-are-unique: two replicas would wrap each data key twice under one key. */
function assertNoReplicas(configured: readonly string[]): void {
  configured.forEach((keyId, index) => {
    const other = configured.slice(0, index).find((before) => isMultiRegionMatch(before, keyId))
    if (other !== undefined && parseKeyArn(keyId)?.id.startsWith('mrk-')) {
      throw new TypeError(`${other} and ${keyId} are one multi-Region key: give one of them`)
    }
  })
}

function snapshotStrings(list: unknown, name: string): readonly string[] {
  if (!Array.isArray(list) || !list.every((item) => typeof item === 'string')) {
    throw new TypeError(`${name} must be an array of strings`)
  }
  return [...(list as readonly string[])]
}

/** Anything but `true` and a filter that filters is refused: a slip must not open every key. */
function snapshotFilter(discovery: true | DiscoveryFilter): DiscoveryFilter {
  if (discovery === true) return {}
  const { partition, accounts, ...others } = Object(discovery) as DiscoveryFilter
  if (Object.keys(others).length > 0 || (partition === undefined && accounts === undefined)) {
    throw new TypeError('discovery must be true, or have partition or accounts or both, and nothing else')
  }
  if (partition !== undefined && (typeof partition !== 'string' || partition === '')) {
    throw new TypeError('discovery.partition must be the name of a partition')
  }
  return { partition, accounts: accounts && snapshotStrings(accounts, 'discovery.accounts') }
}

/** The provider of each key, and what every call carries. */
class Service {
  readonly #provider: KmsKeyringOptions['provider']
  readonly grantTokens: readonly string[] | undefined

  constructor(provider: KmsKeyringOptions['provider'], grantTokens: readonly string[] | undefined) {
    if (typeof provider !== 'function') assertProvider(provider)
    this.#provider = provider
    this.grantTokens = grantTokens
  }

  of(keyId: string): KmsProvider {
    if (typeof this.#provider !== 'function') return this.#provider
    const region = keyId.split(':')[3]
    if (!keyId.startsWith('arn:') || !region) {
      throw new TypeError(`${keyId} names no region: give ARNs where provider is a function`)
    }
    const provider = this.#provider(region)
    assertProvider(provider)
    return provider
  }

  /** @throws TypeError where there is none, or many */
  region(): string {
    const region = typeof this.#provider === 'function' ? undefined : this.#provider.region
    if (region === undefined) throw new TypeError('discovery with multiRegion needs one provider that has a region')
    return region
  }

  request(
    keyId: string,
    { encryptionContext, signal }: EncryptionMaterials | DecryptionMaterials,
  ): {
    keyId: string
    encryptionContext: typeof encryptionContext
    grantTokens: readonly string[] | undefined
    signal: typeof signal
  } {
    return { keyId, encryptionContext, grantTokens: this.grantTokens, signal }
  }
}

function assertProvider(provider: unknown): asserts provider is KmsProvider {
  const { generateDataKey, encrypt, decrypt } = Object(provider) as Partial<KmsProvider>
  if ([generateDataKey, encrypt, decrypt].some((method) => typeof method !== 'function')) {
    throw new TypeError('provider must be a KmsProvider, or a function that answers one for a region')
  }
}

async function wrap(
  service: Service,
  {
    generatorKeyId,
    configured,
  }: { readonly generatorKeyId: string | undefined; readonly configured: readonly string[] },
  materials: EncryptionMaterials,
): Promise<void> {
  let toEncrypt = configured
  if (materials.dataKey === undefined) {
    if (generatorKeyId === undefined) {
      throw new KeyUnavailableError('this KMS keyring makes no data keys: give it a generatorKeyId')
    }
    await generate(service, generatorKeyId, materials)
    toEncrypt = configured.slice(1)
  }
  for (const keyId of toEncrypt) {
    materials.signal?.throwIfAborted()
    const plaintext = Uint8Array.from(materials.dataKey ?? [])
    try {
      const request = { ...service.request(keyId, materials), plaintext }
      const answer = await service.of(keyId).encrypt(request)
      addEncryptedDataKey(materials, keyId, answer)
    } finally {
      plaintext.fill(0)
    }
  }
}

async function generate(service: Service, keyId: string, materials: EncryptionMaterials): Promise<void> {
  const numberOfBytes = materials.suite.keyBytes
  const answer = await service.of(keyId).generateDataKey({ ...service.request(keyId, materials), numberOfBytes })
  try {
    if (answer.plaintext.length !== numberOfBytes) {
      throw new KeyUnavailableError(
        `the KMS answered a data key of ${String(answer.plaintext.length)} bytes, ${String(numberOfBytes)} were asked for`,
      )
    }
    assertKeyOfAnswer(keyId, answer.keyId)
    materials.setDataKey(Uint8Array.from(answer.plaintext))
  } finally {
    answer.plaintext.fill(0)
  }
  addEncryptedDataKey(materials, keyId, answer)
}

function assertKeyOfAnswer(keyId: string, answered: string): void {
  if (!isAnswerFor(keyId, answered)) throw new KeyUnavailableError(`the KMS answered with key ${answered} for ${keyId}`)
}

function addEncryptedDataKey(
  materials: EncryptionMaterials,
  keyId: string,
  answer: { readonly keyId: string; readonly ciphertext: Uint8Array },
): void {
  assertKeyOfAnswer(keyId, answer.keyId)
  materials.addEncryptedDataKey({
    providerId: PROVIDER_ID,
    providerInfo: new TextEncoder().encode(answer.keyId),
    ciphertext: Uint8Array.from(answer.ciphertext),
  })
}

async function unwrap(
  service: Service,
  choose: Choose,
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array | undefined> {
  const candidates = encryptedDataKeys.flatMap(({ providerId, providerInfo, ciphertext }) => {
    const arn = providerId === PROVIDER_ID ? readArn(providerInfo) : undefined
    return arn === undefined ? [] : [{ arn, ciphertext }]
  })
  if (candidates.length === 0) return undefined
  const reasons: unknown[] = []
  const chosen = await choose(materials, reasons)
  for (const { arn, ciphertext } of candidates) {
    const keyId = chosen(arn)
    if (keyId === undefined) continue
    materials.signal?.throwIfAborted()
    try {
      return await decryptDataKey(service, keyId, ciphertext, materials)
    } catch (error) {
      materials.signal?.throwIfAborted()
      reasons.push(reasonOf(error))
    }
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure('KMS keyring', reasons)
}

/** Every key that passes the filter; with a Region only keys of that one, and the replicas there of other keys. */
function discovered({ partition, accounts }: DiscoveryFilter, region: string | undefined): () => Chosen {
  return () => (arn) => {
    const keyId = region === undefined ? arn : replicaIn(region, arn)
    const parts = parseKeyArn(keyId)
    const isAllowed =
      parts !== undefined &&
      (partition === undefined || parts.partition === partition) &&
      (accounts === undefined || accounts.includes(parts.account)) &&
      (region === undefined || parts.region === region)
    return isAllowed ? keyId : undefined
  }
}

/** The ARNs that the configured names stand for now. A name that does not resolve is a reason, not an end. */
async function own(
  service: Service,
  configured: readonly string[],
  multiRegion: boolean,
  { signal }: DecryptionMaterials,
  reasons: unknown[],
): Promise<Chosen> {
  const arns = new Set<string>()
  for (const keyId of configured) {
    if (parseKeyArn(keyId)) arns.add(keyId)
    else {
      try {
        const arn = await service.of(keyId).resolveKeyId?.({ keyId, signal })
        if (arn !== undefined) arns.add(arn)
      } catch (error) {
        signal?.throwIfAborted()
        reasons.push(error)
      }
    }
  }
  if (!multiRegion) return (arn) => (arns.has(arn) ? arn : undefined)
  return (arn) => [...arns].find((known) => isMultiRegionMatch(known, arn))
}

async function decryptDataKey(
  service: Service,
  arn: string,
  ciphertext: Uint8Array,
  materials: DecryptionMaterials,
): Promise<Uint8Array> {
  const answer = await service.of(arn).decrypt({ ...service.request(arn, materials), ciphertext })
  const dataKey = Uint8Array.from(answer.plaintext)
  answer.plaintext.fill(0)
  if (answer.keyId === arn && dataKey.length === materials.suite.keyBytes) return dataKey
  dataKey.fill(0)
  throw new FormatError(`the KMS answered with key ${answer.keyId} and ${String(dataKey.length)} bytes for ${arn}`)
}
