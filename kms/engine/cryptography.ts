import { canonicalContext, snapshotContext } from '../../src/context.ts'
import { KmsError } from '../errors.ts'
import type { ActionContext } from './action.ts'
import { rowId } from './arn.ts'
import type { KeyUsageName } from './key-spec.ts'
import { assertKeyState } from './key-state.ts'
import type { FoundKey } from './lookup.ts'
import type { CryptographicInput } from './types.ts'

/** The encryption context as it is authenticated. @throws KmsError `ValidationException` */
export function authenticatedContext(context: CryptographicInput['EncryptionContext']): Uint8Array {
  try {
    return canonicalContext(snapshotContext(context ?? undefined))
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) {
      throw new KmsError('ValidationException', `The encryption context is not valid: ${cause.message}`, { cause })
    }
    throw cause
  }
}

/**
 * Whether a key can be used so now, and notes the use.
 *
 * @throws KmsError `DisabledException`, `KMSInvalidStateException`, `InvalidKeyUsageException`
 */
export function assertUsable(context: ActionContext, { record, arn }: FoundKey, usage: KeyUsageName): void {
  assertKeyState(record.state, 'cryptography', arn)
  if (record.keyUsage !== usage) {
    throw new KmsError(
      'InvalidKeyUsageException',
      `${arn} key usage is ${record.keyUsage} which is not valid for ${context.action}.`,
    )
  }
  context.trail.used.add(rowId(context.scope, record.keyId))
}

/** @throws KmsError `InvalidKeyUsageException` if the key's spec has no such algorithm */
export function assertAlgorithm(algorithm: string, keySpec: string, allowed: readonly string[] | undefined): void {
  if (allowed?.includes(algorithm) !== true) {
    throw new KmsError('InvalidKeyUsageException', `Algorithm ${algorithm} is incompatible with key spec ${keySpec}.`)
  }
}

/** The end of a dry run that would have succeeded. */
export function endDryRun(isDryRun: boolean | undefined): void {
  if (isDryRun) {
    throw new KmsError('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.')
  }
}

/** @throws KmsError `UnsupportedOperationException`: who asks for an attested answer must not get a plain one */
export function assertNoRecipient(recipient: object | undefined): void {
  if (recipient) {
    throw new KmsError('UnsupportedOperationException', 'Recipient is not supported: this KMS attests no enclaves.')
  }
}
