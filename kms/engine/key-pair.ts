import { UnsupportedError } from '../../bindings/errors.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { fromHex } from './bytes.ts'
import { specification } from './key-spec.ts'
import { currentMaterial } from './material.ts'
import { generateKeyPair } from './asymmetric.ts'
import { tampered, type KeyRecord } from './records.ts'
import { withSecrets } from './secrets.ts'

export { keyPairs } from '#key-pairs'

/** New material of a key: random bytes, or a private key in PKCS #8 with its public key. The caller wipes it. */
export async function newMaterial(
  context: ActionContext,
  keySpec: string,
): Promise<{ readonly material: Uint8Array<ArrayBuffer>; readonly publicKey?: Uint8Array }> {
  const { pair, materialBytes = 0 } = specification(keySpec) ?? {}
  if (!pair) return { material: context.random(materialBytes) }
  const { privateKey, publicKey } = await context.outside(() => supported(generateKeyPair(pair)))
  return { material: privateKey, publicKey }
}

/**
 * Works with a key's secret outside the transaction.
 *
 * @throws KmsError `UnsupportedOperationException` if this runtime cannot do it
 */
export async function withMaterial<T>(
  context: ActionContext,
  key: KeyRecord,
  work: (material: Uint8Array) => Promise<T>,
): Promise<T> {
  const { material } = await currentMaterial(context, key)
  return withSecret(context, material, work, key.keyId)
}

/** Works with a secret outside the transaction, and wipes it: after the work, or at once if that is done already. */
export function withSecret<T>(
  context: ActionContext,
  secret: Uint8Array,
  work: (secret: Uint8Array) => Promise<T>,
  subject?: string,
): Promise<T> {
  return withSecrets(context, [() => Promise.resolve(secret)], () => supported(work(secret)), subject)
}

/** The public key of a key that is a pair, as SubjectPublicKeyInfo. */
export function publicKeyOf({ keyId, publicKey }: KeyRecord): Uint8Array<ArrayBuffer> {
  if (publicKey === undefined) throw tampered('key', keyId)
  return fromHex(publicKey)
}

/** What a runtime cannot do, this KMS does not support there. */
export async function supported<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (cause) {
    if (!(cause instanceof UnsupportedError)) throw cause
    throw new KmsError('UnsupportedOperationException', `This is not supported here: ${cause.message}`, { cause })
  }
}
