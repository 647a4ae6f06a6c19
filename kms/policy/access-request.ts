import type { AccessRequest, Principal } from './request.ts'

/** A key, as conditions see it. */
export interface KeyFacts {
  readonly keySpec: string
  readonly keyUsage: string
  readonly origin: string
  readonly multiRegionKeyType: 'PRIMARY' | 'REPLICA' | undefined
  readonly tags: readonly { readonly key: string; readonly value: string }[]
  /** Names, `alias/…`. */
  readonly aliases: readonly string[]
}

/** What a permission is asked for with. */
export interface AccessFacts {
  readonly principal: Principal
  /** Without the service, `Decrypt`, `ReEncryptFrom`. */
  readonly permission: string
  readonly resource: string
  readonly resourceAccount: string
  /** Input of the action, as in the API. Times are `Date`s or seconds since 1970. */
  readonly input: Readonly<Record<string, unknown>>
  /** Absent for what is on no key. */
  readonly key?: KeyFacts | undefined
  /** Name of the alias by which the request names the key. */
  readonly requestAlias?: string | undefined
  /** Of ReEncrypt: whether both keys are the same. */
  readonly isSameKey?: boolean | undefined
  /** Milliseconds since 1970. */
  readonly now: number
  readonly region: string
  readonly sourceIp?: string | undefined
  readonly isSecure?: boolean | undefined
  readonly userAgent?: string | undefined
}

/** Members of the input whose values are condition keys: permission, member, key, and what AWS KMS takes if it is absent. */
const PARAMETERS: readonly (readonly [permissions: string, member: string, key: string, otherwise?: string])[] = [
  ['CreateKey PutKeyPolicy ReplicateKey', 'BypassPolicyLockoutSafetyCheck', 'kms:BypassPolicyLockoutSafetyCheck'],
  ['CreateGrant', 'GranteePrincipal', 'kms:GranteePrincipal'],
  ['CreateGrant', 'RetiringPrincipal', 'kms:RetiringPrincipal'],
  ['CreateGrant', 'Operations', 'kms:GrantOperations'],
  ['Encrypt Decrypt', 'EncryptionAlgorithm', 'kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT'],
  ['ReEncryptFrom', 'SourceEncryptionAlgorithm', 'kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT'],
  ['ReEncryptTo', 'DestinationEncryptionAlgorithm', 'kms:EncryptionAlgorithm', 'SYMMETRIC_DEFAULT'],
  ['GenerateDataKeyPair GenerateDataKeyPairWithoutPlaintext', 'KeyPairSpec', 'kms:DataKeyPairSpec'],
  ['Sign Verify', 'SigningAlgorithm', 'kms:SigningAlgorithm'],
  ['Sign Verify', 'MessageType', 'kms:MessageType', 'RAW'],
  ['GenerateMac VerifyMac', 'MacAlgorithm', 'kms:MacAlgorithm'],
  ['DeriveSharedSecret', 'KeyAgreementAlgorithm', 'kms:KeyAgreementAlgorithm'],
  ['ImportKeyMaterial', 'ExpirationModel', 'kms:ExpirationModel'],
  ['ImportKeyMaterial', 'ValidTo', 'kms:ValidTo'],
  ['GetParametersForImport', 'WrappingAlgorithm', 'kms:WrappingAlgorithm'],
  ['GetParametersForImport', 'WrappingKeySpec', 'kms:WrappingKeySpec'],
  ['UpdatePrimaryRegion', 'PrimaryRegion', 'kms:PrimaryRegion'],
  ['ReplicateKey', 'ReplicaRegion', 'kms:ReplicaRegion'],
  ['EnableKeyRotation', 'RotationPeriodInDays', 'kms:RotationPeriodInDays', '365'],
  ['ScheduleKeyDeletion', 'PendingWindowInDays', 'kms:ScheduleKeyDeletionPendingWindowInDays', '30'],
  ['UntagResource', 'TagKeys', 'aws:TagKeys'],
]

const BY_PERMISSION: ReadonlyMap<string, typeof PARAMETERS> = (() => {
  const names = new Set(PARAMETERS.flatMap(([permissions]) => permissions.split(' ')))
  return new Map(
    [...names].map((name) => [name, PARAMETERS.filter(([permissions]) => permissions.split(' ').includes(name))]),
  )
})()

/** Where a permission's encryption context is. */
const CONTEXT_MEMBERS: Readonly<Record<string, string>> = {
  ReEncryptFrom: 'SourceEncryptionContext',
  ReEncryptTo: 'DestinationEncryptionContext',
}

/**
 * Makes the request that policies decide of, with all condition keys that this KMS fills (AWS KMS Developer Guide, "AWS
 * KMS condition keys" and "AWS global condition keys"). A parameter that is not given counts with its default, but for
 * BypassPolicyLockoutSafetyCheck and ExpirationModel: policies test these for being absent.
 */
