import { hmac, timingSafeEqual } from '../../bindings/core.ts'
import { fromBase64, toBase64 } from '../base64.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { lengthPrefixed } from './bytes.ts'

// A grant token is base64 of
//
//   01 | nonce 16 | HMAC-SHA-256 over label, account, nonce and name 32 | name: Region/key id/grant id
//
// so that two tokens of one grant differ, and nobody makes one who was not given one.

const VERSION = 1
const NONCE_BYTES = 16
const NAME_START = 1 + NONCE_BYTES + 32

/** The grant that a token stands for. */
export interface GrantName {
  readonly region: string
  readonly keyId: string
  readonly grantId: string
}

export function newGrantToken(context: ActionContext, keyId: string, grantId: string): string {
  const nonce = context.random(NONCE_BYTES)
  const name = new TextEncoder().encode([context.scope.region, keyId, grantId].join('/'))
  return toBase64(Uint8Array.from([VERSION, ...nonce, ...tokenMac(context, nonce, name), ...name]))
}

/** @throws KmsError `InvalidGrantTokenException` if it is no token of this KMS */
export function readGrantToken(context: ActionContext, token: string): GrantName {
  const bytes = fromBase64(token)
  if (bytes?.[0] !== VERSION || bytes.length < NAME_START) throw invalid()
  const name = bytes.subarray(NAME_START)
  const mac = tokenMac(context, bytes.subarray(1, 1 + NONCE_BYTES), name)
  if (!timingSafeEqual(mac, bytes.subarray(1 + NONCE_BYTES, NAME_START))) throw invalid()
  const [region = '', keyId = '', grantId = ''] = new TextDecoder().decode(name).split('/')
  return { region, keyId, grantId }
}

/**
 * Grants are effective at once, so that a token adds nothing to them; it must be one all the same.
 *
 * @throws KmsError `InvalidGrantTokenException`
 */
export function assertGrantTokens(context: ActionContext, tokens: readonly string[] | undefined): void {
  for (const token of tokens ?? []) readGrantToken(context, token)
}

function tokenMac({ storeKeys, scope }: ActionContext, nonce: Uint8Array, name: Uint8Array): Uint8Array {
  return hmac('sha256', storeKeys.grantTokens, lengthPrefixed('waxseal-kms-grant-token-v1', scope.account, nonce, name))
}

function invalid(): KmsError {
  return new KmsError('InvalidGrantTokenException', 'The grant token is not one of this KMS.')
}
