import { Argument, Command, Option } from 'commander'
import type { ArgumentRow, CommandRow, OptionRow } from './command.ts'

/** A command, and those below it, as commander parses them. */
export function commandOf(row: CommandRow): Command {
  const command = new Command(row.name).description([row.text, ...(row.details ?? [])].join('\n\n')).summary(row.text)
  for (const argument of row.arguments ?? []) command.addArgument(argumentOf(argument))
  for (const option of row.options ?? []) command.addOption(optionOf(option))
  if (row.examples !== undefined) command.addHelpText('after', examplesText(row.examples))
  // A failure is reported in one line, by the caller.
  command.exitOverride().configureOutput({ outputError: () => undefined })
  command.configureHelp({ showGlobalOptions: true })
  if (row.run !== undefined) {
    command.action(() => row.run?.(command.optsWithGlobals(), command.processedArgs as (string | undefined)[]))
  }
  for (const subcommand of row.commands ?? []) command.addCommand(commandOf(subcommand))
  if (row.commands !== undefined) command.allowExcessArguments().action(() => refuseNoCommand(command))
  return command
}

function optionOf({ flags, text, choices, parse, isRequired = false }: OptionRow): Option {
  const option = new Option(flags, text).makeOptionMandatory(isRequired)
  if (choices !== undefined) option.choices(choices)
  if (parse !== undefined) option.argParser((value, previous) => parse(value, previous as never))
  return option
}

function argumentOf({ name, text, choices }: ArgumentRow): Argument {
  const argument = new Argument(name, text)
  return choices === undefined ? argument : argument.choices(choices)
}

function examplesText(examples: NonNullable<CommandRow['examples']>): string {
  const lines = examples.flatMap(({ text, line }) => [`  # ${text}`, `  ${line}`])
  return ['', 'Examples:', ...lines].join('\n')
}

function refuseNoCommand(command: Command): never {
  const [given] = command.args
  const names = command.commands.map((subcommand) => subcommand.name()).join(', ')
  command.error(given === undefined ? `name a command: ${names}` : `unknown command '${given}': there are ${names}`)
}
