import { AuthenticationError } from '../../bindings/errors.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { readRootKeyId } from './root.ts'

/** What an import token says; it is sealed, so that nobody but this KMS can have said it. */
export interface ImportToken {
  /** How the material is wrapped: what the token says counts, nothing in the request. */
  readonly algorithm: string
  /** Of the wrapping key. */
  readonly keySpec: string
  readonly wrappingKeyId: string
  /** Milliseconds since 1970. */
  readonly until: number
}

/** A token for imports into one key. */
export async function sealImportToken(
  context: ActionContext,
  keyId: string,
  { algorithm, keySpec, wrappingKeyId, until }: ImportToken,
): Promise<Uint8Array<ArrayBuffer>> {
  const text = JSON.stringify({ algorithm, keySpec, wrappingKeyId, until })
  return context.keys.seal(new TextEncoder().encode(text), ...(await describe(context, keyId)))
}

/**
 * Reads a token for imports into this key.
 *
 * @throws KmsError `InvalidImportTokenException` for a token that is none, or of another key, `ExpiredImportTokenException`
 */
export async function openImportToken(context: ActionContext, keyId: string, token: Uint8Array): Promise<ImportToken> {
  const opened = await unseal(context, keyId, token)
  if (opened.until > context.now) return opened
  throw new KmsError(
    'ExpiredImportTokenException',
    'The import token has expired. Get new parameters for the import, and wrap the key material with their public key.',
  )
}

async function unseal(context: ActionContext, keyId: string, token: Uint8Array): Promise<ImportToken> {
  const description = await describe(context, keyId)
  try {
    return JSON.parse(new TextDecoder().decode(context.keys.unseal(token, ...description))) as ImportToken
  } catch (error) {
    if (error instanceof AuthenticationError) throw invalidImportToken()
    throw error
  }
}

export function invalidImportToken(): KmsError {
  return new KmsError('InvalidImportTokenException', 'The import token is not one of this KMS for this key.')
}

async function describe({ scope, records }: ActionContext, keyId: string): Promise<readonly string[]> {
  return ['import token', scope.account, scope.region, keyId, await readRootKeyId(records)]
}
