import { answerText } from './aws-values.ts'
import { flagsOf, type CommandRow, type OptionRow } from './command.ts'
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
}

export type Input = Record<string, unknown>

/** Longer than any text that an action takes. */
const MAX_FILE_BYTES = 0x100000

/** The command of an action; `call` runs the action of a name with an input. */
export function actionCommand(
  row: ActionRow,
  call: (options: KmsOptions, action: string, input: Input) => Promise<unknown>,
): CommandRow {
  return {
    ...row,
    async run(options: KmsOptions) {
      const answer = await call(options, pascalCase(row.name), await inputOf(row, options))
      if (answer !== undefined) await print(answerText(answer))
    },
  }
}

/** The members of the input that the options are. */
export async function inputOf({ options: rows = [] }: ActionRow, options: object): Promise<Input> {
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
