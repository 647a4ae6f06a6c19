/** The parts of a key ARN: `arn:partition:kms:region:account:key/id`. */
export interface KeyArn {
  readonly partition: string
  readonly region: string
  readonly account: string
}

const KEY_ARN = /^arn:([^:]+):kms:([^:]+):([^:]+):key\/[^:/]+$/

/** Takes a key ARN apart; undefined for everything else, alias ARNs included. */
export function parseKeyArn(text: string): KeyArn | undefined {
  const [, partition, region, account] = KEY_ARN.exec(text) ?? []
  return partition && region && account ? { partition, region, account } : undefined
}
