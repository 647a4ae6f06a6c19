/** The parts of a key ARN: `arn:partition:kms:region:account:key/id`. */
export interface KeyArn {
  readonly partition: string
  readonly region: string
  readonly account: string
  /** The key's id: `mrk-…` for a multi-Region key. */
  readonly id: string
}

// Messages name their keys, and with them the Region whose service is asked: no part may be more than a name.
const KEY_ARN = /^arn:([a-z][a-z0-9-]*):kms:((?:[a-z]+-){2,3}\d+):(\d{12}):key\/([A-Za-z0-9-]+)$/

/** Takes a key ARN apart; undefined for everything else, alias ARNs included. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const [, partition, region, account, id] = KEY_ARN.exec(text) ?? []
  return partition && region && account && id ? { partition, region, account, id } : undefined
}

/**
 * Whether what is wrapped under one key unwraps under the other: they are the same, or are replicas of one multi-Region
 * key, whose ARNs differ in nothing but the Region (AWS KMS MRK Match for Decrypt).
 */
export function isMultiRegionMatch(a: string, b: string): boolean {
  if (a === b) return true
  const [left, right] = [parseKeyArn(a), parseKeyArn(b)]
  if (!left || !right || !left.id.startsWith('mrk-')) return false
  return left.partition === right.partition && left.account === right.account && left.id === right.id
}

/** The ARN of a multi-Region key's replica in a Region; of other keys the ARN itself. */
export function replicaIn(region: string, arn: string): string {
  const parts = parseKeyArn(arn)
  if (!parts?.id.startsWith('mrk-')) return arn
  return `arn:${parts.partition}:kms:${region}:${parts.account}:key/${parts.id}`
}

/** Whether a service that was asked for `keyId` may answer this name: an ARN itself, other names the ARN they stand for. */
export function isAnswerFor(keyId: string, answered: string): boolean {
  return parseKeyArn(keyId) === undefined ? parseKeyArn(answered) !== undefined : answered === keyId
}
