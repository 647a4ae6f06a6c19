import { WaxsealError, type WaxsealErrorCode } from '../src/index.ts'

/** What the command's exit code says; README.md lists the same, `waxseal --help` and the manual page are made from it. */
export const EXIT_CODES = {
  ok: 0,
  other: 1,
  usage: 2,
  authentication: 3,
  format: 4,
  key: 5,
  policy: 6,
  interrupted: 130,
} as const

export type Outcome = keyof typeof EXIT_CODES

/** The same in words. */
export const OUTCOME_TEXTS: Readonly<Record<Outcome, string>> = {
  ok: 'ok',
  other: 'other failure',
  usage: 'wrong use of the command',
  authentication: 'authentication failed',
  format: 'not a message of this format',
  key: 'key or KMS unavailable',
  policy: 'refused by policy or a required context pair',
  interrupted: 'interrupted',
}

/** Each exit code with what it says, in their order. */
export const EXIT_CODE_TEXTS: readonly (readonly [code: number, text: string])[] = Object.entries(EXIT_CODES).map(
  ([outcome, code]) => [code, OUTCOME_TEXTS[outcome as Outcome]],
)

/** Errors by their `code`. */
const OUTCOME_OF_CODE: Readonly<Record<WaxsealErrorCode, Outcome>> = {
  ERR_WAXSEAL_AUTHENTICATION: 'authentication',
  ERR_WAXSEAL_FORMAT: 'format',
  ERR_WAXSEAL_LIMIT: 'format',
  ERR_WAXSEAL_KEY_UNAVAILABLE: 'key',
  ERR_WAXSEAL_KMS: 'key',
  ERR_WAXSEAL_COMMITMENT_POLICY: 'policy',
  ERR_WAXSEAL_ENCRYPTION_CONTEXT: 'policy',
  ERR_WAXSEAL_UNSUPPORTED: 'other',
  ERR_WAXSEAL_DISPOSED: 'other',
  ERR_WAXSEAL_SOURCE: 'other',
  ERR_WAXSEAL_WASM: 'other',
}

/** Errors of the key service that are about the request, not about the key or the service. */
const OUTCOME_OF_KMS_ERROR: Readonly<Record<string, Outcome>> = {
  AccessDeniedException: 'policy',
  AlreadyExistsException: 'other',
  DeleteConflictException: 'other',
  EntityAlreadyExistsException: 'other',
  LimitExceededException: 'other',
  NoSuchEntityException: 'other',
  InvalidAliasNameException: 'usage',
  InvalidArnException: 'usage',
  MalformedPolicyDocumentException: 'usage',
  NotAuthorizedException: 'usage',
  TagException: 'usage',
  ValidationException: 'usage',
}

/** A failure of the command itself: its arguments, its files, its terminal. */
export class CommandError extends Error {
  readonly outcome: Outcome

  constructor(outcome: Outcome, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommandError'
    this.outcome = outcome
  }
}

/** How a command that threw this has ended. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof CommandError) return error.outcome
  // The library throws these for a caller's mistake, before any work: here, a bad argument of the command.
  if (error instanceof TypeError || error instanceof RangeError) return 'usage'
  if (!(error instanceof Error)) return 'other'
  return OUTCOME_OF_KMS_ERROR[error.name] ?? (error instanceof WaxsealError ? OUTCOME_OF_CODE[error.code] : 'other')
}

/** The failure in one line that is safe to show in a terminal. */
export function lineOf(error: unknown): string {
  return printable(error instanceof Error ? error.message || error.name : String(error))
}

/** Text that may come from a message, without line breaks, control characters or invisible ones. */
export function printable(text: string): string {
  return text
    .replace(/\s*[\r\n]+\s*/g, '; ')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
}

/** JSON whose texts may come from a message, with control characters and invisible ones escaped. */
export function jsonOf(value: unknown, indent?: number): string {
  // A line feed in it is one of the indentation.
  return JSON.stringify(value, undefined, indent).replace(/[^\P{Cc}\n]|[\p{Cf}\u2028\u2029]/gu, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
