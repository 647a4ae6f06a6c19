import type { Principal } from '../policy/index.ts'
import type { Scope } from './arn.ts'

export type { Principal } from '../policy/index.ts'

/** Options of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Default: the root of the account. */
  readonly caller?: Principal | undefined
  /** Id of the access key that signed the request. */
  readonly accessKeyId?: string | undefined
  /** One of the engine's Regions. Default: its first. */
  readonly region?: string | undefined
  /** Address of the client. */
  readonly sourceIp?: string | undefined
  /** Whether the request came over TLS. A call in the process needs none and counts as secure. */
  readonly isSecure?: boolean | undefined
  readonly userAgent?: string | undefined
  /** The id under which the caller knows the request; the engine makes one otherwise. */
  readonly requestId?: string | undefined
}

/** The root of the account. */
export function accountRoot({ partition, account }: Scope): Principal {
  return { account, arn: `arn:${partition}:iam::${account}:root`, id: account, type: 'Account', tags: {} }
}
