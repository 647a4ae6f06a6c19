/** The parts of a key ARN: `arn:partition:kms:region:account:key/id`. */
export interface KeyArn {
  readonly partition: string
  readonly region: string
  readonly account: string
}

// Messages name their keys, and with them the Region whose service is asked: no part may be more than a name.
const KEY_ARN = /^arn:([a-z][a-z0-9-]*):kms:((?:[a-z]+-){2,3}\d+):(\d{12}):key\/[A-Za-z0-9-]+$/

/** Takes a key ARN apart; undefined for everything else, alias ARNs included. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const [, partition, region, account] = KEY_ARN.exec(text) ?? []
  return partition && region && account ? { partition, region, account } : undefined
}
