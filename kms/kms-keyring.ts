import { FormatError, KeyUnavailableError } from '../bindings/errors.ts'
import {
  unwrapFailure,
  type DecryptionMaterials,
  type EncryptedDataKey,
  type EncryptionMaterials,
  type Keyring,
} from '../src/index.ts'
import { parseKeyArn } from './key-arn.ts'
import type { KmsProvider } from './provider.ts'

/** Which keys of the service a discovery keyring tries; all of them when both are left out. */
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
  /** Decrypts under whatever key a message names. Excludes the two above, and cannot encrypt. */
  readonly discovery?: true | DiscoveryFilter | undefined
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
 * Source: aws-encryption-sdk-specification, framework/aws-kms/aws-kms-keyring.md and aws-kms-discovery-keyring.md.
 *
 * @throws TypeError for options that name no key and no discovery, or both
 */
export function kmsKeyring(options: KmsKeyringOptions): Keyring {
  const { generatorKeyId, keyIds = [], discovery, grantTokens } = options
  const configured = generatorKeyId === undefined ? [...keyIds] : [generatorKeyId, ...keyIds]
  assertConfiguration(configured, discovery)
  const service = new Service(options.provider, grantTokens && [...grantTokens])
  for (const keyId of configured) service.of(keyId)
  const filter = discovery === undefined ? undefined : snapshotFilter(discovery)
  return {
    wrap: (materials) => wrap(service, { generatorKeyId, configured }, materials),
    unwrap: (materials, encryptedDataKeys) => unwrap(service, filter ?? configured, materials, encryptedDataKeys),
  }
}

function assertConfiguration(configured: readonly unknown[], discovery: unknown): void {
  if (!configured.every((keyId) => typeof keyId === 'string' && keyId !== '')) {
    throw new TypeError('generatorKeyId and keyIds must be non-empty strings')
  }
  if ((discovery === undefined) === (configured.length === 0)) {
    throw new TypeError('kmsKeyring needs either generatorKeyId or keyIds, or discovery')
  }
}

function snapshotFilter(discovery: true | DiscoveryFilter): DiscoveryFilter {
  if (discovery === true) return {}
  const { partition, accounts } = discovery
  return { partition, accounts: accounts && [...accounts] }
}

/** The provider of each key, and what every call carries. */
class Service {
  readonly #provider: KmsKeyringOptions['provider']
  readonly grantTokens: readonly string[] | undefined

  constructor(provider: KmsKeyringOptions['provider'], grantTokens: readonly string[] | undefined) {
    this.#provider = provider
    this.grantTokens = grantTokens
  }

  of(keyId: string): KmsProvider {
    if (typeof this.#provider !== 'function') return this.#provider
    const region = keyId.split(':')[3]
    if (!keyId.startsWith('arn:') || !region) {
      throw new TypeError(`${keyId} names no region: give ARNs where provider is a function`)
    }
    return this.#provider(region)
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
  if (answer.plaintext.length !== numberOfBytes) {
    throw new KeyUnavailableError(
      `the KMS answered a data key of ${String(answer.plaintext.length)} bytes, ${String(numberOfBytes)} were asked for`,
    )
  }
  materials.setDataKey(Uint8Array.from(answer.plaintext))
  answer.plaintext.fill(0)
  addEncryptedDataKey(materials, keyId, answer)
}

function addEncryptedDataKey(
  materials: EncryptionMaterials,
  keyId: string,
  answer: { readonly keyId: string; readonly ciphertext: Uint8Array },
): void {
  if (parseKeyArn(answer.keyId) === undefined) {
    throw new KeyUnavailableError(`the KMS answered ${answer.keyId} for ${keyId}, which is no key ARN`)
  }
  materials.addEncryptedDataKey({
    providerId: PROVIDER_ID,
    providerInfo: new TextEncoder().encode(answer.keyId),
    ciphertext: Uint8Array.from(answer.ciphertext),
  })
}

async function unwrap(
  service: Service,
  allowed: DiscoveryFilter | readonly string[],
  materials: DecryptionMaterials,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array | undefined> {
  const candidates = encryptedDataKeys.flatMap(({ providerId, providerInfo, ciphertext }) => {
    const arn = providerId === PROVIDER_ID ? readArn(providerInfo) : undefined
    return arn === undefined ? [] : [{ arn, ciphertext }]
  })
  if (candidates.length === 0) return undefined
  const reasons: unknown[] = []
  const isOwn = 'length' in allowed ? await ownArns(service, allowed, materials, reasons) : matches(allowed)
  for (const { arn, ciphertext } of candidates.filter((candidate) => isOwn(candidate.arn))) {
    materials.signal?.throwIfAborted()
    try {
      return await decryptDataKey(service, arn, ciphertext, materials)
    } catch (error) {
      materials.signal?.throwIfAborted()
      reasons.push(error)
    }
  }
  if (reasons.length === 0) return undefined
  throw unwrapFailure('KMS keyring', reasons)
}

function readArn(providerInfo: Uint8Array): string | undefined {
  const text = new TextDecoder().decode(providerInfo)
  return parseKeyArn(text) === undefined ? undefined : text
}

function matches({ partition, accounts }: DiscoveryFilter): (arn: string) => boolean {
  return (arn) => {
    const parts = parseKeyArn(arn)
    return (
      parts !== undefined &&
      (partition === undefined || parts.partition === partition) &&
      (accounts === undefined || accounts.includes(parts.account))
    )
  }
}

/** The ARNs that the configured names stand for now. A name that does not resolve is a reason, not an end. */
async function ownArns(
  service: Service,
  configured: readonly string[],
  { signal }: DecryptionMaterials,
  reasons: unknown[],
): Promise<(arn: string) => boolean> {
  const own = new Set<string>()
  for (const keyId of configured) {
    if (parseKeyArn(keyId)) own.add(keyId)
    else {
      try {
        const arn = await service.of(keyId).resolveKeyId?.({ keyId, signal })
        if (arn !== undefined) own.add(arn)
      } catch (error) {
        signal?.throwIfAborted()
        reasons.push(error)
      }
    }
  }
  return (arn) => own.has(arn)
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
