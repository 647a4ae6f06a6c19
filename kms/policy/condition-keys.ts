/** What a policy may ask of a request. */
export interface ConditionKey {
  /** In lower case: names of condition keys are compared so. */
  readonly name: string
  /** Whether a request can hold several values of it, so that a set operator is needed. */
  readonly isMany: boolean
  /**
   * Who says its value: this module from the principal and the encryption context, the engine in the request's context,
   * or nobody, since the thing that it tells of does not exist here.
   */
  readonly from: 'request' | 'context' | 'nobody'
}

/** AWS global condition context keys, and those of AWS KMS. A name that ends in `/` or `:` begins a family of keys. */
const NAMES: Readonly<Record<ConditionKey['from'], string>> = {
  request: `
    aws:PrincipalAccount aws:PrincipalArn aws:PrincipalIsAWSService aws:PrincipalTag/ aws:PrincipalType
    aws:ResourceAccount aws:userid aws:username aws:ViaAWSService
    kms:CallerAccount kms:EncryptionContext: kms:EncryptionContextKeys`,
  context: `
    aws:CurrentTime aws:EpochTime aws:RequestedRegion aws:RequestTag/ aws:ResourceTag/ aws:SecureTransport aws:SourceIp
    aws:TagKeys aws:UserAgent
    kms:BypassPolicyLockoutSafetyCheck kms:CustomerMasterKeySpec kms:CustomerMasterKeyUsage kms:DataKeyPairSpec
    kms:EncryptionAlgorithm kms:ExpirationModel kms:GrantConstraintType kms:GranteePrincipal kms:GrantIsForAWSResource
    kms:GrantOperations kms:KeyAgreementAlgorithm kms:KeyOrigin kms:KeySpec kms:KeyUsage kms:MacAlgorithm
    kms:MessageType kms:MultiRegion kms:MultiRegionKeyType kms:PrimaryRegion kms:ReEncryptOnSameKey kms:ReplicaRegion
    kms:RequestAlias kms:ResourceAliases kms:RetiringPrincipal kms:RotationPeriodInDays
    kms:ScheduleKeyDeletionPendingWindowInDays kms:SigningAlgorithm kms:ValidTo kms:WrappingAlgorithm
    kms:WrappingKeySpec`,
  nobody: `
    aws:AssumedRoot aws:CalledVia aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn
    aws:Ec2InstanceSourcePrivateIPv4 aws:Ec2InstanceSourceVpc aws:FederatedProvider aws:MultiFactorAuthAge
    aws:MultiFactorAuthPresent aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalServiceName
    aws:PrincipalServiceNamesList aws:Referer aws:ResourceOrgID aws:ResourceOrgPaths aws:SourceAccount aws:SourceArn
    aws:SourceIdentity aws:SourceOrgID aws:SourceOrgPaths aws:SourceVpc aws:SourceVpcArn aws:SourceVpce
    aws:SourceVpceAccount aws:SourceVpceOrgID aws:SourceVpceOrgPaths aws:TokenIssueTime aws:VpceAccount aws:VpceOrgID
    aws:VpceOrgPaths aws:VpcSourceIp
    kms:RecipientAttestation: kms:ViaService`,
}

const MANY: ReadonlySet<string> = new Set([
  'aws:calledvia',
  'aws:principalorgpaths',
  'aws:principalservicenameslist',
  'aws:resourceorgpaths',
  'aws:sourceorgpaths',
  'aws:sourcevpceorgpaths',
  'aws:tagkeys',
  'aws:vpceorgpaths',
  'kms:encryptioncontextkeys',
  'kms:grantoperations',
  'kms:resourcealiases',
])

const KEYS: ReadonlyMap<string, ConditionKey> = new Map(
  (['request', 'context', 'nobody'] as const).flatMap((from) =>
    NAMES[from]
      .trim()
      .toLowerCase()
      .split(/\s+/)
      .map((name) => [name, { name, isMany: MANY.has(name), from }] as const),
  ),
)

const FAMILIES: readonly ConditionKey[] = [...KEYS.values()].filter(({ name }) => /[/:]$/.test(name))

/**
 * Finds a condition key by its name in any case. Keys of other services are known, and said by nobody; undefined for
 * an `aws:` or `kms:` key that does not exist, and for what is no name.
 */
export function findConditionKey(text: string): ConditionKey | undefined {
  const name = text.toLowerCase()
  const family = FAMILIES.find((key) => name.startsWith(key.name))
  if (family) return name.length > family.name.length ? { ...family, name } : undefined
  const key = KEYS.get(name)
  if (key || /^(?:aws|kms):/.test(name)) return key
  return /^[a-z0-9.-]+:./.test(name) ? { name, isMany: false, from: 'nobody' } : undefined
}

/** The names of all keys that this engine fills, families with their last character, in lower case. */
export function filledConditionKeys(): readonly string[] {
  return [...KEYS.values()].filter(({ from }) => from !== 'nobody').map(({ name }) => name)
}
