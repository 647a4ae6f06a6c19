/**
 * The shape of the table in commands.ts, from which come the parser, `--help`, the completion of the shells and the
 * manual page.
 */

/** What a shell offers for a value. */
export type Completion = 'file' | 'folder' | 'nothing' | readonly string[]

export interface OptionRow {
  /** As they are shown: `-i, --input <path>`; `<paths...>` takes several values, `--no-…` none and says no. */
  readonly flags: string
  /** One phrase, without a full stop. */
  readonly text: string
  /** The values allowed; they are also what a shell offers. */
  readonly choices?: readonly string[]
  /** What a shell offers where there are no `choices`. Default `nothing`. */
  readonly completes?: Completion
  /** Checks one value; gets what the option has so far, for options that may be given again. */
  readonly parse?: (text: string, previous: never) => unknown
  readonly isRequired?: boolean
}

export interface ArgumentRow {
  /** `<file>` where it must be given, `[file]` where it need not. */
  readonly name: string
  readonly text: string
  readonly choices?: readonly string[]
  readonly completes?: Completion
}

export interface Example {
  readonly text: string
  /** A line for a shell. */
  readonly line: string
}

export interface CommandRow {
  readonly name: string
  /** One phrase, in the imperative, without a full stop. */
  readonly text: string
  /** Paragraphs for `--help` and the manual page. */
  readonly details?: readonly string[]
  readonly arguments?: readonly ArgumentRow[]
  readonly options?: readonly OptionRow[]
  readonly examples?: readonly Example[]
  readonly commands?: readonly CommandRow[]
  /** The work. Its options are those of the row and of the rows above it, by their long names in camel case. */
  run?(options: object, args: readonly (string | undefined)[]): Promise<void>
}

export interface Flags {
  /** With its dash: `-i`. */
  readonly short: string | undefined
  /** With its dashes: `--input`. */
  readonly long: string
  /** The value's name without brackets and dots; undefined for an option that takes none. */
  readonly value: string | undefined
  readonly isVariadic: boolean
}

/** The parts of an option's `flags`. */
export function flagsOf({ flags }: OptionRow): Flags {
  const [, short, long = '', value] = /^(?:(-\w), )?(--[\w-]+)(?: [<[]([^>\]]+)[>\]])?$/.exec(flags) ?? []
  if (long === '') throw new TypeError(`these are no flags: ${flags}`)
  return { short, long, value: value?.replace(/\.\.\.$/, ''), isVariadic: value?.endsWith('...') === true }
}

/** An option's names as they are typed. */
export function namesOf(option: OptionRow): string[] {
  const { short, long } = flagsOf(option)
  return short === undefined ? [long] : [short, long]
}

/** What a shell offers for the value of an option or argument. */
export function completionOf(row: OptionRow | ArgumentRow): Completion {
  return row.choices ?? row.completes ?? 'nothing'
}
