/** Every `code` that a {@link WaxsealError} can carry. */
export type WaxsealErrorCode =
  | 'ERR_WAXSEAL_AUTHENTICATION'
  | 'ERR_WAXSEAL_FORMAT'
  | 'ERR_WAXSEAL_LIMIT'
  | 'ERR_WAXSEAL_KEY_UNAVAILABLE'
  | 'ERR_WAXSEAL_KMS'
  | 'ERR_WAXSEAL_COMMITMENT_POLICY'
  | 'ERR_WAXSEAL_ENCRYPTION_CONTEXT'
  | 'ERR_WAXSEAL_UNSUPPORTED'
  | 'ERR_WAXSEAL_DISPOSED'
  | 'ERR_WAXSEAL_SOURCE'
  | 'ERR_WAXSEAL_WASM'

/**
 * The base of every error that is not the caller's mistake; those are `TypeError` and `RangeError`,
 * thrown before any work. Tell errors apart by `code`: it is stable, the message is for people.
 */
export class WaxsealError extends Error {
  readonly code: WaxsealErrorCode

  constructor(code: WaxsealErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = nameOf(code)
    this.code = code
  }
}

/** The class, by its code: minifiers rename classes. */
function nameOf(code: WaxsealErrorCode): string {
  if (code === 'ERR_WAXSEAL_WASM') return 'WaxsealError'
  const words = code.slice('ERR_WAXSEAL_'.length).toLowerCase()
  return `${words.replace(/(?:^|_)./g, (start) => start.slice(-1).toUpperCase())}Error`
}

/**
 * A tag, signature, key commitment or padding did not verify. The message is always the same and there
 * is no `cause`, so that the error tells an attacker nothing about which check failed.
 */
export class AuthenticationError extends WaxsealError {
  constructor() {
    super(
      'ERR_WAXSEAL_AUTHENTICATION',
      'authentication failed: the data, the key or the context is not the one that was sealed',
    )
  }
}

/** The bytes are not a message of this format: truncated, extended, or against the specification. */
export class FormatError extends WaxsealError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_WAXSEAL_FORMAT', message, options)
  }
}

/** The message is larger in some measure than the caller allows. The message names the option to raise. */
export class LimitError extends WaxsealError {
  constructor(message: string) {
    super('ERR_WAXSEAL_LIMIT', message)
  }
}

/** No keyring could wrap or unwrap a data key. `errors` holds one reason a keyring, in keyring order. */
export class KeyUnavailableError extends WaxsealError {
  readonly errors: readonly unknown[]

  constructor(message: string, errors: readonly unknown[] = []) {
    super('ERR_WAXSEAL_KEY_UNAVAILABLE', message)
    this.errors = errors
  }
}

/** The algorithm suite is not allowed under the commitment policy in force. */
export class CommitmentPolicyError extends WaxsealError {
  constructor(message: string) {
    super('ERR_WAXSEAL_COMMITMENT_POLICY', message)
  }
}

/** The message is authentic, but an encryption context pair that the caller requires is absent or differs. */
export class EncryptionContextError extends WaxsealError {
  constructor(message: string) {
    super('ERR_WAXSEAL_ENCRYPTION_CONTEXT', message)
  }
}

/** This runtime, keyring or message cannot do what was asked; the message says what can. */
export class UnsupportedError extends WaxsealError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_WAXSEAL_UNSUPPORTED', message, options)
  }
}

/** The object was disposed; make a new one. */
export class DisposedError extends WaxsealError {
  constructor(what: string) {
    super('ERR_WAXSEAL_DISPOSED', `${what} was disposed: make a new one`)
  }
}

/** A source of bytes answered something else than what was asked for, or changed between two answers. */
export class SourceError extends WaxsealError {
  constructor(message: string, options?: ErrorOptions) {
    super('ERR_WAXSEAL_SOURCE', message, options)
  }
}
