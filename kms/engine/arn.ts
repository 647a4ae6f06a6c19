import { KmsError } from '../errors.ts'

/** Where keys are: their ARNs say so, and ids of rows begin with it. */
export interface Scope {
  readonly partition: string
  readonly account: string
  readonly region: string
}

/**
 * The scope of an account (twelve digits, default 000000000000) and a Region (default us-east-1).
 *
 * @throws RangeError if one of them is not in its form
 */
export function scopeOf(options: {
  readonly account?: string | undefined
  readonly region?: string | undefined
}): Scope {
  const { account = '000000000000', region = 'us-east-1' } = options
  if (!/^\d{12}$/.test(account)) throw new RangeError('account must be twelve digits')
  if (region.length > 32 || !/^(?:[a-z]+-){2,3}\d+$/.test(region)) throw new RangeError('region is not the name of one')
  return { partition: 'aws', account, region }
}

/** What a `KeyId` parameter names. */
export type KeyReference = { readonly keyId: string } | { readonly aliasName: string }

const KEY_ID = /^(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})$/

/** Whether this is the form of a key id. */
export function isKeyId(text: string): boolean {
  return KEY_ID.test(text)
}

/** Whether an alias can have this name. */
export function isAliasName(text: string): boolean {
  return /^alias\/[a-zA-Z0-9:/_-]{1,250}$/.test(text)
}

export function keyArn(scope: Scope, keyId: string): string {
  return `arn:${scope.partition}:kms:${scope.region}:${scope.account}:key/${keyId}`
}

export function aliasArn(scope: Scope, aliasName: string): string {
  return `arn:${scope.partition}:kms:${scope.region}:${scope.account}:${aliasName}`
}

/** Id of a row of this scope. */
export function rowId(scope: Scope, ...parts: readonly string[]): string {
  return [scope.account, scope.region, ...parts].join('/')
}

/**
 * Reads a `KeyId` parameter: key id, key ARN, alias name or alias ARN.
 *
 * @throws KmsError `NotFoundException` for what names nothing here, `InvalidArnException` for an ARN that is none
 */
export function parseKeyReference(text: string, scope: Scope): KeyReference {
  if (text.startsWith('alias/')) return { aliasName: text }
  if (!text.startsWith('arn:')) return { keyId: assertKeyId(text) }
  const [, partition, service, region, account, ...rest] = text.split(':')
  const resource = rest.join(':')
  if (!partition || service !== 'kms' || !region || !account || !/^(?:key|alias)\/./.test(resource)) {
    throw new KmsError('InvalidArnException', `Invalid arn ${text}`)
  }
  if (region !== scope.region) throw new KmsError('NotFoundException', `Invalid arn ${region}`)
  const isHere = partition === scope.partition && account === scope.account
  if (resource.startsWith('alias/')) {
    if (!isHere) throw new KmsError('NotFoundException', `Alias ${text} is not found.`)
    return { aliasName: resource }
  }
  if (!isHere) throw new KmsError('NotFoundException', `Key '${text}' does not exist`)
  return { keyId: assertKeyId(resource.slice('key/'.length)) }
}

/** As {@link parseKeyReference}, for parameters that take a key id or key ARN only. */
export function parseKeyId(text: string, scope: Scope): string {
  const reference = parseKeyReference(text, scope)
  if ('keyId' in reference) return reference.keyId
  throw new KmsError('NotFoundException', `Invalid keyId '${text}'`)
}

function assertKeyId(text: string): string {
  if (!isKeyId(text)) throw new KmsError('NotFoundException', `Invalid keyId '${text}'`)
  return text
}