export function accessRequest(facts: AccessFacts): AccessRequest {
  const { principal, permission, resource, resourceAccount } = facts
  let context: Context | undefined
  return {
    principal,
    action: `kms:${permission}`,
    resource,
    resourceAccount,
    // Most policies have no conditions.
    get context() {
      return (context ??= contextOf(facts))
    },
    encryptionContext: encryptionContextOf(facts),
  }
}

type Context = Map<string, readonly string[]>

function contextOf(facts: AccessFacts): Context {
  const { permission } = facts
  const context: Context = new Map()
  addCall(context, facts)
  addKey(context, facts)
  for (const [, member, key, otherwise] of BY_PERMISSION.get(permission) ?? []) {
    const values = valuesOf(facts.input[member])
    context.set(key, values.length > 0 ? values : valuesOf(otherwise))
  }
  if (permission.startsWith('GenerateDataKey')) context.set('kms:EncryptionAlgorithm', ['SYMMETRIC_DEFAULT'])
  if (/Grants?$/.test(permission)) addGrant(context, facts)
  addTags(context, facts.input.Tags)
  return context
}

function addCall(context: Context, { now, region, sourceIp, isSecure, userAgent }: AccessFacts): void {
  context.set('aws:CurrentTime', [new Date(now).toISOString()])
  context.set('aws:EpochTime', [String(Math.floor(now / 1000))])
  context.set('aws:RequestedRegion', [region])
  context.set('aws:SourceIp', valuesOf(sourceIp))
  context.set('aws:SecureTransport', valuesOf(isSecure))
  context.set('aws:UserAgent', valuesOf(userAgent))
}

/** Of the key in question; of the one that is to be made, if the permission is to make one. */
function addKey(context: Context, { permission, input, key, requestAlias, isSameKey }: AccessFacts): void {
  const add = (spec: unknown, usage: unknown, origin: unknown, type: string | undefined): void => {
    for (const name of ['kms:KeySpec', 'kms:CustomerMasterKeySpec']) context.set(name, valuesOf(spec))
    for (const name of ['kms:KeyUsage', 'kms:CustomerMasterKeyUsage']) context.set(name, valuesOf(usage))
    context.set('kms:KeyOrigin', valuesOf(origin))
    context.set('kms:MultiRegion', [String(type !== undefined)])
    context.set('kms:MultiRegionKeyType', valuesOf(type))
  }
  if (key) {
    add(key.keySpec, key.keyUsage, key.origin, key.multiRegionKeyType)
    context.set('kms:ResourceAliases', key.aliases)
    for (const tag of key.tags) context.set(`aws:ResourceTag/${tag.key}`, [tag.value])
  } else if (permission === 'CreateKey') {
    const spec = input.KeySpec ?? input.CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
    const type = input.MultiRegion === true ? 'PRIMARY' : undefined
    add(spec, input.KeyUsage ?? 'ENCRYPT_DECRYPT', input.Origin ?? 'AWS_KMS', type)
  }
  context.set('kms:RequestAlias', valuesOf(requestAlias))
  context.set('kms:ReEncryptOnSameKey', valuesOf(isSameKey))
}

/** No AWS service calls here for somebody else. */
function addGrant(context: Context, { permission, input }: AccessFacts): void {
  if (permission === 'RetireGrant' || permission === 'ListRetirableGrants') return
  context.set('kms:GrantIsForAWSResource', ['false'])
  if (permission === 'CreateGrant') context.set('kms:GrantConstraintType', Object.keys(constraintsOf(input)))
}

function addTags(context: Context, tags: unknown): void {
  if (!Array.isArray(tags)) return
  const pairs = tags as readonly { readonly TagKey?: unknown; readonly TagValue?: unknown }[]
  for (const { TagKey, TagValue } of pairs) context.set(`aws:RequestTag/${String(TagKey)}`, valuesOf(TagValue))
  context.set(
    'aws:TagKeys',
    pairs.map(({ TagKey }) => String(TagKey)),
  )
}

function constraintsOf(input: AccessFacts['input']): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const constraints = (input.Constraints ?? {}) as Record<string, Record<string, string> | undefined>
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = constraints
  const types = { EncryptionContextEquals: equals ?? {}, EncryptionContextSubset: subset ?? {} }
  return Object.fromEntries(Object.entries(types).filter(([, pairs]) => Object.keys(pairs).length > 0))
}

function encryptionContextOf({ permission, input }: AccessFacts): AccessRequest['encryptionContext'] {
  if (permission === 'CreateGrant') {
    const pairs = Object.values(constraintsOf(input)).flatMap((constraint) => Object.entries(constraint))
    return pairs.length > 0 ? Object.fromEntries(pairs) : undefined
  }
  const member = CONTEXT_MEMBERS[permission] ?? 'EncryptionContext'
  return (input[member] ?? undefined) as AccessRequest['encryptionContext']
}

/** Values as text; none for what is not given. */
function valuesOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String)
  if (value instanceof Date) return [String(value.getTime() / 1000)]
  return typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number' ? [String(value)] : []
}
