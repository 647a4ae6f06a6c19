import { answerText } from './aws-values.ts'
import { flagsOf, type CommandRow, type OptionRow } from './command.ts'
import { CommandError } from './failure.ts'
import { print } from './output.ts'
import { readSmallFile } from './small-file.ts'
import type { KmsOptions } from './service.ts'

// Commands that are one action of the API each, with the names of the AWS CLI: the option --user-name is the member
// UserName of the input, the command create-user the action CreateUser.

export interface MemberOption extends OptionRow {
  /** Whether the value may be file://… for the text of a file. */
  readonly takesFile?: boolean
}

export interface ActionRow extends Omit<CommandRow, 'run' | 'commands' | 'arguments'> {
  readonly options?: readonly MemberOption[]
  /** The member that is a key: the argument of the command, or an option. */
  readonly key?: { readonly member: 'KeyId' | 'TargetKeyId'; readonly isOptional?: boolean }
}

export interface KeyOptions extends KmsOptions {
  readonly key?: string
  readonly keyId?: string
  readonly targetKeyId?: string
}

export const KEY_ARGUMENT = { name: '[key]', text: 'id, ARN or alias/… of the key' } as const

/** The options that name a key, beside the argument. */
export function keyOptions(member: 'KeyId' | 'TargetKeyId'): readonly OptionRow[] {
  const aws = member === 'KeyId' ? '--key-id' : '--target-key-id'
  return [
    { flags: '-k, --key <key>', text: 'the same as the argument' },
    { flags: `${aws} <key>`, text: 'the same as the argument' },
  ]
}

/** The key that argument or options name, if one does. @throws CommandError if more than one does */
export function namedKey(argument: string | undefined, { key, keyId, targetKeyId }: KeyOptions): string | undefined {
  const [name, ...more] = [argument, key, keyId, targetKeyId].filter((given) => given !== undefined)
  if (more.length > 0) throw new CommandError('usage', 'name one key, by its id, ARN or alias/…')
  return name
}

/** The key that argument or options name. @throws CommandError if none or more than one does */
export function oneKey(argument: string | undefined, options: KeyOptions): string {
  const key = namedKey(argument, options)
  if (key === undefined) throw new CommandError('usage', 'name one key, by its id, ARN or alias/…')
  return key
}

export type Input = Record<string, unknown>

/** Longer than any text that an action takes. */
const MAX_FILE_BYTES = 0x100000

/** The command of an action; `call` runs the action of a name with an input. */
export function actionCommand(
  row: ActionRow,
  call: (options: KmsOptions, action: string, input: Input) => Promise<unknown>,
): CommandRow {
  const { key, ...command } = row
  return {
    ...command,
    ...(key && { arguments: [KEY_ARGUMENT], options: [...keyOptions(key.member), ...(row.options ?? [])] }),
    async run(options: KeyOptions, [argument]) {
      const input = await inputOf(row.options ?? [], options)
      if (key) {
        const name = key.isOptional === true ? namedKey(argument, options) : oneKey(argument, options)
        if (name !== undefined) input[key.member] = name
      }
      const answer = await call(options, pascalCase(row.name), input)
      if (answer !== undefined) await print(answerText(answer))
    },
  }
}

/** The members of the input that the options are. */
export async function inputOf(rows: readonly MemberOption[], options: object): Promise<Input> {
  const input: Input = {}
  for (const row of rows) {
    const member = pascalCase(flagsOf(row).long.replace(/^--(?:no-)?/, ''))
    const value = (options as Readonly<Record<string, unknown>>)[member.charAt(0).toLowerCase() + member.slice(1)]
    if (value !== undefined) input[member] = row.takesFile === true ? await textOf(value as string) : value
  }
  return input
}

async function textOf(value: string): Promise<string> {
  const [, path] = /^file:\/\/(.+)$/s.exec(value) ?? []
  return path === undefined ? value : (await readSmallFile(path, MAX_FILE_BYTES)).toString('utf8')
}

function pascalCase(kebab: string): string {
  return kebab.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase())
}
