export {
  AuthenticationError,
  CommitmentPolicyError,
  DisposedError,
  EncryptionContextError,
  FormatError,
  KeyUnavailableError,
  LimitError,
  SourceError,
  UnsupportedError,
  WaxsealError,
} from '../bindings/errors.ts'
export type { WaxsealErrorCode } from '../bindings/errors.ts'
