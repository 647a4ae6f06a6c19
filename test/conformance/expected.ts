import {
  AuthenticationError,
  CommitmentPolicyError,
  DisposedError,
  EncryptionContextError,
  FormatError,
  KeyUnavailableError,
  LimitError,
  SourceError,
  UnsupportedError,
} from 'waxseal'
import { KmsError } from 'waxseal/kms/engine'
import type { Expected } from './check.ts'

type ErrorName =
  | 'authentication'
  | 'format'
  | 'limit'
  | 'keyUnavailable'
  | 'commitmentPolicy'
  | 'encryptionContext'
  | 'unsupported'
  | 'disposed'
  | 'source'
  | 'kms'
  | 'type'
  | 'range'

/** Every error that the library throws, with its `code`; the caller's mistakes have none. */
export const EXPECTED: Readonly<Record<ErrorName, Expected>> = {
  authentication: { class: AuthenticationError, code: 'ERR_WAXSEAL_AUTHENTICATION' },
  format: { class: FormatError, code: 'ERR_WAXSEAL_FORMAT' },
  limit: { class: LimitError, code: 'ERR_WAXSEAL_LIMIT' },
  keyUnavailable: { class: KeyUnavailableError, code: 'ERR_WAXSEAL_KEY_UNAVAILABLE' },
  commitmentPolicy: { class: CommitmentPolicyError, code: 'ERR_WAXSEAL_COMMITMENT_POLICY' },
  encryptionContext: { class: EncryptionContextError, code: 'ERR_WAXSEAL_ENCRYPTION_CONTEXT' },
  unsupported: { class: UnsupportedError, code: 'ERR_WAXSEAL_UNSUPPORTED' },
  disposed: { class: DisposedError, code: 'ERR_WAXSEAL_DISPOSED' },
  source: { class: SourceError, code: 'ERR_WAXSEAL_SOURCE' },
  kms: { class: KmsError, code: 'ERR_WAXSEAL_KMS' },
  type: { class: TypeError },
  range: { class: RangeError },
}

/** What is expected of an error with this `code`. */
export function expectedOf(code: string): Expected {
  const found = Object.values(EXPECTED).find((expected) => expected.code === code)
  if (found === undefined) throw new Error(`no error has the code ${code}`)
  return found
}
