import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { accountRoot } from './caller.ts'

/** What a call wants to do, as policies and grants see it. */
export interface Access {
  /** Without `kms:`; default the action's name. */
  readonly permission?: string | undefined
  readonly grantTokens?: readonly string[] | undefined
}

/**
 * Whether the caller may do this to the resource with this ARN (`*` where there is none).
 *
 * @throws KmsError `AccessDeniedException`
 */
export function authorise(context: ActionContext, resource: string, access: Access = {}): void {
  assertNoGrantTokens(access.grantTokens)
  const { caller, scope } = context
  const root = accountRoot(scope)
  if (caller.type === root.type && caller.arn === root.arn) return
  const action = `kms:${access.permission ?? context.action}`
  throw new KmsError(
    'AccessDeniedException',
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource}`,
  )
}

/** There are no grants in this KMS yet, so there is no token of one. */
function assertNoGrantTokens(tokens: readonly string[] | undefined): void {
  if (tokens && tokens.length > 0) {
    throw new KmsError('InvalidGrantTokenException', 'The grant token is not one of this KMS.')
  }
}
