import { findConditionKey } from './condition-keys.ts'
import { Meter } from './meter.ts'

/** Who calls. */
export interface Principal {
  /** Twelve digits. */
  readonly account: string
  readonly arn: string
  /** Unique id: a user who is created again under the same name has another. Of an account, its number. */
  readonly id: string
  readonly type: 'Account' | 'User' | 'Role' | 'Anonymous'
  readonly tags: Readonly<Record<string, string>>
}

const SESSION = /^arn:([^:]+):sts::(\d{12}):assumed-role\/([^/]+)\/[^/]+$/

/**
 * What a principal is called by, his own ARN first: a session of a role is the role as well (IAM User Guide, "AWS JSON
 * policy elements: Principal"). The ARN of a session does not say the role's path.
 */
export function arnsOf({ arn }: Principal): readonly [string, ...string[]] {
  const [, partition = '', account = '', role] = SESSION.exec(arn) ?? []
  return role === undefined ? [arn] : [arn, `arn:${partition}:iam::${account}:role/${role}`]
}

/** One permission that is asked for. A call of the API may ask for several, one after the other. */
export interface AccessRequest {
  readonly principal: Principal
  /** A permission's name, `kms:Decrypt`. Re-encryption asks for `kms:ReEncryptFrom` and `kms:ReEncryptTo`. */
  readonly action: string
  /** Key ARN, alias ARN, or `*` for actions that are on no resource. */
  readonly resource: string
  /** Owner of the resource. */
  readonly resourceAccount: string
  /**
   * Condition keys and their values. A key without values is not in the request. Keys with a tag's name in them keep the
   * tag's case (`aws:ResourceTag/Team`), so that two that differ only in case are seen. What the principal and the
   * encryption context say is not read from here.
   */
  readonly context: ReadonlyMap<string, readonly string[]>
  /** Of the request; for CreateGrant, the pairs of the constraint. */
  readonly encryptionContext: Readonly<Record<string, string>> | undefined
}

/** Values of a condition key; `several keys` if the request holds keys that differ only in case. */
export type ContextValues = readonly string[] | 'several keys'

const ABSENT: readonly string[] = []

/** A request under evaluation: its condition keys, found when a condition asks, and the work that was done. */
export class Evaluation {
  readonly request: AccessRequest
  readonly meter: Meter
  #keys: ReadonlyMap<string, ContextValues> | undefined

  constructor(request: AccessRequest, meter: Meter = new Meter()) {
    this.request = request
    this.meter = meter
  }

  /** Values of the key with this name in lower case; none if it is not in the request. */
  valuesOf(key: string): ContextValues {
    this.#keys ??= keysOf(this.request)
    return this.#keys.get(key) ?? ABSENT
  }
}

function keysOf(request: AccessRequest): ReadonlyMap<string, ContextValues> {
  const keys = new Map<string, ContextValues>()
  const add = (name: string, values: readonly string[]): void => {
    if (values.length === 0) return
    const key = name.toLowerCase()
    keys.set(key, keys.has(key) ? 'several keys' : values)
  }
  for (const [name, values] of ownKeysOf(request)) add(name, values)
  for (const [name, values] of request.context) if (findConditionKey(name)?.from === 'context') add(name, values)
  return keys
}

const KEY = /^arn:[^:]*:kms:[^:]*:[^:]*:key\//

/** "KMS key resource operations" and "custom key store operations" (AWS KMS Developer Guide, "kms:CallerAccount"). */
function hasCallerAccount({ action, resource }: AccessRequest): boolean {
  return KEY.test(resource) || /CustomKeyStores?$/.test(action)
}

/** The keys that the principal and the encryption context say. */
function* ownKeysOf(request: AccessRequest): Iterable<readonly [string, readonly string[]]> {
  const { principal, encryptionContext = {} } = request
  yield ['aws:ResourceAccount', [request.resourceAccount]]
  yield ['aws:PrincipalType', [principal.type === 'Role' ? 'AssumedRole' : principal.type]]
  // Nothing here calls for somebody else.
  yield ['aws:PrincipalIsAWSService', ['false']]
  yield ['aws:ViaAWSService', ['false']]
  if (principal.type !== 'Anonymous') {
    // Of a session, the role's.
    yield ['aws:PrincipalArn', arnsOf(principal).slice(-1)]
    yield ['aws:PrincipalAccount', [principal.account]]
    if (hasCallerAccount(request)) yield ['kms:CallerAccount', [principal.account]]
    yield ['aws:userid', [principal.id]]
  }
  if (principal.type === 'User') yield ['aws:username', [principal.arn.slice(principal.arn.lastIndexOf('/') + 1)]]
  for (const [tag, value] of Object.entries(principal.tags)) yield [`aws:PrincipalTag/${tag}`, [value]]
  const pairs = Object.entries(encryptionContext)
  yield ['kms:EncryptionContextKeys', pairs.map(([key]) => key)]
  for (const [key, value] of pairs) yield [`kms:EncryptionContext:${key}`, [value]]
}
